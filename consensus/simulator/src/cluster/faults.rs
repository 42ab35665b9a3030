//! Crashes, pauses, full disks, power cuts, and the heal after which all must go well.

use core::time::Duration;

use consensus::{Replica, Time};

use crate::adversary::amnesiac;
use crate::cluster::Cluster;
use crate::cluster::event::{Event, Fault};
use crate::sabotage::Sabotage;
use crate::scenario::{Clock, Fate};
use crate::scheme::SimulatedScheme;

/// When the quorum is lost in a scenario that loses it for long.
const BLACKOUT_AT: Duration = Duration::from_secs(1);

/// Nothing else breaks any more once a loss of quorum has lasted this long.
const LULL: Duration = Duration::from_secs(3);

impl<S: SimulatedScheme> Cluster<S> {
    /// Plans the first fault of each kind.
    pub(super) fn plan_faults(&mut self) {
        for fault in [Fault::Partition, Fault::Kill, Fault::Pause, Fault::FullDisk] {
            self.plan_next(fault);
        }
        if self.scenario.network.blackout.is_some() {
            self.schedule(BLACKOUT_AT, Event::Fault(Fault::Blackout));
        }
    }

    /// Plans the next fault of a kind.
    pub(super) fn plan_next(&mut self, fault: Fault) {
        if fault == Fault::Blackout {
            return self.plan_next_cut();
        }
        let outages = &self.scenario.outages;
        let every = match fault {
            Fault::Partition => self.scenario.network.partition_every,
            Fault::Kill => outages.kill_every,
            Fault::Pause => outages.pause_every,
            Fault::FullDisk => outages.full_disk_every,
            Fault::Mend | Fault::Blackout => None,
        };
        if let Some(every) = every {
            let after = self.dice.between(every / 4, every * 2);
            self.schedule(after, Event::Fault(fault));
        }
    }

    /// Something breaks.
    pub(super) fn strike(&mut self, fault: Fault) {
        let passed = self.now.since(Time::ZERO);
        let lull = self.scenario.network.blackout.is_some() && passed > LULL;
        if self.healed.is_some() || (lull && fault != Fault::Blackout) {
            return;
        }
        let node = self.dice.place(self.nodes.len());
        let for_a_while = self.dice.between(
            Duration::from_millis(20),
            self.scenario.parameters.timeout * 3,
        );
        let until = self.now.after(for_a_while);
        match fault {
            Fault::Partition => return self.partition(),
            Fault::Mend => return self.mend(),
            Fault::Blackout => self.black_out(),
            Fault::Kill => {
                let node = self.scenario.outages.victim.unwrap_or(node);
                let kept = self.dice.place(self.nodes[node].disk.unsafe_records() + 1);
                if self.nodes[node].replica.is_some() && !self.is_byzantine(node) {
                    self.note(node, |_| "is killed".to_owned());
                    self.crash(node, kept);
                }
            }
            Fault::Pause => {
                self.note(node, |_| format!("is paused for {for_a_while:?}"));
                self.nodes[node].paused = until;
                self.schedule(for_a_while, Event::Wake { node });
            }
            Fault::FullDisk => {
                self.note(node, |_| format!("has a full disk for {for_a_while:?}"));
                self.nodes[node].disk_full = until;
            }
        }
        self.plan_next(fault);
    }

    /// A paused node goes on: everything that came meanwhile happens now, in its order.
    pub(super) fn wake(&mut self, node: usize) {
        if self.nodes[node].paused > self.now {
            return;
        }
        let all = core::mem::take(&mut self.postponed);
        for (whose, number, event) in all {
            if whose == node {
                self.queue.insert((self.now, number), event);
            } else {
                self.postponed.push((whose, number, event));
            }
        }
    }

    /// A node loses everything that is not on disk, and comes back later. So many of the
    /// records that were written and not flushed are on the disk all the same.
    pub(super) fn crash(&mut self, node: usize, kept: usize) {
        self.note(node, |_| "crashes".to_owned());
        let lost_before = self.nodes[node].disk.is_lost() || self.nodes[node].rejoins > 0;
        self.witness_kept(node, kept);
        self.nodes[node].crash(kept);
        match self.nodes[node].fate {
            Fate::Dead => return,
            Fate::LosesDisk if !lost_before => {
                self.note(node, |_| "loses its disk".to_owned());
                self.nodes[node].disk.lose();
                self.nodes[node].store.lose();
            }
            Fate::DamagesLog if !lost_before => {
                self.note(node, |_| "has a damaged vote log".to_owned());
                self.nodes[node].disk.lose();
            }
            Fate::LosesStore => {
                self.note(node, |_| "loses its store".to_owned());
                self.nodes[node].store.lose();
            }
            _ => {}
        }
        let forgets = self.is_amnesiac(node)
            || (self.sabotage == Sabotage::ForgetsVotes && self.nodes[node].is_honest());
        if forgets {
            let left = amnesiac::remembers(self.nodes[node].disk.records());
            self.nodes[node].disk.replace(left);
        }
        let after = self
            .dice
            .between(Duration::from_millis(5), Duration::from_millis(600));
        self.schedule(after, Event::Start { node });
    }

    /// All nodes crash at once.
    pub(super) fn power_cut(&mut self) {
        self.announce(|| "power cut".to_owned());
        for node in 0..self.nodes.len() {
            if self.nodes[node].replica.is_some() {
                let kept = self.dice.place(self.nodes[node].disk.unsafe_records() + 1);
                self.crash(node, kept);
            }
        }
    }

    /// Both ends of each of a node's connections hear of them.
    pub(super) fn connect(&mut self, node: usize) {
        for peer in 0..self.nodes.len() {
            if peer != node {
                self.connect_pair(node, peer);
            }
        }
    }

    /// Both ends hear of a new connection.
    pub(super) fn connect_pair(&mut self, node: usize, peer: usize) {
        let after = self
            .dice
            .between(Duration::from_millis(1), Duration::from_millis(20));
        self.schedule(after, Event::Reconnect { node, peer });
        let (node, peer) = (peer, node);
        self.schedule(after, Event::Reconnect { node, peer });
    }

    /// Everything heals for good: from here on all must be done in time.
    pub(super) fn heal(&mut self) {
        self.announce(|| "heal".to_owned());
        self.healed = Some(self.now);
        self.stage = None;
        self.perhaps_done = true;
        self.newest_at_heal = self.checkers.newest();
        let members = self.nodes.iter().filter(|node| node.survives());
        let views = members.filter_map(|node| node.replica.as_ref().map(Replica::view));
        self.view_at_heal = views.max().map_or(0, consensus::View::get);
        for node in 0..self.nodes.len() {
            self.nodes[node].paused = self.now;
            self.wake(node);
            self.nodes[node].disk_full = self.now;
            if self.nodes[node].fate == Fate::WrongClock {
                self.nodes[node].clock = Clock::default();
            }
            if self.nodes[node].fate == Fate::Dead && self.nodes[node].replica.is_some() {
                self.crash(node, 0);
            } else if self.nodes[node].fate != Fate::Dead && self.nodes[node].replica.is_none() {
                self.start(node);
            }
        }
        self.mend();
        self.resubmit();
    }
}
