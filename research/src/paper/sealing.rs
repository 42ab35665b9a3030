//! HKDF-SHA-256 and ChaCha20-Poly1305 with nonce 0, as AIDC-1 and the encryption of \[24\]'s operation mix use them.

use chacha20poly1305::aead::inout::InOutBuf;
use chacha20poly1305::{AeadInOut as _, ChaCha20Poly1305, KeyInit as _, Nonce, Tag};
use hkdf::Hkdf;
use sha2::Sha256;

/// Bytes of an authenticator.
const TAG_BYTES: usize = 16;

/// HKDF-Extract and one HKDF-Expand; `None` if so many bytes are more than HKDF gives.
pub(super) fn derive<const N: usize>(salt: &[u8], ikm: &[u8], info: &[&[u8]]) -> Option<[u8; N]> {
    expand(&Hkdf::new(Some(salt), ikm), info)
}

/// HKDF-Expand.
pub(super) fn expand<const N: usize>(prk: &Hkdf<Sha256>, info: &[&[u8]]) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    prk.expand_multi_info(info, &mut bytes).ok()?;
    Some(bytes)
}

/// The sealed message: ciphertext and authenticator.
pub(super) fn seal(key: &[u8; 32], ad: &[u8], message: &[u8]) -> Option<Vec<u8>> {
    let mut body = message.to_vec();
    let tag = ChaCha20Poly1305::new(key.into())
        .encrypt_inout_detached(&Nonce::default(), ad, InOutBuf::from(body.as_mut_slice()))
        .ok()?;
    body.extend(<[u8; TAG_BYTES]>::from(tag));
    Some(body)
}

/// The message that was sealed, if it was.
pub(super) fn open(key: &[u8; 32], ad: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let (body, tag) = sealed.split_last_chunk::<TAG_BYTES>()?;
    let mut body = body.to_vec();
    ChaCha20Poly1305::new(key.into())
        .decrypt_inout_detached(
            &Nonce::default(),
            ad,
            InOutBuf::from(body.as_mut_slice()),
            &Tag::from(*tag),
        )
        .ok()?;
    Some(body)
}
