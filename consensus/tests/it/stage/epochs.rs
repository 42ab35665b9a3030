//! Epochs on the stage: who votes in which, and what a host does where one ends.

use consensus::{
    CheckpointCertificate, Committee, Effects, Epoch, EpochEnd, Frame, Input, Log, Parameters,
    Replica, ReplicaId, Seq, Setup,
};
use simulator::{KeyedHash, SimulatedScheme as _};

use super::{Stage, standing};

/// The committee of each epoch, and the block before its first one.
pub(crate) struct Terms(Vec<(Seq, Committee<KeyedHash>)>);

impl Terms {
    /// The first epoch is under way.
    pub(crate) fn new(committee: Committee<KeyedHash>) -> Self {
        Self(vec![(Seq::ZERO, committee)])
    }

    /// An epoch ends at this block; the same members go on.
    pub(crate) fn end(&mut self, epoch: Epoch, last: Seq) {
        let committee = self.committee(epoch);
        let (chain, keys) = (committee.chain(), committee.keys().to_vec());
        if self.origin(epoch.next()).is_none() {
            let next = Committee::new(chain, epoch.next(), keys).unwrap();
            self.0.push((last, next));
        }
    }

    /// The members of an epoch.
    pub(crate) fn committee(&self, epoch: Epoch) -> Committee<KeyedHash> {
        self.0[epoch.get() as usize].1.clone()
    }

    /// The block before an epoch's first, once that is known.
    fn origin(&self, epoch: Epoch) -> Option<Seq> {
        self.0.get(epoch.get() as usize).map(|term| term.0)
    }
}

impl Stage {
    /// The epoch in which a replica starts: that of its newest block, unless that block and
    /// all below it are certified and the last of their epoch.
    pub(super) fn epoch_on_disk(&self, who: usize) -> Epoch {
        let actor = &self.actors[who];
        let top = Seq::new(actor.chain.len() as u64);
        let whole = |origin: Seq| {
            let from = origin.get().saturating_sub(self.window) + 1;
            (from..=origin.get()).all(|seq| actor.certificates.contains_key(&Seq::new(seq)))
        };
        let reached = |origin: Seq| origin < top || (origin == top && whole(origin));
        let later = (1..).map(Epoch::new);
        let reached = later.take_while(|epoch| self.terms.origin(*epoch).is_some_and(reached));
        reached.last().unwrap_or(Epoch::ZERO)
    }

    /// Recovers the replica of an actor's epoch from its disk.
    pub(super) fn recover(&mut self, who: usize) -> Effects {
        let actor = &self.actors[who];
        let top = Seq::new(actor.chain.len() as u64);
        let setup = Setup {
            committee: self.terms.committee(actor.epoch),
            key: KeyedHash::of_member(who as u16),
            parameters: Parameters {
                window: self.window,
                ..Parameters::LAN
            },
            origin: self.terms.origin(actor.epoch).unwrap(),
            end: self.end_after(who, top).map(|end| end.last),
        };
        let log = if actor.lost {
            Log::Damaged
        } else {
            Log::Whole(actor.log.clone())
        };
        let heights = (1..).map(Seq::new).zip(&actor.chain);
        let store: Vec<_> = heights.map(|(seq, block)| (seq, block.0)).collect();
        let (replica, effects) = Replica::recover(setup, log, &store, self.now).unwrap();
        self.actors[who].replica = Some(replica);
        effects
    }

    /// What the ledger says after a block of the end of an actor's epoch.
    pub(super) fn end_after(&self, who: usize, seq: Seq) -> Option<EpochEnd> {
        let next = self.actors[who].epoch.next();
        let last = self.terms.origin(next)?;
        let decided = seq.plus(self.window) >= last && seq > Seq::ZERO;
        decided.then(|| EpochEnd {
            last,
            next: self.terms.committee(next).keys().to_vec(),
        })
    }

    /// Goes on to the next epoch when this one has ended here, and asks everybody what is going
    /// on there.
    pub(super) fn go_on(&mut self, who: usize) {
        let ended = self.actors[who].replica.as_ref().and_then(Replica::ended);
        if ended.is_none() {
            return;
        }
        let actor = &mut self.actors[who];
        actor.epoch = actor.epoch.next();
        actor.timers.clear();
        let effects = self.recover(who);
        let actor = &self.actors[who];
        let standing = standing(actor.replica.as_ref().unwrap());
        let epoch = actor.epoch;
        self.lines
            .push(format!("r{who} goes on to {epoch:?} as {standing}"));
        self.perform(who, effects);
        for peer in (0..self.actors.len()).filter(|peer| *peer != who) {
            let peer = ReplicaId::new(peer as u16);
            self.feed(who, Input::Reconnected(peer));
        }
    }

    /// A frame arrives: of the receiver's epoch, of an ended one, or of one that it has not reached.
    pub(super) fn arrive(&mut self, from: usize, to: usize, frame: &Frame) {
        let frame = Frame::decode(&frame.encode()).unwrap();
        let ours = self.actors[to].epoch;
        match frame.epoch() {
            Some(epoch) if epoch > ours => self.feed(to, Input::Overtaken),
            Some(epoch) if epoch < ours => self.answer_latecomer(from, to, epoch, &frame),
            _ => self.admit(from, to, frame),
        }
    }

    /// A frame of an ended epoch is answered from the store.
    fn answer_latecomer(&mut self, from: usize, to: usize, epoch: Epoch, frame: &Frame) {
        let last = self.terms.origin(epoch.next()).unwrap();
        let store = &self.actors[to].certificates;
        let certificate = |seq| -> Option<CheckpointCertificate> { store.get(&seq).cloned() };
        let answers = frame.answer_to_latecomer(last, certificate);
        for answer in answers {
            let line = format!("r{to} tells r{from} {}", self.names.frame(&answer));
            self.lines.push(line);
            self.links.entry((to, from)).or_default().push_back(answer);
        }
    }
}
