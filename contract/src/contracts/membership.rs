//! `membership`: who belongs to the consortium, in which order they vote, and by
//! which rules, all of it changed by vote of the members (CONSENSUS.md §4).
//!
//! 1. A member proposes one [`MembershipChange`]: members to add, remove, replace
//!    or renew, parameters, contracts. A quorum of the present committee approves.
//! 2. Each new key says `Ready`, signed by itself, within the last ten minutes of
//!    block time. Until then the change stays approved and waits.
//! 3. The block s in which the last of both arrives fixes the end of the epoch:
//!    E = s + W is its last block. Until then nothing further can be decided.
//! 4. After block E the next epoch's members, parameters and contracts are in the
//!    state; E + 1 is the first block that they certify.
//!
//! Proposals outlive an epoch's end: they are judged again, against the committee
//! of the day, whenever something could make them take effect. A proposal lapses
//! after [`PROPOSAL_LIFE_MS`], or when its proposer leaves.

mod change;
mod departed;
mod epochs;
mod members;
mod plan;
mod proposals;
mod votes;

pub use change::{
    Candidate, ContractChange, MembershipChange, ParameterChange, Renewal, Replacement,
    possession_digest, renewal_digest,
};
pub use departed::{Guest, GuestKind, guests_at};
pub use epochs::{EpochState, PastEpoch, PendingEnd, committee_of, epoch_at};
pub use members::{
    MemberRecord, committee_at, committee_key, faults, keys, member_at, member_key, parameters_at,
    quorum,
};
pub use proposals::{Proposal, ProposalStatus, proposal_at, proposals_at};
pub use votes::ready_at;

pub(crate) use epochs::{close_epoch, past, present};
pub(crate) use members::{has_role, member, parameters};
pub(crate) use votes::{Membership, is_candidate};

use super::State;
use crate::contract_id::{self, ContractId};
use crate::genesis::Genesis;
use crate::identity::{Epoch, Height};

/// The contract's name.
pub const ID: ContractId = contract_id::MEMBERSHIP;
/// How long a proposal can be approved and take effect, in milliseconds of block time.
pub const PROPOSAL_LIFE_MS: u64 = 7 * 24 * 3_600_000;
/// For how long a new key's `Ready` counts, in milliseconds of block time.
pub const READY_LIFE_MS: u64 = 600_000;
/// How long a member that left may still connect, in milliseconds of block time.
pub const DEPARTED_GUEST_MS: u64 = 24 * 3_600_000;
/// A member may end an epoch by rejoining once in this time, in milliseconds of block time.
pub const REJOIN_INTERVAL_MS: u64 = 3_600_000;

/// Writes the founding members and the first epoch.
pub(crate) fn found(state: &mut dyn State, genesis: &Genesis) {
    let founders = members::founders(genesis);
    for founder in &founders {
        members::admit(state, founder);
    }
    members::put_committee(state, &founders);
    members::put_parameters(state, genesis.parameters());
    epochs::begin(state, Epoch::new(0), Height::new(1), &founders);
}
