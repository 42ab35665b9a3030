//! One AID in another's place, with a key of the patient's: at once.

use super::events::{self, How, What};
use super::{Credential, Identity, identity, only_the_rc, recovery, register, set_status};
use crate::contracts::Context;
use crate::identity::Aid;
use crate::outcome::{Output, Refused};
use crate::record::{Consent, PatientRecord, Replacement, Status, replace_digest};
use crate::signature;

/// The RC sends it, so it has re-proofed the person; the old signing key or the recovery key
/// agreed. A revoked AID's signing key agrees to nothing any more: a thief may hold it.
pub(super) fn replace(
    context: &mut Context<'_, '_>,
    replacement: &Replacement,
) -> Result<Output, Refused> {
    only_the_rc(context)?;
    let (identity, record) = replaceable(context, &replacement.old)?;
    let new = &replacement.registration;
    check_new(context, &record, new)?;
    let chain = context.genesis.chain();
    let digest = replace_digest(chain, &replacement.old, &new.record.aid);
    let (key, signature, how) = match &replacement.consent {
        Consent::SigningKey(_) if identity.status() != Status::Active => {
            return Err(Refused::NotActive);
        }
        Consent::SigningKey(signature) => (&record.pk_sig, signature, How::SigningKey),
        Consent::RecoveryKey(signature) => (&record.pk_recovery, signature, How::RecoveryKey),
    };
    if !signature::is_valid(key, &digest, signature) {
        return Err(Refused::NoConsent);
    }
    recovery::close(context, &replacement.old);
    succeed(context, identity, &new.record, how);
    Ok(Output::Written)
}

/// An AID that another may still take the place of: active or revoked, of AIDC-1.
pub(super) fn replaceable(
    context: &mut Context<'_, '_>,
    aid: &Aid,
) -> Result<(Identity, PatientRecord), Refused> {
    let identity = identity(context.state, aid).ok_or(Refused::UnknownAid)?;
    let Credential::Aidc1(record) = &identity.credential else {
        return Err(Refused::SuiteNotAllowed(identity.suite()));
    };
    if !matches!(record.status, Status::Active | Status::Revoked) {
        return Err(Refused::NotActive);
    }
    let record = record.clone();
    Ok((identity, record))
}

/// The record that is to take the place of `old`: a registration like any other, one epoch on,
/// with none of the old keys.
pub(super) fn check_new(
    context: &mut Context<'_, '_>,
    old: &PatientRecord,
    new: &crate::record::Registration,
) -> Result<(), Refused> {
    register::check(context, new, old.epoch.saturating_add(1))?;
    let record = &new.record;
    let is_reused = record.pk_dh == old.pk_dh
        || record.pk_sig == old.pk_sig
        || record.pk_recovery == old.pk_recovery;
    if is_reused {
        return Err(Refused::KeyUsed);
    }
    Ok(())
}

/// The old AID ends, the new one begins, and both say so.
pub(super) fn succeed(
    context: &mut Context<'_, '_>,
    mut old: Identity,
    new: &PatientRecord,
    how: How,
) {
    let Credential::Aidc1(record) = &old.credential else {
        return;
    };
    let ended = record.aid;
    set_status(context, &ended, &mut old, Status::Replaced);
    register::put_new(context, &new.aid, Credential::Aidc1(new.clone()));
    events::note_origin(context, &new.aid, ended, how.clone());
    events::note(context, &ended, What::Replaced { new: new.aid, how });
}
