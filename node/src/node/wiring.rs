//! Starts the parts over what was recovered, each with the handles of those it works with.

use std::{sync::Arc, thread::JoinHandle};

use consensus::Effects;
use tokio::sync::{mpsc, oneshot, watch};
use tracing::info;
use zeroize::Zeroizing;

use super::{NodeError, Shared, recovery::Recovered};
use crate::{
    accuser::{Accuser, Clerk},
    admission,
    build::Build,
    config::Config,
    driver::{
        self, Claims, Driver, Ended, Event, Publisher,
        succession::{self, Succession},
    },
    edge::{self, Edge},
    host::{self, Host},
    ledger::Ledger,
    limits,
    mempool::Submitter,
    network::{
        self, Network,
        frame::{Frame, Kind},
    },
    petition::Petitioner,
    renewal::{Renewal, Renewer},
    snapshot::{decide::Decider, inventory::Inventory},
    status::NodeStatus,
    sync::{self, Fetcher},
    term::Term,
};

/// The status, the end of the driver, and the executor's thread.
type Running = (
    watch::Receiver<NodeStatus>,
    oneshot::Receiver<Ended>,
    JoinHandle<()>,
);

impl Shared {
    /// Starts network, sync and driver over what was recovered.
    pub(super) fn start(
        &self,
        config: &Config,
        recovered: Recovered,
        terms: watch::Sender<Arc<Term>>,
    ) -> Result<Running, NodeError> {
        let (events, inbox) = mpsc::channel(limits::DRIVER_INPUTS);
        let network = self.connect(config, &recovered, events.clone())?;
        let ledger = recovered.started.ledger.clone();
        let term = Arc::new(recovered.term.seated(&network));
        terms.send_replace(Arc::clone(&term));
        tokio::spawn(distribute(network.clone(), recovered.outgoing));
        self.look_after(config, &ledger, &network);
        let (fetcher, wishes) = Fetcher::new();
        let source = sync::Source {
            network: network.clone(),
            terms: self.term.clone(),
            events,
            decider: self.decider(config),
        };
        tokio::spawn(sync::run(source.clone(), wishes, self.stopped.clone()));
        let host = Host::new(host::Parts {
            log: recovered.log,
            network: network.clone(),
            executor: recovered.started.executor,
            pool: recovered.pool.clone(),
            fetcher,
            source,
            accuser: self.accuser(recovered.submitter.clone()),
            checkpoints: self.checkpoints.clone(),
            term: Arc::clone(&term),
            roster: self.roster.clone(),
            clock: self.clock,
            metrics: self.metrics.clone(),
        });
        let (publisher, status) = self.publisher();
        let claims = Claims::default();
        let heritage = succession::Parts {
            ledger: ledger.clone(),
            network: network.clone(),
            keys: Arc::clone(&self.base.keys),
            home: config.home.clone(),
            rules: self.variant.rules,
            claims: claims.clone(),
            terms,
        };
        let petitioner = Petitioner {
            ledger,
            submitter: recovered.submitter,
            network,
            keys: Arc::clone(&self.base.keys),
            me: self.base.me.clone(),
            clock: self.clock,
            roster: self.roster.clone(),
            terms: self.term.clone(),
            status: status.clone(),
            claims,
        };
        tokio::spawn(petitioner.run(self.stopped.clone()));
        let parts = driver::Parts {
            host,
            pool: recovered.pool,
            clock: self.clock,
            publisher,
            succession: Succession::new(heritage, term.epoch(), &recovered.records),
        };
        let driver = Driver::new(recovered.replica, parts);
        let channels = driver::Channels {
            events: inbox,
            replies: recovered.replies,
            stop: self.stopped.clone(),
        };
        let ended = spawn(driver, recovered.effects, channels)?;
        Ok((status, ended, recovered.started.thread))
    }

    /// Begins to look after a key that waits in the home, and tells whose.
    pub(super) fn renew(&self, config: &Config, ledger: &Ledger, submitter: &Submitter) -> Renewal {
        let renewal = Renewal {
            ledger: ledger.clone(),
            home: config.home.clone(),
            name: self.base.me.name.clone(),
        };
        let renewer = Renewer {
            renewal: renewal.clone(),
            submitter: submitter.clone(),
            clock: self.clock,
            again: self.again.clone(),
        };
        tokio::spawn(renewer.run(self.stopped.clone()));
        renewal
    }

    /// Starts what follows the ledger and the other members beside consensus.
    fn look_after(&self, config: &Config, ledger: &Ledger, network: &Network) {
        let doors = admission::run(ledger.clone(), network.clone(), self.stopped.clone());
        tokio::spawn(doors);
        tokio::spawn(self.inventory(config, network));
        tokio::spawn(self.checkpoints.clone().keep(self.stopped.clone()));
    }

    /// Who decides between blocks and a snapshot.
    fn decider(&self, config: &Config) -> Decider {
        Decider {
            home: config.home.clone(),
            genesis: Arc::clone(&self.base.genesis),
            retain: config.retain,
            stop: self.again.clone(),
        }
    }

    /// Who tells the ledger of contradictions.
    fn accuser(&self, submitter: Submitter) -> Accuser {
        let clerk = Clerk {
            submitter,
            keys: Arc::clone(&self.base.keys),
            clock: self.clock,
            terms: self.term.clone(),
            chain: *self.base.genesis.chain(),
        };
        clerk.start(self.stopped.clone())
    }

    /// What looks after what is kept, here and at the others.
    fn inventory(&self, config: &Config, network: &Network) -> impl Future<Output = ()> + use<> {
        let inventory = Inventory {
            network: network.clone(),
            home: config.home.clone(),
            roster: self.roster.clone(),
            metrics: self.metrics.clone(),
        };
        inventory.run(self.stopped.clone())
    }

    /// Who publishes the status, and where.
    fn publisher(&self) -> (Publisher, watch::Receiver<NodeStatus>) {
        Publisher::new(
            (self.base.me.clone(), Build::own(self.variant.rules)),
            self.term.clone(),
            self.roster.clone(),
            self.clock,
            self.metrics.clone(),
        )
    }

    /// Starts the network over the edge.
    fn connect(
        &self,
        config: &Config,
        recovered: &Recovered,
        events: mpsc::Sender<Event>,
    ) -> Result<Network, NodeError> {
        let edge = Edge::new(edge::Parts {
            terms: self.term.clone(),
            genesis: Arc::clone(&self.base.genesis),
            pool: recovered.submitter.clone(),
            ledger: recovered.started.ledger.clone(),
            events,
            roster: self.roster.clone(),
            checkpoints: self.checkpoints.clone(),
            clock: self.clock,
            metrics: self.metrics.clone(),
            build: Build::own(self.variant.rules),
        });
        let (members, me) = self.base.peers()?;
        let settings = network::Settings {
            members,
            me,
            seed: Zeroizing::new(*self.base.keys.network_seed()),
            listen: config.p2p_listen,
            chain_prefix: self.base.chain_prefix(),
            clock: self.clock,
            metrics: self.metrics.clone(),
            voice: self.variant.voice.clone(),
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
