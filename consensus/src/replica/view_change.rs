//! Leaving a view and beginning the next (§4.4).

use std::collections::BTreeMap;

use crate::certificate::{CheckpointCertificate, PreparedCertificate, Proven};
use crate::committee::ReplicaId;
use crate::digest::Digest;
use crate::error::Rejected;
use crate::frame::Frame;
use crate::io::{Effect, Timer};
use crate::message::{NewView, NewViewBody, PrePrepare, StableProof, ViewChange, ViewChangeBody};
use crate::number::{Seq, View};
use crate::record::Record;
use crate::replica::{Departure, Replica};
use crate::reproposal;
use crate::signed::{Scheme, Signable as _, Signed, Verified};

impl<S: Scheme> Replica<S> {
    /// Leaves the view it is in, or gives up waiting for one, and asks for `target`.
    pub(super) fn leave(&mut self, target: View, why: Departure) {
        let Some(me) = self.voter() else { return };
        debug_assert!(target > self.view, "views only rise");
        self.view = target;
        self.departure = Some(why);
        self.active = false;
        self.entered = None;
        self.attempts = self.attempts.saturating_add(1);
        self.disarm(Timer::NewView);
        let body = ViewChange::new(self.view_change_body(target));
        let own = Signed::sign(body, me, &self.committee, &self.key);
        self.leaving = Some(own.clone());
        self.view_changes.insert(me, Verified::own(own.clone()));
        self.vote(Record::ViewChange(own.clone()), Frame::ViewChange(own));
    }

    /// C and P of the paper: the stable checkpoint, and above it the prepared certificate of
    /// the highest view ever reached at each sequence number, executed or not.
    fn view_change_body(&self, view: View) -> ViewChangeBody {
        let stable = self
            .stable
            .clone()
            .map_or(StableProof::Origin(self.origin), |certificate| {
                StableProof::Certified(certificate.into_inner())
            });
        let above = self.slots.range(stable.seq().next()..);
        let prepared = above.filter_map(|(_, slot)| slot.prepared.clone());
        ViewChangeBody {
            view,
            stable,
            prepared: prepared.map(Proven::into_inner).collect(),
        }
    }

    /// A replica has left its view.
    pub(super) fn on_view_change(&mut self, change: Verified<ViewChange>) -> Result<(), Rejected> {
        let view = change.body().view();
        if view < self.view || (view == self.view && self.active) {
            return Err(Rejected::OldView { view });
        }
        self.check_origin(change.as_signed())?;
        let known = self.view_changes.get(&change.from());
        if known.is_some_and(|known| known.body().view() >= view) {
            return Err(Rejected::Known);
        }
        self.adopt_stable(&change.body().body().stable);
        self.view_changes.insert(change.from(), change);
        self.moved();
        self.join_others();
        self.await_new_view();
        self.begin_view();
        Ok(())
    }

    /// An epoch's first stable checkpoint is the same for all.
    fn check_origin(&self, change: &Signed<ViewChange>) -> Result<(), Rejected> {
        match change.body.body().stable {
            StableProof::Origin(seq) if seq != self.origin => Err(Rejected::BadCertificate { seq }),
            StableProof::Origin(_) | StableProof::Certified(_) => Ok(()),
        }
    }

    /// f + 1 members want higher views, so an honest one does: the smallest of those is next.
    pub(super) fn join_others(&mut self) {
        if self.voter().is_none() {
            return;
        }
        loop {
            let wanted = self
                .view_changes
                .values()
                .map(|change| change.body().view());
            let higher: Vec<View> = wanted.filter(|view| *view > self.view).collect();
            let Some(smallest) = higher.iter().min().copied() else {
                return;
            };
            if higher.len() < self.committee.weak_quorum() {
                return;
            }
            self.leave(smallest, Departure::Others);
        }
    }

