//! The rules by which a signature counts: one for each kind, the same at every node.
//!
//! A verdict is a pure function of key, message and signature, so that no two nodes can
//! differ. Authors' signatures and proofs of possession: `verify_strict` on a canonically
//! encoded key, one at a time. Patients' statements, which come in hundreds: [`Statement`].

mod statement;

use ed25519_dalek::{Signature, VerifyingKey};
use k256::schnorr;

use crate::identity::{PublicKey, SignatureBytes};

pub use statement::{Statement, first_false};

/// Whether this Ed25519 signature counts.
pub fn is_valid(key: &PublicKey, message: &[u8], signature: &SignatureBytes) -> bool {
    let Some(key) = decode_key(key) else {
        return false;
    };
    let signature = Signature::from_bytes(&signature.to_bytes());
    key.verify_strict(message, &signature).is_ok()
}

/// Whether an Ed25519 key may be admitted: canonical, not weak, in the prime-order group.
pub fn is_admissible(key: &PublicKey) -> bool {
    decode_key(key).is_some_and(|key| !key.is_weak() && key.to_edwards().is_torsion_free())
}

/// Whether these 32 bytes are the x-coordinate of a secp256k1 point.
pub fn is_dh_key(key: &PublicKey) -> bool {
    schnorr::VerifyingKey::from_slice(key.as_bytes()).is_ok()
}

/// Whether this BIP-340 signature over a 32-byte digest counts.
pub(crate) fn is_valid_bip340(
    key: &PublicKey,
    digest: &[u8; 32],
    signature: &SignatureBytes,
) -> bool {
    let Ok(key) = schnorr::VerifyingKey::from_slice(key.as_bytes()) else {
        return false;
    };
    let Ok(signature) = schnorr::Signature::try_from(signature.to_bytes().as_slice()) else {
        return false;
    };
    key.verify_raw(digest, &signature).is_ok()
}

/// The point of a key, if it is written in the one canonical way.
fn decode_key(key: &PublicKey) -> Option<VerifyingKey> {
    is_below_p(key.as_bytes()).then_some(())?;
    VerifyingKey::from_bytes(key.as_bytes()).ok()
}

/// Whether the y-coordinate is below p = 2^255 − 19; the decoder reduces it otherwise.
fn is_below_p(bytes: &[u8; 32]) -> bool {
    let [first, middle @ .., last] = bytes;
    let all_ones = last & 0x7f == 0x7f && middle.iter().all(|byte| *byte == 0xff);
    !(all_ones && *first >= 0xed)
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signer as _, SigningKey};

    use super::*;

    fn key_of(signer: &SigningKey) -> PublicKey {
        PublicKey::new(signer.verifying_key().to_bytes())
    }

    #[test]
    fn a_signature_counts_for_its_key_and_message_only() {
        let signer = SigningKey::from_bytes(&[1; 32]);
        let stranger = SigningKey::from_bytes(&[2; 32]);
        let signature = SignatureBytes::new(signer.sign(b"m").to_bytes());

        assert!(is_valid(&key_of(&signer), b"m", &signature));
        assert!(!is_valid(&key_of(&signer), b"n", &signature));
        assert!(!is_valid(&key_of(&stranger), b"m", &signature));
    }

    #[test]
    fn a_scalar_beyond_the_group_order_is_refused() {
        let signer = SigningKey::from_bytes(&[1; 32]);
        let mut bytes = signer.sign(b"m").to_bytes();
        let order = hex::decode("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010")
            .unwrap();
        let mut carry = 0_u16;
        for (byte, add) in bytes[32..].iter_mut().zip(order) {
            let sum = u16::from(*byte) + u16::from(add) + carry;
            *byte = u8::try_from(sum & 0xff).unwrap();
            carry = sum >> 8;
        }

        assert!(!is_valid(
            &key_of(&signer),
            b"m",
            &SignatureBytes::new(bytes)
        ));
    }

    #[test]
    fn weak_mixed_and_non_canonical_keys_are_not_admitted() {
        let good = key_of(&SigningKey::from_bytes(&[3; 32]));
        let identity = {
            let mut bytes = [0; 32];
            bytes[0] = 1;
            PublicKey::new(bytes)
        };
        let order_two_text = format!("ec{}7f", "ff".repeat(30));
        let non_canonical_text = format!("ee{}7f", "ff".repeat(30));

        assert!(is_admissible(&good));
        assert!(!is_admissible(&identity));
        assert!(!is_admissible(&order_two_text.parse().unwrap()));
        assert!(!is_admissible(&non_canonical_text.parse().unwrap()));
    }

    #[test]
    fn no_second_encoding_of_a_point_is_admitted_or_counts() {
        let mut second_encodings = 0;
        for low in 0xed..=0xff_u8 {
            for last in [0x7f, 0xff] {
                let mut bytes = [0xff; 32];
                bytes[0] = low;
                bytes[31] = last;
                second_encodings += u32::from(VerifyingKey::from_bytes(&bytes).is_ok());

                assert!(decode_key(&PublicKey::new(bytes)).is_none(), "{low:x}");
            }
        }

        assert!(second_encodings > 0, "the decoder alone takes some of them");
    }

    #[test]
    fn a_key_with_a_torsion_part_is_not_admitted() {
        let good = SigningKey::from_bytes(&[3; 32]).verifying_key();
        let order_two =
            VerifyingKey::from_bytes(order_two_bytes().first_chunk().expect("32 bytes")).unwrap();
        let mixed = good.to_edwards() + order_two.to_edwards();

        assert!(!is_admissible(&PublicKey::new(mixed.compress().to_bytes())));
    }

    fn order_two_bytes() -> Vec<u8> {
        hex::decode(format!("ec{}7f", "ff".repeat(30))).unwrap()
    }
}
