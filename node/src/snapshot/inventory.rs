//! What is kept: how much of the disk this node uses, and from which block on each member has bodies.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::watch;
use tracing::debug;

use super::peers::Peers as _;
use super::wire::{Offer, Request};
use crate::build::{Build, QUESTION};
use crate::metrics::Metrics;
use crate::network::Network;
use crate::roster::Roster;

/// How often it is looked and asked.
const EVERY: Duration = Duration::from_secs(30);

/// How often those who have come back are asked which build they run.
const GREET_EVERY: Duration = Duration::from_secs(1);

/// Octets of one block of `st_blocks`, whatever the file system's own are.
const BLOCK_BYTES: u64 = 512;

/// Looks after what is kept.
#[derive(Debug)]
pub struct Inventory {
    /// Asks the others.
    pub network: Network,
    /// Where this node keeps everything.
    pub home: PathBuf,
    /// Where it is noted what the others say.
    pub roster: Roster,
    /// Where it is noted what the disk holds.
    pub metrics: Metrics,
}

impl Inventory {
    /// Looks and asks again and again until the node stops.
    pub async fn run(self, mut stopped: watch::Receiver<bool>) {
        let looking = async {
            let mut turns = tokio::time::interval(EVERY);
            loop {
                turns.tick().await;
                self.look().await;
                self.ask().await;
            }
        };
        let greeting = async {
            let mut turns = tokio::time::interval(GREET_EVERY);
            loop {
                turns.tick().await;
                self.greet().await;
            }
        };
        tokio::select! {
            () = looking => {}
            () = greeting => {}
            _ = stopped.wait_for(|stop| *stop) => {}
        }
    }

    /// Measures what the home uses of the disk.
    async fn look(&self) {
        let home = self.home.clone();
        match tokio::task::spawn_blocking(move || disk_bytes(&home)).await {
            Ok(Ok(bytes)) => {
                let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
                self.metrics.storage_size.set(bytes);
            }
            Ok(Err(cause)) => debug!(%cause, "the home could not be measured"),
            Err(broken) => debug!(%broken, "the home could not be measured"),
        }
    }

    /// Asks each member that has come lately which build it runs.
    async fn greet(&self) {
        for member in self.network.present() {
            if self.roster.read(member).build.is_some() {
                continue;
            }
            let answer = self.network.question(member, QUESTION.to_vec()).await;
            if let Some(build) = answer.ok().and_then(|bytes| Build::decode(&bytes)) {
                self.roster.told_build(member, build);
            }
        }
    }

    /// Asks each member from which block on it keeps bodies.
    async fn ask(&self) {
        for member in self.network.present() {
            let answer = self.network.question(member, Request::Offer.encode()).await;
            let offer = answer.ok().and_then(|bytes| Offer::decode(&bytes));
            if let Some(offer) = offer {
                self.roster.told_lowest(member, offer.lowest.get());
            }
        }
    }
}

/// Octets of the disk that a folder uses: holes in files count for nothing.
pub fn disk_bytes(folder: &Path) -> io::Result<u64> {
    let mut bytes = 0_u64;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let more = match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => disk_bytes(&entry.path())?,
            Ok(metadata) => metadata.blocks().saturating_mul(BLOCK_BYTES),
            // A file that went away while the folder was read uses nothing.
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(error) => return Err(error),
        };
        bytes = bytes.saturating_add(more);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_uses_what_its_files_use_and_nothing_for_their_holes() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("deeper")).unwrap();
        let path = folder.path().join("deeper/file");
        fs::write(&path, vec![1; 64 * 1024]).unwrap();
        let full = disk_bytes(folder.path()).unwrap();

        let sparse = fs::File::create(folder.path().join("sparse")).unwrap();
        sparse.set_len(1 << 30).unwrap();

        assert!(full >= 64 * 1024, "{full}");
        assert_eq!(disk_bytes(folder.path()).unwrap(), full);
    }
}
