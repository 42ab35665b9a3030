//! Wires the parts, in the order in which they recover, and stops them in the order in which they depend on each other.

mod foundation;
mod joining;
mod lock;
mod ports;
mod recovery;
mod serving;
mod wiring;

use std::{
    fmt,
    path::PathBuf,
    pin::{Pin, pin},
    sync::Arc,
    thread::JoinHandle,
    time::Duration,
};

use consensus::{RecoverError, Seq};
use contract::{GenesisError, Member, genesis::PROTOCOL_VERSION};
use tokio::sync::{oneshot, watch};
use tracing::{debug, error, info, warn};

use crate::{
    checkpoints::Checkpoints,
    clock::Clock,
    config::Config,
    control::{self, Control},
    driver::Ended,
    epochs::EpochsError,
    executor::{Executor, ExecutorError, Gone},
    host::HostError,
    http::{self, HttpError},
    keys::{
        KeyError,
        rotation::{self, RotationError},
    },
    limits,
    metrics::Metrics,
    network::{NetworkError, Voice, address::BadAddress},
    outbox::OutboxError,
    renewal::Renewal,
    roster::Roster,
    services::Services,
    snapshot::install,
    store::StoreError,
    term::{TermError, Terms},
    votelog::VoteLogError,
};

use foundation::Foundation;
use recovery::Recovered;
use serving::Serving;

pub use foundation::MEMBER_FILE;
pub use lock::{Lock, LockError, is_held};
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
    /// The file that says who a newcomer is cannot be read.
    #[error("cannot read {}: {cause}", path.display())]
    NoMember {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        cause: std::io::Error,
    },
    /// It says nothing of the kind.
    #[error("{} does not describe a member: {cause}", path.display())]
    BadMember {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        cause: serde_json::Error,
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
    /// A renewed key cannot be put in the place of the old one.
    #[error(transparent)]
    Rotation(#[from] RotationError),
    /// The ledger's account of its epoch cannot be used.
    #[error(transparent)]
    Term(#[from] TermError),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
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
    /// The keys of sign-ins cannot be kept.
    #[error(transparent)]
    Epochs(#[from] EpochsError),
    /// Accepted sign-ins cannot be kept.
    #[error(transparent)]
    Outbox(#[from] OutboxError),
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
    again: watch::Receiver<bool>,
    executor: Executor,
    executor_thread: JoinHandle<()>,
    renewal: Renewal,
    /// What serves patients beside the listeners.
    serving: Vec<tokio::task::JoinHandle<()>>,
    lock: Lock,
}

/// What all parts of a starting node share.
struct Shared {
    base: Foundation,
    clock: Clock,
    metrics: Metrics,
    roster: Roster,
    checkpoints: Checkpoints,
    term: Terms,
    stopped: watch::Receiver<bool>,
    variant: Variant,
    again: watch::Sender<bool>,
}

/// How a node differs from the product's: in nothing, but for a member of a test.
#[derive(Clone)]
pub struct Variant {
    /// Speaks in its place.
    pub voice: Option<Arc<dyn Voice>>,
    /// The newest version of the ledger's rules that it knows.
    pub rules: u64,
}

impl Default for Variant {
    fn default() -> Self {
        Self {
            voice: None,
            rules: PROTOCOL_VERSION,
        }
    }
}

impl fmt::Debug for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Variant")
            .field("voice", &self.voice.is_some())
            .field("rules", &self.rules)
            .finish()
    }
}

/// Runs a node until `shutdown` comes, or until it cannot go on. One that falls too far behind
/// starts again with a snapshot of the others, one whose key was renewed with the new key.
pub async fn run(config: Config, shutdown: impl Future<Output = ()>) -> Result<(), NodeError> {
    run_variant(config, Variant::default(), shutdown).await
}

/// The same for a member of a test that differs from the product's nodes.
pub async fn run_variant(
    config: Config,
    variant: Variant,
    shutdown: impl Future<Output = ()>,
) -> Result<(), NodeError> {
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            joined = joining::join(&config) => joined?,
            () = &mut shutdown => return Ok(()),
        }
        if !once(config.clone(), variant.clone(), shutdown.as_mut()).await? {
            return Ok(());
        }
    }
}

