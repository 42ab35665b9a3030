//! Frames: what travels between members, and the way from bytes to an input.

use serde::{Deserialize, Serialize};

use crate::batch::{Batch, Proposed};
use crate::certificate::{CheckpointCertificate, CommitCertificate, PreparedCertificate, Proven};
use crate::committee::{Committee, ReplicaId};
use crate::encoding::{self, DecodeError};
use crate::error::Rejected;
use crate::io::{Input, Message};
use crate::message::{Checkpoint, Commit, NewView, PrePrepare, Prepare, ViewChange, WINDOW_MAX};
use crate::number::Epoch;
use crate::signed::{Scheme, Signed};
use crate::status::Status;

/// The most entries in each list of a STATUS: no replica keeps more sequence numbers.
const LISTED_MAX: u64 = WINDOW_MAX * 3;

/// One frame between members; nothing in it is proved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Frame {
    /// A proposal with its batch beside it.
    PrePrepare(Signed<PrePrepare>, Batch),
    /// A backup's agreement.
    Prepare(Signed<Prepare>),
    /// A replica is prepared.
    Commit(Signed<Commit>),
    /// A replica has executed a block.
    Checkpoint(Signed<Checkpoint>),
    /// A replica has left a view.
    ViewChange(Signed<ViewChange>),
    /// A view begins.
    NewView(Signed<NewView>),
    /// A certificate in place of votes.
    Prepared(PreparedCertificate),
    /// A certificate in place of votes.
    Committed(CommitCertificate),
    /// A certificate in place of votes.
    Stable(CheckpointCertificate),
    /// A batch that was asked for by its digest.
    Batch(Batch),
    /// What the sender lacks.
    Status(Status),
}

impl Frame {
    /// The bytes of the frame; made once, whatever the number of receivers.
    pub fn encode(&self) -> Vec<u8> {
        encoding::encode(self)
    }

    /// The frame that has exactly these bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        encoding::decode(bytes)
    }

    /// The epoch it belongs to, where it says one: one of another epoch is not for this
    /// replica, but tells that somebody is behind.
    pub const fn epoch(&self) -> Option<Epoch> {
        match self {
            Self::PrePrepare(signed, _) => Some(signed.epoch),
            Self::Prepare(signed) => Some(signed.epoch),
            Self::Commit(signed) => Some(signed.epoch),
            Self::Checkpoint(signed) => Some(signed.epoch),
            Self::ViewChange(signed) => Some(signed.epoch),
            Self::NewView(signed) => Some(signed.epoch),
            Self::Prepared(certificate) => Some(certificate.epoch),
            Self::Committed(certificate) => Some(certificate.epoch),
            Self::Stable(certificate) => Some(certificate.epoch),
            Self::Status(status) => Some(status.epoch),
            Self::Batch(_) => None,
        }
    }

    /// Checks every signature in the frame. The host does this off the replica's thread;
    /// `from` is the peer as the channel authenticated it.
    ///
    /// The batch beside a PRE-PREPARE comes out as [`Proposed::Unchecked`]: the host makes it
    /// [`Proposed::Valid`] when it passes the vote-time check.
    pub fn verify<S: Scheme>(
        self,
        from: ReplicaId,
        committee: &Committee<S>,
    ) -> Result<Input, Rejected> {
        let message = match self {
            Self::Status(status) => {
                let longest = status.open.len().max(status.checkpoints.len());
                let within = u64::try_from(longest).is_ok_and(|longest| longest <= LISTED_MAX);
                return within
                    .then_some(Input::Status { from, status })
                    .ok_or(Rejected::Oversized { from });
            }
            Self::PrePrepare(signed, batch) => {
                let (named, came) = (signed.body.digest, batch.digest());
                if named != came {
                    return Err(Rejected::OtherBatch { named, came });
                }
                Message::PrePrepare(signed.verify(committee)?, Proposed::Unchecked(batch))
            }
            Self::Prepare(signed) => Message::Prepare(signed.verify(committee)?),
            Self::Commit(signed) => Message::Commit(signed.verify(committee)?),
            Self::Checkpoint(signed) => Message::Checkpoint(signed.verify(committee)?),
            Self::ViewChange(signed) => Message::ViewChange(signed.verify(committee)?),
            Self::NewView(signed) => Message::NewView(signed.verify(committee)?),
            Self::Prepared(one) => Message::Prepared(Proven::verify(one, committee)?),
            Self::Committed(one) => Message::Committed(Proven::verify(one, committee)?),
            Self::Stable(one) => Message::Stable(Proven::verify(one, committee)?),
            Self::Batch(batch) => Message::Batch(batch),
        };
        Ok(Input::Message(message))
    }
}
