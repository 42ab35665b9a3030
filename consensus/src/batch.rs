//! Batches: opaque bytes under a digest, and the proof that one may be voted for.

use core::fmt;
use std::sync::Arc;

use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::digest::{Digest, Domain};

/// The largest batch in bytes that any replica takes.
pub const BATCH_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Bytes that one sequence number orders; cloning shares them.
#[derive(Clone, PartialEq, Eq)]
pub struct Batch {
    /// The bytes as the primary proposed them; none for the null batch.
    bytes: Arc<[u8]>,
    /// Taken once, when the bytes came.
    digest: Digest,
}

impl Batch {
    /// A batch of these bytes; no bytes make the null batch.
    pub fn new(bytes: impl Into<Arc<[u8]>>) -> Self {
        let bytes = bytes.into();
        let digest = if bytes.is_empty() {
            Digest::NULL
        } else {
            Digest::of(Domain::Batch, &bytes)
        };
        Self { bytes, digest }
    }

    /// The batch without bytes that fills a gap (§4.4); it holds no transactions and no time.
    pub fn null() -> Self {
        Self::new(Vec::new())
    }

    /// Whether this is the null batch.
    pub fn is_null(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes, shared.
    pub fn shared(&self) -> Arc<[u8]> {
        Arc::clone(&self.bytes)
    }

    /// The digest that votes name.
    pub const fn digest(&self) -> Digest {
        self.digest
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "batch({:?}, {} bytes)", self.digest, self.bytes.len())
    }
}

impl Serialize for Batch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.bytes)
    }
}

impl<'de> Deserialize<'de> for Batch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_bytes(BatchVisitor)
    }
}

/// Takes the bytes of a batch within [`BATCH_BYTES_MAX`].
struct BatchVisitor;

impl Visitor<'_> for BatchVisitor {
    type Value = Batch;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the bytes of a batch")
    }

    fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Batch, E> {
        if bytes.len() > BATCH_BYTES_MAX {
            return Err(E::custom("a batch is larger than any replica takes"));
        }
        Ok(Batch::new(bytes))
    }
}

/// A batch that may be voted for.
///
/// There are two makers: the host's vote-time check, by [`ValidBatch::checked`], and inside
/// this crate a valid certificate for the digest, whatever the age of the batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidBatch(Batch);

impl ValidBatch {
    /// The host states that this batch passed its vote-time check just now: a pure function
    /// of the bytes and the host's clock.
    pub const fn checked(batch: Batch) -> Self {
        Self(batch)
    }

    /// The batch.
    pub const fn batch(&self) -> &Batch {
        &self.0
    }

    /// The batch, given away.
    pub fn into_batch(self) -> Batch {
        self.0
    }
}

/// What came beside a PRE-PREPARE, and what the host has said of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proposed {
    /// Not checked yet, or found invalid: kept for the case that a certificate proves it
    /// valid, but never voted for.
    Unchecked(Batch),
    /// Passed the host's vote-time check.
    Valid(ValidBatch),
}

impl Proposed {
    /// The batch, whatever was said of it.
    pub const fn batch(&self) -> &Batch {
        match self {
            Self::Unchecked(batch) | Self::Valid(ValidBatch(batch)) => batch,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_without_bytes_is_the_null_batch() {
        let null = Batch::new(Vec::new());

        assert!(null.is_null());
        assert_eq!(null, Batch::null());
        assert_eq!(null.digest(), Digest::NULL);
        assert_ne!(Batch::new(vec![0]).digest(), Digest::NULL);
    }
}
