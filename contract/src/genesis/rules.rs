//! What a genesis must fulfil beyond its form.

use std::collections::BTreeSet;

use super::{
    Activation, Content, GENESIS_SCHEMA, GENESIS_VERSION, GenesisError, Kind, Member, Problem, Role,
};
use crate::contract_id::{BUILT_IN, ContractId, LIMBASIYA, REQUIRED};
use crate::identity::{Height, PublicKey};
use crate::limits::{
    ADDRESS_LENGTH_MAX, MEMBERS_MAX, NAME_LENGTH_MAX, SEALED_ID_BYTES_MAX, SERVER_SUITES_MAX,
};
use crate::record::{PatientRecord, ServerRecord};
use crate::signature;

/// The version of every built-in contract.
const CONTRACT_VERSION: u16 = 1;

/// Every built-in contract that a ledger of this kind has a use for, active from block 0.
pub(super) fn built_in_contracts(kind: Kind) -> Vec<Activation> {
    BUILT_IN
        .iter()
        .filter(|id| kind == Kind::Research || **id != LIMBASIYA)
        .map(|id| Activation {
            id: id.clone(),
            version: CONTRACT_VERSION,
            activation: Height::new(0),
        })
        .collect()
}

/// Refuses the first rule that is broken, naming the field.
pub(super) fn check(content: &Content) -> Result<(), GenesisError> {
    if content.schema != GENESIS_SCHEMA {
        return refuse("schema", Problem::Unsupported(GENESIS_SCHEMA.to_owned()));
    }
    if content.version != GENESIS_VERSION {
        return refuse("version", Problem::Unsupported(GENESIS_VERSION.to_string()));
    }
    if content.name.is_empty() || content.name.chars().count() > NAME_LENGTH_MAX {
        return refuse("name", Problem::Text("need 1 to 64 characters"));
    }
    content.parameters.check()?;
    check_members(&content.members)?;
    check_suites(content)?;
    check_contracts(&content.contracts)?;
    check_patients(&content.patients)?;
    check_servers(content)
}

fn refuse<T>(field: impl Into<String>, problem: Problem) -> Result<T, GenesisError> {
    Err(GenesisError::Value {
        field: field.into(),
        problem,
    })
}

/// What holds for every committee, the founding one and later ones.
pub(crate) fn check_members(members: &[Member]) -> Result<(), GenesisError> {
    if members.is_empty() || members.len() > MEMBERS_MAX {
        let found = u64::try_from(members.len()).unwrap_or(u64::MAX);
        let (least, most) = (1, 31);
        return refuse("members", Problem::Range { found, least, most });
    }
    let mut names = BTreeSet::new();
    let mut keys = BTreeSet::new();
    let mut network_keys = BTreeSet::new();
    for (at, member) in members.iter().enumerate() {
        let field = |name: &str| format!("members[{at}].{name}");
        check_member_name(&member.name).or_else(|problem| refuse(field("name"), problem))?;
        if !names.insert(&member.name) {
            return refuse(field("name"), Problem::Repeated);
        }
        check_key(&member.key, &mut keys).or_else(|problem| refuse(field("key"), problem))?;
        check_key(&member.network_key, &mut network_keys)
            .or_else(|problem| refuse(field("network_key"), problem))?;
        check_address(&member.p2p).or_else(|problem| refuse(field("p2p"), problem))?;
        check_address(&member.api).or_else(|problem| refuse(field("api"), problem))?;
    }
    let centres = members
        .iter()
        .filter(|member| member.role == Role::Rc)
        .count();
    if centres != 1 {
        return refuse("members", Problem::RegistrationCentres(centres));
    }
    Ok(())
}

fn check_member_name(name: &str) -> Result<(), Problem> {
    let good = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '-');
    if name.is_empty() || name.len() > NAME_LENGTH_MAX || !name.chars().all(good) {
        return Err(Problem::Text(
            "need 1 to 64 lower-case letters, digits and hyphens",
        ));
    }
    Ok(())
}

fn check_address(address: &str) -> Result<(), Problem> {
    let good = |c: char| c.is_ascii_graphic();
    if address.is_empty() || address.len() > ADDRESS_LENGTH_MAX || !address.chars().all(good) {
        return Err(Problem::Text(
            "need 1 to 256 printable ASCII characters without spaces",
        ));
    }
    Ok(())
}

