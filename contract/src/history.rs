//! The tree over the header hashes of all blocks so far, kept in log n hashes.

use serde::{Deserialize, Serialize};

use crate::encoding::{self, Malformed};
use crate::identity::{HeaderHash, Root};
use crate::merkle::{self, Hash};

/// The longest encoded history: 64 peaks.
const HISTORY_BYTES_MAX: usize = 4 << 10;

/// An RFC 6962 tree that only grows: the roots of its complete subtrees.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// Leaves so far.
    count: u64,
    /// Roots of the complete subtrees, the largest first: one for each 1-bit of `count`.
    peaks: Vec<Hash>,
}

impl History {
    /// The history before block 0.
    pub const fn new() -> Self {
        Self {
            count: 0,
            peaks: Vec::new(),
        }
    }

    /// Adds the header hash of the next block.
    pub fn append(&mut self, header: &HeaderHash) {
        let mut hash = leaf(header);
        let mut merges = self.count.trailing_ones();
        while merges > 0 {
            if let Some(left) = self.peaks.pop() {
                hash = merkle::node_hash(&left, &hash);
            }
            merges = merges.saturating_sub(1);
        }
        self.peaks.push(hash);
        self.count = self.count.saturating_add(1);
    }

    /// How many blocks are in it.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The root.
    pub fn root(&self) -> Root {
        let mut peaks = self.peaks.iter().rev();
        let Some(last) = peaks.next() else {
            return merkle::empty_root();
        };
        Root::new(peaks.fold(*last, |right, left| merkle::node_hash(left, &right)))
    }

    /// Bytes to store.
    pub fn encode(&self) -> Vec<u8> {
        encoding::encode(self)
    }

    /// Reads what `encode` wrote.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let history: Self = encoding::decode(bytes, HISTORY_BYTES_MAX)?;
        let peaks = usize::try_from(history.count.count_ones()).unwrap_or(usize::MAX);
        if history.peaks.len() == peaks {
            Ok(history)
        } else {
            Err(Malformed::NotCanonical)
        }
    }
}

/// A block's leaf in the history tree.
pub fn leaf(header: &HeaderHash) -> Hash {
    merkle::leaf_hash(header.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(i: u8) -> HeaderHash {
        HeaderHash::new([i; 32])
    }

    #[test]
    fn it_has_the_root_of_the_whole_tree_at_every_size() {
        let mut history = History::new();
        let mut leaves = Vec::new();

        for i in 0..70 {
            assert_eq!(history.root(), merkle::root(&leaves), "{i} leaves");
            history.append(&hash(i));
            leaves.push(leaf(&hash(i)));
        }
    }

    #[test]
    fn it_reads_back_what_it_stores_and_refuses_a_wrong_count() {
        let mut history = History::new();
        for i in 0..11 {
            history.append(&hash(i));
        }
        let bytes = history.encode();

        assert_eq!(History::decode(&bytes), Ok(history));

        let mut wrong = bytes;
        wrong[0] = 12;
        assert_eq!(History::decode(&wrong), Err(Malformed::NotCanonical));
    }
}
