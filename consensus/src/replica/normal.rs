//! The normal case: PRE-PREPARE, PREPARE, COMMIT (§4.2).

use crate::batch::{Batch, Proposed};
use crate::certificate::{CommitCertificate, PreparedCertificate, Proven};
use crate::digest::Digest;
use crate::error::Rejected;
use crate::evidence::Evidence;
use crate::frame::Frame;
use crate::io::Effect;
use crate::message::{Commit, PrePrepare, Prepare};
use crate::number::{Seq, View};
use crate::record::Record;
use crate::replica::Replica;
use crate::signed::{Scheme, Signed, Verified};
use crate::slot::matching;

impl<S: Scheme> Replica<S> {
    /// A proposal came, with its batch beside it.
    pub(super) fn on_pre_prepare(
        &mut self,
        proposal: Verified<PrePrepare>,
        proposed: &Proposed,
    ) -> Result<(), Rejected> {
        let PrePrepare { view, seq, digest } = *proposal.body();
        self.keeps(seq)?;
        if proposal.from() != self.committee.primary(view) {
            return Err(Rejected::NotPrimary {
                from: proposal.from(),
                view,
            });
        }
        if view < self.view {
            return Err(Rejected::OldView { view });
        }
        if view > self.view || !self.active {
            return Err(Rejected::NotInView { view });
        }
        let slot = self.slots.entry(seq).or_default();
        let known = slot
            .proposal
            .as_ref()
            .filter(|known| known.body().view == view);
        let rival = known
            .and_then(|known| Evidence::between(known, &proposal))
            .or_else(|| {
                let commit = slot.commits.get(&proposal.from());
                commit.and_then(|commit| Evidence::between(commit, &proposal))
            });
        if let Some(evidence) = rival {
            return self.accuse(evidence);
        }
        let news = known.is_none() || !slot.is_valid(digest) || slot.batch(digest).is_none();
        if !news {
            return Err(Rejected::Known);
        }
        slot.proposal = Some(proposal);
        slot.hold(proposed);
        self.pace.proposed(self.now, seq);
        self.moved();
        self.advance(seq);
        Ok(())
    }

    /// A backup agrees.
    pub(super) fn on_prepare(&mut self, vote: Verified<Prepare>) -> Result<(), Rejected> {
        let Prepare { view, seq, .. } = *vote.body();
        self.keeps(seq)?;
        if vote.from() == self.committee.primary(view) {
            return Err(Rejected::PrepareOfPrimary { view });
        }
        if view < self.view {
            return Err(Rejected::OldView { view });
        }
        let slot = self.slots.entry(seq).or_default();
        let known = slot.prepares.get(&vote.from());
        let rival = known
            .and_then(|known| Evidence::between(known, &vote))
            .or_else(|| {
                let commit = slot.commits.get(&vote.from());
                commit.and_then(|commit| Evidence::between(commit, &vote))
            });
        if let Some(evidence) = rival {
            return self.accuse(evidence);
        }
        if known.is_some_and(|known| known.body().view >= view) || slot.is_prepared(view) {
            return Err(Rejected::Known);
        }
        slot.prepares.insert(vote.from(), vote);
        self.moved();
        self.advance(seq);
        Ok(())
    }

    /// A replica is prepared. A COMMIT of any view counts: a quorum of them is a proof.
    pub(super) fn on_commit(&mut self, vote: Verified<Commit>) -> Result<(), Rejected> {
        let Commit { view, seq, digest } = *vote.body();
        self.keeps(seq)?;
        let slot = self.slots.entry(seq).or_default();
        let known = slot.commits.get(&vote.from());
        let proposal = slot
            .proposal
            .as_ref()
            .filter(|known| known.from() == vote.from());
        let rival = known
            .and_then(|known| Evidence::between(known, &vote))
            .or_else(|| {
                let prepare = slot.prepares.get(&vote.from());
                prepare.and_then(|prepare| Evidence::between(prepare, &vote))
            })
            .or_else(|| proposal.and_then(|proposal| Evidence::between(proposal, &vote)));
        if let Some(evidence) = rival {
            return self.accuse(evidence);
        }
        if known.is_some_and(|known| known.body().view >= view) {
            return Err(Rejected::Known);
        }
        slot.commits.insert(vote.from(), vote);
        if slot.committed.is_some() {
            return Ok(());
        }
        self.moved();
        self.count_commits(seq, view, digest);
        self.dispatch();
        Ok(())
    }

    /// A prepared certificate came in place of the votes that this replica lacks.
    pub(super) fn on_prepared(
        &mut self,
        certificate: Proven<PreparedCertificate>,
    ) -> Result<(), Rejected> {
        let (view, seq) = (certificate.view, certificate.seq);
        self.keeps(seq)?;
        if view < self.view {
            return Err(Rejected::OldView { view });
        }
        if view > self.view || !self.active {
            return Err(Rejected::NotInView { view });
        }
        if !self.votes_at(seq) {
            return Err(Rejected::OutsideWindow { seq });
        }
        let slot = self.slots.entry(seq).or_default();
        if slot.is_prepared(view) {
            return Err(Rejected::Known);
        }
        self.prepared(certificate);
        self.advance(seq);
        Ok(())
    }

    /// A commit certificate came in place of the votes that this replica lacks.
    pub(super) fn on_committed(
        &mut self,
        certificate: Proven<CommitCertificate>,
    ) -> Result<(), Rejected> {
        self.keeps(certificate.seq)?;
        let slot = self.slots.entry(certificate.seq).or_default();
        if slot.committed.is_some() {
            return Err(Rejected::Known);
        }
        slot.committed = Some(certificate);
        self.moved();
        self.dispatch();
        Ok(())
    }

