//! The ledger on this node's disk: a block file, and a database that can be rebuilt from it.
//!
//! Bodies (headers, batches, outcomes, certificates) stand once in the block file; the
//! database holds the state, indexes, and where in the file each block is. Each block goes
//! into the database in one atomic step. Neither is the only copy of anything that is not
//! yet durable: until [`Store::sync`] has returned for a height, the vote log keeps it.
//!
//! This file alone names sled. Its `flush` asks the kernel to write but not the disk to keep
//! (`sync_file_range`), so `Database::sync` adds the sync of the database file.

mod blocks;
pub(crate) mod entry;
mod error;
mod floor;
pub(crate) mod frame;
pub(crate) mod hashes;
pub mod history;
mod index;
mod inspect;
mod keys;
mod open;
mod plant;
mod prune;
mod reader;
mod results;
mod writer;

use std::fs::{self, File};
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

pub use crate::store::entry::StoredBlock;
pub use crate::store::error::StoreError;
pub use crate::store::inspect::{Fault, Inspected, inspect};
pub use crate::store::open::Opened;
pub use crate::store::plant::{Planted, Planter};
pub use crate::store::prune::{NotRetain, PRUNE_BLOCKS, Pruned, Retain};
pub use crate::store::reader::{BlockParts, CertifiedBytes, Hold, Located, Reader};
pub use crate::store::results::{
    Cursor, NotACursor, PAGE_ROWS_MAX, Page, ResultForm, ResultQuery, ResultRow,
};
pub use crate::store::writer::{Executed, Replay, SNAPSHOT_EVERY, Store};

/// The format that this program writes and reads.
pub const FORMAT: u16 = open::VERSION;

/// Memory that the database may use for what it has read.
const CACHE_BYTES: u64 = 8 * 1024 * 1024;

/// A key and its value.
type Pair = (Vec<u8>, Vec<u8>);

/// What one atomic step writes.
#[derive(Debug, Default)]
struct Writes(sled::Batch);

impl Writes {
    /// Sets the value of a key.
    fn put(&mut self, key: &[u8], value: impl Into<sled::IVec>) {
        self.0.insert(key, value);
    }

    /// Removes a key.
    fn delete(&mut self, key: &[u8]) {
        self.0.remove(key);
    }
}

/// An ordered map of bytes on the disk.
#[derive(Debug, Clone)]
struct Database {
    tree: sled::Db,
    path: PathBuf,
}

impl Database {
    /// Opens the database in folder `path`, or makes it.
    fn open(path: &Path) -> Result<Self, StoreError> {
        let config = sled::Config::default()
            .path(path)
            .cache_capacity(CACHE_BYTES)
            .flush_every_ms(None);
        // Over a damaged file sled may panic where it should return an error.
        let open = || {
            panic::catch_unwind(AssertUnwindSafe(|| config.open()))
                .unwrap_or_else(|_panic| Err(sled::Error::ReportableBug(STOPPED.to_owned())))
        };
        let mut tree = open();
        // Threads of sled may hold the file's lock for a moment after the last handle is gone.
        for _ in 0..LOCK_TRIES {
            if !tree.as_ref().is_err_and(is_locked) {
                break;
            }
            thread::sleep(LOCK_PAUSE);
            tree = open();
        }
        let tree = tree.map_err(|error| failed(path, &error))?;
        Ok(Self {
            tree,
            path: path.to_path_buf(),
        })
    }

    /// Names a failure of this database.
    fn failed(&self, error: &sled::Error) -> StoreError {
        failed(&self.path, error)
    }

    /// The value of a key.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let value = self.tree.get(key).map_err(|error| self.failed(&error))?;
        Ok(value.map(|value| value.to_vec()))
    }

    /// Writes everything or nothing.
    fn apply(&self, writes: Writes) -> Result<(), StoreError> {
        self.tree
            .apply_batch(writes.0)
            .map_err(|error| self.failed(&error))
    }

    /// The last pair from `first` to `last`, both included.
    fn last_within(&self, first: &[u8], last: &[u8]) -> Result<Option<Pair>, StoreError> {
        self.tree
            .range(first..=last)
            .next_back()
            .map(|pair| pair.map(|(key, value)| (key.to_vec(), value.to_vec())))
            .transpose()
            .map_err(|error| self.failed(&error))
    }

    /// All pairs from `first` to `last`, both included, in order.
    fn within(
        &self,
        first: &[u8],
        last: &[u8],
    ) -> impl DoubleEndedIterator<Item = Result<Pair, StoreError>> + use<'_> {
        self.tree.range(first..=last).map(|pair| {
            pair.map(|(key, value)| (key.to_vec(), value.to_vec()))
                .map_err(|error| self.failed(&error))
        })
    }

    /// Makes everything written so far durable.
    fn sync(&self) -> Result<(), StoreError> {
        self.tree.flush().map_err(|error| self.failed(&error))?;
        let file = self.path.join("db");
        File::open(&file)
            .and_then(|file| file.sync_data())
            .map_err(|source| StoreError::disk("sync", &file, source))
    }
}

/// How often a locked database is tried again. One pool of threads writes for all databases of a
/// process, so a slow disk can keep one open for seconds; another process in the same home was
/// refused before.
const LOCK_TRIES: usize = 500;

/// How long between two tries.
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// Whether somebody holds the lock of the database file.
fn is_locked(error: &sled::Error) -> bool {
    matches!(error, sled::Error::Io(source) if source.to_string().contains("acquire lock"))
}

/// What is said of a database that panicked.
const STOPPED: &str = "it stopped while reading its file";

/// Names a failure of the database in `path`: of the disk, or damage, which is rebuilt.
fn failed(path: &Path, error: &sled::Error) -> StoreError {
    let damage = [
        std::io::ErrorKind::UnexpectedEof,
        std::io::ErrorKind::InvalidData,
    ];
    if let sled::Error::Io(source) = error
        && !damage.contains(&source.kind())
    {
        return StoreError::disk(
            "use the database in",
            path,
            std::io::Error::new(source.kind(), source.to_string()),
        );
    }
    StoreError::Database {
        path: path.to_path_buf(),
        what: error.to_string(),
    }
}

/// Renames something broken, replacing what was set aside before.
fn set_aside(path: &Path) -> Result<(), StoreError> {
    let aside = path.with_extension("broken");
    let cleared = if aside.is_dir() {
        fs::remove_dir_all(&aside)
    } else if aside.exists() {
        fs::remove_file(&aside)
    } else {
        Ok(())
    };
    cleared
        .and_then(|()| fs::rename(path, &aside))
        .map_err(|source| StoreError::disk("set aside", path, source))
}
