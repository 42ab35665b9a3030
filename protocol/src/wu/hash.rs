//! h1 to h4 and h: SHA-256 under one label each (W-2).

use sha2::{Digest, Sha256};

/// One of the paper's hash functions. h4 is published and used nowhere, there as here.
#[derive(Clone, Copy)]
pub(super) enum Hash {
    /// h of `h(ID)` and `h(PP)`.
    H,
    /// h1, and the undeclared h of `V'_u`.
    H1,
    /// h2.
    H2,
    /// h3.
    H3,
}

impl Hash {
    /// The hash of the fields, each behind its length, so that no two lists of
    /// fields give the same bytes.
    pub(super) fn of(self, fields: &[&[u8]]) -> [u8; 32] {
        let label = match self {
            Self::H => "wu2021/h",
            Self::H1 => "wu2021/h1",
            Self::H2 => "wu2021/h2",
            Self::H3 => "wu2021/h3",
        };
        let mut hash = Sha256::new_with_prefix(label);
        for field in fields {
            debug_assert!(u16::try_from(field.len()).is_ok(), "no field is that long");
            let length = u16::try_from(field.len()).unwrap_or(u16::MAX);
            hash.update(length.to_be_bytes());
            hash.update(field);
        }
        hash.finalize().into()
    }
}

/// ⊕ of two strings of equal length.
pub(super) fn xor(a: &[u8; 32], b: &[u8; 32]) -> [u8; 32] {
    let mut sum = *a;
    for (mine, theirs) in sum.iter_mut().zip(b) {
        *mine ^= theirs;
    }
    sum
}
