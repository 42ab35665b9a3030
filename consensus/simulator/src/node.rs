//! One node: a replica with a disk, a pool and an executor, and nothing real about any of them.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use consensus::{
    Batch, Committee, Epoch, Frame, Input, Parameters, Pending, PublicKey, Record, Replica,
    ReplicaId, Seq, Setup, Standing, Time, Timer, ValidBatch, Want,
};

use crate::adversary::{Character, Memory};
use crate::checks::Checks;
use crate::disk::Disk;
use crate::ledger::{self, CHANGES, Plan, Store, Term};
use crate::scenario::{Clock, Fate, Processor, Scenario};
use crate::scheme::SimulatedScheme;
use crate::words::Names;

/// How many transactions make a full batch.
const FULL: usize = 4;

/// The number of a person's second key is so much higher than that of the first.
pub(crate) const KEYS_APART: u16 = 100;

/// The time of day at the start of every run, in milliseconds since 1970.
const NOON_MS: u64 = 1_700_000_000_000;

/// How far off a wrong clock is.
const HOUR_MS: i64 = 3_600_000;

/// One node.
#[derive(Debug)]
pub struct Node<S: SimulatedScheme> {
    /// Whose node it is; twins have one number.
    pub person: u16,
    /// The number of its key.
    pub key: u16,
    /// The public half of its key.
    pub public: PublicKey,
    /// What the scenario has in mind for it.
    pub fate: Fate,
    /// How wrong its clocks are.
    pub clock: Clock,
    /// The members of the epoch that it is in.
    pub committee: Committee<S>,
    /// Their keys by number, in order.
    pub members: Vec<u16>,
    /// Its place among them, if it has one.
    pub seat: Option<ReplicaId>,
    /// The running replica; none while the node is down.
    pub replica: Option<Replica<S>>,
    /// Grows at each crash, so that what belongs to an earlier life is ignored.
    pub life: u32,
    /// The vote log.
    pub disk: Disk,
    /// The blocks.
    pub store: Store,
    /// The running timers, by the number of the event that ends them.
    pub timers: BTreeMap<Timer, u64>,
    /// When the executor is done with what it has.
    pub executor_free: Time,
    /// When the processor is done with the signatures that it has.
    pub processor_free: Time,
    /// Until when the process is stopped.
    pub paused: Time,
    /// Until when nothing can be written.
    pub disk_full: Time,
    /// Transactions that are not executed, in order of arrival.
    pub pool: BTreeMap<u64, (u64, Time)>,
    /// Those of them that a proposal of this node holds.
    pub proposed: BTreeSet<u64>,
    /// Every transaction that was executed here.
    pub executed: BTreeSet<u64>,
    /// Arrival numbers given out so far.
    pub arrivals: u64,
    /// Whether it asks the others now and then how far they are.
    pub looks: bool,
    /// Since when it has run without its votes.
    pub without_votes: Option<Time>,
    /// How often it has asked to begin again.
    pub rejoins: u64,
    /// What the replica was told of the pool.
    pub told: Pending,
    /// What it remembers as a Byzantine member.
    pub memory: Memory,
    /// What it remembers of signatures in its epoch, if it does.
    pub checks: Option<Arc<Checks>>,
}

impl<S: SimulatedScheme> Node<S> {
    /// A node with the vote log of a member that has signed nothing yet.
    pub fn new(
        person: u16,
        scenario: &Scenario,
        committee: &Committee<S>,
        plan: &Arc<Plan>,
    ) -> Self {
        let place = usize::from(person);
        let fate = scenario.fates.get(place).copied().unwrap_or(Fate::Honest);
        let clock = scenario.clocks.get(place).copied().unwrap_or_default();
        let wrong = i64::from(fate == Fate::WrongClock) * HOUR_MS;
        Self {
            person,
            key: person,
            public: S::of_member(person).public(),
            fate,
            clock: Clock {
                skew_ms: clock.skew_ms + wrong,
                ..clock
            },
            committee: committee.clone(),
            members: Vec::new(),
            looks: false,
            seat: None,
            replica: None,
            life: 0,
            disk: Disk::new(birth::<S>(committee, person, Epoch::ZERO)),
            store: Store::new(Arc::clone(plan)),
            timers: BTreeMap::new(),
            executor_free: Time::ZERO,
            processor_free: Time::ZERO,
            paused: Time::ZERO,
            disk_full: Time::ZERO,
            pool: BTreeMap::new(),
            proposed: BTreeSet::new(),
            executed: BTreeSet::new(),
            arrivals: 0,
            without_votes: None,
            rejoins: 0,
            told: Pending::default(),
            memory: Memory::default(),
            checks: (scenario.encoded || scenario.processor.is_some()).then(Arc::default),
        }
    }

    /// Starts the replica of an epoch from the disk. `None` when the log cannot be replayed.
    pub fn start(
        &mut self,
        now: Time,
        (committee, term): (Committee<S>, &Term),
        end: Option<Seq>,
        parameters: Parameters,
    ) -> Option<consensus::Effects> {
        self.take_key(term, &committee);
        self.seat = committee.member(&self.public);
        self.committee = committee.clone();
        if let Some(checks) = &mut self.checks {
            *checks = Arc::default();
            let memory: Arc<dyn consensus::Memory> = Arc::<Checks>::clone(checks);
            self.committee = committee.clone().remembering(memory);
        }
        self.members.clone_from(&term.keys);
        let setup = Setup {
            committee,
            key: S::of_member(self.key),
            parameters,
            origin: term.origin,
            end,
        };
        let store = self.store.newest(parameters.window.saturating_mul(2));
        let at = self.local(now);
        let (replica, effects) = Replica::recover(setup, self.disk.read(), &store, at).ok()?;
        self.replica = Some(replica);
        self.executed = self.store.all_transactions().collect();
        Some(effects)
    }

