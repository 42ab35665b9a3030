//! The tree over the header hashes of all blocks so far, kept in log n hashes.

use serde::{Deserialize, Serialize};

use crate::encoding::{self, Malformed};
use crate::identity::{HeaderHash, Height, Root};
use crate::limits::HISTORY_BYTES_MAX;
use crate::merkle::{self, Hash};

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

/// From the block at `height` to the history root over `headers`, the hashes of
/// all blocks from the genesis on; none if there is no such block among them.
pub fn path(headers: &[HeaderHash], height: Height) -> Option<Vec<Hash>> {
    let leaves: Vec<Hash> = headers.iter().map(leaf).collect();
    merkle::path(&leaves, usize::try_from(height.get()).ok()?)
}

/// The history root that the header at `newest` must name, if the block at
/// `height` has this hash and this path.
pub fn root_from_path(
    header: &HeaderHash,
    height: Height,
    newest: Height,
    path: &[Hash],
) -> Option<Root> {
    merkle::root_from_path(&leaf(header), height.get(), newest.get(), path)
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
    fn one_header_proves_every_older_block_and_none_of_the_same_age() {
        let headers: Vec<HeaderHash> = (0..23).map(hash).collect();
        let mut history = History::new();
        for header in &headers {
            history.append(header);
        }
        let newest = Height::new(23);

        for (height, header) in (0..).map(Height::new).zip(&headers) {
            let steps = path(&headers, height).unwrap();
            let reached = root_from_path(header, height, newest, &steps);
            assert_eq!(reached, Some(history.root()), "block {height}");
            let other = root_from_path(&hash(99), height, newest, &steps);
            assert_ne!(other, Some(history.root()));
        }
        assert_eq!(path(&headers, newest), None);
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
