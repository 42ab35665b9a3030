//! The signatures of one epoch that this node has checked: its tasks share them, so that none checks one again.

use std::sync::{Mutex, PoisonError};

use consensus::{Memory, ReplicaId, Signature, Statement, Verdicts};

/// What all tasks of a node have found valid in one epoch.
#[derive(Debug, Default)]
pub(crate) struct Shared(Mutex<Verdicts>);

impl Memory for Shared {
    fn knows(
        &self,
        member: ReplicaId,
        stated: &[u8; Statement::LENGTH],
        signature: &Signature,
    ) -> bool {
        let verdicts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        verdicts.contains(member, stated, signature)
    }

    fn learn(&self, member: ReplicaId, stated: &[u8; Statement::LENGTH], signature: &Signature) {
        let mut verdicts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        verdicts.insert(member, stated, signature);
    }
}
