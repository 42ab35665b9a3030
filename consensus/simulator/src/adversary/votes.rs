//! Votes of a member's own, made anew with one thing changed.

use consensus::{Commit, Digest, Frame, PrePrepare, Prepare, Scheme, Seq, Signed, View};

use crate::adversary::Liar;

/// What a vote of the normal case says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Said {
    /// The view.
    pub(super) view: View,
    /// The sequence number.
    pub(super) seq: Seq,
    /// The batch.
    pub(super) digest: Digest,
}

/// The same vote of the member's own with something else said; other frames as they are.
pub(super) fn restated<S: Scheme>(
    liar: &Liar<'_, S>,
    frame: &Frame,
    change: impl FnOnce(Said) -> Said,
) -> Frame {
    match frame {
        Frame::PrePrepare(own, batch) if own.from == liar.me => {
            let PrePrepare { view, seq, digest } = own.body;
            let Said { view, seq, digest } = change(Said { view, seq, digest });
            Frame::PrePrepare(
                signed(liar, PrePrepare { view, seq, digest }),
                batch.clone(),
            )
        }
        Frame::Prepare(own) if own.from == liar.me => {
            let Prepare { view, seq, digest } = own.body;
            let Said { view, seq, digest } = change(Said { view, seq, digest });
            Frame::Prepare(signed(liar, Prepare { view, seq, digest }))
        }
        Frame::Commit(own) if own.from == liar.me => {
            let Commit { view, seq, digest } = own.body;
            let Said { view, seq, digest } = change(Said { view, seq, digest });
            Frame::Commit(signed(liar, Commit { view, seq, digest }))
        }
        other => other.clone(),
    }
}

/// A body under the member's own key.
pub(super) fn signed<S: Scheme, T: consensus::Signable>(liar: &Liar<'_, S>, body: T) -> Signed<T> {
    Signed::sign(body, liar.me, liar.committee, liar.key)
}
