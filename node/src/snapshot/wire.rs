//! What is asked and answered while a snapshot is taken: bytes, bounded on both sides.
//!
//! A request is always [`REQUEST_BYTES`] long, which no request for blocks is:
//! `kind u8 ‖ height u64 ‖ number u64 ‖ nibbles u8 ‖ path 32` (little-endian), zeros to the end.
//! An answer without a byte says "I do not have that".

use consensus::CheckpointCertificate;
use contract::Height;
use contract::state::StatePath;

use crate::limits;
use crate::store::entry::{put, take};

/// Length of every request.
pub const REQUEST_BYTES: usize = 64;

/// Hashes in one part of the history: a power of two, so that each part is a subtree.
pub const SEGMENT_HASHES: usize = 1 << 15;

/// Leaves of the state in one part, in bytes; a subtree with more is split.
pub const STATE_BYTES: usize = 512 * 1024;

/// Blocks in one answer.
pub const SPAN_BLOCKS: u64 = 16;

/// Bytes left free in an answer with blocks for the lengths in it.
const ANSWER_BYTES: usize = 7 * 1024 * 1024;

/// One question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// How far does your ledger reach, and of which block do you offer a snapshot?
    Offer,
    /// What proves the snapshot at this height?
    Manifest(Height),
    /// The part of the state after this height under this path.
    State(Height, StatePath),
    /// Part of the header hashes below this height, by its number.
    Hashes(Height, u64),
    /// Blocks with their outcomes, from the first to the last.
    Blocks(Height, Height),
}

/// What a member says of its ledger. Nothing in it is proved; it decides what is asked for next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer {
    /// Its newest certified block.
    pub certified: Height,
    /// The lowest block whose body it keeps.
    pub lowest: Height,
    /// The newest snapshot it offers; none if its ledger is too short.
    pub snapshot: Option<Height>,
}

/// The proof of a snapshot, before it is checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The last header of each finished epoch with its proof, the oldest first.
    pub epochs: Vec<EpochProof>,
    /// The header of the snapshot's block.
    pub header: Vec<u8>,
    /// The proof that it is final.
    pub certificate: CheckpointCertificate,
    /// Roots over the header hashes below it, one for each [`SEGMENT_HASHES`].
    pub segments: Vec<[u8; 32]>,
}

/// How one committee handed over to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EpochProof {
    /// The last header of the epoch.
    pub header: Vec<u8>,
    /// The proof that it is final.
    pub certificate: CheckpointCertificate,
    /// The keys of the next committee, in order.
    pub next: Vec<[u8; 32]>,
}

/// A block as it travels in a snapshot: nothing in it is proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotBlock {
    /// The header's bytes.
    pub header: Vec<u8>,
    /// The batch's bytes.
    pub batch: Vec<u8>,
    /// The outcomes' bytes.
    pub outcomes: Vec<Vec<u8>>,
}

impl Request {
    /// The request's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let none = Height::new(0);
        let root = StatePath::ROOT;
        let (kind, height, number, path) = match self {
            Self::Offer => (1_u8, none, 0, &root),
            Self::Manifest(height) => (2, *height, 0, &root),
            Self::State(height, path) => (3, *height, 0, path),
            Self::Hashes(height, segment) => (4, *height, *segment, &root),
            Self::Blocks(first, last) => (5, *first, last.get(), &root),
        };
        let mut bytes = vec![kind];
        bytes.extend_from_slice(&height.get().to_le_bytes());
        bytes.extend_from_slice(&number.to_le_bytes());
        bytes.push(u8::try_from(path.nibbles().len()).unwrap_or(u8::MAX));
        bytes.extend_from_slice(&path.bounds().0);
        bytes.resize(REQUEST_BYTES, 0);
        bytes
    }

    /// The request with exactly these bytes.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (kind, rest) = bytes.split_first()?;
        let (height, rest) = rest.split_first_chunk::<8>()?;
        let (number, rest) = rest.split_first_chunk::<8>()?;
        let (nibbles, rest) = rest.split_first()?;
        let height = Height::new(u64::from_le_bytes(*height));
        let number = u64::from_le_bytes(*number);
        let packed = rest.get(..32)?;
        let unpacked = packed.iter().flat_map(|byte| [byte >> 4, byte & 0x0f]);
        let path: Vec<u8> = unpacked.take(usize::from(*nibbles)).collect();
        let request = match kind {
            1 => Self::Offer,
            2 => Self::Manifest(height),
            3 => Self::State(height, StatePath::new(&path)?),
            4 => Self::Hashes(height, number),
            5 => Self::Blocks(height, Height::new(number)),
            _ => return None,
        };
        (request.encode() == bytes).then_some(request)
    }
}

