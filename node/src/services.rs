//! What a running node offers to its listeners: snapshots to read from, one way to submit, and who it is.

use std::sync::Arc;

use contract::{Genesis, Member, ServerId};
use tokio::sync::watch;

use crate::{
    checkpoints::Checkpoints, clock::Clock, collector::Collector, config::Config, epochs::Epochs,
    keys::Keys, ledger::Ledger, mempool::Submitter, metrics::Metrics, outbox::Outbox,
    reports::Reports, status::NodeStatus, term::Terms,
};

/// Handles for readers; cloning shares them.
#[derive(Clone, Debug)]
pub struct Services {
    /// Certified blocks and the state after the newest one.
    pub ledger: Ledger,
    /// Takes transactions.
    pub submitter: Submitter,
    /// What the node says of itself.
    pub status: watch::Receiver<NodeStatus>,
    /// This member's keys.
    pub keys: Arc<Keys>,
    /// The clocks.
    pub clock: Clock,
    /// The settings.
    pub config: Arc<Config>,
    /// The numbers.
    pub metrics: Metrics,
    /// Which members signed different results of one block.
    pub checkpoints: Checkpoints,
    /// This member.
    pub me: Member,
    /// The running epoch: who votes, by which rules.
    pub term: Terms,
    /// The genesis file.
    pub genesis: Arc<Genesis>,
    /// The keys that sign-ins are answered with.
    pub epochs: Epochs,
    /// Takes results of sign-ins to the ledger.
    pub collector: Collector,
    /// Accepted sign-ins that are not known to be there.
    pub outbox: Outbox,
    /// Takes refusals that the ledger is told of.
    pub reports: Reports,
}

impl Services {
    /// This member's id on the ledger, which outlives its keys.
    pub fn server_id(&self) -> ServerId {
        let term = self.term.borrow();
        let mut members = term.members.iter();
        let known = members.find(|record| record.member.key == self.me.key);
        known.map_or_else(|| self.me.server_id(), |record| record.server_id)
    }
}
