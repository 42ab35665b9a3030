//! The anonymous identity of a patient.

use std::fmt;
use std::str::FromStr;

use bech32::primitives::decode::{CheckedHrpstring, CheckedHrpstringError};
use bech32::{Bech32m, Hrp};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

use super::{PublicKey, SuiteId};
use crate::encoding;
use crate::hash;

/// The prefix of every AID in text form.
const PREFIX: Hrp = Hrp::parse_unchecked("aid");
/// Characters of an AID in text form: prefix, separator, 52 of content, 6 of checksum.
const TEXT_LENGTH: usize = 62;

/// An anonymous identity: 32 bytes, in text bech32m with the prefix `aid`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Aid([u8; 32]);

/// The text is not an AID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AidError {
    /// It does not begin as an AID does.
    #[error("an AID begins with \"aid1\"")]
    Prefix,
    /// It was cut or has too much.
    #[error("an AID has 62 characters, this has {0}")]
    Length(usize),
    /// A character that never occurs in an AID.
    #[error("the character '{0}' does not occur in an AID")]
    Character(char),
    /// An AID is written in lower case.
    #[error("an AID is written in lower case")]
    UpperCase,
    /// A character was mistyped.
    #[error("the check at the end does not match: a character is wrong or two are swapped")]
    Checksum,
}

impl Aid {
    /// An AID from its bytes.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The AID that names exactly these two keys under this suite (PROTOCOL.md §4.1).
    pub fn of_keys(suite: SuiteId, pk_dh: &PublicKey, pk_sig: &PublicKey) -> Self {
        Self(hash::plain(&[
            b"aidc1/aid",
            &suite.get().to_be_bytes(),
            pk_dh.as_bytes(),
            pk_sig.as_bytes(),
        ]))
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Aid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        bech32::encode_lower_to_fmt::<Bech32m, _>(f, PREFIX, &self.0).map_err(|_error| fmt::Error)
    }
}

impl fmt::Debug for Aid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The first bytes tell two AIDs apart in a test; a log must not name a patient.
        let [first, second, ..] = self.0;
        write!(f, "Aid({first:02x}{second:02x}…)")
    }
}

impl FromStr for Aid {
    type Err = AidError;

    fn from_str(text: &str) -> Result<Self, AidError> {
        if text.chars().any(|c| c.is_ascii_uppercase()) {
            return Err(AidError::UpperCase);
        }
        let content = text.strip_prefix("aid1").ok_or(AidError::Prefix)?;
        let length = text.chars().count();
        if length != TEXT_LENGTH {
            return Err(AidError::Length(length));
        }
        let stranger = |c: &char| !"qpzry9x8gf2tvdw0s3jn54khce6mua7l".contains(*c);
        if let Some(bad) = content.chars().find(stranger) {
            return Err(AidError::Character(bad));
        }
        let checked = CheckedHrpstring::new::<Bech32m>(text)
            .map_err(|_error: CheckedHrpstringError| AidError::Checksum)?;
        let bytes: Vec<u8> = checked.byte_iter().collect();
        let bytes = <[u8; 32]>::try_from(bytes).map_err(|_bytes| AidError::Checksum)?;
        let aid = Self(bytes);
        // The four spare bits of the last character must be zero.
        if aid.to_string() == text {
            Ok(aid)
        } else {
            Err(AidError::Checksum)
        }
    }
}

impl Serialize for Aid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            encoding::words(&self.0).serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Aid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = String::deserialize(deserializer)?;
            text.parse().map_err(D::Error::custom)
        } else {
            let words = <[u64; 4]>::deserialize(deserializer)?;
            Ok(Self(encoding::from_words(words)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_aid_has_sixty_two_characters_and_reads_back() {
        let aid = Aid::new(std::array::from_fn(|i| u8::try_from(i * 7).unwrap()));
        let text = aid.to_string();

        assert_eq!(text.len(), 62);
        assert!(text.starts_with("aid1"));
        assert_eq!(text.parse(), Ok(aid));
    }

    #[test]
    fn each_mistake_has_its_own_text() {
        let text = Aid::new([5; 32]).to_string();

        assert_eq!(text.to_uppercase().parse::<Aid>(), Err(AidError::UpperCase));
        assert_eq!("bob".parse::<Aid>(), Err(AidError::Prefix));
        let cut = text.get(..61).unwrap();
        assert_eq!(cut.parse::<Aid>(), Err(AidError::Length(61)));
        assert_eq!(
            format!("{cut}b").parse::<Aid>(),
            Err(AidError::Character('b'))
        );
    }

    #[test]
    fn every_single_changed_character_is_refused() {
        let text = Aid::new([0x5a; 32]).to_string();

        for at in 4..62 {
            let mut changed = text.clone().into_bytes();
            changed[at] = if changed[at] == b'q' { b'p' } else { b'q' };
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(changed.parse::<Aid>(), Err(AidError::Checksum), "{at}");
        }
    }

    #[test]
    fn debug_output_does_not_name_the_patient() {
        let aid = Aid::new([0xcd; 32]);

        assert_eq!(format!("{aid:?}"), "Aid(cdcd…)");
    }
}
