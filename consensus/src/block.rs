//! What is handed over for execution, and blocks that come certified from peers.

use crate::batch::Batch;
use crate::certificate::{CheckpointCertificate, CommitCertificate, Proven};
use crate::committee::Committee;
use crate::digest::{Digest, Domain};
use crate::error::Rejected;
use crate::number::{Seq, View};
use crate::signed::{PublicKey, Scheme};

/// A batch whose place in the order is final; to be executed when all lower ones are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// Its place, which is the height of its block.
    pub seq: Seq,
    /// The batch.
    pub batch: Batch,
    /// What proves the place.
    pub proof: Order,
}

impl Committed {
    /// The view in which it was committed here; local knowledge, and none for a block that
    /// came certified.
    pub fn view(&self) -> Option<View> {
        match &self.proof {
            Order::Commits(certificate) => Some(certificate.view),
            Order::Block(_) => None,
        }
    }
}

/// What proves that a batch is ordered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// COMMITs of a quorum.
    Commits(Proven<CommitCertificate>),
    /// CHECKPOINTs of a quorum over its block.
    Block(Proven<CheckpointCertificate>),
}

/// A block fetched from a peer, with everything checked that can be checked without executing it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertifiedBlock {
    /// The bytes of the header.
    header: Vec<u8>,
    /// The batch that the header names.
    batch: Batch,
    /// The proof of the header.
    certificate: Proven<CheckpointCertificate>,
}

impl CertifiedBlock {
    /// Checks that the certificate is one of this committee, that it is for these header
    /// bytes, and that the batch has the digest which the host read in them (this crate does
    /// not know the layout of a header).
    pub fn verify<S: Scheme>(
        header: Vec<u8>,
        named: Digest,
        batch: Batch,
        certificate: CheckpointCertificate,
        committee: &Committee<S>,
    ) -> Result<Self, Rejected> {
        if Digest::of(Domain::Header, &header) != certificate.header {
            return Err(Rejected::OtherHeader {
                seq: certificate.seq,
            });
        }
        if batch.digest() != named {
            return Err(Rejected::OtherBatch {
                named,
                came: batch.digest(),
            });
        }
        let certificate = Proven::verify(certificate, committee)?;
        Ok(Self {
            header,
            batch,
            certificate,
        })
    }

    /// Its height.
    pub fn seq(&self) -> Seq {
        self.certificate.seq
    }

    /// The bytes of its header.
    pub(crate) fn header(&self) -> &[u8] {
        &self.header
    }

    /// Its batch.
    pub(crate) const fn batch(&self) -> &Batch {
        &self.batch
    }

    /// Its proof.
    pub(crate) const fn certificate(&self) -> &Proven<CheckpointCertificate> {
        &self.certificate
    }
}

/// The epoch ends: said by the host with the result of the block that decided it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EpochEnd {
    /// E, the last block of this epoch.
    pub last: Seq,
    /// The keys of the next committee, in order.
    pub next: Vec<PublicKey>,
}

/// This node's result differs from the certified one; it signs nothing more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Divergence {
    /// The block.
    pub seq: Seq,
    /// The hash of the header that was computed here.
    pub own: Digest,
    /// The hash that a quorum certified.
    pub certified: Digest,
}
