//! Patients' statements: one rule, whether they are checked one at a time or many at once.
//!
//! A bundle brings up to 256 of them, and checking them together costs half as much. The
//! verdict must not depend on how a node groups them, or nodes would split. So the equation
//! is the one with the cofactor (ZIP-215), `[8][s]B = [8]R + [8][k]A`: what a point has
//! beside its part of prime order is multiplied away before anything is compared, in one
//! signature as in a sum of many. The equation without the cofactor, and every batch check
//! built on it, sees such a part in one grouping and misses it in another.
//!
//! Beside the equation all that `verify_strict` asks of the bytes is asked here, of each
//! signature by itself: A and R written in the one canonical way and not of small order,
//! s below the group's order. What is left between the two rules is an R (or a key that is
//! not admissible) with a part of small order, which nobody can make but the holder of the
//! key, and only on purpose; docs/adr/0006 says what becomes of it.

use chacha20::{ChaCha20Rng, rand_core::SeedableRng as _};
use ed25519_zebra::{Signature, VerificationKeyBytes, batch};

use super::is_below_p;
use crate::hash;
use crate::identity::{PublicKey, SignatureBytes};

/// The y-coordinates of the eight points of small order: 0, 1, −1, and ± that of order 8.
const SMALL_ORDER: [[u8; 32]; 5] = [
    [0; 32],
    [
        1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0,
    ],
    [
        0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0x7f,
    ],
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
        0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
        0x03, 0x7a,
    ],
];

/// What a patient's key is said to have signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The key, as it is written beside the signature.
    pub key: PublicKey,
    /// The 32 bytes that were signed.
    pub digest: [u8; 32],
    /// The signature.
    pub signature: SignatureBytes,
}

impl Statement {
    /// Whether this signature counts.
    pub fn holds(&self) -> bool {
        self.item().is_some_and(|item| item.verify_single().is_ok())
    }

    /// What can be put to the equation: nothing if the bytes alone decide.
    fn item(&self) -> Option<batch::Item> {
        let bytes = self.signature.to_bytes();
        let (point, _scalar) = bytes.split_first_chunk::<32>()?;
        let may_count = is_plain(self.key.as_bytes()) && is_plain(point);
        may_count.then(|| {
            let key = VerificationKeyBytes::from(*self.key.as_bytes());
            let signature = Signature::from_bytes(&bytes);
            batch::Item::from((key, signature, &self.digest))
        })
    }
}

/// The first of these statements that does not hold; its place does not depend on what is
/// beside it.
pub fn first_false(statements: &[Statement]) -> Option<usize> {
    // One by itself is cheaper alone.
    if statements.len() > 1 && all_hold(statements) {
        return None;
    }
    statements.iter().position(|one| !one.holds())
}

/// Whether all hold, by one equation.
///
/// The factors by which the sum tells the signatures apart must not be known to who makes
/// them. They are drawn from a hash of everything that is checked, so the same statements
/// give the same answer at every node, and a sum that holds by chance costs 2^128 tries.
fn all_hold(statements: &[Statement]) -> bool {
    let mut verifier = batch::Verifier::new();
    for statement in statements {
        let Some(item) = statement.item() else {
            return false;
        };
        verifier.queue(item);
    }
    verifier
        .verify(ChaCha20Rng::from_seed(seed(statements)))
        .is_ok()
}

/// The hash of all that is checked.
fn seed(statements: &[Statement]) -> [u8; 32] {
    let signatures: Vec<[u8; 64]> = statements
        .iter()
        .map(|statement| statement.signature.to_bytes())
        .collect();
    let parts: Vec<&[u8]> = statements
        .iter()
        .zip(&signatures)
        .flat_map(|(statement, signature)| {
            let key: &[u8] = statement.key.as_bytes();
            [key, statement.digest.as_slice(), signature.as_slice()]
        })
        .collect();
    hash::labelled("aidchain/statements", &parts)
}

/// Whether a point is written in the one canonical way and is not of small order.
fn is_plain(bytes: &[u8; 32]) -> bool {
    let mut coordinate = *bytes;
    let [.., last] = &mut coordinate;
    *last &= 0x7f;
    is_below_p(bytes) && !SMALL_ORDER.contains(&coordinate)
}

#[cfg(test)]
mod tests {
    use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION};

    use super::*;

    #[test]
    fn exactly_the_eight_points_of_small_order_are_not_plain() {
        for point in EIGHT_TORSION {
            let mixed = ED25519_BASEPOINT_POINT + point;

            assert!(!is_plain(&point.compress().to_bytes()), "{point:?}");
            assert!(is_plain(&mixed.compress().to_bytes()), "{point:?}");
        }
    }
}
