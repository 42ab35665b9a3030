//! A primary that keeps its connections, votes and answers, takes over views that are its turn,
//! and proposes nothing in them.

use consensus::{Frame, Scheme};

use crate::adversary::Liar;

/// Everything but its own proposals.
pub(super) fn sends<S: Scheme>(liar: &Liar<'_, S>, frame: &Frame) -> Vec<Frame> {
    match frame {
        Frame::PrePrepare(own, _) if own.from == liar.me => Vec::new(),
        other => vec![other.clone()],
    }
}
