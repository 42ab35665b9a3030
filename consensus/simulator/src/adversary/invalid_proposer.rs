//! A primary that proposes what nobody may vote for: batches that no ledger can read, batches
//! beside the wrong signature, null batches, and places far outside of the window.

use consensus::{Batch, Frame, Scheme, Seq};

use crate::adversary::votes::{Said, restated};
use crate::adversary::{Liar, Memory};
use crate::ledger;

/// Every second batch cannot be read.
pub(super) fn cuts(memory: &mut Memory, time_ms: u64, transactions: &[u64]) -> Batch {
    let batch = ledger::batch(time_ms, transactions);
    if memory.turn().is_multiple_of(2) {
        return batch;
    }
    let mut bytes = batch.bytes().to_vec();
    bytes.push(0xff);
    Batch::new(bytes)
}

/// Another trick for each proposal.
pub(super) fn sends<S: Scheme>(liar: &Liar<'_, S>, memory: &Memory, frame: &Frame) -> Vec<Frame> {
    let Frame::PrePrepare(own, batch) = frame else {
        return vec![frame.clone()];
    };
    if own.from != liar.me {
        return vec![frame.clone()];
    }
    match own.body.seq.get() % 4 {
        0 => vec![Frame::PrePrepare(
            own.clone(),
            ledger::batch(memory.turns(), &[]),
        )],
        1 => {
            let null = restated(liar, frame, |said| Said {
                digest: Batch::null().digest(),
                ..said
            });
            let Frame::PrePrepare(null, _) = null else {
                return vec![frame.clone()];
            };
            vec![Frame::PrePrepare(null, Batch::null()), frame.clone()]
        }
        2 => {
            let far = |said: Said| Said {
                seq: Seq::new(said.seq.get().saturating_add(100_000)),
                ..said
            };
            vec![restated(liar, frame, far), frame.clone()]
        }
        _ => vec![Frame::PrePrepare(own.clone(), batch.clone())],
    }
}
