//! One node: a replica with a disk, a pool and an executor, and nothing real about any of them.

use std::collections::{BTreeMap, BTreeSet};

use consensus::{
    Batch, Committee, Input, Log, Pending, Record, Replica, ReplicaId, Seq, Setup, Standing, Time,
    Timer, ValidBatch, Want,
};

use crate::ledger::{self, Store};
use crate::scenario::{Fate, Scenario};
use crate::scheme::SimulatedScheme;

/// How many transactions make a full batch.
const FULL: usize = 4;

/// One node.
#[derive(Debug)]
pub struct Node<S: SimulatedScheme> {
    /// Its place in the committee.
    pub id: ReplicaId,
    /// What the scenario has in mind for it.
    pub fate: Fate,
    /// The running replica; none while the node is down.
    pub replica: Option<Replica<S>>,
    /// Grows at each crash, so that what belongs to an earlier life is ignored.
    pub life: u32,
    /// The vote log.
    pub log: Vec<Record>,
    /// Whether the vote log was lost.
    pub log_lost: bool,
    /// The blocks.
    pub store: Store,
    /// The running timers, by the number of the event that ends them.
    pub timers: BTreeMap<Timer, u64>,
    /// When the executor is done with what it has.
    pub executor_free: Time,
    /// Transactions that are not executed, in order of arrival.
    pub pool: BTreeMap<u64, (u64, Time)>,
    /// Those of them that a proposal of this node holds.
    pub proposed: BTreeSet<u64>,
    /// Every transaction that was executed here.
    pub executed: BTreeSet<u64>,
    /// Arrival numbers given out so far.
    pub arrivals: u64,
    /// What the replica was told of the pool.
    pub told: Pending,
}

impl<S: SimulatedScheme> Node<S> {
    /// A node with the vote log of a member that has signed nothing yet.
    pub fn new(id: ReplicaId, fate: Fate, committee: &Committee<S>) -> Self {
        let key = S::of_member(id.get()).public();
        let chain = committee.chain();
        let first_epoch = committee.epoch();
        Self {
            id,
            fate,
            replica: None,
            life: 0,
            log: vec![
                Record::Key { key },
                Record::Birth {
                    chain,
                    key,
                    first_epoch,
                },
            ],
            log_lost: false,
            store: Store::default(),
            timers: BTreeMap::new(),
            executor_free: Time::ZERO,
            pool: BTreeMap::new(),
            proposed: BTreeSet::new(),
            executed: BTreeSet::new(),
            arrivals: 0,
            told: Pending::default(),
        }
    }

    /// Starts the replica from the disk. `None` when the log cannot be replayed.
    pub fn start(
        &mut self,
        now: Time,
        committee: &Committee<S>,
        scenario: &Scenario,
    ) -> Option<consensus::Effects> {
        let setup = Setup {
            committee: committee.clone(),
            key: S::of_member(self.id.get()),
            parameters: scenario.parameters,
            origin: Seq::ZERO,
        };
        let log = if self.log_lost {
            Log::Damaged
        } else {
            Log::Whole(self.log.clone())
        };
        let store = self
            .store
            .newest(scenario.parameters.window.saturating_mul(2));
        let (replica, effects) = Replica::recover(setup, log, &store, now).ok()?;
        self.replica = Some(replica);
        self.executed = self.store.all_transactions().collect();
        self.executor_free = now;
        Some(effects)
    }

    /// Loses everything that is not on disk.
    pub fn crash(&mut self) {
        self.replica = None;
        self.life = self.life.saturating_add(1);
        self.store.crash();
        self.timers.clear();
        self.pool.clear();
        self.proposed.clear();
        self.executed.clear();
        self.told = Pending::default();
    }

    /// Whether it must be there in the end with everything executed.
    pub const fn survives(&self) -> bool {
        matches!(self.fate, Fate::Honest | Fate::LosesDisk)
    }

    /// Whether it keeps to the protocol.
    pub const fn is_honest(&self) -> bool {
        !matches!(self.fate, Fate::Byzantine(_))
    }

    /// Whether the replica may sign.
    pub fn is_observer(&self) -> bool {
        let standing = self.replica.as_ref().map(Replica::standing);
        matches!(standing, Some(Standing::Observer(_)))
    }

    /// A client's transaction came.
    pub fn submit(&mut self, now: Time, transaction: u64) {
        let known = self.pool.values().any(|(known, _)| *known == transaction);
        if !known && !self.executed.contains(&transaction) && self.replica.is_some() {
            self.arrivals += 1;
            self.pool.insert(self.arrivals, (transaction, now));
        }
    }

    /// What the replica has to be told of the pool, if that has changed.
    pub fn pending(&mut self) -> Option<Input> {
        let oldest = self.pool.first_key_value();
        let pending = Pending {
            oldest: oldest.map(|(arrival, _)| *arrival),
            since: oldest.map_or(Time::ZERO, |(_, (_, since))| *since),
            executed: self.executed.len() as u64,
        };
        let changed = pending != self.told;
        self.told = pending;
        changed.then_some(Input::Pending(pending))
    }

    /// The oldest transaction in the pool.
    pub fn oldest(&self) -> Option<u64> {
        self.pool
            .first_key_value()
            .map(|(_, (transaction, _))| *transaction)
    }

    /// The batch that the replica wants, if there is one.
    pub fn cut(&mut self, now: Time) -> Option<Input> {
        let want = self.replica.as_ref()?.wants_batch()?;
        let fate = self.fate;
        let allowed = |transaction: u64| match fate {
            Fate::Byzantine(character) => character.proposes(transaction),
            Fate::Honest | Fate::Dead | Fate::LosesDisk => true,
        };
        let waiting = self.pool.values().map(|(transaction, _)| *transaction);
        let waiting = waiting.filter(|one| !self.proposed.contains(one) && allowed(*one));
        let chosen: Vec<u64> = waiting.take(FULL).collect();
        let enough = match want {
            Want::Any { .. } => !chosen.is_empty(),
            Want::Full { .. } => chosen.len() == FULL,
            Want::Heartbeat { .. } => true,
        };
        if !enough {
            return None;
        }
        self.proposed.extend(&chosen);
        let batch = ledger::batch(now.as_micros(), &chosen);
        Some(Input::Batch(ValidBatch::checked(batch)))
    }

    /// A view change dropped a batch: its transactions may be proposed again.
    pub fn returned(&mut self, batch: &Batch) {
        for transaction in ledger::transactions(batch) {
            self.proposed.remove(&transaction);
        }
    }

    /// A block was executed: its transactions leave the pool.
    pub fn settle(&mut self, batch: &Batch) {
        for transaction in ledger::transactions(batch) {
            self.executed.insert(transaction);
            self.proposed.remove(&transaction);
            self.pool.retain(|_, (pooled, _)| *pooled != transaction);
        }
    }

    /// Whether it has executed this many transactions, and everything it executed is final.
    pub fn is_done(&self, transactions: u64) -> bool {
        let Some(replica) = &self.replica else {
            return false;
        };
        let all = (0..transactions).all(|one| self.executed.contains(&one));
        all && replica.settled() == replica.executed()
    }
}
