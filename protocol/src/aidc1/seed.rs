//! The seed of a patient's credential and the three keys that it stands for.

use core::fmt;

use contract::{Aid, PublicKey, SuiteId};
use ed25519_dalek::SigningKey;

use super::dh::Exponent;
use super::kdf::Extracted;
use super::statement::Signer;
use crate::secret::Secret;

/// Bytes of a seed.
pub const SEED_BYTES: usize = 32;

/// HKDF's salt for everything that comes out of a seed.
pub(crate) const SALT: &[u8] = b"aidc1/seed";

/// The one secret of a patient's credential: 32 bytes from the terminal's generator,
/// sealed under what she has, knows and is. All her keys follow from it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Seed(Secret<SEED_BYTES>);

impl Seed {
    /// The seed of these bytes.
    pub const fn new(bytes: Secret<SEED_BYTES>) -> Self {
        Self(bytes)
    }

    /// The bytes, for sealing them.
    pub const fn expose(&self) -> &[u8; SEED_BYTES] {
        self.0.expose()
    }

    /// HKDF-Extract(salt "aidc1/seed", seed), from which every key of the seed is expanded.
    pub(crate) fn extracted(&self) -> Extracted {
        Extracted::new(SALT, self.0.expose())
    }

    /// The patient's keys.
    pub fn keys(&self) -> Keys {
        let prk = self.extracted();
        let dh = Exponent::from_seed(&prk.expand(&[b"dh"]));
        let sig = SigningKey::from_bytes(prk.expand::<32>(&[b"sig"]).expose());
        let pk_sig = PublicKey::new(sig.verifying_key().to_bytes());
        Keys {
            aid: Aid::of_keys(SuiteId::AIDC_1, dh.public(), &pk_sig),
            dh,
            sig,
            pk_sig,
            hedge: prk.expand(&[b"hedge"]),
        }
    }
}

/// A patient's keys. What is secret in it is wiped when dropped.
#[derive(Clone)]
pub struct Keys {
    /// The AID that names exactly the two public keys.
    aid: Aid,
    /// a.
    dh: Exponent,
    /// Signs tagged hashes, never bytes that another party composed.
    sig: SigningKey,
    /// The public half of `sig`.
    pk_sig: PublicKey,
    /// Enters every ephemeral, so that a bad generator alone betrays nothing.
    hedge: Secret<32>,
}

impl Keys {
    /// The AID of these keys.
    pub const fn aid(&self) -> &Aid {
        &self.aid
    }

    /// secp256k1: the key of the handshake.
    pub const fn pk_dh(&self) -> &PublicKey {
        self.dh.public()
    }

    /// Ed25519: the key of the statements.
    pub const fn pk_sig(&self) -> &PublicKey {
        &self.pk_sig
    }

    /// AID and `pk_sig`, as a statement names them.
    pub(crate) const fn public(&self) -> Signer {
        Signer {
            aid: self.aid,
            pk_sig: self.pk_sig,
        }
    }

    /// a, the exponent of the handshake.
    pub(crate) const fn dh(&self) -> &Exponent {
        &self.dh
    }

    /// The key that signs statements, for digests that this crate itself composed.
    pub(crate) const fn sig(&self) -> &SigningKey {
        &self.sig
    }

    /// The hedge.
    pub(crate) const fn hedge(&self) -> &Secret<32> {
        &self.hedge
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({:?}, redacted)", self.aid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_keys_and_another_gives_others() {
        let keys = Seed::new(Secret::new([1; 32])).keys();
        let again = Seed::new(Secret::new([1; 32])).keys();
        let other = Seed::new(Secret::new([2; 32])).keys();

        assert_eq!(keys.aid(), again.aid());
        assert_ne!(keys.pk_dh(), other.pk_dh());
        assert_ne!(keys.pk_sig(), other.pk_sig());
        assert_eq!(
            keys.aid(),
            &Aid::of_keys(SuiteId::AIDC_1, keys.pk_dh(), keys.pk_sig())
        );
    }

    #[test]
    fn debug_shows_no_byte_of_a_seed_or_key() {
        let seed = Seed::new(Secret::new([0xAB; 32]));

        assert_eq!(format!("{seed:?}"), "Seed(Secret<32>(redacted))");
        assert!(format!("{:?}", seed.keys()).ends_with(", redacted)"));
    }
}
