//! Reading and writing the tree through `jmt`.
//!
//! `jmt` wants a root at every version; most blocks write none. So its request
//! for the root just before the version it writes is answered with the newest
//! root there is, and what it then calls stale is translated back.

use std::collections::BTreeMap;

use jmt::storage::{LeafNode, Node, NodeKey, TreeReader};
use jmt::{KeyHash, OwnedValue, RootHash, Sha256Jmt};

use super::proof::{EMPTY_TREE, StateProof};
use super::{Entry, StateError, StateReader, Table, WriteSet, entry_key, walk};
use crate::encoding;
use crate::identity::{Height, Root};
use crate::limits::ENCODED_BYTES_MAX;

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
    match newest_root(reader, height)? {
        Some(root) => walk::prove(reader, root, key),
        None => Ok(StateProof::default()),
    }
}

/// The node at a path that the block at exactly `height` wrote, if it wrote one.
pub(super) fn read_node<R: StateReader>(
    reader: &R,
    prefix: &[u8],
    height: Height,
) -> Result<Option<Node>, StateError> {
    match reader.newest(Table::Nodes, prefix, height)? {
        Some((at, bytes)) if at == height => encoding::decode(&bytes, ENCODED_BYTES_MAX)
            .map(Some)
            .map_err(|_malformed| StateError::Corrupt("a node of the state tree is damaged")),
        Some(_) | None => Ok(None),
    }
}

/// Height of the newest root at or below a height.
pub(super) fn newest_root<R: StateReader>(
    reader: &R,
    at: Height,
) -> Result<Option<Height>, StateError> {
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

    /// Whether `jmt` means the root before the block it writes.
    fn is_present_root(&self, key: &NodeKey) -> bool {
        key.nibble_path().is_empty() && Some(Height::new(key.version())) == self.requested
    }

    /// The height under which a node that `jmt` names is stored.
    fn stored_height(&self, key: &NodeKey) -> Height {
        match self.actual {
            Some(actual) if self.is_present_root(key) => actual,
            Some(_) | None => Height::new(key.version()),
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
        let found = read_node(self.reader, &node_prefix(node_key), height)?;
        // `jmt` takes a missing root for an empty tree and would start afresh.
        if found.is_none() && self.is_present_root(node_key) {
            return Err(StateError::Corrupt("the root of the state tree is missing").into());
        }
        Ok(found)
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
