//! Sequences of inputs for the replica: four of them, one with a liar's key beside it, and dice that
//! decide what happens next. There is no network that means well: any frame that was ever sent may
//! arrive anywhere at any time, changed or not, beside what the liar signs; hosts say what hosts never
//! should; any replica may crash between two effects and come back from its log.

mod chance;
mod forge;
mod host;
mod known;

use core::fmt;
use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};

use consensus::{
    ChainId, Committee, Digest, Effect, Epoch, Frame, Input, Parameters, ReplicaId, Scheme as _,
    Seq, Time, View,
};
use simulator::{Dice, KeyedHash, SimulatedScheme as _};

use host::{Host, World};
use known::Known;

/// How many members.
const MEMBERS: u16 = 4;

/// How many inputs one seed brings.
pub const INPUTS: usize = 1500;

/// The most frames that wait for one replica; the oldest is lost first.
const INBOX: usize = 200;

/// What must never happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Two honest replicas ordered different batches at one place.
    Disagreement(Seq),
    /// An honest replica's result differs from a certified one though all execute alike.
    Diverged(Seq),
    /// An honest replica signed two things that contradict each other.
    Contradiction(ReplicaId, Seq),
    /// An honest replica was accused.
    Slander(ReplicaId),
    /// A step was refused and changed something all the same.
    ChangedOnError(ReplicaId),
    /// More is kept, or brought about by one input, than any window holds.
    Unbounded(ReplicaId, usize),
    /// The same inputs gave other outputs.
    NotRepeatable(ReplicaId),
    /// A replica did not come back from its own log.
    Unrecoverable(ReplicaId),
}

/// What one seed came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Inputs that were taken.
    pub taken: u64,
    /// Inputs that were refused.
    pub refused: u64,
    /// Frames that were refused before they became inputs.
    pub stopped_at_the_edge: u64,
    /// Crashes.
    pub crashes: u64,
    /// Batches ordered.
    pub ordered: u64,
    /// The highest view that an honest replica was in.
    pub view: u64,
    /// The first thing that must never happen.
    pub fault: Option<Fault>,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            taken,
            refused,
            stopped_at_the_edge,
            crashes,
            ordered,
            view,
            ..
        } = self;
        write!(
            f,
            "{taken} inputs taken, {refused} refused, {stopped_at_the_edge} frames stopped at the edge, \
             {crashes} crashes, {ordered} places ordered, highest view {view}"
        )
    }
}

/// A rule that is taken out of the honest hosts, to see that it is missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weakness {
    /// None is.
    None,
    /// Their logs are empty after a crash, and they do not know.
    ForgetsLog,
}

/// One seed under way.
#[derive(Debug)]
pub struct Session {
    /// Chance.
    dice: Dice,
    /// What all hosts share.
    world: World,
    /// The hosts.
    hosts: Vec<Host>,
    /// Frames on their way to each of them.
    inboxes: Vec<VecDeque<(ReplicaId, Frame)>>,
    /// Whose key the forger has.
    liar: usize,
    /// How much of what happens is no honest frame, in 100.
    chaos: u64,
    /// The time.
    now: Time,
    /// Everything that was ever said.
    known: Known,
    /// What honest replicas ordered.
    ordered: BTreeMap<Seq, Digest>,
    /// What honest replicas voted for.
    votes: BTreeMap<(ReplicaId, View, Seq), Digest>,
    /// The rule that is missing.
    weakness: Weakness,
    /// The outcome.
    tally: Tally,
}

/// Plays one seed to its end, or to its first fault.
pub fn play(seed: u64, weakness: Weakness) -> Tally {
    let mut session = Session::new(seed, weakness);
    session.run();
    session.tally
}

/// A session that was played.
pub(crate) fn played(seed: u64) -> Session {
    let mut session = Session::new(seed, Weakness::None);
    session.run();
    session
}

