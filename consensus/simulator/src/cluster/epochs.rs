//! How nodes go from one epoch to the next, and how those without a seat or without votes do.

use core::time::Duration;
use std::sync::Arc;

use consensus::{ChainId, Committee, Epoch, Input, Replica, ReplicaId, Seq, Standing};

use crate::checkers::Violation;
use crate::checks::Checks;
use crate::cluster::Cluster;
use crate::cluster::event::Event;
use crate::history::Cast;
use crate::ledger::{REJOINS, Term};
use crate::scheme::SimulatedScheme;

/// How often a node without a seat asks how far the others are.
const LOOK: Duration = Duration::from_millis(300);

/// The committee of an epoch.
pub(super) fn committee_of<S: SimulatedScheme>(epoch: Epoch, keys: &[u16]) -> Committee<S> {
    let keys = keys.iter().map(|key| S::of_member(*key).public()).collect();
    let committee = Committee::new(ChainId::new([7; 32]), epoch, keys)
        .unwrap_or_else(|error| unreachable!("simulated keys make a committee: {error}"));
    if S::SHARED {
        committee.remembering(Arc::<Checks>::default())
    } else {
        committee
    }
}

impl<S: SimulatedScheme> Cluster<S> {
    /// A node starts, or starts again.
    pub(super) fn start(&mut self, node: usize) {
        if self.nodes[node].replica.is_some() {
            return;
        }
        self.note(node, |_| "starts".to_owned());
        self.nodes[node].executor_free = self.now;
        self.nodes[node].restore_certificates();
        let (term, end) = self.nodes[node].store.term();
        self.begin(node, &term, end);
        self.connect(node);
        self.perhaps_done = true;
        if self.healed.is_some() {
            self.resubmit();
        }
    }

    /// Starts the replica of an epoch, of which the last block is known or not.
    fn begin(&mut self, node: usize, term: &Term, end: Option<Seq>) {
        let committee = self.committee(term);
        self.checkers.seats(term, &self.nodes);
        self.cast(term);
        let parameters = self.scenario.parameters;
        let setup = (committee, term);
        let effects = self.nodes[node].start(self.now, setup, end, parameters);
        let Some(effects) = effects else {
            let member = self.nodes[node].person;
            return self.checkers.report(Violation::Unrecoverable { member });
        };
        self.note_standing(node);
        self.perform(node, effects);
    }

    /// Notes who plays in an epoch, for whoever judges the run afterwards.
    fn cast(&mut self, term: &Term) {
        let Some(history) = &mut self.history else {
            return;
        };
        let lies = |key: u16| {
            let mut theirs = self.nodes.iter().filter(|node| node.owns(key));
            theirs.any(|node| !node.is_honest())
        };
        let seats = term.keys.iter().enumerate();
        let byzantine = seats.filter(|(_, key)| lies(**key));
        let cast = || Cast {
            origin: term.origin,
            size: term.keys.len(),
            byzantine: byzantine
                .map(|(place, _)| ReplicaId::new(place as u16))
                .collect(),
        };
        history.epochs.entry(term.epoch).or_insert_with(cast);
    }

    /// Notes whether a node votes, and how long it took since it lost its votes.
    fn note_standing(&mut self, node: usize) {
        let standing = self.nodes[node].replica.as_ref().map(Replica::standing);
        let (now, epoch) = (self.now, self.nodes[node].committee.epoch());
        self.note(node, |_| format!("  is {standing:?} in {epoch:?}"));
        if matches!(standing, Some(Standing::Voter(_))) {
            let took = self.nodes[node]
                .without_votes
                .take()
                .map(|since| now.since(since));
            self.rejoined_in = self.rejoined_in.max(took);
            return;
        }
        if self.nodes[node].disk.is_lost() {
            self.nodes[node].without_votes.get_or_insert(now);
        }
        if !core::mem::replace(&mut self.nodes[node].looks, true) {
            self.schedule(LOOK, Event::Look { node });
        }
    }

    /// The committee of a term.
    fn committee(&mut self, term: &Term) -> Committee<S> {
        let made = || committee_of::<S>(term.epoch, &term.keys);
        let committee = self.committees.entry(term.epoch).or_insert_with(made);
        committee.clone()
    }

