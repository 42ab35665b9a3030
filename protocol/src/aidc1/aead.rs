//! ChaCha20-Poly1305 (RFC 8439) with nonce 0: every key seals one message.

use core::fmt;

use chacha20poly1305::aead::inout::InOutBuf;
use chacha20poly1305::{AeadInOut as _, ChaCha20Poly1305, KeyInit as _, Nonce, Tag};
use zeroize::Zeroize as _;

use crate::secret::Secret;

/// Bytes of an authenticator.
pub const TAG_BYTES: usize = 16;

/// A key for one message. It is spent by sealing or opening it.
pub(crate) struct OnceKey(Secret<32>);

impl OnceKey {
    /// The key of these bytes, of which nobody else makes another.
    pub(crate) const fn new(bytes: Secret<32>) -> Self {
        Self(bytes)
    }

    /// Seals the one message of this key.
    #[expect(
        clippy::expect_used,
        reason = "the only error is a message of 256 GB, and N bytes lie on the stack"
    )]
    pub(crate) fn seal<const N: usize>(self, ad: &[u8], message: &[u8; N]) -> Sealed<N> {
        let mut body = *message;
        let tag = self
            .cipher()
            .encrypt_inout_detached(&Nonce::default(), ad, InOutBuf::from(body.as_mut_slice()))
            .expect("the message is shorter than 256 GB");
        Sealed {
            body,
            tag: tag.into(),
        }
    }

    /// Opens the one message of this key; `None` if it is not what was sealed.
    pub(crate) fn open<const N: usize>(self, ad: &[u8], sealed: &Sealed<N>) -> Option<Secret<N>> {
        let mut body = sealed.body;
        let opened = self.cipher().decrypt_inout_detached(
            &Nonce::default(),
            ad,
            InOutBuf::from(body.as_mut_slice()),
            &Tag::from(sealed.tag),
        );
        let message = opened.is_ok().then(|| Secret::new(body));
        body.zeroize();
        message
    }

    fn cipher(&self) -> ChaCha20Poly1305 {
        ChaCha20Poly1305::new(self.0.expose().into())
    }
}

impl fmt::Debug for OnceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnceKey(redacted)")
    }
}

/// A sealed message of `N` bytes: as many bytes of ciphertext, and the authenticator.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sealed<const N: usize> {
    /// The ciphertext.
    body: [u8; N],
    /// The authenticator.
    tag: [u8; TAG_BYTES],
}

impl<const N: usize> Sealed<N> {
    /// A sealed message as it came.
    pub const fn new(body: [u8; N], tag: [u8; TAG_BYTES]) -> Self {
        Self { body, tag }
    }

    /// Ciphertext and authenticator, in the order in which they travel.
    pub const fn parts(&self) -> [&[u8]; 2] {
        [&self.body, &self.tag]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> OnceKey {
        OnceKey::new(Secret::new([7; 32]))
    }

    #[test]
    fn what_was_sealed_opens_under_its_key_and_data_alone() {
        let sealed = key().seal(b"data", b"message");
        let other = OnceKey::new(Secret::new([8; 32]));

        let opened = key().open(b"data", &sealed).unwrap();
        assert_eq!(opened.expose(), b"message");
        assert_eq!(key().open(b"Data", &sealed), None);
        assert_eq!(other.open(b"data", &sealed), None);
    }

    #[test]
    fn no_bit_of_a_sealed_message_can_be_changed() {
        let sealed = key().seal(b"data", b"message");

        for bit in 0..sealed.body.len() * 8 {
            let mut changed = sealed;
            changed.body[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(key().open(b"data", &changed), None, "bit {bit}");
        }
        for bit in 0..TAG_BYTES * 8 {
            let mut changed = sealed;
            changed.tag[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(key().open(b"data", &changed), None, "bit {bit} of the tag");
        }
    }

    #[test]
    fn a_key_is_not_printed() {
        assert_eq!(format!("{:?}", key()), "OnceKey(redacted)");
    }
}