    /// A batch came that was asked for by its digest. Only certified batches are asked for, so
    /// the certificate is its check.
    pub(super) fn on_missing_batch(&mut self, batch: Batch) -> Result<(), Rejected> {
        let digest = batch.digest();
        let lacking = self
            .slots
            .iter_mut()
            .find(|(_, slot)| slot.lacks_batch() == Some(digest));
        let Some((seq, slot)) = lacking else {
            return Err(Rejected::Unwanted);
        };
        let seq = *seq;
        slot.hold(&Proposed::Unchecked(batch));
        self.moved();
        self.advance(seq);
        Ok(())
    }

    /// Does everything that has become due at a sequence number.
    pub(super) fn advance(&mut self, seq: Seq) {
        if self.active && self.votes_at(seq) {
            self.prepare(seq);
            self.count_prepares(seq);
        }
        self.dispatch();
    }

    /// Agrees to the primary's proposal, once its batch is at hand and valid.
    fn prepare(&mut self, seq: Seq) {
        let view = self.view;
        let (Some(me), false) = (self.voter(), self.is_primary()) else {
            return;
        };
        let Some(slot) = self.slots.get_mut(&seq) else {
            return;
        };
        let Some(digest) = slot.proposed(view) else {
            return;
        };
        let first = slot.own.is_none_or(|own| own.0 < view);
        if !first || !slot.may_vote(view, digest) || !slot.is_valid(digest) {
            return;
        }
        let Some(proposal) = slot.proposal.clone() else {
            return;
        };
        let body = Prepare { view, seq, digest };
        let own = Verified::own(Signed::sign(body, me, &self.committee, &self.key));
        let record = Record::Accepted {
            pre_prepare: proposal.into_signed(),
            batch: slot.unlogged(digest),
            prepare: Some(own.as_signed().clone()),
        };
        slot.own = Some((view, digest));
        slot.prepares.insert(me, own.clone());
        self.vote(record, Frame::Prepare(own.into_signed()));
    }

    /// Puts the prepared certificate together when a quorum agrees, the primary's proposal included.
    fn count_prepares(&mut self, seq: Seq) {
        let view = self.view;
        let backups = self.committee.quorum().saturating_sub(1);
        let Some(slot) = self.slots.get_mut(&seq) else {
            return;
        };
        let Some(digest) = slot.proposed(view) else {
            return;
        };
        if slot.is_prepared(view) {
            return;
        }
        let prepares = matching(&slot.prepares, view, digest, backups);
        let Some(proposal) = slot.proposal.as_ref() else {
            return;
        };
        if prepares.len() < backups {
            return;
        }
        let certificate = PreparedCertificate {
            epoch: self.committee.epoch(),
            view,
            seq,
            digest,
            pre_prepare: proposal.signature(),
            prepares,
        };
        self.prepared(Proven::assembled(certificate));
    }

    /// Keeps a prepared certificate of this view and says COMMIT, unless that would contradict
    /// an own vote for another batch of an equivocating primary.
    fn prepared(&mut self, certificate: Proven<PreparedCertificate>) {
        let (view, seq, digest) = (certificate.view, certificate.seq, certificate.digest);
        let me = self.voter();
        let slot = self.slots.entry(seq).or_default();
        slot.prepared = Some(certificate.clone());
        let kept = slot
            .proposal
            .clone()
            .filter(|proposal| proposal.body().digest == digest);
        let batch = kept.as_ref().and_then(|_| slot.unlogged(digest));
        let voter = me.filter(|_| slot.may_vote(view, digest));
        let commit = voter.map(|me| {
            let body = Commit { view, seq, digest };
            Verified::own(Signed::sign(body, me, &self.committee, &self.key))
        });
        if let Some(own) = &commit {
            slot.own = Some((view, digest));
            slot.commits.insert(own.from(), own.clone());
        }
        if let (Some(proposal), Some(batch)) = (kept, batch) {
            let pre_prepare = proposal.into_signed();
            self.persist(Record::Accepted {
                pre_prepare,
                batch: Some(batch),
                prepare: None,
            });
        }
        let certificate = certificate.into_inner();
        match commit {
            Some(own) => {
                let commit = Some(own.as_signed().clone());
                let frame = Frame::Commit(own.into_signed());
                self.vote(
                    Record::Prepared {
                        certificate,
                        commit,
                    },
                    frame,
                );
            }
            None => self.persist(Record::Prepared {
                certificate,
                commit: None,
            }),
        }
        self.moved();
        self.count_commits(seq, view, digest);
    }

    /// Notes that a batch is ordered when a quorum of COMMITs names it.
    fn count_commits(&mut self, seq: Seq, view: View, digest: Digest) {
        let quorum = self.committee.quorum();
        let Some(slot) = self
            .slots
            .get_mut(&seq)
            .filter(|slot| slot.committed.is_none())
        else {
            return;
        };
        let commits = matching(&slot.commits, view, digest, quorum);
        if commits.len() < quorum {
            return;
        }
        let epoch = self.committee.epoch();
        let certificate = CommitCertificate {
            epoch,
            view,
            seq,
            digest,
            commits,
        };
        slot.committed = Some(Proven::assembled(certificate));
        self.moved();
    }

    /// Reports a contradiction, once for each member and sequence number.
    fn accuse(&mut self, evidence: Evidence) -> Result<(), Rejected> {
        let slot = self.slots.entry(evidence.seq).or_default();
        if !slot.accused.insert(evidence.member) {
            return Err(Rejected::Known);
        }
        self.effects.push(Effect::Evidence(Box::new(evidence)));
        Ok(())
    }
}
