//! A member that helps views to rise and nothing else: it asks for views with the others, begins
//! its own at the last moment, and neither proposes nor votes.

use consensus::{Frame, Scheme};

use crate::adversary::{Liar, Sent};

/// VIEW-CHANGEs and STATUS at once, its NEW-VIEWs after four fifths of T0, and no vote.
pub(super) fn sends<S: Scheme>(liar: &Liar<'_, S>, frame: &Frame) -> Vec<Sent> {
    match frame {
        Frame::NewView(own) if own.from == liar.me => vec![Sent {
            after: liar.timeout * 4 / 5,
            frame: frame.clone(),
        }],
        Frame::ViewChange(_) | Frame::Status(_) => vec![Sent::from(frame.clone())],
        _ => Vec::new(),
    }
}
