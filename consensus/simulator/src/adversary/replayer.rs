//! A member that sends again what it and others said long ago, word by word.

use consensus::Frame;

use crate::adversary::Memory;

/// The frame, and one from the past.
pub(super) fn sends(memory: &mut Memory, frame: &Frame) -> Vec<Frame> {
    let mut frames = vec![frame.clone()];
    frames.extend(memory.recall().cloned());
    memory.keep(frame);
    frames
}
