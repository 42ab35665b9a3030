//! What was taken of a snapshot so far, on the disk: so that a crash or a stop costs nothing.
//!
//! Each part is a file named for what it is: a part of the state by its hash, hashes and blocks by
//! snapshot and place. The folder is trusted no more than a member: a file counts when it passes
//! the same check as an answer, and one that does not is removed and asked for again. So nothing
//! here needs to be synced, and a folder of an older snapshot is of use to a newer one: parts of
//! the state that did not change have the same names.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use contract::{Header, Height};

use super::install::{NotPlanted, Parts, Span};
use super::proof::Proved;
use super::wire::{self, Manifest};
use crate::store::StoreError;

/// The folder in a member's home.
pub const FOLDER: &str = "ledger.joining";

/// A folder of parts.
#[derive(Debug, Clone)]
pub struct Staging {
    dir: PathBuf,
}

/// The name of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name {
    /// A part of the state with this hash.
    State([u8; 32]),
    /// Part of the header hashes below a snapshot.
    Hashes(Height, u64),
    /// Blocks of a snapshot from this height on.
    Blocks(Height, Height),
}

impl Name {
    /// The name of the file.
    fn file(&self) -> String {
        match self {
            Self::State(hash) => format!("state-{}", hex::encode(hash)),
            Self::Hashes(snapshot, segment) => format!("hashes-{snapshot}-{segment}"),
            Self::Blocks(snapshot, first) => format!("blocks-{snapshot}-{first}"),
        }
    }
}

impl Staging {
    /// The folder in a home; made if it is not there.
    pub fn open(home: &Path) -> Result<Self, StoreError> {
        let dir = home.join(FOLDER);
        fs::create_dir_all(&dir).map_err(|source| StoreError::disk("create", &dir, source))?;
        Ok(Self { dir })
    }

    /// The manifest that was taken last.
    pub fn manifest(&self) -> Option<Manifest> {
        let bytes = fs::read(self.dir.join("manifest")).ok()?;
        Manifest::decode(&bytes)
    }

    /// Keeps a manifest; of older snapshots only the state is kept.
    pub fn keep_manifest(&self, manifest: &Manifest, height: Height) -> Result<(), StoreError> {
        let of_this = [format!("hashes-{height}-"), format!("blocks-{height}-")];
        for name in self.names()? {
            let mine = of_this.iter().any(|prefix| name.starts_with(prefix));
            if !mine && !name.starts_with("state-") {
                self.remove(&name)?;
            }
        }
        self.write("manifest", &manifest.encode())
    }

    /// The bytes of a part, if they are here. Whoever reads them checks them.
    pub fn read(&self, name: &Name) -> Option<Vec<u8>> {
        fs::read(self.dir.join(name.file())).ok()
    }

    /// Keeps a part that was checked.
    pub fn keep(&self, name: &Name, bytes: &[u8]) -> Result<(), StoreError> {
        self.write(&name.file(), bytes)
    }

    /// Removes a part that is not what its name says.
    pub fn discard(&self, name: &Name) -> Result<(), StoreError> {
        self.remove(&name.file())
    }

    /// Removes parts of the state that are not in use any more.
    pub fn keep_state(&self, used: &BTreeSet<[u8; 32]>) -> Result<(), StoreError> {
        let used: BTreeSet<String> = used.iter().map(|hash| Name::State(*hash).file()).collect();
        for name in self.names()? {
            if name.starts_with("state-") && !used.contains(&name) {
                self.remove(&name)?;
            }
        }
        Ok(())
    }

    /// Removes the folder.
    pub fn clear(&self) -> Result<(), StoreError> {
        fs::remove_dir_all(&self.dir)
            .map_err(|source| StoreError::disk("remove", &self.dir, source))
    }

    /// The names of all files.
    fn names(&self) -> Result<Vec<String>, StoreError> {
        let failed = |source| StoreError::disk("list", &self.dir, source);
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.dir).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            names.extend(name.into_string());
        }
        Ok(names)
    }

    /// Writes a file whole or not at all.
    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let path = self.dir.join(name);
        let draft = self.dir.join(format!("{name}.new"));
        fs::write(&draft, bytes)
            .and_then(|()| fs::rename(&draft, &path))
            .map_err(|source| StoreError::disk("write", &path, source))
    }

    /// Removes a file.
    fn remove(&self, name: &str) -> Result<(), StoreError> {
        let path = self.dir.join(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(StoreError::disk("remove", &path, error))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

/// The parts of one snapshot in the folder, in the order in which a ledger is made of them.
#[derive(Debug)]
pub struct Staged<'a> {
    staging: &'a Staging,
    snapshot: Height,
    /// Where the blocks begin that were not read yet, the lowest first.
    blocks: std::vec::IntoIter<Height>,
}

impl<'a> Staged<'a> {
    /// The parts of a snapshot that was taken whole.
    pub fn new(staging: &'a Staging, proved: &Proved) -> Result<Self, StoreError> {
        let snapshot = proved.height();
        let prefix = format!("blocks-{snapshot}-");
        let names = staging.names()?;
        let firsts = names
            .iter()
            .filter_map(|name| name.strip_prefix(&prefix)?.parse().ok());
        let mut firsts: Vec<Height> = firsts.map(Height::new).collect();
        firsts.sort_unstable();
        let lowest = staging.lowest_needed(&firsts, proved);
        firsts.retain(|first| *first >= lowest);
        Ok(Self {
            staging,
            snapshot,
            blocks: firsts.into_iter(),
        })
    }
}

impl Staging {
    /// Where the blocks that the snapshot needs begin: from there on without a gap, the first of
    /// them before the replay window. More may have come, since several are asked for at once.
    fn lowest_needed(&self, firsts: &[Height], proved: &Proved) -> Height {
        let mut next = proved.height().next();
        for first in firsts.iter().rev() {
            let name = Name::Blocks(proved.height(), *first);
            let bytes = self.read(&name).unwrap_or_default();
            let blocks = wire::blocks(&bytes).unwrap_or_default();
            let count = u64::try_from(blocks.len()).unwrap_or(u64::MAX);
            if first.get().saturating_add(count) != next.get() {
                break;
            }
            next = *first;
            let lowest = blocks.first().map(|block| Header::decode(&block.header));
            if matches!(lowest, Some(Ok(header)) if header.time < proved.since()) {
                break;
            }
        }
        next
    }
}

impl Parts for Staged<'_> {
    fn hashes(&mut self, segment: u64) -> Result<Vec<u8>, NotPlanted> {
        let name = Name::Hashes(self.snapshot, segment);
        self.staging
            .read(&name)
            .ok_or(NotPlanted::Missing("hashes"))
    }

    fn state(&mut self, hash: &[u8; 32]) -> Result<Vec<u8>, NotPlanted> {
        let name = Name::State(*hash);
        self.staging.read(&name).ok_or(NotPlanted::Missing("state"))
    }

    fn blocks(&mut self) -> Result<Option<Span>, NotPlanted> {
        let Some(first) = self.blocks.next() else {
            return Ok(None);
        };
        let name = Name::Blocks(self.snapshot, first);
        let bytes = self.staging.read(&name);
        Ok(Some(Span {
            first,
            bytes: bytes.ok_or(NotPlanted::Missing("blocks"))?,
            certificates: Vec::new(),
        }))
    }
}
