//! The one encoding of everything that leaves this crate; the only file that names the codec.
//!
//! Fixed-width little-endian integers, lengths as `u64`, enum tags as `u32`. Decoding stays
//! within [`FRAME_BYTES_MAX`], uses up its input, and encodes to the very same bytes again.

use bincode::config::{Configuration, Fixint, Limit, LittleEndian};
use serde::{Deserialize, Serialize};

/// The longest frame, record or body that is decoded.
pub const FRAME_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Why bytes are not the encoding of anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Longer than any frame may be.
    #[error("{bytes} bytes are more than the {FRAME_BYTES_MAX} of the longest frame")]
    TooLong {
        /// How many came.
        bytes: usize,
    },
    /// Not the expected shape: cut short, an unknown tag, a length beyond the limit.
    #[error("the bytes do not have the expected shape")]
    Malformed,
    /// Bytes are left over behind the end.
    #[error("{bytes} bytes are left over behind the end")]
    Trailing {
        /// How many.
        bytes: usize,
    },
    /// Another encoding of the value exists and is the right one.
    #[error("the bytes are not the canonical encoding of their value")]
    NotCanonical,
}

/// The configuration of the codec.
type Config = Configuration<LittleEndian, Fixint, Limit<FRAME_BYTES_MAX>>;

/// Fixed-width little-endian integers within the limit.
const CONFIG: Config = bincode::config::standard()
    .with_little_endian()
    .with_fixed_int_encoding()
    .with_limit::<FRAME_BYTES_MAX>();

/// The bytes of a value of ours.
pub(crate) fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    let bytes = bincode::serde::encode_to_vec(value, CONFIG);
    debug_assert!(
        bytes.is_ok(),
        "our own types have no value that cannot be encoded"
    );
    // Nothing decodes from no bytes, so a failure could only lose the message.
    bytes.unwrap_or_default()
}

/// The value that has exactly these bytes.
pub(crate) fn decode<'de, T: Serialize + Deserialize<'de>>(
    bytes: &'de [u8],
) -> Result<T, DecodeError> {
    if bytes.len() > FRAME_BYTES_MAX {
        return Err(DecodeError::TooLong { bytes: bytes.len() });
    }
    let (value, used) = match bincode::serde::borrow_decode_from_slice::<T, _>(bytes, CONFIG) {
        Ok(decoded) => decoded,
        Err(_why) => return Err(DecodeError::Malformed),
    };
    if used < bytes.len() {
        return Err(DecodeError::Trailing {
            bytes: bytes.len().saturating_sub(used),
        });
    }
    if encode(&value) != bytes {
        return Err(DecodeError::NotCanonical);
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_fixed_width_and_little_endian() {
        assert_eq!(encode(&(0x0102_u16, 5_u64)), [2, 1, 5, 0, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn trailing_missing_and_oversized_bytes_are_refused() {
        let bytes = encode(&7_u32);

        let longer = [bytes.as_slice(), &[0]].concat();

        assert_eq!(decode::<u32>(&bytes), Ok(7));
        assert_eq!(
            decode::<u32>(&longer),
            Err(DecodeError::Trailing { bytes: 1 })
        );
        assert_eq!(decode::<u64>(&bytes), Err(DecodeError::Malformed));
        assert_eq!(
            decode::<u32>(&vec![0; FRAME_BYTES_MAX + 1]),
            Err(DecodeError::TooLong {
                bytes: FRAME_BYTES_MAX + 1
            })
        );
    }

    #[test]
    fn a_length_beyond_the_input_costs_no_memory_and_is_refused() {
        let claim = encode(&u64::MAX);

        assert_eq!(decode::<Vec<u64>>(&claim), Err(DecodeError::Malformed));
    }
}
