//! Byte strings that nobody may print, compare carelessly or leave behind.

use core::fmt;

use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// `N` secret bytes: wiped when dropped, redacted in `Debug`, compared in
/// constant time, readable only by asking aloud.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Secret<const N: usize>([u8; N]);

impl<const N: usize> Secret<N> {
    /// Takes the bytes into custody. The caller's own copy is the caller's to wipe.
    pub const fn new(bytes: [u8; N]) -> Self {
        Self(bytes)
    }

    /// The bytes, for whoever has a reason.
    pub const fn expose(&self) -> &[u8; N] {
        &self.0
    }
}

impl<const N: usize> PartialEq for Secret<N> {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl<const N: usize> Eq for Secret<N> {}

impl<const N: usize> fmt::Debug for Secret<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret<{N}>(redacted)")
    }
}

/// The key that patient and server share after a handshake (`K_ij` of the paper).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionKey(Secret<32>);

impl SessionKey {
    /// The key made of these bytes.
    pub(crate) const fn new(bytes: Secret<32>) -> Self {
        Self(bytes)
    }

    /// The bytes, for whoever has a reason.
    pub const fn expose(&self) -> &[u8; 32] {
        self.0.expose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_byte_of_a_secret() {
        let key = SessionKey::new(Secret::new([0xAB; 32]));

        let shown = format!("{key:?}");

        assert_eq!(shown, "SessionKey(Secret<32>(redacted))");
    }

    #[test]
    fn secrets_are_equal_exactly_when_their_bytes_are() {
        let mut bytes = [7; 32];
        let one = Secret::new(bytes);

        assert_eq!(one, Secret::new(bytes));
        bytes[31] ^= 1;
        assert_ne!(one, Secret::new(bytes));
    }
}
