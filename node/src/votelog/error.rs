//! What can go wrong with a vote log: a disk that fails, and votes that are gone.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// The log cannot be used any further; the node stops with this text.
#[derive(Debug, thiserror::Error)]
pub enum VoteLogError {
    /// No space is left. What was written before is whole and will be read again.
    #[error(
        "the disk is full: the vote log {} cannot grow; free some space and start the node again, \
         no vote is lost",
        path.display()
    )]
    DiskFull {
        /// The file that could not grow.
        path: PathBuf,
    },
    /// The disk refused something else.
    #[error("the vote log could not {doing} {}: {source}", path.display())]
    Disk {
        /// What was being done.
        doing: &'static str,
        /// To which file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// An earlier write failed; what the disk holds of it is not known.
    #[error("the vote log was closed by an earlier failure to write; start the node again")]
    Closed,
    /// A log stands where a new one was to be made.
    #[error(
        "{} holds a vote log already; a log is made once, together with its key",
        path.display()
    )]
    AlreadyThere {
        /// The folder.
        path: PathBuf,
    },
    /// Birth was to be written into a log that holds more than its key.
    #[error(
        "the vote log in {} belongs to a ledger already; a member joins a second ledger with new keys",
        path.display()
    )]
    AlreadyBorn {
        /// The folder.
        path: PathBuf,
    },
    /// Birth was to be written into a log that cannot be used.
    #[error("cannot join a ledger with these keys: {0}; make new keys with `aidchain key init`")]
    Lost(Loss),
    /// The file was written by another version of this program.
    #[error(
        "the vote log {} has format version {found}, this program knows version {known}; \
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
    /// More bytes at once than a log takes.
    #[error("a record of {bytes} bytes is larger than the vote log takes")]
    TooLarge {
        /// How many.
        bytes: usize,
    },
}

impl VoteLogError {
    /// Names an operating system's error after what was being done to `path`.
    pub(super) fn disk(doing: &'static str, path: &Path, source: io::Error) -> Self {
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
}

/// Why this node cannot know what it signed. It signs nothing in this epoch then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Loss {
    /// There is no log.
    Missing,
    /// The log does not begin with the key it was made for.
    NoKey,
    /// The log was never bound to a ledger.
    NoBirth,
    /// The log is another member key's.
    OtherKey,
    /// The log is another ledger's.
    OtherChain,
    /// A file is missing between the first and the last.
    SegmentMissing {
        /// The missing file's number.
        number: u64,
    },
    /// A file's bytes changed after they were written.
    Damaged {
        /// The file's number.
        number: u64,
        /// Where in the file.
        offset: u64,
    },
    /// A whole record that means nothing.
    Undecodable {
        /// The file's number.
        number: u64,
    },
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("votes lost: ")?;
        match self {
            Self::Missing => f.write_str("this member's vote log is missing"),
            Self::NoKey => f.write_str("the vote log does not begin with its key"),
            Self::NoBirth => f.write_str("the vote log was never bound to this ledger"),
            Self::OtherKey => f.write_str("the vote log belongs to another member key"),
            Self::OtherChain => f.write_str("the vote log belongs to another ledger"),
            Self::SegmentMissing { number } => {
                write!(f, "file {number} of the vote log is missing")
            }
            Self::Damaged { number, offset } => {
                write!(
                    f,
                    "file {number} of the vote log is damaged at byte {offset}"
                )
            }
            Self::Undecodable { number } => {
                write!(
                    f,
                    "file {number} of the vote log holds a record that cannot be read"
                )
            }
        }
    }
}
