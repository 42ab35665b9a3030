//! Whether a change is lawful, and the committee that it makes.

use std::collections::BTreeSet;

use super::members::{self, MemberRecord, faults};
use super::{MembershipChange, Renewal, possession_digest, renewal_digest};
use crate::contracts::{Context, registry};
use crate::genesis::{GenesisError, Member, Problem, check_members};
use crate::identity::{Height, ServerId};
use crate::limits::{CONTRACTS_MAX, MEMBERS_MAX, PARAMETER_CHANGES_MAX};
use crate::outcome::Refused;
use crate::signature;

/// Judges a change against the present committee; the committee that it makes.
pub(super) fn plan(
    context: &mut Context<'_, '_>,
    change: &MembershipChange,
) -> Result<Vec<MemberRecord>, Refused> {
    check_size(change)?;
    let committee = members::committee(context.state);
    check_named(change, &committee)?;
    check_newcomers(context, change)?;
    for renewal in &change.renew {
        let before = committee
            .iter()
            .find(|record| record.server_id == renewal.id);
        check_renewal(context, renewal, before)?;
    }
    let next = next_committee(change, &committee, context.height);
    check_committee(&next)?;
    let before = count(faults(committee.len()));
    let after = count(faults(next.len()));
    if after < before && !change.lower_faults {
        return Err(Refused::LowersFaults { before, after });
    }
    check_parameters(context, change)?;
    registry::check_change(context.state, &change.contracts)?;
    Ok(next)
}

/// Nothing longer than it can lawfully be, before anything is looked at.
fn check_size(change: &MembershipChange) -> Result<(), Refused> {
    if change.is_empty() {
        return Err(Refused::EmptyChange);
    }
    let people = [
        change.add.len(),
        change.remove.len(),
        change.replace.len(),
        change.renew.len(),
    ];
    if let Some(many) = people.into_iter().find(|length| *length > MEMBERS_MAX) {
        return Err(Refused::CommitteeSize(count(many)));
    }
    if change.parameters.len() > PARAMETER_CHANGES_MAX {
        return Err(Refused::FixedParameter);
    }
    if change.contracts.len() > CONTRACTS_MAX {
        return Err(Refused::ContractUnchangeable);
    }
    Ok(())
}

/// Everybody named is in the committee, and named once.
fn check_named(change: &MembershipChange, committee: &[MemberRecord]) -> Result<(), Refused> {
    let leavers = change.replace.iter().map(|one| &one.leaver);
    let renewed = change.renew.iter().map(|one| &one.id);
    let mut named = BTreeSet::new();
    for id in change.remove.iter().chain(leavers).chain(renewed) {
        let is_member = committee.iter().any(|record| record.server_id == *id);
        if !is_member || !named.insert(id) {
            return Err(Refused::UnknownMember);
        }
    }
    Ok(())
}

/// Newcomers hold their keys, and nobody ever held them before.
fn check_newcomers(
    context: &mut Context<'_, '_>,
    change: &MembershipChange,
) -> Result<(), Refused> {
    for candidate in change.candidates() {
        let member = &candidate.member;
        if members::is_used(context.state, &member.key) {
            return Err(Refused::KeyUsed);
        }
        let digest = possession_digest(context.genesis.chain(), member);
        if !signature::is_valid(&member.key, &digest, &candidate.possession) {
            return Err(Refused::NoProofOfMemberKey);
        }
    }
    Ok(())
}

/// Both keys signed the renewal; a new key is nobody's.
fn check_renewal(
    context: &mut Context<'_, '_>,
    renewal: &Renewal,
    before: Option<&MemberRecord>,
) -> Result<(), Refused> {
    let before = &before.ok_or(Refused::UnknownMember)?.member;
    let to = &renewal.to;
    if to == before {
        return Err(Refused::EmptyChange);
    }
    if to.name != before.name || to.role != before.role {
        return Err(Refused::BadRecord);
    }
    if to.key != before.key && members::is_used(context.state, &to.key) {
        return Err(Refused::KeyUsed);
    }
    let digest = renewal_digest(context.genesis.chain(), &renewal.id, to);
    let is_signed = signature::is_valid(&before.key, &digest, &renewal.by_old)
        && signature::is_valid(&to.key, &digest, &renewal.by_new);
    if !is_signed {
        return Err(Refused::NoProofOfMemberKey);
    }
    Ok(())
}

/// The rules of a genesis hold for every committee.
fn check_committee(next: &[MemberRecord]) -> Result<(), Refused> {
    let all: Vec<Member> = next.iter().map(|record| record.member.clone()).collect();
    let Err(GenesisError::Value { problem, .. }) = check_members(&all) else {
        return Ok(());
    };
    Err(match problem {
        Problem::Range { found, .. } => {
            Refused::CommitteeSize(u16::try_from(found).unwrap_or(u16::MAX))
        }
        Problem::Repeated => Refused::NotDistinct,
        Problem::Key => Refused::BadKey,
        Problem::RegistrationCentres(found) => Refused::RegistrationCentres(count(found)),
        Problem::Text(_)
        | Problem::Unsupported(_)
        | Problem::Suite(_)
        | Problem::Contract(_)
        | Problem::MissingContract(_)
        | Problem::Aid
        | Problem::NotAMember
        | Problem::Validity => Refused::BadRecord,
    })
}

/// Every parameter is known, may change, and fits the others afterwards.
fn check_parameters(context: &Context<'_, '_>, change: &MembershipChange) -> Result<(), Refused> {
    let mut parameters = context.parameters.clone();
    let mut named = BTreeSet::new();
    for changed in &change.parameters {
        if !named.insert(&changed.name) || !parameters.set(&changed.name, changed.value) {
            return Err(Refused::FixedParameter);
        }
    }
    if parameters.may_follow(context.parameters) {
        Ok(())
    } else {
        Err(Refused::ParameterOutOfRange)
    }
}

/// The committee that a change makes, with the epoch that begins with block `first`.
pub(super) fn next_committee(
    change: &MembershipChange,
    before: &[MemberRecord],
    first: Height,
) -> Vec<MemberRecord> {
    let newcomer = |member: &Member| MemberRecord::new(member.clone(), first);
    let stays = |record: &MemberRecord| {
        let id: &ServerId = &record.server_id;
        if change.remove.contains(id) {
            return None;
        }
        if let Some(one) = change.replace.iter().find(|one| one.leaver == *id) {
            return Some(newcomer(&one.candidate.member));
        }
        let mut record = record.clone();
        if let Some(one) = change.renew.iter().find(|one| one.id == *id) {
            record.member = one.to.clone();
        }
        Some(record)
    };
    let added = change.add.iter().map(|one| newcomer(&one.member));
    before.iter().filter_map(stays).chain(added).collect()
}

/// A number of members, for an outcome.
fn count(members: usize) -> u16 {
    u16::try_from(members).unwrap_or(u16::MAX)
}
