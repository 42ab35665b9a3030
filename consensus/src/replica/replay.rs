//! Taking in the records of a vote log, one by one.

use crate::batch::Batch;
use crate::block::CertifiedBlock;
use crate::certificate::{Certificate, CheckpointCertificate, PreparedCertificate, Proven};
use crate::digest::Digest;
use crate::error::{RecoverError, Rejected};
use crate::io::Effect;
use crate::message::{Checkpoint, Commit, NewView, PrePrepare, Prepare, ViewChange};
use crate::number::{Seq, View};
use crate::record::Record;
use crate::replica::Replica;
use crate::replica::catch_up::Waiting;
use crate::signed::{Scheme, Signable as _, Signed};
use crate::slot::Held;

impl<S: Scheme> Replica<S> {
    /// Takes in all records of this epoch.
    pub(super) fn replay(&mut self, records: &[Record]) -> Result<(), RecoverError> {
        let epoch = self.committee.epoch();
        let here = records
            .iter()
            .enumerate()
            .filter(|(_, one)| one.epoch() == Some(epoch));
        let here: Vec<(usize, &Record)> = here.collect();
        self.replay_certificates(&here)?;
        let entered = |one: &Record| matches!(one, Record::ViewChange(_) | Record::NewView(_));
        let views = here
            .iter()
            .filter(|(_, one)| entered(one))
            .filter_map(|(_, one)| one.view());
        self.view = views.max().unwrap_or(View::ZERO);
        self.active = self.view == View::ZERO;
        self.next = self.stable_seq().next();
        for (record, one) in here {
            self.replay_one(one)
                .map_err(|why| RecoverError::BadRecord { record, why })?;
        }
        Ok(())
    }

    /// The certificates of blocks, from which `base` follows.
    fn replay_certificates(&mut self, records: &[(usize, &Record)]) -> Result<(), RecoverError> {
        let known = records
            .iter()
            .filter_map(|(place, one)| Some((*place, certified(one)?)));
        let newest = known.clone().map(|(_, certificate)| certificate.seq).max();
        let window = Seq::new(self.parameters.window);
        // Of blocks that the store lacks all are kept, however many: a latecomer takes none without its own.
        let oldest = Seq::new(newest.unwrap_or(Seq::ZERO).above(window)).min(self.executed);
        for (record, certificate) in known.filter(|(_, one)| one.seq > oldest) {
            let proof = Proven::verify(certificate.clone(), &self.committee)
                .map_err(|why| RecoverError::BadRecord { record, why })?;
            if proof.seq > self.stable_seq() {
                self.stable = Some(proof.clone());
            }
            let tally = self.tallies.entry(proof.seq).or_default();
            tally.certificate = Some(proof);
        }
        self.extend_certified();
        Ok(())
    }

    /// Takes in one record; those at or below `base` have no more to say.
    fn replay_one(&mut self, record: &Record) -> Result<(), Rejected> {
        if record.seq().is_some_and(|seq| seq <= self.base()) {
            return Ok(());
        }
        match record {
            Record::Accepted {
                pre_prepare,
                batch,
                prepare,
            } => {
                self.replay_accepted(pre_prepare, batch.as_ref())?;
                prepare
                    .as_ref()
                    .map_or(Ok(()), |own| self.replay_prepare(own))
            }
            Record::Prepared {
                certificate,
                commit,
            } => {
                self.replay_prepared(certificate)?;
                commit
                    .as_ref()
                    .map_or(Ok(()), |own| self.replay_commit(own))
            }
            Record::Committed { certificate, batch } => {
                let proof = Proven::verify(certificate.clone(), &self.committee)?;
                let slot = self.slots.entry(proof.seq).or_default();
                if let Some(batch) = batch {
                    slot.batches.insert(batch.digest(), logged(batch));
                }
                slot.committed = Some(proof);
                slot.committed_logged = true;
                Ok(())
            }
            Record::CaughtUp {
                header,
                body,
                certificate,
            } => self.replay_block(header, body, certificate),
            Record::Checkpoint { own } => self.replay_checkpoint(own),
            Record::ViewChange(own) => self.replay_view_change(own),
            Record::NewView(new_view) => self.replay_new_view(new_view),
            Record::Stable { .. } | Record::Key { .. } | Record::Birth { .. } => Ok(()),
        }
    }

    /// A prepared certificate; that of the highest view stays.
    fn replay_prepared(&mut self, certificate: &PreparedCertificate) -> Result<(), Rejected> {
        certificate.check(&self.committee)?;
        self.adopt_prepared(certificate);
        Ok(())
    }

    /// Its own COMMIT.
    fn replay_commit(&mut self, own: &Signed<Commit>) -> Result<(), Rejected> {
        let own = own.clone().verify(&self.committee)?;
        let slot = self.slots.entry(own.body().seq).or_default();
        slot.own = slot.own.max(Some((own.body().view, own.body().digest)));
        slot.commits.insert(own.from(), own);
        Ok(())
    }

    /// Its own CHECKPOINT. For a block that is executed again it says what must come out.
    fn replay_checkpoint(&mut self, own: &Signed<Checkpoint>) -> Result<(), Rejected> {
        let own = own.clone().verify(&self.committee)?;
        let Checkpoint { seq, header } = *own.body();
        if seq <= self.executed {
            self.slots.entry(seq).or_default().executed = Some(header);
        }
        let tally = self.tallies.entry(seq).or_default();
        tally.votes.insert(own.from(), own);
        Ok(())
    }

