//! Making the home of a member: keys, configuration, vote log. All of it, or nothing.

use std::fs;
use std::path::{Path, PathBuf};

use consensus::{ChainId, Epoch, PublicKey};
use contract::genesis::{Genesis, Member, Role};
use patient::code::Code;
use patient::files::{self, Readers};
use patient::output::Failure;

use super::node::failure::of_config;
use crate::config::Config;
use crate::keys::{KeyError, Keys};
use crate::votelog::{self, VoteLogError};

/// The genesis file in a home and in a consortium's folder.
pub(super) const GENESIS: &str = "genesis.json";

/// A folder that is being filled; dropped unfinished, it is emptied again.
#[derive(Debug)]
pub(super) struct Draft {
    path: PathBuf,
    end: End,
}

/// What becomes of a draft that is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// It stays: everything is written.
    Keep,
    /// It goes: it was made for the draft.
    Remove,
    /// It is emptied: it was there before.
    Empty,
}

impl Draft {
    /// Takes a folder that is not there or holds nothing but empty folders, such as mount points.
    pub(super) fn begin(path: &Path) -> Result<Self, Failure> {
        let existed = path.exists();
        if existed && !holds_nothing(path)? {
            return Err(Failure::new(Code::HomeNotEmpty)
                .message(format!("{} is not empty", path.display()))
                .note("no changes were made"));
        }
        files::make_folder(path)?;
        Ok(Self {
            path: path.to_owned(),
            end: if existed { End::Empty } else { End::Remove },
        })
    }

    /// Keeps what was written.
    pub(super) fn finish(mut self) {
        self.end = End::Keep;
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        let undone = match self.end {
            End::Keep => Ok(()),
            End::Remove => fs::remove_dir_all(&self.path),
            End::Empty => empty(&self.path),
        };
        // The failure that brought us here is already being told; a rest that cannot be removed is refused next time.
        drop(undone);
    }
}

fn holds_nothing(folder: &Path) -> Result<bool, Failure> {
    let cannot = |error: &std::io::Error| {
        Failure::new(Code::CannotRead)
            .message(format!("cannot read {}", folder.display()))
            .because(error)
    };
    for entry in fs::read_dir(folder).map_err(|error| cannot(&error))? {
        let entry = entry.map_err(|error| cannot(&error))?;
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if !is_folder || !holds_nothing(&entry.path())? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Removes what a folder holds and leaves empty folders, which may be mount points.
fn empty(folder: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if !entry.file_type()?.is_dir() {
            fs::remove_file(entry.path())?;
        } else if fs::remove_dir_all(entry.path()).is_err() {
            empty(&entry.path())?;
        }
    }
    Ok(())
}

/// Makes keys, vote log and configuration in the configuration's home.
pub(super) fn make(config: &Config) -> Result<Keys, Failure> {
    let keys =
        Keys::create(&config.home, &config.api_names).map_err(|error| key_failure(&error))?;
    votelog::create(&config.home, vote_key(&keys)).map_err(log_failure)?;
    config.write().map_err(|error| of_config(&error))?;
    Ok(keys)
}

/// Binds a home to a ledger: the genesis file and the birth of its votes, none before `first_epoch`.
pub(super) fn bind(
    home: &Path,
    keys: &Keys,
    genesis: &Genesis,
    file: &[u8],
    first_epoch: Epoch,
) -> Result<(), Failure> {
    let path = home.join(GENESIS);
    if !path.exists() {
        files::write_new(&path, file, Readers::All, Code::FileExists)?;
    }
    let chain = ChainId::new(*genesis.chain().as_bytes());
    votelog::birth(home, chain, vote_key(keys), first_epoch).map_err(log_failure)
}

/// The member that these keys and addresses make.
pub(super) fn member(config: &Config, keys: &Keys, role: Role, api: String) -> Member {
    Member {
        name: config.name.clone(),
        role,
        key: keys.member_public(),
        network_key: keys.network_public(),
        tls_spki: *keys.tls_spki_sha256(),
        p2p: config.p2p_advertise.to_string(),
        api,
    }
}

fn vote_key(keys: &Keys) -> PublicKey {
    PublicKey::new(*keys.member_public().as_bytes())
}

/// What to tell about keys that cannot be had.
pub(super) fn key_failure(error: &KeyError) -> Failure {
    let (code, help) = match error {
        KeyError::Exists { .. } => (Code::FileExists, None),
        KeyError::Missing { .. } => (Code::KeyMissing, None),
        KeyError::TooOpen { path, .. } => (
            Code::KeyTooOpen,
            Some(format!("chmod 600 {}", path.display())),
        ),
        KeyError::Corrupt { .. } => (Code::KeyCorrupt, None),
        KeyError::Access { .. } => (Code::CannotWrite, None),
        KeyError::NoRandomness(_) | KeyError::Certificate(_) => (Code::Bug, None),
    };
    let failure = Failure::new(code).message(error.to_string());
    match help {
        Some(help) => failure.help(help),
        None => failure,
    }
}

pub(super) fn log_failure(error: VoteLogError) -> Failure {
    Failure::new(Code::VoteLogDamaged)
        .message("the vote log cannot be made")
        .because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unfinished_home_leaves_nothing_behind() {
        let folder = tempfile::tempdir().expect("folder");
        let fresh = folder.path().join("fresh");
        let mounted = folder.path().join("mounted");
        fs::create_dir_all(mounted.join("rc")).expect("mount point");

        for path in [&fresh, &mounted] {
            let draft = Draft::begin(path).expect("empty");
            fs::create_dir_all(path.join("rc/keys")).expect("folder");
            fs::write(path.join("rc/keys/member.key"), "secret").expect("file");
            fs::write(path.join("genesis.json"), "{}").expect("file");
            drop(draft);
        }

        assert!(!fresh.exists());
        assert!(holds_nothing(&mounted).expect("read"));
    }

    #[test]
    fn a_folder_with_a_file_in_it_is_refused_and_kept() {
        let folder = tempfile::tempdir().expect("folder");
        let file = folder.path().join("deep/er/file");
        fs::create_dir_all(file.parent().expect("folder")).expect("made");
        fs::write(&file, "x").expect("file");

        let failure = Draft::begin(folder.path()).expect_err("not empty");

        assert_eq!(failure.code(), Code::HomeNotEmpty);
        assert!(file.exists());
    }
}
