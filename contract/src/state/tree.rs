//! The one file that names `jmt`.
//!
//! `jmt` wants a root at every version; most blocks write none. So its request
//! for the root just before the version it writes is answered with the newest
//! root there is, and what it then calls stale is translated back.

use std::collections::BTreeMap;

use jmt::storage::{LeafNode, Node, NodeKey, TreeReader};
use jmt::{KeyHash, OwnedValue, RootHash, Sha256Jmt};
use serde::{Deserialize, Serialize};

use super::proof::{EMPTY_TREE, Neighbour, StateProof};
use super::{Entry, StateError, StateReader, Table, WriteSet, entry_key};
use crate::encoding::{self, Blob};
use crate::identity::{Height, Root};
use crate::limits::ENCODED_BYTES_MAX;
use crate::merkle::Hash;

/// Path of the root: no nibbles.
const ROOT_PREFIX: [u8; 1] = [0];

/// Adds values to the tree as of the block before `height`.
pub(crate) fn write<R: StateReader>(
    reader: &R,
    height: Height,
    values: BTreeMap<[u8; 32], Vec<u8>>,
) -> Result<(Root, WriteSet), StateError> {
    let base = match height.previous() {
        Some(previous) => newest_root(reader, previous)?,
        None => None,
    };
    if values.is_empty() {
        let previous = height.previous().unwrap_or(height);
        return Ok((root(reader, previous)?, WriteSet::default()));
    }
    let source = Source {
        reader,
        requested: height.previous(),
        actual: base,
    };
    let stale_values = older_values(reader, height, values.keys())?;
    let changes = values
        .iter()
        .map(|(key, value)| (KeyHash(*key), Some(value.clone())));
    let (RootHash(new_root), batch) = Sha256Jmt::new(&source)
        .put_value_set(changes, height.get())
        .map_err(|error| StateError::Tree(error.to_string()))?;
    let mut entries: Vec<Entry> = batch
        .node_batch
        .nodes()
        .iter()
        .map(|(key, node)| Entry {
            table: Table::Nodes,
            key: node_entry_key(key),
            value: encoding::encode(node),
        })
        .collect();
    entries.extend(values.into_iter().map(|(key, value)| Entry {
        table: Table::Values,
        key: entry_key(&key, height),
        value,
    }));
    let stale_nodes = batch
        .stale_node_index_batch
        .iter()
        .map(|stale| (Table::Nodes, source.stored_key(&stale.node_key)));
    let stale = stale_nodes.chain(stale_values).collect();
    Ok((Root::new(new_root), WriteSet { entries, stale }))
}

/// The root as of a height.
pub(super) fn root<R: StateReader>(reader: &R, height: Height) -> Result<Root, StateError> {
    let Some(actual) = newest_root(reader, height)? else {
        return Ok(Root::new(*EMPTY_TREE));
    };
    let source = Source::reading(reader, actual);
    let RootHash(root) = Sha256Jmt::new(&source)
        .get_root_hash(actual.get())
        .map_err(|error| StateError::Tree(error.to_string()))?;
    Ok(Root::new(root))
}

/// The value under a hashed key as of a height, or its absence, with the proof.
pub(super) fn prove<R: StateReader>(
    reader: &R,
    height: Height,
    key: [u8; 32],
) -> Result<StateProof, StateError> {
    let Some(actual) = newest_root(reader, height)? else {
        return Ok(StateProof::default());
    };
    let source = Source::reading(reader, actual);
    let (value, proof) = Sha256Jmt::new(&source)
        .get_with_proof(KeyHash(key), actual.get())
        .map_err(|error| StateError::Tree(error.to_string()))?;
    // The fields of jmt's proof are private; its encoding is not.
    let bytes = encoding::encode(&proof);
    let opened: JmtProof = encoding::decode(&bytes, ENCODED_BYTES_MAX)
        .map_err(|_malformed| StateError::Corrupt("a proof of another form"))?;
    let neighbour = match (&value, opened.leaf) {
        (None, Some((key_hash, value_hash))) => Some(Neighbour {
            key_hash,
            value_hash,
        }),
        (Some(_), _) | (None, None) => None,
    };
    Ok(StateProof {
        value: value.map(Blob::new),
        neighbour,
        siblings: opened.siblings.iter().map(JmtNode::hash).collect(),
    })
}

