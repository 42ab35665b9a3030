//! The three keys of a member, each in a file of its own that only its owner may read.
//!
//! ```text
//! keys/member.key    Ed25519: votes and transactions
//! keys/network.key   Ed25519: the peer id on libp2p
//! keys/tls.key       P-256, PKCS#8: the patient API; genesis pins the SHA-256 of its public half
//! keys/tls.crt       the self-signed certificate over it, PEM, not secret
//! ```
//!
//! Keys are made once, for a home that has none. No command ever makes them again; `key rotate` makes another member key
//! beside the present one ([`rotation`]).

mod file;
pub mod rotation;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use contract::identity::{PublicKey, SpkiHash};
use ed25519_dalek::SigningKey;
use rcgen::{KeyPair, PublicKeyData as _};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use sha2::{Digest as _, Sha256};
use thiserror::Error;
use zeroize::Zeroizing;

use self::file::Secret;

/// The folder of the keys in a home.
pub const FOLDER: &str = "keys";
/// The certificate's file in it.
const CERTIFICATE: &str = "tls.crt";

/// Everything a member proves itself with. Wiped when dropped, never printed.
pub struct Keys {
    member: SigningKey,
    network: Zeroizing<[u8; 32]>,
    tls_key: Zeroizing<Vec<u8>>,
    tls_certificate: Vec<u8>,
    tls_spki: SpkiHash,
}

