//! The network: loss, delay, reordering, duplication and cuts between nodes.

use core::time::Duration;

use consensus::{Frame, Input, Message, Proposed, ValidBatch};

use crate::adversary::Liar;
use crate::cluster::{Cluster, Event};
use crate::scenario::Fate;
use crate::scheme::SimulatedScheme;

/// The longest delay once everything has healed.
const HEALED_DELAY: Duration = Duration::from_millis(5);

impl<S: SimulatedScheme> Cluster<S> {
    /// Sends a frame, or what a Byzantine member sends in its place.
    pub(super) fn send(&mut self, from: usize, to: usize, frame: &Frame) {
        if from == to || to >= self.nodes.len() {
            return;
        }
        let Fate::Byzantine(character) = self.nodes[from].fate else {
            return self.transmit(from, to, frame.clone());
        };
        let key = S::of_member(self.nodes[from].id.get());
        let liar = Liar {
            me: self.nodes[from].id,
            key: &key,
            committee: &self.committee,
        };
        for frame in character.sends(&liar, self.nodes[to].id, frame) {
            self.transmit(from, to, frame);
        }
    }

    /// Puts a frame on the wire.
    fn transmit(&mut self, from: usize, to: usize, frame: Frame) {
        let healed = self.healed.is_some();
        if self.cut.contains(&(from, to)) || (!healed && self.dice.chance(self.scenario.loss)) {
            return;
        }
        let early = matches!(
            frame,
            Frame::PrePrepare(..) | Frame::Prepare(_) | Frame::Prepared(_) | Frame::Committed(_)
        );
        let commit = matches!(frame, Frame::Commit(_));
        let unheard = (early && self.scenario.deaf == Some(to))
            || (commit && self.dice.chance(self.scenario.commit_loss));
        if !healed && unheard {
            return;
        }
        let longest = self.scenario.delay;
        let longest = if healed {
            longest.min(HEALED_DELAY)
        } else {
            longest
        };
        if !healed && self.dice.chance(self.scenario.duplication) {
            let after = self.dice.between(Duration::from_micros(100), longest * 2);
            self.schedule(
                after,
                Event::Frame {
                    from,
                    to,
                    frame: frame.clone(),
                },
            );
        }
        let after = self.dice.between(Duration::from_micros(100), longest);
        self.schedule(after, Event::Frame { from, to, frame });
    }

    /// A frame arrives: decoded now and then, verified always.
    pub(super) fn arrive(&mut self, from: usize, to: usize, frame: Frame) {
        if self.nodes[to].replica.is_none() {
            return;
        }
        let frame = if self.scenario.encoded {
            let again = Frame::decode(&frame.encode());
            assert_eq!(
                again.as_ref(),
                Ok(&frame),
                "a frame is the same after its way"
            );
            frame
        } else {
            frame
        };
        match frame.verify(self.nodes[from].id, &self.committee) {
            Ok(input) => self.feed(to, checked(input)),
            Err(why) => self.note(|| format!("    refused at the edge: {why}")),
        }
    }
}

/// The vote-time check of the simulator's ledger: every batch of whole words is valid.
fn checked(input: Input) -> Input {
    let Input::Message(Message::PrePrepare(proposal, proposed)) = input else {
        return input;
    };
    let batch = proposed.batch().clone();
    let valid = batch.bytes().len() % 8 == 0;
    let proposed = if valid {
        Proposed::Valid(ValidBatch::checked(batch))
    } else {
        Proposed::Unchecked(batch)
    };
    Input::Message(Message::PrePrepare(proposal, proposed))
}
