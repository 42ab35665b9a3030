//! `evidence`: proofs that a member contradicted itself, each checked by everybody.
//!
//! What a contradiction is belongs to consensus; this crate hands the bytes to a
//! [`Misbehaviour`] and keeps what it finds. The keys come from the history of
//! committees in the state, never from the evidence. There is one entry for each
//! member, epoch, view and sequence number: that it was done is what counts.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::membership::{self, PastEpoch};
use super::{Context, Contract, State, read};
use crate::contract_id::{self, ContractId};
use crate::encoding::Blob;
use crate::identity::{ChainId, Epoch, Height, PublicKey, ServerId};
use crate::limits::{EVIDENCE_BYTES_MAX, EVIDENCE_PER_MEMBER_MAX};
use crate::outcome::{Output, Refused};
use crate::state::{Snapshot, StateError, StateReader};
use crate::transaction::{Author, Call};

/// The contract's name.
pub const ID: ContractId = contract_id::EVIDENCE;
/// Key of the number of entries.
const COUNT: &[u8] = b"count";

/// What evidence shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Culprit {
    /// The member's place in the epoch's committee.
    pub place: u16,
    /// The view of both votes.
    pub view: u64,
    /// The sequence number of both votes.
    pub seq: u64,
}

/// Judges evidence. Its verdict must be a pure function of its arguments: every
/// node executes it, and they must agree.
pub trait Misbehaviour: fmt::Debug + Send + Sync {
    /// The epoch that the evidence is about; none if the bytes are no evidence.
    fn epoch(&self, evidence: &[u8]) -> Option<Epoch>;

    /// Who contradicted himself, if the bytes prove it against this epoch's committee.
    fn check(
        &self,
        chain: &ChainId,
        epoch: Epoch,
        committee: &[PublicKey],
        evidence: &[u8],
    ) -> Option<Culprit>;
}

/// A contradiction on the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceRecord {
    /// Who contradicted himself.
    pub member: ServerId,
    /// In which epoch.
    pub epoch: Epoch,
    /// The view of both votes.
    pub view: u64,
    /// The sequence number of both votes.
    pub seq: u64,
    /// Who told the ledger.
    pub reporter: Author,
    /// In which block.
    pub height: Height,
    /// The two signed votes, as consensus encodes them.
    pub evidence: Blob,
}

/// The rules for evidence.
#[derive(Debug)]
pub(crate) struct Evidences;

/// The key of an entry by its number.
fn entry_key(number: u64) -> Vec<u8> {
    [b"entry/".as_slice(), &number.to_be_bytes()].concat()
}

/// The key that says whether a contradiction is known.
fn known_key(member: &ServerId, epoch: Epoch, culprit: &Culprit) -> Vec<u8> {
    [
        b"known/".as_slice(),
        member.as_bytes(),
        &epoch.get().to_be_bytes(),
        &culprit.view.to_be_bytes(),
        &culprit.seq.to_be_bytes(),
    ]
    .concat()
}

/// The key of the number of entries about a member in an epoch.
fn many_key(member: &ServerId, epoch: Epoch) -> Vec<u8> {
    let epoch = epoch.get().to_be_bytes();
    [b"many/".as_slice(), member.as_bytes(), &epoch].concat()
}

impl Contract for Evidences {
    fn id() -> ContractId {
        ID
    }

    fn apply(context: &mut Context<'_, '_>, call: &Call) -> Result<Output, Refused> {
        let Call::Evidence(evidence) = call else {
            return Err(Refused::NotPermitted);
        };
        let (epoch, committee, culprit) = judge(context, evidence.as_bytes())?;
        let place = usize::from(culprit.place);
        let member = *committee.members.get(place).ok_or(Refused::NoEvidence)?;
        let known = known_key(&member, epoch, &culprit);
        if context.read::<u64>(&ID, &known).is_some() {
            return Err(Refused::EvidenceKnown);
        }
        let many = many_key(&member, epoch);
        let before: u32 = context.read(&ID, &many).unwrap_or(0);
        if before >= EVIDENCE_PER_MEMBER_MAX {
            return Err(Refused::EvidenceKnown);
        }
        let number = count(context.state);
        let record = EvidenceRecord {
            member,
            epoch,
            view: culprit.view,
            seq: culprit.seq,
            reporter: context.author,
            height: context.height,
            evidence: evidence.clone(),
        };
        context.write(&ID, &entry_key(number), &record);
        context.write(&ID, &known, &number);
        context.write(&ID, &many, &before.saturating_add(1));
        context.write(&ID, COUNT, &number.saturating_add(1));
        Ok(Output::Written)
    }
}

/// Asks who the evidence convicts, under the keys of the epoch that it names.
fn judge(
    context: &mut Context<'_, '_>,
    evidence: &[u8],
) -> Result<(Epoch, PastEpoch, Culprit), Refused> {
    if evidence.len() > EVIDENCE_BYTES_MAX {
        return Err(Refused::NoEvidence);
    }
    let judge = context.judge;
    let epoch = judge.epoch(evidence).ok_or(Refused::NoEvidence)?;
    let committee = membership::past(context.state, epoch).ok_or(Refused::NoEvidence)?;
    let chain = context.genesis.chain();
    let culprit = judge
        .check(chain, epoch, &committee.keys, evidence)
        .ok_or(Refused::NoEvidence)?;
    Ok((epoch, committee, culprit))
}

fn count(state: &mut dyn State) -> u64 {
    read(state, &ID, COUNT).unwrap_or(0)
}

/// The newest entries, newest first, at most `limit`, and how many there are in all.
pub fn newest_at<R: StateReader>(
    snapshot: &Snapshot<R>,
    limit: usize,
) -> Result<(u64, Vec<EvidenceRecord>), StateError> {
    snapshot.look(|state| {
        let count = count(state);
        let newest = (0..count).rev().take(limit);
        let records = newest
            .filter_map(|number| read(state, &ID, &entry_key(number)))
            .collect();
        (count, records)
    })
}
