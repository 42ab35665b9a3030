//! Checkpoints: every executed block is one, and a quorum of them makes it final (§4.3).

use std::collections::BTreeMap;

use crate::block::{Divergence, EpochEnd};
use crate::certificate::{CheckpointCertificate, Proven};
use crate::committee::ReplicaId;
use crate::digest::Digest;
use crate::error::Rejected;
use crate::frame::Frame;
use crate::io::Effect;
use crate::message::Checkpoint;
use crate::number::Seq;
use crate::record::Record;
use crate::replica::Replica;
use crate::signed::{Scheme, Signed, Verified};

/// What is known of the result of one block.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    /// CHECKPOINTs by sender.
    pub(super) votes: BTreeMap<ReplicaId, Verified<Checkpoint>>,
    /// The proof, once there is one.
    pub(super) certificate: Option<Proven<CheckpointCertificate>>,
}

impl<S: Scheme> Replica<S> {
    /// The executor is done with a block.
    pub(super) fn on_executed(
        &mut self,
        seq: Seq,
        header: Digest,
        epoch_end: Option<EpochEnd>,
    ) -> Result<(), Rejected> {
        if seq != self.executed.next() || seq > self.dispatched {
            return Err(Rejected::NotExecuting { seq });
        }
        self.executed = seq;
        self.slots.entry(seq).or_default().executed = Some(header);
        self.end = self.end.or_else(|| epoch_end.map(|end| end.last));
        self.ordered();
        self.moved();
        let certificate = self
            .tallies
            .get(&seq)
            .and_then(|tally| tally.certificate.clone());
        if !self.attest(seq, header) {
            return Ok(());
        }
        if let Some(certificate) = certificate {
            self.effects.push(Effect::Certified(certificate));
        }
        self.advance_base();
        self.dispatch();
        self.fetch_on();
        Ok(())
    }

    /// Compares a result with the certified one, or signs it. False when the replica must stop.
    pub(super) fn attest(&mut self, seq: Seq, header: Digest) -> bool {
        let voter = self.voter();
        let tally = self.tallies.entry(seq).or_default();
        let certified = tally
            .certificate
            .as_ref()
            .map(|certificate| certificate.header);
        if let Some(certified) = certified {
            return self.agrees(seq, header, certified);
        }
        let Some(me) = voter else { return true };
        // After a crash the block is executed again: the result must be the one signed before.
        if let Some(before) = tally.votes.get(&me).cloned() {
            if !self.agrees(seq, header, before.body().header) {
                return false;
            }
            self.effects
                .push(Effect::Broadcast(Frame::Checkpoint(before.into_signed())));
            // The crash may have taken the certificate that it completed.
            self.count_checkpoints(seq, header);
            return self.diverged.is_none();
        }
        let body = Checkpoint { seq, header };
        let own = Verified::own(Signed::sign(body, me, &self.committee, &self.key));
        tally.votes.insert(me, own.clone());
        let record = Record::Checkpoint {
            own: own.as_signed().clone(),
        };
        self.vote(record, Frame::Checkpoint(own.into_signed()));
        self.count_checkpoints(seq, header);
        self.diverged.is_none()
    }

    /// A replica has executed a block.
    pub(super) fn on_checkpoint(&mut self, vote: Verified<Checkpoint>) -> Result<(), Rejected> {
        let Checkpoint { seq, header } = *vote.body();
        let window = self.parameters.window;
        if seq > self.stable_seq().plus(window.saturating_mul(2)) {
            // Others are far ahead; their STATUS answers bring the certificate.
            self.behind = true;
            return Ok(());
        }
        if seq.plus(window) <= self.stable_seq() || seq <= self.origin {
            return Err(Rejected::OutsideWindow { seq });
        }
        let known = self.tallies.get(&seq).is_some_and(|tally| {
            tally.certificate.is_some() || tally.votes.contains_key(&vote.from())
        });
        if known {
            return Err(Rejected::Known);
        }
        self.tallies
            .entry(seq)
            .or_default()
            .votes
            .insert(vote.from(), vote);
        self.moved();
        self.count_checkpoints(seq, header);
        Ok(())
    }

