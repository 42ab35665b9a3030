//! What serves patients beside the listeners: the keys of sign-ins, and their results on the way to the ledger.

use std::sync::Arc;

use tokio::{sync::watch, task::JoinHandle};

use super::{NodeError, Shared};
use crate::{
    clerk::Clerk,
    collector::{self, Collector},
    config::Config,
    epochs::{Epochs, Keeper},
    ledger::Ledger,
    mempool::Submitter,
    outbox::Outbox,
    reports::{Reporter, Reports},
};

/// The parts, opened and not running yet.
pub(super) struct Serving {
    epochs: Epochs,
    keeper: Keeper,
    collector: Collector,
    worker: collector::Worker,
    outbox: Outbox,
    reports: Reports,
    reporter: Option<Reporter>,
}

/// What the listeners use of it.
pub(super) type Handles = (Epochs, Collector, Outbox, Reports);

impl Serving {
    /// Opens the files of a home.
    pub(super) fn open(
        shared: &Shared,
        config: &Config,
        (ledger, submitter): (&Ledger, &Submitter),
    ) -> Result<Self, NodeError> {
        let clerk = Clerk {
            ledger: ledger.clone(),
            submitter: submitter.clone(),
            keys: Arc::clone(&shared.base.keys),
            clock: shared.clock,
        };
        let epochs = Epochs::none(*shared.base.genesis.chain(), shared.server_id());
        let keeper = Keeper::open(
            &config.home,
            clerk.clone(),
            epochs.clone(),
            config.key_epoch,
        )?;
        let outbox = Outbox::open(&config.home)?;
        let (collector, worker) =
            Collector::new(clerk.clone(), outbox.clone(), shared.term.clone());
        let (reports, reporter) = if config.report_refusals {
            let (reports, reporter) = Reports::on(clerk, shared.term.clone());
            (reports, Some(reporter))
        } else {
            (Reports::off(), None)
        };
        Ok(Self {
            epochs,
            keeper,
            collector,
            worker,
            outbox,
            reports,
            reporter,
        })
    }

    /// What the listeners use of them.
    pub(super) fn handles(&self) -> Handles {
        (
            self.epochs.clone(),
            self.collector.clone(),
            self.outbox.clone(),
            self.reports.clone(),
        )
    }

    /// Runs them until the node stops.
    pub(super) fn start(self, stopped: &watch::Receiver<bool>) -> Vec<JoinHandle<()>> {
        let mut tasks = vec![
            tokio::spawn(self.keeper.run(stopped.clone())),
            tokio::spawn(self.worker.run(stopped.clone())),
        ];
        if let Some(reporter) = self.reporter {
            tasks.push(tokio::spawn(reporter.run(stopped.clone())));
        }
        tasks
    }
}

impl Shared {
    /// This member's id on the ledger, which outlives its keys.
    fn server_id(&self) -> contract::ServerId {
        let term = self.term.borrow();
        let key = self.base.me.key;
        let mut members = term.members.iter();
        let known = members.find(|record| record.member.key == key);
        known.map_or_else(|| self.base.me.server_id(), |record| record.server_id)
    }
}
