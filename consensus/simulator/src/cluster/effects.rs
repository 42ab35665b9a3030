//! Performing effects, with a crash possible at every persist.

use core::time::Duration;

use consensus::{Batch, CertifiedBlock, Digest, Effect, Frame, Record, Seq};

use crate::adversary::Liar;
use crate::checkers::Violation;
use crate::cluster::{Cluster, Event};
use crate::ledger::Block;
use crate::scheme::SimulatedScheme;

impl<S: SimulatedScheme> Cluster<S> {
    /// Performs effects in order, until the node crashes.
    pub(super) fn perform(&mut self, node: usize, effects: Vec<Effect>) {
        let life = self.nodes[node].life;
        let id = self.nodes[node].id;
        let key = S::of_member(id.get());
        let honest = self.nodes[node].is_honest();
        let effects = if honest {
            let liar = Liar {
                me: id,
                key: &key,
                committee: &self.committee,
            };
            self.sabotage.applied(&liar, effects)
        } else {
            effects
        };
        for effect in effects {
            if self.nodes[node].life != life {
                return;
            }
            self.note(|| format!("    {id:?} {effect:?}"));
            self.perform_one(node, effect);
        }
    }

    /// Performs one effect.
    fn perform_one(&mut self, node: usize, effect: Effect) {
        match effect {
            Effect::Persist(record) => self.persist(node, record),
            Effect::Broadcast(frame) => self.broadcast(node, &frame),
            Effect::Send(to, frame) => self.send(node, usize::from(to.get()), &frame),
            Effect::Execute(committed) => self.order(node, committed.batch),
            Effect::Certified(certificate) => {
                if self.nodes[node].is_honest() {
                    self.checkers.certified(&certificate);
                }
                self.nodes[node].store.certify(certificate.into_inner());
            }
            Effect::Fetch { from, to } => self.fetch(node, from, to),
            Effect::Arm(timer, after) => {
                let event = self.schedule(after, Event::Timer { node, timer });
                self.nodes[node].timers.insert(timer, event);
            }
            Effect::Disarm(timer) => {
                self.nodes[node].timers.remove(&timer);
            }
            Effect::Dropped(batch) => self.nodes[node].returned(&batch),
            Effect::Forward(to) => {
                let primary = usize::from(to.get());
                let oldest = self.nodes[node].oldest();
                let reaches = !self.cut.contains(&(node, primary));
                if let Some(transaction) = oldest.filter(|_| reaches && primary != node) {
                    self.nodes[primary].submit(self.now, transaction);
                    self.tell_pending(primary);
                }
            }
            Effect::Evidence(evidence) => {
                if self.nodes[node].is_honest() {
                    self.checkers.accused(&evidence);
                }
            }
            Effect::Diverged(_) => {
                if self.nodes[node].is_honest() {
                    self.checkers.report(Violation::Diverged {
                        member: self.nodes[node].id,
                    });
                }
            }
        }
    }

    /// Writes a record. The node may crash just before it is on disk, or just after.
    fn persist(&mut self, node: usize, record: Record) {
        let crashes = self.healed.is_none()
            && !self.is_byzantine(node)
            && self.dice.chance(self.scenario.crash);
        let torn = crashes && self.dice.chance(500);
        if !torn {
            let record = if self.scenario.encoded {
                reread(record)
            } else {
                record
            };
            self.nodes[node].log.push(record);
        }
        if crashes {
            self.crash(node);
        }
    }

    /// Sends to all others.
    fn broadcast(&mut self, node: usize, frame: &Frame) {
        let (id, observer) = (self.nodes[node].id, self.nodes[node].is_observer());
        if self.nodes[node].is_honest() {
            self.checkers.sent(id, observer, frame);
        }
        for to in 0..self.nodes.len() {
            if to != node {
                self.send(node, to, frame);
            }
        }
        if matches!(frame, Frame::Commit(_)) {
            self.commits += 1;
            if self.scenario.power_cut_at == Some(self.commits) && self.healed.is_none() {
                self.power_cut();
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
        if self.scenario.isolated_at == Some(self.ordered) && self.healed.is_none() {
            self.isolate(node);
        }
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
        let blocks: Vec<_> = blocks.map_while(|block| self.certified(block)).collect();
        let after = self
            .dice
            .between(Duration::from_millis(1), self.scenario.delay);
        let life = self.nodes[node].life;
        self.schedule(after, Event::Fetched { node, life, blocks });
    }

    /// A block as a peer sends it, checked as the edge checks it.
    fn certified(&self, block: &Block) -> Option<CertifiedBlock> {
        let named: [u8; 32] = block.header.get(40..)?.try_into().ok()?;
        CertifiedBlock::verify(
            block.header.clone(),
            Digest::new(named),
            block.batch.clone(),
            block.certificate.clone()?,
            &self.committee,
        )
        .ok()
    }
}

/// A record as it comes back from the disk.
fn reread(record: Record) -> Record {
    let again = Record::decode(&record.encode());
    assert_eq!(
        again.as_ref(),
        Ok(&record),
        "a record is the same after writing and reading"
    );
    record
}