    /// Its own VIEW-CHANGE, which may hold certificates that came with a NEW-VIEW.
    fn replay_view_change(&mut self, own: &Signed<ViewChange>) -> Result<(), Rejected> {
        let own = own.clone().verify(&self.committee)?;
        for certificate in &own.body().body().prepared {
            self.adopt_prepared(certificate);
        }
        if own.body().view() == self.view && self.entered.is_none() {
            self.leaving = Some(own.as_signed().clone());
            self.view_changes.insert(own.from(), own);
        }
        Ok(())
    }

    /// A NEW-VIEW that it sent or took.
    fn replay_new_view(&mut self, new_view: &Signed<NewView>) -> Result<(), Rejected> {
        let new_view = new_view.clone().verify(&self.committee)?;
        if new_view.body().view() == self.view {
            self.view_changes.clear();
            self.install(new_view.into_signed());
            return Ok(());
        }
        let changes = new_view.body().body().view_changes.iter();
        let prepared = changes.flat_map(|change| &change.body.body().prepared);
        prepared.for_each(|certificate| self.adopt_prepared(certificate));
        Ok(())
    }

    /// Signs for the blocks in the store that are not certified: the crash may have come
    /// between their execution and the CHECKPOINT.
    pub(super) fn attest_stored(&mut self, store: &[(Seq, Digest)]) {
        let stable = self
            .stable
            .clone()
            .filter(|stable| stable.seq <= self.executed);
        if let Some(stable) = stable {
            self.tallies.entry(stable.seq).or_default().certificate = Some(stable.clone());
            self.effects.push(Effect::Certified(stable));
        }
        for (seq, header) in store {
            if *seq > self.base() && self.diverged.is_none() {
                self.slots.entry(*seq).or_default().executed = Some(*header);
                self.attest(*seq, *header);
            }
        }
    }

    /// A proposal that was made or taken, or whose batch was kept.
    fn replay_accepted(
        &mut self,
        proposal: &Signed<PrePrepare>,
        batch: Option<&Batch>,
    ) -> Result<(), Rejected> {
        let proposal = proposal.clone().verify(&self.committee)?;
        let PrePrepare { view, seq, digest } = *proposal.body();
        let mine = self.voter() == Some(proposal.from());
        let current = view == self.view && self.active;
        let slot = self.slots.entry(seq).or_default();
        if let Some(batch) = batch.filter(|batch| !batch.is_null()) {
            slot.batches.insert(batch.digest(), logged(batch));
        }
        if mine {
            slot.own = slot.own.max(Some((view, digest)));
        }
        if current {
            slot.proposal = Some(proposal);
            self.next = self.next.max(seq.next());
        }
        Ok(())
    }

    /// Its own PREPARE.
    fn replay_prepare(&mut self, own: &Signed<Prepare>) -> Result<(), Rejected> {
        let own = own.clone().verify(&self.committee)?;
        let (view, digest) = (own.body().view, own.body().digest);
        let slot = self.slots.entry(own.body().seq).or_default();
        slot.own = slot.own.max(Some((view, digest)));
        if let Some(held) = slot.batches.get_mut(&digest) {
            held.checked = true;
        }
        slot.prepares.insert(own.from(), own);
        Ok(())
    }

    /// A block that came certified and is not in the store yet.
    fn replay_block(
        &mut self,
        header: &[u8],
        body: &Batch,
        certificate: &CheckpointCertificate,
    ) -> Result<(), Rejected> {
        if certificate.seq <= self.executed {
            return Ok(());
        }
        let (named, proof) = (body.digest(), certificate.clone());
        let block =
            CertifiedBlock::verify(header.to_vec(), named, body.clone(), proof, &self.committee)?;
        let tally = self.tallies.entry(block.seq()).or_default();
        tally.certificate = Some(block.certificate().clone());
        self.fetched.insert(
            block.seq(),
            Waiting {
                block,
                logged: true,
            },
        );
        Ok(())
    }

    /// A replica that stopped for a divergence stays stopped for as long as its store has the
    /// block whose result is not the certified one.
    pub(super) fn compare_stored(&mut self, store: &[(Seq, Digest)]) {
        let certified = |seq| Some(self.tallies.get(seq)?.certificate.as_ref()?.header);
        let differing = store.iter().find_map(|(seq, own)| {
            let header = certified(seq)?;
            (header != *own).then_some((*seq, *own, header))
        });
        if let Some((seq, own, certified)) = differing {
            self.agrees(seq, own, certified);
        }
    }
}

/// A batch that the vote log has. Whether it may be voted for is for its certificates to say,
/// or for the PREPARE beside it.
fn logged(batch: &Batch) -> Held {
    let batch = batch.clone();
    Held {
        batch,
        checked: false,
        logged: true,
        dropped: false,
    }
}

/// The certificate of a block in a record.
pub(super) const fn certified(record: &Record) -> Option<&CheckpointCertificate> {
    match record {
        Record::Stable { certificate } | Record::CaughtUp { certificate, .. } => Some(certificate),
        Record::Key { .. }
        | Record::Birth { .. }
        | Record::Accepted { .. }
        | Record::Prepared { .. }
        | Record::Committed { .. }
        | Record::Checkpoint { .. }
        | Record::ViewChange(_)
        | Record::NewView(_) => None,
    }
}
