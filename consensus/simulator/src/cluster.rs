//! A whole cluster in one thread: an event queue, and every event's consequences.

mod clients;
mod effects;
mod epochs;
mod event;
mod faults;
mod judge;
mod partition;
mod storage;
mod wire;

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use consensus::{Committee, Effect, Epoch, Input, Time};

use crate::checkers::{Checkers, Violation};
use crate::dice::Dice;
use crate::history::{Deed, History};
use crate::ledger::Plan;
use crate::node::{KEYS_APART, Node};
use crate::sabotage::Sabotage;
use crate::scenario::Scenario;
use crate::scheme::SimulatedScheme;
use crate::trace::Trace;
use crate::twins::Stage;

use clients::Clients;
use event::Event;

/// More events than this wait in no sane run: the fullest of 10,000 seeds had fewer than a fifth.
const WAITING_MAX: usize = 100_000;

/// How a run ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The first broken rule.
    pub violation: Option<Violation>,
    /// How many blocks became final.
    pub height: usize,
    /// The newest epoch.
    pub epoch: Epoch,
    /// How long after the heal everything was done.
    pub healed_in: Duration,
    /// How long after the heal the first block with a transaction became final, if one had to.
    pub recovered_in: Option<Duration>,
    /// The highest view that a member was in when everything healed.
    pub view_at_heal: u64,
    /// Transactions that became final between the turn and the heal.
    pub served: u64,
    /// How long each transaction took to be final at the member that it was sent to.
    pub latencies: Vec<Duration>,
    /// How many contradictions honest members have reported.
    pub accusations: usize,
    /// How many frames left Byzantine members otherwise than their replicas meant.
    pub lies: u64,
    /// The longest time from a start without votes to voting again.
    pub rejoined_in: Option<Duration>,
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
    /// What happens to paused nodes when they go on: whose, and the number of the event.
    postponed: Vec<(usize, u64, Event)>,
    /// Numbers given to events so far.
    events: u64,
    /// The committees so far.
    committees: BTreeMap<Epoch, Committee<S>>,
    /// The nodes.
    nodes: Vec<Node<S>>,
    /// Who does not reach whom.
    cut: BTreeSet<(usize, usize)>,
    /// Since when which two have not reached each other in both directions, where the network is
    /// restless.
    apart: BTreeMap<(usize, usize), Time>,
    /// Who reaches whom in which view, when Twins are on the stage.
    stage: Option<Stage>,
    /// When everything healed.
    healed: Option<Time>,
    /// When the first block with a transaction became final after that.
    recovered: Option<Time>,
    /// The newest final block when everything healed.
    newest_at_heal: consensus::Seq,
    /// The highest view then.
    view_at_heal: u64,
    /// How many frames left Byzantine members otherwise than their replicas meant.
    lies: u64,
    /// The longest time from a start without votes to voting again.
    rejoined_in: Option<Duration>,
    /// Whether something has happened that may have been the last thing.
    perhaps_done: bool,
    /// The clients.
    clients: Clients,
    /// COMMITs sent so far.
    commits: u64,
    /// Batches handed over for execution so far.
    ordered: u64,
    /// The rules.
    checkers: Checkers,
    /// What happened, when wanted.
    trace: Option<Trace>,
    /// What honest members did, when wanted.
    history: Option<History>,
}

impl<S: SimulatedScheme> Cluster<S> {
    /// The cluster of a plan.
    pub fn new(scenario: Scenario, sabotage: Sabotage, dice: Dice, traced: bool) -> Self {
        let genesis: Vec<u16> = (0..scenario.fates.len()).map(|key| key as u16).collect();
        let committee = epochs::committee_of::<S>(Epoch::ZERO, &genesis);
        let changes = scenario.changes.iter().map(|change| change.keys.clone());
        let plan = Arc::new(Plan {
            window: scenario.parameters.window,
            genesis: genesis.clone(),
            changes: changes.collect(),
        });
        let named = plan.changes.iter().flatten().map(|key| key % KEYS_APART);
        let people: BTreeSet<u16> = genesis.into_iter().chain(named).collect();
        let twins = scenario.twins.iter().map(|twin| *twin as u16);
        let nodes = people.into_iter().chain(twins);
        let nodes = nodes.map(|person| Node::new(person, &scenario, &committee, &plan));
        Self {
            sabotage,
            dice,
            now: Time::ZERO,
            queue: BTreeMap::new(),
            postponed: Vec::new(),
            events: 0,
            nodes: nodes.collect(),
            checkers: Checkers::default(),
            committees: BTreeMap::from([(Epoch::ZERO, committee)]),
            cut: BTreeSet::new(),
            apart: BTreeMap::new(),
            stage: None,
            healed: None,
            recovered: None,
            newest_at_heal: consensus::Seq::ZERO,
            view_at_heal: 0,
            lies: 0,
            rejoined_in: None,
            perhaps_done: true,
            clients: Clients::default(),
            commits: 0,
            ordered: 0,
            trace: traced.then(Trace::default),
            history: None,
            scenario,
        }
    }

    /// The same cluster with Twins on the stage.
    #[must_use]
    pub fn with_stage(mut self, stage: Stage) -> Self {
        self.stage = Some(stage);
        self
    }

