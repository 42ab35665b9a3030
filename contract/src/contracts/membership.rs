//! `membership`: who belongs to the consortium, and in which order they vote.
//!
//! In this version the founding members stay; changing them by vote comes later
//! and ends an epoch (CONSENSUS.md §4).

use serde::{Deserialize, Serialize};

use super::{State, read};
use crate::contract_id::{self, ContractId};
use crate::encoding;
use crate::genesis::{Genesis, Member, Role};
use crate::identity::{Height, PublicKey, ServerId};
use crate::state::{Snapshot, StateError, StateReader};

/// The contract's name.
pub const ID: ContractId = contract_id::MEMBERSHIP;
/// Key of the committee: ids of its members in order.
const COMMITTEE: &[u8] = b"committee";
/// Key of the parameters.
const PARAMETERS: &[u8] = b"parameters";

/// What the ledger knows of a member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberRecord {
    /// Name, role, keys and addresses.
    pub member: Member,
    /// Its id, which outlives its keys.
    pub server_id: ServerId,
    /// The block that admitted it.
    pub since: Height,
}

/// The key of a member's record.
pub fn member_key(id: &ServerId) -> Vec<u8> {
    [b"member/", id.as_bytes().as_slice()].concat()
}

/// Writes the founding members.
pub(crate) fn found(state: &mut dyn State, genesis: &Genesis) {
    let mut committee = Vec::new();
    for member in genesis.members() {
        let server_id = member.server_id();
        let record = MemberRecord {
            member: member.clone(),
            server_id,
            since: Height::new(0),
        };
        state.put(&ID, &member_key(&server_id), encoding::encode(&record));
        committee.push(server_id);
    }
    state.put(&ID, COMMITTEE, encoding::encode(&committee));
    state.put(&ID, PARAMETERS, encoding::encode(genesis.parameters()));
}

/// The member with this id, while a block is executed.
pub(crate) fn member(state: &mut dyn State, id: &ServerId) -> Option<MemberRecord> {
    read(state, &ID, &member_key(id))
}

/// Whether this member holds a role.
pub(crate) fn has_role(state: &mut dyn State, id: &ServerId, role: Role) -> bool {
    member(state, id).is_some_and(|record| record.member.role == role)
}

/// The member with this id.
pub fn member_at<R: StateReader>(
    snapshot: &Snapshot<R>,
    id: &ServerId,
) -> Result<Option<MemberRecord>, StateError> {
    snapshot.read(&ID, &member_key(id))
}

/// The committee in order.
pub fn committee_at<R: StateReader>(
    snapshot: &Snapshot<R>,
) -> Result<Vec<MemberRecord>, StateError> {
    let ids: Option<Vec<ServerId>> = snapshot.read(&ID, COMMITTEE)?;
    let mut members = Vec::new();
    for id in ids.unwrap_or_default() {
        let member = member_at(snapshot, &id)?;
        members.push(member.ok_or(StateError::Corrupt("a committee member has no record"))?);
    }
    Ok(members)
}

/// The keys of a committee, in order.
pub fn keys(committee: &[MemberRecord]) -> Vec<PublicKey> {
    committee.iter().map(|record| record.member.key).collect()
}
