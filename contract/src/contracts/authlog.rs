//! `authlog`: sign-in results, each session once, and claims, which are none.
//!
//! Results are appended, not state: they stay in their block's transactions tree
//! and are proved from there. A bundle is judged entry by entry, so that one bad
//! result does not cost the others their place. What one side says alone is a
//! claim; what comes too late for the window is marked so.

mod claims;
mod late;

pub use claims::{ClaimRecord, Claims, OpenClaim, claim_at, claim_key, claims_at, claims_key};
pub use late::{LateRecord, late_at, late_key};

use super::{Context, Contract, identity, limbasiya, servers};
use crate::contract_id::{self, ContractId};
use crate::genesis::Kind;
use crate::identity::{Aid, BlockTime, PublicKey, ServerId, SuiteId};
use crate::outcome::{Output, Refused};
use crate::record::{AuthResult, LegacyResult, ServerRecord, Status};
use crate::transaction::{Author, Call};
use crate::window::Session;

/// The contract's name.
pub const ID: ContractId = contract_id::AUTHLOG;

/// The rules for sign-in results.
#[derive(Debug)]
pub struct Authlog;

impl Contract for Authlog {
    fn id() -> ContractId {
        ID
    }

    fn apply(context: &mut Context<'_, '_>, call: &Call) -> Result<Output, Refused> {
        let refused = match call {
            Call::Results(results) => {
                let mut record = None;
                each(context, results, |context, author, result| {
                    record_result(context, author, &mut record, result)
                })?
            }
            Call::LateResults(results) => {
                let mut record = None;
                each(context, results, |context, author, result| {
                    late::record(context, author, &mut record, result)
                })?
            }
            Call::LegacyResults(results) => {
                if context.genesis.kind() != Kind::Research {
                    return Err(Refused::ResearchOnly);
                }
                each(context, results, record_legacy)?
            }
            Call::ServerClaims(reports) => each(context, reports, claims::check_report)?,
            Call::Claim(result) => return claims::claim(context, result),
            Call::Register(_)
            | Call::Revoke(_)
            | Call::Shred(_)
            | Call::WuRegister(_)
            | Call::LimbasiyaServer(_)
            | Call::LimbasiyaUser(_)
            | Call::SetServer(_)
            | Call::ProposeChange(_)
            | Call::ApproveChange(_)
            | Call::CancelChange(_)
            | Call::Ready { .. }
            | Call::Rejoin { .. }
            | Call::Evidence(_)
            | Call::RegisterBatch(_)
            | Call::Replace(_)
            | Call::Recovery(_)
            | Call::Disclosure(_) => return Err(Refused::NotPermitted),
        };
        Ok(Output::Recorded { refused })
    }
}

/// Judges a member's entries one by one: which are refused, and why.
fn each<T>(
    context: &mut Context<'_, '_>,
    entries: &[T],
    mut judge: impl FnMut(&mut Context<'_, '_>, &ServerId, &T) -> Result<(), Refused>,
) -> Result<Vec<(u32, Refused)>, Refused> {
    let Author::Member(author) = context.author else {
        return Err(Refused::NotPermitted);
    };
    let mut refused = Vec::new();
    for (at, entry) in (0_u32..).zip(entries) {
        if let Err(reason) = judge(context, &author, entry) {
            refused.push((at, reason));
        }
    }
    Ok(refused)
}

/// One sign-in with the patient's statement (PROTOCOL.md §4.5); its σ was checked
/// before the vote, under the key that is compared with the AID's here.
fn record_result(
    context: &mut Context<'_, '_>,
    author: &ServerId,
    record: &mut Option<ServerRecord>,
    result: &AuthResult,
) -> Result<(), Refused> {
    check_author(context, author, &result.server_id, result.suite)?;
    check_fresh(context, result.t3)?;
    let signer = context.key;
    check_statement(context, record, result, Some(&signer))?;
    once(context, &Session::of(result))?;
    // A claim writes to the state, a result does not, unless it answers a claim.
    if context.window.is_claimed(&Session::of(result)) {
        claims::settle(context, result);
    }
    Ok(())
}

