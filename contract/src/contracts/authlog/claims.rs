//! What one side says alone: a patient's claim, a server's report of a refusal.
//!
//! Neither is a sign-in, whoever reads it. A claim becomes a result only when the named server
//! submits the same session itself; a node that relays a claim never wraps it into a bundle of
//! its own. A claim takes one of [`CLAIMS_OPEN_MAX`] places of its AID until it is answered or
//! [`CLAIM_LIFE_MS`] have gone by, so that nobody fills the state with sessions that never were.

use serde::{Deserialize, Serialize};

use super::{ID, check_author, check_fresh, check_not_ahead, check_statement, check_suite, late};
use crate::contracts::{Context, identity};
use crate::identity::{Aid, BlockTime, Height, ServerId, SessionId};
use crate::limits::{CLAIM_LIFE_MS, CLAIMS_OPEN_MAX, LATE_PAST_MS};
use crate::outcome::{Output, Refused};
use crate::record::{AuthResult, ServerClaim};
use crate::state::{Snapshot, StateError, StateReader};
use crate::transaction::Author;
use crate::window::Session;

/// A patient's claim on the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimRecord {
    /// In which block.
    pub height: Height,
    /// That block's time.
    pub time: BlockTime,
    /// Whether the session was too old for the window when she claimed it.
    pub is_late: bool,
    /// The block in which the server submitted the same session: from then on it is a result.
    pub settled: Option<Height>,
}

/// The claims of one AID.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// How many there ever were.
    pub count: u64,
    /// Those that take a place.
    pub open: Vec<OpenClaim>,
}

/// A claim that takes one of its AID's places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenClaim {
    /// Where she says she signed in.
    pub server_id: ServerId,
    /// The session.
    pub sid: SessionId,
    /// The time of the claim's block.
    pub time: BlockTime,
}

impl OpenClaim {
    /// From which block time on its place is free, answered or not.
    pub const fn frees_at(&self) -> BlockTime {
        self.time.plus_ms(CLAIM_LIFE_MS)
    }
}

/// The key of one claim.
pub fn claim_key(aid: &Aid, server: &ServerId, sid: &SessionId) -> Vec<u8> {
    [
        b"claim/".as_slice(),
        aid.as_bytes(),
        server.as_bytes(),
        sid.as_bytes(),
    ]
    .concat()
}

/// The key of an AID's [`Claims`]; absent for none.
pub fn claims_key(aid: &Aid) -> Vec<u8> {
    [b"claims/", aid.as_bytes().as_slice()].concat()
}

/// A patient says that she signed in. Under her own key, with her own statement, for a server
/// and an epoch that exist; σ was checked before the vote.
pub(super) fn claim(context: &mut Context<'_, '_>, result: &AuthResult) -> Result<Output, Refused> {
    match context.author {
        Author::Patient(aid) if aid == result.aid && context.key == result.pk_sig => {}
        Author::Patient(_) => return Err(Refused::NotThePatient),
        Author::Member(_) => return Err(Refused::NotPermitted),
    }
    check_suite(context, result.suite)?;
    check_not_ahead(context, result.t3)?;
    if result.t3 < context.time.minus_ms(LATE_PAST_MS) {
        return Err(Refused::TooLate);
    }
    check_statement(context, &mut None, result, None)?;
    let session = Session::of(result);
    if context.window.has_session(&session) || late::is_recorded(context.state, result) {
        return Err(Refused::SessionSeen);
    }
    let key = claim_key(&result.aid, &result.server_id, &result.sid);
    if context.read::<ClaimRecord>(&ID, &key).is_some() {
        return Err(Refused::ClaimedBefore);
    }
    take_place(context, result)?;
    let record = ClaimRecord {
        height: context.height,
        time: context.time,
        is_late: result.t3 < super::fresh_since(context),
        settled: None,
    };
    context.write(&ID, &key, &record);
    context.window.note_claim(&session);
    Ok(Output::Written)
}

fn take_place(context: &mut Context<'_, '_>, result: &AuthResult) -> Result<(), Refused> {
    let key = claims_key(&result.aid);
    let mut claims: Claims = context.read(&ID, &key).unwrap_or_default();
    claims.open.retain(|one| context.time < one.frees_at());
    if claims.open.len() >= CLAIMS_OPEN_MAX {
        let first = claims.open.iter().map(OpenClaim::frees_at).min();
        let again_at = first.unwrap_or(context.time);
        return Err(Refused::TooManyClaims { again_at });
    }
    claims.count = claims.count.saturating_add(1);
    claims.open.push(OpenClaim {
        server_id: result.server_id,
        sid: result.sid,
        time: context.time,
    });
    context.write(&ID, &key, &claims);
    Ok(())
}

/// The server submitted this session: a claim of it, if there is one, is answered.
pub(super) fn settle(context: &mut Context<'_, '_>, result: &AuthResult) {
    let key = claim_key(&result.aid, &result.server_id, &result.sid);
    let Some(mut record) = context.read::<ClaimRecord>(&ID, &key) else {
        return;
    };
    record.settled = Some(context.height);
    context.write(&ID, &key, &record);
    let key = claims_key(&result.aid);
    let mut claims: Claims = context.read(&ID, &key).unwrap_or_default();
    claims
        .open
        .retain(|one| (one.server_id, one.sid) != (result.server_id, result.sid));
    context.write(&ID, &key, &claims);
}

/// One refusal that a server reports: its own, of now, of an AID that exists if it names one.
pub(super) fn check_report(
    context: &mut Context<'_, '_>,
    author: &ServerId,
    report: &ServerClaim,
) -> Result<(), Refused> {
    check_author(context, author, &report.server_id, report.suite)?;
    check_fresh(context, report.at)?;
    match &report.aid {
        Some(aid) if identity::identity(context.state, aid).is_none() => Err(Refused::UnknownAid),
        Some(_) | None => Ok(()),
    }
}

/// What became of a patient's claim.
pub fn claim_at<R: StateReader>(
    snapshot: &Snapshot<R>,
    aid: &Aid,
    server: &ServerId,
    sid: &SessionId,
) -> Result<Option<ClaimRecord>, StateError> {
    snapshot.read(&ID, &claim_key(aid, server, sid))
}

/// How many claims an AID made, and which take a place.
pub fn claims_at<R: StateReader>(snapshot: &Snapshot<R>, aid: &Aid) -> Result<Claims, StateError> {
    let claims = snapshot.read(&ID, &claims_key(aid))?;
    Ok(claims.unwrap_or_default())
}
