//! Members' records, the committee in its order, and the parameters.

use serde::{Deserialize, Serialize};

use super::ID;
use crate::contracts::{State, read};
use crate::encoding;
use crate::genesis::{Genesis, Member, Parameters, Role};
use crate::identity::{Height, PublicKey, ServerId};
use crate::state::{Snapshot, StateError, StateReader};

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
    /// The first block of its first epoch.
    pub since: Height,
    /// The last block of its last epoch, once it has left.
    pub left: Option<Height>,
}

impl MemberRecord {
    /// The record of somebody who becomes a member with this block.
    pub(super) fn new(member: Member, since: Height) -> Self {
        Self {
            server_id: member.server_id(),
            member,
            since,
            left: None,
        }
    }
}

/// How many of `members` may be faulty in any way: f = (n − 1) / 3.
pub fn faults(members: usize) -> usize {
    members.saturating_sub(1).checked_div(3).unwrap_or(0)
}

/// How many of `members` decide: ceil((n + f + 1) / 2).
pub fn quorum(members: usize) -> usize {
    members
        .saturating_add(faults(members))
        .saturating_add(1)
        .div_ceil(2)
}

/// The key of a member's record.
pub fn member_key(id: &ServerId) -> Vec<u8> {
    [b"member/", id.as_bytes().as_slice()].concat()
}

/// The key of the ids of the members, in the committee's order.
pub fn committee_key() -> Vec<u8> {
    COMMITTEE.to_vec()
}

/// The key of the note that a voting key was used.
fn used_key(key: &PublicKey) -> Vec<u8> {
    [b"used/", key.as_bytes().as_slice()].concat()
}

/// The founding members, in order.
pub(super) fn founders(genesis: &Genesis) -> Vec<MemberRecord> {
    let record = |member: &Member| MemberRecord::new(member.clone(), Height::new(0));
    genesis.members().iter().map(record).collect()
}

/// Writes a member's record; its key is used from now on, for ever.
pub(super) fn admit(state: &mut dyn State, record: &MemberRecord) {
    put_member(state, record);
    let used = used_key(&record.member.key);
    state.put(&ID, &used, encoding::encode(&record.server_id));
}

/// Writes a member's record.
pub(super) fn put_member(state: &mut dyn State, record: &MemberRecord) {
    let key = member_key(&record.server_id);
    state.put(&ID, &key, encoding::encode(record));
}

/// Whether a key is or was a member's.
pub(super) fn is_used(state: &mut dyn State, key: &PublicKey) -> bool {
    read::<ServerId>(state, &ID, &used_key(key)).is_some()
}

/// Writes the order in which the members vote.
pub(super) fn put_committee(state: &mut dyn State, committee: &[MemberRecord]) {
    let ids: Vec<ServerId> = committee.iter().map(|record| record.server_id).collect();
    state.put(&ID, COMMITTEE, encoding::encode(&ids));
}

/// Writes the parameters.
pub(super) fn put_parameters(state: &mut dyn State, parameters: &Parameters) {
    state.put(&ID, PARAMETERS, encoding::encode(parameters));
}

/// The record of this id, also of one who has left.
pub(super) fn record(state: &mut dyn State, id: &ServerId) -> Option<MemberRecord> {
    read(state, &ID, &member_key(id))
}

/// The member with this id, while a block is executed; not one who has left.
pub(crate) fn member(state: &mut dyn State, id: &ServerId) -> Option<MemberRecord> {
    record(state, id).filter(|record| record.left.is_none())
}

/// Whether this member holds a role.
pub(crate) fn has_role(state: &mut dyn State, id: &ServerId, role: Role) -> bool {
    member(state, id).is_some_and(|record| record.member.role == role)
}

/// The committee in order, while a block is executed.
pub(super) fn committee(state: &mut dyn State) -> Vec<MemberRecord> {
    let ids: Vec<ServerId> = read(state, &ID, COMMITTEE).unwrap_or_default();
    let mut members = Vec::new();
    for id in ids {
        match member(state, &id) {
            Some(record) => members.push(record),
            None => state.found_damage(),
        }
    }
    members
}

/// The parameters, while a block is executed; none in a damaged state.
pub(crate) fn parameters(state: &mut dyn State) -> Parameters {
    read(state, &ID, PARAMETERS).unwrap_or_else(|| {
        state.found_damage();
        Parameters::default()
    })
}

/// The record of this id, also of one who has left.
pub fn member_at<R: StateReader>(
    snapshot: &Snapshot<R>,
    id: &ServerId,
) -> Result<Option<MemberRecord>, StateError> {
    snapshot.look(|state| record(state, id))
}

/// The committee in order.
pub fn committee_at<R: StateReader>(
    snapshot: &Snapshot<R>,
) -> Result<Vec<MemberRecord>, StateError> {
    snapshot.look(committee)
}

/// The parameters by which the next block is executed and certified.
pub fn parameters_at<R: StateReader>(snapshot: &Snapshot<R>) -> Result<Parameters, StateError> {
    snapshot.look(parameters)
}

/// The keys of a committee, in order.
pub fn keys(committee: &[MemberRecord]) -> Vec<PublicKey> {
    committee.iter().map(|record| record.member.key).collect()
}
