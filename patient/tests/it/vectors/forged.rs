//! Signatures and keys that a lax verifier takes and a strict one refuses.

use contract::identity::SignatureBytes;
use curve25519_dalek::Scalar;
use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION};
use ed25519_dalek::SigningKey;
use sha2::{Digest as _, Sha512};

/// The order of the base point, little-endian.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// The neutral element, which is a key of order 1.
pub(crate) const SMALL_ORDER_KEY: [u8; 32] = {
    let mut key = [0; 32];
    key[0] = 1;
    key
};

/// The same signature with S + L in place of S: the same number, another encoding.
pub(crate) fn with_large_s(signature: SignatureBytes) -> SignatureBytes {
    let mut bytes = signature.to_bytes();
    let mut carry = 0;
    for (byte, order) in bytes[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        *byte = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    SignatureBytes::new(bytes)
}

/// A signature with the neutral element as R, which satisfies the equation and hides that the signer used no nonce.
pub(crate) fn with_small_r(key: &SigningKey, message: &[u8]) -> SignatureBytes {
    let mut hash = Sha512::new();
    hash.update(SMALL_ORDER_KEY);
    hash.update(key.verifying_key().as_bytes());
    hash.update(message);
    let challenge = Scalar::from_bytes_mod_order_wide(&hash.finalize().into());
    let s = challenge * key.to_scalar();
    let mut bytes = [0; 64];
    bytes[..32].copy_from_slice(&SMALL_ORDER_KEY);
    bytes[32..].copy_from_slice(s.as_bytes());
    SignatureBytes::new(bytes)
}

/// A signature whose R has a part of order eight beside its ordinary one; only the equation with the cofactor holds.
pub(crate) fn with_mixed_r(key: &SigningKey, message: &[u8]) -> SignatureBytes {
    let nonce = Scalar::from_bytes_mod_order([0x5a; 32]);
    let point = (ED25519_BASEPOINT_POINT * nonce + EIGHT_TORSION[1]).compress();
    let mut hash = Sha512::new();
    hash.update(point.as_bytes());
    hash.update(key.verifying_key().as_bytes());
    hash.update(message);
    let challenge = Scalar::from_bytes_mod_order_wide(&hash.finalize().into());
    let s = nonce + challenge * key.to_scalar();
    let mut bytes = [0; 64];
    bytes[..32].copy_from_slice(point.as_bytes());
    bytes[32..].copy_from_slice(s.as_bytes());
    SignatureBytes::new(bytes)
}

/// A signature that the neutral element as a key verifies for every message: R = neutral, S = 0.
pub(crate) fn of_small_order_key() -> SignatureBytes {
    let mut bytes = [0; 64];
    bytes[0] = 1;
    SignatureBytes::new(bytes)
}