/// Why keys cannot be had.
#[derive(Debug, Error)]
pub enum KeyError {
    /// The home has keys already.
    #[error("{} exists already; keys are never made again", path.display())]
    Exists {
        /// The folder or file.
        path: PathBuf,
    },
    /// A file is not there.
    #[error("{} is missing", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// Others may read a file.
    #[error("{} has mode {mode:04o}: other users can read it", path.display())]
    TooOpen {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// A file does not hold what it should.
    #[error("{} is damaged: {problem}", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: Problem,
    },
    /// A file cannot be read or written.
    #[error("cannot access {}: {cause}", path.display())]
    Access {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        cause: io::Error,
    },
    /// The system gives no random numbers.
    #[error("the operating system gives no random numbers: {0}")]
    NoRandomness(#[from] getrandom::Error),
    /// A certificate cannot be made.
    #[error("cannot make a TLS certificate: {0}")]
    Certificate(#[from] rcgen::Error),
}

/// What is wrong with the content of a key file.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Problem {
    /// The first line names no key of this version.
    #[error("its first line is not \"aidchain-key/1 {0}\"")]
    Head(&'static str),
    /// The second line is not hexadecimal, or there is more than one.
    #[error("its second line is not the key in hexadecimal")]
    Body,
    /// The key has another length.
    #[error("the key has {0} bytes")]
    Length(usize),
    /// The bytes are no P-256 key.
    #[error("it holds no P-256 key")]
    NoTlsKey,
    /// The certificate cannot be read.
    #[error("it holds no certificate")]
    NoCertificate,
}

impl Keys {
    /// Makes the keys of a new member and writes them into its home. `names` are the host names of its certificate.
    pub fn create(home: &Path, names: &[String]) -> Result<Self, KeyError> {
        let folder = home.join(FOLDER);
        file::make_folder(&folder)?;
        let mut member = Zeroizing::new([0; 32]);
        let mut network = Zeroizing::new([0; 32]);
        getrandom::fill(member.as_mut())?;
        getrandom::fill(network.as_mut())?;
        let pair = KeyPair::generate()?;
        let certificate = rcgen::CertificateParams::new(names.to_vec())?.self_signed(&pair)?;
        let tls_key = Zeroizing::new(pair.serialize_der());

        file::write(&folder, Secret::Member, member.as_ref())?;
        file::write(&folder, Secret::Network, network.as_ref())?;
        file::write(&folder, Secret::Tls, &tls_key)?;
        file::write_public(&folder.join(CERTIFICATE), certificate.pem().as_bytes())?;
        file::sync(&folder)?;
        Ok(Self {
            member: SigningKey::from_bytes(&member),
            network,
            tls_spki: spki_hash(&pair),
            tls_key,
            tls_certificate: certificate.der().to_vec(),
        })
    }

    /// Reads the keys of a home.
    pub fn load(home: &Path) -> Result<Self, KeyError> {
        let folder = home.join(FOLDER);
        let member = file::read_32(&folder, Secret::Member)?;
        let network = file::read_32(&folder, Secret::Network)?;
        let tls_key = file::read(&folder, Secret::Tls)?;
        let pair = KeyPair::try_from(tls_key.as_slice()).map_err(|_error| KeyError::Corrupt {
            path: folder.join(Secret::Tls.file()),
            problem: Problem::NoTlsKey,
        })?;
        let path = folder.join(CERTIFICATE);
        let pem = file::read_public(&path)?;
        let certificate =
            CertificateDer::from_pem_slice(&pem).map_err(|_error| KeyError::Corrupt {
                path,
                problem: Problem::NoCertificate,
            })?;
        Ok(Self {
            member: SigningKey::from_bytes(&member),
            network,
            tls_spki: spki_hash(&pair),
            tls_key,
            tls_certificate: certificate.to_vec(),
        })
    }

    /// Signs votes and transactions.
    pub const fn member(&self) -> &SigningKey {
        &self.member
    }

    /// The public half of the member's key, as genesis names it.
    pub fn member_public(&self) -> PublicKey {
        PublicKey::new(self.member.verifying_key().to_bytes())
    }

    /// The 32 secret bytes of the libp2p identity.
    pub fn network_seed(&self) -> &[u8; 32] {
        &self.network
    }

    /// The public half of the libp2p identity, as genesis names it.
    pub fn network_public(&self) -> PublicKey {
        let key = SigningKey::from_bytes(&self.network).verifying_key();
        PublicKey::new(key.to_bytes())
    }

    /// The TLS key, PKCS#8.
    pub fn tls_key_der(&self) -> &[u8] {
        &self.tls_key
    }

    /// The TLS certificate.
    pub fn tls_cert_der(&self) -> &[u8] {
        &self.tls_certificate
    }

    /// SHA-256 of the TLS key's public half, as genesis pins it.
    pub const fn tls_spki_sha256(&self) -> &SpkiHash {
        &self.tls_spki
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Keys(of {}, secret parts redacted)",
            self.member_public()
        )
    }
}

fn spki_hash(pair: &KeyPair) -> SpkiHash {
    SpkiHash::new(Sha256::digest(pair.subject_public_key_info()).into())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn made() -> (tempfile::TempDir, Keys) {
        let home = tempfile::tempdir().expect("folder");
        let keys = Keys::create(home.path(), &["localhost".to_owned()]).expect("keys");
        (home, keys)
    }

    #[test]
    fn keys_come_back_from_their_files() {
        let (home, made) = made();

        let read = Keys::load(home.path()).expect("keys");

        assert_eq!(read.member_public(), made.member_public());
        assert_eq!(read.network_seed(), made.network_seed());
        assert_eq!(read.tls_key_der(), made.tls_key_der());
        assert_eq!(read.tls_cert_der(), made.tls_cert_der());
        assert_eq!(read.tls_spki_sha256(), made.tls_spki_sha256());
        assert_ne!(read.member_public(), read.network_public());
    }

    #[test]
    fn the_owner_alone_may_read_them_and_debug_shows_none() {
        let (home, keys) = made();

        for name in ["member.key", "network.key", "tls.key"] {
            let path = home.path().join(FOLDER).join(name);
            let mode = fs::metadata(&path).expect("file").permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
            let secret = fs::read_to_string(&path).expect("text");
            let secret = secret.lines().nth(1).expect("second line");
            assert!(!format!("{keys:?}").contains(secret));
        }
    }

    #[test]
    fn a_home_with_keys_gets_no_others() {
        let (home, first) = made();

        let again = Keys::create(home.path(), &[]);

        assert!(matches!(again, Err(KeyError::Exists { .. })));
        assert_eq!(
            Keys::load(home.path()).expect("keys").member_public(),
            first.member_public()
        );
    }

    #[test]
    fn a_key_file_that_others_may_read_is_refused() {
        for (name, mode) in [("member.key", 0o640), ("tls.key", 0o604)] {
            let (home, _keys) = made();
            let path = home.path().join(FOLDER).join(name);
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("chmod");

            assert!(
                matches!(Keys::load(home.path()), Err(KeyError::TooOpen { mode: found, .. }) if found == mode)
            );
        }
    }

    #[test]
    fn a_missing_or_damaged_key_file_is_named() {
        let (home, _keys) = made();
        let path = home.path().join(FOLDER).join("network.key");
        let good = fs::read_to_string(&path).expect("text");

        for (bad, problem) in [
            (String::new(), Problem::Head("network")),
            (good.replace("network", "member"), Problem::Head("network")),
            (good.replace("key/1", "key/2"), Problem::Head("network")),
            (good.replacen('\n', "\nzz", 1), Problem::Body),
            (format!("{good}00\n"), Problem::Body),
            (good.replacen('\n', "\n00", 1), Problem::Length(33)),
        ] {
            fs::write(&path, bad).expect("write");
            assert!(
                matches!(Keys::load(home.path()), Err(KeyError::Corrupt { problem: found, .. }) if found == problem)
            );
        }
        fs::remove_file(&path).expect("remove");
        assert!(
            matches!(Keys::load(home.path()), Err(KeyError::Missing { path: missing }) if missing == path)
        );
    }

    #[test]
    fn a_tls_key_file_without_a_tls_key_is_refused() {
        let (home, _keys) = made();
        let folder = home.path().join(FOLDER);
        fs::write(folder.join("tls.key"), "aidchain-key/1 tls\n00\n").expect("write");

        assert!(matches!(
            Keys::load(home.path()),
            Err(KeyError::Corrupt {
                problem: Problem::NoTlsKey,
                ..
            })
        ));
    }
}
