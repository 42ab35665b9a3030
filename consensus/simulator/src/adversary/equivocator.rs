//! A member that proposes and votes one batch to some and another to the others.

use consensus::{Batch, Commit, Digest, Frame, PrePrepare, Prepare, ReplicaId, Scheme, Signed};

use crate::adversary::Liar;
use crate::ledger;

/// What the other half is told is proposed where the first half hears of this batch.
fn twin(seq: u64) -> Batch {
    ledger::batch(seq, &[])
}

/// Members with an odd number hear the other story; every vote goes out in both versions.
pub(super) fn sends<S: Scheme>(liar: &Liar<'_, S>, to: ReplicaId, frame: &Frame) -> Vec<Frame> {
    let odd = to.get() % 2 == 1;
    match frame {
        Frame::PrePrepare(honest, _) if odd && honest.from == liar.me => {
            let PrePrepare { view, seq, .. } = honest.body;
            let batch = twin(seq.get());
            let body = PrePrepare {
                view,
                seq,
                digest: batch.digest(),
            };
            let signed = Signed::sign(body, liar.me, liar.committee, liar.key);
            vec![Frame::PrePrepare(signed, batch)]
        }
        Frame::Prepare(honest) if honest.from == liar.me => {
            let Prepare { view, seq, .. } = honest.body;
            let body = Prepare {
                view,
                seq,
                digest: twin_digest(seq.get()),
            };
            let other = Signed::sign(body, liar.me, liar.committee, liar.key);
            ordered(odd, frame.clone(), Frame::Prepare(other))
        }
        Frame::Commit(honest) if honest.from == liar.me => {
            let Commit { view, seq, .. } = honest.body;
            let body = Commit {
                view,
                seq,
                digest: twin_digest(seq.get()),
            };
            let other = Signed::sign(body, liar.me, liar.committee, liar.key);
            ordered(odd, frame.clone(), Frame::Commit(other))
        }
        other => vec![other.clone()],
    }
}

/// The digest of the other story.
fn twin_digest(seq: u64) -> Digest {
    twin(seq).digest()
}

/// Both, the one meant for this member first: a replica keeps the first vote it hears.
fn ordered(odd: bool, honest: Frame, other: Frame) -> Vec<Frame> {
    if odd {
        vec![other, honest]
    } else {
        vec![honest, other]
    }
}
