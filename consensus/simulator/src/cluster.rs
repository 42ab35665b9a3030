//! A whole cluster in one thread: an event queue, and every event's consequences.

mod effects;
mod faults;
mod wire;

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use consensus::{
    Batch, CertifiedBlock, ChainId, Committee, Epoch, Frame, Input, ReplicaId, Seq, Time, Timer,
};

use crate::checkers::{Checkers, Violation};
use crate::dice::Dice;
use crate::node::Node;
use crate::sabotage::Sabotage;
use crate::scenario::{Fate, Scenario};
use crate::scheme::SimulatedScheme;

/// How long after everything healed all must be done.
const PATIENCE: Duration = Duration::from_mins(1);

/// Something that will happen.
#[derive(Debug)]
enum Event {
    /// A frame arrives.
    Frame {
        from: usize,
        to: usize,
        frame: Frame,
    },
    /// A timer runs out.
    Timer { node: usize, timer: Timer },
    /// An executor is done.
    Executed {
        node: usize,
        life: u32,
        batch: Batch,
    },
    /// Blocks arrive that were asked for.
    Fetched {
        node: usize,
        life: u32,
        blocks: Vec<CertifiedBlock>,
    },
    /// A node starts.
    Start { node: usize },
    /// A client submits a transaction.
    Submit { transaction: u64 },
    /// A new connection stands.
    Reconnect { node: usize, peer: usize },
    /// Some nodes no longer reach some others.
    Partition,
    /// All reach all again.
    Mend,
    /// Everything heals for good.
    Heal,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The first broken rule.
    pub violation: Option<Violation>,
    /// How many blocks became final.
    pub height: usize,
    /// How long after the heal everything was done.
    pub healed_in: Duration,
    /// What happened, when a trace was wanted.
    pub trace: Vec<String>,
}

/// A cluster.
#[derive(Debug)]
pub struct Cluster<S: SimulatedScheme> {
    /// The plan.
    scenario: Scenario,
    /// The rule that is taken out.
    sabotage: Sabotage,
    /// Chance.
    dice: Dice,
    /// The time.
    now: Time,
    /// What will happen when; the number keeps events of one time in order.
    queue: BTreeMap<(Time, u64), Event>,
    /// Numbers given to events so far.
    events: u64,
    /// The members.
    committee: Committee<S>,
    /// The nodes.
    nodes: Vec<Node<S>>,
    /// Who does not reach whom.
    cut: BTreeSet<(usize, usize)>,
    /// When everything healed.
    healed: Option<Time>,
    /// Transactions submitted so far.
    submitted: u64,
    /// COMMITs sent so far.
    commits: u64,
    /// Batches handed over for execution so far.
    ordered: u64,
    /// The rules.
    checkers: Checkers,
    /// What happened, when wanted.
    trace: Option<Vec<String>>,
}

impl<S: SimulatedScheme> Cluster<S> {
    /// The cluster of a plan.
    pub fn new(scenario: Scenario, sabotage: Sabotage, dice: Dice, traced: bool) -> Self {
        let size = u16::try_from(scenario.fates.len()).unwrap_or(u16::MAX);
        let keys = (0..size)
            .map(|member| S::of_member(member).public())
            .collect();
        let committee = Committee::new(ChainId::new([7; 32]), Epoch::ZERO, keys)
            .unwrap_or_else(|error| unreachable!("simulated keys make a committee: {error}"));
        let fates = scenario.fates.iter().zip(committee.members());
        let nodes: Vec<Node<S>> = fates
            .map(|(fate, id)| Node::new(id, *fate, &committee))
            .collect();
        let byzantine = nodes
            .iter()
            .filter(|node| !node.is_honest())
            .map(|node| node.id);
        let checkers = Checkers::new(byzantine.collect::<Vec<ReplicaId>>());
        Self {
            sabotage,
            dice,
            now: Time::ZERO,
            queue: BTreeMap::new(),
            events: 0,
            committee,
            nodes,
            cut: BTreeSet::new(),
            healed: None,
            submitted: 0,
            commits: 0,
            ordered: 0,
            checkers,
            trace: traced.then(Vec::new),
            scenario,
        }
    }

    /// Runs until all is done, a rule is broken or time is up.
    pub fn run(mut self) -> Outcome {
        self.plan();
        let mut done_at = self.now;
        while let Some(((at, number), event)) = self.queue.pop_first() {
            self.now = at;
            self.happen(number, event);
            done_at = self.now;
            if self.checkers.violation().is_some() || self.is_done() || self.is_late() {
                break;
            }
        }
        self.judge();
        Outcome {
            violation: self.checkers.violation().cloned(),
            height: self.checkers.height(),
            healed_in: self
                .healed
                .map_or(Duration::ZERO, |healed| done_at.since(healed)),
            trace: self.trace.unwrap_or_default(),
        }
    }

    /// Fills the queue with what the scenario fixes in advance.
    fn plan(&mut self) {
        for node in 0..self.nodes.len() {
            self.schedule(Duration::ZERO, Event::Start { node });
        }
        let heal = self.scenario.heal;
        for transaction in 0..self.scenario.transactions {
            let after = self.dice.between(Duration::from_millis(1), heal);
            self.schedule(after, Event::Submit { transaction });
        }
        if let Some(every) = self.scenario.partition_every {
            let after = self.dice.between(every / 4, every);
            self.schedule(after, Event::Partition);
        }
        self.schedule(heal, Event::Heal);
    }