    /// Starts the timer of the new primary once a quorum has left for this view or a higher
    /// one: without a quorum nobody's view rises, however long that lasts.
    pub(super) fn await_new_view(&mut self) {
        let left = self
            .view_changes
            .values()
            .filter(|change| change.body().view() >= self.view);
        let quorum = left.count() >= self.committee.quorum();
        let waiting = self.deadlines.contains_key(&Timer::NewView);
        if quorum && !self.active && !waiting && self.voter().is_some() {
            self.arm(Timer::NewView, self.patience_with_primary());
        }
    }

    /// The new primary begins its view as soon as a quorum wants it.
    pub(super) fn begin_view(&mut self) {
        let (view, quorum) = (self.view, self.committee.quorum());
        if self.active || !self.is_primary() {
            return;
        }
        let Some(me) = self.voter() else { return };
        let wanting = self
            .view_changes
            .values()
            .filter(|change| change.body().view() == view);
        let view_changes: Vec<_> = wanting
            .map(|own| own.as_signed().clone())
            .take(quorum)
            .collect();
        if view_changes.len() < quorum {
            return;
        }
        let proposals = reproposal::reproposals(&view_changes).into_iter();
        let pre_prepares = proposals.map(|(seq, digest)| {
            Signed::sign(
                PrePrepare { view, seq, digest },
                me,
                &self.committee,
                &self.key,
            )
        });
        let pre_prepares = pre_prepares.collect();
        let body = NewView::new(NewViewBody {
            view,
            view_changes,
            pre_prepares,
        });
        let own = Signed::sign(body, me, &self.committee, &self.key);
        self.vote(Record::NewView(own.clone()), Frame::NewView(own.clone()));
        self.enter(own);
    }

    /// The new primary has begun its view. `verify` has recomputed the NEW-VIEW already.
    pub(super) fn on_new_view(&mut self, new_view: Verified<NewView>) -> Result<(), Rejected> {
        let view = new_view.body().view();
        if view < self.view || (view == self.view && self.active) {
            return Err(Rejected::OldView { view });
        }
        if new_view.from() != self.committee.primary(view) {
            return Err(Rejected::NotPrimary {
                from: new_view.from(),
                view,
            });
        }
        let changes = &new_view.body().body().view_changes;
        changes
            .iter()
            .try_for_each(|change| self.check_origin(change))?;
        // Its own NEW-VIEW comes back only to a primary whose log was lost or cut.
        if self.voter() == Some(new_view.from()) {
            return Err(Rejected::Known);
        }
        if view > self.view {
            self.departure = Some(Departure::Begun);
        }
        let new_view = new_view.into_signed();
        self.persist(Record::NewView(new_view.clone()));
        self.enter(new_view);
        Ok(())
    }

    /// Enters a view with what its NEW-VIEW proposes again.
    fn enter(&mut self, new_view: Signed<NewView>) {
        let body = new_view.body.clone();
        let NewViewBody {
            view,
            view_changes,
            pre_prepares,
        } = body.body();
        let due = self.deadlines.get(&Timer::NewView).copied();
        let due = due.filter(|_| *view == self.view);
        self.disarm(Timer::NewView);
        self.install(new_view);
        self.view_changes
            .retain(|_, change| change.body().view() > *view);
        for change in view_changes {
            self.adopt_stable(&change.body.body().stable);
        }
        let start = reproposal::start(view_changes);
        self.drop_batches(start, pre_prepares);
        self.pace.begun();
        self.pending_at_entry = self.pending;
        self.waiting_for = None;
        self.moved();
        for proposal in pre_prepares {
            self.advance(proposal.body.seq);
        }
        if self.slots.values().any(|slot| slot.lacks_batch().is_some()) {
            self.broadcast_status();
        }
        // One time for the NEW-VIEW and the first thing that the view orders: a primary that begins
        // at the last moment must not be waited for once more.
        let left = due.map_or_else(|| self.patience(), |due| due.since(self.now));
        self.watch_requests_for(left);
    }