/// A key that may be admitted and was not seen before.
fn check_key<'a>(key: &'a PublicKey, seen: &mut BTreeSet<&'a PublicKey>) -> Result<(), Problem> {
    if !signature::is_admissible(key) {
        return Err(Problem::Key);
    }
    if !seen.insert(key) {
        return Err(Problem::Repeated);
    }
    Ok(())
}

fn check_suites(content: &Content) -> Result<(), GenesisError> {
    let mut seen = BTreeSet::new();
    for (at, suite) in content.suites.iter().enumerate() {
        let field = format!("suites[{at}]");
        let insecure_here = suite.is_research() && content.kind == Kind::Secure;
        if !suite.is_known() || insecure_here {
            return refuse(field, Problem::Suite(*suite));
        }
        if !seen.insert(suite) {
            return refuse(field, Problem::Repeated);
        }
    }
    if content.suites.is_empty() {
        return refuse("suites", Problem::Text("need at least one suite"));
    }
    Ok(())
}

fn check_contracts(contracts: &[Activation]) -> Result<(), GenesisError> {
    let mut seen = BTreeSet::new();
    for (at, activation) in contracts.iter().enumerate() {
        let field = format!("contracts[{at}]");
        let known = BUILT_IN.contains(&activation.id) && activation.version == CONTRACT_VERSION;
        if !known {
            return refuse(field, Problem::Contract(activation.id.to_string()));
        }
        if !seen.insert(&activation.id) {
            return refuse(field, Problem::Repeated);
        }
    }
    let missing = |id: &&ContractId| !seen.contains(id);
    match REQUIRED.iter().find(missing) {
        Some(id) => refuse("contracts", Problem::MissingContract(id.to_string())),
        None => Ok(()),
    }
}

fn check_patients(patients: &[PatientRecord]) -> Result<(), GenesisError> {
    let mut seen = BTreeSet::new();
    for (at, record) in patients.iter().enumerate() {
        let field = |name: &str| format!("patients[{at}].{name}");
        if record.aid != record.aid_of_keys() {
            return refuse(field("aid"), Problem::Aid);
        }
        if !seen.insert(record.aid) {
            return refuse(field("aid"), Problem::Repeated);
        }
        if !signature::is_dh_key(&record.pk_dh) {
            return refuse(field("pk_dh"), Problem::Key);
        }
        if !signature::is_admissible(&record.pk_sig) {
            return refuse(field("pk_sig"), Problem::Key);
        }
        if !signature::is_admissible(&record.pk_recovery) {
            return refuse(field("pk_recovery"), Problem::Key);
        }
        if record.c_id.as_bytes().len() > SEALED_ID_BYTES_MAX {
            return refuse(field("c_id"), Problem::Text("at most 256 bytes"));
        }
    }
    Ok(())
}

fn check_servers(content: &Content) -> Result<(), GenesisError> {
    let mut seen = BTreeSet::new();
    for (at, record) in content.servers.iter().enumerate() {
        let field = |name: &str| format!("servers[{at}].{name}");
        if !is_record_of_a_member(record, &content.members) {
            return refuse(field("server_id"), Problem::NotAMember);
        }
        if !seen.insert((record.server_id, record.key_epoch)) {
            return refuse(field("key_epoch"), Problem::Repeated);
        }
        if !signature::is_dh_key(&record.dh_epoch_key) {
            return refuse(field("dh_epoch_key"), Problem::Key);
        }
        if record.not_after < record.not_before {
            return refuse(field("not_after"), Problem::Validity);
        }
        if record.suites.len() > SERVER_SUITES_MAX {
            return refuse(field("suites"), Problem::Text("at most 8 suites"));
        }
        if let Some(suite) = record.suites.iter().find(|s| !content.suites.contains(s)) {
            return refuse(field("suites"), Problem::Suite(*suite));
        }
    }
    Ok(())
}

fn is_record_of_a_member(record: &ServerRecord, members: &[Member]) -> bool {
    members
        .iter()
        .any(|member| member.server_id() == record.server_id && member.key == record.node_key)
}
