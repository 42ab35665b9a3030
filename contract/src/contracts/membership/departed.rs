//! Who besides the committee may connect: newcomers who have to catch up, and
//! members who left and still need the certificate of their last block.

use serde::{Deserialize, Serialize};

use super::{DEPARTED_GUEST_MS, ID, members, proposals};
use crate::contracts::{State, read};
use crate::encoding;
use crate::genesis::Member;
use crate::identity::{BlockTime, ServerId};
use crate::state::{Snapshot, StateError, StateReader};

/// Key of the list of those who left.
const DEPARTED: &[u8] = b"departed";

/// Somebody who left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Departure {
    /// Who.
    id: ServerId,
    /// Until which block time it may connect.
    until: BlockTime,
}

/// Why somebody who does not vote may connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GuestKind {
    /// An approved change brings it in.
    Candidate,
    /// It left, and may fetch the rest of its last epoch.
    Departed,
}

/// Somebody who may connect and does not vote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guest {
    /// Under which id it speaks: its own, or the one it will have, which is not a leaver's of the same name.
    pub id: ServerId,
    /// Its name, keys and addresses.
    pub member: Member,
    /// Why it may.
    pub why: GuestKind,
    /// Until which block time, inclusive; the caller knows the time.
    pub until: BlockTime,
}

/// Notes that a member left at this time, and forgets those whose time is over.
pub(super) fn note(state: &mut dyn State, id: &ServerId, time: BlockTime) {
    let mut departed = departures(state);
    departed.retain(|one| one.until >= time);
    departed.push(Departure {
        id: *id,
        until: time.plus_ms(DEPARTED_GUEST_MS),
    });
    state.put(&ID, DEPARTED, encoding::encode(&departed));
}

fn departures(state: &mut dyn State) -> Vec<Departure> {
    read(state, &ID, DEPARTED).unwrap_or_default()
}

/// Who besides the committee may connect: those whom an approved change brings in
/// or gives new keys, and those who left less than a day ago.
pub fn guests_at<R: StateReader>(snapshot: &Snapshot<R>) -> Result<Vec<Guest>, StateError> {
    snapshot.look(|state| {
        let committee = members::committee(state);
        let mut guests = Vec::new();
        for (_id, proposal) in proposals::open(state) {
            if proposal.is_approved_by(&committee) {
                let candidates = proposal.change.candidates().map(|one| &one.member);
                let candidates = candidates.map(|member| (member.server_id(), member));
                let renewed = proposal.change.renew.iter().map(|one| (one.id, &one.to));
                guests.extend(candidates.chain(renewed).map(|(id, member)| Guest {
                    id,
                    member: member.clone(),
                    why: GuestKind::Candidate,
                    until: proposal.lapses_at,
                }));
            }
        }
        for departure in departures(state) {
            if let Some(record) = members::record(state, &departure.id) {
                guests.push(Guest {
                    id: departure.id,
                    member: record.member,
                    why: GuestKind::Departed,
                    until: departure.until,
                });
            }
        }
        guests
    })
}
