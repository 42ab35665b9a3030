//! The audit trail of this node: who looked at whose sign-ins, each line bound to the one before by its hash.
//!
//! An AID is written as a hash bound to the ledger: an auditor who knows the AID finds its lines, a stray copy of the file
//! names nobody.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufRead as _, BufReader, Write as _},
    iter,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
    sync::mpsc,
    thread,
};

use contract::identity::{Aid, ChainId};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use super::{FOLDER, Role};

/// Name of the file in the access folder.
const FILE: &str = "trail.log";
/// Lines that wait to be written. When the writer is that far behind, nobody is shown an identity.
const WAITING: usize = 1_024;

/// The view cannot be recorded, so it must not be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the access trail cannot be written, so identities are not shown")]
pub struct TrailError;

/// Writes the trail in the background.
#[derive(Clone, Debug)]
pub struct Trail {
    /// The ledger whose AIDs are meant.
    chain: ChainId,
    /// To the writer's thread.
    sender: mpsc::SyncSender<String>,
}

impl Trail {
    /// Opens the trail of a home, or begins one.
    pub fn open(home: &Path, chain: ChainId) -> io::Result<Self> {
        let folder = home.join(FOLDER);
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)?;
        let path = folder.join(FILE);
        let mut last = last_hash(&path)?;
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&path)?;
        let (sender, receiver) = mpsc::sync_channel::<String>(WAITING);
        let writer = thread::Builder::new().name("access-trail".to_owned());
        writer.spawn(move || {
            while let Ok(first) = receiver.recv() {
                let waiting = iter::once(first).chain(receiver.try_iter().take(WAITING));
                let text = chain_lines(&mut last, waiting);
                // One flush for all that waits: a flush a line is slower than a fast reader.
                let written = file.write_all(text.as_bytes());
                if let Err(error) = written.and_then(|()| file.sync_data()) {
                    // The channel closes with this thread, and from then on nothing is shown.
                    tracing::error!(event = "trail_lost", %error, "cannot write the access trail");
                    return;
                }
            }
        })?;
        Ok(Self { chain, sender })
    }

    /// Records that a reader is about to see an identity, an export, or a list of sign-ins.
    pub fn record(
        &self,
        time_ms: u64,
        role: Role,
        what: &str,
        aid: Option<&Aid>,
    ) -> Result<(), TrailError> {
        let whose = aid.map_or_else(|| "-".to_owned(), |aid| self.pseudonym(aid));
        let entry = format!(
            "{} {role} {what} {whose}",
            crate::explorer::time::rfc3339(time_ms)
        );
        self.sender.try_send(entry).map_err(|_full| TrailError)
    }

    /// How an AID stands in the trail.
    fn pseudonym(&self, aid: &Aid) -> String {
        let hash: [u8; 32] = Sha256::new()
            .chain_update(b"aidchain/access-trail\0")
            .chain_update(self.chain.as_bytes())
            .chain_update(aid.as_bytes())
            .finalize()
            .into();
        hex::encode(hash)
    }
}

/// The lines of the file for these entries; `last` moves to the hash of the last one.
fn chain_lines(last: &mut String, entries: impl Iterator<Item = String>) -> String {
    let mut text = String::new();
    for entry in entries {
        *last = chained(last, &entry);
        text.push_str(&entry);
        text.push(' ');
        text.push_str(last);
        text.push('\n');
    }
    text
}

/// A line's hash: of the hash before and of what it says.
fn chained(last: &str, entry: &str) -> String {
    hex::encode(
        Sha256::new()
            .chain_update(last)
            .chain_update([0])
            .chain_update(entry)
            .finalize(),
    )
}

/// The hash at the end of the trail, zeros when it is new.
fn last_hash(path: &Path) -> io::Result<String> {
    let start = "0".repeat(64);
    match File::open(path) {
        Ok(file) => {
            let mut last = start;
            for line in BufReader::new(file).lines() {
                if let Some((_, hash)) = line?.rsplit_once(' ') {
                    hash.clone_into(&mut last);
                }
            }
            Ok(last)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(start),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(home: &Path, count: usize) -> Vec<String> {
        loop {
            let text = fs::read_to_string(home.join(FOLDER).join(FILE)).unwrap();
            if text.lines().count() == count && text.ends_with('\n') {
                return text.lines().map(str::to_owned).collect();
            }
            thread::yield_now();
        }
    }

    #[test]
    fn each_line_is_bound_to_the_one_before_across_restarts() {
        let home = tempfile::tempdir().unwrap();
        let chain = ChainId::new([1; 32]);
        let trail = Trail::open(home.path(), chain).unwrap();
        trail
            .record(0, Role::Auditor, "identity", Some(&Aid::new([2; 32])))
            .unwrap();
        lines(home.path(), 1);
        let trail = Trail::open(home.path(), chain).unwrap();
        trail.record(1, Role::Local, "export", None).unwrap();

        let lines = lines(home.path(), 2);

        let mut last = "0".repeat(64);
        for line in &lines {
            let (entry, hash) = line.rsplit_once(' ').unwrap();
            assert_eq!(hash, chained(&last, entry));
            hash.clone_into(&mut last);
        }
        assert!(lines[0].starts_with("1970-01-01T00:00:00.000Z auditor identity "));
    }

    #[test]
    fn the_trail_names_no_aid() {
        let home = tempfile::tempdir().unwrap();
        let aid = Aid::new([2; 32]);
        let trail = Trail::open(home.path(), ChainId::new([1; 32])).unwrap();
        trail
            .record(0, Role::Auditor, "identity", Some(&aid))
            .unwrap();

        let line = lines(home.path(), 1).remove(0);

        assert!(!line.contains(&aid.to_string()));
        assert!(!line.contains(&hex::encode(aid.as_bytes())));
        assert!(line.contains(&trail.pseudonym(&aid)));
    }
}
