//! The network: loss, delay, reordering, duplication and cuts between nodes; and the edge, where
//! frames are checked before a replica sees them.

use core::time::Duration;

use consensus::{Frame, Input, Message, Proposed, ReplicaId, ValidBatch};

use crate::adversary::{Character, Liar, Sent};
use crate::cluster::Cluster;
use crate::cluster::event::Event;
use crate::ledger;
use crate::sabotage::Sabotage;
use crate::scheme::SimulatedScheme;

/// The longest delay once everything has healed.
const HEALED_DELAY: Duration = Duration::from_millis(5);

impl<S: SimulatedScheme> Cluster<S> {
    /// Sends a frame, or what a Byzantine member sends in its place.
    pub(super) fn send(&mut self, from: usize, to: usize, frame: &Frame) {
        if from == to {
            return;
        }
        let spared = |one: &Character| one.spares_accomplices() && self.misbehaving(to).is_some();
        let character = self.misbehaving(from).filter(|one| !spared(one));
        let receiver = self.seat_of(from, to);
        let (Some(character), Some(receiver)) = (character, receiver) else {
            return self.transmit(from, to, Sent::from(frame.clone()));
        };
        let key = S::of_member(self.nodes[from].key);
        let mut memory = core::mem::take(&mut self.nodes[from].memory);
        let frames = match self.liar(from, &key) {
            Some(liar) => character.sends(&liar, &mut memory, receiver, frame),
            None => vec![Sent::from(frame.clone())],
        };
        self.nodes[from].memory = memory;
        let meant = matches!(frames.as_slice(), [only] if *only == Sent::from(frame.clone()));
        self.lies += u64::from(!meant);
        for frame in frames {
            self.transmit(from, to, frame);
        }
    }

    /// What a node's filter knows.
    pub(super) fn liar<'a>(&'a self, node: usize, key: &'a S) -> Option<Liar<'a, S>> {
        Some(Liar {
            me: self.nodes[node].seat?,
            key,
            committee: &self.nodes[node].committee,
            timeout: self.scenario.parameters.timeout,
        })
    }

    /// Puts a frame on the wire.
    fn transmit(&mut self, from: usize, to: usize, sent: Sent) {
        let (healed, frame) = (self.healed.is_some(), sent.frame);
        if self.is_cut(from, to, &frame) || (!healed && self.is_lost(to, &frame)) {
            self.note(from, |names| {
                format!("    lost on its way: {}", names.frame(&frame))
            });
            return;
        }
        let (nearest, longest) = (self.scenario.network.nearest, self.scenario.network.delay);
        let (nearest, longest) = if healed {
            (nearest.min(HEALED_DELAY), longest.min(HEALED_DELAY))
        } else {
            (nearest, longest)
        };
        let busy = self.nodes[from].processor_free.since(self.now);
        let held = sent.after + busy;
        if !healed && self.dice.chance(self.scenario.network.duplication) {
            let after = held + self.dice.between(nearest, longest * 2);
            let frame = frame.clone();
            self.schedule(after, Event::Frame { from, to, frame });
        }
        let after = held + self.dice.between(nearest, longest);
        self.schedule(after, Event::Frame { from, to, frame });
    }

    /// Whether a partition keeps a frame from its receiver.
    fn is_cut(&mut self, from: usize, to: usize, frame: &Frame) -> bool {
        let now = self.now;
        let on_stage = |stage: &mut crate::twins::Stage| !stage.passes(now, from, to, frame);
        self.cut.contains(&(from, to)) || self.stage.as_mut().is_some_and(on_stage)
    }

    /// Whether a frame gets lost for another reason.
    fn is_lost(&mut self, to: usize, frame: &Frame) -> bool {
        let network = &self.scenario.network;
        let (deaf, commit_loss, loss) = (network.deaf, network.commit_loss, network.loss);
        let early = matches!(
            frame,
            Frame::PrePrepare(..) | Frame::Prepare(_) | Frame::Prepared(_) | Frame::Committed(_)
        );
        let commit = matches!(frame, Frame::Commit(_));
        (early && deaf == Some(to))
            || self.dice.chance(loss)
            || (commit && self.dice.chance(commit_loss))
    }

