//! The state in memory: for tests, tools and rebuilding.

use std::collections::BTreeMap;

use super::{StateError, StateReader, Table, WriteSet, entry_key};
use crate::identity::Height;

/// A state that lives as long as the value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemoryState {
    /// Every entry under its table and whole key.
    entries: BTreeMap<(Table, Vec<u8>), Vec<u8>>,
}

impl MemoryState {
    /// A state without an entry.
    pub const fn new() -> Self {
        Self {
            entries: BTreeMap::new(),
        }
    }

    /// Takes in what a block changed and drops what it made stale.
    pub fn apply(&mut self, writes: &WriteSet) {
        for entry in &writes.entries {
            self.entries
                .insert((entry.table, entry.key.clone()), entry.value.clone());
        }
        for (table, key) in &writes.stale {
            self.entries.remove(&(*table, key.clone()));
        }
    }

    /// How many entries it holds.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl StateReader for MemoryState {
    fn newest(
        &self,
        table: Table,
        prefix: &[u8],
        height: Height,
    ) -> Result<Option<(Height, Vec<u8>)>, StateError> {
        let first = (table, entry_key(prefix, Height::new(0)));
        let last = (table, entry_key(prefix, height));
        let Some(((_table, key), value)) = self.entries.range(first..=last).next_back() else {
            return Ok(None);
        };
        let height = key
            .strip_prefix(prefix)
            .and_then(|rest| <[u8; 8]>::try_from(rest).ok())
            .ok_or(StateError::Corrupt("a key of an unexpected length"))?;
        let height = Height::new(u64::from_be_bytes(height));
        Ok(Some((height, value.clone())))
    }
}
