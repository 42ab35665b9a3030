//! The entries of the block file: a block as it was executed here, and a certificate.

use consensus::CheckpointCertificate;
use contract::{CheckedBatch, Execution, Genesis, Header, HeaderHash, Outcome, SignedTransaction};

/// First byte of a block.
const BLOCK: u8 = 1;
/// First byte of a certificate.
const CERTIFICATE: u8 = 2;
/// Stands for "came certified from a peer" where a view is written.
const NO_VIEW: u64 = u64::MAX;

/// A block as this node executed it.
#[derive(Debug, Clone)]
pub struct StoredBlock {
    /// The header.
    pub header: Header,
    /// Its bytes.
    pub header_bytes: Vec<u8>,
    /// Its hash.
    pub hash: HeaderHash,
    /// The bytes that consensus ordered; none for the null batch.
    pub batch: Vec<u8>,
    /// The transactions in them.
    pub transactions: Vec<SignedTransaction>,
    /// What became of each.
    pub outcomes: Vec<Outcome>,
    /// The same, encoded: the leaves of the outcomes tree.
    pub outcome_bytes: Vec<Vec<u8>>,
    /// The proof that it is final, once there is one here.
    pub certificate: Option<CheckpointCertificate>,
    /// The view in which it was committed at this node; none if it came from a peer. Local
    /// knowledge: other nodes may have committed it in another view.
    pub committed_in_view: Option<u64>,
}

/// An entry as it was read.
#[derive(Debug)]
pub(super) enum Entry {
    /// A block.
    Block(RawBlock),
    /// The proof that a block is final.
    Certificate(CheckpointCertificate),
}

/// A block's parts, not decoded.
#[derive(Debug)]
pub(super) struct RawBlock {
    pub(super) view: Option<u64>,
    pub(super) header: Vec<u8>,
    pub(super) batch: Vec<u8>,
    pub(super) outcomes: Vec<Vec<u8>>,
}

/// The entry of an executed block.
pub(super) fn block_bytes(execution: &Execution, batch: &[u8], view: Option<u64>) -> Vec<u8> {
    let outcomes = execution.outcome_bytes().iter().map(Vec::as_slice);
    parts_bytes(execution.header_bytes(), batch, outcomes, view)
}

/// The entry of a block that others executed.
pub(super) fn parts_bytes<'a>(
    header: &[u8],
    batch: &[u8],
    outcomes: impl Iterator<Item = &'a [u8]>,
    view: Option<u64>,
) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(batch.len().saturating_add(1024));
    bytes.push(BLOCK);
    bytes.extend_from_slice(&view.unwrap_or(NO_VIEW).to_le_bytes());
    put(&mut bytes, header);
    put(&mut bytes, batch);
    for outcome in outcomes {
        put(&mut bytes, outcome);
    }
    bytes
}

/// The entry of a certificate.
pub(super) fn certificate_bytes(certificate: &CheckpointCertificate) -> Vec<u8> {
    let mut bytes = vec![CERTIFICATE];
    bytes.extend(certificate.encode());
    bytes
}

/// Whether the bytes of an entry are a block's.
pub(super) fn is_block(bytes: &[u8]) -> bool {
    bytes.first() == Some(&BLOCK)
}

/// Reads an entry; `None` if the bytes are none.
pub(super) fn read(bytes: &[u8]) -> Option<Entry> {
    match bytes.split_first()? {
        (&BLOCK, rest) => raw_block(rest).map(Entry::Block),
        (&CERTIFICATE, rest) => CheckpointCertificate::decode(rest)
            .ok()
            .map(Entry::Certificate),
        _ => None,
    }
}

/// Splits a block into its parts.
fn raw_block(bytes: &[u8]) -> Option<RawBlock> {
    let (view, mut rest) = bytes.split_first_chunk::<8>()?;
    let view = u64::from_le_bytes(*view);
    let header = take(&mut rest)?.to_vec();
    let batch = take(&mut rest)?.to_vec();
    let mut outcomes = Vec::new();
    while !rest.is_empty() {
        outcomes.push(take(&mut rest)?.to_vec());
    }
    Some(RawBlock {
        view: (view != NO_VIEW).then_some(view),
        header,
        batch,
        outcomes,
    })
}

impl RawBlock {
    /// Decodes the parts; `None` if they are not what this node wrote.
    pub(super) fn decode(
        self,
        genesis: &Genesis,
        certificate: Option<CheckpointCertificate>,
    ) -> Option<StoredBlock> {
        let header = Header::decode(&self.header).ok()?;
        let batch = CheckedBatch::certified(&self.batch, genesis).ok()?;
        let outcomes = self
            .outcomes
            .iter()
            .map(|bytes| Outcome::decode(bytes).ok())
            .collect::<Option<Vec<_>>>()?;
        Some(StoredBlock {
            hash: contract::header_hash(&self.header),
            header,
            header_bytes: self.header,
            batch: self.batch,
            transactions: batch.transactions().to_vec(),
            outcomes,
            outcome_bytes: self.outcomes,
            certificate,
            committed_in_view: self.view,
        })
    }
}

/// Appends a length and bytes.
pub(crate) fn put(to: &mut Vec<u8>, bytes: &[u8]) {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    to.extend_from_slice(&length.to_le_bytes());
    to.extend_from_slice(bytes);
}

/// Takes a length and as many bytes off the front.
pub(crate) fn take<'a>(from: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, rest) = from.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    let (bytes, rest) = rest.split_at_checked(length)?;
    *from = rest;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use consensus::{Digest, Epoch, ReplicaId, Seq, Signature};
    use proptest::prelude::*;

    use super::*;

    /// A block's entry and a certificate's.
    fn samples() -> [Vec<u8>; 2] {
        let outcomes = [[7_u8; 8].as_slice(), b""];
        let certificate = CheckpointCertificate {
            epoch: Epoch::ZERO,
            seq: Seq::new(3),
            header: Digest::NULL,
            checkpoints: vec![(ReplicaId::new(1), Signature::new(&[5; 64]))],
        };
        [
            parts_bytes(&[1; 30], &[2; 20], outcomes.into_iter(), Some(4)),
            certificate_bytes(&certificate),
        ]
    }

    /// What an entry that was read is written as.
    fn written(entry: &Entry) -> Vec<u8> {
        match entry {
            Entry::Certificate(certificate) => certificate_bytes(certificate),
            Entry::Block(block) => {
                let outcomes = block.outcomes.iter().map(Vec::as_slice);
                parts_bytes(&block.header, &block.batch, outcomes, block.view)
            }
        }
    }

    proptest! {
        #[test]
        fn an_entry_is_read_as_what_writes_it_again_or_not_at_all(
            noise in proptest::collection::vec(any::<u8>(), 0..60),
            at in any::<prop::sample::Index>(),
            byte in any::<u8>(),
        ) {
            for mut bytes in samples().into_iter().chain([noise]) {
                if let Some(entry) = read(&bytes) {
                    prop_assert_eq!(&written(&entry), &bytes);
                }
                if !bytes.is_empty() {
                    let at = at.index(bytes.len());
                    bytes[at] = byte;
                }
                if let Some(entry) = read(&bytes) {
                    prop_assert_eq!(written(&entry), bytes);
                }
            }
        }
    }
}
