//! Changes of VIEW-CHANGE.

use consensus::{Frame, Scheme, Seq, StableProof, View, ViewChange, ViewChangeBody};

use crate::adversary::Liar;
use crate::adversary::mutation::Step;
use crate::adversary::votes::signed;

/// Another view asked for.
pub(super) fn view<S: Scheme>(liar: &Liar<'_, S>, step: Step, frame: &Frame) -> Frame {
    changed(liar, frame, |body| ViewChangeBody {
        view: View::new(step.from(body.view.get())),
        ..body
    })
}

/// Another stable checkpoint named.
pub(super) fn seq<S: Scheme>(liar: &Liar<'_, S>, step: Step, frame: &Frame) -> Frame {
    let next = |seq: Seq| Seq::new(step.from(seq.get()));
    changed(liar, frame, |body| {
        let stable = match body.stable {
            StableProof::Origin(seq) => StableProof::Origin(next(seq)),
            StableProof::Certified(mut proof) => {
                proof.seq = next(proof.seq);
                StableProof::Certified(proof)
            }
        };
        ViewChangeBody { stable, ..body }
    })
}

/// The checkpoint named without its proof.
pub(super) fn without_checkpoint_proof<S: Scheme>(liar: &Liar<'_, S>, frame: &Frame) -> Frame {
    changed(liar, frame, |mut body| {
        if let StableProof::Certified(proof) = &mut body.stable {
            proof.checkpoints.clear();
        }
        body
    })
}

/// Nothing prepared.
pub(super) fn without_prepared_proofs<S: Scheme>(liar: &Liar<'_, S>, frame: &Frame) -> Frame {
    changed(liar, frame, |body| ViewChangeBody {
        prepared: Vec::new(),
        ..body
    })
}

/// The member's own VIEW-CHANGE with another body, signed again.
fn changed<S: Scheme>(
    liar: &Liar<'_, S>,
    frame: &Frame,
    change: impl FnOnce(ViewChangeBody) -> ViewChangeBody,
) -> Frame {
    match frame {
        Frame::ViewChange(own) if own.from == liar.me => {
            let body = change(own.body.body().clone());
            Frame::ViewChange(signed(liar, ViewChange::new(body)))
        }
        other => other.clone(),
    }
}