    /// Runs until all is done, a rule is broken or time is up.
    pub fn run(mut self) -> Outcome {
        self.play()
    }

    /// The same, and gives what the honest members did.
    pub fn run_witnessed(mut self) -> (Outcome, History) {
        self.history = Some(History::default());
        let outcome = self.play();
        (outcome, self.history.unwrap_or_default())
    }

    /// The run itself.
    fn play(&mut self) -> Outcome {
        self.plan();
        while let Some(((at, number), event)) = self.queue.pop_first() {
            self.now = at;
            self.happen(number, event);
            if self.checkers.violation().is_some() || self.is_done() || self.is_late() {
                break;
            }
        }
        self.judge();
        self.outcome()
    }

    /// Fills the queue with what the scenario fixes in advance.
    fn plan(&mut self) {
        for node in 0..self.nodes.len() {
            self.schedule(Duration::ZERO, Event::Start { node });
        }
        self.plan_clients();
        self.plan_faults();
        self.schedule(self.scenario.heal, Event::Heal);
    }

    /// Puts an event into the queue and gives its number. A queue that grows without end ends the
    /// run with its seed, before it ends the machine.
    fn schedule(&mut self, after: Duration, event: Event) -> u64 {
        self.events += 1;
        if self.queue.len() >= WAITING_MAX {
            self.checkers.report(Violation::Storm { at: self.now });
            return self.events;
        }
        let at = self.now.after(after);
        self.queue.insert((at, self.events), event);
        self.events
    }

    /// One event and its consequences. What concerns a paused node waits until it goes on.
    fn happen(&mut self, number: u64, event: Event) {
        if let Some(node) = event
            .node()
            .filter(|node| self.nodes[*node].paused > self.now)
        {
            self.postponed.push((node, number, event));
            return;
        }
        match event {
            Event::Frame { from, to, frame } => self.arrive(from, to, frame),
            Event::Checked { from, to, frame } => self.check(from, to, frame),
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
            Event::Reconnect { node, peer } => self.reconnect(node, peer),
            Event::Look { node } => self.look_around(node),
            Event::Wake { node } => self.wake(node),
            Event::Fault(fault) => self.strike(fault),
            Event::Heal => self.heal(),
        }
    }

    /// Hands an input to a replica and performs what comes of it.
    fn feed(&mut self, node: usize, input: Input) {
        if !matches!(input, Input::Message(_) | Input::Status { .. }) {
            self.note(node, |names| names.input(&input));
        }
        let at = self.nodes[node].local(self.now);
        let Some(replica) = self.nodes[node].replica.as_mut() else {
            return;
        };
        match replica.step(at, input) {
            Ok(effects) => self.perform(node, effects),
            Err(why) => self.note(node, |_| format!("  rejects it: {why}")),
        }
        self.offer(node);
        self.go_on(node);
    }

    /// Gives the primary the batches that it wants.
    fn offer(&mut self, node: usize) {
        let liar = self.misbehaving(node);
        while let Some(batch) = self.nodes[node].cut(self.now, liar) {
            let at = self.nodes[node].local(self.now);
            let Some(replica) = self.nodes[node].replica.as_mut() else {
                return;
            };
            let Ok(effects) = replica.step(at, batch) else {
                return;
            };
            self.perform(node, effects);
        }
    }

    /// Adds a line on a node to the trace.
    fn note(&mut self, node: usize, line: impl FnOnce(&crate::words::Names) -> String) {
        if let Some(trace) = &mut self.trace {
            let line = line(&trace.names);
            trace.line(self.now, &self.nodes[node].name(), &line);
        }
    }

    /// Adds a line on the world to the trace.
    fn announce(&mut self, line: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.line(self.now, "*", &line());
        }
    }

    /// Notes what an honest member did, under the seat that it has in the deed's epoch.
    fn witness(&mut self, node: usize, deed: impl FnOnce() -> Deed) {
        let Some(history) = self.history.as_mut() else {
            return;
        };
        let one = &self.nodes[node];
        if !one.is_honest() {
            return;
        }
        let deed = deed();
        let told = deed.epoch().and_then(|epoch| {
            let committee = self.committees.get(&epoch)?;
            Some((epoch, committee.member(&one.public)?))
        });
        if let Some((epoch, seat)) = told {
            history.deeds.push((epoch, seat, deed));
        }
    }

    /// How a node misbehaves at this time, if it does.
    fn misbehaving(&self, node: usize) -> Option<crate::adversary::Character> {
        let turned = self.now.since(Time::ZERO) >= self.scenario.turn;
        self.nodes[node].character().filter(|_| turned)
    }

    /// Effects of an honest node with a rule taken out of it.
    fn sabotaged(&self, node: usize, effects: Vec<Effect>) -> Vec<Effect> {
        if self.sabotage == Sabotage::None || !self.nodes[node].is_honest() {
            return effects;
        }
        let key = S::of_member(self.nodes[node].key);
        match self.liar(node, &key) {
            Some(liar) => self.sabotage.applied(&liar, effects),
            None => effects,
        }
    }
}
