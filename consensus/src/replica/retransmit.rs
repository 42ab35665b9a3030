//! STATUS: saying what is lacking, and answering with exactly that (thesis §5.2).

use crate::committee::ReplicaId;
use crate::error::Rejected;
use crate::frame::Frame;
use crate::io::{Effect, Timer};
use crate::number::{Seq, View};
use crate::replica::Replica;
use crate::signed::{Scheme, Verified};
use crate::slot::Slot;
use crate::status::{OpenSlot, Status};

/// What no vote that comes can bring.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Lack {
    /// The next block, when a later one is certified.
    block: Option<Seq>,
    /// The view that this replica waits for.
    view: Option<View>,
}

impl Lack {
    /// Whether something is still lacking that was lacking before.
    fn persists(self, before: Self) -> bool {
        let same_block = self.block.is_some() && self.block == before.block;
        let same_view = self.view.is_some() && self.view == before.view;
        same_block || same_view
    }
}

impl<S: Scheme> Replica<S> {
    /// Runs the status timer while something is open.
    pub(super) fn watch_status(&mut self) {
        if self.is_open() && !self.deadlines.contains_key(&Timer::Status) {
            self.arm(Timer::Status, self.status_interval());
        }
    }

    /// Whether this replica waits for anything.
    fn is_open(&self) -> bool {
        let weak = self.committee.weak_quorum();
        !self.active
            || self.behind
            || self.certified != self.executed
            || self.stable_seq() != self.executed
            || self.slots.values().any(|slot| slot.is_open(weak))
    }

    /// Says what is lacking if nothing has moved since the timer last ran out, or if what moved has not brought it:
    /// the others' votes on later blocks come all the time.
    pub(super) fn on_status_timer(&mut self) {
        if !self.is_open() {
            return;
        }
        let stuck = self.progress == self.progress_seen;
        self.progress_seen = self.progress;
        let lacks = self.lacks();
        let starved = lacks.persists(core::mem::replace(&mut self.lacked, lacks));
        if stuck || starved {
            self.behind = false;
            self.broadcast_status();
            self.fetch_if_missing();
        }
        self.arm(Timer::Status, self.status_interval());
    }

    /// What is lacking now.
    fn lacks(&self) -> Lack {
        let missing = self.stable_seq() > self.dispatched;
        Lack {
            block: missing.then(|| self.dispatched.next()),
            view: (!self.active).then_some(self.view),
        }
    }

    /// Says what is lacking to all, with the VIEW-CHANGE while it is not in its view.
    pub(super) fn broadcast_status(&mut self) {
        self.effects
            .push(Effect::Broadcast(Frame::Status(self.status())));
        if let Some(own) = self.leaving.clone() {
            self.effects.push(Effect::Broadcast(Frame::ViewChange(own)));
        }
    }

    /// There is a new connection to a peer: what was under way may be lost.
    pub(super) fn on_reconnected(&mut self, peer: ReplicaId) -> Result<(), Rejected> {
        if !self.committee.contains(peer) {
            return Err(Rejected::NotAMember { from: peer });
        }
        self.welcome(peer);
        self.effects
            .push(Effect::Send(peer, Frame::Status(self.status())));
        if let Some(own) = self.leaving.clone() {
            self.effects
                .push(Effect::Send(peer, Frame::ViewChange(own)));
        }
        if let Some(new_view) = self.entered.clone() {
            self.effects
                .push(Effect::Send(peer, Frame::NewView(new_view)));
        }
        Ok(())
    }

    /// What this replica holds and lacks.
    fn status(&self) -> Status {
        let weak = self.committee.weak_quorum();
        let open = self.slots.iter().filter(|(_, slot)| slot.is_open(weak));
        let tallies = self.tallies.range(self.certified.next()..);
        let tallies = tallies.take_while(|(seq, _)| **seq <= self.executed);
        Status {
            epoch: self.committee.epoch(),
            view: self.view,
            active: self.active,
            stable: self.certified,
            executed: self.executed,
            open: open.map(|(seq, slot)| self.open_slot(*seq, slot)).collect(),
            checkpoints: tallies
                .filter(|(_, tally)| tally.certificate.is_none())
                .map(|(seq, tally)| (*seq, tally.votes.keys().copied().collect()))
                .collect(),
            view_changes: self.leavers().collect(),
        }
    }

