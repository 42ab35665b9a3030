//! A store that begins at a snapshot: filled from parts that were checked, then opened as any other.
//!
//! It is made in an empty folder beside the store that it replaces, and counts only when
//! [`Planter::finish`] has returned and the folder got its name.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use consensus::CheckpointCertificate;
use contract::state::Entry;
use contract::{CheckedBatch, Genesis, Header, HeaderHash, Height, History, Outcome};

use crate::store::blocks::{Blocks, OpenedBlocks, Place};
use crate::store::error::StoreError;
use crate::store::floor::Floor;
use crate::store::hashes::{HASH_BYTES, Hashes};
use crate::store::index::RUN_ENTRIES;
use crate::store::reader::Shared;
use crate::store::writer::{Store, StoredTip};
use crate::store::{Database, Writes, entry, keys, open};

/// A block whose parts were checked against its header, and the header against the history.
#[derive(Debug, Clone, Copy)]
pub struct Planted<'a> {
    /// The bytes of its header.
    pub header: &'a [u8],
    /// The bytes of its batch.
    pub batch: &'a [u8],
    /// Its encoded outcomes.
    pub outcomes: &'a [Vec<u8>],
    /// The proof that it is final, where there is one of its own.
    pub certificate: Option<&'a CheckpointCertificate>,
}

/// A store in the making.
#[derive(Debug)]
pub struct Planter {
    store: Store,
    history: History,
    /// The newest block.
    newest: Option<Height>,
}

impl Planter {
    /// Begins in a folder; what an earlier try left there goes.
    pub fn begin(dir: &Path, genesis: Arc<Genesis>) -> Result<Self, StoreError> {
        let disk = |doing| move |source| StoreError::disk(doing, dir, source);
        if dir.exists() {
            fs::remove_dir_all(dir).map_err(disk("empty"))?;
        }
        fs::create_dir_all(dir).map_err(disk("create"))?;
        let chain = *genesis.chain().as_bytes();
        let (OpenedBlocks::Fresh(blocks)
        | OpenedBlocks::Found(blocks)
        | OpenedBlocks::Replaced(blocks)) = Blocks::open(dir, &chain)?;
        let hashes = Hashes::open(dir, &chain)?;
        let db = Database::open(&dir.join("db"))?;
        let salt = open::label(&db, &genesis)?;
        let shared = Shared::new(genesis, db, (blocks.reader(), hashes), salt);
        Ok(Self {
            store: Store::empty(Arc::new(shared), blocks),
            history: History::new(),
            newest: None,
        })
    }

    /// Takes entries of the state.
    pub fn state(&mut self, entries: Vec<Entry>) -> Result<(), StoreError> {
        let mut writes = Writes::default();
        for entry in entries {
            writes.put(&keys::state(entry.table, &entry.key), entry.value);
        }
        self.store.shared.db.apply(writes)
    }

    /// Takes the header hashes that follow those taken before, 32 bytes each, from block 0 on.
    pub fn hashes(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        let first = Height::new(self.history.count());
        self.store.shared.hashes.write(first, bytes)?;
        for hash in bytes.chunks_exact(HASH_BYTES) {
            if let Ok(hash) = <[u8; HASH_BYTES]>::try_from(hash) {
                self.history.append(&HeaderHash::new(hash));
            }
        }
        Ok(())
    }

    /// Takes the last header of an epoch with its proof.
    pub fn epoch_end(
        &mut self,
        header: &[u8],
        certificate: &CheckpointCertificate,
    ) -> Result<(), StoreError> {
        let height = Height::new(certificate.seq.get());
        let mut writes = Writes::default();
        writes.put(&keys::ending(height), header);
        writes.put(&keys::certificate(height), certificate.encode());
        self.store.shared.db.apply(writes)
    }

    /// The hashes of `count` headers from `first` on, as far as they were taken.
    pub fn known(&self, first: Height, count: u64) -> Result<Vec<HeaderHash>, StoreError> {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let bytes = self.store.shared.hashes.read(first, count)?;
        let (hashes, _) = bytes.as_chunks::<HASH_BYTES>();
        Ok(hashes.iter().copied().map(HeaderHash::new).collect())
    }

    /// Takes a block; in order from the lowest one that is kept, without a gap.
    pub fn block(&mut self, block: Planted<'_>) -> Result<(), StoreError> {
        let height = Header::decode(block.header).map(|header| header.height);
        let damaged = || StoreError::damaged(self.newest.unwrap_or(Height::new(0)));
        let height = height.ok().ok_or_else(damaged)?;
        let genesis = Arc::clone(&self.store.shared.genesis);
        let batch = CheckedBatch::certified(block.batch, &genesis);
        let batch = batch.ok().ok_or_else(|| StoreError::damaged(height))?;
        let outcomes: Option<Vec<Outcome>> = block
            .outcomes
            .iter()
            .map(|bytes| Outcome::decode(bytes).ok())
            .collect();
        let outcomes = outcomes.ok_or_else(|| StoreError::damaged(height))?;
        let parts = block.outcomes.iter().map(Vec::as_slice);
        let bytes = entry::parts_bytes(block.header, block.batch, parts, None);
        let place = self.store.blocks.append(&bytes)?;
        if self.newest.is_none() {
            self.begin_at(height, place);
        }
        let mut writes = Writes::default();
        let hash = contract::header_hash(block.header);
        let mut located = keys::place_bytes(place);
        located.extend_from_slice(hash.as_bytes());
        writes.put(&keys::block(height), located);
        let at = height.get().to_be_bytes();
        writes.put(&keys::hash(hash.as_bytes()), &at);
        let shared = Arc::clone(&self.store.shared);
        for server in shared.note(height, batch.transactions(), &outcomes) {
            writes.put(&keys::server(&server, height), &[]);
        }
        let full = shared.recent().len() >= RUN_ENTRIES;
        if full {
            self.store.write_run(&mut writes, height);
        }
        shared.db.apply(writes)?;
        if full {
            shared.recent_mut().clear();
        }
        self.newest = Some(height);
        if let Some(certificate) = block.certificate {
            self.store.certify(certificate)?;
        }
        Ok(())
    }

    /// The lowest block that is kept is this one.
    const fn begin_at(&mut self, height: Height, place: Place) {
        self.store.floor = Floor {
            height,
            offset: place.offset,
            base: height,
        };
    }

    /// Makes everything durable; the newest block was the snapshot's. All header hashes below it
    /// were taken.
    pub fn finish(mut self) -> Result<Height, StoreError> {
        let height = self.newest.unwrap_or(Height::new(0));
        if self.history.count() != height.get() {
            return Err(StoreError::damaged(height));
        }
        self.store.floor.base = height;
        self.store.tip = Some(StoredTip {
            height,
            history: self.history,
        });
        self.store.replay_at = self.store.blocks.end();
        let mut writes = Writes::default();
        writes.put(keys::FLOOR, self.store.floor.encode());
        self.store.shared.db.apply(writes)?;
        self.store.close()
    }
}
