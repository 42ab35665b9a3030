//! From parts to a ledger folder, in one pass and with every hash checked again.
//!
//! The folder is made beside the one that it replaces and takes its place by renaming, so a crash
//! leaves the old ledger or the new one, and at worst a folder that the next start removes.

use std::fs;
use std::path::Path;

use consensus::CheckpointCertificate;
use contract::state::{Rebuilt, StatePart, StatePath, join, rebuild};
use contract::{HeaderHash, Height};

use super::proof::{Proved, Unproved};
use super::wire::{SPAN_BLOCKS, SnapshotBlock};
use crate::executor;
use crate::store::{Planted, Planter, StoreError};

/// The folder in which a ledger is made.
pub const DRAFT: &str = "ledger.new";

/// The folder of a ledger that was replaced.
const OLD: &str = "ledger.old";

/// Written last into a draft: everything in it is durable.
const COMPLETE: &str = "complete";

/// Where the parts of a snapshot are read from, in this order: all hashes; the state from its root
/// down, each subtree before what is below it; the blocks, the lowest first.
pub trait Parts {
    /// Part of the header hashes.
    fn hashes(&mut self, segment: u64) -> Result<Vec<u8>, NotPlanted>;

    /// The part of the state with this hash.
    fn state(&mut self, hash: &[u8; 32]) -> Result<Vec<u8>, NotPlanted>;

    /// The next blocks, of which the first is the one after those given before; none at the end.
    fn blocks(&mut self) -> Result<Option<Span>, NotPlanted>;
}

/// Blocks in a row.
#[derive(Debug)]
pub struct Span {
    /// The height of the first.
    pub first: Height,
    /// The blocks' bytes.
    pub bytes: Vec<u8>,
    /// Certificates of some of them.
    pub certificates: Vec<CheckpointCertificate>,
}

