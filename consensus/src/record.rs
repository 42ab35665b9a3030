//! The vote log's records: everything that a replica must find again after a crash.

use serde::{Deserialize, Serialize};

use crate::batch::Batch;
use crate::certificate::{CheckpointCertificate, CommitCertificate, PreparedCertificate};
use crate::digest::ChainId;
use crate::encoding::{self, DecodeError};
use crate::message::{Checkpoint, Commit, NewView, PrePrepare, Prepare, ViewChange};
use crate::number::{Epoch, Seq, View};
use crate::signed::{PublicKey, Signable as _, Signed};

/// One entry of the vote log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Record {
    /// The first record: whose votes these are. Written when the key is made, never later.
    Key {
        /// The member's public key.
        key: PublicKey,
    },
    /// From here on the log is whole: its owner has signed nothing before.
    Birth {
        /// The ledger.
        chain: ChainId,
        /// The member's public key.
        key: PublicKey,
        /// The first epoch in which it may sign.
        first_epoch: Epoch,
    },
    /// A proposal that this replica made, or took with its PREPARE.
    Accepted {
        /// The proposal.
        pre_prepare: Signed<PrePrepare>,
        /// The batch; `None` when an earlier record holds it, and for the null batch.
        batch: Option<Batch>,
        /// Its own PREPARE; `None` at the primary, and where only the batch is kept.
        prepare: Option<Signed<Prepare>>,
    },
    /// A prepared certificate, the others' signatures included, and the COMMIT that rests on it.
    Prepared {
        /// The certificate.
        certificate: PreparedCertificate,
        /// Its own COMMIT; `None` where only the certificate is kept.
        commit: Option<Signed<Commit>>,
    },
    /// A batch is ordered.
    Committed {
        /// The proof.
        certificate: CommitCertificate,
        /// The batch, when no earlier record holds it.
        batch: Option<Batch>,
    },
    /// A block that came certified from a peer.
    CaughtUp {
        /// The bytes of its header.
        header: Vec<u8>,
        /// The bytes of its batch.
        body: Batch,
        /// The proof of both.
        certificate: CheckpointCertificate,
    },
    /// Its own CHECKPOINT.
    Checkpoint {
        /// The message.
        own: Signed<Checkpoint>,
    },
    /// A block has become stable.
    Stable {
        /// The proof.
        certificate: CheckpointCertificate,
    },
    /// Its own VIEW-CHANGE; sent again byte for byte.
    ViewChange(Signed<ViewChange>),
    /// The NEW-VIEW that began the view it is in; sent again byte for byte.
    NewView(Signed<NewView>),
}

impl Record {
    /// The bytes of the record.
    pub fn encode(&self) -> Vec<u8> {
        encoding::encode(self)
    }

    /// The record that has exactly these bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        encoding::decode(bytes)
    }

    /// The sequence number it is about; a log segment may go when every one in it is at or
    /// below the stable checkpoint and in the store.
    pub const fn seq(&self) -> Option<Seq> {
        match self {
            Self::Key { .. } | Self::Birth { .. } | Self::ViewChange(_) | Self::NewView(_) => None,
            Self::Accepted { pre_prepare, .. } => Some(pre_prepare.body.seq),
            Self::Prepared { certificate, .. } => Some(certificate.seq),
            Self::Committed { certificate, .. } => Some(certificate.seq),
            Self::CaughtUp { certificate, .. } | Self::Stable { certificate } => {
                Some(certificate.seq)
            }
            Self::Checkpoint { own } => Some(own.body.seq),
        }
    }

    /// The epoch it belongs to; none for [`Record::Key`] and [`Record::Birth`].
    pub const fn epoch(&self) -> Option<Epoch> {
        match self {
            Self::Key { .. } | Self::Birth { .. } => None,
            Self::Accepted { pre_prepare, .. } => Some(pre_prepare.epoch),
            Self::Prepared { certificate, .. } => Some(certificate.epoch),
            Self::Committed { certificate, .. } => Some(certificate.epoch),
            Self::CaughtUp { certificate, .. } | Self::Stable { certificate } => {
                Some(certificate.epoch)
            }
            Self::Checkpoint { own } => Some(own.epoch),
            Self::ViewChange(signed) => Some(signed.epoch),
            Self::NewView(signed) => Some(signed.epoch),
        }
    }

    /// The view it shows its owner to have been in.
    pub(crate) fn view(&self) -> Option<View> {
        match self {
            Self::Accepted { pre_prepare, .. } => Some(pre_prepare.body.view),
            Self::ViewChange(signed) => Some(signed.body.view()),
            Self::NewView(signed) => Some(signed.body.view()),
            Self::Prepared { .. }
            | Self::Key { .. }
            | Self::Birth { .. }
            | Self::Committed { .. }
            | Self::CaughtUp { .. }
            | Self::Checkpoint { .. }
            | Self::Stable { .. } => None,
        }
    }
}