impl Session {
    /// Everything that one seed brings.
    fn run(&mut self) {
        for host in 0..self.hosts.len() {
            self.start(host);
        }
        for _ in 0..INPUTS {
            self.happen();
            if self.tally.fault.is_some() {
                return;
            }
        }
        for host in 0..self.hosts.len() {
            self.repeat(host);
        }
        self.tally.ordered = self.ordered.len() as u64;
    }

    /// What was written and sent, in bytes.
    pub(crate) fn samples(&self) -> Vec<Vec<u8>> {
        let records = self
            .hosts
            .iter()
            .flat_map(|host| host.log().iter().map(consensus::Record::encode));
        self.known.bytes().chain(records).collect()
    }

    /// How many hosts there are.
    pub(crate) const fn hosts(&self) -> usize {
        self.hosts.len()
    }

    /// A host's log.
    pub(crate) fn log(&self, host: usize) -> Vec<consensus::Record> {
        self.hosts[host].log().to_vec()
    }

    /// Whether a host's replica starts from another log.
    pub(crate) fn recovers(&self, host: usize, log: Vec<consensus::Record>) -> bool {
        self.hosts[host].recovers(log, &self.world)
    }

    /// The beginning of a seed.
    fn new(seed: u64, weakness: Weakness) -> Self {
        let mut dice = Dice::new(seed);
        let keys = (0..MEMBERS).map(|member| KeyedHash::of_member(member).public());
        let keys: Vec<_> = keys.collect();
        let committee = Committee::new(ChainId::new([3; 32]), Epoch::ZERO, keys)
            .unwrap_or_else(|error| unreachable!("these keys make a committee: {error}"));
        let window = dice.pick(&[2, 3, 8]);
        let ending = dice.chance(250).then(|| Seq::new(1 + dice.below(6)));
        let parameters = Parameters {
            window,
            depth: 1 + dice.below(4),
            timeout: Duration::from_millis(200),
            heartbeat: Duration::from_secs(2),
            ..Parameters::LAN
        };
        let world = World {
            committee,
            parameters,
            ending,
        };
        let members = world.committee.members();
        let hosts = members.map(|id| Host::new(id, &world)).collect();
        Self {
            liar: dice.place(usize::from(MEMBERS)),
            chaos: dice.pick(&[2, 10, 40]),
            inboxes: vec![VecDeque::new(); usize::from(MEMBERS)],
            dice,
            world,
            hosts,
            now: Time::ZERO,
            known: Known::default(),
            ordered: BTreeMap::new(),
            votes: BTreeMap::new(),
            weakness,
            tally: Tally::default(),
        }
    }

    /// A replica loses what is not on its disk.
    fn crash(&mut self, host: usize) {
        self.repeat(host);
        self.tally.crashes += 1;
        let lost = self.dice.place(4);
        self.hosts[host].crash(lost);
        if self.weakness == Weakness::ForgetsLog {
            self.hosts[host].forget(&self.world);
        }
    }

    /// The log starts afresh with what the replica carries over.
    fn roll(&mut self, host: usize) {
        self.hosts[host].roll();
    }

    /// A replica starts from its log.
    fn start(&mut self, host: usize) {
        match self.hosts[host].start(self.now, &self.world) {
            Some(effects) => self.perform(host, effects),
            None => self.fault(host, Fault::Unrecoverable),
        }
    }

    /// Hands an input to a replica; what it refuses must change nothing.
    fn feed(&mut self, host: usize, input: Input) {
        let now = self.now;
        match self.hosts[host].step(now, input) {
            None => {}
            Some(Ok(effects)) => {
                self.tally.taken += 1;
                self.bounded(host, effects.len());
                self.perform(host, effects);
            }
            Some(Err(unchanged)) => {
                self.tally.refused += 1;
                if !unchanged {
                    self.fault(host, Fault::ChangedOnError);
                }
            }
        }
    }

