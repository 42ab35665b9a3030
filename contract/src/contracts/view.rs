//! The state while a block is executed: what was, under what the block wrote.

use std::collections::BTreeMap;

use super::State;
use crate::contract_id::ContractId;
use crate::identity::Height;
use crate::state::{StateError, StateReader, state_key, value_at};

/// A state that remembers what was written on top of it.
pub(crate) struct View<'a> {
    /// The state before the block.
    reader: &'a dyn StateReader,
    /// The height before the block.
    height: Height,
    /// What was read once.
    read: BTreeMap<[u8; 32], Option<Vec<u8>>>,
    /// What the block wrote.
    written: BTreeMap<[u8; 32], Vec<u8>>,
    /// What the present transaction wrote.
    pending: BTreeMap<[u8; 32], Vec<u8>>,
    /// The first read that failed. From then on reads find nothing, and the
    /// whole execution is thrown away.
    failure: Option<StateError>,
}

impl<'a> View<'a> {
    /// The state after the block at `height`.
    pub(crate) const fn new(reader: &'a dyn StateReader, height: Height) -> Self {
        Self {
            reader,
            height,
            read: BTreeMap::new(),
            written: BTreeMap::new(),
            pending: BTreeMap::new(),
            failure: None,
        }
    }

    /// The present transaction counts.
    pub(crate) fn keep(&mut self) {
        self.written.append(&mut self.pending);
    }

    /// The present transaction does not.
    pub(crate) fn undo(&mut self) {
        self.pending.clear();
    }

    /// What the block wrote, or the read that failed.
    pub(crate) fn into_written(self) -> Result<BTreeMap<[u8; 32], Vec<u8>>, StateError> {
        match self.failure {
            Some(failure) => Err(failure),
            None => Ok(self.written),
        }
    }

    fn read_once(&mut self, key: [u8; 32]) -> Option<Vec<u8>> {
        if let Some(value) = self.read.get(&key) {
            return value.clone();
        }
        match value_at(&self.reader, &key, self.height) {
            Ok(value) => {
                self.read.insert(key, value.clone());
                value
            }
            Err(error) => {
                self.failure.get_or_insert(error);
                None
            }
        }
    }
}

impl State for View<'_> {
    fn get(&mut self, contract: &ContractId, key: &[u8]) -> Option<Vec<u8>> {
        let key = state_key(contract, key);
        let written = self.pending.get(&key).or_else(|| self.written.get(&key));
        match written {
            Some(value) => Some(value.clone()),
            None => self.read_once(key),
        }
    }

    fn put(&mut self, contract: &ContractId, key: &[u8], value: Vec<u8>) {
        self.pending.insert(state_key(contract, key), value);
    }

    fn found_damage(&mut self) {
        let error = StateError::Corrupt("a value of the state is damaged");
        self.failure.get_or_insert(error);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract_id::IDENTITY;
    use crate::state::MemoryState;

    #[test]
    fn what_a_refused_transaction_wrote_is_gone_and_what_another_wrote_stays() {
        let nothing = MemoryState::new();
        let mut view = View::new(&nothing, Height::new(0));

        view.put(&IDENTITY, b"kept", vec![1]);
        view.keep();
        view.put(&IDENTITY, b"kept", vec![2]);
        view.put(&IDENTITY, b"undone", vec![3]);
        assert_eq!(view.get(&IDENTITY, b"kept"), Some(vec![2]));
        view.undo();

        assert_eq!(view.get(&IDENTITY, b"kept"), Some(vec![1]));
        assert_eq!(view.get(&IDENTITY, b"undone"), None);
        let written = view.into_written().unwrap();
        let kept = state_key(&IDENTITY, b"kept");
        assert_eq!(written, BTreeMap::from([(kept, vec![1])]));
    }
}