    /// A frame arrives and waits for the processor to check its signatures.
    pub(super) fn arrive(&mut self, from: usize, to: usize, frame: Frame) {
        if self.nodes[to].replica.is_none() {
            return;
        }
        let frame = if self.scenario.encoded {
            reread(frame)
        } else {
            frame
        };
        let Some(processor) = self.scenario.processor else {
            return self.check(from, to, frame);
        };
        let work = self.nodes[to].work_on(processor, self.seat_of(to, from), &frame);
        let free = self.nodes[to].processor_free.max(self.now).after(work);
        self.nodes[to].processor_free = free;
        let after = free.since(self.now);
        self.schedule(after, Event::Checked { from, to, frame });
    }

    /// Charges a member's processor for a signature of its own.
    pub(super) fn charge_signing(&mut self, node: usize, frame: &Frame) {
        let Some(processor) = self.scenario.processor else {
            return;
        };
        let made = match frame {
            Frame::PrePrepare(..)
            | Frame::Prepare(_)
            | Frame::Commit(_)
            | Frame::Checkpoint(_)
            | Frame::ViewChange(_) => 1,
            Frame::NewView(own) => 1 + own.body.body().pre_prepares.len() as u32,
            _ => 0,
        };
        let busy = self.nodes[node].processor_free.max(self.now);
        self.nodes[node].processor_free = busy.after(processor.sign * made);
    }

    /// A frame is checked and handed to the replica, if it is for its epoch.
    pub(super) fn check(&mut self, from: usize, to: usize, frame: Frame) {
        if self.nodes[to].replica.is_none() {
            return;
        }
        if let Some(liar) = self.misbehaving(to) {
            liar.hears(&mut self.nodes[to].memory, &frame);
        }
        let (name, epoch) = (self.nodes[from].name(), self.nodes[to].committee.epoch());
        self.note(to, |names| format!("<- {name}: {}", names.frame(&frame)));
        let seat = self.seat_of(to, from);
        if frame.epoch().is_some_and(|said| said > epoch) {
            return self.feed(to, Input::Overtaken);
        }
        let asks = matches!(frame, Frame::Status(_) | Frame::ViewChange(_));
        if frame.epoch().is_some_and(|said| said < epoch) || (asks && seat.is_none()) {
            return self.answer_latecomer(to, from, &frame);
        }
        let committee = &self.nodes[to].committee;
        let from = seat.unwrap_or(ReplicaId::new(u16::MAX));
        match frame.verify(from, committee) {
            Ok(input) => {
                let input = self.checked(to, input);
                self.feed(to, input);
            }
            Err(why) => self.note(to, |_| format!("  refuses it at the edge: {why}")),
        }
    }

    /// Sends certificates from the store to somebody who is late, or has no seat here.
    fn answer_latecomer(&mut self, node: usize, to: usize, frame: &Frame) {
        let store = &self.nodes[node].store;
        let said = frame.epoch();
        let blocks = (1..=store.height().get()).rev().map(consensus::Seq::new);
        let of_his = |seq: &consensus::Seq| {
            let block = store.block(*seq);
            block.is_some_and(|one| Some(one.term.epoch) == said && one.certificate.is_some())
        };
        let Some(last) = blocks.into_iter().find(of_his) else {
            return;
        };
        let certificate = |seq| store.block(seq).and_then(|block| block.certificate.clone());
        for answer in frame.answer_to_latecomer(last, certificate) {
            self.send(node, to, &answer);
        }
    }

    /// The vote-time check of the simulator's ledger.
    fn checked(&self, node: usize, input: Input) -> Input {
        let Input::Message(Message::PrePrepare(proposal, proposed)) = input else {
            return input;
        };
        let batch = proposed.batch().clone();
        let time_of_day = self.nodes[node].time_of_day(self.now);
        let blind = self.sabotage == Sabotage::VotesForAnything;
        let proposed = if blind || ledger::is_votable(&batch, time_of_day) {
            Proposed::Valid(ValidBatch::checked(batch))
        } else {
            Proposed::Unchecked(batch)
        };
        Input::Message(Message::PrePrepare(proposal, proposed))
    }
}

/// A frame as it comes off the wire.
fn reread(frame: Frame) -> Frame {
    let again = Frame::decode(&frame.encode());
    assert_eq!(
        again.as_ref(),
        Ok(&frame),
        "a frame is the same after its way"
    );
    frame
}
