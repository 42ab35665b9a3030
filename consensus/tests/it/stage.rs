//! The stage for transcripts: a few replicas whose every message is delivered by hand.

mod epochs;
mod pitfalls;

use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};

use consensus::{
    Batch, ChainId, Commit, Committed, Committee, Digest, Domain, Effect, Epoch, Frame, Input,
    Message, Parameters, Pending, PrePrepare, Proposed, Record, Replica, ReplicaId, Seq, Signed,
    Time, Timer, ValidBatch, View,
};
use consensus::{Prepare, Scheme as _};
use simulator::{KeyedHash, Names, SimulatedScheme as _};

use self::epochs::Terms;

/// One replica and its disk.
#[derive(Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "two facts of one disk and one host"
)]
struct Actor {
    /// The running replica.
    replica: Option<Replica<KeyedHash>>,
    /// Its vote log.
    log: Vec<Record>,
    /// Whether the log is lost.
    lost: bool,
    /// Whether its host finds every batch invalid.
    strict: bool,
    /// Header hash and bytes of each executed block, its batch, and its certificate.
    chain: Vec<(Digest, Vec<u8>, Batch)>,
    /// Certificates by height.
    certificates: BTreeMap<Seq, consensus::CheckpointCertificate>,
    /// Batches that wait for the executor.
    orders: VecDeque<Committed>,
    /// When each timer runs out.
    timers: BTreeMap<Timer, Time>,
    /// How many transactions it says it has executed.
    executed: u64,
    /// The epoch of the running replica.
    epoch: Epoch,
}

/// All replicas and what is on its way between them.
pub(crate) struct Stage {
    /// The committees, epoch by epoch.
    terms: Terms,
    /// W.
    window: u64,
    /// The replicas.
    actors: Vec<Actor>,
    /// Frames under way, by sender and receiver.
    links: BTreeMap<(usize, usize), VecDeque<Frame>>,
    /// The time.
    now: Time,
    /// Names of digests.
    names: Names,
    /// What has happened since it was last asked.
    lines: Vec<String>,
}

impl Stage {
    /// A stage with so many replicas, none of them started.
    pub(crate) fn new(size: u16) -> Self {
        let keys = (0..size)
            .map(|member| KeyedHash::of_member(member).public())
            .collect();
        let committee = Committee::<KeyedHash>::new(ChainId::new([1; 32]), Epoch::ZERO, keys);
        let committee = committee.unwrap();
        let mut names = Names::default();
        for letter in 'a'..='z' {
            names.name(batch(&letter.to_string()).digest(), letter.to_string());
        }
        let mut actors = Vec::new();
        for key in committee.keys() {
            let (chain, key, first_epoch) = (committee.chain(), *key, Epoch::ZERO);
            let log = vec![
                Record::Key { key },
                Record::Birth {
                    chain,
                    key,
                    first_epoch,
                },
            ];
            actors.push(Actor {
                log,
                ..Actor::default()
            });
        }
        let links = BTreeMap::new();
        Self {
            terms: Terms::new(committee),
            window: Parameters::LAN.window,
            actors,
            links,
            now: Time::ZERO,
            names,
            lines: Vec::new(),
        }
    }

    /// Makes the window smaller than it is in the field.
    pub(crate) const fn narrow(&mut self, window: u64) {
        self.window = window;
    }

