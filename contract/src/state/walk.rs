//! From the root down to a key, collecting the hashes beside the way.
//!
//! `jmt` can do this too, but it reads every sibling and panics if one is
//! missing; a damaged store must end in an error that says so.

use jmt::storage::{LeafNode, Node};

use super::proof::{EMPTY_TREE, Neighbour, StateProof, inner_hash};
use super::tree::read_node;
use super::{StateError, StateReader, value_at};
use crate::encoding::{self, Blob};
use crate::identity::Height;
use crate::limits::ENCODED_BYTES_MAX;
use crate::merkle::Hash;

/// Children of a node: it stands for four levels of the binary tree.
pub(super) const WIDTH: usize = 16;
/// Nibbles of a key.
const DEPTH_MAX: u8 = 64;

/// A child of a node, as far as a proof needs it.
#[derive(Clone, Copy)]
pub(super) struct Child {
    /// Which of the sixteen.
    pub(super) nibble: u8,
    /// Hash of the subtree.
    pub(super) hash: Hash,
    /// The block that wrote it.
    pub(super) version: Height,
    /// Whether a single leaf is below.
    pub(super) is_leaf: bool,
}

/// The value under a hashed key as of a height whose root was written by `root`.
pub(super) fn prove<R: StateReader>(
    reader: &R,
    root: Height,
    key: [u8; 32],
) -> Result<StateProof, StateError> {
    let mut siblings = Vec::new();
    let mut prefix = vec![0_u8];
    let mut version = root;
    for depth in 0..=DEPTH_MAX {
        let child = match node_at(reader, &prefix, version)? {
            Node::Null => None,
            Node::Leaf(leaf) => return proof_at_leaf(reader, root, key, &leaf, siblings),
            node @ Node::Internal(_) => {
                descend(&children_of(&node), nibble_at(&key, depth), &mut siblings)
            }
        };
        let Some(child) = child else {
            siblings.reverse();
            return Ok(StateProof {
                siblings,
                ..StateProof::default()
            });
        };
        prefix.push(child.nibble);
        if let Some(length) = prefix.first_mut() {
            *length = depth.saturating_add(1);
        }
        version = child.version;
    }
    Err(StateError::Corrupt("the state tree is deeper than a key"))
}

/// The children of the node at a path; none where a leaf stands.
pub(super) fn children_at<R: StateReader>(
    reader: &R,
    prefix: &[u8],
    version: Height,
) -> Result<Vec<Child>, StateError> {
    Ok(children_of(&node_at(reader, prefix, version)?))
}

/// The names of a leaf that hangs below the node at a path.
pub(super) fn leaf_at<R: StateReader>(
    reader: &R,
    prefix: &[u8],
    child: &Child,
) -> Result<Neighbour, StateError> {
    let mut place = prefix.to_vec();
    place.push(child.nibble);
    if let Some(length) = place.first_mut() {
        *length = length.saturating_add(1);
    }
    match node_at(reader, &place, child.version)? {
        Node::Leaf(leaf) => names(&leaf),
        Node::Internal(_) | Node::Null => {
            Err(StateError::Corrupt("a node stands where a leaf should"))
        }
    }
}

/// A node's children in the order of their nibbles; none of a leaf.
fn children_of(node: &Node) -> Vec<Child> {
    let Node::Internal(node) = node else {
        return Vec::new();
    };
    let children = node.children_sorted().map(|(nibble, child)| Child {
        nibble: nibble.into(),
        hash: child.hash,
        version: Height::new(child.version),
        is_leaf: child.is_leaf(),
    });
    children.collect()
}

/// A node that must be there.
fn node_at<R: StateReader>(reader: &R, prefix: &[u8], version: Height) -> Result<Node, StateError> {
    let node = read_node(reader, prefix, version)?;
    node.ok_or(StateError::Corrupt("a node of the state tree is missing"))
}

/// The proof that ends at this leaf: the key's own, or its neighbour.
fn proof_at_leaf<R: StateReader>(
    reader: &R,
    root: Height,
    key: [u8; 32],
    leaf: &LeafNode,
    mut siblings: Vec<Hash>,
) -> Result<StateProof, StateError> {
    siblings.reverse();
    if leaf.key_hash().0 == key {
        let value = value_at(reader, &key, root)?;
        let value = value.ok_or(StateError::Corrupt("a leaf without its value"))?;
        return Ok(StateProof {
            value: Some(Blob::new(value)),
            neighbour: None,
            siblings,
        });
    }
    Ok(StateProof {
        value: None,
        neighbour: Some(names(leaf)?),
        siblings,
    })
}

/// A leaf's hashed key and the hash of its value.
fn names(leaf: &LeafNode) -> Result<Neighbour, StateError> {
    // The leaf keeps its value's hash to itself; its encoding does not.
    let bytes = encoding::encode(leaf);
    let (key_hash, value_hash) = encoding::decode(&bytes, ENCODED_BYTES_MAX)
        .map_err(|_malformed| StateError::Corrupt("a leaf of another form"))?;
    Ok(Neighbour {
        key_hash,
        value_hash,
    })
}

/// Goes down four binary levels towards a nibble, and stops where at most one
/// leaf is left.
fn descend(children: &[Child], nibble: u8, siblings: &mut Vec<Hash>) -> Option<Child> {
    let mut start = 0;
    let mut width = WIDTH;
    let mut here = children;
    loop {
        match here {
            [] => return None,
            [only] if width == 1 || only.is_leaf => return Some(*only),
            _ => {}
        }
        width /= 2;
        let middle = width.saturating_add(start);
        let (left, right) = split(here, middle);
        if usize::from(nibble) < middle {
            siblings.push(range_hash(right, middle, width));
            here = left;
        } else {
            siblings.push(range_hash(left, start, width));
            here = right;
            start = middle;
        }
    }
}

/// The hash of the subtree over the children from `start` on.
pub(super) fn range_hash(children: &[Child], start: usize, width: usize) -> Hash {
    match children {
        [] => *EMPTY_TREE,
        [only] if width <= 1 || only.is_leaf => only.hash,
        _ => {
            let half = width / 2;
            let middle = half.saturating_add(start);
            let (left, right) = split(children, middle);
            inner_hash(
                &range_hash(left, start, half),
                &range_hash(right, middle, half),
            )
        }
    }
}

/// The children before a position, and the others.
fn split(children: &[Child], middle: usize) -> (&[Child], &[Child]) {
    let is_left = |child: &Child| usize::from(child.nibble) < middle;
    children.split_at(children.partition_point(is_left))
}

/// The nibble of a key at a depth, the first nibble first.
fn nibble_at(key: &[u8; 32], depth: u8) -> u8 {
    let byte = key.get(usize::from(depth / 2)).copied().unwrap_or(0);
    if depth.is_multiple_of(2) {
        byte >> 4
    } else {
        byte & 0x0f
    }
}
