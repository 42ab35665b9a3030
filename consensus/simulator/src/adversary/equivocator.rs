//! A member that proposes and votes one batch to some and another to the others.

use consensus::{Frame, PrePrepare, ReplicaId, Scheme};

use crate::adversary::votes::{Said, restated, signed};
use crate::adversary::{Liar, Memory};
use crate::ledger;

/// Members with an odd number hear the other story; every vote goes out in both versions.
pub(super) fn sends<S: Scheme>(
    liar: &Liar<'_, S>,
    memory: &mut Memory,
    to: ReplicaId,
    frame: &Frame,
) -> Vec<Frame> {
    let odd = to.get() % 2 == 1;
    match frame {
        Frame::PrePrepare(own, batch) if odd && own.from == liar.me => {
            let PrePrepare { view, seq, .. } = own.body;
            let time_ms = ledger::time_ms(batch).unwrap_or(0).saturating_add(1);
            let batch = ledger::batch(time_ms, &[]);
            let digest = batch.digest();
            memory.told(view, seq, digest);
            let other = signed(liar, PrePrepare { view, seq, digest });
            vec![Frame::PrePrepare(other, batch)]
        }
        Frame::Prepare(own) if own.from == liar.me => both(liar, memory, odd, frame),
        Frame::Commit(own) if own.from == liar.me => both(liar, memory, odd, frame),
        other => vec![other.clone()],
    }
}

/// Both versions, the one meant for this member first: a replica keeps the first vote it hears.
fn both<S: Scheme>(liar: &Liar<'_, S>, memory: &Memory, odd: bool, frame: &Frame) -> Vec<Frame> {
    let other = restated(liar, frame, |said| Said {
        digest: memory.twin(said.view, said.seq),
        ..said
    });
    if odd {
        vec![other, frame.clone()]
    } else {
        vec![frame.clone(), other]
    }
}
