//! What can go wrong with the store.

use std::io;
use std::path::{Path, PathBuf};

use contract::Height;

/// The store cannot be used. The node stops, or a reader gets no answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No space is left.
    #[error(
        "the disk is full: {} cannot grow; free some space and start the node again, \
         nothing acknowledged is lost",
        path.display()
    )]
    DiskFull {
        /// The file that could not grow.
        path: PathBuf,
    },
    /// The disk refused something else.
    #[error("the store could not {doing} {}: {source}", path.display())]
    Disk {
        /// What was being done.
        doing: &'static str,
        /// To which file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The files are another ledger's.
    #[error(
        "{} belongs to another ledger ({found}); point --home at this ledger's folder, \
         or move that file away",
        path.display()
    )]
    OtherChain {
        /// The file.
        path: PathBuf,
        /// That ledger's id.
        found: String,
    },
    /// The files were written by another version of this program.
    #[error(
        "{} has format version {found}, this program knows version {known}; \
         start the program that wrote it",
        path.display()
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u16,
        /// Ours.
        known: u16,
    },
    /// The database failed.
    #[error("the database in {} failed: {what}", path.display())]
    Database {
        /// The folder.
        path: PathBuf,
        /// What it said.
        what: String,
    },
    /// Something that was written cannot be read any more.
    #[error(
        "the store is damaged at height {height}; stop the node and start it again: \
         it rebuilds the store"
    )]
    Damaged {
        /// The block that cannot be read.
        height: u64,
    },
    /// The database is lost, and what it would be rebuilt from is not kept here.
    #[error(
        "the database in {} is lost or damaged, and this node does not keep the blocks from which \
         it could be rebuilt: `aidchain node repair` takes the ledger from the other members",
        path.display()
    )]
    Beyond {
        /// The folder.
        path: PathBuf,
    },
    /// More bytes at once than the store takes.
    #[error("{bytes} bytes are more than one entry of the store takes")]
    TooLarge {
        /// How many.
        bytes: usize,
    },
}

impl StoreError {
    /// Names an operating system's error after what was being done to `path`.
    pub(crate) fn disk(doing: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_path_buf();
        let full = [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded];
        if full.contains(&source.kind()) {
            return Self::DiskFull { path };
        }
        Self::Disk {
            doing,
            path,
            source,
        }
    }

    /// Something at a height cannot be read.
    pub(crate) const fn damaged(height: Height) -> Self {
        Self::Damaged {
            height: height.get(),
        }
    }
}
