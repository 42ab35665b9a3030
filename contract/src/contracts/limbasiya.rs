//! `limbasiya`: which servers and users are registered under Limbasiya-2020 (L-13).
//!
//! Names and places of servers, and UIDs: what the scheme gives away to everybody in any case. `SSK_j`, C and `K_rc` never
//! come here. A UID is registered once and for ever, since the scheme knows no end of one.

use serde::{Deserialize, Serialize};

use super::{Context, Contract, membership};
use crate::contract_id::{self, ContractId};
use crate::genesis::{Kind, Role};
use crate::identity::{Aid, Height, ServerId, SuiteId};
use crate::limits::LIMBASIYA_WORD_BYTES_MAX;
use crate::outcome::{Output, Refused};
use crate::record::{LegacyResult, LimbasiyaServer};
use crate::state::{Snapshot, StateError, StateReader};
use crate::transaction::{Author, Call};

/// The contract's name.
pub const ID: ContractId = contract_id::LIMBASIYA;

/// The rules for servers and users of Limbasiya-2020.
#[derive(Debug)]
pub struct Registrations;

/// A server that is registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerEntry {
    /// What the RC said of it.
    pub server: LimbasiyaServer,
    /// The block that registered it.
    pub since: Height,
}

/// The key of a server.
pub fn server_key(server: &ServerId) -> Vec<u8> {
    [b"server/", server.as_bytes().as_slice()].concat()
}

/// The key of a user.
pub fn user_key(uid: &Aid) -> Vec<u8> {
    [b"uid/", uid.as_bytes().as_slice()].concat()
}

impl Contract for Registrations {
    fn id() -> ContractId {
        ID
    }

    fn apply(context: &mut Context<'_, '_>, call: &Call) -> Result<Output, Refused> {
        if context.genesis.kind() != Kind::Research {
            return Err(Refused::ResearchOnly);
        }
        let Author::Member(author) = context.author else {
            return Err(Refused::NotPermitted);
        };
        if !membership::has_role(context.state, &author, Role::Rc) {
            return Err(Refused::NotPermitted);
        }
        if !context.genesis.suites().contains(&SuiteId::LIMBASIYA_2020) {
            return Err(Refused::SuiteNotAllowed(SuiteId::LIMBASIYA_2020));
        }
        if let Call::LimbasiyaServer(server) = call {
            register_server(context, server)
        } else if let Call::LimbasiyaUser(uid) = call {
            register_user(context, uid)
        } else {
            Err(Refused::NotPermitted)
        }
    }
}

/// A member, under its own name.
fn register_server(
    context: &mut Context<'_, '_>,
    server: &LimbasiyaServer,
) -> Result<Output, Refused> {
    if !is_word(&server.id) || !is_word(&server.place) {
        return Err(Refused::BadRecord);
    }
    let member = membership::member(context.state, &server.server_id);
    if member.ok_or(Refused::UnknownMember)?.member.name != server.id {
        return Err(Refused::BadRecord);
    }
    let key = server_key(&server.server_id);
    if context.read::<ServerEntry>(&ID, &key).is_some() {
        return Err(Refused::AlreadyRegistered);
    }
    let entry = ServerEntry {
        server: server.clone(),
        since: context.height,
    };
    context.write(&ID, &key, &entry);
    Ok(Output::Written)
}

fn register_user(context: &mut Context<'_, '_>, uid: &Aid) -> Result<Output, Refused> {
    let key = user_key(uid);
    if context.read::<Height>(&ID, &key).is_some() {
        return Err(Refused::AlreadyRegistered);
    }
    let since = context.height;
    context.write(&ID, &key, &since);
    Ok(Output::Written)
}

/// Whether server and user of a result are registered.
pub(super) fn check_result(
    context: &mut Context<'_, '_>,
    result: &LegacyResult,
) -> Result<(), Refused> {
    let server: Option<ServerEntry> = context.read(&ID, &server_key(&result.server_id));
    server.ok_or(Refused::NotTheServer)?;
    let user: Option<Height> = context.read(&ID, &user_key(&result.aid));
    user.ok_or(Refused::UnknownAid).map(|_since| ())
}

/// 1 to 32 bytes of printable ASCII without the separators of the list on the card (L-5).
fn is_word(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'.' | b';');
    (1..=LIMBASIYA_WORD_BYTES_MAX).contains(&text.len()) && text.bytes().all(plain)
}

/// The block that registered a UID.
pub fn user_at<R: StateReader>(
    snapshot: &Snapshot<R>,
    uid: &Aid,
) -> Result<Option<Height>, StateError> {
    snapshot.read(&ID, &user_key(uid))
}

/// A server's entry.
pub fn server_at<R: StateReader>(
    snapshot: &Snapshot<R>,
    server: &ServerId,
) -> Result<Option<ServerEntry>, StateError> {
    snapshot.read(&ID, &server_key(server))
}