    /// Puts an event into the queue and gives its number.
    fn schedule(&mut self, after: Duration, event: Event) -> u64 {
        self.events += 1;
        self.queue
            .insert((self.now.after(after), self.events), event);
        self.events
    }

    /// One event and its consequences.
    fn happen(&mut self, number: u64, event: Event) {
        match event {
            Event::Frame { from, to, frame } => self.arrive(from, to, frame),
            Event::Timer { node, timer } => {
                if self.nodes[node].timers.get(&timer) == Some(&number) {
                    self.nodes[node].timers.remove(&timer);
                    self.feed(node, Input::Expired(timer));
                }
            }
            Event::Executed { node, life, batch } => self.execute(node, life, &batch),
            Event::Fetched { node, life, blocks } => {
                for block in blocks {
                    if self.nodes[node].life == life {
                        self.feed(node, Input::Fetched(block));
                    }
                }
            }
            Event::Start { node } => self.start(node),
            Event::Submit { transaction } => self.submit(transaction),
            Event::Reconnect { node, peer } => {
                let peer = self.nodes[peer].id;
                self.feed(node, Input::Reconnected(peer));
            }
            Event::Partition => self.partition(),
            Event::Mend => self.mend(),
            Event::Heal => self.heal(),
        }
    }

    /// A client sends a transaction to all members; before the heal some miss it.
    fn submit(&mut self, transaction: u64) {
        self.submitted = self.submitted.max(transaction + 1);
        for node in 0..self.nodes.len() {
            if self.healed.is_some() || self.dice.chance(850) {
                self.nodes[node].submit(self.now, transaction);
                self.tell_pending(node);
            }
        }
    }

    /// Tells the replica of its pool, and offers it a batch.
    fn tell_pending(&mut self, node: usize) {
        if let Some(input) = self.nodes[node].pending() {
            self.feed(node, input);
        } else {
            self.offer(node);
        }
    }

    /// An executor is done with a batch.
    fn execute(&mut self, node: usize, life: u32, batch: &Batch) {
        if self.nodes[node].life != life {
            return;
        }
        let (seq, header) = self.nodes[node].store.execute(batch.clone());
        self.nodes[node].settle(batch);
        if self.dice.chance(300) {
            self.nodes[node].store.flush();
        }
        if self.nodes[node].is_honest()
            && let Some(block) = self.nodes[node].store.block(seq)
        {
            self.checkers.executed(seq, block, self.submitted);
        }
        self.feed(
            node,
            Input::Executed {
                seq,
                header,
                epoch_end: None,
            },
        );
        self.tell_pending(node);
        self.roll_log(node);
    }

    /// Now and then the vote log starts afresh with what the replica carries over.
    fn roll_log(&mut self, node: usize) {
        let wanted = self.sabotage == Sabotage::None && self.dice.chance(60);
        let node = &mut self.nodes[node];
        if let Some(replica) = node.replica.as_ref().filter(|_| wanted && !node.log_lost) {
            node.store.flush();
            node.log = replica.carry_over();
        }
    }

    /// Hands an input to a replica and performs what comes of it.
    fn feed(&mut self, node: usize, input: Input) {
        let (now, id) = (self.now, self.nodes[node].id);
        let Some(replica) = self.nodes[node].replica.as_mut() else {
            return;
        };
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{now:?} {id:?} <- {input:?}"));
        }
        match replica.step(self.now, input) {
            Ok(effects) => self.perform(node, effects),
            Err(why) => {
                if let Some(trace) = &mut self.trace {
                    trace.push(format!("    rejected: {why}"));
                }
            }
        }
        self.offer(node);
    }

    /// Gives the primary the batches that it wants.
    fn offer(&mut self, node: usize) {
        while let Some(batch) = self.nodes[node].cut(self.now) {
            let Some(replica) = self.nodes[node].replica.as_mut() else {
                return;
            };
            let Ok(effects) = replica.step(self.now, batch) else {
                return;
            };
            self.perform(node, effects);
        }
    }

    /// Whether everything that must be executed is, everywhere.
    fn is_done(&self) -> bool {
        let last = self.checkers.newest();
        let mut members = self.nodes.iter().filter(|node| node.survives());
        self.healed.is_some()
            && members
                .all(|node| node.is_done(self.scenario.transactions) && node.store.height() == last)
    }

    /// Whether the time for it is over.
    fn is_late(&self) -> bool {
        self.healed
            .is_some_and(|healed| self.now.since(healed) > PATIENCE)
    }

    /// The checks at the end.
    fn judge(&mut self) {
        let stuck = self
            .nodes
            .iter()
            .find(|node| node.survives() && !node.is_done(self.scenario.transactions));
        if let Some(node) = stuck {
            self.checkers.report(Violation::Stuck { member: node.id });
            let told = node
                .replica
                .as_ref()
                .map(|replica| replica.explanation(self.now));
            self.note(|| format!("stuck: {told:?}"));
        }
        for node in self.nodes.iter().filter(|node| node.survives()) {
            let header = |seq: Seq| node.store.block(seq).map(|block| block.hash);
            self.checkers.keeps_everything(node.id, header);
        }
    }

    /// Adds a line to the trace.
    fn note(&mut self, line: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.push(line());
        }
    }

    /// Whether a node is Byzantine.
    fn is_byzantine(&self, node: usize) -> bool {
        matches!(self.nodes[node].fate, Fate::Byzantine(_))
    }
}
