//! The header hashes of blocks whose bodies are not kept: 32 bytes a block, never pruned.
//!
//! Behind a header, the hash of block `h` stands at `h · 32`. The file only grows. It may be ahead
//! of the database after a crash, never behind it: hashes are durable before bodies go.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use contract::{HeaderHash, Height};

use crate::store::error::StoreError;

/// Bytes of a hash.
pub(crate) const HASH_BYTES: usize = 32;

/// First bytes of the file.
const MAGIC: &[u8; 16] = b"aidchain-hashes\n";

/// The format written by this program.
const VERSION: u16 = 1;

/// Magic, version, chain, checksum.
const HEADER_BYTES: usize = 16 + 2 + 32 + 4;

/// Hashes that are read at once while one is looked for.
const SCAN: usize = 8_192;

/// The file; any number of threads may read it.
#[derive(Debug, Clone)]
pub(super) struct Hashes {
    file: Arc<File>,
    path: Arc<Path>,
}

impl Hashes {
    /// Opens the file of this chain in `dir`, or makes it.
    pub(super) fn open(dir: &Path, chain: &[u8; 32]) -> Result<Self, StoreError> {
        let path = dir.join("hashes");
        let disk = |doing| {
            let path = path.clone();
            move |source| StoreError::disk(doing, &path, source)
        };
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(disk("open"))?;
        let label = label(chain);
        let mut found = vec![0; HEADER_BYTES];
        match file.read_exact_at(&mut found, 0) {
            Ok(()) if found == label => {}
            Ok(()) if found.starts_with(MAGIC) => return Err(foreign(&path, &found)),
            // A header that is torn was never followed by a hash.
            Ok(()) | Err(_) => {
                file.set_len(0)
                    .and_then(|()| file.write_all_at(&label, 0))
                    .and_then(|()| file.sync_all())
                    .map_err(disk("write"))?;
            }
        }
        Ok(Self {
            file: Arc::new(file),
            path: path.into(),
        })
    }

    /// How many hashes it holds.
    pub(super) fn count(&self) -> Result<u64, StoreError> {
        let length = self.file.metadata().map_err(self.disk("measure"))?.len();
        let hashes = length.saturating_sub(HEADER_BYTES as u64);
        Ok(hashes.checked_div(HASH_BYTES as u64).unwrap_or(0))
    }

    /// Writes hashes from `first` on, over what a crash may have left there. They are durable when
    /// this returns.
    pub(super) fn write(&self, first: Height, hashes: &[u8]) -> Result<(), StoreError> {
        self.file
            .write_all_at(hashes, place(first))
            .and_then(|()| self.file.sync_data())
            .map_err(self.disk("write"))
    }

    /// `count` hashes from `first` on, one behind the other; fewer where the file ends.
    pub(super) fn read(&self, first: Height, count: usize) -> Result<Vec<u8>, StoreError> {
        let there = self.count()?.saturating_sub(first.get());
        let count = count.min(usize::try_from(there).unwrap_or(usize::MAX));
        let mut bytes = vec![0; count.saturating_mul(HASH_BYTES)];
        self.file
            .read_exact_at(&mut bytes, place(first))
            .map_err(self.disk("read"))?;
        Ok(bytes)
    }

    /// The hash of a block.
    pub(super) fn get(&self, height: Height) -> Result<Option<HeaderHash>, StoreError> {
        let bytes = self.read(height, 1)?;
        Ok(<[u8; 32]>::try_from(bytes).ok().map(HeaderHash::new))
    }

    /// The block below `limit` that has this hash.
    pub(super) fn find(
        &self,
        hash: &HeaderHash,
        limit: Height,
    ) -> Result<Option<Height>, StoreError> {
        let mut first = 0_u64;
        while first < limit.get() {
            let bytes = self.read(Height::new(first), SCAN)?;
            if bytes.is_empty() {
                break;
            }
            let mut all = bytes.chunks_exact(HASH_BYTES);
            if let Some(at) = all.position(|one| one == hash.as_bytes()) {
                let found = first.saturating_add(u64::try_from(at).unwrap_or(u64::MAX));
                return Ok((found < limit.get()).then(|| Height::new(found)));
            }
            first = first.saturating_add(SCAN as u64);
        }
        Ok(None)
    }

