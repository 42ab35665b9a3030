//! `disclosure`: who resolved an AID to an ID, why, and who allowed it.
//!
//! An officer of the RC asks, and another member approves within [`DISCLOSURE_LIFE_MS`]. From the
//! approval on the entry is a disclosure: the RC resolves the AID only with it in hand, and the
//! patient takes it for done. It binds that path; what the RC's own disk could tell, no ledger
//! prevents. Every AID has its number of requests and each of them by number, so that a patient
//! proves with the state that she was shown all of them, or that there is none.

use serde::{Deserialize, Serialize};

use super::{Context, Contract, State, identity, membership, read};
use crate::contract_id::{self, ContractId};
use crate::genesis::Role;
use crate::identity::{Aid, BlockTime, Height, ServerId};
use crate::limits::{DISCLOSURE_LIFE_MS, DISCLOSURES_OPEN_MAX};
use crate::outcome::{Output, Refused};
use crate::record::{DisclosureRequest, Status};
use crate::state::{Snapshot, StateError, StateReader};
use crate::transaction::{Author, Call, DisclosureCall};

/// The contract's name.
pub const ID: ContractId = contract_id::DISCLOSURE;
/// Key of the number of requests.
const COUNT: &[u8] = b"count";
/// Key of the requests that wait for an approval.
const OPEN: &[u8] = b"open";

/// The rules for disclosures.
#[derive(Debug)]
pub struct Disclosures;

/// A request, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disclosure {
    /// Its number on this ledger.
    pub number: u64,
    /// Whose ID, who asks, why.
    pub request: DisclosureRequest,
    /// The RC that asked.
    pub rc: ServerId,
    /// In which block.
    pub height: Height,
    /// That block's time.
    pub time: BlockTime,
    /// The approval: with it, the ID counts as disclosed.
    pub approval: Option<DisclosureApproval>,
}

/// Another member's approval of a disclosure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisclosureApproval {
    /// Who approved.
    pub by: ServerId,
    /// In which block.
    pub height: Height,
    /// That block's time.
    pub time: BlockTime,
}

impl Disclosure {
    /// The last block time at which it can be approved.
    pub const fn lapses(&self) -> BlockTime {
        self.time.plus_ms(DISCLOSURE_LIFE_MS)
    }
}

/// The key of an entry.
pub fn entry_key(number: u64) -> Vec<u8> {
    [b"entry/".as_slice(), &number.to_be_bytes()].concat()
}

/// The key of how many requests there are about an AID: a u32, absent for none.
pub fn count_key(aid: &Aid) -> Vec<u8> {
    [b"aid/", aid.as_bytes().as_slice()].concat()
}

/// The key of the number of the entry that is the `nth` about an AID, counted from 0.
pub fn nth_key(aid: &Aid, nth: u32) -> Vec<u8> {
    [b"nth/".as_slice(), aid.as_bytes(), &nth.to_be_bytes()].concat()
}

impl Contract for Disclosures {
    fn id() -> ContractId {
        ID
    }

    fn apply(context: &mut Context<'_, '_>, call: &Call) -> Result<Output, Refused> {
        let Call::Disclosure(step) = call else {
            return Err(Refused::NotPermitted);
        };
        match step {
            DisclosureCall::Request(request) => ask(context, request)?,
            DisclosureCall::Approve { number, aid } => approve(context, *number, aid)?,
        }
        Ok(Output::Written)
    }
}

