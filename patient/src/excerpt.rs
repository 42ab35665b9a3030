//! An excerpt: what the certified state says under some keys, in one JSON object with exactly one reading.
//!
//! Nothing in a parsed excerpt is proved; [`crate::light`] does that.

use contract::genesis::Kind;
use contract::identity::ChainId;
use serde::{Deserialize, Serialize};

use crate::receipt::{
    BadReceipt, Bytes, Certificate, EPOCHS_MAX, EpochProof, FILE_BYTES_MAX, MEMBERS_MAX, Version,
    within,
};

/// The text that an excerpt's schema is.
pub const SCHEMA: &str = "aidchain.excerpt/1";
/// No excerpt has more entries.
pub const ENTRIES_MAX: usize = 256;

/// Entries of the state after one certified block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Excerpt {
    /// [`SCHEMA`].
    pub schema: String,
    /// 1.
    pub version: Version,
    /// The ledger it is from.
    pub chain: ChainId,
    /// The kind of that ledger.
    pub kind: Kind,
    /// What is, or is not, in the state.
    pub entries: Vec<Entry>,
    /// The block's header in its fixed layout.
    pub header: Bytes,
    /// The quorum's word for the header.
    pub certificate: Certificate,
    /// How the committee came to be the one that signed: one entry per finished epoch, oldest first.
    pub epochs: Vec<EpochProof>,
}

/// What the state has under one key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The contract's name.
    pub contract: String,
    /// The key inside the contract.
    pub key: Bytes,
    /// The ledger's encoding of a state proof: the value, or its absence.
    pub proof: Bytes,
}

impl Excerpt {
    /// Reads an excerpt, or says why it is none; as strictly as a receipt.
    pub fn parse(bytes: &[u8]) -> Result<Self, BadReceipt> {
        let length = bytes.len();
        if length > FILE_BYTES_MAX {
            return Err(BadReceipt::TooLong { length });
        }
        let excerpt: Self =
            serde_json::from_slice(bytes).map_err(|error| BadReceipt::Form(error.to_string()))?;
        if excerpt.schema != SCHEMA {
            let other = format!("schema {:?}, need {SCHEMA:?}", excerpt.schema);
            return Err(BadReceipt::Form(other));
        }
        within("entries", excerpt.entries.len(), ENTRIES_MAX)?;
        within("epochs", excerpt.epochs.len(), EPOCHS_MAX)?;
        excerpt.certificate.limits()?;
        excerpt.epochs.iter().try_for_each(|epoch| {
            within("committee", epoch.committee.len(), MEMBERS_MAX)?;
            epoch.certificate.limits()
        })?;
        Ok(excerpt)
    }
}
