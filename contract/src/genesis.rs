//! `genesis.json`: who founds the ledger and by which rules it runs.
//!
//! Its bytes are the ledger's name: chain id = SHA-256(file). The reader is
//! strict, because two readers that understand one file differently would run
//! two ledgers under one name.

mod parameters;
mod rules;

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use parameters::{PROTOCOL_VERSION, Parameters};

pub(crate) use rules::check_members;

use crate::contract_id::ContractId;
use crate::encoding;
use crate::hash;
use crate::identity::{BlockTime, ChainId, Height, PublicKey, Root, ServerId, SpkiHash, SuiteId};
use crate::limits::GENESIS_BYTES_MAX;
use crate::record::{PatientRecord, ServerRecord};

/// The schema named in every genesis file.
pub const GENESIS_SCHEMA: &str = "aidchain.genesis/1";
/// The version of the file that this crate reads and writes.
pub const GENESIS_VERSION: u16 = 1;

/// Whether real patients may be on this ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The hardened suites only.
    Secure,
    /// The papers' insecure suites too; synthetic patients only.
    Research,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Secure => "secure",
            Self::Research => "research",
        })
    }
}

/// What a member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The Registration Centre.
    Rc,
    /// A hospital's server.
    Server,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rc => "rc",
            Self::Server => "server",
        })
    }
}

/// One founding member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// Its name: lower-case letters, digits and hyphens.
    #[serde(deserialize_with = "encoding::text")]
    pub name: String,
    /// What it is.
    pub role: Role,
    /// Ed25519: votes and transactions.
    pub key: PublicKey,
    /// Ed25519: the key of its libp2p peer id.
    pub network_key: PublicKey,
    /// Pin of its TLS certificate.
    pub tls_spki: SpkiHash,
    /// Where other members dial it.
    #[serde(deserialize_with = "encoding::text")]
    pub p2p: String,
    /// Where patients reach it.
    #[serde(deserialize_with = "encoding::text")]
    pub api: String,
}

impl Member {
    /// The member's id, which outlives its keys.
    pub fn server_id(&self) -> ServerId {
        server_id(&self.key, &self.name)
    }
}

/// SHA-256("aidchain/server" ‖ key at admission ‖ u16 length ‖ name).
pub fn server_id(key_at_admission: &PublicKey, name: &str) -> ServerId {
    let length = u16::try_from(name.len()).unwrap_or(u16::MAX);
    ServerId::new(hash::plain(&[
        b"aidchain/server",
        key_at_admission.as_bytes(),
        &length.to_le_bytes(),
        name.as_bytes(),
    ]))
}

/// SHA-256("aidchain/committee" ‖ 0x00 ‖ n u16 ‖ keys in order).
pub fn committee_digest(keys: &[PublicKey]) -> Root {
    let count = u16::try_from(keys.len()).unwrap_or(u16::MAX).to_le_bytes();
    let mut parts: Vec<&[u8]> = vec![&count];
    parts.extend(keys.iter().map(|key| key.as_bytes().as_slice()));
    Root::new(hash::labelled("aidchain/committee", &parts))
}

/// A contract that is active from a height on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Activation {
    /// Which contract.
    pub id: ContractId,
    /// Which version of it.
    pub version: u16,
    /// From which block on.
    pub activation: Height,
}

/// Everything a genesis file says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Content {
    /// Always [`GENESIS_SCHEMA`].
    pub schema: String,
    /// Always [`GENESIS_VERSION`].
    pub version: u16,
    /// Whether real patients may be on it.
    pub kind: Kind,
    /// The consortium's name, for people.
    pub name: String,
    /// The time of block 0.
    pub time_ms: BlockTime,
    /// The founding members, in committee order.
    pub members: Vec<Member>,
    /// The rules in numbers.
    pub parameters: Parameters,
    /// Suites whose results the ledger takes.
    pub suites: Vec<SuiteId>,
    /// Contracts and the heights from which they are active.
    pub contracts: Vec<Activation>,
    /// Patients known from the start; no proof of possession is needed.
    pub patients: Vec<PatientRecord>,
    /// Servers' epoch keys known from the start.
    pub servers: Vec<ServerRecord>,
}

/// Why a genesis file is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum GenesisError {
    /// Longer than any genesis file.
    #[error("genesis.json has {0} bytes, at most {GENESIS_BYTES_MAX} are allowed")]
    TooLong(usize),
    /// Not JSON, a key missing, unknown or twice, a value of the wrong form.
    #[error("genesis.json line {line}, column {column}: {text}")]
    Json {
        /// Line of the file.
        line: usize,
        /// Column in it.
        column: usize,
        /// What is wrong there.
        text: String,
    },
    /// A value that breaks a rule.
    #[error("genesis.json: {field}: {problem}")]
    Value {
        /// The field, as a path.
        field: String,
        /// The rule.
        problem: Problem,
    },
}