    /// What this replica holds of one sequence number.
    fn open_slot(&self, seq: Seq, slot: &Slot) -> OpenSlot {
        let view = self.view;
        let prepares = slot
            .prepares
            .values()
            .filter(|vote| vote.body().view == view);
        let commits = slot
            .commits
            .values()
            .filter(|vote| vote.body().view == view);
        OpenSlot {
            seq,
            lacks_batch: slot.lacks_batch(),
            pre_prepare: slot.proposal.is_some(),
            prepared: slot.is_prepared(view),
            committed: slot.committed.is_some(),
            prepares: prepares.map(Verified::from).collect(),
            commits: commits.map(Verified::from).collect(),
        }
    }

    /// A peer says what it lacks: it gets that, within its share.
    pub(super) fn on_status(&mut self, from: ReplicaId, status: &Status) -> Result<(), Rejected> {
        if !self.committee.contains(from) {
            return Err(Rejected::NotAMember { from });
        }
        let ours = self.committee.epoch();
        if status.epoch != ours {
            return Err(Rejected::WrongEpoch {
                epoch: status.epoch,
                ours,
            });
        }
        self.heard(from);
        let mut frames = Vec::new();
        if self.learns_from(status) {
            frames.push(Frame::Status(self.status()));
        }
        self.answer_stable(status, &mut frames);
        self.answer_view(status, &mut frames);
        self.answer_slots(status, &mut frames);
        for frame in frames {
            if !self.charge(from, &frame) {
                break;
            }
            self.effects.push(Effect::Send(from, frame));
        }
        Ok(())
    }

    /// Whether the peer has something that this replica lacks without knowing: it then says
    /// what it lacks in turn. The peer has the thing, so it does not do the same.
    fn learns_from(&self, status: &Status) -> bool {
        let same = status.view == self.view && status.active && self.active;
        let unseen = |open: &OpenSlot| {
            let slot = self.slots.get(&open.seq);
            let proposed = slot.is_some_and(|slot| slot.proposal.is_some());
            let committed = slot.is_some_and(|slot| slot.committed.is_some());
            let lacking = (same && open.pre_prepare && !proposed) || (open.committed && !committed);
            self.votes_at(open.seq) && lacking && open.seq > self.executed
        };
        status.stable > self.stable_seq() || status.open.iter().any(unseen)
    }

    /// The newest certificate; the certificates of blocks that the peer has executed without
    /// getting theirs; and its own CHECKPOINTs for blocks without a certificate.
    fn answer_stable(&self, status: &Status, frames: &mut Vec<Frame>) {
        if let Some(stable) = self
            .stable
            .as_ref()
            .filter(|stable| stable.seq > status.stable)
        {
            frames.push(Frame::Stable(stable.clone().into_inner()));
        }
        let me = self.voter();
        for (seq, tally) in self.tallies.range(status.stable.next()..) {
            let held = status.checkpoints.iter().find(|(known, _)| known == seq);
            if let Some(certificate) = &tally.certificate {
                if *seq <= status.executed && *seq != self.stable_seq() {
                    frames.push(Frame::Stable(certificate.clone().into_inner()));
                }
                continue;
            }
            let own = me.filter(|me| held.is_none_or(|(_, members)| !members.contains(*me)));
            let own = own.and_then(|me| tally.votes.get(&me));
            frames.extend(own.map(|own| Frame::Checkpoint(own.as_signed().clone())));
        }
    }