    /// A certificate of a block came in place of CHECKPOINTs.
    pub(super) fn on_stable(
        &mut self,
        certificate: Proven<CheckpointCertificate>,
    ) -> Result<(), Rejected> {
        let seq = certificate.seq;
        let known = self
            .tallies
            .get(&seq)
            .is_some_and(|tally| tally.certificate.is_some());
        if known || seq.plus(self.parameters.window) <= self.stable_seq() || seq <= self.origin {
            return Err(Rejected::Known);
        }
        self.certify(certificate);
        Ok(())
    }

    /// Puts the certificate together when a quorum has the same result.
    fn count_checkpoints(&mut self, seq: Seq, header: Digest) {
        let quorum = self.committee.quorum();
        let Some(tally) = self.tallies.get(&seq) else {
            return;
        };
        let same = tally
            .votes
            .values()
            .filter(|vote| vote.body().header == header);
        let checkpoints: Vec<_> = same
            .map(|vote| (vote.from(), vote.signature()))
            .take(quorum)
            .collect();
        if checkpoints.len() < quorum {
            return;
        }
        let epoch = self.committee.epoch();
        let certificate = CheckpointCertificate {
            epoch,
            seq,
            header,
            checkpoints,
        };
        self.certify(Proven::assembled(certificate));
    }

    /// Takes in a new certificate: a block is final.
    pub(super) fn certify(&mut self, certificate: Proven<CheckpointCertificate>) {
        let seq = certificate.seq;
        let tally = self.tallies.entry(seq).or_default();
        if tally.certificate.is_some() {
            return;
        }
        tally.certificate = Some(certificate.clone());
        self.moved();
        // Also when it tells that this replica is wrong: after a restart it must still know.
        self.persist(Record::Stable {
            certificate: certificate.clone().into_inner(),
        });
        let own = self.slots.get(&seq).and_then(|slot| slot.executed);
        if own.is_some_and(|own| !self.agrees(seq, own, certificate.header)) {
            return;
        }
        if seq > self.stable_seq() {
            self.stable = Some(certificate.clone());
        }
        self.extend_certified();
        if seq <= self.executed {
            self.effects.push(Effect::Certified(certificate));
        }
        self.advance_base();
        self.fetch_if_far_behind();
    }

    /// Moves up to where every block is certified. A block may miss its certificate though a
    /// higher one has it, when a faulty member signs the one and not the other: it is kept
    /// until it has its own, so that whoever lacks the block can get it from somebody. A
    /// certificate W higher shows that an honest member has it.
    pub(super) fn extend_certified(&mut self) {
        let window = Seq::new(self.parameters.window);
        self.certified = self
            .certified
            .max(Seq::new(self.stable_seq().above(window)));
        let certified = |tally: &Tally| tally.certificate.is_some();
        while self
            .tallies
            .get(&self.certified.next())
            .is_some_and(certified)
        {
            self.certified = self.certified.next();
        }
    }

    /// Whether two results are one; if not, this replica signs nothing more.
    pub(super) fn agrees(&mut self, seq: Seq, own: Digest, certified: Digest) -> bool {
        if own == certified {
            return true;
        }
        let divergence = Divergence {
            seq,
            own,
            certified,
        };
        self.diverged = Some(divergence);
        self.effects.push(Effect::Diverged(divergence));
        false
    }

    /// Forgets what lies at or below `base`, and votes where the window has moved.
    fn advance_base(&mut self) {
        let base = self.base();
        self.slots = self.slots.split_off(&base.next());
        let oldest = Seq::new(base.above(Seq::new(self.parameters.window)));
        self.tallies = self.tallies.split_off(&oldest);
        let window = self.parameters.window;
        let (executed, stable) = (self.executed, self.stable_seq());
        if stable > executed.plus(window.saturating_mul(3)) {
            // Blocks in between come with their certificates.
            let far = executed.plus(window.saturating_mul(2));
            self.tallies
                .retain(|seq, _| *seq <= far || seq.plus(window) > stable);
        }
        self.next = self.next.max(self.stable_seq().next());
        let entered = self.slots.range(base.next()..).filter(|(_, slot)| {
            slot.own.is_none_or(|own| own.0 < self.view) && slot.proposal.is_some()
        });
        let entered: Vec<Seq> = entered.map(|(seq, _)| *seq).collect();
        for seq in entered {
            self.advance(seq);
        }
    }
}
