//! Wires the parts, in the order in which they recover, and stops them in the order in which they depend on each other.

mod foundation;
mod lock;
mod ports;
mod recovery;

use std::{fmt, path::PathBuf, sync::Arc, thread::JoinHandle, time::Duration};

use consensus::{CommitteeError, Effects, RecoverError};
use contract::GenesisError;
use tokio::sync::{mpsc, oneshot, watch};
use tracing::{debug, error, info, warn};
use zeroize::Zeroizing;

use crate::{
    clock::Clock,
    config::Config,
    driver::{self, Driver, Ended, Event, Publisher},
    edge::{self, Edge},
    executor::{Executor, ExecutorError, Gone},
    host::{self, Host, HostError},
    http::{self, HttpError},
    keys::KeyError,
    limits,
    metrics::Metrics,
    network::{
        self, MemberIndex, Network, NetworkError,
        address::BadAddress,
        frame::{Frame, Kind},
    },
    roster::Roster,
    services::Services,
    status::NodeStatus,
    sync::{self, Fetcher},
    votelog::VoteLogError,
};

use foundation::Foundation;
use recovery::Recovered;

pub use lock::{Lock, LockError};
pub use ports::{Holder, PortError, check as check_ports};

/// Why a node does not start, or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// Another process has the home.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The genesis file cannot be read.
    #[error("cannot read {}: {cause}", path.display())]
    NoGenesis {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        cause: std::io::Error,
    },
    /// The genesis file is not one.
    #[error("{}: {cause}", path.display())]
    BadGenesis {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        cause: GenesisError,
    },
    /// The name is not in the genesis file.
    #[error("genesis.json has no member `{name}`; its members are {known}")]
    NotAMember {
        /// The name of node.toml.
        name: String,
        /// The members' names.
        known: String,
    },
    /// The key files are not this member's.
    #[error("keys/{file} is not the key of member `{name}` in genesis.json")]
    ForeignKey {
        /// The file.
        file: &'static str,
        /// The member.
        name: String,
    },
    /// The key files cannot be used.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The members' keys do not make a committee.
    #[error("the members of genesis.json do not make a committee: {0}")]
    Committee(#[from] CommitteeError),
    /// A member's address cannot be dialled.
    #[error("the p2p address of member `{name}`: {cause}")]
    Address {
        /// The member.
        name: String,
        /// What is wrong.
        #[source]
        cause: BadAddress,
    },
    /// A listener's port cannot be had.
    #[error(transparent)]
    Port(#[from] PortError),
    /// A listener does not serve.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The network does not start.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The vote log cannot be opened.
    #[error(transparent)]
    VoteLog(#[from] VoteLogError),
    /// The vote log and the store do not fit together.
    #[error(transparent)]
    Recover(#[from] RecoverError),
    /// The vote log belongs to another ledger.
    #[error("the vote log in {} belongs to another ledger than genesis.json", home.display())]
    ForeignLog {
        /// The home.
        home: PathBuf,
    },
    /// The store cannot be used, or the executor had to end.
    #[error(transparent)]
    Executor(#[from] ExecutorError),
    /// The executor has ended.
    #[error(transparent)]
    ExecutorGone(#[from] Gone),
    /// A thread cannot be started.
    #[error("cannot start a thread: {0}")]
    Thread(#[source] std::io::Error),
    /// The node had to stop.
    #[error(transparent)]
    Host(#[from] HostError),
    /// A part did not stop in time.
    #[error("the node did not stop within {} ms", limits::SHUTDOWN.as_millis())]
    StopTimeout,
}

/// A running node. Dropping it stops it without waiting.
pub struct Node {
    services: Services,
    stop: watch::Sender<bool>,
    driver: Option<oneshot::Receiver<Ended>>,
    executor: Executor,
    executor_thread: JoinHandle<()>,
    lock: Lock,
}

/// What all parts of a starting node share.
struct Shared {
    base: Foundation,
    clock: Clock,
    metrics: Metrics,
    roster: Roster,
    stopped: watch::Receiver<bool>,
}

/// Runs a node until `shutdown` comes, or until it cannot go on.
pub async fn run(config: Config, shutdown: impl Future<Output = ()>) -> Result<(), NodeError> {
    let mut node = Node::start(config)?;
    let mut listeners = match http::bind(node.services.clone(), node.stop.subscribe()).await {
        Ok(bound) => tokio::spawn(bound.serve()),
        Err(cause) => {
            node.stop().await?;
            return Err(cause.into());
        }
    };
    let ended = tokio::select! {
        () = shutdown => None,
        ended = node.ended() => Some(ended),
    };
    // Both at once: together they have the time that one has.
    let (stopped, closed) = tokio::join!(
        node.stop(),
        tokio::time::timeout(limits::SHUTDOWN, &mut listeners)
    );
    if !matches!(closed, Ok(Ok(()))) {
        listeners.abort();
        warn!(event = "listeners_cut", "the listeners were cut off");
    }
    match ended {
        Some(Ended::Failed(cause)) => {
            error!(event = "node_failed", %cause, "stopped");
            Err(cause.into())
        }
        Some(Ended::Stopped) | None => stopped,
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node")
            .field("me", &self.services.me.name)
            .finish_non_exhaustive()
    }
}

impl Node {
    /// Recovers from the disk and starts every part. Must be called inside a multi-threaded runtime.
    pub fn start(config: Config) -> Result<Self, NodeError> {
        let clock = Clock::start();
        let lock = Lock::take(&config.home)?;
        let base = Foundation::read(&config)?;
        ports::check(&config)?;
        let recovered = Recovered::from_disk(&config, &base, clock)?;
        let (stop, stopped) = watch::channel(false);
        let roster = Roster::new(base.genesis.members().len());
        let shared = Shared {
            base,
            clock,
            metrics: Metrics::new(1),
            roster,
            stopped,
        };
        let ledger = recovered.started.ledger.clone();
        let submitter = recovered.submitter.clone();
        let executor = recovered.started.executor.clone();
        let (status, driver, executor_thread) = shared.start(&config, recovered)?;
        let Shared { base, metrics, .. } = shared;
        let services = Services {
            ledger,
            submitter,
            status,
            keys: base.keys,
            clock,
            config: Arc::new(config),
            metrics,
            me: base.me,
            index: base.index,
            committee: base.committee,
            genesis: base.genesis,
        };
        Ok(Self {
            services,
            stop,
            driver: Some(driver),
            executor,
            executor_thread,
            lock,
        })
    }

    /// What listeners work with.
    pub const fn services(&self) -> &Services {
        &self.services
    }

    /// Waits until the driver ends, because it was told to or cannot go on.
    pub async fn ended(&mut self) -> Ended {
        match self.driver.as_mut() {
            Some(driver) => {
                let ended = driver.await;
                self.driver = None;
                ended.unwrap_or(Ended::Failed(HostError::Broken))
            }
            None => Ended::Stopped,
        }
    }

    /// Stops voting, makes everything durable, and lets go of the home.
    pub async fn stop(mut self) -> Result<(), NodeError> {
        self.stop.send_replace(true);
        let stopping = async {
            let ended = self.ended().await;
            let executor = self.executor.clone();
            // On a thread that may wait: the executor's queue can be full.
            let told = tokio::task::spawn_blocking(move || executor.stop()).await;
            if !matches!(told, Ok(Ok(()))) {
                debug!("the executor had ended");
            }
            while !self.executor_thread.is_finished() {
                tokio::time::sleep(STOP_POLL).await;
            }
            ended
        };
        let ended = tokio::time::timeout(limits::SHUTDOWN, stopping).await;
        drop(self.lock);
        match ended {
            Ok(Ended::Stopped) => {
                info!(event = "stopped", "stopped in order");
                Ok(())
            }
            Ok(Ended::Failed(cause)) => Err(cause.into()),
            Err(_elapsed) => Err(NodeError::StopTimeout),
        }
    }
}

/// How often a stopping node looks whether its executor's thread has ended.
const STOP_POLL: Duration = Duration::from_millis(5);

/// The status, the end of the driver, and the executor's thread.
type Running = (
    watch::Receiver<NodeStatus>,
    oneshot::Receiver<Ended>,
    JoinHandle<()>,
);

impl Shared {
    /// Starts network, sync and driver over what was recovered.
    fn start(&self, config: &Config, recovered: Recovered) -> Result<Running, NodeError> {
        let (events, inbox) = mpsc::channel(limits::DRIVER_INPUTS);
        let network = self.connect(config, &recovered, events.clone())?;
        tokio::spawn(distribute(network.clone(), recovered.outgoing));
        let (fetcher, wishes) = Fetcher::new();
        let source = sync::Source {
            network: network.clone(),
            committee: self.base.committee.clone(),
            members: MemberIndex::try_from(self.base.genesis.members().len())
                .unwrap_or(MemberIndex::MAX),
            me: self.base.index,
            events,
        };
        tokio::spawn(sync::run(source.clone(), wishes, self.stopped.clone()));
        let host = Host::new(host::Parts {
            log: recovered.log,
            network,
            executor: recovered.started.executor,
            pool: recovered.pool.clone(),
            fetcher,
            source,
            roster: self.roster.clone(),
            clock: self.clock,
            metrics: self.metrics.clone(),
        });
        let (publisher, status) = Publisher::new(
            Arc::clone(&self.base.genesis),
            self.base.index,
            self.roster.clone(),
            self.clock,
            self.metrics.clone(),
        );
        let driver = Driver::new(
            recovered.replica,
            host,
            recovered.pool,
            self.clock,
            publisher,
        );
        let channels = driver::Channels {
            events: inbox,
            replies: recovered.replies,
            stop: self.stopped.clone(),
        };
        let ended = spawn(driver, recovered.effects, channels)?;
        Ok((status, ended, recovered.started.thread))
    }

    /// Starts the network over the edge.
    fn connect(
        &self,
        config: &Config,
        recovered: &Recovered,
        events: mpsc::Sender<Event>,
    ) -> Result<Network, NodeError> {
        let edge = Edge::new(edge::Parts {
            committee: self.base.committee.clone(),
            genesis: Arc::clone(&self.base.genesis),
            pool: recovered.submitter.clone(),
            ledger: recovered.started.ledger.clone(),
            events,
            roster: self.roster.clone(),
            clock: self.clock,
            metrics: self.metrics.clone(),
        });
        let settings = network::Settings {
            members: self.base.peers()?,
            me: self.base.index,
            seed: Zeroizing::new(*self.base.keys.network_seed()),
            listen: config.p2p_listen,
            chain_prefix: self.base.chain_prefix(),
            clock: self.clock,
            metrics: self.metrics.clone(),
        };
        Ok(Network::start(settings, edge, self.stopped.clone())?)
    }
}

/// Sends what is submitted here to all other members.
async fn distribute(network: Network, mut outgoing: mpsc::Receiver<Arc<[u8]>>) {
    while let Some(transaction) = outgoing.recv().await {
        network.broadcast(&Frame::new(Kind::Transaction, transaction));
    }
}

/// Gives the driver a thread and a runtime of its own.
fn spawn(
    driver: Driver,
    first: Effects,
    channels: driver::Channels,
) -> Result<oneshot::Receiver<Ended>, NodeError> {
    let (tell, ended) = oneshot::channel();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .map_err(NodeError::Thread)?;
    std::thread::Builder::new()
        .name("driver".to_owned())
        .spawn(move || {
            let end = runtime.block_on(driver.run(first, channels));
            if tell.send(end).is_err() {
                info!("nobody waited for the driver to end");
            }
        })
        .map_err(NodeError::Thread)?;
    Ok(ended)
}
