//! Sign-ins that reached the ledger after their window: both hands signed, marked late.
//!
//! The window of recent blocks cannot say whether so old a session was seen, so each late one has
//! a key in the state. It may still be on the ledger as an ordinary result as well: readers take
//! the two for one, by session, server and AID ([`crate::recorded::Standing`]).

use serde::{Deserialize, Serialize};

use super::{ID, check_author, check_statement, claims, fresh_since, once};
use crate::contracts::{Context, State, read};
use crate::identity::{Aid, BlockTime, Height, ServerId, SessionId};
use crate::limits::LATE_PAST_MS;
use crate::outcome::Refused;
use crate::record::{AuthResult, ServerRecord};
use crate::state::{Snapshot, StateError, StateReader};
use crate::window::Session;

/// A late result on the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LateRecord {
    /// In which block.
    pub height: Height,
    /// That block's time.
    pub time: BlockTime,
}

/// The key of a late result. Server and AID are in it, or others who learn the number of a
/// session could use it up.
pub fn late_key(aid: &Aid, server: &ServerId, sid: &SessionId) -> Vec<u8> {
    [
        b"late/".as_slice(),
        sid.as_bytes(),
        server.as_bytes(),
        aid.as_bytes(),
    ]
    .concat()
}

/// One late sign-in. The server's record is the one of its epoch; the member key in it may have
/// been renewed since.
pub(super) fn record(
    context: &mut Context<'_, '_>,
    author: &ServerId,
    record: &mut Option<ServerRecord>,
    result: &AuthResult,
) -> Result<(), Refused> {
    check_author(context, author, &result.server_id, result.suite)?;
    if result.t3 >= fresh_since(context) {
        return Err(Refused::NotLate);
    }
    if result.t3 < context.time.minus_ms(LATE_PAST_MS) {
        return Err(Refused::TooLate);
    }
    check_statement(context, record, result, None)?;
    if is_recorded(context.state, result) {
        return Err(Refused::SessionSeen);
    }
    once(context, &Session::of(result))?;
    let late = LateRecord {
        height: context.height,
        time: context.time,
    };
    context.write(&ID, &key_of(result), &late);
    claims::settle(context, result);
    Ok(())
}

/// Whether this session is on the ledger as a late one.
pub(super) fn is_recorded(state: &mut dyn State, result: &AuthResult) -> bool {
    read::<LateRecord>(state, &ID, &key_of(result)).is_some()
}

fn key_of(result: &AuthResult) -> Vec<u8> {
    late_key(&result.aid, &result.server_id, &result.sid)
}

/// The late result of a session, if there is one.
pub fn late_at<R: StateReader>(
    snapshot: &Snapshot<R>,
    aid: &Aid,
    server: &ServerId,
    sid: &SessionId,
) -> Result<Option<LateRecord>, StateError> {
    snapshot.read(&ID, &late_key(aid, server, sid))
}
