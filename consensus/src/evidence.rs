//! Evidence: two statements of one key that no honest member signs both.

use serde::{Deserialize, Serialize};

use crate::committee::{Committee, ReplicaId};
use crate::digest::Digest;
use crate::encoding::{self, DecodeError};
use crate::number::{Epoch, Seq, View};
use crate::signed::{Kind, Scheme, Signable, Signature, Statement, Verified};

/// Bytes of every encoded evidence.
pub const EVIDENCE_BYTES: usize = 222;

/// Why evidence convicts nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unproven {
    /// It is about another epoch than the committee's.
    #[error("the evidence is about epoch {0}")]
    OtherEpoch(Epoch),
    /// Nobody had this place.
    #[error("there is no member {0} in that epoch")]
    NotAMember(ReplicaId),
    /// An honest member may sign both.
    #[error("the two votes do not contradict each other")]
    NoContradiction,
    /// A signature is not the member's over that statement.
    #[error("a signature of the evidence is not valid")]
    BadSignature,
}

/// One side of a contradiction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vote {
    /// PRE-PREPARE, PREPARE or COMMIT.
    pub kind: Kind,
    /// The batch it names.
    pub digest: Digest,
    /// The member's signature over the statement.
    pub signature: Signature,
}

/// Two votes of one member for different batches at one view and sequence number.
///
/// Votes in *different* views never contradict each other: an honest primary may propose
/// another batch at a sequence number after a view change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The epoch; the member's key comes from the committee of that epoch.
    pub epoch: Epoch,
    /// Whose votes they are.
    pub member: ReplicaId,
    /// The view of both.
    pub view: View,
    /// The sequence number of both.
    pub seq: Seq,
    /// The vote that came first.
    pub first: Vote,
    /// The one that contradicts it.
    pub second: Vote,
}

impl Evidence {
    /// Its bytes, [`EVIDENCE_BYTES`] of them.
    pub fn encode(&self) -> Vec<u8> {
        encoding::encode(self)
    }

    /// The evidence that has exactly these bytes; nothing in it is proved.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() > EVIDENCE_BYTES {
            let bytes = bytes.len().saturating_sub(EVIDENCE_BYTES);
            return Err(DecodeError::Trailing { bytes });
        }
        encoding::decode(bytes)
    }

    /// Checks that a member of this committee signed both votes and that no honest member does.
    ///
    /// A PRE-PREPARE and a PREPARE of one member are no contradiction by themselves: the
    /// primary's PREPARE counts nowhere.
    pub fn verify<S: Scheme>(&self, committee: &Committee<S>) -> Result<(), Unproven> {
        if self.epoch != committee.epoch() {
            return Err(Unproven::OtherEpoch(self.epoch));
        }
        let key = committee.key(self.member);
        let key = key.ok_or(Unproven::NotAMember(self.member))?;
        if !contradict(&self.first, &self.second) {
            return Err(Unproven::NoContradiction);
        }
        let is_signed = |vote: &Vote| {
            let statement = Statement {
                chain: committee.chain(),
                epoch: self.epoch,
                kind: vote.kind,
                view: self.view,
                seq: self.seq,
                digest: vote.digest,
            };
            S::verify(key, &statement.bytes(), &vote.signature)
        };
        if is_signed(&self.first) && is_signed(&self.second) {
            Ok(())
        } else {
            Err(Unproven::BadSignature)
        }
    }

    /// The contradiction between two verified votes, if they are one.
    pub(crate) fn between<A: Signable, B: Signable>(
        first: &Verified<A>,
        second: &Verified<B>,
    ) -> Option<Self> {
        let one = (first.from(), first.body().view(), first.body().seq());
        let other = (second.from(), second.body().view(), second.body().seq());
        if one != other || first.body().digest() == second.body().digest() {
            return None;
        }
        Some(Self {
            epoch: first.as_signed().epoch,
            member: first.from(),
            view: first.body().view(),
            seq: first.body().seq(),
            first: side(first),
            second: side(second),
        })
    }
}

/// Whether no honest member signs both of these at one view and sequence number.
fn contradict(first: &Vote, second: &Vote) -> bool {
    let mut kinds = [first.kind, second.kind];
    kinds.sort_unstable();
    let exclude_each_other = matches!(
        kinds,
        [Kind::PrePrepare, Kind::PrePrepare | Kind::Commit]
            | [Kind::Prepare, Kind::Prepare | Kind::Commit]
            | [Kind::Commit, Kind::Commit]
    );
    exclude_each_other && first.digest != second.digest
}

/// A verified vote as one side of a contradiction.
fn side<T: Signable>(vote: &Verified<T>) -> Vote {
    Vote {
        kind: T::KIND,
        digest: vote.body().digest(),
        signature: vote.signature(),
    }
}
