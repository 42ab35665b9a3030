//! The contracts: what a call means, one file for each.
//!
//! A contract sees the state, the author and the block's time, and answers with
//! an output or a refusal. Whatever it wrote before refusing is undone.

pub mod authlog;
pub mod disclosure;
pub mod evidence;
pub mod identity;
pub mod limbasiya;
pub mod membership;
pub mod registry;
pub mod servers;
mod view;

pub(crate) use view::View;

use crate::contract_id::{self, ContractId};
use crate::encoding;
use crate::genesis::{Genesis, Parameters};
use crate::identity::{BlockTime, Height, PublicKey};
use crate::limits::ENCODED_BYTES_MAX;
use crate::outcome::{Output, Refused};
use crate::transaction::{Author, Call};
use crate::window::WindowView;
use evidence::Misbehaviour;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The map that contracts see.
pub trait State {
    /// The value under a contract's key.
    fn get(&mut self, contract: &ContractId, key: &[u8]) -> Option<Vec<u8>>;

    /// Writes a value under a contract's key.
    fn put(&mut self, contract: &ContractId, key: &[u8], value: Vec<u8>);

    /// A value is not what this crate wrote: the block cannot be executed here.
    fn found_damage(&mut self);
}

/// The rules for the calls of one kind.
pub trait Contract {
    /// The contract's name, and the prefix of its keys.
    fn id() -> ContractId;

    /// Carries out a call of this contract, or says why not.
    fn apply(context: &mut Context<'_, '_>, call: &Call) -> Result<Output, Refused>;
}

/// What a contract may know while it carries out a call.
pub struct Context<'a, 'w> {
    /// The state, writable.
    pub(crate) state: &'a mut dyn State,
    /// The replay window.
    pub(crate) window: &'a mut WindowView<'w>,
    /// The ledger's foundation: its name, kind and suites.
    pub(crate) genesis: &'a Genesis,
    /// The rules in numbers, as this epoch has them.
    pub(crate) parameters: &'a Parameters,
    /// Who judges evidence.
    pub(crate) judge: &'a dyn Misbehaviour,
    /// The block's height.
    pub(crate) height: Height,
    /// The block's time; contracts know no other.
    pub(crate) time: BlockTime,
    /// Who calls; the key was found to be the author's.
    pub(crate) author: Author,
    /// The key that signed.
    pub(crate) key: PublicKey,
}

impl std::fmt::Debug for Context<'_, '_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context")
            .field("height", &self.height)
            .field("time", &self.time)
            .field("author", &self.author)
            .finish_non_exhaustive()
    }
}

impl Context<'_, '_> {
    /// Hands a call to its contract.
    pub(crate) fn dispatch(&mut self, call: &Call) -> Result<Output, Refused> {
        let apply = match call {
            Call::Register(_)
            | Call::Revoke(_)
            | Call::Shred(_)
            | Call::WuRegister(_)
            | Call::RegisterBatch(_)
            | Call::Replace(_)
            | Call::Recovery(_) => identity::Identities::apply,
            Call::Results(_)
            | Call::LegacyResults(_)
            | Call::Claim(_)
            | Call::LateResults(_)
            | Call::ServerClaims(_) => authlog::Authlog::apply,
            Call::SetServer(_) => servers::Servers::apply,
            Call::ProposeChange(_)
            | Call::ApproveChange(_)
            | Call::CancelChange(_)
            | Call::Ready { .. }
            | Call::Rejoin { .. } => membership::Membership::apply,
            Call::Evidence(_) => evidence::Evidences::apply,
            Call::Disclosure(_) => disclosure::Disclosures::apply,
            Call::LimbasiyaServer(_) | Call::LimbasiyaUser(_) => limbasiya::Registrations::apply,
        };
        apply(self, call)
    }

    /// Reads a typed value.
    pub(crate) fn read<T>(&mut self, contract: &ContractId, key: &[u8]) -> Option<T>
    where
        T: Serialize + DeserializeOwned,
    {
        read(self.state, contract, key)
    }

    /// Writes a typed value.
    pub(crate) fn write<T: Serialize>(&mut self, contract: &ContractId, key: &[u8], value: &T) {
        self.state.put(contract, key, encoding::encode(value));
    }
}

/// Reads a typed value from a state. A value of another type is a damaged store,
/// not an absence.
pub(crate) fn read<T>(state: &mut dyn State, contract: &ContractId, key: &[u8]) -> Option<T>
where
    T: Serialize + DeserializeOwned,
{
    let bytes = state.get(contract, key)?;
    let value = encoding::decode(&bytes, ENCODED_BYTES_MAX);
    if value.is_err() {
        state.found_damage();
    }
    value.ok()
}

/// The contract that a call belongs to.
pub const fn contract_of(call: &Call) -> ContractId {
    match call {
        Call::Register(_)
        | Call::Revoke(_)
        | Call::Shred(_)
        | Call::WuRegister(_)
        | Call::RegisterBatch(_)
        | Call::Replace(_)
        | Call::Recovery(_) => contract_id::IDENTITY,
        Call::Results(_)
        | Call::LegacyResults(_)
        | Call::Claim(_)
        | Call::LateResults(_)
        | Call::ServerClaims(_) => contract_id::AUTHLOG,
        Call::SetServer(_) => contract_id::SERVERS,
        Call::ProposeChange(_)
        | Call::ApproveChange(_)
        | Call::CancelChange(_)
        | Call::Ready { .. }
        | Call::Rejoin { .. } => contract_id::MEMBERSHIP,
        Call::Evidence(_) => contract_id::EVIDENCE,
        Call::Disclosure(_) => contract_id::DISCLOSURE,
        Call::LimbasiyaServer(_) | Call::LimbasiyaUser(_) => contract_id::LIMBASIYA,
    }
}
