//! h and ⊕ as both papers use them: SHA-256 over fields that are kept apart, and strings of equal length.

use sha2::{Digest, Sha256};

use crate::meter::{Meter, Operation};

/// Finishes a hash with these fields, each behind its length in two bytes, so that no two lists of fields give the same
/// bytes.
pub(crate) fn digest(meter: &impl Meter, mut hash: Sha256, fields: &[&[u8]]) -> [u8; 32] {
    meter.count(Operation::Hash);
    for field in fields {
        debug_assert!(u16::try_from(field.len()).is_ok(), "no field is that long");
        let length = u16::try_from(field.len()).unwrap_or(u16::MAX);
        hash.update(length.to_be_bytes());
        hash.update(field);
    }
    hash.finalize().into()
}

/// ⊕ of two strings of equal length.
pub(crate) fn xor(meter: &impl Meter, a: &[u8; 32], b: &[u8; 32]) -> [u8; 32] {
    meter.count(Operation::Xor);
    let mut sum = *a;
    for (mine, theirs) in sum.iter_mut().zip(b) {
        *mine ^= theirs;
    }
    sum
}
