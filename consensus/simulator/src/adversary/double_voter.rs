//! A member that votes for the proposed batch and for another one, and tells both to everybody.

use consensus::{Checkpoint, Digest, Frame, ReplicaId, Scheme};

use crate::adversary::Liar;
use crate::adversary::votes::{Said, restated, signed};
use crate::ledger;

/// Each vote in both versions; members with an odd number hear the other one first.
pub(super) fn sends<S: Scheme>(liar: &Liar<'_, S>, to: ReplicaId, frame: &Frame) -> Vec<Frame> {
    let other = match frame {
        Frame::Prepare(_) | Frame::Commit(_) => restated(liar, frame, |said| Said {
            digest: elsewhere(said.digest),
            ..said
        }),
        Frame::Checkpoint(own) if own.from == liar.me => {
            let (seq, header) = (own.body.seq, elsewhere(own.body.header));
            Frame::Checkpoint(signed(liar, Checkpoint { seq, header }))
        }
        other => return vec![other.clone()],
    };
    if to.get() % 2 == 1 {
        vec![other, frame.clone()]
    } else {
        vec![frame.clone(), other]
    }
}

/// Another digest, the same one each time.
fn elsewhere(digest: Digest) -> Digest {
    ledger::batch(u64::from(digest.as_bytes()[0]), &[]).digest()
}
