//! A member's next key, from its making to the place of the old one. CONSENSUS.md, *Loss of votes*: a key and its vote
//! log are made together, in one step, and no log is ever made for a key that exists.
//!
//! ```text
//! rotation/member.key    the next key, from `key rotate` on
//! rotation/votes/        its vote log, born with the epoch after the one in which it was made
//! rotation/member.json   who this member is under it; written when the ledger has given it the member's place
//! ```
//!
//! The folder appears whole, by one rename. While the ledger has not decided, nothing else is touched: the node votes with
//! the old key and its log. [`finish`] moves the three files to their places before a node reads any key, and can be cut
//! off and repeated anywhere: what is still in `rotation/` is still to be moved.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use consensus::{ChainId, Epoch};
use contract::{Member, PublicKey};
use ed25519_dalek::SigningKey;
use thiserror::Error;
use tracing::info;
use zeroize::Zeroizing;

use super::file::{self, Secret};
use super::{FOLDER as KEYS, KeyError};
use crate::node::MEMBER_FILE;
use crate::votelog::{self, VoteLogError};

/// The folder of the next key in a home.
pub const FOLDER: &str = "rotation";

/// Where it is made.
const DRAFT: &str = "rotation.new";

/// Logs of former keys that may lie in one home.
const RETIRED_MAX: u32 = 10_000;