/// Why parts do not become a ledger.
#[derive(Debug, thiserror::Error)]
pub enum NotPlanted {
    /// A part is not there.
    #[error("a part of the snapshot is missing: {0}")]
    Missing(&'static str),
    /// A part is false.
    #[error(transparent)]
    Unproved(#[from] Unproved),
    /// The blocks do not reach from below the replay window to the snapshot's block.
    #[error("the blocks of the snapshot do not cover its replay window")]
    Window,
    /// Reading or writing failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes a ledger of a snapshot in a folder of its own.
pub fn plant(proved: &Proved, parts: &mut impl Parts, dir: &Path) -> Result<Height, NotPlanted> {
    let mut planter = Planter::begin(dir, std::sync::Arc::clone(&proved.genesis))?;
    for segment in 0..u64::try_from(proved.manifest.segments.len()).unwrap_or(u64::MAX) {
        let bytes = parts.hashes(segment)?;
        proved.check_hashes(segment, &bytes)?;
        planter.hashes(&bytes)?;
    }
    for epoch in &proved.manifest.epochs {
        planter.epoch_end(&epoch.header, &epoch.certificate)?;
    }
    let root = proved.header.state_root;
    state(
        proved,
        parts,
        (&StatePath::ROOT, root.as_bytes()),
        &mut planter,
    )?;
    blocks(proved, parts, &mut planter)?;
    let height = planter.finish()?;
    if height != proved.height() {
        return Err(NotPlanted::Window);
    }
    Ok(height)
}

/// Plants the state under a path.
fn state(
    proved: &Proved,
    parts: &mut impl Parts,
    (path, hash): (&StatePath, &[u8; 32]),
    planter: &mut Planter,
) -> Result<Rebuilt, NotPlanted> {
    let bytes = parts.state(hash)?;
    let (rebuilt, entries) = match Proved::check_state(path, hash, &bytes)? {
        StatePart::Leaves(leaves) => rebuild(path, &leaves, proved.height()),
        StatePart::Split(limbs) => {
            let mut below = Vec::with_capacity(limbs.len());
            for limb in limbs {
                let at = path.child(limb.nibble);
                below.push((
                    limb.nibble,
                    state(proved, parts, (&at, &limb.hash()), planter)?,
                ));
            }
            let (rebuilt, entry) = join(path, &below, proved.height());
            (rebuilt, vec![entry])
        }
    };
    planter.state(entries)?;
    Ok(rebuilt)
}

/// Plants the blocks.
fn blocks(
    proved: &Proved,
    parts: &mut impl Parts,
    planter: &mut Planter,
) -> Result<(), NotPlanted> {
    let mut next = None;
    let mut covered = false;
    while let Some(span) = parts.blocks()? {
        let Span { first, bytes, .. } = &span;
        let first = *first;
        if next.is_some_and(|next| next != first) {
            return Err(NotPlanted::Window);
        }
        let known = known_hashes(proved, planter, first)?;
        let hash = |at: Height| {
            let place = at.get().checked_sub(first.get())?;
            known.get(usize::try_from(place).ok()?).copied()
        };
        let (came, lowest) = proved.check_blocks(first, bytes, hash)?;
        covered |= lowest.time < proved.since() || first.get() == 0;
        for (at, block) in (first.get()..).zip(&came) {
            plant_block(
                proved,
                (Height::new(at), &span.certificates),
                block,
                planter,
            )?;
        }
        let count = u64::try_from(came.len()).unwrap_or(u64::MAX);
        next = Some(Height::new(first.get().saturating_add(count)));
    }
    if covered && next == Some(proved.height().next()) {
        Ok(())
    } else {
        Err(NotPlanted::Window)
    }
}

/// Plants one block that was checked.
fn plant_block(
    proved: &Proved,
    (at, certificates): (Height, &[CheckpointCertificate]),
    block: &SnapshotBlock,
    planter: &mut Planter,
) -> Result<(), NotPlanted> {
    let own = certificates
        .iter()
        .find(|certificate| certificate.seq.get() == at.get());
    if let Some(certificate) = own {
        proved.check_certificate(&block.header, certificate)?;
    }
    let newest = at == proved.height();
    planter.block(Planted {
        header: &block.header,
        batch: &block.batch,
        outcomes: &block.outcomes,
        certificate: own.or_else(|| newest.then_some(&proved.manifest.certificate)),
    })?;
    Ok(())
}

/// The proved hashes of the headers from `first` on, as many as blocks come at once.
fn known_hashes(
    proved: &Proved,
    planter: &Planter,
    first: Height,
) -> Result<Vec<HeaderHash>, NotPlanted> {
    let last = first.get().saturating_add(SPAN_BLOCKS);
    let below = last.min(proved.height().get());
    let mut known = planter.known(first, below.saturating_sub(first.get()))?;
    if last > proved.height().get() {
        known.push(proved.hash);
    }
    Ok(known)
}

/// Puts a finished draft in the place of a home's ledger.
pub fn replace(home: &Path) -> Result<(), StoreError> {
    let draft = home.join(DRAFT);
    let mark = draft.join(COMPLETE);
    fs::write(&mark, b"")
        .and_then(|()| sync(&mark))
        .and_then(|()| sync(&draft))
        .map_err(|source| StoreError::disk("complete", &draft, source))?;
    settle(home)
}

/// Finishes or undoes a replacement that a crash interrupted. Every start begins with it.
pub fn settle(home: &Path) -> Result<(), StoreError> {
    let (draft, old, ledger) = (
        home.join(DRAFT),
        home.join(OLD),
        home.join(executor::FOLDER),
    );
    let disk = |doing, path: &Path| {
        let path = path.to_path_buf();
        move |source| StoreError::disk(doing, &path, source)
    };
    let gone = |path: &Path| {
        if path.exists() {
            fs::remove_dir_all(path).map_err(disk("remove", path))
        } else {
            Ok(())
        }
    };
    if !draft.join(COMPLETE).exists() {
        gone(&draft)?;
        // The crash came before the new ledger was whole: the old one is still the one.
        if !ledger.exists() && old.exists() {
            fs::rename(&old, &ledger).map_err(disk("rename", &old))?;
        }
        if ledger.join(COMPLETE).exists() {
            let mark = ledger.join(COMPLETE);
            fs::remove_file(&mark).map_err(disk("remove", &mark))?;
        }
        return gone(&old);
    }
    if ledger.exists() {
        gone(&old)?;
        fs::rename(&ledger, &old).map_err(disk("rename", &ledger))?;
    }
    fs::rename(&draft, &ledger).map_err(disk("rename", &draft))?;
    sync(home).map_err(disk("sync", home))?;
    let mark = ledger.join(COMPLETE);
    fs::remove_file(&mark).map_err(disk("remove", &mark))?;
    gone(&old)
}

/// Makes a file or the names in a folder durable.
fn sync(path: &Path) -> std::io::Result<()> {
    fs::File::open(path)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A home in which these folders stand, each with its own name in a file.
    fn home(folders: &[&str]) -> tempfile::TempDir {
        let home = tempfile::tempdir().unwrap();
        for name in folders {
            let dir = home.path().join(name.trim_end_matches('!'));
            fs::create_dir_all(&dir).unwrap();
            fs::write(dir.join("content"), name.trim_end_matches('!')).unwrap();
            if name.ends_with('!') {
                fs::write(dir.join(COMPLETE), b"").unwrap();
            }
        }
        home
    }

    #[test]
    fn a_replacement_is_finished_or_undone_wherever_a_crash_came() {
        for (found, expected) in [
            (&["ledger"][..], "ledger"),
            (&["ledger", "ledger.new"], "ledger"),
            (&["ledger", "ledger.new!"], "ledger.new"),
            (&["ledger.old", "ledger.new!"], "ledger.new"),
            (&["ledger", "ledger.old", "ledger.new!"], "ledger.new"),
            (&["ledger!", "ledger.old"], "ledger"),
            (&["ledger.old", "ledger.new"], "ledger.old"),
        ] {
            let home = home(found);

            settle(home.path()).unwrap();

            let content = fs::read_to_string(home.path().join("ledger/content")).unwrap();
            assert_eq!(content, expected, "{found:?}");
            let left: Vec<_> = fs::read_dir(home.path()).unwrap().collect();
            assert_eq!(left.len(), 1, "{found:?}");
            assert!(!home.path().join("ledger").join(COMPLETE).exists());
        }
    }
}
