//! One AID in place of another: a new device, or a lost one (PROTOCOL.md §4.3).
//!
//! With the old key or the recovery key a replacement takes effect at once; the Registration
//! Centre sends it, so it has re-proofed the person. Without either it is a recovery: asked for
//! by an officer of the Centre, approved by another member, and waiting for
//! `recovery_delay_ms`, in which the old keys may still cancel it.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

use super::Registration;
use crate::hash;
use crate::identity::{Aid, ChainId, SignatureBytes};
use crate::limits::OFFICER_NAME_LENGTH_MAX;

/// What a patient's old key or her recovery key signs, to let `new` take the place of `old`:
/// SHA-256("aidc1/replace" ‖ chain id 32 ‖ old AID 32 ‖ new AID 32).
///
/// The new AID names the new keys, and their proofs of possession bind the rest of the record.
pub fn replace_digest(chain: &ChainId, old: &Aid, new: &Aid) -> [u8; 32] {
    hash::plain(&[
        b"aidc1/replace",
        chain.as_bytes(),
        old.as_bytes(),
        new.as_bytes(),
    ])
}

/// Which key of the patient agreed to a replacement, and its signature of [`replace_digest`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Consent {
    /// Ed25519 by the old AID's `pk_sig`.
    SigningKey(SignatureBytes),
    /// Ed25519 by the old AID's `pk_recovery`.
    RecoveryKey(SignatureBytes),
}

/// A replacement that the patient agreed to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replacement {
    /// The AID that ends.
    pub old: Aid,
    /// The AID that begins: its `epoch` is one more than the old one's.
    pub registration: Registration,
    /// The patient's signature.
    pub consent: Consent,
}

/// A replacement without a key of the patient, on the word of two members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovery {
    /// The AID that ends.
    pub old: Aid,
    /// The AID that begins: its `epoch` is one more than the old one's.
    pub registration: Registration,
    /// Who at the Registration Centre re-proofed the person.
    pub officer: Officer,
}

/// Who of a member's people acted, as the member calls them: 1 to 32 lower-case letters, digits
/// and hyphens. The member's signature vouches for it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Officer(String);

/// The text is not an officer's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("an officer's name has 1 to 32 lower-case letters, digits and hyphens")]
pub struct OfficerError;

impl Officer {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Officer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Officer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Officer({})", self.0)
    }
}

impl FromStr for Officer {
    type Err = OfficerError;

    fn from_str(name: &str) -> Result<Self, OfficerError> {
        let good = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '-');
        if name.is_empty() || name.len() > OFFICER_NAME_LENGTH_MAX || !name.chars().all(good) {
            return Err(OfficerError);
        }
        Ok(Self(name.to_owned()))
    }
}

impl Serialize for Officer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Officer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        name.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_officers_name_is_short_and_plain() {
        assert_eq!(
            "desk-7".parse::<Officer>().unwrap().to_string(),
            "desk-7".to_owned()
        );
        for bad in ["", "Dr. Who", "a b", &"a".repeat(33)] {
            assert_eq!(bad.parse::<Officer>(), Err(OfficerError), "{bad}");
        }
    }

    #[test]
    fn consent_to_one_replacement_is_no_consent_to_the_opposite_one() {
        let chain = ChainId::new([1; 32]);
        let (one, other) = (Aid::new([2; 32]), Aid::new([3; 32]));

        let there = replace_digest(&chain, &one, &other);

        assert_ne!(there, replace_digest(&chain, &other, &one));
    }
}
