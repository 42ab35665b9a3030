//! The one encoding of the ledger; the only file of this crate that names the codec.
//!
//! Integers are fixed-width little-endian, a sequence is a u64 count and its
//! elements, an enum a u32 tag and its fields, a struct its fields in order.
//! There are no maps, floats or `usize` on the wire. Whoever hashes or checks a
//! signature uses the bytes that came, never a second encoding of them.

use std::fmt;

use bincode::config::{Configuration, Fixint, Limit, LittleEndian};
use serde::de::{Error as _, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

use crate::limits::ENCODED_BYTES_MAX;

const CODEC: Configuration<LittleEndian, Fixint, Limit<ENCODED_BYTES_MAX>> =
    bincode::config::standard()
        .with_fixed_int_encoding()
        .with_limit::<ENCODED_BYTES_MAX>();

/// Why bytes are not the encoding of the value that was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Malformed {
    /// More bytes than this kind of value may have.
    #[error("{length} bytes, at most {limit} are allowed")]
    TooLong {
        /// How many bytes came.
        length: usize,
        /// How many are allowed.
        limit: usize,
    },
    /// The bytes end early or hold a value that does not exist.
    #[error("the bytes are not an encoding of {0}")]
    Undecodable(&'static str),
    /// Bytes are left over behind the value.
    #[error("{0} bytes are left over behind the value")]
    Trailing(usize),
    /// The value has another, canonical encoding.
    #[error("the encoding is not the canonical one")]
    NotCanonical,
}

/// The canonical bytes of a value.
pub fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    bincode::serde::encode_to_vec(value, CODEC).unwrap_or_else(|error| {
        // Writing to memory cannot fail and our types raise no error of their
        // own; should it happen, no bytes at all verify nowhere.
        debug_assert!(false, "a wire type that cannot be encoded: {error}");
        Vec::new()
    })
}

/// Reads one value from exactly these bytes, or refuses them.
pub fn decode<'a, T>(bytes: &'a [u8], limit: usize) -> Result<T, Malformed>
where
    T: Serialize + Deserialize<'a>,
{
    if bytes.len() > limit {
        return Err(Malformed::TooLong {
            length: bytes.len(),
            limit,
        });
    }
    let (value, consumed): (T, usize) = bincode::serde::borrow_decode_from_slice(bytes, CODEC)
        .map_err(|_error| Malformed::Undecodable(short_name::<T>()))?;
    if consumed != bytes.len() {
        return Err(Malformed::Trailing(bytes.len().saturating_sub(consumed)));
    }
    if encode(&value) != bytes {
        return Err(Malformed::NotCanonical);
    }
    Ok(value)
}

/// Thirty-two bytes as four numbers. In this encoding they are the same bytes, and the codec
/// goes over them in an eighth of the steps; bundles hold thousands of them.
pub(crate) fn words(bytes: &[u8; 32]) -> [u64; 4] {
    let (chunks, _rest) = bytes.as_chunks::<8>();
    let mut words = [0; 4];
    for (word, chunk) in words.iter_mut().zip(chunks) {
        *word = u64::from_le_bytes(*chunk);
    }
    words
}

/// The bytes of [`words`].
pub(crate) fn from_words(words: [u64; 4]) -> [u8; 32] {
    let mut bytes = [0; 32];
    let (chunks, _rest) = bytes.as_chunks_mut::<8>();
    for (chunk, word) in chunks.iter_mut().zip(words) {
        *chunk = word.to_le_bytes();
    }
    bytes
}

/// The type's own name without its path, for error texts.
fn short_name<T>() -> &'static str {
    let path = std::any::type_name::<T>();
    let end = path.find('<').unwrap_or(path.len());
    let bare = path.get(..end).unwrap_or(path);
    bare.rsplit("::").next().unwrap_or(bare)
}

/// Bytes of any length, moved as one piece: a u64 count and the bytes.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Blob(Vec<u8>);

impl Blob {
    /// Wraps bytes for the wire.
    pub const fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The bytes, owned.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Blob({} bytes)", self.0.len())
    }
}

