//! Digests, each under the name of what it is the digest of.

use core::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// What a digest is taken of; keeps the bytes of one kind from standing in for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Domain {
    /// The bytes of a batch.
    Batch,
    /// The bytes of an executed block's header.
    Header,
    /// The body of a VIEW-CHANGE as sent.
    ViewChange,
    /// The body of a NEW-VIEW as sent.
    NewView,
    /// The number of members and their keys.
    Committee,
}

impl Domain {
    /// The prefix that is hashed before the bytes and a zero byte.
    const fn label(self) -> &'static [u8] {
        match self {
            Self::Batch => b"aidchain/batch",
            Self::Header => b"aidchain/header",
            Self::ViewChange => b"aidchain/view-change",
            Self::NewView => b"aidchain/new-view",
            Self::Committee => b"aidchain/committee",
        }
    }
}

/// A SHA-256 digest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of the null batch, which fills gaps after a view change (§4.4).
    pub const NULL: Self = Self([0; 32]);

    /// SHA-256(label ‖ 0x00 ‖ bytes).
    pub fn of(domain: Domain, bytes: &[u8]) -> Self {
        let mut hash = Sha256::new();
        hash.update(domain.label());
        hash.update([0]);
        hash.update(bytes);
        Self(hash.finalize().into())
    }

    /// The digest with these bytes.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::NULL {
            return f.write_str("null");
        }
        self.0
            .iter()
            .take(4)
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The name of a ledger: SHA-256 of its genesis file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ChainId([u8; 32]);

impl ChainId {
    /// The chain id with these bytes.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for ChainId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ChainId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .take(4)
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_bytes_have_another_digest_in_each_domain() {
        let all = [
            Domain::Batch,
            Domain::Header,
            Domain::ViewChange,
            Domain::NewView,
            Domain::Committee,
        ];

        let mut digests = all.map(|domain| Digest::of(domain, b"x")).to_vec();
        digests.sort_unstable();
        digests.dedup();

        assert_eq!(digests.len(), all.len());
    }

    #[test]
    fn a_digest_is_sha256_of_label_zero_and_bytes() {
        let expected: [u8; 32] = Sha256::digest(b"aidchain/batch\0hello").into();

        assert_eq!(Digest::of(Domain::Batch, b"hello"), Digest::new(expected));
    }
}