/// The form of jmt's proofs.
#[derive(Serialize, Deserialize)]
struct JmtProof {
    /// The leaf that was found: key hash and value hash.
    leaf: Option<(Hash, Hash)>,
    /// Siblings from the bottom up.
    siblings: Vec<JmtNode>,
}

/// The form of a sibling in jmt's proofs.
#[derive(Serialize, Deserialize)]
enum JmtNode {
    /// Nothing below.
    Null,
    /// Hashes of the left and the right child.
    Internal(Hash, Hash),
    /// Key hash and value hash.
    Leaf(Hash, Hash),
}

impl JmtNode {
    fn hash(&self) -> Hash {
        match self {
            Self::Null => *EMPTY_TREE,
            Self::Internal(left, right) => super::proof::inner_hash(left, right),
            Self::Leaf(key, value) => super::proof::leaf_hash(key, value),
        }
    }
}

/// Height of the newest root at or below a height.
fn newest_root<R: StateReader>(reader: &R, at: Height) -> Result<Option<Height>, StateError> {
    let found = reader.newest(Table::Nodes, &ROOT_PREFIX, at)?;
    Ok(found.map(|(height, _node)| height))
}

/// The present versions of values that are about to be replaced.
fn older_values<'k, R: StateReader>(
    reader: &R,
    height: Height,
    keys: impl Iterator<Item = &'k [u8; 32]>,
) -> Result<Vec<(Table, Vec<u8>)>, StateError> {
    let mut stale = Vec::new();
    for key in keys {
        if let Some((older, _value)) = reader.newest(Table::Values, key, height)? {
            stale.push((Table::Values, entry_key(key, older)));
        }
    }
    Ok(stale)
}

/// Number of nibbles, one byte for each, then the height.
fn node_entry_key(key: &NodeKey) -> Vec<u8> {
    entry_key(&node_prefix(key), Height::new(key.version()))
}

fn node_prefix(key: &NodeKey) -> Vec<u8> {
    let path = key.nibble_path();
    let mut prefix = vec![u8::try_from(path.num_nibbles()).unwrap_or(u8::MAX)];
    prefix.extend(path.nibbles().map(u8::from));
    prefix
}

/// What `jmt` reads from.
struct Source<'a, R> {
    /// The store.
    reader: &'a R,
    /// The version at which `jmt` expects the present root.
    requested: Option<Height>,
    /// The version at which it is.
    actual: Option<Height>,
}

impl<'a, R: StateReader> Source<'a, R> {
    /// For reading at a version that has a root of its own.
    const fn reading(reader: &'a R, root: Height) -> Self {
        Self {
            reader,
            requested: Some(root),
            actual: Some(root),
        }
    }

    /// The height under which a node that `jmt` names is stored.
    fn stored_height(&self, key: &NodeKey) -> Height {
        let named = Height::new(key.version());
        let is_root = key.nibble_path().is_empty();
        match self.actual {
            Some(actual) if is_root && Some(named) == self.requested => actual,
            Some(_) | None => named,
        }
    }

    /// The whole key under which a node that `jmt` names is stored.
    fn stored_key(&self, key: &NodeKey) -> Vec<u8> {
        entry_key(&node_prefix(key), self.stored_height(key))
    }
}

impl<R: StateReader> TreeReader for Source<'_, R> {
    fn get_node_option(&self, node_key: &NodeKey) -> anyhow::Result<Option<Node>> {
        let height = self.stored_height(node_key);
        let found = self
            .reader
            .newest(Table::Nodes, &node_prefix(node_key), height)?;
        match found {
            Some((at, bytes)) if at == height => {
                Ok(Some(encoding::decode(&bytes, ENCODED_BYTES_MAX)?))
            }
            Some(_) | None => Ok(None),
        }
    }

    fn get_value_option(
        &self,
        max_version: u64,
        key_hash: KeyHash,
    ) -> anyhow::Result<Option<OwnedValue>> {
        let height = Height::new(max_version);
        Ok(super::value_at(self.reader, &key_hash.0, height)?)
    }

    fn get_rightmost_leaf(&self) -> anyhow::Result<Option<(NodeKey, LeafNode)>> {
        // Asked only while a tree is restored from a snapshot, which this crate
        // does by writing values.
        Ok(None)
    }
}