impl Serialize for Blob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_str(&hex::encode(&self.0))
        } else {
            serializer.serialize_bytes(&self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = String::deserialize(deserializer)?;
            let bytes = hex::decode(&text).map_err(D::Error::custom)?;
            return Ok(Self(bytes));
        }
        deserializer.deserialize_bytes(BlobVisitor)
    }
}

/// As [`Blob`] on the wire, borrowed from what is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bytes<'a>(pub(crate) &'a [u8]);

impl Serialize for Bytes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Bytes<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_bytes(BytesVisitor).map(Self)
    }
}

/// A text, copied from where it stands. For an owned one the codec reserves whatever length is
/// claimed before it looks whether so much is there.
pub(crate) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    deserializer.deserialize_str(TextVisitor)
}

/// Copies a text.
struct TextVisitor;

impl Visitor<'_> for TextVisitor {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }
}

/// Borrows a run of bytes from the codec.
struct BytesVisitor;

impl<'de> Visitor<'de> for BytesVisitor {
    type Value = &'de [u8];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes")
    }

    fn visit_borrowed_bytes<E>(self, bytes: &'de [u8]) -> Result<&'de [u8], E> {
        Ok(bytes)
    }
}

/// Takes a run of bytes from the codec.
struct BlobVisitor;

impl Visitor<'_> for BlobVisitor {
    type Value = Blob;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes")
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Blob, E> {
        Ok(Blob(bytes.to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_fixed_width_and_little_endian() {
        assert_eq!(encode(&(1_u16, 2_u32)), [1, 0, 2, 0, 0, 0]);
    }

    #[test]
    fn bytes_as_words_are_the_same_on_the_wire() {
        let bytes: [u8; 32] = std::array::from_fn(|at| u8::try_from(at).unwrap());

        assert_eq!(encode(&words(&bytes)), encode(&bytes));
        assert_eq!(from_words(words(&bytes)), bytes);
    }

    #[test]
    fn a_byte_left_over_is_refused() {
        let mut bytes = encode(&7_u64);
        bytes.push(0);

        assert_eq!(decode::<u64>(&bytes, 64), Err(Malformed::Trailing(1)));
    }

    /// A type that reads every byte as the same value.
    #[derive(Debug, PartialEq)]
    struct Forgetful;

    impl Serialize for Forgetful {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_u8(0)
        }
    }

    impl<'de> Deserialize<'de> for Forgetful {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            u8::deserialize(deserializer).map(|_byte| Self)
        }
    }

    #[test]
    fn bytes_that_would_be_encoded_otherwise_are_refused() {
        assert_eq!(decode(&[0], 64), Ok(Forgetful));
        assert_eq!(decode::<Forgetful>(&[1], 64), Err(Malformed::NotCanonical));
    }

    #[test]
    fn one_byte_more_than_the_limit_is_refused() {
        let bytes = encode(&Blob::new(vec![9; 24]));

        assert_eq!(bytes.len(), 32);
        assert_eq!(decode(&bytes, 32), Ok(Blob::new(vec![9; 24])));
        assert_eq!(
            decode::<Blob>(&bytes, 31),
            Err(Malformed::TooLong {
                length: 32,
                limit: 31
            })
        );
    }

    #[test]
    fn a_count_beyond_the_input_is_refused_without_allocating() {
        let bytes = u64::MAX.to_le_bytes();

        assert_eq!(
            decode::<Blob>(&bytes, 64),
            Err(Malformed::Undecodable("Blob"))
        );
    }

    /// A value with a text in it.
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Named(#[serde(deserialize_with = "text")] String);

    #[test]
    fn a_text_is_the_same_on_the_wire_as_any_other_and_never_longer_than_the_input() {
        let bytes = encode(&"rc".to_owned());

        assert_eq!(encode(&Named("rc".to_owned())), bytes);
        assert_eq!(decode(&bytes, 64), Ok(Named("rc".to_owned())));
        for length in [3, u64::MAX] {
            let longer = [length.to_le_bytes().as_slice(), b"rc"].concat();
            assert_eq!(
                decode::<Named>(&longer, 64),
                Err(Malformed::Undecodable("Named"))
            );
        }
    }

    #[test]
    fn a_bool_that_is_neither_zero_nor_one_is_refused() {
        assert_eq!(
            decode::<bool>(&[2], 64),
            Err(Malformed::Undecodable("bool"))
        );
    }
}