impl Offer {
    /// The answer's bytes.
    pub fn encode(self) -> Vec<u8> {
        let snapshot = self.snapshot.unwrap_or(Height::new(0));
        [self.certified, self.lowest, snapshot]
            .iter()
            .flat_map(|height| height.get().to_le_bytes())
            .collect()
    }

    /// Reads an offer.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (certified, rest) = bytes.split_first_chunk::<8>()?;
        let (lowest, rest) = rest.split_first_chunk::<8>()?;
        let snapshot = u64::from_le_bytes(rest.try_into().ok()?);
        Some(Self {
            certified: Height::new(u64::from_le_bytes(*certified)),
            lowest: Height::new(u64::from_le_bytes(*lowest)),
            snapshot: (snapshot != 0).then(|| Height::new(snapshot)),
        })
    }
}

impl Manifest {
    /// The answer's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        put(&mut bytes, &self.header);
        put(&mut bytes, &self.certificate.encode());
        put(&mut bytes, &self.segments.concat());
        for epoch in &self.epochs {
            put(&mut bytes, &epoch.header);
            put(&mut bytes, &epoch.certificate.encode());
            put(&mut bytes, &epoch.next.concat());
        }
        bytes
    }

    /// Reads a manifest.
    pub fn decode(mut bytes: &[u8]) -> Option<Self> {
        let header = take(&mut bytes)?.to_vec();
        let certificate = CheckpointCertificate::decode(take(&mut bytes)?).ok()?;
        let segments = hashes(take(&mut bytes)?)?;
        let mut epochs = Vec::new();
        while !bytes.is_empty() {
            epochs.push(EpochProof {
                header: take(&mut bytes)?.to_vec(),
                certificate: CheckpointCertificate::decode(take(&mut bytes)?).ok()?,
                next: hashes(take(&mut bytes)?)?,
            });
        }
        Some(Self {
            epochs,
            header,
            certificate,
            segments,
        })
    }
}

/// Bytes as a row of hashes.
fn hashes(bytes: &[u8]) -> Option<Vec<[u8; 32]>> {
    let (hashes, rest) = bytes.as_chunks::<32>();
    rest.is_empty().then(|| hashes.to_vec())
}

impl SnapshotBlock {
    /// Adds the block to an answer.
    pub fn write(&self, answer: &mut Vec<u8>) {
        let mut outcomes = Vec::new();
        for outcome in &self.outcomes {
            put(&mut outcomes, outcome);
        }
        put(answer, &self.header);
        put(answer, &self.batch);
        put(answer, &outcomes);
    }

    /// Takes a block off the front of an answer.
    pub fn read(answer: &mut &[u8]) -> Option<Self> {
        let header = take(answer)?.to_vec();
        let batch = take(answer)?.to_vec();
        let mut rest = take(answer)?;
        let mut outcomes = Vec::new();
        while !rest.is_empty() {
            outcomes.push(take(&mut rest)?.to_vec());
        }
        Some(Self {
            header,
            batch,
            outcomes,
        })
    }

    /// Octets in an answer.
    fn size(&self) -> usize {
        self.outcomes.iter().fold(
            self.header
                .len()
                .saturating_add(self.batch.len())
                .saturating_add(12),
            |sum, outcome| sum.saturating_add(outcome.len()).saturating_add(4),
        )
    }
}

