//! Clients: what they send, and how long it takes until it is final.

use core::time::Duration;
use std::collections::BTreeMap;

use consensus::{Seq, Time};

use crate::cluster::Cluster;
use crate::cluster::event::Event;
use crate::ledger::{CHANGES, transactions};
use crate::scenario::Load;
use crate::scheme::SimulatedScheme;

/// What the clients know.
#[derive(Debug, Default)]
pub(super) struct Clients {
    /// Above every ordinary transaction sent so far.
    pub(super) submitted: u64,
    /// How many ordinary transactions were sent so far.
    sent: u64,
    /// When each transaction that is not final was first sent.
    waiting: BTreeMap<u64, Time>,
    /// Changes of the committee, and requests to begin again, sent so far.
    pub(super) special: Vec<u64>,
    /// Transactions that became final between the turn and the heal.
    pub(super) served: u64,
    /// How long each took.
    pub(super) latencies: Vec<Duration>,
}

impl<S: SimulatedScheme> Cluster<S> {
    /// What clients send, as far as that is known in advance.
    pub(super) fn plan_clients(&mut self) {
        let heal = self.scenario.heal;
        match self.scenario.load {
            Load::Spread(count) => {
                for transaction in 0..count {
                    let after = self.dice.between(Duration::from_millis(1), heal);
                    self.schedule(after, Event::Submit { transaction });
                }
            }
            Load::Clients(clients) => {
                for transaction in 0..clients {
                    let after = Duration::from_millis(transaction);
                    self.schedule(after, Event::Submit { transaction });
                }
            }
            Load::Every(pause) => {
                let mut after = pause;
                for transaction in 0.. {
                    if after >= heal {
                        break;
                    }
                    self.schedule(after, Event::Submit { transaction });
                    after += pause;
                }
            }
        }
        let changes = self.scenario.changes.iter().map(|change| change.at);
        for (number, at) in changes.collect::<Vec<_>>().into_iter().enumerate() {
            let transaction = CHANGES + number as u64;
            self.schedule(at, Event::Submit { transaction });
        }
    }

    /// How many ordinary transactions every member must execute.
    pub(super) const fn expected(&self) -> u64 {
        match self.scenario.load {
            Load::Spread(count) => count,
            Load::Clients(_) | Load::Every(_) => self.clients.sent,
        }
    }

    /// A client sends a transaction to all members; before the heal some miss it.
    pub(super) fn submit(&mut self, transaction: u64) {
        let calm = matches!(self.scenario.load, Load::Clients(_) | Load::Every(_));
        let answered = !self.clients.waiting.contains_key(&transaction);
        if calm && self.healed.is_some() && answered && transaction < CHANGES {
            return;
        }
        if transaction < CHANGES {
            self.clients.submitted = self.clients.submitted.max(transaction + 1);
        } else if !self.clients.special.contains(&transaction) {
            self.clients.special.push(transaction);
        }
        let now = self.now;
        if answered {
            self.clients.waiting.insert(transaction, now);
            self.clients.sent += u64::from(transaction < CHANGES);
        }
        for node in 0..self.nodes.len() {
            if self.healed.is_some() || calm || self.dice.chance(850) {
                self.nodes[node].submit(now, transaction);
                self.tell_pending(node);
            }
        }
    }

    /// Clients that have no answer send their transactions again.
    pub(super) fn resubmit(&mut self) {
        let after = Duration::from_millis(1);
        if let Load::Spread(count) = self.scenario.load {
            for transaction in 0..count {
                self.schedule(after, Event::Submit { transaction });
            }
        } else {
            if self.scenario.network.blackout.is_some() {
                self.one_more();
            }
            for transaction in self.clients.waiting.keys().copied().collect::<Vec<_>>() {
                self.schedule(after, Event::Submit { transaction });
            }
        }
        for transaction in self.clients.special.clone() {
            self.schedule(after, Event::Submit { transaction });
        }
    }

    /// Somebody waits for a new transaction, so that there is something to order.
    fn one_more(&mut self) {
        let transaction = self.clients.submitted;
        self.clients.submitted += 1;
        self.clients.sent += 1;
        self.clients.waiting.insert(transaction, self.now);
    }

    /// A block is final at an honest member: clients that sent their transactions to it know.
    pub(super) fn answer(&mut self, node: usize, seq: Seq) {
        let Some(block) = self.nodes[node].store.block(seq) else {
            return;
        };
        for transaction in transactions(&block.batch) {
            if !matches!(self.scenario.load, Load::Clients(_)) && self.home(transaction) != node {
                continue;
            }
            let Some(since) = self.clients.waiting.remove(&transaction) else {
                continue;
            };
            let turned = self.now.since(Time::ZERO) >= self.scenario.turn;
            if turned && self.healed.is_none() {
                self.clients.served += 1;
                self.clients.latencies.push(self.now.since(since));
            }
            self.next_of(transaction);
        }
    }

    /// The honest node whose word a client takes.
    fn home(&self, transaction: u64) -> usize {
        let first = (transaction % self.nodes.len() as u64) as usize;
        let all = (first..self.nodes.len()).chain(0..first);
        let mut honest = all.filter(|node| self.nodes[*node].is_honest());
        honest.next().unwrap_or(first)
    }

    /// A client whose transaction is final sends its next one.
    fn next_of(&mut self, transaction: u64) {
        if let (Load::Clients(clients), None) = (self.scenario.load, self.healed) {
            let transaction = transaction + clients;
            self.schedule(Duration::from_micros(100), Event::Submit { transaction });
        }
    }

    /// Tells the replica of its pool, and offers it a batch.
    pub(super) fn tell_pending(&mut self, node: usize) {
        if let Some(input) = self.nodes[node].pending() {
            self.feed(node, input);
        } else {
            self.offer(node);
        }
    }
}
