//! One AID in another's place without a key of the patient's (PROTOCOL.md §4.3).
//!
//! An officer of the RC asks, another member approves, and `recovery_delay_ms` of block time go
//! by. Then any member may finish it. Until it is finished either key of the old AID cancels it,
//! also when the AID is revoked: an RC that revokes first must not silence the patient by that.
//! Each step is an event that the patient sees. A request that nobody approves, and an approval
//! that nobody finishes, lapse: none may lie in wait for years.

use serde::{Deserialize, Serialize};

use super::events::{self, How, What};
use super::replace::{check_new, replaceable, succeed};
use super::{ID, only_the_rc, register};
use crate::contracts::{Context, State, read};
use crate::identity::{Aid, BlockTime, Height, ServerId};
use crate::limits::RECOVERY_LIFE_MS;
use crate::outcome::{Output, Refused};
use crate::record::{Officer, PatientRecord, Recovery};
use crate::state::{Snapshot, StateError, StateReader};
use crate::transaction::{Author, RecoveryCall};

/// A recovery that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingRecovery {
    /// The record that is to take the AID's place.
    pub record: PatientRecord,
    /// The RC that asked.
    pub rc: ServerId,
    /// Who of its people.
    pub officer: Officer,
    /// In which block.
    pub height: Height,
    /// That block's time.
    pub requested: BlockTime,
    /// The approval, once there is one.
    pub approval: Option<RecoveryApproval>,
}

/// Another member's approval of a recovery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoveryApproval {
    /// Who approved.
    pub by: ServerId,
    /// From which block time on it can be finished.
    pub effective: BlockTime,
}

impl PendingRecovery {
    /// The last block time at which its next step can be taken.
    pub fn lapses(&self) -> BlockTime {
        self.approval
            .map_or(self.requested, |approval| approval.effective)
            .plus_ms(RECOVERY_LIFE_MS)
    }
}

/// The key of the recovery of an AID: none, or the one that was asked for last and not closed.
pub fn recovery_key(old: &Aid) -> Vec<u8> {
    [b"recovery/", old.as_bytes().as_slice()].concat()
}

/// One step of a recovery.
pub(super) fn apply(context: &mut Context<'_, '_>, call: &RecoveryCall) -> Result<Output, Refused> {
    match call {
        RecoveryCall::Request(recovery) => request(context, recovery)?,
        RecoveryCall::Approve { old, new } => approve(context, old, new)?,
        RecoveryCall::Cancel(old) => cancel(context, old)?,
        RecoveryCall::Finish(old) => finish(context, old)?,
    }
    Ok(Output::Written)
}

fn request(context: &mut Context<'_, '_>, recovery: &Recovery) -> Result<(), Refused> {
    let rc = only_the_rc(context)?;
    let (_, old) = replaceable(context, &recovery.old)?;
    if open(context, &recovery.old).is_ok() {
        return Err(Refused::RecoveryOpen);
    }
    check_new(context, &old, &recovery.registration)?;
    let record = recovery.registration.record.clone();
    let what = What::RecoveryRequested {
        new: record.aid,
        officer: recovery.officer.clone(),
    };
    let pending = PendingRecovery {
        record,
        rc,
        officer: recovery.officer.clone(),
        height: context.height,
        requested: context.time,
        approval: None,
    };
    put(context, &recovery.old, Some(&pending));
    events::note(context, &recovery.old, what);
    Ok(())
}

fn approve(context: &mut Context<'_, '_>, old: &Aid, new: &Aid) -> Result<(), Refused> {
    let Author::Member(by) = context.author else {
        return Err(Refused::NotPermitted);
    };
    let mut pending = open(context, old)?;
    if pending.record.aid != *new {
        return Err(Refused::NoRecovery);
    }
    if pending.rc == by {
        return Err(Refused::OwnRequest);
    }
    if pending.approval.is_some() {
        return Err(Refused::ApprovedBefore);
    }
    let effective = context.time.plus_ms(context.parameters.recovery_delay_ms);
    pending.approval = Some(RecoveryApproval { by, effective });
    put(context, old, Some(&pending));
    let new = *new;
    events::note(context, old, What::RecoveryApproved { new, effective });
    Ok(())
}

/// By either key of the AID that would end, or by the RC.
fn cancel(context: &mut Context<'_, '_>, old: &Aid) -> Result<(), Refused> {
    match context.author {
        Author::Patient(author) if author == *old => {}
        Author::Patient(_) => return Err(Refused::NotPermitted),
        Author::Member(_) => only_the_rc(context).map(|_rc| ())?,
    }
    let new = open(context, old)?.record.aid;
    put(context, old, None);
    events::note(context, old, What::RecoveryCancelled { new });
    Ok(())
}

fn finish(context: &mut Context<'_, '_>, old: &Aid) -> Result<(), Refused> {
    let Author::Member(_) = context.author else {
        return Err(Refused::NotPermitted);
    };
    let pending = open(context, old)?;
    let approval = pending.approval.ok_or(Refused::NotApproved)?;
    if context.time < approval.effective {
        return Err(Refused::TooEarly {
            at: approval.effective,
        });
    }
    let (identity, _) = replaceable(context, old)?;
    // Somebody may have registered it in the meantime.
    register::never_registered(context, &pending.record.aid)?;
    put(context, old, None);
    let how = How::Recovery {
        rc: pending.rc,
        officer: pending.officer,
        approver: approval.by,
    };
    succeed(context, identity, &pending.record, how);
    Ok(())
}

/// The recovery of this AID whose next step can still be taken.
fn open(context: &mut Context<'_, '_>, old: &Aid) -> Result<PendingRecovery, Refused> {
    last(context.state, old)
        .filter(|pending| context.time <= pending.lapses())
        .ok_or(Refused::NoRecovery)
}

/// There is nothing left to recover.
pub(super) fn close(context: &mut Context<'_, '_>, old: &Aid) {
    if last(context.state, old).is_some() {
        put(context, old, None);
    }
}

fn put(context: &mut Context<'_, '_>, old: &Aid, pending: Option<&PendingRecovery>) {
    context.write(&ID, &recovery_key(old), &pending);
}

fn last(state: &mut dyn State, old: &Aid) -> Option<PendingRecovery> {
    read::<Option<PendingRecovery>>(state, &ID, &recovery_key(old)).flatten()
}

/// The recovery of this AID that was asked for last and not closed; it may have lapsed.
pub fn recovery_at<R: StateReader>(
    snapshot: &Snapshot<R>,
    old: &Aid,
) -> Result<Option<PendingRecovery>, StateError> {
    snapshot.look(|state| last(state, old))
}
