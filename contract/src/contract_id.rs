//! Names of contracts.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

use crate::encoding;
use crate::limits::CONTRACT_NAME_LENGTH_MAX;

/// The name of a contract: 1 to 32 lower-case letters and hyphens.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContractId(Cow<'static, str>);

/// Patients' records.
pub const IDENTITY: ContractId = ContractId(Cow::Borrowed("identity"));
/// Sign-in results.
pub const AUTHLOG: ContractId = ContractId(Cow::Borrowed("authlog"));
/// Servers' epoch keys.
pub const SERVERS: ContractId = ContractId(Cow::Borrowed("servers"));
/// Members and the committee.
pub const MEMBERSHIP: ContractId = ContractId(Cow::Borrowed("membership"));
/// Contradictions of members.
pub const EVIDENCE: ContractId = ContractId(Cow::Borrowed("evidence"));
/// Who resolved an AID to an ID.
pub const DISCLOSURE: ContractId = ContractId(Cow::Borrowed("disclosure"));
/// Servers and users of Limbasiya-2020, on research ledgers.
pub const LIMBASIYA: ContractId = ContractId(Cow::Borrowed("limbasiya"));
/// Which contract is active in which version.
pub const CONTRACTS: ContractId = ContractId(Cow::Borrowed("contracts"));

/// The contracts that every ledger has from its genesis on.
pub const REQUIRED: [ContractId; 5] = [IDENTITY, AUTHLOG, SERVERS, MEMBERSHIP, CONTRACTS];
/// The contracts that this software can execute; a ledger may take up the others by vote.
pub const BUILT_IN: [ContractId; 8] = [
    IDENTITY, AUTHLOG, SERVERS, MEMBERSHIP, CONTRACTS, EVIDENCE, DISCLOSURE, LIMBASIYA,
];

/// The text is not the name of a contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a contract's name has 1 to 32 lower-case letters and hyphens")]
pub struct ContractIdError;

impl ContractId {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ContractId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ContractId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ContractId({})", self.0)
    }
}

impl FromStr for ContractId {
    type Err = ContractIdError;

    fn from_str(name: &str) -> Result<Self, ContractIdError> {
        let good = |c: char| matches!(c, 'a'..='z' | '-');
        if name.is_empty() || name.len() > CONTRACT_NAME_LENGTH_MAX || !name.chars().all(good) {
            return Err(ContractIdError);
        }
        Ok(Self(Cow::Owned(name.to_owned())))
    }
}

impl Serialize for ContractId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ContractId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = encoding::text(deserializer)?;
        name.parse().map_err(D::Error::custom)
    }
}
