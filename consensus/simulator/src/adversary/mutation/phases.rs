//! Changes of PRE-PREPARE, PREPARE and COMMIT.

use consensus::{Digest, Domain, Frame, ReplicaId, Scheme, Seq, Signed, View};

use crate::adversary::Liar;
use crate::adversary::mutation::{Phase, Step};
use crate::adversary::votes::{Said, restated};
use crate::ledger;

/// Whether a frame is a vote of this phase.
const fn is(phase: Phase, frame: &Frame) -> bool {
    matches!(
        (phase, frame),
        (Phase::PrePrepare, Frame::PrePrepare(..))
            | (Phase::Prepare, Frame::Prepare(_))
            | (Phase::Commit, Frame::Commit(_))
    )
}

/// Another view.
pub(super) fn view<S: Scheme>(
    liar: &Liar<'_, S>,
    phase: Phase,
    step: Step,
    frame: &Frame,
) -> Frame {
    changed(liar, phase, frame, |said| Said {
        view: View::new(step.from(said.view.get())),
        ..said
    })
}

/// Another sequence number.
pub(super) fn seq<S: Scheme>(liar: &Liar<'_, S>, phase: Phase, step: Step, frame: &Frame) -> Frame {
    changed(liar, phase, frame, |said| Said {
        seq: Seq::new(step.from(said.seq.get())),
        ..said
    })
}

/// Another digest.
pub(super) fn digest<S: Scheme>(liar: &Liar<'_, S>, phase: Phase, frame: &Frame) -> Frame {
    changed(liar, phase, frame, |said| Said {
        digest: Digest::of(Domain::Batch, said.digest.as_bytes()),
        ..said
    })
}

/// A vote of this phase with something else said.
fn changed<S: Scheme>(
    liar: &Liar<'_, S>,
    phase: Phase,
    frame: &Frame,
    change: impl FnOnce(Said) -> Said,
) -> Frame {
    if is(phase, frame) {
        restated(liar, frame, change)
    } else {
        frame.clone()
    }
}

/// Another batch than the one that is named.
pub(super) fn operation<S: Scheme>(liar: &Liar<'_, S>, frame: &Frame) -> Frame {
    match frame {
        Frame::PrePrepare(own, _) if own.from == liar.me => {
            Frame::PrePrepare(own.clone(), ledger::batch(own.body.seq.get(), &[7]))
        }
        other => other.clone(),
    }
}

/// A COMMIT of nobody.
pub(super) fn sender<S: Scheme>(liar: &Liar<'_, S>, frame: &Frame) -> Frame {
    match frame {
        Frame::Commit(own) if own.from == liar.me => Frame::Commit(Signed {
            from: ReplicaId::new(u16::MAX),
            ..own.clone()
        }),
        other => other.clone(),
    }
}
