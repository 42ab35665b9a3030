//! Tokens: 32 random bytes that the reader holds, of which this node keeps the hash, the role and the end.

use std::{
    fmt, fs,
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    str::FromStr as _,
};

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use thiserror::Error;
use zeroize::Zeroizing;

use super::{FOLDER, Role};

/// Name of the file in the access folder.
const FILE: &str = "tokens";
/// First line of the file.
const HEAD: &str = "aidchain-access/1";
/// How long a token lives: a working day.
pub const TOKEN_TTL_MS: u64 = 12 * 3_600_000;
/// Tokens a file may hold; expired ones go when a new one is made.
const TOKENS: usize = 256;
/// Bytes of randomness in a token.
const SECRET: usize = 32;

/// What the reader shows; whoever has it is the reader.
pub struct Token(Zeroizing<[u8; SECRET]>);

/// Tokens cannot be made or read.
#[derive(Debug, Error)]
pub enum AccessError {
    /// The file or its folder.
    #[error("cannot access {}: {cause}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        #[source]
        cause: io::Error,
    },
    /// The file is none of ours.
    #[error("{} is damaged at line {line}; delete it and make new tokens", path.display())]
    Damaged {
        /// Which.
        path: PathBuf,
        /// Where.
        line: usize,
    },
    /// Too many live tokens.
    #[error("{TOKENS} tokens are alive already; wait until some expire, or delete {}", path.display())]
    TooMany {
        /// The file.
        path: PathBuf,
    },
    /// The system gives no random numbers.
    #[error("the system gives no random numbers: {0}")]
    NoRandomness(getrandom::Error),
}

impl Token {
    /// Reads what a reader shows; nothing but 64 hex digits is a token.
    pub fn read(text: &str) -> Option<Self> {
        let mut secret = Zeroizing::new([0; SECRET]);
        hex::decode_to_slice(text.trim(), secret.as_mut()).ok()?;
        Some(Self(secret))
    }

    /// The text to hand to the reader, once.
    pub fn reveal(&self) -> Zeroizing<String> {
        Zeroizing::new(hex::encode(self.0.as_ref()))
    }

    /// What is kept of it.
    fn hash(&self) -> [u8; 32] {
        Sha256::new()
            .chain_update(b"aidchain/access-token\0")
            .chain_update(self.0.as_ref())
            .finalize()
            .into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token([redacted])")
    }
}

/// One line of the file.
#[derive(Clone, Copy, Debug)]
struct Entry {
    /// Hash of the token.
    hash: [u8; 32],
    /// What it entitles to.
    role: Role,
    /// When it ends.
    expires_ms: u64,
}

/// Makes a token for this home; the node takes it at once, without a restart.
pub fn issue(home: &Path, role: Role, now_ms: u64) -> Result<Token, AccessError> {
    let folder = home.join(FOLDER);
    let path = folder.join(FILE);
    let refuse = |path: &Path, cause| AccessError::File {
        path: path.to_owned(),
        cause,
    };
    let mut secret = Zeroizing::new([0; SECRET]);
    getrandom::fill(secret.as_mut()).map_err(AccessError::NoRandomness)?;
    let token = Token(secret);
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folder)
        .map_err(|cause| refuse(&folder, cause))?;
    let mut entries = read(&path)?;
    entries.retain(|entry| entry.expires_ms > now_ms);
    if entries.len() >= TOKENS {
        return Err(AccessError::TooMany { path });
    }
    entries.push(Entry {
        hash: token.hash(),
        role,
        expires_ms: now_ms.saturating_add(TOKEN_TTL_MS),
    });
    let lines: Vec<String> = entries
        .iter()
        .map(
            |Entry {
                 hash,
                 role,
                 expires_ms,
             }| format!("{} {role} {expires_ms}\n", hex::encode(hash)),
        )
        .collect();
    replace(&path, &format!("{HEAD}\n{}", lines.concat())).map_err(|cause| refuse(&path, cause))?;
    Ok(token)
}

/// Writes the file beside its place and moves it there, so that the node never reads half of it.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let fresh = path.with_extension("new");
    let mut file = fs::OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(true)
        .mode(0o600)
        .open(&fresh)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&fresh, path)
}

