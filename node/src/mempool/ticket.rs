//! Waiting for a transaction: a ticket, and why there may be none.

use std::time::Duration;

use contract::{BlockTime, Height, Invalid, Malformed, Outcome, TransactionHash};
use tokio::sync::oneshot;

/// A transaction whose block is certified at this node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// The transaction.
    pub hash: TransactionHash,
    /// Its block.
    pub height: Height,
    /// Its position there.
    pub index: u32,
    /// What became of it.
    pub outcome: Outcome,
}

/// Why a wait ended without a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unsettled {
    /// Time is up; the transaction may still be ordered.
    #[error("the transaction is still on its way to the ledger")]
    StillPending,
    /// It was valid for too short a time, or a new epoch's limits forbid it; it will not be ordered any more.
    #[error("the transaction expired before it was ordered, or the members have lowered a limit")]
    Expired,
}

/// The right to hear what becomes of a transaction.
#[derive(Debug)]
pub struct Ticket {
    pub(super) hash: TransactionHash,
    pub(super) settled: oneshot::Receiver<Committed>,
}

impl Ticket {
    /// The transaction.
    pub const fn hash(&self) -> &TransactionHash {
        &self.hash
    }

    /// Waits until the certificate of the transaction's block is stored here.
    pub async fn wait(self, longest: Duration) -> Result<Committed, Unsettled> {
        match tokio::time::timeout(longest, self.settled).await {
            Ok(Ok(committed)) => Ok(committed),
            Ok(Err(_dropped)) => Err(Unsettled::Expired),
            Err(_elapsed) => Err(Unsettled::StillPending),
        }
    }
}

/// Why a transaction is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// The bytes are no transaction.
    #[error("not a transaction: {0}")]
    Malformed(#[from] Malformed),
    /// It can never be on this ledger.
    #[error("the transaction is not acceptable: {0}")]
    Invalid(Invalid),
    /// Its time is over by this node's clock.
    #[error("the transaction expired {late_ms} ms ago by this node's clock")]
    Expired {
        /// For how long.
        late_ms: u64,
    },
    /// It is valid for longer than the ledger allows, by this node's clock.
    #[error("the transaction is valid until {valid_until}, longer than the ledger allows")]
    TooFarAhead {
        /// Until when.
        valid_until: BlockTime,
    },
    /// It is on the ledger.
    #[error("the transaction is on the ledger already, in block {height}")]
    AlreadyKnown {
        /// The block.
        height: Height,
        /// Its position there.
        index: u32,
    },
    /// Its author has too much waiting.
    #[error("this author has as much waiting as one may; try again in {retry_after_ms} ms")]
    OverShare {
        /// When to try again.
        retry_after_ms: u64,
    },
    /// Too much is waiting.
    #[error("too much is waiting at this node; try again in {retry_after_ms} ms")]
    Full {
        /// When to try again.
        retry_after_ms: u64,
    },
    /// The node is stopping.
    #[error("this node is stopping")]
    Stopping,
}
