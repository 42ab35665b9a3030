//! Partitions: halves, one-way cuts, rings, and losses of quorum.

use core::time::Duration;
use std::collections::BTreeSet;

use crate::cluster::Cluster;
use crate::cluster::event::{Event, Fault};
use crate::scenario::Blackout;
use crate::scheme::SimulatedScheme;

/// How long nothing may be heard before a connection is given up.
const SILENCE: Duration = Duration::from_secs(3);

/// How long a restless network is broken in one way.
const BREAKS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(8));

impl<S: SimulatedScheme> Cluster<S> {
    /// Some nodes no longer reach some others.
    pub(super) fn partition(&mut self) {
        let size = self.nodes.len();
        let east: Vec<bool> = (0..size).map(|_| self.dice.chance(400)).collect();
        let one = self.dice.place(size);
        let (name, cut): (&str, &dyn Fn(usize, usize) -> bool) = match self.dice.below(8) {
            0..=2 => ("in two", &|from, to| east[from] != east[to]),
            3 => ("one way", &|from, to| east[from] && !east[to]),
            4 => ("in a ring", &|from, to| {
                let apart = from.abs_diff(to);
                apart > 1 && apart != size - 1
            }),
            5 => ("in two with a bridge", &|from, to| {
                east[from] != east[to] && from != one && to != one
            }),
            6 => ("one mute", &|from, _| from == one),
            _ => ("one deaf", &|_, to| to == one),
        };
        for from in 0..size {
            for to in 0..size {
                if from != to && cut(from, to) {
                    self.cut.insert((from, to));
                }
            }
        }
        self.announce(|| format!("partition {name}, {east:?}, node {one}"));
        if let Some(every) = self.scenario.network.partition_every {
            let after = self.dice.between(every / 4, every * 2);
            self.schedule(after, Event::Fault(Fault::Mend));
        }
    }

    /// A node reaches nobody, and nobody reaches it.
    pub(super) fn isolate(&mut self, node: usize) {
        self.note(node, |_| "is cut off".to_owned());
        for peer in 0..self.nodes.len() {
            self.cut.insert((node, peer));
            self.cut.insert((peer, node));
        }
    }

    /// A quorum is lost.
    pub(super) fn black_out(&mut self) {
        if self.scenario.network.blackout == Some(Blackout::Restless) {
            return self.cut_otherwise();
        }
        let size = self.nodes.len();
        // Of three the larger half is a quorum.
        let quorum = (size + consensus::faults(size) + 1).div_ceil(2);
        let alone = self.dice.chance(500) || size.div_ceil(2) >= quorum;
        for from in 0..size {
            for to in 0..size {
                if from != to && (alone || from % 2 != to % 2) {
                    self.cut.insert((from, to));
                }
            }
        }
        self.announce(|| "nobody reaches a quorum".to_owned());
    }

    /// The network breaks in another way than before.
    fn cut_otherwise(&mut self) {
        self.cut = self.shape();
        let cut = format!("{:?}", self.cut);
        self.announce(|| format!("cut: {cut}"));
        self.reconnect_pairs();
    }

    /// Connections end only where a cut lasts: those whose ends reach each other after longer than
    /// [`SILENCE`] are made anew.
    fn reconnect_pairs(&mut self) {
        for one in 0..self.nodes.len() {
            for other in 0..one {
                let apart = self.cut.contains(&(one, other)) || self.cut.contains(&(other, one));
                if apart {
                    self.apart.entry((one, other)).or_insert(self.now);
                    continue;
                }
                let since = self.apart.remove(&(one, other));
                if since.is_some_and(|since| self.now.since(since) > SILENCE) {
                    self.connect_pair(one, other);
                }
            }
        }
    }

    /// One of the shapes in which networks break, as the runs with real members know them.
    fn shape(&mut self) -> BTreeSet<(usize, usize)> {
        let size = self.nodes.len();
        let mut order: Vec<usize> = (0..size).collect();
        for place in (1..size).rev() {
            order.swap(place, self.dice.place(place + 1));
        }
        let place = |node: usize| order.iter().position(|one| *one == node).unwrap_or(node);
        let kind = self.dice.below(8);
        let victim = match kind {
            2 | 3 => self.primary(),
            _ => self.dice.place(size),
        };
        let mut cut = BTreeSet::new();
        for from in 0..size {
            for to in (0..size).filter(|to| *to != from) {
                let lost = match kind {
                    0 | 1 => place(from) < size / 2 && place(to) >= size / 2,
                    2 | 5 => from == victim,
                    3 | 4 => to == victim,
                    6 => {
                        let apart = place(from).abs_diff(place(to));
                        apart > 1 && apart != size - 1
                    }
                    _ => self.dice.chance(333),
                };
                if lost {
                    cut.insert((from, to));
                    if kind < 3 {
                        cut.insert((to, from));
                    }
                }
            }
        }
        cut
    }

    /// The primary of the highest view that an honest member is in.
    fn primary(&self) -> usize {
        let honest = self.nodes.iter().filter(|node| node.is_honest());
        let views = honest.filter_map(|node| Some((node.replica.as_ref()?.view(), node)));
        let highest = views.max_by_key(|(view, _)| *view);
        let primary = highest.map(|(view, node)| node.committee.primary(view));
        primary.map_or(0, |primary| usize::from(primary.get()))
    }

    /// When the network breaks in another way.
    pub(super) fn plan_next_cut(&mut self) {
        if self.scenario.network.blackout == Some(Blackout::Restless) {
            let after = self.dice.between(BREAKS.0, BREAKS.1);
            self.schedule(after, Event::Fault(Fault::Blackout));
        }
    }

    /// All reach all again.
    pub(super) fn mend(&mut self) {
        let dark = self.scenario.network.blackout.is_some() && self.healed.is_none();
        if dark && self.now.since(consensus::Time::ZERO).as_secs() >= 1 {
            return;
        }
        self.announce(|| "all reach all".to_owned());
        self.cut.clear();
        if self.scenario.network.blackout == Some(Blackout::Restless) {
            return self.reconnect_pairs();
        }
        for node in 0..self.nodes.len() {
            self.connect(node);
        }
        if self.healed.is_none() {
            self.plan_next(Fault::Partition);
        }
    }
}