    /// Names a failure of this file.
    fn disk(&self, doing: &'static str) -> impl FnOnce(std::io::Error) -> StoreError + use<'_> {
        move |source| StoreError::disk(doing, &self.path, source)
    }
}

/// Where the hash of a block stands.
const fn place(height: Height) -> u64 {
    height
        .get()
        .saturating_mul(HASH_BYTES as u64)
        .saturating_add(HEADER_BYTES as u64)
}

/// The bytes of the file's header.
fn label(chain: &[u8; 32]) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(chain);
    let sum = crc32fast::hash(&bytes);
    bytes.extend_from_slice(&sum.to_le_bytes());
    bytes
}

/// The error over another ledger's or another version's file.
fn foreign(path: &Path, found: &[u8]) -> StoreError {
    let fields = found.get(MAGIC.len()..).unwrap_or_default();
    let version = fields
        .first_chunk::<2>()
        .map_or(0, |it| u16::from_le_bytes(*it));
    let path = path.to_path_buf();
    if version == VERSION {
        let chain = fields.get(2..34).unwrap_or_default();
        return StoreError::OtherChain {
            path,
            found: hex::encode(chain),
        };
    }
    StoreError::Version {
        path,
        found: version,
        known: VERSION,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHAIN: [u8; 32] = [5; 32];

    fn hashes(heights: std::ops::Range<u8>) -> Vec<u8> {
        heights.flat_map(|height| [height; HASH_BYTES]).collect()
    }

    fn hash(height: u8) -> HeaderHash {
        HeaderHash::new([height; 32])
    }

    #[test]
    fn hashes_read_back_by_height_and_by_hash_after_the_file_is_opened_again() {
        let dir = tempfile::tempdir().unwrap();
        let file = Hashes::open(dir.path(), &CHAIN).unwrap();
        file.write(Height::new(0), &hashes(0..100)).unwrap();
        file.write(Height::new(100), &hashes(100..120)).unwrap();
        drop(file);

        let file = Hashes::open(dir.path(), &CHAIN).unwrap();

        assert_eq!(file.count().unwrap(), 120);
        let limit = Height::new(110);
        for at in [0, 99, 100, 109] {
            let height = Height::new(at.into());
            assert_eq!(file.get(height).unwrap(), Some(hash(at)));
            assert_eq!(file.find(&hash(at), limit).unwrap(), Some(height));
        }
        assert_eq!(file.get(Height::new(120)).unwrap(), None);
        assert_eq!(file.find(&hash(110), limit).unwrap(), None);
        assert_eq!(file.read(Height::new(118), 9).unwrap(), hashes(118..120));
    }

    #[test]
    fn what_a_crash_left_half_written_is_written_over() {
        let dir = tempfile::tempdir().unwrap();
        let file = Hashes::open(dir.path(), &CHAIN).unwrap();
        file.write(Height::new(0), &hashes(7..10)).unwrap();

        file.write(Height::new(1), &hashes(1..5)).unwrap();

        assert_eq!(file.get(Height::new(0)).unwrap(), Some(hash(7)));
        assert_eq!(file.get(Height::new(1)).unwrap(), Some(hash(1)));
        assert_eq!(file.count().unwrap(), 5);
    }

    #[test]
    fn another_ledgers_file_is_refused_and_kept() {
        let dir = tempfile::tempdir().unwrap();
        drop(Hashes::open(dir.path(), &CHAIN).unwrap());

        let error = Hashes::open(dir.path(), &[6; 32]).unwrap_err();

        assert!(matches!(error, StoreError::OtherChain { .. }), "{error}");
        Hashes::open(dir.path(), &CHAIN).unwrap();
    }
}
