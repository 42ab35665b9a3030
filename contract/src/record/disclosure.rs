//! Break-glass: what somebody says who wants to know which person an AID is.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Officer;
use crate::identity::{Aid, Root};

/// Why an ID is disclosed: codes of HL7's `PurposeOfUse`, so that exports need no table of ours.
/// The order is the wire number: variants are appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Purpose {
    /// BTG: an emergency, and nobody can ask the patient.
    #[serde(rename = "BTG")]
    Emergency,
    /// PATRQT: the patient asked for it.
    #[serde(rename = "PATRQT")]
    PatientRequest,
    /// HLEGAL: a court or a law demands it.
    #[serde(rename = "HLEGAL")]
    Legal,
    /// PATSFTY: a danger to patients is looked into.
    #[serde(rename = "PATSFTY")]
    PatientSafety,
    /// FRAUD: a fraud is looked into.
    #[serde(rename = "FRAUD")]
    Fraud,
    /// RECORDMGT: a record is put right.
    #[serde(rename = "RECORDMGT")]
    RecordManagement,
}

impl Purpose {
    /// Every purpose, in wire order.
    pub const ALL: [Self; 6] = [
        Self::Emergency,
        Self::PatientRequest,
        Self::Legal,
        Self::PatientSafety,
        Self::Fraud,
        Self::RecordManagement,
    ];

    /// HL7's code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Emergency => "BTG",
            Self::PatientRequest => "PATRQT",
            Self::Legal => "HLEGAL",
            Self::PatientSafety => "PATSFTY",
            Self::Fraud => "FRAUD",
            Self::RecordManagement => "RECORDMGT",
        }
    }

    /// The purpose with this code.
    pub fn of_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.code() == code)
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Emergency => "emergency",
            Self::PatientRequest => "the patient asked for it",
            Self::Legal => "a court or a law demands it",
            Self::PatientSafety => "safety of patients",
            Self::Fraud => "fraud",
            Self::RecordManagement => "a record is put right",
        })
    }
}

/// A request to resolve an AID to its ID.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisclosureRequest {
    /// Whose ID.
    pub aid: Aid,
    /// Who at the Registration Centre asks.
    pub officer: Officer,
    /// Why.
    pub purpose: Purpose,
    /// SHA-256 of what the officer wrote beside it, if anything; the text stays at the Centre.
    /// The text begins with 16 random bytes, or a short one could be guessed from its hash.
    pub note: Option<Root>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_purpose_is_found_by_its_code_and_has_its_wire_number() {
        for (purpose, number) in Purpose::ALL.into_iter().zip(0_u8..) {
            assert_eq!(Purpose::of_code(purpose.code()), Some(purpose));
            assert_eq!(crate::encoding::encode(&purpose)[0], number);
            let json = serde_json::to_string(&purpose).unwrap();
            assert_eq!(json, format!("\"{}\"", purpose.code()));
        }
        assert_eq!(Purpose::of_code("TREAT"), None);
    }
}