    /// Takes over into the store what the vote log alone still has: the certificates of the
    /// newest blocks.
    pub fn restore_certificates(&mut self) {
        for record in self.disk.records() {
            if let Record::Stable { certificate } | Record::CaughtUp { certificate, .. } = record {
                self.store.certify(certificate.clone());
            }
        }
    }

    /// Takes the new key under which this epoch knows it, with a vote log of its own. The old
    /// key is gone then, also where the store goes back to an epoch that knew it; so the store
    /// must hold all that the old log could bring back: often nobody else has it.
    fn take_key(&mut self, term: &Term, committee: &Committee<S>) {
        let key = term.keys.iter().find(|key| self.owns(**key)).copied();
        if let Some(key) = key.filter(|key| *key > self.key) {
            self.key = key;
            self.public = S::of_member(key).public();
            self.store.flush();
            self.disk = Disk::new(birth::<S>(committee, key, term.epoch));
        }
    }

    /// How long it takes to check a frame's signatures.
    pub fn work_on(&self, costs: Processor, from: Option<ReplicaId>, frame: &Frame) -> Duration {
        let Some(checks) = &self.checks else {
            return Duration::ZERO;
        };
        let before = checks.counts();
        let from = from.unwrap_or(ReplicaId::new(u16::MAX));
        // What comes of it is for later: until then it waits for the processor.
        drop(frame.clone().verify(from, &self.committee));
        let after = checks.counts();
        costs.verify * (after.0 - before.0) + costs.recall * (after.1 - before.1)
    }

    /// Whether a key is its owner's.
    pub const fn owns(&self, key: u16) -> bool {
        key % KEYS_APART == self.person
    }

    /// How it is called.
    pub fn name(&self) -> String {
        Names::familiar().member(ReplicaId::new(self.person))
    }

    /// Begins again in a later epoch after a loss of votes.
    pub fn is_born_again(&mut self, first: Epoch) {
        let records = birth::<S>(&self.committee, self.key, first);
        self.disk.replace(records);
    }

    /// Loses everything that is not on disk; so many written records are.
    pub fn crash(&mut self, kept: usize) {
        self.replica = None;
        self.life = self.life.saturating_add(1);
        self.disk.crash(kept);
        self.store.crash();
        self.timers.clear();
        self.pool.clear();
        self.proposed.clear();
        self.executed.clear();
        self.paused = Time::ZERO;
        self.told = Pending::default();
    }

    /// What its monotonic clock shows.
    pub fn local(&self, now: Time) -> Time {
        Time::from_micros(scaled(now.as_micros(), self.clock.drift_ppm))
    }

    /// How long its timer of this length really runs.
    pub fn really(&self, after: Duration) -> Duration {
        let micros = u64::try_from(after.as_micros()).unwrap_or(u64::MAX);
        Duration::from_micros(scaled(micros, -self.clock.drift_ppm))
    }

    /// The time of day that it believes it is, in milliseconds.
    pub const fn time_of_day(&self, now: Time) -> u64 {
        time_of_day(now).saturating_add_signed(self.clock.skew_ms)
    }

    /// Whether it must be there in the end with everything executed.
    pub const fn survives(&self) -> bool {
        !matches!(self.fate, Fate::Byzantine(_) | Fate::Dead)
    }

    /// Whether it keeps to the protocol.
    pub const fn is_honest(&self) -> bool {
        !matches!(self.fate, Fate::Byzantine(_))
    }

    /// How it misbehaves, if it does.
    pub const fn character(&self) -> Option<Character> {
        match self.fate {
            Fate::Byzantine(character) => Some(character),
            _ => None,
        }
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
            let since = self.local(now);
            self.pool.insert(self.arrivals, (transaction, since));
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

    /// The batch that the replica wants, if there is one. A Byzantine one makes it in its way.
    pub fn cut(&mut self, now: Time, liar: Option<Character>) -> Option<Input> {
        let want = self.replica.as_ref()?.wants_batch()?;
        let allowed = |transaction: u64| liar.is_none_or(|liar| liar.proposes(transaction));
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
        let time_ms = self.time_of_day(now);
        let batch = match liar {
            Some(liar) => liar.cuts(&mut self.memory, time_ms, &chosen),
            None => ledger::batch(time_ms, &chosen),
        };
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
        let all = self.executed.range(..CHANGES).count() as u64 >= transactions;
        let settled = |replica: &Replica<S>| replica.settled() == replica.executed();
        all && self.replica.as_ref().is_some_and(settled)
    }
}

/// A vote log whose owner has signed nothing before this epoch.
fn birth<S: SimulatedScheme>(
    committee: &Committee<S>,
    key: u16,
    first_epoch: Epoch,
) -> Vec<Record> {
    let (chain, key) = (committee.chain(), S::of_member(key).public());
    let whole = Record::Birth {
        chain,
        key,
        first_epoch,
    };
    vec![Record::Key { key }, whole]
}

/// The true time of day, in milliseconds.
pub(crate) const fn time_of_day(now: Time) -> u64 {
    NOON_MS + now.as_micros() / 1000
}

/// A number of microseconds as a clock counts them that runs so much faster.
fn scaled(micros: u64, ppm: i64) -> u64 {
    let off = i128::from(micros) * i128::from(ppm) / 1_000_000;
    u64::try_from(i128::from(micros) + off).unwrap_or(0)
}
