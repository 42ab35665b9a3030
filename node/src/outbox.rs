//! Sign-ins that were accepted here and are not known to be on the ledger: they outlive a crash and are handed in again.
//!
//! ```text
//! file  = head 34: "aidchain-outbox/1\n", salt 16; then frames (`store/frame.rs`)
//! frame = 1 ‖ AuthResult 214       accepted
//!       | 2 ‖ sid 32 ‖ AID 32      settled
//! ```
//!
//! A patient is told "accepted" when her frame is on the disk. A torn last frame was told to nobody; it is cut off. A
//! settled frame that a crash loses costs one refusal by the ledger, which has the session already.

mod file;

pub(crate) use file::FOLDER;

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use contract::{Aid, AuthResult, SessionId};

use file::{File, Record};

/// Sign-ins that may wait at once.
pub const WAITING_MAX: usize = 65_536;

/// Why an accepted sign-in cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum OutboxError {
    /// The system refuses.
    #[error("cannot access the outbox {}: {cause}", path.display())]
    Access {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        cause: io::Error,
    },
    /// Another process has it.
    #[error("the outbox {} is in use by another process", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// Others may read it.
    #[error("the outbox {} has mode {mode:04o}: run chmod 600 on it", path.display())]
    TooOpen {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// It is no outbox.
    #[error(
        "{} is no outbox of this version: move it away, and the sign-ins in it stay claims of their patients",
        path.display()
    )]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The node stops.
    #[error("the node is stopping")]
    Stopping,
    /// It is full.
    #[error("{WAITING_MAX} accepted sign-ins wait for the ledger already")]
    Full,
}

/// Names a session of this member.
pub type Key = (SessionId, Aid);

/// The name of a result.
pub const fn key(result: &AuthResult) -> Key {
    (result.sid, result.aid)
}

/// The outbox; cloning shares.
#[derive(Clone, Debug)]
pub struct Outbox(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// None once the node stops. Held while the disk is awaited, and taken before the other.
    file: Mutex<Option<File>>,
    /// Held for map operations only.
    waiting: Mutex<BTreeMap<Key, Waiting>>,
}

#[derive(Debug)]
struct Waiting {
    result: AuthResult,
    /// When it is to be handed in again, in wall milliseconds.
    again_ms: u64,
}

impl Outbox {
    /// Opens the outbox of a home, or makes it; what waits in it is due at once.
    pub fn open(home: &Path) -> Result<Self, OutboxError> {
        let (file, records) = File::open(home)?;
        let mut waiting = BTreeMap::new();
        for record in records {
            match record {
                Record::Accepted(result) => {
                    let entry = Waiting {
                        result: *result,
                        again_ms: 0,
                    };
                    waiting.insert(key(&entry.result), entry);
                }
                Record::Settled(key) => drop(waiting.remove(&key)),
            }
        }
        Ok(Self(Arc::new(Inner {
            file: Mutex::new(Some(file)),
            waiting: Mutex::new(waiting),
        })))
    }

    /// Keeps an accepted sign-in; it is on the disk when this returns. It waits for the disk.
    pub fn put(&self, result: &AuthResult, again_ms: u64) -> Result<(), OutboxError> {
        let mut file = lock(&self.0.file);
        if self.len() >= WAITING_MAX {
            return Err(OutboxError::Full);
        }
        let file = file.as_mut().ok_or(OutboxError::Stopping)?;
        file.append(&[Record::Accepted(Box::new(result.clone()))])?;
        file.sync()?;
        let entry = Waiting {
            result: result.clone(),
            again_ms,
        };
        lock(&self.0.waiting).insert(key(result), entry);
        Ok(())
    }

    /// These need not be handed in again. Others that are not here are passed over.
    pub fn settle(&self, keys: &[Key]) -> Result<(), OutboxError> {
        let is_here = |key: &&Key| lock(&self.0.waiting).contains_key(key);
        let known: Vec<Key> = keys.iter().filter(is_here).copied().collect();
        if known.is_empty() {
            return Ok(());
        }
        // No sign-in is written meanwhile: what the file keeps is what waits.
        let mut file = lock(&self.0.file);
        let left = {
            let mut waiting = lock(&self.0.waiting);
            for key in &known {
                waiting.remove(key);
            }
            waiting.len()
        };
        let file = file.as_mut().ok_or(OutboxError::Stopping)?;
        if left == 0 {
            return file.clear();
        }
        let records: Vec<Record> = known.into_iter().map(Record::Settled).collect();
        file.append(&records)?;
        if file.is_mostly_settled(left) {
            let waiting = lock(&self.0.waiting);
            let left = waiting.values().map(|waiting| waiting.result.clone());
            let left: Vec<AuthResult> = left.collect();
            drop(waiting);
            file.rewrite(left)?;
        }
        Ok(())
    }

    /// At most so many that are due, the oldest first; they are due again at `again_ms`.
    pub fn due(&self, now_ms: u64, again_ms: u64, most: usize) -> Vec<AuthResult> {
        let mut waiting = lock(&self.0.waiting);
        let mut due: Vec<&mut Waiting> = waiting
            .values_mut()
            .filter(|waiting| waiting.again_ms <= now_ms)
            .collect();
        due.sort_by_key(|waiting| waiting.result.t3);
        due.truncate(most);
        due.into_iter()
            .map(|waiting| {
                waiting.again_ms = again_ms;
                waiting.result.clone()
            })
            .collect()
    }