    /// Makes a NEW-VIEW's view the current one, its proposals the current ones, and takes over
    /// the certificates in it.
    pub(super) fn install(&mut self, new_view: Signed<NewView>) {
        let body = new_view.body.clone();
        let NewViewBody {
            view,
            view_changes,
            pre_prepares,
        } = body.body();
        self.view = *view;
        self.active = true;
        self.leaving = None;
        self.entered = Some(new_view);
        for slot in self.slots.values_mut() {
            slot.proposal = None;
            slot.reproposed = None;
            slot.prepares.retain(|_, vote| vote.body().view >= *view);
        }
        let prepared = view_changes
            .iter()
            .flat_map(|change| &change.body.body().prepared);
        for certificate in prepared {
            self.adopt_prepared(certificate);
        }
        let primary_is_me = self.is_primary();
        let base = self.base();
        for proposal in pre_prepares {
            let PrePrepare { view, seq, digest } = proposal.body;
            if seq <= base {
                continue;
            }
            let slot = self.slots.entry(seq).or_default();
            slot.proposal = Some(Verified::own(proposal.clone()));
            slot.reproposed = Some(digest);
            if primary_is_me {
                slot.own = Some((view, digest));
            }
        }
        let last = pre_prepares
            .last()
            .map_or(Seq::ZERO, |proposal| proposal.body.seq);
        let start = reproposal::start(view_changes);
        self.next = last.max(start).max(self.stable_seq()).next();
    }

    /// Takes over a certificate of a verified NEW-VIEW: it proves its batch valid here too.
    pub(super) fn adopt_prepared(&mut self, certificate: &PreparedCertificate) {
        if certificate.seq <= self.base() {
            return;
        }
        let slot = self.slots.entry(certificate.seq).or_default();
        let known = slot.prepared.as_ref();
        if known.is_none_or(|known| known.view < certificate.view) {
            slot.prepared = Some(Proven::assembled(certificate.clone()));
        }
    }

    /// Takes over the stable checkpoint of a verified VIEW-CHANGE.
    fn adopt_stable(&mut self, stable: &StableProof) {
        let certificate: Option<&CheckpointCertificate> = match stable {
            StableProof::Origin(_) => None,
            StableProof::Certified(certificate) => Some(certificate),
        };
        if let Some(certificate) = certificate.filter(|known| known.seq > self.stable_seq()) {
            self.certify(Proven::assembled(certificate.clone()));
        }
    }

    /// Gives back the batches above `start` that the new view does not propose again.
    fn drop_batches(&mut self, start: Seq, proposals: &[Signed<PrePrepare>]) {
        let again: BTreeMap<Seq, Digest> = proposals
            .iter()
            .map(|one| (one.body.seq, one.body.digest))
            .collect();
        for (seq, slot) in self.slots.range_mut(start.next()..) {
            let ordered = slot.committed.as_ref().map(|proof| proof.digest);
            let kept = ordered.or_else(|| again.get(seq).copied());
            let prepared = slot.prepared.as_ref().map(|proof| proof.digest);
            for (digest, held) in &mut slot.batches {
                if Some(*digest) != kept && !held.dropped {
                    held.dropped = true;
                    self.effects.push(Effect::Dropped(held.batch.clone()));
                }
            }
            // What it voted for stays as well, though its transactions go back: a member that hides
            // the certificate of that batch may show it in a later view, and none but those who
            // voted have the bytes.
            slot.batches.retain(|digest, held| {
                held.logged || Some(*digest) == kept || Some(*digest) == prepared
            });
        }
    }

    /// Whose VIEW-CHANGEs for this view are here.
    pub(super) fn leavers(&self) -> impl Iterator<Item = ReplicaId> {
        let here = self
            .view_changes
            .values()
            .filter(|change| change.body().view() >= self.view);
        here.map(Verified::from)
    }
}