/// Runs a node from start to stop; tells whether it is to start again.
async fn once(
    config: Config,
    variant: Variant,
    shutdown: Pin<&mut impl Future<Output = ()>>,
) -> Result<bool, NodeError> {
    let mut node = Node::start_variant(config, variant)?;
    let mut listeners = match http::bind(node.services.clone(), node.stop.subscribe()).await {
        Ok(bound) => tokio::spawn(bound.serve()),
        Err(cause) => {
            node.stop().await?;
            return Err(cause.into());
        }
    };
    let mut begin_again = node.again.clone();
    let ended = tokio::select! {
        () = shutdown => None,
        _ = begin_again.wait_for(|again| *again) => None,
        ended = node.ended() => Some(ended),
    };
    let again = *begin_again.borrow();
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
        Some(Ended::Stopped) | None => stopped.map(|()| again),
    }
}

/// Who the node of a home is, if its genesis file and its keys fit together.
pub fn identify(config: &Config) -> Result<Member, NodeError> {
    Foundation::read(config).map(|base| base.me)
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
        Self::start_variant(config, Variant::default())
    }

    /// The same for a member of a test that differs from the product's nodes.
    #[expect(
        clippy::too_many_lines,
        reason = "the parts of a node in the order in which they start"
    )]
    pub fn start_variant(config: Config, variant: Variant) -> Result<Self, NodeError> {
        let clock = Clock::start();
        let lock = Lock::take(&config.home)?;
        rotation::finish(&config.home)?;
        let base = Foundation::read(&config)?;
        install::settle(&config.home).map_err(ExecutorError::from)?;
        ports::check(&config)?;
        let recovered = Recovered::from_disk(&config, &base, clock, variant.rules)?;
        let (stop, stopped) = watch::channel(false);
        let (terms, term) = watch::channel(Arc::new(recovered.term.clone()));
        let (again, to_begin_again) = watch::channel(false);
        let newest = Seq::new(recovered.started.ledger.certified().height.get());
        let shared = Shared {
            base,
            clock,
            metrics: Metrics::new(u16::try_from(variant.rules).unwrap_or(u16::MAX)),
            roster: Roster::default(),
            checkpoints: Checkpoints::open(&config.home, clock, newest),
            term,
            stopped,
            variant,
            again,
        };
        let ledger = recovered.started.ledger.clone();
        let submitter = recovered.submitter.clone();
        let executor = recovered.started.executor.clone();
        let serving = Serving::open(&shared, &config, (&ledger, &submitter))?;
        let (status, driver, executor_thread) = shared.start(&config, recovered, terms)?;
        let renewal = shared.renew(&config, &ledger, &submitter);
        let (epochs, collector, outbox, reports) = serving.handles();
        let serving = serving.start(&shared.stopped);
        let Shared {
            base,
            metrics,
            checkpoints,
            term,
            ..
        } = shared;
        let control = Control {
            home: config.home.clone(),
            ledger: ledger.clone(),
            genesis: config.genesis_path(),
            keys: Arc::clone(&base.keys),
        };
        tokio::spawn(control::serve(control, stop.subscribe()));
        let services = Services {
            ledger,
            submitter,
            status,
            keys: base.keys,
            clock,
            config: Arc::new(config),
            metrics,
            checkpoints,
            me: base.me,
            term,
            genesis: base.genesis,
            epochs,
            collector,
            outbox,
            reports,
        };
        Ok(Self {
            services,
            stop,
            driver: Some(driver),
            again: to_begin_again,
            executor,
            executor_thread,
            renewal,
            serving,
            lock,
        })
    }

    /// What listeners work with.
    pub const fn services(&self) -> &Services {
        &self.services
    }

    /// Takes a snapshot of the other members into the home, if the node that ran there last asked
    /// for one. [`run`] does this before each start.
    pub async fn join(config: &Config) -> Result<(), NodeError> {
        joining::join(config).await
    }

    /// Turns true when this node is to be stopped, and started again behind [`Self::join`]: it is too far behind for
    /// blocks, or the ledger has given it the key that waits in its home.
    pub fn again(&self) -> watch::Receiver<bool> {
        self.again.clone()
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
            // They let go of their files, which the next start opens.
            for task in self.serving.drain(..) {
                if let Err(cause) = task.await {
                    debug!(%cause, "a task did not end in order");
                }
            }
            ended
        };
        let ended = tokio::time::timeout(limits::SHUTDOWN, stopping).await;
        if matches!(ended, Ok(Ended::Stopped)) {
            // The certificate of the old key's last block is durable now, in the ledger.
            self.renewal.settle()?;
        }
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
