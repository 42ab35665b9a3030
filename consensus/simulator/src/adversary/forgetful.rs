//! A member that tells a new primary nothing of what it has prepared.

use consensus::{Frame, Scheme, Signed, ViewChange, ViewChangeBody};

use crate::adversary::Liar;

/// VIEW-CHANGEs without prepared certificates, everything else as it is.
pub(super) fn sends<S: Scheme>(liar: &Liar<'_, S>, frame: &Frame) -> Vec<Frame> {
    let Frame::ViewChange(honest) = frame else {
        return vec![frame.clone()];
    };
    vec![Frame::ViewChange(emptied(liar, honest))]
}

/// The same VIEW-CHANGE with nothing prepared, signed again.
pub(crate) fn emptied<S: Scheme>(
    liar: &Liar<'_, S>,
    honest: &Signed<ViewChange>,
) -> Signed<ViewChange> {
    let body = honest.body.body().clone();
    let body = ViewChange::new(ViewChangeBody {
        prepared: Vec::new(),
        ..body
    });
    Signed::sign(body, liar.me, liar.committee, liar.key)
}
