//! `identity`: who may sign in. The papers' smart contract.
//!
//! An AID is registered once and for ever: a revoked or shredded one stays as a
//! tombstone, and no call changes its keys or its commitment to the ID.

use serde::{Deserialize, Serialize};

use super::membership;
use super::{Context, Contract, State, read};
use crate::contract_id::{self, ContractId};
use crate::encoding;
use crate::genesis::{Genesis, Kind, Role};
use crate::hash;
use crate::identity::{Aid, Height, PublicKey, SuiteId};
use crate::limits::{SEALED_ID_BYTES_MAX, WU_ID_BYTES_MAX};
use crate::outcome::{Output, Refused};
use crate::record::{PatientRecord, Status, WuParameters, WuRecord};
use crate::signature;
use crate::state::{Snapshot, StateError, StateReader};
use crate::transaction::{Author, Call, Registration};

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
            Call::Register(registration) => register(context, registration),
            Call::WuRegister(record) => wu_register(context, record),
            Call::Revoke(aid) => revoke(context, aid),
            Call::Shred(aid) => shred(context, aid),
            Call::Results(_) | Call::LegacyResults(_) | Call::SetServer(_) => {
                Err(Refused::NotPermitted)
            }
        }
    }
}

fn register(context: &mut Context<'_, '_>, registration: &Registration) -> Result<Output, Refused> {
    only_the_rc(context)?;
    allowed(context, SuiteId::AIDC_1)?;
    let record = &registration.record;
    let is_new = record.status == Status::Active && record.epoch == 0;
    if !is_new || record.c_id.as_bytes().len() > SEALED_ID_BYTES_MAX {
        return Err(Refused::BadRecord);
    }
    if record.aid != record.aid_of_keys() {
        return Err(Refused::AidMismatch);
    }
    never_registered(context, &record.aid)?;
    let admissible = signature::is_dh_key(&record.pk_dh)
        && signature::is_admissible(&record.pk_sig)
        && signature::is_admissible(&record.pk_recovery);
    if !admissible {
        return Err(Refused::BadKey);
    }
    let digest = record.possession_digest(context.genesis.chain());
    if !signature::is_valid_bip340(&record.pk_dh, &digest, &registration.proof_dh) {
        return Err(Refused::NoProofOfDhKey);
    }
    if !signature::is_valid(&record.pk_sig, &digest, &registration.proof_sig) {
        return Err(Refused::NoProofOfSigningKey);
    }
    put_new(context, &record.aid, Credential::Aidc1(record.clone()));
    Ok(Output::Written)
}

fn wu_register(context: &mut Context<'_, '_>, record: &WuRecord) -> Result<Output, Refused> {
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

/// By the RC, or by the patient's own or recovery key.
fn revoke(context: &mut Context<'_, '_>, aid: &Aid) -> Result<Output, Refused> {
    match context.author {
        Author::Member(_) => only_the_rc(context)?,
        Author::Patient(author) if author == *aid => {}
        Author::Patient(_) => return Err(Refused::NotPermitted),
    }
    let mut identity = identity(context.state, aid).ok_or(Refused::UnknownAid)?;
    if identity.status() != Status::Active {
        return Err(Refused::NotActive);
    }
    set_status(context, aid, &mut identity, Status::Revoked);
    Ok(Output::Written)
}

fn shred(context: &mut Context<'_, '_>, aid: &Aid) -> Result<Output, Refused> {
    only_the_rc(context)?;
    let mut identity = identity(context.state, aid).ok_or(Refused::UnknownAid)?;
    if identity.status() == Status::Shredded {
        return Err(Refused::NotActive);
    }
    set_status(context, aid, &mut identity, Status::Shredded);
    Ok(Output::Written)
}

fn only_the_rc(context: &mut Context<'_, '_>) -> Result<(), Refused> {
    match context.author {
        Author::Member(id) if membership::has_role(context.state, &id, Role::Rc) => Ok(()),
        Author::Member(_) | Author::Patient(_) => Err(Refused::NotPermitted),
    }
}

fn allowed(context: &Context<'_, '_>, suite: SuiteId) -> Result<(), Refused> {
    if context.genesis.suites().contains(&suite) {
        Ok(())
    } else {
        Err(Refused::SuiteNotAllowed(suite))
    }
}

fn never_registered(context: &mut Context<'_, '_>, aid: &Aid) -> Result<(), Refused> {
    match identity(context.state, aid) {
        Some(_) => Err(Refused::AlreadyRegistered),
        None => Ok(()),
    }
}

fn put_new(context: &mut Context<'_, '_>, aid: &Aid, credential: Credential) {
    let identity = Identity {
        credential,
        since: context.height,
        changed: context.height,
    };
    context.write(&ID, &identity_key(aid), &identity);
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
