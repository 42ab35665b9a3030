//! Performing effects, in order, until the node crashes.

use core::time::Duration;

use consensus::{Batch, CertifiedBlock, Digest, Effect, EpochEnd, Frame, Input, Seq};

use crate::checkers::Violation;
use crate::cluster::Cluster;
use crate::cluster::event::Event;
use crate::history::Deed;
use crate::ledger::Block;
use crate::sabotage::Sabotage;
use crate::scheme::SimulatedScheme;

impl<S: SimulatedScheme> Cluster<S> {
    /// Performs effects in order, until the node crashes.
    pub(super) fn perform(&mut self, node: usize, effects: Vec<Effect>) {
        let life = self.nodes[node].life;
        for effect in self.sabotaged(node, effects) {
            if self.nodes[node].life != life {
                return;
            }
            if leaves(&effect) && !self.flush(node) {
                return;
            }
            self.note(node, |names| format!("  {}", names.effect(&effect)));
            self.perform_one(node, effect);
        }
        if self.nodes[node].life == life && self.dice.chance(500) {
            self.flush(node);
        }
    }

    /// Performs one effect.
    fn perform_one(&mut self, node: usize, effect: Effect) {
        match effect {
            Effect::Persist(record) => self.write(node, record),
            Effect::Broadcast(frame) => self.broadcast(node, &frame),
            Effect::Send(to, frame) => {
                self.witness(node, || Deed::Sent(frame.clone()));
                for peer in self.seated(node, to) {
                    self.send(node, peer, &frame);
                }
            }
            Effect::Execute(committed) => self.order(node, committed.batch),
            Effect::Certified(certificate) => {
                let seq = certificate.seq;
                let honest = self.nodes[node].is_honest();
                if honest {
                    self.checkers.certified(&certificate);
                }
                self.nodes[node].store.certify(certificate.into_inner());
                self.begin_again(node, seq);
                if honest {
                    self.became_final(node, seq);
                }
            }
            Effect::Fetch { from, to } => self.fetch(node, from, to),
            Effect::Arm(timer, after) => {
                let after = self.nodes[node].really(after);
                let event = self.schedule(after, Event::Timer { node, timer });
                self.nodes[node].timers.insert(timer, event);
            }
            Effect::Disarm(timer) => {
                self.nodes[node].timers.remove(&timer);
            }
            Effect::Dropped(batch) => self.nodes[node].returned(&batch),
            Effect::Forward(to) => self.forward(node, to),
            Effect::Evidence(evidence) => {
                if self.nodes[node].is_honest() {
                    let committee = &self.nodes[node].committee;
                    self.checkers.accused(&evidence, committee);
                }
            }
            Effect::Diverged(_) => {
                if self.nodes[node].is_honest() {
                    let member = self.nodes[node].person;
                    self.checkers.report(Violation::Diverged { member });
                }
            }
        }
    }

    /// Sends to all other members.
    fn broadcast(&mut self, node: usize, frame: &Frame) {
        self.witness(node, || Deed::Sent(frame.clone()));
        self.charge_signing(node, frame);
        if self.nodes[node].is_honest() {
            let (seat, observer) = (self.nodes[node].seat, self.nodes[node].is_observer());
            let speaker = (self.nodes[node].committee.epoch(), seat);
            self.checkers.sent(speaker, observer, frame);
        }
        for to in 0..self.nodes.len() {
            // Without a seat it asks everybody: those it knows as members may be behind as well.
            let seatless = self.nodes[node].seat.is_none();
            if to != node && (seatless || self.seat_of(node, to).is_some()) {
                self.send(node, to, frame);
            }
        }
        if matches!(frame, Frame::Commit(_)) {
            self.commits += 1;
            let now = self.scenario.outages.power_cut_at == Some(self.commits);
            if now && self.healed.is_none() {
                self.power_cut();
            }
        }
    }

    /// Sends the oldest transaction to the primary again.
    fn forward(&mut self, node: usize, to: consensus::ReplicaId) {
        let Some(transaction) = self.nodes[node].oldest() else {
            return;
        };
        for primary in self.seated(node, to) {
            if primary != node && !self.cut.contains(&(node, primary)) {
                self.nodes[primary].submit(self.now, transaction);
                self.tell_pending(primary);
            }
        }
    }

