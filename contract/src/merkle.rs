//! RFC 6962 (RFC 9162) Merkle trees over SHA-256.
//!
//! A leaf is hashed behind 0x00, a node behind 0x01, so that neither passes for
//! the other. The tree over n leaves splits at the largest power of two below n.

use crate::hash;
use crate::identity::Root;

/// A hash inside a tree.
pub type Hash = [u8; 32];

/// The hash of a leaf.
pub fn leaf_hash(leaf: &[u8]) -> Hash {
    hash::plain(&[&[0x00], leaf])
}

/// The hash of a node over its two children.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    hash::plain(&[&[0x01], left, right])
}

/// The root of the tree without a leaf: the hash of nothing.
pub fn empty_root() -> Root {
    Root::new(hash::plain(&[]))
}

/// The root over leaves that are already hashed.
pub fn root(leaves: &[Hash]) -> Root {
    if leaves.is_empty() {
        return empty_root();
    }
    Root::new(subtree(leaves))
}

/// The hashes that lead from one leaf to the root, from below; none if there is no such leaf.
pub fn path(leaves: &[Hash], index: usize) -> Option<Vec<Hash>> {
    if index >= leaves.len() {
        return None;
    }
    let mut path = Vec::new();
    let mut rest = leaves;
    let mut index = index;
    while rest.len() > 1 {
        let (left, right) = rest.split_at(split_point(rest.len()));
        if index < left.len() {
            path.push(subtree(right));
            rest = left;
        } else {
            path.push(subtree(left));
            index = index.saturating_sub(left.len());
            rest = right;
        }
    }
    path.reverse();
    Some(path)
}

/// The root that a leaf, its position and its path amount to (RFC 9162 §2.1.3.2);
/// none if the path does not have the length that the position demands.
pub fn root_from_path(leaf: &Hash, index: u64, count: u64, path: &[Hash]) -> Option<Root> {
    if index >= count {
        return None;
    }
    let mut place = index;
    let mut last = count.saturating_sub(1);
    let mut hash = *leaf;
    for sibling in path {
        if last == 0 {
            return None;
        }
        if place & 1 == 1 || place == last {
            hash = node_hash(sibling, &hash);
            // A right-most node without a sibling moves up unchanged.
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        place >>= 1;
        last >>= 1;
    }
    (last == 0).then(|| Root::new(hash))
}

/// The largest power of two below `n`, for n ≥ 2.
const fn split_point(n: usize) -> usize {
    n.next_power_of_two() >> 1
}

/// The root over one leaf or more.
fn subtree(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => *empty_root().as_bytes(),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(split_point(leaves.len()));
            node_hash(&subtree(left), &subtree(right))
        }
    }
}
