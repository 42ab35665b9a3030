//! SHA-256 under a label, so that no two uses of it share an input.

use sha2::{Digest as _, Sha256};

/// SHA-256(label ‖ 0x00 ‖ parts), the ledger's digests (CONSENSUS.md §3).
pub(crate) fn labelled(label: &str, parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(label.as_bytes());
    hash.update([0]);
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

/// SHA-256(parts), for the formulas that write their label without a zero byte.
pub(crate) fn plain(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}
