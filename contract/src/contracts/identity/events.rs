//! What happened to an AID, kept so that the patient can prove that it is all.
//!
//! Each AID has a number of events and the events by number. Whoever holds the value, or the
//! absence, of the number and each event with its state proof has the whole history; a
//! registration is none, it is in the record itself. Where an AID came from, if it took the place of another, has a key of its own:
//! a receipt shows it, or shows that there is nothing, with one proof.

use serde::{Deserialize, Serialize};

use super::ID;
use crate::contracts::{Context, read};
use crate::encoding;
use crate::identity::{Aid, BlockTime, Height, ServerId};
use crate::limits::RECOVERY_NOTICE_MS;
use crate::record::Officer;
use crate::state::{Snapshot, StateError, StateReader};
use crate::transaction::Author;

/// Something that happened to an AID.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// In which block.
    pub height: Height,
    /// That block's time.
    pub time: BlockTime,
    /// By whose transaction.
    pub by: Author,
    /// What.
    pub what: What,
}

/// What happened. The order is the wire number: variants are appended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum What {
    /// It may no longer sign in.
    Revoked,
    /// The RC says that it destroyed what resolves it.
    Shredded,
    /// Another AID took its place.
    Replaced {
        /// Which.
        new: Aid,
        /// With whose consent.
        how: How,
    },
    /// An officer asked to put another AID in its place without its keys.
    RecoveryRequested {
        /// Which.
        new: Aid,
        /// Who.
        officer: Officer,
    },
    /// Another member approved that.
    RecoveryApproved {
        /// Which AID is to take its place.
        new: Aid,
        /// From which block time on; until then, and until it is done, its keys can cancel it.
        effective: BlockTime,
    },
    /// It was cancelled, or taken back.
    RecoveryCancelled {
        /// Which AID does not take its place.
        new: Aid,
    },
}

/// With whose consent one AID took another's place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum How {
    /// The old signing key's, and the RC's.
    SigningKey,
    /// The recovery key's, and the RC's.
    RecoveryKey,
    /// No key of the patient's: two members'.
    Recovery {
        /// The RC that asked.
        rc: ServerId,
        /// Who of its people.
        officer: Officer,
        /// The member that approved.
        approver: ServerId,
    },
}

/// Where an AID came from that took the place of another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The AID that it replaced.
    pub old: Aid,
    /// In which block.
    pub height: Height,
    /// That block's time.
    pub time: BlockTime,
    /// With whose consent.
    pub how: How,
}

impl Origin {
    /// Whether a receipt of a sign-in at this time has to say that the AID was recovered without
    /// a key of the patient, and if so by which two members.
    pub fn notice(&self, at: BlockTime) -> Option<(ServerId, ServerId)> {
        match &self.how {
            How::Recovery { rc, approver, .. } if at <= self.time.plus_ms(RECOVERY_NOTICE_MS) => {
                Some((*rc, *approver))
            }
            How::Recovery { .. } | How::SigningKey | How::RecoveryKey => None,
        }
    }
}

/// The key of the number of an AID's events: a u32, absent for none.
pub fn events_key(aid: &Aid) -> Vec<u8> {
    [b"events/", aid.as_bytes().as_slice()].concat()
}

/// The key of one event, counted from 0.
pub fn event_key(aid: &Aid, number: u32) -> Vec<u8> {
    let number = number.to_be_bytes();
    [b"event/".as_slice(), aid.as_bytes(), &number].concat()
}

/// The key of where an AID came from; absent if it replaced none.
pub fn origin_key(aid: &Aid) -> Vec<u8> {
    [b"origin/", aid.as_bytes().as_slice()].concat()
}

/// Notes that this happened to an AID, by the present author, now.
pub(super) fn note(context: &mut Context<'_, '_>, aid: &Aid, what: What) {
    let count: u32 = context.read(&ID, &events_key(aid)).unwrap_or(0);
    let event = Event {
        height: context.height,
        time: context.time,
        by: context.author,
        what,
    };
    context.write(&ID, &event_key(aid, count), &event);
    context.write(&ID, &events_key(aid), &count.saturating_add(1));
}

/// Notes where an AID came from, now.
pub(super) fn note_origin(context: &mut Context<'_, '_>, aid: &Aid, old: Aid, how: How) {
    let origin = Origin {
        old,
        height: context.height,
        time: context.time,
        how,
    };
    let key = origin_key(aid);
    context.state.put(&ID, &key, encoding::encode(&origin));
}

/// Everything that happened to an AID, oldest first.
pub fn events_at<R: StateReader>(
    snapshot: &Snapshot<R>,
    aid: &Aid,
) -> Result<Vec<Event>, StateError> {
    snapshot.look(|state| {
        let count: u32 = read(state, &ID, &events_key(aid)).unwrap_or(0);
        (0..count)
            .filter_map(|number| read(state, &ID, &event_key(aid, number)))
            .collect()
    })
}

/// Where an AID came from, if it took the place of another.
pub fn origin_at<R: StateReader>(
    snapshot: &Snapshot<R>,
    aid: &Aid,
) -> Result<Option<Origin>, StateError> {
    snapshot.read(&ID, &origin_key(aid))
}