/// Which rule a value of the genesis file breaks.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Problem {
    /// Another schema or version of the file.
    #[error("this software reads {0} only")]
    Unsupported(String),
    /// An empty or too long text, or one with other characters.
    #[error("{0}")]
    Text(&'static str),
    /// A number outside its range.
    #[error("{found} is outside {least} to {most}")]
    Range {
        /// The value found.
        found: u64,
        /// The least allowed.
        least: u64,
        /// The most allowed.
        most: u64,
    },
    /// The value occurs twice.
    #[error("occurs a second time")]
    Repeated,
    /// A key that cannot be trusted.
    #[error("not an acceptable key: it is weak, not canonical or not on the curve")]
    Key,
    /// Not exactly one Registration Centre.
    #[error("there are {0} members with role rc, need exactly one")]
    RegistrationCentres(usize),
    /// A suite that a secure ledger refuses, or that nobody knows.
    #[error("suite {0} is not allowed on this kind of ledger")]
    Suite(SuiteId),
    /// A contract that this software lacks.
    #[error("this software has no contract {0} of that version")]
    Contract(String),
    /// A built-in contract is missing from the list.
    #[error("the contract {0} is missing from the list")]
    MissingContract(String),
    /// The AID does not name the record's keys.
    #[error("the AID does not belong to pk_dh and pk_sig")]
    Aid,
    /// A server's record that names no member or another key.
    #[error("does not belong to a member of this genesis")]
    NotAMember,
    /// A validity that ends before it begins.
    #[error("not_after is before not_before")]
    Validity,
}

/// A genesis file that was read, checked and named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Genesis {
    /// SHA-256 of the file.
    chain: ChainId,
    /// What it says.
    content: Content,
}

impl Genesis {
    /// Reads and checks a genesis file.
    pub fn parse(file: &[u8]) -> Result<Self, GenesisError> {
        if file.len() > GENESIS_BYTES_MAX {
            return Err(GenesisError::TooLong(file.len()));
        }
        let content: Content =
            serde_json::from_slice(file).map_err(|error| GenesisError::Json {
                line: error.line(),
                column: error.column(),
                text: without_position(&error.to_string()),
            })?;
        rules::check(&content)?;
        Ok(Self {
            chain: ChainId::new(hash::plain(&[file])),
            content,
        })
    }

    /// The ledger's name.
    pub const fn chain(&self) -> &ChainId {
        &self.chain
    }

    /// Everything the file says.
    pub const fn content(&self) -> &Content {
        &self.content
    }

    /// Whether real patients may be on this ledger.
    pub const fn kind(&self) -> Kind {
        self.content.kind
    }

    /// The consortium's name, for people.
    pub fn name(&self) -> &str {
        &self.content.name
    }

    /// The time of block 0.
    pub const fn time(&self) -> BlockTime {
        self.content.time_ms
    }

    /// The founding members, in committee order.
    pub fn members(&self) -> &[Member] {
        &self.content.members
    }

    /// The rules in numbers.
    pub const fn parameters(&self) -> &Parameters {
        &self.content.parameters
    }

    /// Suites whose results the ledger takes.
    pub fn suites(&self) -> &[SuiteId] {
        &self.content.suites
    }

    /// The founding member of this name.
    pub fn member_named(&self, name: &str) -> Option<&Member> {
        self.members().iter().find(|member| member.name == name)
    }

    /// The founding member with this id.
    pub fn member_with_id(&self, id: &ServerId) -> Option<&Member> {
        self.members()
            .iter()
            .find(|member| member.server_id() == *id)
    }

    /// The keys of the first committee, in order.
    pub fn committee(&self) -> Vec<PublicKey> {
        self.members().iter().map(|member| member.key).collect()
    }

    /// The digest of the first committee, as block 0 names it.
    pub fn committee_digest(&self) -> Root {
        committee_digest(&self.committee())
    }
}

/// The reader's text without the position that is told beside it.
fn without_position(text: &str) -> String {
    let end = text.rfind(" at line ").unwrap_or(text.len());
    text.get(..end).unwrap_or(text).to_owned()
}

impl Content {
    /// A genesis with the built-in contracts and the default parameters.
    pub fn new(kind: Kind, name: &str, time_ms: BlockTime, members: Vec<Member>) -> Self {
        Self {
            schema: GENESIS_SCHEMA.to_owned(),
            version: GENESIS_VERSION,
            kind,
            name: name.to_owned(),
            time_ms,
            members,
            parameters: Parameters::default(),
            suites: match kind {
                Kind::Secure => vec![SuiteId::AIDC_1],
                Kind::Research => {
                    vec![SuiteId::AIDC_1, SuiteId::WU_2021, SuiteId::LIMBASIYA_2020]
                }
            },
            contracts: rules::built_in_contracts(kind),
            patients: Vec::new(),
            servers: Vec::new(),
        }
    }

    /// The file's bytes; [`Genesis::parse`] reads them back or says what is wrong.
    pub fn to_json(&self) -> Vec<u8> {
        let mut file = serde_json::to_vec_pretty(self).unwrap_or_else(|error| {
            debug_assert!(false, "a genesis that cannot be written: {error}");
            Vec::new()
        });
        file.push(b'\n');
        file
    }
}
