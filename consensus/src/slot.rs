//! One sequence number: what is proposed, prepared, committed and executed there.

use std::collections::{BTreeMap, BTreeSet};

use crate::batch::{Batch, Proposed};
use crate::certificate::{CommitCertificate, PreparedCertificate, Proven, Votes};
use crate::committee::ReplicaId;
use crate::digest::Digest;
use crate::message::{Commit, PrePrepare, Prepare};
use crate::number::View;
use crate::signed::{Signable, Verified};

/// A batch in memory, and what is known of it.
#[expect(
    clippy::struct_excessive_bools,
    reason = "three facts that are independent of each other"
)]
#[derive(Clone, Debug)]
pub(crate) struct Held {
    /// The batch.
    pub(crate) batch: Batch,
    /// The host's check passed; a certificate does as well.
    pub(crate) checked: bool,
    /// The vote log has its bytes.
    pub(crate) logged: bool,
    /// Its transactions went back to the pool.
    pub(crate) dropped: bool,
}

/// One sequence number above `base`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Slot {
    /// The prepared certificate of the highest view; survives view changes and execution.
    pub(crate) prepared: Option<Proven<PreparedCertificate>>,
    /// The proposal of the current view.
    pub(crate) proposal: Option<Verified<PrePrepare>>,
    /// The digest that the NEW-VIEW of the current view proposes here: certified by it.
    pub(crate) reproposed: Option<Digest>,
    /// One PREPARE per sender, of the highest view it sent one in; also before the proposal came.
    pub(crate) prepares: BTreeMap<ReplicaId, Verified<Prepare>>,
    /// One COMMIT per sender, of the highest view it sent one in.
    pub(crate) commits: BTreeMap<ReplicaId, Verified<Commit>>,
    /// The proof that the batch is ordered here.
    pub(crate) committed: Option<Proven<CommitCertificate>>,
    /// Whether the vote log has that proof.
    pub(crate) committed_logged: bool,
    /// The hash of the header that execution gave; it is never executed again.
    pub(crate) executed: Option<Digest>,
    /// The batches that proposals and certificates name.
    pub(crate) batches: BTreeMap<Digest, Held>,
    /// The one batch that this replica voted for in the last view in which it voted here. In
    /// one view PRE-PREPARE, PREPARE and COMMIT of one replica never differ.
    pub(crate) own: Option<(View, Digest)>,
    /// Whose contradictions were reported already.
    pub(crate) accused: BTreeSet<ReplicaId>,
}

impl Slot {
    /// The batch with this digest; the null batch is always at hand.
    pub(crate) fn batch(&self, digest: Digest) -> Option<Batch> {
        if digest == Digest::NULL {
            return Some(Batch::null());
        }
        self.batches.get(&digest).map(|held| held.batch.clone())
    }

    /// Whether the batch may be voted for: checked by the host, or certified, or null.
    pub(crate) fn is_valid(&self, digest: Digest) -> bool {
        let certified = self.reproposed == Some(digest)
            || self
                .prepared
                .as_ref()
                .is_some_and(|proof| proof.digest == digest)
            || self
                .committed
                .as_ref()
                .is_some_and(|proof| proof.digest == digest);
        let held = self.batches.get(&digest);
        digest == Digest::NULL || held.is_some_and(|held| held.checked || certified)
    }

    /// Keeps a batch that came beside a proposal; one that was dropped is under way again.
    pub(crate) fn hold(&mut self, proposed: &Proposed) {
        let checked = matches!(proposed, Proposed::Valid(_));
        let batch = proposed.batch().clone();
        if batch.is_null() {
            return;
        }
        let held = self.batches.entry(batch.digest());
        let held = held.or_insert(Held {
            batch,
            checked,
            logged: false,
            dropped: false,
        });
        held.checked |= checked;
        held.dropped = false;
    }

    /// The batch for the next log record, unless the log has its bytes already.
    pub(crate) fn unlogged(&mut self, digest: Digest) -> Option<Batch> {
        let held = self.batches.get_mut(&digest).filter(|held| !held.logged)?;
        held.logged = true;
        Some(held.batch.clone())
    }