    /// Gives a batch to the executor.
    fn order(&mut self, node: usize, batch: Batch) {
        let work = self.dice.between(Duration::ZERO, Duration::from_millis(4));
        let free = self.nodes[node].executor_free.max(self.now).after(work);
        self.nodes[node].executor_free = free;
        let life = self.nodes[node].life;
        self.schedule(free.since(self.now), Event::Executed { node, life, batch });
        self.ordered += 1;
        let isolated = self.scenario.network.isolated_at == Some(self.ordered);
        if isolated && self.healed.is_none() {
            self.isolate(node);
        }
    }

    /// An executor is done with a batch.
    pub(super) fn execute(&mut self, node: usize, life: u32, batch: &Batch) {
        if self.nodes[node].life != life {
            return;
        }
        let (seq, header) = self.nodes[node].store.execute(batch.clone());
        self.nodes[node].settle(batch);
        if self.dice.chance(300) {
            self.nodes[node].store.flush();
        }
        let mut epoch_end = None;
        if let Some(block) = self.nodes[node].store.block(seq) {
            if self.nodes[node].is_honest() {
                let submitted = (self.clients.submitted, self.clients.special.as_slice());
                self.checkers.executed(self.now, seq, block, submitted);
            }
            epoch_end = block.ending.as_ref().map(|ending| EpochEnd {
                last: ending.last,
                next: ending
                    .keys
                    .iter()
                    .map(|key| S::of_member(*key).public())
                    .collect(),
            });
        }
        let input = Input::Executed {
            seq,
            header,
            epoch_end,
        };
        self.perhaps_done = true;
        self.feed(node, input);
        self.tell_pending(node);
        self.roll_log(node);
    }

    /// Asks some other node for blocks.
    fn fetch(&mut self, node: usize, from: Seq, to: Seq) {
        let peer = self.dice.place(self.nodes.len());
        let reaches = !self.cut.contains(&(node, peer)) && !self.cut.contains(&(peer, node));
        if peer == node || self.nodes[peer].replica.is_none() || !reaches {
            return;
        }
        let range = (from.get()..=to.get()).map(Seq::new);
        let blocks = range.map_while(|seq| self.nodes[peer].store.block(seq));
        let blocks: Vec<_> = blocks
            .map_while(|block| self.certified(node, peer, block))
            .collect();
        let after = self
            .dice
            .between(Duration::from_millis(1), self.scenario.network.delay);
        let life = self.nodes[node].life;
        self.schedule(after, Event::Fetched { node, life, blocks });
    }

    /// A block as a peer serves it, checked as the edge checks it.
    fn certified(&self, node: usize, peer: usize, block: &Block) -> Option<CertifiedBlock> {
        let named: [u8; 32] = block.header.get(40..72)?.try_into().ok()?;
        let batch = match self.misbehaving(peer) {
            Some(liar) => liar.serves(&block.batch),
            None => block.batch.clone(),
        };
        CertifiedBlock::verify(
            block.header.clone(),
            Digest::new(named),
            batch,
            block.certificate.clone()?,
            &self.nodes[node].committee,
        )
        .ok()
    }

    /// Now and then the vote log starts afresh with what the replica carries over.
    fn roll_log(&mut self, node: usize) {
        let wanted = self.sabotage == Sabotage::None && self.dice.chance(60);
        let voter = self.nodes[node].replica.as_ref().filter(|replica| {
            matches!(replica.standing(), consensus::Standing::Voter(_)) && wanted
        });
        if let Some(records) = voter.map(consensus::Replica::carry_over) {
            self.witness_kept(node, usize::MAX);
            self.nodes[node].store.flush();
            self.nodes[node].disk.replace(records);
        }
    }
}

/// Whether a step's effect must wait until the records before it are durable.
const fn leaves(effect: &Effect) -> bool {
    matches!(
        effect,
        Effect::Broadcast(_) | Effect::Send(..) | Effect::Certified(_)
    )
}
