//! The form of a key file: a first line that names its version and use, a second with the key in hexadecimal.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::{KeyError, Problem};

/// No key file is longer.
const FILE_BYTES_MAX: u64 = 4096;

/// What a secret file is for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Secret {
    /// Votes and transactions.
    Member,
    /// The libp2p identity.
    Network,
    /// The patient API.
    Tls,
}

impl Secret {
    const fn word(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Network => "network",
            Self::Tls => "tls",
        }
    }

    pub(super) const fn file(self) -> &'static str {
        match self {
            Self::Member => "member.key",
            Self::Network => "network.key",
            Self::Tls => "tls.key",
        }
    }

    fn head(self) -> String {
        format!("aidchain-key/1 {}", self.word())
    }
}

/// Makes the folder of the keys, which must not exist.
pub(super) fn make_folder(folder: &Path) -> Result<(), KeyError> {
    DirBuilder::new()
        .mode(0o700)
        .create(folder)
        .map_err(|cause| access_or_exists(folder, cause))
}

pub(super) fn write(folder: &Path, secret: Secret, key: &[u8]) -> Result<(), KeyError> {
    let text = Zeroizing::new(format!(
        "{}\n{}\n",
        secret.head(),
        Zeroizing::new(hex::encode(key)).as_str()
    ));
    write_new(&folder.join(secret.file()), text.as_bytes(), 0o600)
}

pub(super) fn write_public(path: &Path, bytes: &[u8]) -> Result<(), KeyError> {
    write_new(path, bytes, 0o644)
}

/// Makes the names in a folder durable.
pub(super) fn sync(folder: &Path) -> Result<(), KeyError> {
    File::open(folder)
        .and_then(|open| open.sync_all())
        .map_err(|cause| access(folder, cause))
}

pub(super) fn read_32(folder: &Path, secret: Secret) -> Result<Zeroizing<[u8; 32]>, KeyError> {
    let bytes = read(folder, secret)?;
    <[u8; 32]>::try_from(bytes.as_slice())
        .map(Zeroizing::new)
        .map_err(|_error| KeyError::Corrupt {
            path: folder.join(secret.file()),
            problem: Problem::Length(bytes.len()),
        })
}

pub(super) fn read(folder: &Path, secret: Secret) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let path = folder.join(secret.file());
    let mode = fs::metadata(&path)
        .map_err(|cause| access_or_missing(&path, cause))?
        .permissions()
        .mode()
        & 0o7777;
    if mode & 0o077 != 0 {
        return Err(KeyError::TooOpen { path, mode });
    }
    let corrupt = |problem| KeyError::Corrupt {
        path: path.clone(),
        problem,
    };
    let bytes = Zeroizing::new(read_public(&path)?);
    let text = str::from_utf8(&bytes).map_err(|_error| corrupt(Problem::Head(secret.word())))?;
    let mut lines = text.lines();
    if lines.next() != Some(secret.head().as_str()) {
        return Err(corrupt(Problem::Head(secret.word())));
    }
    match (lines.next(), lines.next()) {
        (Some(body), None) => hex::decode(body)
            .map(Zeroizing::new)
            .map_err(|_error| corrupt(Problem::Body)),
        _ => Err(corrupt(Problem::Body)),
    }
}

pub(super) fn read_public(path: &Path) -> Result<Vec<u8>, KeyError> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|open| open.take(FILE_BYTES_MAX).read_to_end(&mut bytes))
        .map_err(|cause| access_or_missing(path, cause))?;
    Ok(bytes)
}

fn write_new(path: &Path, bytes: &[u8], mode: u32) -> Result<(), KeyError> {
    let written = || -> io::Result<()> {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    written().map_err(|cause| access_or_exists(path, cause))
}

fn access_or_missing(path: &Path, cause: io::Error) -> KeyError {
    if cause.kind() == ErrorKind::NotFound {
        let path = path.to_owned();
        return KeyError::Missing { path };
    }
    access(path, cause)
}

fn access_or_exists(path: &Path, cause: io::Error) -> KeyError {
    if cause.kind() == ErrorKind::AlreadyExists {
        let path = path.to_owned();
        return KeyError::Exists { path };
    }
    access(path, cause)
}

fn access(path: &Path, cause: io::Error) -> KeyError {
    KeyError::Access {
        path: PathBuf::from(path),
        cause,
    }
}