    /// Does what one line of a transcript says, and gives what came of it.
    pub(crate) fn play(&mut self, line: &str) -> Vec<String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["start", who @ ..] => who.iter().for_each(|who| self.start(place(who))),
            ["crash", who @ ..] => who.iter().for_each(|who| self.crash(place(who))),
            ["power", "cut"] => (0..self.actors.len()).for_each(|who| self.crash(who)),
            [who, "finds", "batches", "invalid"] => self.actors[place(who)].strict = true,
            ["lose", "log", "of", who] => self.actors[place(who)].lost = true,
            ["lose", from, "->", to @ ..] => {
                for to in to {
                    self.lose(place(from), place(to));
                }
            }
            ["lose", "everything"] => self.links.clear(),
            ["deliver", "everything"] => self.deliver_everything(),
            ["deliver", "among", who @ ..] => {
                let who: Vec<usize> = who.iter().map(|who| place(who)).collect();
                self.deliver_among(&who);
            }
            [who, "proposes", name] => {
                let input = Input::Batch(ValidBatch::checked(batch(name)));
                self.feed(place(who), input);
            }
            [who, "waits", "for", "transaction", number] => {
                let pending = Pending {
                    oldest: Some(number.parse().unwrap()),
                    since: self.now,
                    executed: self.actors[place(who)].executed,
                };
                self.feed(place(who), Input::Pending(pending));
            }
            [who, "executes"] => self.execute(place(who), None),
            [who, "executes", "to", name] => self.execute(place(who), Some(name)),
            [who, "executes", "ending", "at", last] => {
                let last = Seq::new(number(last));
                self.terms.end(self.actors[place(who)].epoch, last);
                self.execute(place(who), None);
            }
            [who, "is", "asked"] => {
                let replica = self.actors[place(who)].replica.as_ref();
                let want = replica.and_then(Replica::wants_batch);
                self.lines.push(format!("{who} wants {want:?}"));
            }
            [who, "runs", "out", "of", timer] => self.expire(place(who), timer),
            [who, "reconnects", "to", peer] => {
                let peer = ReplicaId::new(place(peer) as u16);
                self.feed(place(who), Input::Reconnected(peer));
            }
            [who, "fetches", "from", peer] => self.fetch(place(who), place(peer)),
            [who, "forges", kind, name, view, seq, "->", to] => {
                let at = (View::new(number(view)), Seq::new(number(seq)));
                let frame = self.forge(place(who), kind, name, at);
                self.arrive(place(who), place(to), &frame);
            }
            [from, "->", to @ ..] => {
                for to in to {
                    self.deliver(place(from), place(to));
                }
            }
            other => self.play_more(other),
        }
        std::mem::take(&mut self.lines)
    }

    /// Starts a replica from its disk.
    fn start(&mut self, who: usize) {
        self.actors[who].epoch = self.epoch_on_disk(who);
        let effects = self.recover(who);
        let standing = standing(self.actors[who].replica.as_ref().unwrap());
        let epoch = self.actors[who].epoch;
        self.lines.push(match epoch {
            Epoch::ZERO => format!("r{who} is {standing}"),
            later => format!("r{who} is {standing} in {later:?}"),
        });
        self.perform(who, effects);
        self.go_on(who);
    }

    /// A replica loses what is not on its disk.
    fn crash(&mut self, who: usize) {
        let actor = &mut self.actors[who];
        actor.replica = None;
        actor.orders.clear();
        actor.timers.clear();
        for (link, frames) in &mut self.links {
            if link.1 == who {
                frames.clear();
            }
        }
    }

    /// Hands an input to a replica.
    fn feed(&mut self, who: usize, input: Input) {
        let Some(replica) = self.actors[who].replica.as_mut() else {
            return self.lines.push(format!("r{who} is down"));
        };
        match replica.step(self.now, input) {
            Ok(effects) => {
                self.perform(who, effects);
                self.go_on(who);
            }
            Err(why) => self.lines.push(format!("r{who} rejects: {why}")),
        }
    }

    /// Performs effects and writes them down.
    fn perform(&mut self, who: usize, effects: Vec<Effect>) {
        for effect in effects {
            self.lines
                .push(format!("r{who} {}", self.names.effect(&effect)));
            let actor = &mut self.actors[who];
            match effect {
                Effect::Persist(record) => {
                    actor.log.push(Record::decode(&record.encode()).unwrap());
                }
                Effect::Broadcast(frame) => {
                    for to in (0..self.actors.len()).filter(|to| *to != who) {
                        self.links
                            .entry((who, to))
                            .or_default()
                            .push_back(frame.clone());
                    }
                }
                Effect::Send(to, frame) => {
                    let link = (who, usize::from(to.get()));
                    self.links.entry(link).or_default().push_back(frame);
                }
                Effect::Execute(committed) => actor.orders.push_back(committed),
                Effect::Certified(proof) => {
                    actor.certificates.insert(proof.seq, proof.into_inner());
                }
                Effect::Arm(timer, after) => {
                    actor.timers.insert(timer, self.now.after(after));
                }
                Effect::Disarm(timer) => {
                    actor.timers.remove(&timer);
                }
                Effect::Fetch { .. }
                | Effect::Dropped(_)
                | Effect::Forward(_)
                | Effect::Evidence(_)
                | Effect::Diverged(_) => {}
            }
        }
    }

    /// The next frame on a link arrives.
    fn deliver(&mut self, from: usize, to: usize) {
        let frame = self.links.entry((from, to)).or_default().pop_front();
        match frame {
            Some(frame) => self.arrive(from, to, &frame),
            None => self
                .lines
                .push(format!("nothing is on its way from r{from} to r{to}")),
        }
    }

    /// A frame of the receiver's epoch arrives: verified, its batch checked.
    fn admit(&mut self, from: usize, to: usize, frame: Frame) {
        let committee = self.terms.committee(self.actors[to].epoch);
        match frame.verify(ReplicaId::new(from as u16), &committee) {
            Ok(Input::Message(Message::PrePrepare(proposal, proposed)))
                if !self.actors[to].strict =>
            {
                let checked = ValidBatch::checked(proposed.batch().clone());
                let message = Message::PrePrepare(proposal, Proposed::Valid(checked));
                self.feed(to, Input::Message(message));
            }
            Ok(input) => self.feed(to, input),
            Err(why) => self.lines.push(format!("r{to} refuses at the edge: {why}")),
        }
    }

    /// The next frame on a link is lost.
    fn lose(&mut self, from: usize, to: usize) {
        let frame = self.links.entry((from, to)).or_default().pop_front();
        let frame = frame.map_or_else(|| "nothing".to_owned(), |one| self.names.frame(&one));
        self.lines
            .push(format!("lost from r{from} to r{to}: {frame}"));
    }

    /// Everything that is under way arrives, and what comes of it, until nothing is left.
    fn deliver_everything(&mut self) {
        self.deliver_among(&(0..self.actors.len()).collect::<Vec<_>>());
    }

    /// The same among some replicas only.
    fn deliver_among(&mut self, who: &[usize]) {
        let inside = |link: &(usize, usize)| who.contains(&link.0) && who.contains(&link.1);
        loop {
            let busy = self
                .links
                .iter()
                .find(|(link, frames)| inside(link) && !frames.is_empty());
            let Some((link, _)) = busy else { return };
            let (from, to) = *link;
            self.deliver(from, to);
        }
    }

    /// The executor is done with the next batch; it may come to a wrong result.
    fn execute(&mut self, who: usize, wrong: Option<&str>) {
        let Some(order) = self.actors[who].orders.pop_front() else {
            return self.lines.push(format!("r{who} has nothing to execute"));
        };
        let parent = self.actors[who]
            .chain
            .last()
            .map_or(Digest::NULL, |block| block.0);
        let mut bytes = parent.as_bytes().to_vec();
        bytes.extend_from_slice(order.batch.digest().as_bytes());
        bytes.extend_from_slice(wrong.unwrap_or_default().as_bytes());
        let header = Digest::of(Domain::Header, &bytes);
        self.names.name(
            header,
            wrong.map_or_else(|| format!("h{}", order.seq), str::to_owned),
        );
        self.actors[who].chain.push((header, bytes, order.batch));
        self.actors[who].executed += 1;
        let epoch_end = self.end_after(who, order.seq);
        self.feed(
            who,
            Input::Executed {
                seq: order.seq,
                header,
                epoch_end,
            },
        );
    }

    /// A timer runs out at its time.
    fn expire(&mut self, who: usize, name: &str) {
        let timer = match name {
            "request" => Timer::Request,
            "forward" => Timer::Forward,
            "new-view" => Timer::NewView,
            "status" => Timer::Status,
            "heartbeat" => Timer::Heartbeat,
            other => panic!("no such timer: {other}"),
        };
        let Some(at) = self.actors[who].timers.remove(&timer) else {
            return self.lines.push(format!("r{who} has no such timer running"));
        };
        self.now = self.now.max(at).after(Duration::from_micros(1));
        self.feed(who, Input::Expired(timer));
    }

    /// The blocks that a replica lacks come from a peer.
    fn fetch(&mut self, who: usize, peer: usize) {
        let have = self.actors[who].chain.len();
        (have..self.actors[peer].chain.len()).for_each(|index| self.fetch_one(who, peer, index));
    }

    /// A vote that its sender's replica would not send.
    fn forge(&self, who: usize, kind: &str, name: &str, (view, seq): (View, Seq)) -> Frame {
        let (key, from) = (KeyedHash::of_member(who as u16), ReplicaId::new(who as u16));
        let (batch, committee) = (batch(name), &self.terms.committee(self.actors[who].epoch));
        let digest = batch.digest();
        match kind {
            "PRE-PREPARE" => {
                let body = PrePrepare { view, seq, digest };
                Frame::PrePrepare(Signed::sign(body, from, committee, &key), batch)
            }
            "PREPARE" => {
                let body = Prepare { view, seq, digest };
                Frame::Prepare(Signed::sign(body, from, committee, &key))
            }
            "COMMIT" => {
                let body = Commit { view, seq, digest };
                Frame::Commit(Signed::sign(body, from, committee, &key))
            }
            other => panic!("no such message: {other}"),
        }
    }
}

/// A batch of this name; `null` is the null batch.
fn batch(name: &str) -> Batch {
    if name == "null" {
        Batch::null()
    } else {
        Batch::new(name.as_bytes())
    }
}

/// The place of a member written as r0, r1 …
fn place(word: &str) -> usize {
    number(word) as usize
}

/// The number behind a letter: v3, s4, r1.
fn number(word: &str) -> u64 {
    word[1..].parse().unwrap()
}

/// What a replica is after its start.
fn standing(replica: &Replica<KeyedHash>) -> String {
    match replica.standing() {
        consensus::Standing::Voter(_) => "a voter".to_owned(),
        consensus::Standing::Observer(why) => format!("an observer: {why}"),
    }
}