/// As many blocks from `first` to `last` as one answer takes; `block` gives one while there is one.
pub(super) fn span<E>(
    first: Height,
    last: Height,
    block: impl Fn(Height) -> Result<Option<SnapshotBlock>, E>,
) -> Result<Vec<u8>, E> {
    let mut answer = Vec::new();
    let end = first.get().saturating_add(SPAN_BLOCKS);
    for at in first.get()..last.get().saturating_add(1).min(end) {
        let Some(block) = block(Height::new(at))? else {
            break;
        };
        let full = answer.len().saturating_add(block.size()) > ANSWER_BYTES;
        if full && !answer.is_empty() {
            break;
        }
        block.write(&mut answer);
    }
    Ok(answer)
}

/// The blocks of an answer; `None` if it is not a row of at most [`SPAN_BLOCKS`] of them.
pub(super) fn blocks(mut answer: &[u8]) -> Option<Vec<SnapshotBlock>> {
    let limit = usize::try_from(SPAN_BLOCKS).unwrap_or(usize::MAX);
    debug_assert!(ANSWER_BYTES < usize::try_from(limits::SYNC_ANSWER).unwrap_or(0));
    let mut blocks = Vec::new();
    while !answer.is_empty() {
        if blocks.len() >= limit {
            return None;
        }
        blocks.push(SnapshotBlock::read(&mut answer)?);
    }
    Some(blocks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_reads_back_and_no_request_for_blocks_is_as_long() {
        let path = StatePath::new(&[0xf, 0, 3]).unwrap();
        for request in [
            Request::Offer,
            Request::Manifest(Height::new(4096)),
            Request::State(Height::new(8192), StatePath::ROOT),
            Request::State(Height::new(8192), path),
            Request::Hashes(Height::new(1), u64::MAX),
            Request::Blocks(Height::new(7), Height::new(9)),
        ] {
            let bytes = request.encode();
            assert_eq!(bytes.len(), REQUEST_BYTES);
            assert_ne!(bytes.len(), 16);
            assert_eq!(Request::decode(&bytes), Some(request));
        }
    }

    #[test]
    fn a_request_that_is_short_long_of_no_kind_or_has_a_bit_too_many_is_none() {
        let good = Request::State(Height::new(5), StatePath::new(&[1]).unwrap()).encode();
        for length in [0, 1, 16, 63] {
            assert_eq!(Request::decode(&good[..length]), None);
        }
        let long = [good.clone(), vec![0]].concat();
        assert_eq!(Request::decode(&long), None);
        for (at, value) in [(0, 0), (0, 6), (17, 65), (18, 0x11), (63, 1)] {
            let mut bad = good.clone();
            bad[at] = value;
            assert_eq!(Request::decode(&bad), None, "{value} at {at}");
        }
    }

    fn all(first: Height, last: Height, block: &SnapshotBlock) -> Vec<u8> {
        span(first, last, |_| Ok::<_, ()>(Some(block.clone()))).unwrap()
    }

    #[test]
    fn an_answer_holds_as_many_blocks_as_fit_and_at_least_one() {
        let block = |octets| SnapshotBlock {
            header: vec![1; 278],
            batch: vec![2; octets],
            outcomes: vec![vec![3], vec![]],
        };
        let asked = |octets| {
            let first = Height::new(10);
            let bytes = all(first, Height::new(1_000), &block(octets));
            blocks(&bytes).unwrap()
        };

        assert_eq!(asked(10), vec![block(10); 16]);
        assert_eq!(asked(3 << 20).len(), 2);
        let short = all(Height::new(5), Height::new(6), &block(1));
        assert_eq!(blocks(&short).unwrap().len(), 2);
        let none = all(Height::new(6), Height::new(5), &block(1));
        assert!(none.is_empty());

        let mut too_many = Vec::new();
        for _ in 0..=SPAN_BLOCKS {
            block(1).write(&mut too_many);
        }
        assert_eq!(blocks(&too_many), None);
        for cut in 1..short.len() {
            let whole = blocks(&short[..cut]).is_some_and(|blocks| blocks.len() == 2);
            assert!(!whole, "cut at {cut}");
        }
    }
}