    /// Whether a vote for this batch contradicts none of this replica's own.
    pub(crate) fn may_vote(&self, view: View, digest: Digest) -> bool {
        let ordered = self
            .committed
            .as_ref()
            .is_none_or(|proof| proof.digest == digest);
        ordered
            && self
                .own
                .is_none_or(|own| own.0 < view || own == (view, digest))
    }

    /// The digest of the proposal of this view.
    pub(crate) fn proposed(&self, view: View) -> Option<Digest> {
        let proposal = self
            .proposal
            .as_ref()
            .filter(|proposal| proposal.body().view == view);
        proposal.map(|proposal| proposal.body().digest)
    }

    /// Whether it holds a prepared certificate of this view.
    pub(crate) fn is_prepared(&self, view: View) -> bool {
        self.prepared
            .as_ref()
            .is_some_and(|proof| proof.view == view)
    }

    /// Whether something is going on here that has not come to its end.
    pub(crate) fn is_open(&self, weak_quorum: usize) -> bool {
        let votes = self.prepares.len().max(self.commits.len());
        self.executed.is_none()
            && (self.proposal.is_some() || self.committed.is_some() || votes >= weak_quorum)
    }

    /// A certified batch whose bytes are missing.
    pub(crate) fn lacks_batch(&self) -> Option<Digest> {
        let committed = self.committed.as_ref().map(|proof| proof.digest);
        let proposed = self
            .proposal
            .as_ref()
            .map(|proposal| proposal.body().digest);
        let named = committed
            .or(proposed)
            .filter(|digest| *digest != Digest::NULL)?;
        (!self.batches.contains_key(&named) && self.executed.is_none()).then_some(named)
    }
}

/// The signatures of the votes that name this view and digest, at most `most` of them.
pub(crate) fn matching<T: Signable>(
    votes: &BTreeMap<ReplicaId, Verified<T>>,
    view: View,
    digest: Digest,
    most: usize,
) -> Votes {
    let same = |vote: &&Verified<T>| vote.body().view() == view && vote.body().digest() == digest;
    let votes = votes.values().filter(same);
    votes
        .map(|vote| (vote.from(), vote.signature()))
        .take(most)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::ValidBatch;
    use crate::number::{Epoch, Seq};
    use crate::signed::Signature;

    fn prepared(digest: Digest) -> Proven<PreparedCertificate> {
        Proven::assembled(PreparedCertificate {
            epoch: Epoch::ZERO,
            view: View::ZERO,
            seq: Seq::new(1),
            digest,
            pre_prepare: Signature::new(&[0; 64]),
            prepares: Vec::new(),
        })
    }

    fn committed(digest: Digest) -> Proven<CommitCertificate> {
        Proven::assembled(CommitCertificate {
            epoch: Epoch::ZERO,
            view: View::ZERO,
            seq: Seq::new(1),
            digest,
            commits: Vec::new(),
        })
    }

    #[test]
    fn an_unchecked_batch_is_valid_by_each_proof_of_it_and_by_none_of_another() {
        let (batch, other) = (Batch::new(b"a".as_slice()), Digest::new([9; 32]));
        let digest = batch.digest();
        let valid = |change: &dyn Fn(&mut Slot)| {
            let mut slot = Slot::default();
            slot.hold(&Proposed::Unchecked(batch.clone()));
            change(&mut slot);
            slot.is_valid(digest)
        };

        assert!(!valid(&|_slot| {}));
        assert!(valid(&|slot| slot.reproposed = Some(digest)));
        assert!(valid(&|slot| slot.prepared = Some(prepared(digest))));
        assert!(valid(&|slot| slot.committed = Some(committed(digest))));
        assert!(!valid(&|slot| {
            slot.reproposed = Some(other);
            slot.prepared = Some(prepared(other));
            slot.committed = Some(committed(other));
        }));
    }

    #[test]
    fn a_batch_that_was_checked_once_stays_checked() {
        let batch = Batch::new(b"a".as_slice());
        let (valid, unchecked) = (
            Proposed::Valid(ValidBatch::checked(batch.clone())),
            Proposed::Unchecked(batch.clone()),
        );
        for both in [[&valid, &unchecked], [&unchecked, &valid]] {
            let mut slot = Slot::default();
            for proposed in both {
                slot.hold(proposed);
            }

            assert!(slot.is_valid(batch.digest()));
        }
    }
}
