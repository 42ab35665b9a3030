//! The primary's proposals: how many, how large, and null batches up to the epoch's end.

use crate::batch::{Batch, Proposed, ValidBatch};
use crate::error::Rejected;
use crate::frame::Frame;
use crate::io::{Effect, Want};
use crate::message::PrePrepare;
use crate::number::Seq;
use crate::record::Record;
use crate::replica::Replica;
use crate::signed::{Scheme, Signed, Verified};

impl<S: Scheme> Replica<S> {
    /// The batch that this replica wants to propose now, if it wants one.
    pub fn wants_batch(&self) -> Option<Want> {
        if self.end.is_some() || !self.may_propose() {
            return None;
        }
        let (count, bytes) = self.in_flight();
        let left = self.parameters.in_flight_bytes_max.saturating_sub(bytes);
        let bytes_max = self.parameters.batch_bytes_max;
        if left < bytes_max {
            return None;
        }
        if count >= self.parameters.depth {
            return Some(Want::Full { bytes_max });
        }
        Some(if self.heartbeat_due {
            Want::Heartbeat { bytes_max }
        } else {
            Want::Any { bytes_max }
        })
    }

    /// The host hands in a batch.
    pub(super) fn on_batch(&mut self, batch: Batch) -> Result<(), Rejected> {
        if self.wants_batch().is_none() || batch.is_null() {
            return Err(Rejected::NotProposing);
        }
        self.heartbeat_due = false;
        self.propose(batch);
        Ok(())
    }

    /// Proposes null batches until the epoch's last block.
    pub(super) fn fill_to_end(&mut self) {
        let room = |replica: &Self| replica.in_flight().0 < replica.parameters.depth;
        while self.end.is_some() && self.may_propose() && room(self) {
            self.propose(Batch::null());
        }
    }

    /// Whether this replica is the primary of a view it is in, with room in the window.
    fn may_propose(&self) -> bool {
        self.is_primary() && self.active && self.diverged.is_none() && self.votes_at(self.next)
    }

    /// Its uncommitted proposals: how many and how many bytes.
    fn in_flight(&self) -> (u64, usize) {
        let open = self.slots.values().filter(|slot| slot.committed.is_none());
        let digests = open.filter_map(|slot| Some((slot, slot.proposed(self.view)?)));
        digests.fold((0, 0), |(count, bytes), (slot, digest)| {
            let held = slot
                .batches
                .get(&digest)
                .map_or(0, |held| held.batch.bytes().len());
            (count.saturating_add(1), bytes.saturating_add(held))
        })
    }

    /// Gives a batch the next place in the order.
    fn propose(&mut self, batch: Batch) {
        let Some(me) = self.voter() else { return };
        let (view, seq, digest): (_, Seq, _) = (self.view, self.next, batch.digest());
        let slot = self.slots.entry(seq).or_default();
        self.next = seq.next();
        // Only if more than f members are faulty: then this place is ordered already, but the
        // new view did not propose it again.
        if !slot.may_vote(view, digest) {
            self.effects.push(Effect::Dropped(batch));
            return;
        }
        let body = PrePrepare { view, seq, digest };
        let own = Signed::sign(body, me, &self.committee, &self.key);
        slot.hold(&Proposed::Valid(ValidBatch::checked(batch.clone())));
        let record = Record::Accepted {
            pre_prepare: own.clone(),
            batch: slot.unlogged(digest),
            prepare: None,
        };
        slot.own = Some((view, digest));
        slot.proposal = Some(Verified::own(own.clone()));
        self.vote(record, Frame::PrePrepare(own, batch));
        self.advance(seq);
    }
}
