//! `servers`: the epoch keys that servers answer sign-ins with.
//!
//! A record never changes within its key epoch: its hash is in the prologue of
//! every handshake of that epoch. A server renews by publishing its next epoch with
//! a new key; windows may overlap, and the records of old epochs stay, so that what
//! was signed under them can be verified for ever.

use super::membership;
use super::{Context, Contract, State, read};
use crate::contract_id::{self, ContractId};
use crate::encoding;
use crate::genesis::Genesis;
use crate::identity::ServerId;
use crate::limits::{KEY_EPOCH_MS_MAX, SERVER_SUITES_MAX};
use crate::outcome::{Output, Refused};
use crate::record::ServerRecord;
use crate::signature;
use crate::state::{Snapshot, StateError, StateReader};
use crate::transaction::{Author, Call};

/// The contract's name.
pub const ID: ContractId = contract_id::SERVERS;

/// The rules for servers' records.
#[derive(Debug)]
pub struct Servers;

/// The key of a server's record of one key epoch.
pub fn record_key(server: &ServerId, key_epoch: u32) -> Vec<u8> {
    let epoch = key_epoch.to_be_bytes();
    [b"record/", server.as_bytes().as_slice(), &epoch].concat()
}

/// The key of the number of a server's newest key epoch.
pub fn newest_key(server: &ServerId) -> Vec<u8> {
    [b"newest/", server.as_bytes().as_slice()].concat()
}

impl Contract for Servers {
    fn id() -> ContractId {
        ID
    }

    fn apply(context: &mut Context<'_, '_>, call: &Call) -> Result<Output, Refused> {
        let Call::SetServer(record) = call else {
            return Err(Refused::NotPermitted);
        };
        if context.author != Author::Member(record.server_id) {
            return Err(Refused::NotTheServer);
        }
        let member =
            membership::member(context.state, &record.server_id).ok_or(Refused::UnknownAuthor)?;
        if member.member.key != record.node_key {
            return Err(Refused::WrongKey);
        }
        check_record(record, context.genesis)?;
        check_validity(context, record)?;
        if read_record(context.state, &record.server_id, record.key_epoch).is_some() {
            return Err(Refused::KeyEpochTaken);
        }
        let newest: Option<u32> = context.read(&ID, &newest_key(&record.server_id));
        if let Some(newest) = newest {
            check_renewal(context, record, newest)?;
        }
        put(context.state, record);
        Ok(Output::Written)
    }
}

fn check_record(record: &ServerRecord, genesis: &Genesis) -> Result<(), Refused> {
    if !signature::is_dh_key(&record.dh_epoch_key) {
        return Err(Refused::BadKey);
    }
    if record.not_after < record.not_before || record.suites.len() > SERVER_SUITES_MAX {
        return Err(Refused::BadRecord);
    }
    match record.suites.iter().find(|s| !genesis.suites().contains(s)) {
        Some(suite) => Err(Refused::SuiteNotAllowed(*suite)),
        None => Ok(()),
    }
}

/// The next epoch, with another key than the newest: the same key again would keep alive what the
/// end of its epoch is to end.
fn check_renewal(
    context: &mut Context<'_, '_>,
    record: &ServerRecord,
    newest: u32,
) -> Result<(), Refused> {
    if record.key_epoch <= newest {
        return Err(Refused::KeyEpochTaken);
    }
    let before = read_record(context.state, &record.server_id, newest);
    if before.is_some_and(|before| before.dh_epoch_key == record.dh_epoch_key) {
        return Err(Refused::KeyUsed);
    }
    Ok(())
}

/// No sign-in happened before its record was there, so no record reaches back; nor does one reach
/// so far ahead that a key is never renewed.
fn check_validity(context: &Context<'_, '_>, record: &ServerRecord) -> Result<(), Refused> {
    let since = context.time.minus_ms(context.parameters.result_past_ms);
    let lawful = record.not_before >= since
        && record.not_after >= context.time
        && record.not_after <= record.not_before.plus_ms(KEY_EPOCH_MS_MAX);
    if lawful {
        Ok(())
    } else {
        Err(Refused::BadValidity)
    }
}

fn put(state: &mut dyn State, record: &ServerRecord) {
    let key = record_key(&record.server_id, record.key_epoch);
    state.put(&ID, &key, encoding::encode(record));
    let newest = encoding::encode(&record.key_epoch);
    state.put(&ID, &newest_key(&record.server_id), newest);
}

/// Writes the records of the genesis.
pub(crate) fn found(state: &mut dyn State, genesis: &Genesis) {
    let mut records: Vec<&ServerRecord> = genesis.content().servers.iter().collect();
    records.sort_by_key(|record| (record.server_id, record.key_epoch));
    for record in records {
        put(state, record);
    }
}

/// A server's record of one key epoch, while a block is executed.
pub(crate) fn read_record(
    state: &mut dyn State,
    server: &ServerId,
    key_epoch: u32,
) -> Option<ServerRecord> {
    read(state, &ID, &record_key(server, key_epoch))
}

/// A server's record of one key epoch.
pub fn record_at<R: StateReader>(
    snapshot: &Snapshot<R>,
    server: &ServerId,
    key_epoch: u32,
) -> Result<Option<ServerRecord>, StateError> {
    snapshot.read(&ID, &record_key(server, key_epoch))
}

/// A server's newest record.
pub fn newest_record_at<R: StateReader>(
    snapshot: &Snapshot<R>,
    server: &ServerId,
) -> Result<Option<ServerRecord>, StateError> {
    let newest: Option<u32> = snapshot.read(&ID, &newest_key(server))?;
    match newest {
        Some(key_epoch) => record_at(snapshot, server, key_epoch),
        None => Ok(None),
    }
}
