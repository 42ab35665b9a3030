//! What a program is: its version, the rules it knows, the files it reads. Members tell each other on request, so that an
//! operator sees who would be left behind by newer rules.
//!
//! Question: `"build/1\0"`, which is as long as no request for blocks or for parts of a snapshot.
//! Answer: `rules u64 ‖ store u16 ‖ vote log u16 ‖ version` (little-endian, UTF-8 to the end).

use serde::Serialize;

use crate::{store, votelog};

/// Asks a member for its build.
pub const QUESTION: &[u8; 8] = b"build/1\0";

/// The longest version, in octets.
const VERSION_MAX: usize = 32;

/// One build of the program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Build {
    /// The program's version.
    pub version: String,
    /// The newest version of the ledger's rules that it knows.
    pub rules: u64,
    /// The format of its ledger's files.
    pub store_format: u16,
    /// The format of its vote log.
    pub votes_format: u16,
}

impl Build {
    /// This program, which knows the ledger's rules up to this version.
    pub fn own(rules: u64) -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            rules,
            store_format: store::FORMAT,
            votes_format: votelog::FORMAT,
        }
    }

    /// The answer's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = self.rules.to_le_bytes().to_vec();
        bytes.extend_from_slice(&self.store_format.to_le_bytes());
        bytes.extend_from_slice(&self.votes_format.to_le_bytes());
        bytes.extend_from_slice(self.version.as_bytes());
        bytes
    }

    /// Reads an answer; a version that is long or could be mistaken for something else on a screen is none.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (rules, rest) = bytes.split_first_chunk::<8>()?;
        let (store_format, rest) = rest.split_first_chunk::<2>()?;
        let (votes_format, version) = rest.split_first_chunk::<2>()?;
        let version = str::from_utf8(version).ok()?;
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+');
        let fits = (1..=VERSION_MAX).contains(&version.len()) && version.chars().all(plain);
        fits.then(|| Self {
            version: version.to_owned(),
            rules: u64::from_le_bytes(*rules),
            store_format: u16::from_le_bytes(*store_format),
            votes_format: u16::from_le_bytes(*votes_format),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_reads_back_and_nothing_else_is_one() {
        let own = Build::own(7);
        let bytes = own.encode();

        assert_eq!(Build::decode(&bytes), Some(own));
        for cut in 0..=12 {
            assert_eq!(Build::decode(&bytes[..cut]), None, "cut at {cut}");
        }
        for version in ["1.0\n", "1.0 <b>", "é", &"1".repeat(33)] {
            let strange = [&bytes[..12], version.as_bytes()].concat();
            assert_eq!(Build::decode(&strange), None, "{version}");
        }
    }
}