    /// Goes on to the next epoch when the replica's own is over.
    pub(super) fn go_on(&mut self, node: usize) {
        let replica = self.nodes[node].replica.as_ref();
        let next = self.nodes[node].store.next_term();
        let ended = replica.is_some_and(|replica| replica.ended().is_some());
        let Some(next) = next.filter(|_| ended) else {
            return;
        };
        self.note(node, |_| "its epoch is over".to_owned());
        self.nodes[node].replica = None;
        self.nodes[node].timers.clear();
        self.nodes[node].told = consensus::Pending::default();
        self.nodes[node].proposed.clear();
        self.begin(node, &next, None);
        if self.nodes[node].replica.is_some() {
            self.connect(node);
            self.perhaps_done = true;
            self.tell_pending(node);
        }
    }

    /// A new connection to a peer stands.
    pub(super) fn reconnect(&mut self, node: usize, peer: usize) {
        if let Some(peer) = self.seat_of(node, peer) {
            self.feed(node, Input::Reconnected(peer));
        }
    }

    /// A node without a seat asks how far the others are; one without votes asks for an end of
    /// the epoch, after which it cannot have signed anything.
    pub(super) fn look_around(&mut self, node: usize) {
        let standing = self.nodes[node].replica.as_ref().map(Replica::standing);
        if !matches!(standing, Some(Standing::Observer(_))) {
            self.nodes[node].looks = false;
            return;
        }
        self.schedule(LOOK, Event::Look { node });
        let peer = self.dice.place(self.nodes.len());
        if peer != node {
            self.reconnect(node, peer);
        }
        let waits = self.nodes[node].disk.is_lost() && self.nodes[node].seat.is_some();
        let ending = self.nodes[node].store.term().1.is_some();
        if waits && !ending && self.nodes[node].survives() {
            self.ask_to_begin_again(node);
        }
    }

    /// Submits a request to begin again, unless one is under way.
    fn ask_to_begin_again(&mut self, node: usize) {
        let person = u64::from(self.nodes[node].person);
        let number = |count: u64| REJOINS + person * 1000 + count;
        let last = number(self.nodes[node].rejoins);
        let under_way = self.nodes[node].rejoins > 0 && !self.nodes[node].executed.contains(&last);
        if !under_way {
            self.nodes[node].rejoins += 1;
        }
        let transaction = number(self.nodes[node].rejoins);
        self.schedule(Duration::ZERO, Event::Submit { transaction });
    }

    /// A block is certified at a node that lost its votes: if its own request decided the end
    /// of the epoch in it, its log begins again with the next epoch.
    pub(super) fn begin_again(&mut self, node: usize, seq: Seq) {
        if !self.nodes[node].disk.is_lost() {
            return;
        }
        let Some(block) = self.nodes[node].store.block(seq) else {
            return;
        };
        let first = REJOINS + u64::from(self.nodes[node].person) * 1000;
        let own = |by: u64| (first..first + 1000).contains(&by);
        let decided = block.ending.as_ref().is_some_and(|ending| own(ending.by));
        if decided {
            let next = block.term.epoch.next();
            self.nodes[node].is_born_again(next);
            self.note(node, |_| {
                format!("  its vote log begins again with {next:?}")
            });
        }
    }

    /// The nodes of the member with this seat in a node's epoch; twins are two.
    pub(super) fn seated(&self, node: usize, seat: ReplicaId) -> Vec<usize> {
        let Some(key) = self.nodes[node].members.get(usize::from(seat.get())) else {
            return Vec::new();
        };
        let all = self.nodes.iter().enumerate();
        let theirs = all.filter(|(_, one)| one.owns(*key));
        theirs.map(|(place, _)| place).collect()
    }

    /// Another node's seat in a node's epoch. A connection stands for a person: it outlives
    /// that person's key.
    pub(super) fn seat_of(&self, node: usize, other: usize) -> Option<ReplicaId> {
        let other = &self.nodes[other];
        let mut members = self.nodes[node].members.iter();
        let place = members.position(|key| other.owns(*key))?;
        Some(ReplicaId::new(place as u16))
    }
}
