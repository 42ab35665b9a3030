//! A backup: a snapshot at a certified height in one file, with every body that the node keeps.
//!
//! ```text
//! magic 16 ‖ version u16 ‖ chain 32, then frames: kind u8 ‖ length u32 ‖ bytes
//!   1 genesis file   2 manifest   3 part of the hashes   4 part of the state
//!   5 first height u64 ‖ blocks   6 certificate of one of these blocks
//!   7 SHA-256 of everything before ‖ public key ‖ its signature
//! ```
//!
//! It holds what all members hold, and no key, no vote and nothing that must be erasable. Whoever
//! reads it trusts the genesis file alone; the signature says who made it, for the inventory.

mod read;
mod write;

use std::io;

use contract::Height;

use super::install::NotPlanted;
use super::proof::Unproved;
use super::serve::Unread;
use crate::store::StoreError;

pub use read::Archive;
pub use write::write;

/// First bytes of a backup.
const MAGIC: &[u8; 16] = b"aidchain-backup\n";

/// The format written by this program.
const VERSION: u16 = 1;

/// No frame is longer.
const FRAME_MAX: u32 = 16 << 20;

/// What stands in front of the digest that the maker signs.
const DOMAIN: &[u8] = b"aidchain/backup\0";

/// What a frame holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Kind {
    Genesis = 1,
    Manifest = 2,
    Hashes = 3,
    State = 4,
    Blocks = 5,
    Certificate = 6,
    End = 7,
}

impl Kind {
    /// The kind with this number.
    const fn of(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Genesis),
            2 => Some(Self::Manifest),
            3 => Some(Self::Hashes),
            4 => Some(Self::State),
            5 => Some(Self::Blocks),
            6 => Some(Self::Certificate),
            7 => Some(Self::End),
            _ => None,
        }
    }
}

/// What a backup holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// The certified block that it is of.
    pub height: Height,
    /// The lowest block whose body is in it.
    pub lowest: Height,
    /// Its length in bytes.
    pub bytes: u64,
    /// The key of the member that made it.
    pub maker: [u8; 32],
}

/// Why a backup cannot be made or is not taken.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// Reading or writing the file failed.
    #[error("the backup cannot be read or written: {0}")]
    File(#[from] io::Error),
    /// The ledger cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A part of it cannot be read.
    #[error(transparent)]
    Unread(#[from] Unread),
    /// No block is certified yet.
    #[error("there is nothing to back up: no block is certified yet")]
    Empty,
    /// The ledger let go of something while it was read.
    #[error("block {0} was let go while the backup was made: try again")]
    Moved(Height),
    /// The file is no backup of this program's format.
    #[error("not a backup of this program: {0}")]
    Malformed(&'static str),
    /// It is another ledger's.
    #[error("a backup of another ledger ({found})")]
    OtherChain {
        /// That ledger's id.
        found: String,
    },
    /// The signature at its end is not its maker's.
    #[error("the signature at the end of the backup does not fit what is before it")]
    Signature,
    /// A part of it is false.
    #[error(transparent)]
    Unproved(#[from] Unproved),
    /// It does not become a ledger.
    #[error(transparent)]
    NotPlanted(#[from] NotPlanted),
}
