//! What a Byzantine member remembers.

use std::collections::{BTreeMap, VecDeque};

use consensus::{Digest, Frame, Seq, View};

use crate::ledger;

/// The most frames that are remembered.
const FRAMES_MAX: usize = 64;

/// What a Byzantine member remembers from frame to frame.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// Frames that came in or went out, the oldest first.
    frames: VecDeque<Frame>,
    /// What it proposed to some where it proposed something else to the others.
    twins: BTreeMap<(View, Seq), Digest>,
    /// Counts what it does.
    turns: u64,
}

impl Memory {
    /// Counts on.
    pub(super) const fn turn(&mut self) -> u64 {
        self.turns = self.turns.wrapping_add(1);
        self.turns
    }

    /// How far the count is.
    pub(super) const fn turns(&self) -> u64 {
        self.turns
    }

    /// Remembers what some were told.
    pub(super) fn told(&mut self, view: View, seq: Seq, digest: Digest) {
        self.twins.insert((view, seq), digest);
        if self.twins.len() > FRAMES_MAX {
            self.twins.pop_first();
        }
    }

    /// What some were told; something that nobody was, when all were told the same.
    pub(super) fn twin(&self, view: View, seq: Seq) -> Digest {
        let unheard = || ledger::batch(seq.get(), &[]).digest();
        self.twins
            .get(&(view, seq))
            .copied()
            .unwrap_or_else(unheard)
    }

    /// Remembers a frame. The first ones stay: the older what is said again, the better.
    pub(super) fn keep(&mut self, frame: &Frame) {
        if self.frames.len() >= FRAMES_MAX {
            self.frames.remove(FRAMES_MAX / 2);
        }
        self.frames.push_back(frame.clone());
    }

    /// A frame from the past, another one each time.
    pub(super) fn recall(&self) -> Option<&Frame> {
        let place = self.turns.checked_rem(self.frames.len() as u64)?;
        self.frames.get(usize::try_from(place).ok()?)
    }
}
