//! How much may wait, and what may wait at all: the rules of the running epoch.

use contract::batch::{BATCH_ENTRY_BYTES, BATCH_FRAME_BYTES};
use contract::{ChainId, Genesis, Invalid, Malformed, Parameters, SignedTransaction};

/// An author may have one of this many parts of the pool.
const SHARES: usize = 4;

/// The limits of a pool. The members may change them from one epoch to the next.
#[derive(Debug)]
pub(in crate::mempool) struct Limits {
    chain: ChainId,
    rules: Parameters,
}

/// Bytes and number of transactions.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Load {
    pub(super) bytes: usize,
    pub(super) transactions: usize,
}

impl Limits {
    /// The limits with which a ledger begins.
    pub(in crate::mempool) fn of(genesis: &Genesis) -> Self {
        Self {
            chain: *genesis.chain(),
            rules: genesis.parameters().clone(),
        }
    }

    /// The limits of another epoch.
    pub(super) fn replace(&mut self, rules: &Parameters) {
        self.rules = rules.clone();
    }

    /// Whether a transaction could be in a batch of this epoch, as far as its form goes.
    pub(super) fn allow(&self, transaction: &SignedTransaction) -> Result<(), Invalid> {
        transaction.check_form(&self.chain, &self.rules)?;
        let length = transaction.as_bytes().len();
        let around = BATCH_FRAME_BYTES.saturating_add(BATCH_ENTRY_BYTES);
        let limit = self.batch_bytes().saturating_sub(around);
        if length > limit {
            return Err(Malformed::TooLong { length, limit }.into());
        }
        Ok(())
    }

    /// What the whole pool may hold.
    pub(super) fn pool(&self) -> Load {
        Load {
            bytes: size(self.rules.pool_bytes_max),
            transactions: size(self.rules.pool_transactions_max),
        }
    }

    /// What one author may have in it.
    pub(super) fn share(&self) -> Load {
        let Load {
            bytes,
            transactions,
        } = self.pool();
        Load {
            bytes: bytes / SHARES,
            transactions: transactions / SHARES,
        }
    }

    /// Longest batch.
    pub(super) fn batch_bytes(&self) -> usize {
        size(self.rules.batch_bytes_max)
    }

    /// Most results in one batch.
    pub(super) fn batch_results(&self) -> usize {
        size(self.rules.batch_results_max)
    }

    /// How far ahead a transaction may be valid.
    pub(super) const fn window_ms(&self) -> u64 {
        self.rules.replay_window_ms
    }

    /// How long after its time a transaction may still be in a batch that is under way.
    pub(super) const fn grace_ms(&self) -> u64 {
        self.rules.batch_past_ms
    }
}

/// A parameter as a size in memory.
fn size(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

impl Load {
    /// Nothing.
    pub(super) const NONE: Self = Self {
        bytes: 0,
        transactions: 0,
    };

    pub(super) const fn with(self, bytes: usize) -> Self {
        Self {
            bytes: self.bytes.saturating_add(bytes),
            transactions: self.transactions.saturating_add(1),
        }
    }

    pub(super) const fn without(self, bytes: usize) -> Self {
        Self {
            bytes: self.bytes.saturating_sub(bytes),
            transactions: self.transactions.saturating_sub(1),
        }
    }

    /// Whether another load is more than this one allows.
    pub(super) const fn is_exceeded_by(self, other: Self) -> bool {
        other.bytes > self.bytes || other.transactions > self.transactions
    }
}
