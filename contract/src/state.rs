//! The state: what is looked up, in a Merkle tree that proves presence and absence.
//!
//! A Jellyfish Merkle tree (crate `jmt`) whose version is the block height. The
//! crate stores nothing: it reads through [`StateReader`], two ordered tables of
//! bytes, and returns what a block changes as a [`WriteSet`] of plain bytes, so
//! that a store can write it together with the block in one atomic batch.

mod memory;
mod proof;
mod rebuild;
mod subtree;
mod tree;
mod walk;

use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

pub use memory::MemoryState;
pub use proof::{Neighbour, NotProved, StateProof};
pub use rebuild::{Rebuilt, join, rebuild};
pub use subtree::{Below, Limb, NotThePart, StateLeaf, StatePart, StatePath};

use crate::contract_id::ContractId;
use crate::contracts::{State, View};
use crate::encoding;
use crate::hash;
use crate::identity::{Height, Root};
use crate::limits::ENCODED_BYTES_MAX;

/// Where an entry of the state lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Table {
    /// Nodes of the tree: path in nibbles, then height.
    Nodes,
    /// Values: hash of the key, then height.
    Values,
}

/// The state that a store holds, as the rules of the ledger read it.
///
/// Both tables keep several versions of an entry under keys that end in the
/// height (eight bytes, big-endian), so "as of a height" is a search for the
/// nearest key at or below.
pub trait StateReader {
    /// The entry with the greatest key that starts with `prefix` and is at most
    /// `prefix ‖ height`; its key's height and its value.
    fn newest(
        &self,
        table: Table,
        prefix: &[u8],
        height: Height,
    ) -> Result<Option<(Height, Vec<u8>)>, StateError>;
}

impl<R: StateReader + ?Sized> StateReader for &R {
    fn newest(
        &self,
        table: Table,
        prefix: &[u8],
        height: Height,
    ) -> Result<Option<(Height, Vec<u8>)>, StateError> {
        (**self).newest(table, prefix, height)
    }
}

/// The state cannot be read; whoever gets this stops.
#[derive(Debug, Error)]
pub enum StateError {
    /// The store failed.
    #[error("the state cannot be read: {0}")]
    Unreadable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// An entry is missing or is not what was written.
    #[error("the state is corrupt: {0}")]
    Corrupt(&'static str),
    /// The tree contradicts itself.
    #[error("the state tree is corrupt: {0}")]
    Tree(String),
}

/// One entry of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Where it lies.
    pub table: Table,
    /// Its whole key: prefix and height.
    pub key: Vec<u8>,
    /// Its value.
    pub value: Vec<u8>,
}

/// What a block changes in the state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WriteSet {
    /// Entries to add, in order of their keys within each table.
    pub entries: Vec<Entry>,
    /// Entries that no height from this block on reads. A store may delete them
    /// once nobody asks for an older height.
    pub stale: Vec<(Table, Vec<u8>)>,
}

impl WriteSet {
    /// Whether the block leaves the state as it was.
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// SHA-256(contract id ‖ 0x00 ‖ key): where a contract's entry lies in the tree.
pub fn state_key(contract: &ContractId, key: &[u8]) -> [u8; 32] {
    hash::labelled(contract.as_str(), &[key])
}

/// The whole key of an entry: its prefix and its height.
pub fn entry_key(prefix: &[u8], height: Height) -> Vec<u8> {
    let mut key = prefix.to_vec();
    key.extend_from_slice(&height.get().to_be_bytes());
    key
}

/// The state as it was after one block; reads never change it.
#[derive(Clone, Copy, Debug)]
pub struct Snapshot<R> {
    /// Where the entries are.
    reader: R,
    /// After which block.
    height: Height,
}

impl<R: StateReader> Snapshot<R> {
    /// The state after the block at `height`.
    pub const fn new(reader: R, height: Height) -> Self {
        Self { reader, height }
    }

    /// After which block.
    pub const fn height(&self) -> Height {
        self.height
    }

    /// The value under a contract's key.
    pub fn get(&self, contract: &ContractId, key: &[u8]) -> Result<Option<Vec<u8>>, StateError> {
        value_at(&self.reader, &state_key(contract, key), self.height)
    }

    /// The typed value under a contract's key.
    pub(crate) fn read<T>(&self, contract: &ContractId, key: &[u8]) -> Result<Option<T>, StateError>
    where
        T: Serialize + DeserializeOwned,
    {
        let Some(bytes) = self.get(contract, key)? else {
            return Ok(None);
        };
        let value = encoding::decode(&bytes, ENCODED_BYTES_MAX)
            .map_err(|_malformed| StateError::Corrupt("a value of another type"))?;
        Ok(Some(value))
    }

    /// What the rules read in it, as they do while a block is executed.
    pub(crate) fn look<T>(&self, read: impl FnOnce(&mut dyn State) -> T) -> Result<T, StateError> {
        let mut view = View::new(&self.reader, self.height);
        let found = read(&mut view);
        view.into_written().map(|_nothing| found)
    }

    /// The root that the block's header names.
    pub fn root(&self) -> Result<Root, StateError> {
        tree::root(&self.reader, self.height)
    }

    /// Proves what is, or that nothing is, under a contract's key.
    pub fn prove(&self, contract: &ContractId, key: &[u8]) -> Result<StateProof, StateError> {
        tree::prove(&self.reader, self.height, state_key(contract, key))
    }
}

/// The value as of a height.
pub(crate) fn value_at<R: StateReader + ?Sized>(
    reader: &R,
    key: &[u8; 32],
    height: Height,
) -> Result<Option<Vec<u8>>, StateError> {
    let found = reader.newest(Table::Values, key, height)?;
    Ok(found.map(|(_height, value)| value))
}

pub(crate) use tree::write;
