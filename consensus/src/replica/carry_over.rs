//! What a fresh segment of the vote log begins with, so that older segments may go.

use crate::certificate::{PreparedCertificate, Proven};
use crate::message::PrePrepare;
use crate::record::Record;
use crate::replica::Replica;
use crate::signed::{Scheme, Signed};
use crate::slot::Held;

impl<S: Scheme> Replica<S> {
    /// The records that a fresh log segment begins with: with them, and the store up to `base`,
    /// a replica recovers to where this one is, without any older segment.
    pub fn carry_over(&self) -> Vec<Record> {
        let Some(me) = self.voter() else {
            return Vec::new();
        };
        let mut records = self.birth.clone();
        let certificates = self
            .tallies
            .values()
            .filter_map(|tally| tally.certificate.clone());
        let certificates = certificates
            .chain(self.stable.clone())
            .map(Proven::into_inner);
        records.extend(certificates.map(|certificate| Record::Stable { certificate }));
        records.extend(self.entered.clone().map(Record::NewView));
        records.extend(self.leaving.clone().map(Record::ViewChange));
        for slot in self.slots.values() {
            let proposal = slot.proposal.as_ref();
            let named = proposal.map(|proposal| proposal.body().digest);
            let prepare = slot.prepares.get(&me);
            records.extend(proposal.map(|proposal| {
                Record::Accepted {
                    pre_prepare: proposal.as_signed().clone(),
                    batch: slot
                        .batches
                        .get(&proposal.body().digest)
                        .map(|held| held.batch.clone()),
                    prepare: prepare.map(|own| own.as_signed().clone()),
                }
            }));
            if let Some(certificate) = slot.prepared.clone() {
                records.extend(
                    self.kept_batch(slot.batches.get(&certificate.digest), &certificate)
                        .filter(|_| named != Some(certificate.digest)),
                );
                let commit = slot.commits.get(&me).map(|own| own.as_signed().clone());
                records.push(Record::Prepared {
                    certificate: certificate.into_inner(),
                    commit,
                });
            }
            if let Some(proof) = slot.committed.clone() {
                let batch = slot
                    .batches
                    .get(&proof.digest)
                    .map(|held| held.batch.clone());
                records.push(Record::Committed {
                    certificate: proof.into_inner(),
                    batch,
                });
            }
        }
        let own = self
            .tallies
            .values()
            .filter_map(|tally| tally.votes.get(&me));
        let own = own.filter(|own| own.body().seq > self.base());
        records.extend(own.map(|own| Record::Checkpoint {
            own: own.as_signed().clone(),
        }));
        records.extend(self.fetched.values().map(|waiting| Record::CaughtUp {
            header: waiting.block.header().to_vec(),
            body: waiting.block.batch().clone(),
            certificate: waiting.block.certificate().clone().into_inner(),
        }));
        records
    }

    /// The batch of a prepared certificate, beside the proposal that the certificate holds.
    fn kept_batch(&self, held: Option<&Held>, proof: &PreparedCertificate) -> Option<Record> {
        let body = PrePrepare {
            view: proof.view,
            seq: proof.seq,
            digest: proof.digest,
        };
        let pre_prepare = Signed {
            epoch: proof.epoch,
            from: self.committee.primary(proof.view),
            body,
            signature: proof.pre_prepare,
        };
        let batch = Some(held?.batch.clone());
        Some(Record::Accepted {
            pre_prepare,
            batch,
            prepare: None,
        })
    }
}
