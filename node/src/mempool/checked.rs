//! Batches that passed the vote-time check, until they are executed: not read a second time.

use std::collections::{BTreeMap, VecDeque};

use contract::{CheckedBatch, Root, SignedTransaction};

use crate::limits;

/// The newest checked batches by their digests, within [`limits::CHECKED_BATCHES`] octets.
#[derive(Debug, Default)]
pub(super) struct Checked {
    batches: BTreeMap<Root, CheckedBatch>,
    order: VecDeque<Root>,
    octets: usize,
}

impl Checked {
    /// Keeps a batch; the oldest ones go when there are too many octets.
    pub(super) fn keep(&mut self, batch: CheckedBatch) {
        let digest = *batch.digest();
        let octets = octets(&batch);
        if self.batches.insert(digest, batch).is_none() {
            self.order.push_back(digest);
            self.octets = self.octets.saturating_add(octets);
        }
        while self.octets > limits::CHECKED_BATCHES
            && let Some(oldest) = self.order.front().copied()
        {
            drop(self.take(&oldest));
        }
    }

    /// A batch that is kept.
    pub(super) fn get(&self, digest: &Root) -> Option<&CheckedBatch> {
        self.batches.get(digest)
    }

    /// Gives a batch away.
    pub(super) fn take(&mut self, digest: &Root) -> Option<CheckedBatch> {
        let batch = self.batches.remove(digest)?;
        self.order.retain(|kept| kept != digest);
        self.octets = self.octets.saturating_sub(octets(&batch));
        Some(batch)
    }
}

/// The octets of a batch's transactions.
fn octets(batch: &CheckedBatch) -> usize {
    let lengths = batch.transactions().iter().map(SignedTransaction::as_bytes);
    lengths.fold(0, |sum, bytes| sum.saturating_add(bytes.len()))
}

#[cfg(test)]
mod tests {
    use contract::{Author, BlockTime, Call, ChainId, ServerId, Transaction};
    use ed25519_dalek::SigningKey;

    use super::*;

    fn batch(time: u64, results: usize) -> CheckedBatch {
        let result = contract::LegacyResult {
            suite: contract::SuiteId::WU_2021,
            server_id: ServerId::new([1; 32]),
            aid: contract::Aid::new([2; 32]),
            t1: BlockTime::new(1),
            t3: BlockTime::new(2),
            sid: contract::SessionId::new([3; 32]),
        };
        let transaction = Transaction::new(
            ChainId::new([7; 32]),
            Author::Member(ServerId::new([1; 32])),
            BlockTime::new(9),
            time.to_le_bytes(),
            Call::LegacyResults(vec![result; results]),
        );
        let signed = transaction.sign(&SigningKey::from_bytes(&[4; 32]));
        CheckedBatch::assemble(BlockTime::new(time), vec![signed]).0
    }

    #[test]
    fn a_batch_is_given_away_once() {
        let mut checked = Checked::default();
        let one = batch(1, 1);
        checked.keep(one.clone());
        checked.keep(one.clone());

        assert_eq!(checked.take(batch(2, 1).digest()), None);
        assert_eq!(checked.take(one.digest()), Some(one.clone()));
        assert_eq!(checked.take(one.digest()), None);
        assert_eq!((checked.octets, checked.order.len()), (0, 0));
    }

    #[test]
    fn the_oldest_batches_go_when_there_are_too_many_octets() {
        let mut checked = Checked::default();
        let size = octets(&batch(0, 4_000));
        let fit = u64::try_from(limits::CHECKED_BATCHES / size).unwrap();
        for time in 0..=fit {
            checked.keep(batch(time, 4_000));
        }

        assert_eq!(checked.take(batch(0, 4_000).digest()), None);
        assert!(checked.take(batch(1, 4_000).digest()).is_some());
        assert!(checked.octets <= limits::CHECKED_BATCHES);
    }
}
