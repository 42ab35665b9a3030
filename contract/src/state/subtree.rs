//! A state in parts that are checked one by one: what a snapshot is moved and rebuilt in.
//!
//! The state root fixes the hash of every subtree. So a receiver starts with the root, asks for
//! the part under a path, and checks what comes against the hash it already has: either all
//! leaves of the subtree, or the hashes of its children, which are then asked for in turn. One
//! false byte shows in the very part that holds it, whoever sent the others, and no part is
//! larger than the sender chose it to be.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::proof::{EMPTY_TREE, inner_hash, leaf_hash};
use super::tree::newest_root;
use super::walk::{Child, WIDTH, children_at, leaf_at, range_hash};
use super::{Snapshot, StateError, StateReader};
use crate::encoding::{self, Blob, Malformed};
use crate::hash;
use crate::identity::Height;
use crate::limits::STATE_PART_BYTES_MAX;
use crate::merkle::Hash;

/// Nibbles of a hashed key.
const NIBBLES: usize = 64;

/// Where a subtree hangs: the nibbles that all its keys begin with.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StatePath(Vec<u8>);

/// A subtree as its parent knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limb {
    /// Which of the sixteen children it is.
    pub nibble: u8,
    /// What hangs there.
    pub below: Below,
}

/// What hangs below a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Below {
    /// A single leaf. The binary tree hashes it where it stands alone, so its hash would be the same in a
    /// neighbour's place: its key says which place is its own.
    Leaf {
        /// Its hashed key.
        key: Hash,
        /// SHA-256 of its value.
        value_hash: Hash,
    },
    /// More leaves than one: the hash over them. Of a child with a sibling beside it no hash says that it is not a single
    /// leaf after all, and a receiver builds nothing from that.
    Tree(Hash),
}

/// An entry of the state under its hashed key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateLeaf {
    /// SHA-256 of contract and key.
    pub key: Hash,
    /// The value.
    pub value: Blob,
}

/// A subtree on the way from one node to another. Nothing in it is proved before
/// [`StatePart::check`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StatePart {
    /// All its leaves, in the order of their keys.
    Leaves(Vec<StateLeaf>),
    /// It is too large for one part: its children, in the order of their nibbles.
    Split(Vec<Limb>),
}

/// A part is not what its hash names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NotThePart {
    /// Leaves or children are out of order, repeated, or belong elsewhere.
    #[error("leaves or children of the part are out of order or out of place")]
    Disorder,
    /// It has another hash.
    #[error("the part does not have the hash that the state root fixes for it")]
    OtherHash,
}

impl StatePath {
    /// The path of the whole tree.
    pub const ROOT: Self = Self(Vec::new());

    /// The path with these nibbles; none if one is no nibble or there are more than a key has.
    pub fn new(nibbles: &[u8]) -> Option<Self> {
        let fits = nibbles.len() <= NIBBLES && nibbles.iter().all(|nibble| *nibble < 16);
        fits.then(|| Self(nibbles.to_vec()))
    }

    /// Its nibbles.
    pub fn nibbles(&self) -> &[u8] {
        &self.0
    }

    /// The path of a child.
    #[must_use]
    pub fn child(&self, nibble: u8) -> Self {
        let mut nibbles = self.0.clone();
        nibbles.push(nibble);
        Self(nibbles)
    }

    /// The lowest and the highest hashed key under it.
    pub fn bounds(&self) -> (Hash, Hash) {
        let (mut low, mut high) = ([0; 32], [0xff; 32]);
        for ((low, high), pair) in low.iter_mut().zip(&mut high).zip(self.0.chunks(2)) {
            let first = pair.first().copied().unwrap_or(0) << 4;
            let second = pair.get(1).copied();
            *low = first | second.unwrap_or(0);
            *high = first | second.unwrap_or(0x0f);
        }
        (low, high)
    }
}

impl StatePart {
    /// The part's bytes.
    pub fn encode(&self) -> Vec<u8> {
        encoding::encode(self)
    }

    /// Reads a part from exactly these bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        encoding::decode(bytes, STATE_PART_BYTES_MAX)
    }

    /// Whether it is the subtree at `path` that has this hash.
    pub fn check(&self, path: &StatePath, expected: &Hash) -> Result<(), NotThePart> {
        let found = match self {
            Self::Leaves(leaves) => {
                in_place(path, leaves)?;
                let hashes: Vec<HashedLeaf> = leaves.iter().map(HashedLeaf::of).collect();
                hash_of(&hashes, path.0.len().saturating_mul(4))
            }
            Self::Split(limbs) => {
                let ascending = limbs.is_sorted_by(|a, b| a.nibble < b.nibble);
                let known = limbs.iter().all(|limb| limb.nibble < 16);
                // One leaf alone stands where its parent would: such a node does not exist.
                let lone = limbs.len() < 2 && limbs.iter().all(Limb::is_leaf);
                let deep = path.0.len() >= NIBBLES;
                if !ascending || !known || lone || deep || !limbs.iter().all(|it| it.is_under(path))
                {
                    return Err(NotThePart::Disorder);
                }
                let children: Vec<Child> = limbs.iter().map(Limb::as_child).collect();
                range_hash(&children, 0, WIDTH)
            }
        };
        if found == *expected {
            Ok(())
        } else {
            Err(NotThePart::OtherHash)
        }
    }
}

