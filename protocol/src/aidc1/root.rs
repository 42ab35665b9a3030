//! The two secrets of a terminal, the device's and the patient's, and what comes of them.

use core::fmt;

use contract::PublicKey;
use ed25519_dalek::SigningKey;
use rand_core::CryptoRng;
use zeroize::Zeroize as _;

use super::kdf::Extracted;
use super::seed::{SALT, Seed};
use crate::fuzzy::hmac;
use crate::secret::Secret;

/// AIDs of one patient at a time (R0): she shows another one to each server.
pub const AIDS: usize = 16;

/// Names one of a patient's AIDs: 0 to 15.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct AidIndex(u8);

impl AidIndex {
    /// The AID that the card shows.
    pub const FIRST: Self = Self(0);

    /// The index of this number, if there is one.
    pub fn new(number: u8) -> Option<Self> {
        (usize::from(number) < AIDS).then_some(Self(number))
    }

    /// All of them, in order.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..).map_while(Self::new)
    }

    /// The number.
    pub const fn get(self) -> u8 {
        self.0
    }
}

/// Names one enrolment at the evaluators; new whenever password, face or device change.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Handle([u8; Self::BYTES]);

impl Handle {
    /// Bytes of a handle.
    pub const BYTES: usize = 16;

    /// The handle of these bytes.
    pub const fn new(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// A fresh handle. Draws 16 bytes.
    pub fn draw(rng: &mut impl CryptoRng) -> Self {
        let mut bytes = [0; Self::BYTES];
        rng.fill_bytes(&mut bytes);
        Self(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }
}

impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Handle({self})")
    }
}

/// `d`: the secret of a device, kept in its keystore and never on the card.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeviceSecret(Secret<32>);

impl DeviceSecret {
    /// The secret of these bytes.
    pub const fn new(bytes: Secret<32>) -> Self {
        Self(bytes)
    }

    /// A fresh one. Draws 32 bytes.
    pub fn draw(rng: &mut impl CryptoRng) -> Self {
        Self(draw(rng))
    }

    /// The bytes, for the keystore.
    pub const fn expose(&self) -> &[u8; 32] {
        self.0.expose()
    }

    /// The public half of `dev`, which goes to the RC and the evaluators.
    pub fn public(&self) -> PublicKey {
        public_of(&self.key())
    }

    /// `dev`: signs evaluation requests.
    pub(super) fn key(&self) -> SigningKey {
        signing_key(&self.expand(b"aidc1/device"))
    }

    /// The tag of a card's bytes: HMAC-SHA-256.
    pub(super) fn card_tag(&self, bytes: &[u8]) -> Secret<32> {
        Secret::new(*hmac(self.expand(b"aidc1/card").expose(), &[bytes]))
    }

    fn expand(&self, info: &[u8]) -> Secret<32> {
        Extracted::new(&[], self.0.expose()).expand(&[info])
    }
}

/// The one secret behind all keys of a patient: 32 bytes, sealed under what she has,
/// knows and is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Root(Secret<32>);

impl Root {
    /// The root of these bytes.
    pub const fn new(bytes: Secret<32>) -> Self {
        Self(bytes)
    }

    /// A fresh one. Draws 32 bytes.
    pub fn draw(rng: &mut impl CryptoRng) -> Self {
        Self(draw(rng))
    }

    /// The bytes, for sealing them.
    pub(super) const fn expose(&self) -> &[u8; 32] {
        self.0.expose()
    }

    /// The seed of one of the AIDs.
    pub fn seed(&self, index: AidIndex) -> Seed {
        Seed::new(self.expand(&[b"aidc1/index", &[index.get()]]))
    }

    /// The public half of `confirm`, which goes to the evaluators.
    pub fn confirm_public(&self, handle: &Handle) -> PublicKey {
        public_of(&self.confirm_key(handle))
    }

    /// `confirm`: tells the evaluators that the lock opened, and signs a change of it.
    pub(super) fn confirm_key(&self, handle: &Handle) -> SigningKey {
        signing_key(&self.expand(&[b"aidc1/confirm", handle.as_bytes()]))
    }

    /// The key under which identity and salts lie on the card, for one writing of it.
    pub(super) fn identity_key(&self, nonce: &[u8; 32]) -> Secret<32> {
        self.expand(&[b"aidc1/identity", nonce])
    }

    fn expand(&self, info: &[&[u8]]) -> Secret<32> {
        Extracted::new(SALT, self.0.expose()).expand(info)
    }
}

/// The Ed25519 key of a secret.
pub(super) fn signing_key(secret: &Secret<32>) -> SigningKey {
    SigningKey::from_bytes(secret.expose())
}

/// The public half.
pub(super) fn public_of(key: &SigningKey) -> PublicKey {
    PublicKey::new(key.verifying_key().to_bytes())
}

/// Random bytes.
pub(super) fn draw<const N: usize>(rng: &mut impl CryptoRng) -> Secret<N> {
    let mut bytes = [0; N];
    rng.fill_bytes(&mut bytes);
    let secret = Secret::new(bytes);
    bytes.zeroize();
    secret
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_sixteen_aids_and_no_two_are_alike() {
        let root = Root::new(Secret::new([1; 32]));
        let mut aids: Vec<_> = AidIndex::all()
            .map(|index| *root.seed(index).keys().aid())
            .collect();

        aids.sort();
        aids.dedup();

        assert_eq!(aids.len(), AIDS);
        assert_eq!(AidIndex::new(16), None);
    }

    #[test]
    fn a_handle_has_a_confirm_key_of_its_own() {
        let root = Root::new(Secret::new([1; 32]));

        assert_ne!(
            root.confirm_public(&Handle::new([1; 16])),
            root.confirm_public(&Handle::new([2; 16]))
        );
    }

    #[test]
    fn debug_shows_no_byte_of_device_or_root() {
        let shown = format!(
            "{:?} {:?}",
            DeviceSecret::new(Secret::new([0xAB; 32])),
            Root::new(Secret::new([0xAB; 32]))
        );

        assert_eq!(
            shown,
            "DeviceSecret(Secret<32>(redacted)) Root(Secret<32>(redacted))"
        );
    }
}