/// One sign-in on the server's word alone.
fn record_legacy(
    context: &mut Context<'_, '_>,
    author: &ServerId,
    result: &LegacyResult,
) -> Result<(), Refused> {
    check_author(context, author, &result.server_id, result.suite)?;
    check_fresh(context, result.t3)?;
    match result.suite {
        SuiteId::WU_2021 => active(context, &result.aid, result.suite).map(|_record| ())?,
        SuiteId::LIMBASIYA_2020 => limbasiya::check_result(context, result)?,
        other => return Err(Refused::SuiteNotAllowed(other)),
    }
    once(context, &Session::of_legacy(result))
}

/// What every entry of a server must fulfil: its own name, an allowed suite.
fn check_author(
    context: &Context<'_, '_>,
    author: &ServerId,
    server: &ServerId,
    suite: SuiteId,
) -> Result<(), Refused> {
    if author != server {
        return Err(Refused::NotTheServer);
    }
    check_suite(context, suite)
}

fn check_suite(context: &Context<'_, '_>, suite: SuiteId) -> Result<(), Refused> {
    if context.genesis.suites().contains(&suite) {
        Ok(())
    } else {
        Err(Refused::SuiteNotAllowed(suite))
    }
}

/// Whether a time is within the window around the block's.
fn check_fresh(context: &Context<'_, '_>, time: BlockTime) -> Result<(), Refused> {
    if time < fresh_since(context) {
        return Err(Refused::TooLate);
    }
    check_not_ahead(context, time)
}

/// The oldest T3 that is not late.
const fn fresh_since(context: &Context<'_, '_>) -> BlockTime {
    context.time.minus_ms(context.parameters.result_past_ms)
}

fn check_not_ahead(context: &Context<'_, '_>, time: BlockTime) -> Result<(), Refused> {
    if time > context.time.plus_ms(context.parameters.result_future_ms) {
        return Err(Refused::InTheFuture);
    }
    Ok(())
}

/// What σ rests on: the server's record of that epoch, valid at T3, and the active AID's key.
/// `record` is the server's record that was read last; `signer` must be the record's member key,
/// where the server itself submits within the window.
fn check_statement(
    context: &mut Context<'_, '_>,
    record: &mut Option<ServerRecord>,
    result: &AuthResult,
    signer: Option<&PublicKey>,
) -> Result<(), Refused> {
    if result.suite.is_research() {
        return Err(Refused::SuiteNotAllowed(result.suite));
    }
    if record.as_ref().map(|known| known.key_epoch) != Some(result.key_epoch) {
        *record = servers::read_record(context.state, &result.server_id, result.key_epoch);
    }
    let server = record.as_ref().ok_or(Refused::UnknownKeyEpoch)?;
    let is_signer = signer.is_none_or(|key| *key == server.node_key);
    if !server.covers(result.t3) || !is_signer {
        return Err(Refused::OutsideKeyEpoch);
    }
    if !server.suites.contains(&result.suite) {
        return Err(Refused::SuiteNotAllowed(result.suite));
    }
    match active(context, &result.aid, result.suite)?.credential {
        identity::Credential::Aidc1(patient) if patient.pk_sig == result.pk_sig => Ok(()),
        identity::Credential::Aidc1(_) | identity::Credential::Wu2021 { .. } => {
            Err(Refused::NotThePatient)
        }
    }
}

/// The AID's record, if it may sign in under this suite.
fn active(
    context: &mut Context<'_, '_>,
    aid: &Aid,
    suite: SuiteId,
) -> Result<identity::Identity, Refused> {
    let found = identity::identity(context.state, aid).ok_or(Refused::UnknownAid)?;
    if found.suite() != suite {
        return Err(Refused::UnknownAid);
    }
    if found.status() != Status::Active {
        return Err(Refused::NotActive);
    }
    Ok(found)
}

fn once(context: &mut Context<'_, '_>, session: &Session) -> Result<(), Refused> {
    if context.window.note_session(session) {
        Ok(())
    } else {
        Err(Refused::SessionSeen)
    }
}
