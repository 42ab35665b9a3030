//! What a running node offers to its listeners: snapshots to read from, one way to submit, and who it is.

use std::sync::Arc;

use consensus::Committee;
use contract::{Genesis, Member, ServerId};
use tokio::sync::watch;

use crate::{
    clock::Clock, config::Config, keys::Keys, ledger::Ledger, mempool::Submitter, metrics::Metrics,
    network::MemberIndex, status::NodeStatus,
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
    /// This member.
    pub me: Member,
    /// This member's place in genesis order.
    pub index: MemberIndex,
    /// Whose certificates count.
    pub committee: Committee,
    /// The genesis file.
    pub genesis: Arc<Genesis>,
}

impl Services {
    /// This member's id on the ledger.
    pub fn server_id(&self) -> ServerId {
        self.me.server_id()
    }
}
