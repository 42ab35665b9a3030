//! New AIDs: what is checked before one is written.

use super::{Credential, ID, Identity, identity, identity_key, only_the_rc};
use crate::contracts::Context;
use crate::genesis::Kind;
use crate::identity::{Aid, SuiteId};
use crate::limits::{SEALED_ID_BYTES_MAX, WU_ID_BYTES_MAX};
use crate::outcome::{Output, Refused};
use crate::record::{Registration, Status, WuRecord};

/// One AID of AIDC-1.
pub(super) fn register(
    context: &mut Context<'_, '_>,
    registration: &Registration,
) -> Result<Output, Refused> {
    only_the_rc(context)?;
    register_one(context, registration)?;
    Ok(Output::Written)
}

/// AIDs of several patients, each judged by itself: one bad entry must not tell by its absence
/// which others belong to it.
pub(super) fn register_batch(
    context: &mut Context<'_, '_>,
    registrations: &[Registration],
) -> Result<Output, Refused> {
    only_the_rc(context)?;
    let mut refused = Vec::new();
    for (at, registration) in (0_u32..).zip(registrations) {
        if let Err(reason) = register_one(context, registration) {
            refused.push((at, reason));
        }
    }
    Ok(Output::Recorded { refused })
}

fn register_one(context: &mut Context<'_, '_>, registration: &Registration) -> Result<(), Refused> {
    check(context, registration, 0)?;
    let record = registration.record.clone();
    put_new(context, &registration.record.aid, Credential::Aidc1(record));
    Ok(())
}

/// Everything that a record must fulfil before it is written; `epoch` is how many replacements
/// came before it.
pub(super) fn check(
    context: &mut Context<'_, '_>,
    registration: &Registration,
    epoch: u32,
) -> Result<(), Refused> {
    allowed(context, SuiteId::AIDC_1)?;
    let record = &registration.record;
    let is_new = record.status == Status::Active && record.epoch == epoch;
    if !is_new || record.c_id.as_bytes().len() > SEALED_ID_BYTES_MAX {
        return Err(Refused::BadRecord);
    }
    if record.aid != record.aid_of_keys() {
        return Err(Refused::AidMismatch);
    }
    never_registered(context, &record.aid)?;
    registration.check_possession(context.genesis.chain())
}

/// One AID of Wu-2021, on research ledgers.
pub(super) fn wu_register(
    context: &mut Context<'_, '_>,
    record: &WuRecord,
) -> Result<Output, Refused> {
    if context.genesis.kind() != Kind::Research {
        return Err(Refused::ResearchOnly);
    }
    only_the_rc(context)?;
    allowed(context, SuiteId::WU_2021)?;
    let id = record.id.as_bytes();
    if id.is_empty() || id.len() > WU_ID_BYTES_MAX {
        return Err(Refused::BadRecord);
    }
    never_registered(context, &record.aid)?;
    let credential = Credential::Wu2021 {
        record: record.clone(),
        status: Status::Active,
    };
    put_new(context, &record.aid, credential);
    Ok(Output::Written)
}

fn allowed(context: &Context<'_, '_>, suite: SuiteId) -> Result<(), Refused> {
    if context.genesis.suites().contains(&suite) {
        Ok(())
    } else {
        Err(Refused::SuiteNotAllowed(suite))
    }
}

/// Tombstones count: an AID is registered once and for ever.
pub(super) fn never_registered(context: &mut Context<'_, '_>, aid: &Aid) -> Result<(), Refused> {
    match identity(context.state, aid) {
        Some(_) => Err(Refused::AlreadyRegistered),
        None => Ok(()),
    }
}

/// Writes what is under a new AID.
pub(super) fn put_new(context: &mut Context<'_, '_>, aid: &Aid, credential: Credential) {
    let identity = Identity {
        credential,
        since: context.height,
        changed: context.height,
    };
    context.write(&ID, &identity_key(aid), &identity);
}
