//! Signatures in the simulator: a keyed hash for speed, and real Ed25519 now and then.

use consensus::{Ed25519, PublicKey, Scheme, Signature};

/// A scheme whose member keys the simulator can make.
pub trait SimulatedScheme: Scheme + Sized {
    /// Whether checking is so slow that all nodes of a cluster share what they have checked:
    /// each signature is checked all the same, by whoever sees it first.
    const SHARED: bool;

    /// The key of a member.
    fn of_member(member: u16) -> Self;
}

impl SimulatedScheme for Ed25519 {
    const SHARED: bool = true;

    fn of_member(member: u16) -> Self {
        let mut seed = [0x5a; 32];
        seed[..2].copy_from_slice(&member.to_le_bytes());
        Self::from_seed(&seed)
    }
}

/// A keyed hash. Whoever knows a public key could sign with it, so it proves nothing outside
/// of a simulation, where adversaries are given their own keys only.
#[derive(Clone, Copy, Debug)]
pub struct KeyedHash(PublicKey);

impl SimulatedScheme for KeyedHash {
    const SHARED: bool = false;

    fn of_member(member: u16) -> Self {
        let mut key = [0xa5; 32];
        key[..2].copy_from_slice(&member.to_le_bytes());
        Self(PublicKey::new(key))
    }
}

impl Scheme for KeyedHash {
    type Key = PublicKey;

    fn public(&self) -> PublicKey {
        self.0
    }

    fn sign(&self, message: &[u8]) -> Signature {
        keyed(&self.0, message)
    }

    fn prepare(key: &PublicKey) -> Option<PublicKey> {
        Some(*key)
    }

    fn verify(key: &PublicKey, message: &[u8], signature: &Signature) -> bool {
        keyed(key, message) == *signature
    }
}

/// Two lanes of multiply and rotate over eight bytes at a time.
fn keyed(key: &PublicKey, message: &[u8]) -> Signature {
    let mut lanes = [0x9e37_79b9_7f4a_7c15_u64, 0xc2b2_ae3d_27d4_eb4f];
    for chunk in key.as_bytes().chunks(8).chain(message.chunks(8)) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        let word = u64::from_le_bytes(word);
        lanes[0] = (lanes[0] ^ word)
            .wrapping_mul(0xff51_afd7_ed55_8ccd)
            .rotate_left(31);
        lanes[1] = (lanes[1].rotate_left(27) ^ lanes[0]).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    }
    let mut bytes = [0; 64];
    bytes[..8].copy_from_slice(&lanes[0].to_le_bytes());
    bytes[8..16].copy_from_slice(&lanes[1].to_le_bytes());
    Signature::new(&bytes)
}
