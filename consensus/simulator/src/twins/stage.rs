//! Who reaches whom in which view.

use core::time::Duration;

use consensus::{Frame, Signable as _, Time};

use crate::twins::{Round, Script};

/// The network of a script.
#[derive(Clone, Debug)]
pub struct Stage {
    /// The views of the script.
    rounds: Vec<Round>,
    /// The view of ours that each of them is.
    views: Vec<u64>,
    /// When each of them began.
    began: Vec<Option<Time>>,
    /// How long each of them lasts.
    length: Duration,
}

impl Stage {
    /// The network of a script, before anything has happened.
    pub(super) fn new(script: &Script) -> Self {
        Self {
            views: script.views(),
            began: vec![None; script.rounds.len()],
            length: script.length(),
            rounds: script.rounds.clone(),
        }
    }

    /// Whether a frame gets from one node to another.
    pub fn passes(&mut self, now: Time, from: usize, to: usize, frame: &Frame) -> bool {
        match frame {
            Frame::PrePrepare(one, _) => self.passes_in(one.body.view.get(), now, from, to),
            Frame::Prepare(one) => self.passes_in(one.body.view.get(), now, from, to),
            Frame::Commit(one) => self.passes_in(one.body.view.get(), now, from, to),
            Frame::Prepared(one) => self.passes_in(one.view.get(), now, from, to),
            Frame::NewView(one) => self.passes_in(one.body.view().get(), now, from, to),
            Frame::ViewChange(one) => {
                let wanted = one.body.view().get();
                let round = self.views.iter().position(|view| *view >= wanted);
                round.is_none_or(|round| self.reaches(round, from, to))
            }
            Frame::Checkpoint(_)
            | Frame::Committed(_)
            | Frame::Stable(_)
            | Frame::Batch(_)
            | Frame::Status(_) => {
                let current = self.began.iter().rposition(Option::is_some).unwrap_or(0);
                self.reaches(current, from, to)
            }
        }
    }

    /// Whether what is said in a view gets from one node to another.
    fn passes_in(&mut self, view: u64, now: Time, from: usize, to: usize) -> bool {
        let Some(round) = self.views.iter().position(|one| *one == view) else {
            return self.views.last().is_none_or(|last| *last < view);
        };
        let began = *self.began[round].get_or_insert(now);
        now.since(began) <= self.length && self.reaches(round, from, to)
    }

    /// Whether two nodes are on one side in a view of the script.
    fn reaches(&self, round: usize, from: usize, to: usize) -> bool {
        let mut sides = self.rounds[round].partitions.iter();
        sides.any(|side| side.contains(&from) && side.contains(&to))
    }
}