/// The entries; none when there is no file.
fn read(path: &Path) -> Result<Vec<Entry>, AccessError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(cause) => {
            return Err(AccessError::File {
                path: path.to_owned(),
                cause,
            });
        }
    };
    let damaged = |line| AccessError::Damaged {
        path: path.to_owned(),
        line,
    };
    let mut lines = text.lines();
    if lines.next() != Some(HEAD) {
        return Err(damaged(1));
    }
    (2_usize..)
        .zip(lines)
        .map(|(at, line)| entry(line).ok_or_else(|| damaged(at)))
        .collect()
}

/// One line.
fn entry(line: &str) -> Option<Entry> {
    let mut words = line.split(' ');
    let mut hash = [0; 32];
    hex::decode_to_slice(words.next()?, &mut hash).ok()?;
    let role = Role::from_str(words.next()?).ok()?;
    let expires_ms = words.next()?.parse().ok()?;
    words.next().is_none().then_some(Entry {
        hash,
        role,
        expires_ms,
    })
}

/// The tokens of a running node; reads the file at each question, which is rare and keeps revocation immediate.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// The file.
    path: PathBuf,
}

impl Tokens {
    /// The tokens of a home.
    pub fn of(home: &Path) -> Self {
        Self {
            path: home.join(FOLDER).join(FILE),
        }
    }

    /// What this token entitles to, if it is one and still lives. Compares all hashes, each in constant time.
    pub fn role(&self, token: &Token, now_ms: u64) -> Result<Option<Role>, AccessError> {
        let shown = token.hash();
        let mut found = None;
        for entry in read(&self.path)? {
            if bool::from(entry.hash.ct_eq(&shown)) && entry.expires_ms > now_ms {
                found = Some(entry.role);
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_token_entitles_to_its_role_until_it_expires() {
        let home = tempfile::tempdir().unwrap();
        let token = issue(home.path(), Role::Auditor, 1_000).unwrap();
        let tokens = Tokens::of(home.path());

        assert_eq!(tokens.role(&token, 1_000).unwrap(), Some(Role::Auditor));
        assert_eq!(tokens.role(&token, 1_000 + TOKEN_TTL_MS).unwrap(), None);
        let again = Token::read(&token.reveal()).unwrap();
        assert_eq!(tokens.role(&again, 1_000).unwrap(), Some(Role::Auditor));
    }

    #[test]
    fn a_guess_entitles_to_nothing() {
        let home = tempfile::tempdir().unwrap();
        let tokens = Tokens::of(home.path());
        let guess = Token::read(&"ab".repeat(32)).unwrap();

        assert_eq!(tokens.role(&guess, 1).unwrap(), None);
        issue(home.path(), Role::Viewer, 1).unwrap();
        assert_eq!(tokens.role(&guess, 1).unwrap(), None);
        assert!(Token::read("ab").is_none());
    }

    #[test]
    fn the_file_holds_no_token_and_is_the_owners_alone() {
        let home = tempfile::tempdir().unwrap();
        let token = issue(home.path(), Role::Viewer, 1).unwrap();
        let path = home.path().join(FOLDER).join(FILE);

        let text = fs::read_to_string(&path).unwrap();
        assert!(!text.contains(token.reveal().as_str()));
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(format!("{token:?}"), "Token([redacted])");
    }

    #[test]
    fn expired_tokens_make_room_and_live_ones_are_bounded() {
        let home = tempfile::tempdir().unwrap();
        for _ in 0..TOKENS {
            issue(home.path(), Role::Viewer, 5).unwrap();
        }

        assert!(matches!(
            issue(home.path(), Role::Viewer, 6),
            Err(AccessError::TooMany { .. })
        ));
        issue(home.path(), Role::Viewer, 5 + TOKEN_TTL_MS).unwrap();
    }

    #[test]
    fn a_damaged_file_entitles_nobody_and_says_where() {
        let home = tempfile::tempdir().unwrap();
        let token = issue(home.path(), Role::Viewer, 1).unwrap();
        let path = home.path().join(FOLDER).join(FILE);
        fs::write(&path, format!("{HEAD}\nrubbish\n")).unwrap();

        let error = Tokens::of(home.path()).role(&token, 1).unwrap_err();
        assert!(matches!(error, AccessError::Damaged { line: 2, .. }));
    }
}
