//! Proposed changes and who approved them.

use serde::{Deserialize, Serialize};

use super::members::{MemberRecord, quorum};
use super::{ID, MembershipChange};
use crate::contracts::{State, read};
use crate::encoding;
use crate::identity::{BlockTime, ChangeId, Height, ServerId};
use crate::state::{Snapshot, StateError, StateReader};

/// Key of the ids of open proposals, oldest first.
const OPEN: &[u8] = b"open";

/// What became of a proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProposalStatus {
    /// It can be approved; a lapsed one is open until somebody needs its place.
    Open,
    /// It took effect: the epoch ends with this block.
    Decided {
        /// The last block of the epoch.
        last: Height,
    },
    /// Its proposer closed it.
    Cancelled,
    /// Nobody decided it in time, or its proposer left.
    Lapsed,
}

/// A proposed change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// What is proposed.
    pub change: MembershipChange,
    /// By whom.
    pub proposer: ServerId,
    /// In which block.
    pub height: Height,
    /// After which block time it can no longer be approved or take effect.
    pub lapses_at: BlockTime,
    /// Who approved it, in order of their approvals; the proposer first.
    pub approvals: Vec<ServerId>,
    /// What became of it.
    pub status: ProposalStatus,
}

impl Proposal {
    /// How many members of this committee approve it.
    pub fn approvals_of(&self, committee: &[MemberRecord]) -> usize {
        let approves = |record: &&MemberRecord| self.approvals.contains(&record.server_id);
        committee.iter().filter(approves).count()
    }

    /// Whether a quorum of this committee approves it.
    pub fn is_approved_by(&self, committee: &[MemberRecord]) -> bool {
        self.approvals_of(committee) >= quorum(committee.len())
    }
}

/// The key of a proposal.
fn proposal_key(id: &ChangeId) -> Vec<u8> {
    [b"proposal/", id.as_bytes().as_slice()].concat()
}

/// A proposal, whatever became of it.
pub(super) fn proposal(state: &mut dyn State, id: &ChangeId) -> Option<Proposal> {
    read(state, &ID, &proposal_key(id))
}

/// The open proposals, oldest first.
pub(super) fn open(state: &mut dyn State) -> Vec<(ChangeId, Proposal)> {
    let mut found = Vec::new();
    for id in open_ids(state) {
        match proposal(state, &id) {
            Some(proposal) => found.push((id, proposal)),
            None => state.found_damage(),
        }
    }
    found
}

/// The open proposals that can still be approved at this time, oldest first.
pub(super) fn open_at(state: &mut dyn State, time: BlockTime) -> Vec<(ChangeId, Proposal)> {
    let mut found = open(state);
    found.retain(|(_id, proposal)| time <= proposal.lapses_at);
    found
}

fn open_ids(state: &mut dyn State) -> Vec<ChangeId> {
    read(state, &ID, OPEN).unwrap_or_default()
}

/// Writes an open proposal.
pub(super) fn put_open(state: &mut dyn State, id: &ChangeId, proposal: &Proposal) {
    let mut ids = open_ids(state);
    if !ids.contains(id) {
        ids.push(*id);
        state.put(&ID, OPEN, encoding::encode(&ids));
    }
    state.put(&ID, &proposal_key(id), encoding::encode(proposal));
}

/// Takes a proposal off the list of open ones, and says why.
pub(super) fn close(state: &mut dyn State, id: &ChangeId, status: ProposalStatus) {
    let mut ids = open_ids(state);
    ids.retain(|open| open != id);
    state.put(&ID, OPEN, encoding::encode(&ids));
    if let Some(mut proposal) = proposal(state, id) {
        proposal.status = status;
        state.put(&ID, &proposal_key(id), encoding::encode(&proposal));
    }
}

/// Closes what a member who leaves has proposed.
pub(super) fn close_of(state: &mut dyn State, leaver: &ServerId) {
    for (id, proposal) in open(state) {
        if proposal.proposer == *leaver {
            close(state, &id, ProposalStatus::Lapsed);
        }
    }
}

/// A proposal, whatever became of it.
pub fn proposal_at<R: StateReader>(
    snapshot: &Snapshot<R>,
    id: &ChangeId,
) -> Result<Option<Proposal>, StateError> {
    snapshot.look(|state| proposal(state, id))
}

/// The open proposals, oldest first, lapsed ones among them.
pub fn proposals_at<R: StateReader>(
    snapshot: &Snapshot<R>,
) -> Result<Vec<(ChangeId, Proposal)>, StateError> {
    snapshot.look(open)
}