/// Why a key cannot be renewed.
#[derive(Debug, Error)]
pub enum RotationError {
    /// A key file cannot be made or read.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The new key's vote log cannot be made.
    #[error(transparent)]
    Log(#[from] VoteLogError),
    /// Something cannot be written or moved.
    #[error("cannot {doing} {}: {cause}", path.display())]
    File {
        /// What was tried.
        doing: &'static str,
        /// With what.
        path: PathBuf,
        /// What the system says.
        #[source]
        cause: io::Error,
    },
}

impl RotationError {
    fn file(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |cause| Self::File {
            doing,
            path: path.to_owned(),
            cause,
        }
    }
}

/// The key that waits in a home.
pub fn next(home: &Path) -> Result<Option<SigningKey>, RotationError> {
    match file::read_32(&home.join(FOLDER), Secret::Member) {
        Ok(seed) => Ok(Some(SigningKey::from_bytes(&seed))),
        Err(KeyError::Missing { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Makes the next key with its vote log, or finds the one that waits already.
pub fn make(home: &Path, chain: ChainId, first_epoch: Epoch) -> Result<SigningKey, RotationError> {
    if let Some(key) = next(home)? {
        return Ok(key);
    }
    let draft = home.join(DRAFT);
    if draft.exists() {
        // Of a command that was cut off: nobody has ever heard of its key.
        fs::remove_dir_all(&draft).map_err(RotationError::file("remove", &draft))?;
    }
    file::make_folder(&draft)?;
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::fill(seed.as_mut()).map_err(KeyError::from)?;
    file::write(&draft, Secret::Member, seed.as_ref())?;
    let key = SigningKey::from_bytes(&seed);
    let public = consensus::PublicKey::new(key.verifying_key().to_bytes());
    votelog::create(&draft, public)?;
    votelog::birth(&draft, chain, public, first_epoch)?;
    file::sync(&draft)?;
    move_to(&draft, &home.join(FOLDER))?;
    sync(home)?;
    Ok(key)
}

/// Notes that the ledger has given the waiting key this member's place: from now on the old key signs nothing more here.
/// Only when the certificate of the old key's last block is durable in the ledger.
pub fn decide(home: &Path, member: &Member) -> Result<(), RotationError> {
    let folder = home.join(FOLDER);
    let (path, draft) = (folder.join(MEMBER_FILE), folder.join("member.json.new"));
    let text = serde_json::to_vec_pretty(member).map_err(io::Error::from);
    let written = text.and_then(|text| {
        let mut file = File::create(&draft)?;
        file.write_all(&text)?;
        file.sync_all()
    });
    written.map_err(RotationError::file("write", &draft))?;
    move_to(&draft, &path)?;
    sync(&folder)
}

/// Puts the next key, its vote log and its name in the place of the old ones, and destroys the old key, if that is decided.
pub fn finish(home: &Path) -> Result<(), RotationError> {
    let folder = home.join(FOLDER);
    let member = folder.join(MEMBER_FILE);
    if !member.exists() {
        // Nothing is decided, or all is done but for the empty folder.
        return match next(home)? {
            None if folder.exists() => remove(home, &folder),
            _ => Ok(()),
        };
    }
    let (log, place) = (folder.join(votelog::FOLDER), home.join(votelog::FOLDER));
    if log.exists() {
        retire(home, &place)?;
        move_to(&log, &place)?;
        sync(home)?;
    }
    if let Some(key) = next(home)? {
        let keys = home.join(KEYS);
        let old = keys.join(Secret::Member.file());
        destroy(&old)?;
        move_to(&folder.join(Secret::Member.file()), &old)?;
        sync(&keys)?;
        info!(
            event = "key_rotated",
            key = %PublicKey::new(key.verifying_key().to_bytes()),
            "this member votes with its new key from here on; the old key is destroyed"
        );
    }
    move_to(&member, &home.join(MEMBER_FILE))?;
    sync(home)?;
    remove(home, &folder)
}

/// Sets the old key's vote log aside under a name that no node looks for.
fn retire(home: &Path, place: &Path) -> Result<(), RotationError> {
    if !place.exists() {
        return Ok(());
    }
    let name = |number: u32| home.join(format!("{}.retired-{number}", votelog::FOLDER));
    let aside = (1..RETIRED_MAX).map(name).find(|path| !path.exists());
    let none = || RotationError::file("set aside", place)(ErrorKind::AlreadyExists.into());
    move_to(place, &aside.ok_or_else(none)?)
}

/// Writes zeros over a secret, so far as the file system lets anybody do that.
fn destroy(path: &Path) -> Result<(), RotationError> {
    let overwritten = || {
        let mut file = match OpenOptions::new().write(true).open(path) {
            Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(()),
            opened => opened?,
        };
        let length = usize::try_from(file.metadata()?.len()).unwrap_or_default();
        file.write_all(&vec![0; length])?;
        file.sync_all()
    };
    overwritten().map_err(RotationError::file("destroy", path))
}

fn remove(home: &Path, folder: &Path) -> Result<(), RotationError> {
    fs::remove_dir_all(folder).map_err(RotationError::file("remove", folder))?;
    sync(home)
}

fn move_to(from: &Path, to: &Path) -> Result<(), RotationError> {
    fs::rename(from, to).map_err(RotationError::file("move", from))
}

fn sync(folder: &Path) -> Result<(), RotationError> {
    file::sync(folder).map_err(RotationError::from)
}

#[cfg(test)]
mod tests {
    use contract::{Role, SpkiHash};
    use tempfile::TempDir;

    use super::super::Keys;
    use super::*;
    use crate::votelog::{Loss, Opened, VoteLog};

    const CHAIN: ChainId = ChainId::new([7; 32]);

    /// A home with keys and a vote log, and the next key waiting in it.
    fn staged() -> (TempDir, Keys, SigningKey) {
        let home = tempfile::tempdir().expect("folder");
        let keys = Keys::create(home.path(), &[]).expect("keys");
        let old = consensus::PublicKey::new(*keys.member_public().as_bytes());
        votelog::create(home.path(), old).expect("log");
        votelog::birth(home.path(), CHAIN, old, Epoch::ZERO).expect("birth");
        // A command before this one was cut off.
        fs::create_dir(home.path().join(DRAFT)).expect("folder");
        fs::write(home.path().join(DRAFT).join("member.key"), "half").expect("file");
        let next = make(home.path(), CHAIN, Epoch::new(5)).expect("next key");
        (home, keys, next)
    }

    fn public(key: &SigningKey) -> PublicKey {
        PublicKey::new(key.verifying_key().to_bytes())
    }

    fn member(keys: &Keys, next: &SigningKey) -> Member {
        Member {
            name: "clinic-a".to_owned(),
            role: Role::Server,
            key: public(next),
            network_key: keys.network_public(),
            tls_spki: SpkiHash::new([1; 32]),
            p2p: "/ip4/10.0.0.1/tcp/7100".to_owned(),
            api: "https://10.0.0.1:8100".to_owned(),
        }
    }

    fn moved(home: &Path, from: &str, to: &str) {
        fs::rename(home.join(from), home.join(to)).expect("moved");
    }

    /// Whether the vote log in a home is this key's.
    fn log_is_of(home: &Path, key: &PublicKey) -> bool {
        let key = consensus::PublicKey::new(*key.as_bytes());
        match VoteLog::open(home, CHAIN, key).expect("read") {
            Opened::Intact { .. } => true,
            Opened::Lost(Loss::OtherKey) => false,
            Opened::Lost(loss) => panic!("{loss}"),
        }
    }

    #[test]
    fn the_next_key_is_made_once_together_with_its_log_and_the_old_one_stays() {
        let (home, keys, next) = staged();

        let again = make(home.path(), CHAIN, Epoch::new(9)).expect("the same");
        finish(home.path()).expect("nothing is decided");

        assert_eq!(public(&again), public(&next));
        assert!(!home.path().join(DRAFT).exists());
        let present = Keys::load(home.path()).expect("keys").member_public();
        assert_eq!(present, keys.member_public());
        assert!(log_is_of(home.path(), &present));
        assert!(log_is_of(&home.path().join(FOLDER), &public(&next)));
    }

    #[test]
    fn a_decided_key_takes_the_place_of_the_old_one_wherever_the_move_was_cut_off() {
        type Cut = fn(&Path);
        let retired: Cut = |home| moved(home, "votes", "votes.retired-1");
        let log: Cut = |home| moved(home, "rotation/votes", "votes");
        let destroyed: Cut = |home| destroy(&home.join("keys/member.key")).expect("destroyed");
        let key: Cut = |home| moved(home, "rotation/member.key", "keys/member.key");
        let named: Cut = |home| moved(home, "rotation/member.json", "member.json");
        let steps = [retired, log, destroyed, key, named];
        for cut in 0..=steps.len() {
            let (home, keys, next) = staged();
            let home = home.path();
            let old = fs::read_to_string(home.join("keys/member.key")).unwrap();
            // The same file under a second name shows what becomes of its content.
            let witness = home.join("witness");
            fs::hard_link(home.join("keys/member.key"), &witness).unwrap();
            decide(home, &member(&keys, &next)).expect("decided");
            steps.iter().take(cut).for_each(|step| step(home));

            finish(home).expect("finished");
            finish(home).expect("nothing is left to do");

            let present = Keys::load(home).expect("keys").member_public();
            assert_eq!(present, public(&next), "cut before step {cut}");
            assert!(log_is_of(home, &present), "cut before step {cut}");
            let text = fs::read(home.join(MEMBER_FILE)).expect("member.json");
            let told: Member = serde_json::from_slice(&text).expect("a member");
            assert_eq!(told.key, present);
            assert!(!home.join(FOLDER).exists());
            assert!(home.join("votes.retired-1").exists());
            let secret = old.lines().nth(1).expect("the old key");
            let now = fs::read_to_string(home.join("keys/member.key")).unwrap();
            assert!(!now.contains(secret), "cut before step {cut}");
            let wiped = fs::read(witness).unwrap();
            assert!(wiped.iter().all(|byte| *byte == 0), "cut before step {cut}");
        }
    }
}
