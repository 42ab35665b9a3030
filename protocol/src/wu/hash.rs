//! h1 to h4 and h: SHA-256 under one label each (W-2).

use sha2::{Digest as _, Sha256};

use crate::meter::Meter;
use crate::papers;
pub(super) use crate::papers::xor;

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
    pub(super) fn of(self, meter: &impl Meter, fields: &[&[u8]]) -> [u8; 32] {
        let label = match self {
            Self::H => "wu2021/h",
            Self::H1 => "wu2021/h1",
            Self::H2 => "wu2021/h2",
            Self::H3 => "wu2021/h3",
        };
        papers::digest(meter, Sha256::new_with_prefix(label), fields)
    }
}
