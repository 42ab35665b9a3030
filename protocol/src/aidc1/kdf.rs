//! HKDF-SHA-256 (RFC 5869), the one way in which AIDC-1 makes keys out of secrets.

use core::fmt;

use hkdf::HkdfExtract;
use sha2::Sha256;
use zeroize::Zeroize as _;

use crate::secret::Secret;

/// The longest output: 255 blocks (RFC 5869, section 2.3).
const OUTPUT_BYTES_MAX: usize = 255 * 32;

/// A pseudorandom key, from which any number of keys can be expanded.
#[derive(Clone)]
pub(crate) struct Extracted(hkdf::Hkdf<Sha256>);

impl Extracted {
    /// HKDF-Extract(salt, ikm).
    pub(crate) fn new(salt: &[u8], ikm: &[u8]) -> Self {
        let mut extract = HkdfExtract::<Sha256>::new(Some(salt));
        extract.input_ikm(ikm);
        let (mut prk, hkdf) = extract.finalize();
        prk.zeroize();
        Self(hkdf)
    }

    /// A key that is pseudorandom already.
    #[expect(
        clippy::expect_used,
        reason = "the only error is a key shorter than a hash, and this one is as long"
    )]
    pub(crate) fn from_prk(prk: &Secret<32>) -> Self {
        Self(hkdf::Hkdf::from_prk(prk.expose()).expect("the key is as long as a hash"))
    }

    /// HKDF-Expand(prk, info, N), where info is these parts one after the other.
    #[expect(
        clippy::expect_used,
        reason = "the only error is a length that does not compile"
    )]
    pub(crate) fn expand<const N: usize>(&self, info: &[&[u8]]) -> Secret<N> {
        const {
            assert!(N <= OUTPUT_BYTES_MAX, "HKDF gives at most 255 blocks");
        }
        let mut bytes = [0; N];
        let expanded = self.0.expand_multi_info(info, &mut bytes);
        expanded.expect("the length was checked at compile time");
        let output = Secret::new(bytes);
        bytes.zeroize();
        output
    }
}

impl fmt::Debug for Extracted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Extracted(redacted)")
    }
}
