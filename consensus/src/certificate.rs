//! Certificates: sets of signatures that prove something offline, from a committee alone.

use core::ops::Deref;

use serde::{Deserialize, Serialize};

use crate::committee::{Committee, ReplicaId};
use crate::digest::Digest;
use crate::encoding::{self, DecodeError};
use crate::error::Rejected;
use crate::number::{Epoch, Seq, View};
use crate::signed::{Kind, Scheme, Signature, Statement};

/// Signatures of distinct members over one statement, in ascending order of members.
pub type Votes = Vec<(ReplicaId, Signature)>;

/// A set of signatures that can be checked against a committee.
pub trait Certificate {
    /// Counts distinct current members, takes keys from the committee and checks every field.
    fn check<S: Scheme>(&self, committee: &Committee<S>) -> Result<(), Rejected>;
}

/// A certificate that has been checked, or was put together from verified votes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven<C>(C);

impl<C: Certificate> Proven<C> {
    /// Checks a certificate against a committee.
    pub fn verify<S: Scheme>(certificate: C, committee: &Committee<S>) -> Result<Self, Rejected> {
        certificate.check(committee)?;
        Ok(Self(certificate))
    }

    /// Only for certificates made of verified votes, or part of a message that was verified.
    pub(crate) const fn assembled(certificate: C) -> Self {
        Self(certificate)
    }

    /// The certificate as it goes over the wire.
    pub const fn get(&self) -> &C {
        &self.0
    }

    /// The certificate as it goes over the wire, given away.
    pub fn into_inner(self) -> C {
        self.0
    }
}

impl<C> Deref for Proven<C> {
    type Target = C;

    fn deref(&self) -> &C {
        &self.0
    }
}

/// Proof that no other batch can be prepared at this view and sequence number (§4.2).
///
/// The primary's PRE-PREPARE counts as its prepare, so that with one of four members dead the
/// others go on; a PREPARE of the primary never counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreparedCertificate {
    /// The epoch of the votes.
    pub epoch: Epoch,
    /// The view of the votes.
    pub view: View,
    /// The sequence number.
    pub seq: Seq,
    /// The digest of the batch.
    pub digest: Digest,
    /// The primary's signature over its PRE-PREPARE.
    pub pre_prepare: Signature,
    /// PREPAREs of quorum − 1 backups.
    pub prepares: Votes,
}

impl Certificate for PreparedCertificate {
    fn check<S: Scheme>(&self, committee: &Committee<S>) -> Result<(), Rejected> {
        let statement = |kind| Statement {
            chain: committee.chain(),
            epoch: self.epoch,
            kind,
            view: self.view,
            seq: self.seq,
            digest: self.digest,
        };
        let primary = committee.primary(self.view);
        if self.prepares.iter().any(|(member, _)| *member == primary) {
            return Err(Rejected::BadCertificate { seq: self.seq });
        }
        let backups = committee.quorum().saturating_sub(1);
        count(
            &self.prepares,
            &statement(Kind::Prepare),
            backups,
            committee,
        )?;
        let proposal = [(primary, self.pre_prepare)];
        count(&proposal, &statement(Kind::PrePrepare), 1, committee)
    }
}

/// Proof that a batch is ordered at this sequence number, whatever happens later (§4.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitCertificate {
    /// The epoch of the votes.
    pub epoch: Epoch,
    /// The view of the votes.
    pub view: View,
    /// The sequence number.
    pub seq: Seq,
    /// The digest of the batch.
    pub digest: Digest,
    /// COMMITs of a quorum.
    pub commits: Votes,
}

impl Certificate for CommitCertificate {
    fn check<S: Scheme>(&self, committee: &Committee<S>) -> Result<(), Rejected> {
        let statement = Statement {
            chain: committee.chain(),
            epoch: self.epoch,
            kind: Kind::Commit,
            view: self.view,
            seq: self.seq,
            digest: self.digest,
        };
        count(&self.commits, &statement, committee.quorum(), committee)
    }
}

/// Proof that a block, its order and its result are final (§4.3): what a receipt rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointCertificate {
    /// The epoch of the votes.
    pub epoch: Epoch,
    /// The sequence number, which is the block's height.
    pub seq: Seq,
    /// The hash of the block's header.
    pub header: Digest,
    /// CHECKPOINTs of a quorum.
    pub checkpoints: Votes,
}

impl CheckpointCertificate {
    /// The bytes of the certificate.
    pub fn encode(&self) -> Vec<u8> {
        encoding::encode(self)
    }

    /// The certificate that has exactly these bytes; nothing in it is proved.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        encoding::decode(bytes)
    }
}

impl Certificate for CheckpointCertificate {
    fn check<S: Scheme>(&self, committee: &Committee<S>) -> Result<(), Rejected> {
        let statement = Statement {
            chain: committee.chain(),
            epoch: self.epoch,
            kind: Kind::Checkpoint,
            view: View::ZERO,
            seq: self.seq,
            digest: self.header,
        };
        count(&self.checkpoints, &statement, committee.quorum(), committee)
    }
}

/// Checks that at least `least` distinct members signed the statement, and nobody else.
fn count<S: Scheme>(
    votes: &[(ReplicaId, Signature)],
    statement: &Statement,
    least: usize,
    committee: &Committee<S>,
) -> Result<(), Rejected> {
    if statement.epoch != committee.epoch() {
        return Err(Rejected::WrongEpoch {
            epoch: statement.epoch,
            ours: committee.epoch(),
        });
    }
    let bad = Rejected::BadCertificate { seq: statement.seq };
    let ascending = votes
        .iter()
        .zip(votes.iter().skip(1))
        .all(|(one, next)| one.0 < next.0);
    if !ascending || votes.len() < least || votes.len() > committee.size() {
        return Err(bad);
    }
    let stated = statement.bytes();
    let valid = |(member, signature): &(ReplicaId, Signature)| {
        committee.has_signed(*member, &stated, signature)
    };
    if votes.iter().all(valid) {
        Ok(())
    } else {
        Err(bad)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_reads_back_from_its_bytes_and_from_no_others() {
        let certificate = CheckpointCertificate {
            epoch: Epoch::new(1),
            seq: Seq::new(2),
            header: Digest::new([3; 32]),
            checkpoints: vec![(ReplicaId::new(4), Signature::new(&[5; 64]))],
        };
        let mut bytes = certificate.encode();

        assert_eq!(CheckpointCertificate::decode(&bytes), Ok(certificate));
        bytes.push(0);
        assert_eq!(
            CheckpointCertificate::decode(&bytes),
            Err(DecodeError::Trailing { bytes: 1 })
        );
    }
}
