//! `identity`: who may sign in. The papers' smart contract.
//!
//! An AID is registered once and for ever: a revoked, replaced or shredded one stays as a
//! tombstone, and no call changes its keys or its commitment to the ID. What happened to it
//! can be proved to be all that happened.

mod events;
mod recovery;
mod register;
mod replace;

use serde::{Deserialize, Serialize};

pub use events::{
    Event, How, Origin, What, event_key, events_at, events_key, origin_at, origin_key,
};
pub use recovery::{PendingRecovery, RecoveryApproval, recovery_at, recovery_key};

use super::membership;
use super::{Context, Contract, State, read};
use crate::contract_id::{self, ContractId};
use crate::encoding;
use crate::genesis::{Genesis, Role};
use crate::hash;
use crate::identity::{Aid, Height, PublicKey, ServerId, SuiteId};
use crate::outcome::{Output, Refused};
use crate::record::{PatientRecord, Status, WuParameters, WuRecord};
use crate::state::{Snapshot, StateError, StateReader};
use crate::transaction::{Author, Call};

/// The contract's name.
pub const ID: ContractId = contract_id::IDENTITY;
/// Key of the parameters that Wu-2021 publishes (W-11).
pub const WU_PARAMETERS: &[u8] = b"wu-2021/parameters";

/// The rules for patients' records.
#[derive(Debug)]
pub struct Identities;

/// What is under an AID.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The record of its suite.
    pub credential: Credential,
    /// The block that registered it.
    pub since: Height,
    /// The block that last changed its status.
    pub changed: Height,
}

/// A patient's record, by suite.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Credential {
    /// AIDC-1.
    Aidc1(PatientRecord),
    /// Wu-2021: being in this map is being on its registerable list (W-17).
    Wu2021 {
        /// (ID, AID) in clear.
        record: WuRecord,
        /// Whether it may sign in.
        status: Status,
    },
}

impl Identity {
    /// Whether it may sign in.
    pub const fn status(&self) -> Status {
        match &self.credential {
            Credential::Aidc1(record) => record.status,
            Credential::Wu2021 { status, .. } => *status,
        }
    }

    /// The suite it was registered under.
    pub const fn suite(&self) -> SuiteId {
        match &self.credential {
            Credential::Aidc1(_) => SuiteId::AIDC_1,
            Credential::Wu2021 { .. } => SuiteId::WU_2021,
        }
    }

    /// Whether this key may act in the patient's name.
    pub(crate) fn is_held_by(&self, key: &PublicKey) -> bool {
        match &self.credential {
            Credential::Aidc1(record) => record.pk_sig == *key || record.pk_recovery == *key,
            Credential::Wu2021 { .. } => false,
        }
    }

    const fn set_status(&mut self, new: Status) {
        match &mut self.credential {
            Credential::Aidc1(record) => record.status = new,
            Credential::Wu2021 { status, .. } => *status = new,
        }
    }
}

/// The key of what is under an AID.
pub fn identity_key(aid: &Aid) -> Vec<u8> {
    [b"aid/", aid.as_bytes().as_slice()].concat()
}

impl Contract for Identities {
    fn id() -> ContractId {
        ID
    }

    fn apply(context: &mut Context<'_, '_>, call: &Call) -> Result<Output, Refused> {
        match call {
            Call::Register(registration) => register::register(context, registration),
            Call::RegisterBatch(registrations) => register::register_batch(context, registrations),
            Call::WuRegister(record) => register::wu_register(context, record),
            Call::Revoke(aid) => revoke(context, aid),
            Call::Shred(aid) => shred(context, aid),
            Call::Replace(replacement) => replace::replace(context, replacement),
            Call::Recovery(step) => recovery::apply(context, step),
            Call::Results(_)
            | Call::LegacyResults(_)
            | Call::SetServer(_)
            | Call::ProposeChange(_)
            | Call::ApproveChange(_)
            | Call::CancelChange(_)
            | Call::Ready { .. }
            | Call::Rejoin { .. }
            | Call::Evidence(_)
            | Call::Claim(_)
            | Call::LateResults(_)
            | Call::ServerClaims(_)
            | Call::Disclosure(_)
            | Call::LimbasiyaServer(_)
            | Call::LimbasiyaUser(_) => Err(Refused::NotPermitted),
        }
    }
}

/// By the RC, or by the patient's own or recovery key.
fn revoke(context: &mut Context<'_, '_>, aid: &Aid) -> Result<Output, Refused> {
    match context.author {
        Author::Member(_) => only_the_rc(context).map(|_rc| ())?,
        Author::Patient(author) if author == *aid => {}
        Author::Patient(_) => return Err(Refused::NotPermitted),
    }
    let mut identity = identity(context.state, aid).ok_or(Refused::UnknownAid)?;
    if identity.status() != Status::Active {
        return Err(Refused::NotActive);
    }
    set_status(context, aid, &mut identity, Status::Revoked);
    events::note(context, aid, What::Revoked);
    Ok(Output::Written)
}

/// An AID that ended in whatever way can be shredded, once.
fn shred(context: &mut Context<'_, '_>, aid: &Aid) -> Result<Output, Refused> {
    only_the_rc(context)?;
    let mut identity = identity(context.state, aid).ok_or(Refused::UnknownAid)?;
    if identity.status() == Status::Shredded {
        return Err(Refused::NotActive);
    }
    recovery::close(context, aid);
    set_status(context, aid, &mut identity, Status::Shredded);
    events::note(context, aid, What::Shredded);
    Ok(Output::Written)
}

/// The RC's id, if it is the author.
fn only_the_rc(context: &mut Context<'_, '_>) -> Result<ServerId, Refused> {
    match context.author {
        Author::Member(id) if membership::has_role(context.state, &id, Role::Rc) => Ok(id),
        Author::Member(_) | Author::Patient(_) => Err(Refused::NotPermitted),
    }
}

fn set_status(context: &mut Context<'_, '_>, aid: &Aid, identity: &mut Identity, status: Status) {
    identity.set_status(status);
    identity.changed = context.height;
    context.write(&ID, &identity_key(aid), identity);
}

/// Writes the patients of the genesis, and on a research ledger Wu-2021's parameters.
pub(crate) fn found(state: &mut dyn State, genesis: &Genesis) {
    let height = Height::new(0);
    for record in &genesis.content().patients {
        let identity = Identity {
            credential: Credential::Aidc1(record.clone()),
            since: height,
            changed: height,
        };
        state.put(&ID, &identity_key(&record.aid), encoding::encode(&identity));
    }
    if genesis.suites().contains(&SuiteId::WU_2021) {
        let parameters = encoding::encode(&WuParameters::published());
        state.put(&ID, WU_PARAMETERS, parameters);
    }
}

/// What is under an AID, while a block is executed.
pub(crate) fn identity(state: &mut dyn State, aid: &Aid) -> Option<Identity> {
    read(state, &ID, &identity_key(aid))
}

/// What is under an AID.
pub fn identity_at<R: StateReader>(
    snapshot: &Snapshot<R>,
    aid: &Aid,
) -> Result<Option<Identity>, StateError> {
    snapshot.read(&ID, &identity_key(aid))
}

/// `id_commit` as the RC computes it (PROTOCOL.md §4.2; the length is big-endian).
pub fn id_commitment(aid: &Aid, salt: &[u8; 32], id: &[u8]) -> crate::identity::IdCommitment {
    let length = u16::try_from(id.len()).unwrap_or(u16::MAX).to_be_bytes();
    crate::identity::IdCommitment::new(hash::plain(&[
        b"aidc1/id",
        aid.as_bytes(),
        salt,
        &length,
        id,
    ]))
}
