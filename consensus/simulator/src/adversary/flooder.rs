//! A member that sends twenty frames where one is due: each costs its receiver a signature, an
//! answer or a look into the window.

use consensus::{Commit, Digest, Epoch, Frame, Prepare, Scheme, Seq, Status, View};

use crate::adversary::votes::signed;
use crate::adversary::{Liar, Memory};
use crate::ledger;

/// Frames sent in place of one.
const FACTOR: u64 = 20;

/// The frame itself, and nineteen that nobody needs.
pub(super) fn sends<S: Scheme>(
    liar: &Liar<'_, S>,
    memory: &mut Memory,
    frame: &Frame,
) -> Vec<Frame> {
    let mut frames = vec![frame.clone()];
    for _ in 1..FACTOR {
        let turn = memory.turn();
        frames.push(useless(liar, turn, frame));
    }
    frames
}

/// A frame that is well-formed, well-signed and of no use.
fn useless<S: Scheme>(liar: &Liar<'_, S>, turn: u64, frame: &Frame) -> Frame {
    let (seq, view) = (Seq::new(turn % 300), View::new(turn % 5));
    let digest = Digest::NULL;
    match turn % 5 {
        0 => Frame::Prepare(signed(liar, Prepare { view, seq, digest })),
        1 => Frame::Commit(signed(liar, Commit { view, seq, digest })),
        2 => Frame::Status(destitute(liar.committee.epoch())),
        3 => Frame::Batch(ledger::batch(turn, &[])),
        _ => frame.clone(),
    }
}

/// The STATUS of somebody who has nothing: the answer is everything.
fn destitute(epoch: Epoch) -> Status {
    Status {
        epoch,
        view: View::ZERO,
        active: false,
        stable: Seq::ZERO,
        executed: Seq::ZERO,
        open: Vec::new(),
        checkpoints: Vec::new(),
        view_changes: [].into_iter().collect(),
    }
}
