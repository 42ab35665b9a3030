//! The present epoch, the ones before it, and the step from one to the next.

use serde::{Deserialize, Serialize};

use super::members::{self, MemberRecord, committee, keys};
use super::{ID, departed, plan, proposals};
use crate::contracts::{State, read, registry};
use crate::encoding;
use crate::identity::{BlockTime, ChangeId, Epoch, Height, PublicKey, ServerId};
use crate::state::{Snapshot, StateError, StateReader};

/// Key of the present epoch.
const PRESENT: &[u8] = b"epoch";

/// The present epoch, as the state holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Present {
    /// Its number.
    pub(crate) number: Epoch,
    /// Its first block.
    pub(crate) first: Height,
    /// Its end, once that is fixed.
    pub(crate) end: Option<Ending>,
}

/// An end that is fixed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ending {
    /// The last block of the epoch.
    pub(crate) last: Height,
    /// The keys of the next committee, in order.
    pub(crate) keys: Vec<PublicKey>,
    /// The change that ends it; none when a member rejoins.
    change: Option<ChangeId>,
}

/// The present epoch: the one whose committee certifies the next block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EpochState {
    /// Its number.
    pub number: Epoch,
    /// Its first block; 1 for the first epoch, since nobody certifies block 0.
    pub first: Height,
    /// Its members, in order.
    pub committee: Vec<MemberRecord>,
    /// Its end, once that is fixed.
    pub end: Option<PendingEnd>,
}

/// The fixed end of an epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingEnd {
    /// The last block of the epoch.
    pub last: Height,
    /// The members of the next one, in order.
    pub committee: Vec<MemberRecord>,
}

/// An epoch and its committee, for whoever checks old signatures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastEpoch {
    /// Its first block.
    pub first: Height,
    /// Its last block; none while it lasts.
    pub last: Option<Height>,
    /// Its members' keys, in order.
    pub keys: Vec<PublicKey>,
    /// Its members' ids, in the same order.
    pub members: Vec<ServerId>,
}

/// The key of an epoch's committee.
fn epoch_key(epoch: Epoch) -> Vec<u8> {
    [b"epoch/".as_slice(), &epoch.get().to_be_bytes()].concat()
}

/// Writes the beginning of an epoch.
pub(super) fn begin(
    state: &mut dyn State,
    number: Epoch,
    first: Height,
    committee: &[MemberRecord],
) {
    let present = Present {
        number,
        first,
        end: None,
    };
    put_present(state, &present);
    let past = PastEpoch {
        first,
        last: None,
        keys: keys(committee),
        members: committee.iter().map(|record| record.server_id).collect(),
    };
    state.put(&ID, &epoch_key(number), encoding::encode(&past));
}

fn put_present(state: &mut dyn State, present: &Present) {
    state.put(&ID, PRESENT, encoding::encode(present));
}

/// The present epoch, while a block is executed.
pub(crate) fn present(state: &mut dyn State) -> Present {
    read(state, &ID, PRESENT).unwrap_or_else(|| {
        state.found_damage();
        Present {
            number: Epoch::new(0),
            first: Height::new(1),
            end: None,
        }
    })
}

/// Fixes the end of the present epoch; what is decided takes effect behind `last`.
pub(super) fn fix_end(
    state: &mut dyn State,
    last: Height,
    next: &[MemberRecord],
    change: Option<ChangeId>,
) {
    let mut present = present(state);
    present.end = Some(Ending {
        last,
        keys: keys(next),
        change,
    });
    put_present(state, &present);
}

/// Ends the epoch after its last block, and begins the next one.
pub(crate) fn close_epoch(
    state: &mut dyn State,
    present: &Present,
    ending: &Ending,
    time: BlockTime,
) {
    let first = ending.last.next();
    let mut next = committee(state);
    if let Some(id) = &ending.change {
        match proposals::proposal(state, id) {
            Some(proposal) => next = take_effect(state, &proposal.change, next, first, time),
            None => state.found_damage(),
        }
    }
    let key = epoch_key(present.number);
    match read::<PastEpoch>(state, &ID, &key) {
        Some(mut past) => {
            past.last = Some(ending.last);
            state.put(&ID, &key, encoding::encode(&past));
        }
        None => state.found_damage(),
    }
    begin(state, present.number.next(), first, &next);
}

/// Writes everything that a change does; the new committee.
fn take_effect(
    state: &mut dyn State,
    change: &super::MembershipChange,
    before: Vec<MemberRecord>,
    first: Height,
    time: BlockTime,
) -> Vec<MemberRecord> {
    let next = plan::next_committee(change, &before, first);
    for mut leaver in before {
        if next.iter().all(|one| one.server_id != leaver.server_id) {
            leaver.left = first.previous();
            members::put_member(state, &leaver);
            departed::note(state, &leaver.server_id, time);
            proposals::close_of(state, &leaver.server_id);
        }
    }
    for record in &next {
        members::admit(state, record);
    }
    members::put_committee(state, &next);
    let mut parameters = members::parameters(state);
    for changed in &change.parameters {
        parameters.set(&changed.name, changed.value);
    }
    members::put_parameters(state, &parameters);
    registry::change(state, &change.contracts, first);
    next
}

/// The present epoch: its number, its committee in order, and its end once fixed.
pub fn epoch_at<R: StateReader>(snapshot: &Snapshot<R>) -> Result<EpochState, StateError> {
    snapshot.look(|state| {
        let present = present(state);
        let committee = committee(state);
        let end = present.end.map(|ending| PendingEnd {
            last: ending.last,
            committee: committee_after(state, &ending, &committee),
        });
        EpochState {
            number: present.number,
            first: present.first,
            committee,
            end,
        }
    })
}

/// The members of the next epoch, in order.
fn committee_after(
    state: &mut dyn State,
    ending: &Ending,
    before: &[MemberRecord],
) -> Vec<MemberRecord> {
    let change = ending.change.as_ref();
    match change.and_then(|id| proposals::proposal(state, id)) {
        Some(proposal) => plan::next_committee(&proposal.change, before, ending.last.next()),
        None => before.to_vec(),
    }
}

/// The committee of an epoch, past or present; none of an epoch that is still to come.
pub fn committee_of<R: StateReader>(
    snapshot: &Snapshot<R>,
    epoch: Epoch,
) -> Result<Option<PastEpoch>, StateError> {
    snapshot.look(|state| past(state, epoch))
}

/// The committee of an epoch, while a block is executed.
pub(crate) fn past(state: &mut dyn State, epoch: Epoch) -> Option<PastEpoch> {
    read(state, &ID, &epoch_key(epoch))
}