fn ask(context: &mut Context<'_, '_>, request: &DisclosureRequest) -> Result<(), Refused> {
    let rc = match context.author {
        Author::Member(id) if membership::has_role(context.state, &id, Role::Rc) => id,
        Author::Member(_) | Author::Patient(_) => return Err(Refused::NotPermitted),
    };
    let known = identity::identity(context.state, &request.aid).ok_or(Refused::UnknownAid)?;
    if known.status() == Status::Shredded {
        return Err(Refused::NotActive);
    }
    let number: u64 = context.read(&ID, COUNT).unwrap_or(0);
    let mut waiting = open(context.state, context.time);
    if waiting.len() >= DISCLOSURES_OPEN_MAX {
        return Err(Refused::TooManyDisclosures);
    }
    waiting.push(number);
    let entry = Disclosure {
        number,
        request: request.clone(),
        rc,
        height: context.height,
        time: context.time,
        approval: None,
    };
    let nth: u32 = context.read(&ID, &count_key(&request.aid)).unwrap_or(0);
    context.write(&ID, &entry_key(number), &entry);
    context.write(&ID, &nth_key(&request.aid, nth), &number);
    context.write(&ID, &count_key(&request.aid), &nth.saturating_add(1));
    context.write(&ID, COUNT, &number.saturating_add(1));
    context.write(&ID, OPEN, &waiting);
    Ok(())
}

fn approve(context: &mut Context<'_, '_>, number: u64, aid: &Aid) -> Result<(), Refused> {
    let Author::Member(by) = context.author else {
        return Err(Refused::NotPermitted);
    };
    let mut entry = entry(context.state, number)
        .filter(|entry| entry.request.aid == *aid)
        .ok_or(Refused::UnknownDisclosure)?;
    if entry.rc == by {
        return Err(Refused::OwnRequest);
    }
    if entry.approval.is_some() {
        return Err(Refused::ApprovedBefore);
    }
    if context.time > entry.lapses() {
        return Err(Refused::RequestLapsed);
    }
    entry.approval = Some(DisclosureApproval {
        by,
        height: context.height,
        time: context.time,
    });
    context.write(&ID, &entry_key(number), &entry);
    let mut waiting = open(context.state, context.time);
    waiting.retain(|other| *other != number);
    context.write(&ID, OPEN, &waiting);
    Ok(())
}

fn entry(state: &mut dyn State, number: u64) -> Option<Disclosure> {
    read(state, &ID, &entry_key(number))
}

/// The requests that can still be approved at this time, oldest first.
fn open(state: &mut dyn State, time: BlockTime) -> Vec<u64> {
    let numbers: Vec<u64> = read(state, &ID, OPEN).unwrap_or_default();
    numbers
        .into_iter()
        .filter(|number| entry(state, *number).is_some_and(|entry| time <= entry.lapses()))
        .collect()
}

/// The entry with this number.
pub fn disclosure_at<R: StateReader>(
    snapshot: &Snapshot<R>,
    number: u64,
) -> Result<Option<Disclosure>, StateError> {
    snapshot.read(&ID, &entry_key(number))
}

/// Everything that was asked about an AID, oldest first.
pub fn disclosures_of<R: StateReader>(
    snapshot: &Snapshot<R>,
    aid: &Aid,
) -> Result<Vec<Disclosure>, StateError> {
    snapshot.look(|state| {
        let count: u32 = read(state, &ID, &count_key(aid)).unwrap_or(0);
        (0..count)
            .filter_map(|nth| {
                let number = read(state, &ID, &nth_key(aid, nth))?;
                entry(state, number)
            })
            .collect()
    })
}

/// What waits for an approval at this time, oldest first.
pub fn waiting_at<R: StateReader>(
    snapshot: &Snapshot<R>,
    time: BlockTime,
) -> Result<Vec<Disclosure>, StateError> {
    snapshot.look(|state| {
        open(state, time)
            .into_iter()
            .filter_map(|number| entry(state, number))
            .collect()
    })
}

/// The newest entries, newest first, at most `limit`, and how many there are in all.
pub fn newest_at<R: StateReader>(
    snapshot: &Snapshot<R>,
    limit: usize,
) -> Result<(u64, Vec<Disclosure>), StateError> {
    snapshot.look(|state| {
        let count: u64 = read(state, &ID, COUNT).unwrap_or(0);
        let newest = (0..count).rev().take(limit);
        let entries = newest.filter_map(|number| entry(state, number)).collect();
        (count, entries)
    })
}
