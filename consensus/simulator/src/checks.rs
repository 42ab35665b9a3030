//! What a node remembers of the signatures that it has checked, and how many that were.

use core::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use consensus::{Memory, ReplicaId, Signature, Statement, Verdicts};

/// The memory of one node in one epoch.
#[derive(Debug, Default)]
pub struct Checks {
    verdicts: Mutex<Verdicts>,
    /// How often a signature was not known.
    checked: AtomicU32,
    /// How often one was.
    recalled: AtomicU32,
}

impl Checks {
    /// How many signatures were checked so far, and how many needed no check.
    pub fn counts(&self) -> (u32, u32) {
        let count = |counter: &AtomicU32| counter.load(Ordering::Relaxed);
        (count(&self.checked), count(&self.recalled))
    }
}

impl Memory for Checks {
    fn knows(
        &self,
        member: ReplicaId,
        stated: &[u8; Statement::LENGTH],
        signature: &Signature,
    ) -> bool {
        let verdicts = self.verdicts.lock().unwrap_or_else(PoisonError::into_inner);
        let known = verdicts.contains(member, stated, signature);
        let counter = if known { &self.recalled } else { &self.checked };
        counter.fetch_add(1, Ordering::Relaxed);
        known
    }

    fn learn(&self, member: ReplicaId, stated: &[u8; Statement::LENGTH], signature: &Signature) {
        let mut verdicts = self.verdicts.lock().unwrap_or_else(PoisonError::into_inner);
        verdicts.insert(member, stated, signature);
    }
}
