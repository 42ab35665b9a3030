//! `authlog`: sign-in results, each session once.
//!
//! Results are appended, not state: they stay in their block's transactions tree
//! and are proved from there. A bundle is judged entry by entry, so that one bad
//! result does not cost the others their place.

use super::{Context, Contract, identity, servers};
use crate::contract_id::{self, ContractId};
use crate::genesis::Kind;
use crate::identity::{Aid, BlockTime, ServerId, SuiteId};
use crate::outcome::{Output, Refused};
use crate::record::{AuthResult, LegacyResult, ServerRecord, Status};
use crate::transaction::{Author, Call};

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
        let Author::Member(author) = context.author else {
            return Err(Refused::NotPermitted);
        };
        let mut refused = Vec::new();
        let mut note = |at: usize, verdict: Result<(), Refused>| {
            if let Err(reason) = verdict {
                refused.push((u32::try_from(at).unwrap_or(u32::MAX), reason));
            }
        };
        match call {
            Call::Results(results) => {
                let mut record = None;
                for (at, result) in results.iter().enumerate() {
                    note(at, record_result(context, &author, &mut record, result));
                }
            }
            Call::LegacyResults(results) => {
                if context.genesis.kind() != Kind::Research {
                    return Err(Refused::ResearchOnly);
                }
                for (at, result) in results.iter().enumerate() {
                    note(at, record_legacy(context, &author, result));
                }
            }
            Call::Register(_)
            | Call::Revoke(_)
            | Call::Shred(_)
            | Call::WuRegister(_)
            | Call::SetServer(_) => return Err(Refused::NotPermitted),
        }
        Ok(Output::Recorded { refused })
    }
}

/// One sign-in with the patient's statement (PROTOCOL.md §4.5); its σ was checked
/// before the vote, under the key that is compared with the AID's here.
fn record_result(
    context: &mut Context<'_, '_>,
    author: &ServerId,
    record: &mut Option<ServerRecord>,
    result: &AuthResult,
) -> Result<(), Refused> {
    check_common(context, author, &result.server_id, result.suite, result.t3)?;
    if result.suite.is_research() {
        return Err(Refused::SuiteNotAllowed(result.suite));
    }
    if record.as_ref().map(|known| known.key_epoch) != Some(result.key_epoch) {
        *record = servers::read_record(context.state, author, result.key_epoch);
    }
    let server = record.as_ref().ok_or(Refused::UnknownKeyEpoch)?;
    if !server.covers(result.t3) || server.node_key != context.key {
        return Err(Refused::OutsideKeyEpoch);
    }
    if !server.suites.contains(&result.suite) {
        return Err(Refused::SuiteNotAllowed(result.suite));
    }
    match active(context, &result.aid, result.suite)?.credential {
        identity::Credential::Aidc1(patient) if patient.pk_sig == result.pk_sig => {}
        identity::Credential::Aidc1(_) | identity::Credential::Wu2021 { .. } => {
            return Err(Refused::NotThePatient);
        }
    }
    once(context, &result.sid)
}

/// One sign-in on the server's word alone.
fn record_legacy(
    context: &mut Context<'_, '_>,
    author: &ServerId,
    result: &LegacyResult,
) -> Result<(), Refused> {
    check_common(context, author, &result.server_id, result.suite, result.t3)?;
    if !result.suite.is_research() {
        return Err(Refused::SuiteNotAllowed(result.suite));
    }
    active(context, &result.aid, result.suite)?;
    once(context, &result.sid)
}

/// What both forms must fulfil: the author's own server, an allowed suite, a fresh T3.
fn check_common(
    context: &Context<'_, '_>,
    author: &ServerId,
    server: &ServerId,
    suite: SuiteId,
    t3: BlockTime,
) -> Result<(), Refused> {
    if author != server {
        return Err(Refused::NotTheServer);
    }
    if !context.genesis.suites().contains(&suite) {
        return Err(Refused::SuiteNotAllowed(suite));
    }
    let limits = context.genesis.parameters();
    if t3 < context.time.minus_ms(limits.result_past_ms) {
        return Err(Refused::TooLate);
    }
    if t3 > context.time.plus_ms(limits.result_future_ms) {
        return Err(Refused::InTheFuture);
    }
    Ok(())
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

fn once(context: &mut Context<'_, '_>, sid: &crate::identity::SessionId) -> Result<(), Refused> {
    if context.window.note_session(sid) {
        Ok(())
    } else {
        Err(Refused::SessionSeen)
    }
}
