//! The calls of members and candidates.

use serde::{Deserialize, Serialize};

use super::members::{MemberRecord, committee, member};
use super::proposals::{self, Proposal, ProposalStatus};
use super::{
    ID, MembershipChange, PROPOSAL_LIFE_MS, READY_LIFE_MS, REJOIN_INTERVAL_MS, epochs, plan,
};
use crate::contract_id::ContractId;
use crate::contracts::{Context, Contract, State, read};
use crate::identity::{BlockTime, ChangeId, HeaderHash, Height, PublicKey, ServerId};
use crate::outcome::{Output, Refused};
use crate::state::{Snapshot, StateError, StateReader};
use crate::transaction::{Author, Call};

/// The rules for changes of the membership.
#[derive(Debug)]
pub(crate) struct Membership;

/// What a new key last said about itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Readiness {
    /// The newest certified block that it has.
    height: Height,
    /// That block's header.
    header: HeaderHash,
    /// The time of the block in which it said so.
    at: BlockTime,
}

/// The key of what a new key said about itself.
fn ready_key(key: &PublicKey) -> Vec<u8> {
    [b"ready/", key.as_bytes().as_slice()].concat()
}

/// The key of the time at which a member last rejoined.
fn rejoin_key(id: &ServerId) -> Vec<u8> {
    [b"rejoin/", id.as_bytes().as_slice()].concat()
}

impl Contract for Membership {
    fn id() -> ContractId {
        ID
    }

    fn apply(context: &mut Context<'_, '_>, call: &Call) -> Result<Output, Refused> {
        let Author::Member(author) = context.author else {
            return Err(Refused::NotPermitted);
        };
        if let Call::CancelChange(id) = call {
            return cancel(context, &author, id);
        }
        if let Some(end) = epochs::present(context.state).end {
            return Err(Refused::ChangePending { ends_at: end.last });
        }
        match call {
            Call::ProposeChange(change) => propose(context, &author, change),
            Call::ApproveChange(id) => approve(context, &author, id),
            Call::Ready { height, header } => ready(context, &author, *height, *header),
            Call::Rejoin { random: _ } => rejoin(context, &author),
            Call::Register(_)
            | Call::Revoke(_)
            | Call::Shred(_)
            | Call::WuRegister(_)
            | Call::LimbasiyaServer(_)
            | Call::LimbasiyaUser(_)
            | Call::Results(_)
            | Call::LegacyResults(_)
            | Call::SetServer(_)
            | Call::CancelChange(_)
            | Call::Evidence(_)
            | Call::RegisterBatch(_)
            | Call::Replace(_)
            | Call::Recovery(_)
            | Call::Claim(_)
            | Call::LateResults(_)
            | Call::ServerClaims(_)
            | Call::Disclosure(_) => Err(Refused::NotPermitted),
        }
    }
}

fn propose(
    context: &mut Context<'_, '_>,
    author: &ServerId,
    change: &MembershipChange,
) -> Result<Output, Refused> {
    close_lapsed(context);
    let open = proposals::open(context.state);
    let id = change.id(context.genesis.chain());
    if open.iter().any(|(known, _)| *known == id) {
        return Err(Refused::AlreadyProposed);
    }
    if open.iter().any(|(_, one)| one.proposer == *author) {
        return Err(Refused::ProposalOpen);
    }
    plan::plan(context, change)?;
    let proposal = Proposal {
        change: change.clone(),
        proposer: *author,
        height: context.height,
        lapses_at: context.time.plus_ms(PROPOSAL_LIFE_MS),
        approvals: vec![*author],
        status: ProposalStatus::Open,
    };
    proposals::put_open(context.state, &id, &proposal);
    settle(context, &id, &proposal)
}

/// Makes room: what nobody decided in time is no longer open.
fn close_lapsed(context: &mut Context<'_, '_>) {
    for (id, proposal) in proposals::open(context.state) {
        if context.time > proposal.lapses_at {
            proposals::close(context.state, &id, ProposalStatus::Lapsed);
        }
    }
}

fn approve(
    context: &mut Context<'_, '_>,
    author: &ServerId,
    id: &ChangeId,
) -> Result<Output, Refused> {
    let mut proposal = open_proposal(context, id)?;
    // Judged at each approval, so that nobody approves what can no longer happen.
    plan::plan(context, &proposal.change)?;
    let is_new = !proposal.approvals.contains(author);
    if is_new {
        proposal.approvals.push(*author);
        proposals::put_open(context.state, id, &proposal);
    }
    let output = settle(context, id, &proposal)?;
    // A repeated approval counts for nothing, but a smaller committee may have
    // made the earlier ones enough.
    if is_new || output != Output::Written {
        Ok(output)
    } else {
        Err(Refused::AlreadyApproved)
    }
}

