//! A primary that proposes just before the others lose patience.

use consensus::{Frame, Scheme};

use crate::adversary::{Liar, Sent};

/// Its own proposals leave after four fifths of T0, everything else at once.
pub(super) fn sends<S: Scheme>(liar: &Liar<'_, S>, frame: &Frame) -> Sent {
    let mut sent = Sent::from(frame.clone());
    let own = match frame {
        Frame::PrePrepare(own, _) => own.from == liar.me,
        Frame::NewView(own) => own.from == liar.me,
        _ => false,
    };
    if own {
        sent.after = liar.timeout * 4 / 5;
    }
    sent
}