impl Limb {
    /// Its hash.
    pub fn hash(&self) -> Hash {
        match &self.below {
            Below::Leaf { key, value_hash } => leaf_hash(key, value_hash),
            Below::Tree(hash) => *hash,
        }
    }

    const fn is_leaf(&self) -> bool {
        matches!(self.below, Below::Leaf { .. })
    }

    /// Whether a leaf hangs where its key says. For a tree the hash of the parent says it.
    fn is_under(&self, path: &StatePath) -> bool {
        let Below::Leaf { key, .. } = &self.below else {
            return true;
        };
        let (low, high) = path.child(self.nibble).bounds();
        low <= *key && *key <= high
    }

    /// As a node of the tree holds it; the version has no part in any hash.
    fn as_child(&self) -> Child {
        Child {
            nibble: self.nibble,
            hash: self.hash(),
            version: Height::new(0),
            is_leaf: self.is_leaf(),
        }
    }
}

impl<R: StateReader> Snapshot<R> {
    /// The children of the subtree at `path`; none where no node with two leaves below it stands.
    pub fn limbs(&self, path: &StatePath) -> Result<Option<Vec<Limb>>, StateError> {
        let Some(mut version) = newest_root(&self.reader, self.height)? else {
            return Ok(None);
        };
        let mut prefix = vec![0_u8];
        for (depth, nibble) in (1_u8..).zip(&path.0) {
            let children = children_at(&self.reader, &prefix, version)?;
            let Some(child) = children.iter().find(|child| child.nibble == *nibble) else {
                return Ok(None);
            };
            version = child.version;
            prefix.push(*nibble);
            if let Some(length) = prefix.first_mut() {
                *length = depth;
            }
        }
        let children = children_at(&self.reader, &prefix, version)?;
        let limbs = children.iter().map(|child| self.limb(&prefix, child));
        let limbs: Vec<Limb> = limbs.collect::<Result<_, _>>()?;
        Ok((!limbs.is_empty()).then_some(limbs))
    }

    /// A child of the node at a path.
    fn limb(&self, prefix: &[u8], child: &Child) -> Result<Limb, StateError> {
        let below = if child.is_leaf {
            let leaf = leaf_at(&self.reader, prefix, child)?;
            Below::Leaf {
                key: leaf.key_hash,
                value_hash: leaf.value_hash,
            }
        } else {
            Below::Tree(child.hash)
        };
        Ok(Limb {
            nibble: child.nibble,
            below,
        })
    }
}

/// A leaf as the tree hashes it.
#[derive(Clone, Copy, Debug)]
pub(super) struct HashedLeaf {
    /// Its hashed key.
    pub(super) key: Hash,
    /// SHA-256 of its value.
    pub(super) value_hash: Hash,
    /// The hash of the leaf.
    pub(super) hash: Hash,
}

impl HashedLeaf {
    /// Hashes a leaf.
    pub(super) fn of(leaf: &StateLeaf) -> Self {
        let value_hash = hash::plain(&[leaf.value.as_bytes()]);
        Self {
            key: leaf.key,
            value_hash,
            hash: leaf_hash(&leaf.key, &value_hash),
        }
    }
}

/// Whether the leaves are in order and all of them under the path.
fn in_place(path: &StatePath, leaves: &[StateLeaf]) -> Result<(), NotThePart> {
    let (low, high) = path.bounds();
    let ascending = leaves.is_sorted_by(|a, b| a.key < b.key);
    let inside = leaves
        .iter()
        .all(|leaf| low <= leaf.key && leaf.key <= high);
    if ascending && inside {
        Ok(())
    } else {
        Err(NotThePart::Disorder)
    }
}

/// The hash of the subtree over these leaves, whose keys are alike in the first `depth` bits.
fn hash_of(leaves: &[HashedLeaf], depth: usize) -> Hash {
    match leaves {
        [] => *EMPTY_TREE,
        [only] => only.hash,
        _ => {
            let at = leaves.partition_point(|leaf| !bit(&leaf.key, depth));
            let (left, right) = leaves.split_at(at);
            let below = depth.saturating_add(1);
            inner_hash(&hash_of(left, below), &hash_of(right, below))
        }
    }
}

/// A bit of a key, the highest first. Distinct keys differ before the bits run out.
fn bit(key: &Hash, place: usize) -> bool {
    let byte = key.get(place / 8).copied().unwrap_or(0);
    byte.checked_shr(u32::try_from(7_usize.saturating_sub(place % 8)).unwrap_or(0))
        .is_some_and(|byte| byte & 1 == 1)
}
