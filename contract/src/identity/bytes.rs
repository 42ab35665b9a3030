//! Identifiers of fixed width, written as lower-case hex.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

use crate::encoding;

/// What is wrong with the text of an identifier.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum IdProblem {
    /// The text has another length.
    #[error("{found} characters, need {expected} hex digits")]
    Length {
        /// Characters in the text.
        found: usize,
        /// Hex digits it needs.
        expected: usize,
    },
    /// A character is not a lower-case hex digit.
    #[error("'{0}' is not a lower-case hex digit")]
    NotHex(char),
}

/// The text is not an identifier of that kind.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("not a {kind}: {problem}")]
pub struct IdError {
    /// Which identifier was expected, in words.
    pub kind: &'static str,
    /// What is wrong.
    pub problem: IdProblem,
}

/// Reads exactly `N` bytes of lower-case hex.
fn parse_hex<const N: usize>(kind: &'static str, text: &str) -> Result<[u8; N], IdError> {
    let expected = N.saturating_mul(2);
    let refuse = |problem| IdError { kind, problem };
    let found = text.chars().count();
    if found != expected {
        return Err(refuse(IdProblem::Length { found, expected }));
    }
    let stranger = |c: &char| !matches!(c, '0'..='9' | 'a'..='f');
    if let Some(bad) = text.chars().find(stranger) {
        return Err(refuse(IdProblem::NotHex(bad)));
    }
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes)
        .map_err(|_error| refuse(IdProblem::Length { found, expected }))?;
    Ok(bytes)
}

/// Declares a 32-byte identifier.
macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 32]);

        impl $name {
            #[doc = concat!("A ", $kind, " from its bytes.")]
            pub const fn new(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            /// The bytes.
            pub const fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                parse_hex($kind, text).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    serializer.collect_str(self)
                } else {
                    encoding::words(&self.0).serialize(serializer)
                }
            }
        }

        impl<'de> Deserialize<'de> for $name {
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
    };
}

identifier!(
    /// SHA-256 of a proposed change of the membership: what members approve.
    ChangeId,
    "change id"
);
identifier!(
    /// SHA-256 of the bytes of `genesis.json`: which ledger this is.
    ChainId,
    "chain id"
);
identifier!(
    /// A member, by the key and the name it was admitted with; outlives key changes.
    ServerId,
    "server id"
);
identifier!(
    /// One sign-in.
    SessionId,
    "session id"
);
identifier!(
    /// Binds an AID to an ID that only the RC and the patient can open.
    IdCommitment,
    "id commitment"
);
identifier!(
    /// Hash of the whole signed bytes of a transaction.
    TransactionHash,
    "transaction hash"
);
identifier!(
    /// Hash of a block's header: what a checkpoint signs.
    HeaderHash,
    "block hash"
);
identifier!(
    /// Root of a tree, or another 32-byte digest in a header.
    Root,
    "root"
);
identifier!(
    /// SHA-256 of the `SubjectPublicKeyInfo` of a member's TLS certificate.
    SpkiHash,
    "certificate pin"
);
identifier!(
    /// A 32-byte public key as it travels; whether it is a good one is checked where it is used.
    PublicKey,
    "public key"
);

impl Root {
    /// 32 zero bytes: the parent of block 0 and the digest of the null batch.
    pub const ZERO: Self = Self([0; 32]);
}

/// A 64-byte signature as it travels.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SignatureBytes {
    /// First half.
    r: [u8; 32],
    /// Second half.
    s: [u8; 32],
}

impl SignatureBytes {
    /// A signature from its bytes.
    pub fn new(bytes: [u8; 64]) -> Self {
        let mut r = [0; 32];
        let mut s = [0; 32];
        for (to, from) in r.iter_mut().chain(s.iter_mut()).zip(bytes) {
            *to = from;
        }
        Self { r, s }
    }

    /// The bytes.
    pub fn to_bytes(self) -> [u8; 64] {
        let mut bytes = [0; 64];
        for (to, from) in bytes.iter_mut().zip(self.r.into_iter().chain(self.s)) {
            *to = from;
        }
        bytes
    }
}

impl fmt::Display for SignatureBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.to_bytes()))
    }
}

impl fmt::Debug for SignatureBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignatureBytes({self})")
    }
}

impl FromStr for SignatureBytes {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        parse_hex("signature", text).map(Self::new)
    }
}

impl Serialize for SignatureBytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            (encoding::words(&self.r), encoding::words(&self.s)).serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for SignatureBytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = String::deserialize(deserializer)?;
            text.parse().map_err(D::Error::custom)
        } else {
            let (r, s) = <([u64; 4], [u64; 4])>::deserialize(deserializer)?;
            let (r, s) = (encoding::from_words(r), encoding::from_words(s));
            Ok(Self { r, s })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_reads_back_what_it_writes() {
        let id = ServerId::new([0xab; 32]);

        assert_eq!(id.to_string(), "ab".repeat(32));
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn sixty_three_digits_are_named_as_such() {
        let error = "a".repeat(63).parse::<ChainId>().unwrap_err();

        assert_eq!(
            error.to_string(),
            "not a chain id: 63 characters, need 64 hex digits"
        );
    }

    #[test]
    fn upper_case_is_refused_so_that_each_id_has_one_text() {
        let text = format!("A{}", "a".repeat(63));

        assert_eq!(
            text.parse::<SessionId>(),
            Err(IdError {
                kind: "session id",
                problem: IdProblem::NotHex('A')
            })
        );
    }

    #[test]
    fn a_signature_keeps_the_order_of_its_bytes() {
        let bytes: [u8; 64] = std::array::from_fn(|i| u8::try_from(i).unwrap());

        assert_eq!(SignatureBytes::new(bytes).to_bytes(), bytes);
        assert_eq!(encoding::encode(&SignatureBytes::new(bytes)), bytes);
    }

    #[test]
    fn a_signature_is_hex_where_people_read_it() {
        let signature = SignatureBytes::new([0xab; 64]);
        let json = serde_json::to_string(&signature).unwrap();

        assert_eq!(json, format!("\"{}\"", "ab".repeat(64)));
        assert_eq!(
            serde_json::from_str::<SignatureBytes>(&json).unwrap(),
            signature
        );
    }
}
