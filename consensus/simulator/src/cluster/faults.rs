//! Crashes, restarts, power cuts, partitions, and the heal after which all must go well.

use core::time::Duration;

use crate::checkers::Violation;
use crate::cluster::{Cluster, Event};
use crate::scenario::Fate;
use crate::scheme::SimulatedScheme;

impl<S: SimulatedScheme> Cluster<S> {
    /// A node starts, or starts again.
    pub(super) fn start(&mut self, node: usize) {
        if self.nodes[node].replica.is_some() {
            return;
        }
        let id = self.nodes[node].id;
        self.note(|| format!("{id:?} starts"));
        let effects = self.nodes[node].start(self.now, &self.committee, &self.scenario);
        let Some(effects) = effects else {
            return self
                .checkers
                .report(Violation::Unrecoverable { member: id });
        };
        self.perform(node, effects);
        self.connect(node);
        if self.healed.is_some() {
            self.resubmit();
        }
    }

    /// Both ends of each of a node's connections hear of them.
    fn connect(&mut self, node: usize) {
        for peer in 0..self.nodes.len() {
            if peer != node {
                let after = self
                    .dice
                    .between(Duration::from_millis(1), Duration::from_millis(20));
                self.schedule(after, Event::Reconnect { node, peer });
                self.schedule(
                    after,
                    Event::Reconnect {
                        node: peer,
                        peer: node,
                    },
                );
            }
        }
    }

    /// A node loses everything that is not on disk, and comes back later.
    pub(super) fn crash(&mut self, node: usize) {
        let id = self.nodes[node].id;
        self.note(|| format!("{id:?} crashes"));
        self.nodes[node].crash();
        match self.nodes[node].fate {
            Fate::Dead => return,
            Fate::LosesDisk => self.nodes[node].log_lost = true,
            Fate::Honest | Fate::Byzantine(_) => {}
        }
        let after = self
            .dice
            .between(Duration::from_millis(5), Duration::from_millis(600));
        self.schedule(after, Event::Start { node });
    }

    /// All nodes crash at once.
    pub(super) fn power_cut(&mut self) {
        self.note(|| "power cut".to_owned());
        for node in 0..self.nodes.len() {
            if self.nodes[node].replica.is_some() {
                self.crash(node);
            }
        }
    }

    /// Some nodes no longer reach some others, in one direction or both.
    pub(super) fn partition(&mut self) {
        let (Some(every), None) = (self.scenario.partition_every, self.healed) else {
            return;
        };
        let both = self.dice.chance(700);
        let side: Vec<bool> = self.nodes.iter().map(|_| self.dice.chance(400)).collect();
        for from in 0..side.len() {
            for to in 0..side.len() {
                if side[from] != side[to] && (both || side[from]) {
                    self.cut.insert((from, to));
                }
            }
        }
        self.note(|| format!("partition {side:?}, both ways {both}"));
        let after = self.dice.between(every / 4, every * 2);
        self.schedule(after, Event::Mend);
    }

    /// A node reaches nobody, and nobody reaches it.
    pub(super) fn isolate(&mut self, node: usize) {
        let id = self.nodes[node].id;
        self.note(|| format!("{id:?} is cut off"));
        for peer in 0..self.nodes.len() {
            self.cut.insert((node, peer));
            self.cut.insert((peer, node));
        }
    }

    /// All reach all again.
    pub(super) fn mend(&mut self) {
        self.note(|| "mend".to_owned());
        self.cut.clear();
        for node in 0..self.nodes.len() {
            self.connect(node);
        }
        if let (Some(every), None) = (self.scenario.partition_every, self.healed) {
            let after = self.dice.between(every / 4, every * 2);
            self.schedule(after, Event::Partition);
        }
    }

    /// Everything heals for good: from here on all must be done in time.
    pub(super) fn heal(&mut self) {
        self.note(|| "heal".to_owned());
        self.healed = Some(self.now);
        for node in 0..self.nodes.len() {
            if self.nodes[node].fate == Fate::Dead && self.nodes[node].replica.is_some() {
                self.crash(node);
            } else if self.nodes[node].fate != Fate::Dead && self.nodes[node].replica.is_none() {
                self.start(node);
            }
        }
        self.mend();
        self.resubmit();
    }

    /// Clients that have no answer send their transactions again.
    fn resubmit(&mut self) {
        for transaction in 0..self.scenario.transactions {
            self.schedule(Duration::from_millis(1), Event::Submit { transaction });
        }
    }
}
