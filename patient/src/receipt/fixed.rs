//! The two fields of a receipt that have one value only.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

const SCHEMA: &str = "aidchain.receipt/2";
const VERSION: u16 = 1;

/// The text `aidchain.receipt/2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schema;

/// The number 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version;

impl Serialize for Schema {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(SCHEMA)
    }
}

impl<'de> Deserialize<'de> for Schema {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let found = String::deserialize(deserializer)?;
        if found == SCHEMA {
            return Ok(Self);
        }
        Err(D::Error::custom(format!(
            "schema {found:?}, need {SCHEMA:?}"
        )))
    }
}

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u16(VERSION)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let found = u16::deserialize(deserializer)?;
        if found == VERSION {
            return Ok(Self);
        }
        Err(D::Error::custom(format!(
            "version {found}; this program reads version {VERSION}"
        )))
    }
}