fn cancel(
    context: &mut Context<'_, '_>,
    author: &ServerId,
    id: &ChangeId,
) -> Result<Output, Refused> {
    let mut proposal = open_proposal(context, id)?;
    if proposal.proposer == *author {
        proposals::close(context.state, id, ProposalStatus::Cancelled);
        return Ok(Output::Written);
    }
    let before = proposal.approvals.len();
    proposal.approvals.retain(|approver| approver != author);
    if proposal.approvals.len() == before {
        return Err(Refused::NotPermitted);
    }
    proposals::put_open(context.state, id, &proposal);
    Ok(Output::Written)
}

/// The proposal of this id, if it can still be decided.
fn open_proposal(context: &mut Context<'_, '_>, id: &ChangeId) -> Result<Proposal, Refused> {
    proposals::proposal(context.state, id)
        .filter(|found| found.status == ProposalStatus::Open && context.time <= found.lapses_at)
        .ok_or(Refused::UnknownChange)
}

fn ready(
    context: &mut Context<'_, '_>,
    author: &ServerId,
    height: Height,
    header: HeaderHash,
) -> Result<Output, Refused> {
    let key = context.key;
    let waiting: Vec<_> = approved(context.state, context.time)
        .into_iter()
        .filter(|(_, one)| one.change.newcomers().any(|new| new == (*author, key)))
        .collect();
    if waiting.is_empty() {
        return Err(Refused::NotACandidate);
    }
    if height >= context.height {
        return Err(Refused::BadRecord);
    }
    let at = context.time;
    let readiness = Readiness { height, header, at };
    context.write(&ID, &ready_key(&key), &readiness);
    for (id, proposal) in waiting {
        // One that is no longer lawful waits until it lapses; it hinders no other.
        if let Ok(output @ Output::EpochEnds { .. }) = settle(context, &id, &proposal) {
            return Ok(output);
        }
    }
    Ok(Output::Written)
}

/// Ends the epoch with the same committee, for a member that lost its votes.
fn rejoin(context: &mut Context<'_, '_>, author: &ServerId) -> Result<Output, Refused> {
    member(context.state, author).ok_or(Refused::UnknownAuthor)?;
    let key = rejoin_key(author);
    if let Some(before) = context.read::<BlockTime>(&ID, &key) {
        let again_at = before.plus_ms(REJOIN_INTERVAL_MS);
        if context.time < again_at {
            return Err(Refused::RejoinTooSoon { again_at });
        }
    }
    let time = context.time;
    context.write(&ID, &key, &time);
    let same = committee(context.state);
    Ok(end_epoch(context, &same, None))
}

/// Lets a change take effect if a quorum approves it and all its newcomers are ready.
fn settle(
    context: &mut Context<'_, '_>,
    id: &ChangeId,
    proposal: &Proposal,
) -> Result<Output, Refused> {
    let committee = committee(context.state);
    if !proposal.is_approved_by(&committee) || !all_ready(context, &proposal.change, &committee) {
        return Ok(Output::Written);
    }
    let next = plan::plan(context, &proposal.change)?;
    let output = end_epoch(context, &next, Some(*id));
    let last = last_block(context);
    proposals::close(context.state, id, ProposalStatus::Decided { last });
    Ok(output)
}

/// Whether every new key has said that it is ready, and not too long ago.
fn all_ready(
    context: &mut Context<'_, '_>,
    change: &MembershipChange,
    committee: &[MemberRecord],
) -> bool {
    let is_new = |key: &PublicKey| committee.iter().all(|record| record.member.key != *key);
    let mut newcomers = change.newcomers().filter(|(_, key)| is_new(key));
    newcomers.all(|(_, key)| {
        let said: Option<Readiness> = context.read(&ID, &ready_key(&key));
        said.is_some_and(|said| context.time <= said.at.plus_ms(READY_LIFE_MS))
    })
}

fn end_epoch(
    context: &mut Context<'_, '_>,
    next: &[MemberRecord],
    change: Option<ChangeId>,
) -> Output {
    let last = last_block(context);
    epochs::fix_end(context.state, last, next, change);
    Output::EpochEnds { last }
}

/// E = s + W: no replica votes for a block before it has executed the one W below.
const fn last_block(context: &Context<'_, '_>) -> Height {
    context.height.plus(context.parameters.water_mark_window)
}

/// The open proposals that a quorum approves, oldest first.
fn approved(state: &mut dyn State, time: BlockTime) -> Vec<(ChangeId, Proposal)> {
    let committee = committee(state);
    let mut open = proposals::open_at(state, time);
    open.retain(|(_, proposal)| proposal.is_approved_by(&committee));
    open
}

/// The block time at which a new key last said that it is ready.
pub fn ready_at<R: StateReader>(
    snapshot: &Snapshot<R>,
    key: &PublicKey,
) -> Result<Option<BlockTime>, StateError> {
    snapshot.look(|state| {
        let said: Option<Readiness> = read(state, &ID, &ready_key(key));
        said.map(|said| said.at)
    })
}

/// Whether an approved change brings in this key under this id.
pub(crate) fn is_candidate(
    state: &mut dyn State,
    id: &ServerId,
    key: &PublicKey,
    time: BlockTime,
) -> bool {
    approved(state, time)
        .iter()
        .any(|(_, one)| one.change.newcomers().any(|new| new == (*id, *key)))
}