    /// Nothing grows beyond what a few windows hold.
    fn bounded(&mut self, host: usize, effects: usize) {
        let window = usize::try_from(self.world.parameters.window).unwrap_or(usize::MAX);
        let kept = self.hosts[host].kept();
        let most = (21 * window + 6).max(20 * window * usize::from(MEMBERS));
        let grown = kept.max(effects);
        if grown > most {
            self.fault(host, |id| Fault::Unbounded(id, grown));
        }
    }

    /// Performs effects; a crash may come between any two.
    fn perform(&mut self, host: usize, effects: Vec<Effect>) {
        for effect in effects {
            if self.dice.below(20_000) < self.chaos {
                return self.crash(host);
            }
            self.perform_one(host, effect);
        }
        let view = self.hosts[host]
            .replica
            .as_ref()
            .map_or(0, |replica| replica.view().get());
        if host != self.liar {
            self.tally.view = self.tally.view.max(view);
        }
    }

    /// Performs one effect.
    fn perform_one(&mut self, host: usize, effect: Effect) {
        let honest = host != self.liar;
        let id = self.hosts[host].id;
        match &effect {
            Effect::Broadcast(frame) | Effect::Send(_, frame) => {
                self.known.heard(id, frame);
                self.send(host, &effect, frame);
                if honest {
                    self.judge_frame(id, frame);
                }
            }
            Effect::Execute(committed) if honest => {
                let (seq, digest) = (committed.seq, committed.batch.digest());
                if *self.ordered.entry(seq).or_insert(digest) != digest {
                    self.fault(host, |_| Fault::Disagreement(seq));
                }
            }
            Effect::Evidence(evidence)
                if honest && usize::from(evidence.member.get()) != self.liar =>
            {
                let member = evidence.member;
                self.fault(host, |_| Fault::Slander(member));
            }
            Effect::Diverged(divergence) if honest => {
                let seq = divergence.seq;
                self.fault(host, |_| Fault::Diverged(seq));
            }
            Effect::Persist(record) => self.known.written(record),
            _ => {}
        }
        self.hosts[host].perform(self.now, effect);
    }

    /// Puts a frame on its way.
    fn send(&mut self, host: usize, effect: &Effect, frame: &Frame) {
        let from = self.hosts[host].id;
        for (to, inbox) in self.inboxes.iter_mut().enumerate() {
            let meant = match effect {
                Effect::Send(peer, _) => usize::from(peer.get()) == to,
                _ => to != host,
            };
            if meant {
                inbox.push_back((from, frame.clone()));
            }
            if inbox.len() > INBOX {
                inbox.pop_front();
            }
        }
    }

    /// No honest replica's votes contradict each other.
    fn judge_frame(&mut self, id: ReplicaId, frame: &Frame) {
        let vote = match frame {
            Frame::PrePrepare(one, _) => {
                Some((one.from, one.body.view, one.body.seq, one.body.digest))
            }
            Frame::Prepare(one) => Some((one.from, one.body.view, one.body.seq, one.body.digest)),
            Frame::Commit(one) => Some((one.from, one.body.view, one.body.seq, one.body.digest)),
            _ => None,
        };
        let Some((from, view, seq, digest)) = vote.filter(|vote| vote.0 == id) else {
            return;
        };
        if *self.votes.entry((from, view, seq)).or_insert(digest) != digest {
            self.tally
                .fault
                .get_or_insert(Fault::Contradiction(id, seq));
        }
    }

    /// The inputs of a replica's life once more: the outputs must be the same.
    fn repeat(&mut self, host: usize) {
        if !self.hosts[host].repeats(&self.world) {
            self.fault(host, Fault::NotRepeatable);
        }
    }

    /// Notes a fault of a host; the first one counts.
    fn fault(&mut self, host: usize, fault: impl FnOnce(ReplicaId) -> Fault) {
        let id = self.hosts[host].id;
        self.tally.fault.get_or_insert_with(|| fault(id));
    }
}
