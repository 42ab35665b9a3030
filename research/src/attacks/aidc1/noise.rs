//! AIDC-1 as an attacker writes it himself out of `docs/aidc1.md`: Noise's running state, and how keys come of secrets.

use chacha20poly1305::aead::inout::InOutBuf;
use chacha20poly1305::{AeadInOut as _, ChaCha20Poly1305, KeyInit as _, Nonce, Tag};
use contract::{ChainId, ServerRecord};
use hkdf::Hkdf;
use k256::U256;
use k256::elliptic_curve::bigint::{NonZero, U384};
use sha2::{Digest as _, Sha256};

use crate::attacks::arithmetic::{Number, plain};

/// The order of the group, less one.
const ORDER_MINUS_ONE: NonZero<U256> = NonZero::<U256>::new_unwrap(U256::from_be_hex(
    "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140",
));

/// HKDF-SHA-256: extracted from salt and secret, expanded to N bytes.
pub(super) fn hkdf<const N: usize>((salt, secret): (&[u8], &[u8]), info: &[&[u8]]) -> [u8; N] {
    let mut bytes = [0; N];
    let expanded = Hkdf::<Sha256>::new(Some(salt), secret).expand_multi_info(info, &mut bytes);
    debug_assert!(expanded.is_ok(), "48 or 64 bytes are two blocks");
    bytes
}

/// 1 + (48 bytes mod (q − 1)).
pub(super) fn exponent(wide: &[u8; 48]) -> Option<Number> {
    let below = U384::from_be_slice(wide).rem_vartime(&ORDER_MINUS_ONE);
    Number::from_bytes(&below.wrapping_add(&U256::ONE).to_be_bytes().into())
}

/// ChaCha20-Poly1305 under a key that is used once.
pub(super) fn seal(key: &[u8; 32], ad: &[u8], message: &[u8]) -> Vec<u8> {
    let mut sealed = message.to_vec();
    let cipher = ChaCha20Poly1305::new(key.into());
    let body = InOutBuf::from(sealed.as_mut_slice());
    let tag = cipher.encrypt_inout_detached(&Nonce::default(), ad, body);
    // The only error is a message of 256 GB.
    sealed.extend(tag.unwrap_or_default());
    sealed
}

/// What was sealed so.
pub(super) fn open(key: &[u8; 32], ad: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let (body, tag) = sealed.split_last_chunk::<16>()?;
    let mut message = body.to_vec();
    let cipher = ChaCha20Poly1305::new(key.into());
    let body = InOutBuf::from(message.as_mut_slice());
    let opened = cipher.decrypt_inout_detached(&Nonce::default(), ad, body, &Tag::from(*tag));
    opened.is_ok().then_some(message)
}

/// The running state (ck, h).
#[derive(Clone)]
pub(super) struct Noise {
    ck: [u8; 32],
    h: [u8; 32],
}

impl Noise {
    /// Where every handshake with a server's record begins.
    pub(super) fn start(chain: &ChainId, record: &ServerRecord) -> Self {
        let name = plain(&[b"AIDC1_IK_secp256k1x_ChaChaPoly_SHA256"]);
        let mut state = Self { ck: name, h: name };
        let (server, digest) = (record.server_id.as_bytes(), record.digest());
        state.mix_hash(&[b"aidc1/prologue", chain.as_bytes(), server, &digest]);
        state.mix_hash(&[record.dh_epoch_key.as_bytes()]);
        state
    }

    pub(super) fn mix_hash(&mut self, parts: &[&[u8]]) {
        let hash = Sha256::new_with_prefix(self.h);
        let hash = parts.iter().fold(hash, sha2::Digest::chain_update);
        self.h = hash.finalize().into();
    }

    /// The key for the next message.
    pub(super) fn mix_key(&mut self, secret: &[u8; 32]) -> [u8; 32] {
        let output: [u8; 64] = hkdf((&self.ck, secret), &[]);
        let (ck, key) = output.split_at(32);
        self.ck.copy_from_slice(ck);
        let mut next = [0; 32];
        next.copy_from_slice(key);
        next
    }

    pub(super) fn seal(&mut self, key: &[u8; 32], message: &[u8]) -> Vec<u8> {
        let sealed = seal(key, &self.h, message);
        self.mix_hash(&[&sealed]);
        sealed
    }

    pub(super) fn open(&mut self, key: &[u8; 32], sealed: &[u8]) -> Option<Vec<u8>> {
        let message = open(key, &self.h, sealed)?;
        self.mix_hash(&[sealed]);
        Some(message)
    }

    /// sid, once M4 is mixed in.
    pub(super) const fn sid(&self) -> &[u8; 32] {
        &self.h
    }

    /// A key at the end, by its label.
    pub(super) fn end(&self, label: &[&[u8]]) -> [u8; 32] {
        hkdf((&self.ck, &self.h), label)
    }
}