    /// When this one is to be handed in again.
    pub fn postpone(&self, key: &Key, again_ms: u64) {
        if let Some(waiting) = lock(&self.0.waiting).get_mut(key) {
            waiting.again_ms = again_ms;
        }
    }

    /// Whether a sign-in of this session waits.
    pub fn holds(&self, sid: &SessionId) -> bool {
        let first = (*sid, Aid::new([0; 32]));
        let last = (*sid, Aid::new([0xff; 32]));
        lock(&self.0.waiting).range(first..=last).next().is_some()
    }

    /// Lets go of the file: nothing is written any more.
    pub fn close(&self) {
        *lock(&self.0.file) = None;
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        lock(&self.0.waiting).len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A table behind its lock. A panic elsewhere leaves the tables whole: each change is one call.
fn lock<T>(table: &Mutex<T>) -> MutexGuard<'_, T> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use contract::{BlockTime, PublicKey, ServerId, SignatureBytes, SuiteId};

    use super::*;

    fn result(number: u8) -> AuthResult {
        AuthResult {
            suite: SuiteId::AIDC_1,
            server_id: ServerId::new([1; 32]),
            key_epoch: 1,
            aid: Aid::new([number; 32]),
            t1: BlockTime::new(1),
            t3: BlockTime::new(100_u64.saturating_sub(u64::from(number))),
            sid: SessionId::new([number; 32]),
            pk_sig: PublicKey::new([2; 32]),
            sigma: SignatureBytes::new([3; 64]),
        }
    }

    fn path(home: &Path) -> PathBuf {
        home.join(FOLDER).join(file::FILE)
    }

    #[test]
    fn what_was_accepted_waits_after_a_crash_the_oldest_first_and_what_was_settled_does_not() {
        let home = tempfile::tempdir().unwrap();
        let outbox = Outbox::open(home.path()).unwrap();
        for number in 1..=3 {
            outbox.put(&result(number), 1_000).unwrap();
        }
        outbox.settle(&[key(&result(2)), key(&result(9))]).unwrap();
        assert_eq!(outbox.due(999, 0, 10), []);
        drop(outbox);

        let outbox = Outbox::open(home.path()).unwrap();

        assert_eq!(outbox.due(0, 5, 10), [result(3), result(1)]);
        assert_eq!(outbox.due(4, 5, 10), []);
        assert_eq!(outbox.due(5, 9, 1), [result(3)]);
        assert!(outbox.holds(&result(1).sid) && !outbox.holds(&result(2).sid));
    }

    #[test]
    fn a_torn_end_is_cut_off_wherever_it_tears() {
        let home = tempfile::tempdir().unwrap();
        let outbox = Outbox::open(home.path()).unwrap();
        outbox.put(&result(1), 0).unwrap();
        let whole = std::fs::read(path(home.path())).unwrap().len();
        outbox.put(&result(2), 0).unwrap();
        drop(outbox);
        let bytes = std::fs::read(path(home.path())).unwrap();

        for end in (whole..bytes.len()).step_by(7) {
            std::fs::write(path(home.path()), &bytes[..end]).unwrap();
            let outbox = Outbox::open(home.path()).unwrap();
            assert_eq!(outbox.due(0, 0, 10), [result(1)], "{end}");
            outbox.put(&result(3), 0).unwrap();
            drop(outbox);
            let again = Outbox::open(home.path()).unwrap();
            assert_eq!(again.due(0, 0, 10), [result(3), result(1)], "{end}");
        }
    }

    #[test]
    fn the_file_shrinks_when_nothing_waits_and_when_most_of_it_is_settled() {
        let home = tempfile::tempdir().unwrap();
        let outbox = Outbox::open(home.path()).unwrap();
        let empty = std::fs::read(path(home.path())).unwrap().len();
        outbox.put(&result(0), 0).unwrap();
        for _ in 0..3_000 {
            outbox.0.waiting.lock().unwrap().insert(
                key(&result(1)),
                Waiting {
                    result: result(1),
                    again_ms: 0,
                },
            );
            outbox.settle(&[key(&result(1))]).unwrap();
        }
        let length = std::fs::read(path(home.path())).unwrap().len();
        assert!(length < 2_000 * 80, "{length}");
        drop(outbox);

        let outbox = Outbox::open(home.path()).unwrap();
        assert_eq!(outbox.due(0, 0, 10), [result(0)]);
        outbox.settle(&[key(&result(0))]).unwrap();

        assert_eq!(std::fs::read(path(home.path())).unwrap().len(), empty);
        assert!(outbox.is_empty());
    }

    #[test]
    fn an_outbox_has_one_process_no_other_readers_and_a_form_of_its_own() {
        use std::os::unix::fs::PermissionsExt as _;

        let home = tempfile::tempdir().unwrap();
        let outbox = Outbox::open(home.path()).unwrap();
        let second = Outbox::open(home.path());
        assert!(matches!(second, Err(OutboxError::InUse { .. })));
        drop(outbox);
        let path = path(home.path());
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let open = Outbox::open(home.path());
        assert!(matches!(
            open,
            Err(OutboxError::TooOpen { mode: 0o640, .. })
        ));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        std::fs::write(&path, [7; 60]).unwrap();

        let foreign = Outbox::open(home.path());

        assert!(matches!(foreign, Err(OutboxError::Foreign { .. })));
    }
}
