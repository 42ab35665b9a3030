//! A member that asks for ever higher views, and for the current one again and again.

use consensus::{Frame, Scheme, Seq, StableProof, View, ViewChange, ViewChangeBody};

use crate::adversary::votes::signed;
use crate::adversary::{Liar, Memory};

/// The frame, and a VIEW-CHANGE for another view.
pub(super) fn sends<S: Scheme>(liar: &Liar<'_, S>, memory: &Memory, frame: &Frame) -> Vec<Frame> {
    let turn = memory.turns();
    let view = match turn % 3 {
        0 => View::new(turn),
        1 => View::new(turn % 7),
        _ => View::new(u64::MAX.saturating_sub(turn)),
    };
    let body = ViewChange::new(ViewChangeBody {
        view,
        stable: StableProof::Origin(Seq::ZERO),
        prepared: Vec::new(),
    });
    vec![frame.clone(), Frame::ViewChange(signed(liar, body))]
}
