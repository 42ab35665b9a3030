//! A block is an executed batch; its header is what a quorum signs.

use serde::{Deserialize, Serialize};

use crate::encoding::{self, Malformed};
use crate::hash;
use crate::identity::{BlockTime, ChainId, Epoch, HeaderHash, Height, Root};

/// The version of [`Header`] that this crate reads and writes.
pub const HEADER_VERSION: u16 = 1;
/// A header on the wire.
pub const HEADER_BYTES: usize = 278;

/// The header: every field is a function of the ordered batches, none of votes or views.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Version of this layout.
    pub version: u16,
    /// The ledger.
    pub chain: ChainId,
    /// Position in the ledger, and the sequence number of consensus.
    pub height: Height,
    /// The committee that certifies this block.
    pub epoch: Epoch,
    /// Block time; never before the parent's.
    pub time: BlockTime,
    /// Hash of the header before this one.
    pub parent: HeaderHash,
    /// Digest of the batch; zero for the null batch.
    pub batch_digest: Root,
    /// RFC 6962 root over the signed bytes of the transactions.
    pub transactions_root: Root,
    /// RFC 6962 root over the outcomes.
    pub outcomes_root: Root,
    /// Root of the state after this block.
    pub state_root: Root,
    /// RFC 6962 root over the header hashes of all lower heights.
    pub history_root: Root,
    /// Digest of the committee that certifies the next block.
    pub next_committee: Root,
}

impl Header {
    /// The header's bytes: fixed layout, little-endian, [`HEADER_BYTES`] long.
    pub fn encode(&self) -> Vec<u8> {
        encoding::encode(self)
    }

    /// Reads a header from exactly these bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        encoding::decode(bytes, HEADER_BYTES)
    }

    /// What a checkpoint signs.
    pub fn hash(&self) -> HeaderHash {
        header_hash(&self.encode())
    }
}

/// SHA-256("aidchain/header" ‖ 0x00 ‖ bytes).
pub fn header_hash(bytes: &[u8]) -> HeaderHash {
    HeaderHash::new(hash::labelled("aidchain/header", &[bytes]))
}