    /// The NEW-VIEW or VIEW-CHANGE that brings the peer to this replica's view.
    fn answer_view(&self, status: &Status, frames: &mut Vec<Frame>) {
        let behind = status.view < self.view;
        let outside = status.view == self.view && !status.active;
        if let Some(new_view) = self.entered.as_ref().filter(|_| behind || outside) {
            frames.push(Frame::NewView(new_view.clone()));
        }
        let unknown = self
            .voter()
            .is_some_and(|me| !status.view_changes.contains(me));
        let own = self
            .leaving
            .as_ref()
            .filter(|_| behind || (outside && unknown));
        frames.extend(own.map(|own| Frame::ViewChange(own.clone())));
    }

    /// Votes, certificates and batches that the peer lacks.
    fn answer_slots(&self, status: &Status, frames: &mut Vec<Frame>) {
        for (seq, slot) in self.slots.range(status.executed.next()..) {
            let held = status.open.iter().find(|open| open.seq == *seq);
            if let Some(proof) = &slot.committed {
                if held.is_none_or(|held| !held.committed) {
                    frames.push(Frame::Committed(proof.clone().into_inner()));
                }
                let unseen = held.is_none_or(|held| !held.pre_prepare && !held.committed);
                if unseen && let Some(held) = slot.batches.get(&proof.digest) {
                    frames.push(Frame::Batch(held.batch.clone()));
                }
            }
            if let Some(held) = held.and_then(|held| slot.batches.get(&held.lacks_batch?)) {
                frames.push(Frame::Batch(held.batch.clone()));
            }
            let same_view = status.view == self.view && status.active && self.active;
            if same_view && slot.committed.is_none() {
                self.answer_votes(slot, held, frames);
            }
        }
    }

    /// What the peer lacks of this view's three phases.
    fn answer_votes(&self, slot: &Slot, held: Option<&OpenSlot>, frames: &mut Vec<Frame>) {
        let view = self.view;
        if held.is_none_or(|held| !held.pre_prepare)
            && let Some(proposal) = &slot.proposal
            && let Some(batch) = slot.batch(proposal.body().digest)
        {
            frames.push(Frame::PrePrepare(proposal.as_signed().clone(), batch));
        }
        if held.is_none_or(|held| !held.prepared) {
            let prepared = slot.prepared.as_ref().filter(|proof| proof.view == view);
            let lacking = slot.prepares.values().filter(|vote| {
                let known = held.is_some_and(|held| held.prepares.contains(vote.from()));
                vote.body().view == view && !known
            });
            match prepared {
                Some(proof) => frames.push(Frame::Prepared(proof.clone().into_inner())),
                None => {
                    frames.extend(lacking.map(|vote| Frame::Prepare(vote.as_signed().clone())));
                }
            }
        }
        let lacking = slot.commits.values().filter(|vote| {
            let known = held.is_some_and(|held| held.commits.contains(vote.from()));
            vote.body().view == view && !known
        });
        frames.extend(lacking.map(|vote| Frame::Commit(vote.as_signed().clone())));
    }

    /// Takes a frame from the peer's share; false when the share of this second is used up.
    fn charge(&mut self, peer: ReplicaId, frame: &Frame) -> bool {
        let bytes = match frame {
            Frame::PrePrepare(_, batch) | Frame::Batch(batch) => batch.bytes().len(),
            Frame::Prepare(_)
            | Frame::Commit(_)
            | Frame::Checkpoint(_)
            | Frame::ViewChange(_)
            | Frame::NewView(_)
            | Frame::Prepared(_)
            | Frame::Committed(_)
            | Frame::Stable(_)
            | Frame::Status(_) => frame.encode().len(),
        };
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let share = self.shares.entry(peer).or_insert((self.now, 0));
        if self.now.since(share.0).as_secs() >= 1 {
            *share = (self.now, 0);
        }
        if share.1 > self.parameters.status_bytes_per_second {
            return false;
        }
        share.1 = share.1.saturating_add(bytes);
        true
    }
}
