//! `contracts`: which contract is active in which version from which height on.
//!
//! A node whose software lacks an active version must not guess: it stops before
//! the block that needs it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::membership::ContractChange;
use super::{State, read};
use crate::contract_id::{self, BUILT_IN, ContractId};
use crate::encoding;
use crate::genesis::Genesis;
use crate::identity::Height;
use crate::limits::CONTRACTS_MAX;
use crate::outcome::Refused;
use crate::state::{Snapshot, StateError, StateReader};

/// The contract's name.
pub const ID: ContractId = contract_id::CONTRACTS;
/// Key of the list.
const LIST: &[u8] = b"list";
/// The version of each built-in contract.
const VERSION: u16 = 1;

/// Whether a contract takes calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ContractStatus {
    /// It does, from its activation on.
    Enabled,
    /// It no longer does; its state stays.
    Retired,
}

/// One line of the registry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContractEntry {
    /// Which contract.
    pub id: ContractId,
    /// Which version of it.
    pub version: u16,
    /// From which block on.
    pub activation: Height,
    /// Whether it takes calls.
    pub status: ContractStatus,
}

impl ContractEntry {
    /// Whether it takes calls in the block at `height`.
    pub fn is_active(&self, height: Height) -> bool {
        self.status == ContractStatus::Enabled && self.activation <= height
    }

    /// Whether this software can execute it.
    fn is_supported(&self) -> bool {
        BUILT_IN.contains(&self.id) && self.version == VERSION
    }
}

/// Writes the contracts of the genesis.
pub(crate) fn found(state: &mut dyn State, genesis: &Genesis) {
    let entries: Vec<ContractEntry> = genesis
        .content()
        .contracts
        .iter()
        .map(|activation| ContractEntry {
            id: activation.id.clone(),
            version: activation.version,
            activation: activation.activation,
            status: ContractStatus::Enabled,
        })
        .collect();
    state.put(&ID, LIST, encoding::encode(&entries));
}

/// Whether the members may change these contracts so: each named once, to a version
/// that is not lower, and never without the contracts that carry the votes.
pub(crate) fn check_change(
    state: &mut dyn State,
    changes: &[ContractChange],
) -> Result<(), Refused> {
    let entries = entries(state);
    let mut added = 0_usize;
    let mut named = BTreeSet::new();
    for change in changes {
        let known = entries.iter().find(|entry| entry.id == change.id);
        let is_forward = known.is_none_or(|entry| {
            change.version >= entry.version
                && (change.version, change.status) != (entry.version, entry.status)
        });
        let carries_votes = [contract_id::MEMBERSHIP, ID].contains(&change.id);
        let retires = change.status == ContractStatus::Retired;
        let lawful = is_forward && !(retires && (carries_votes || known.is_none()));
        if !lawful || !named.insert(&change.id) {
            return Err(Refused::ContractUnchangeable);
        }
        added = added.saturating_add(usize::from(known.is_none()));
    }
    if entries.len().saturating_add(added) > CONTRACTS_MAX {
        return Err(Refused::ContractUnchangeable);
    }
    Ok(())
}

/// Writes what the members decided about contracts, from the block `first` on.
pub(crate) fn change(state: &mut dyn State, changes: &[ContractChange], first: Height) {
    let mut entries = entries(state);
    for change in changes {
        entries.retain(|entry| entry.id != change.id);
        entries.push(ContractEntry {
            id: change.id.clone(),
            version: change.version,
            activation: first,
            status: change.status,
        });
    }
    state.put(&ID, LIST, encoding::encode(&entries));
}

/// The registry, while a block is executed.
pub(crate) fn entries(state: &mut dyn State) -> Vec<ContractEntry> {
    read(state, &ID, LIST).unwrap_or_default()
}

/// The registry.
pub fn entries_at<R: StateReader>(
    snapshot: &Snapshot<R>,
) -> Result<Vec<ContractEntry>, StateError> {
    let entries = snapshot.read(&ID, LIST)?;
    Ok(entries.unwrap_or_default())
}

/// The first active contract that this software cannot execute.
pub(crate) fn missing(entries: &[ContractEntry], height: Height) -> Option<&ContractEntry> {
    entries
        .iter()
        .find(|entry| entry.is_active(height) && !entry.is_supported())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, version: u16, activation: u64) -> ContractEntry {
        ContractEntry {
            id: name.parse().unwrap(),
            version,
            activation: Height::new(activation),
            status: ContractStatus::Enabled,
        }
    }

    #[test]
    fn a_contract_of_later_software_is_missing_from_its_activation_on() {
        let entries = [entry("identity", 1, 0), entry("consent", 1, 100)];

        assert_eq!(missing(&entries, Height::new(99)), None);
        assert_eq!(missing(&entries, Height::new(100)), entries.get(1));
    }

    #[test]
    fn a_later_version_of_a_known_contract_is_missing_too() {
        let entries = [entry("authlog", 2, 7)];

        assert_eq!(missing(&entries, Height::new(6)), None);
        assert_eq!(missing(&entries, Height::new(7)), entries.first());
    }

    #[test]
    fn a_retired_contract_is_not_missed() {
        let mut retired = entry("consent", 1, 0);
        retired.status = ContractStatus::Retired;

        assert!(!retired.is_active(Height::new(5)));
        assert_eq!(missing(&[retired], Height::new(5)), None);
    }
}
