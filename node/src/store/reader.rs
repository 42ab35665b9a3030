//! Reading the store; any number of threads may.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use consensus::CheckpointCertificate;
use contract::state::StateLeaf;
use contract::{
    Blob, Genesis, Header, HeaderHash, Height, Outcome, StateError, StateReader, Table,
    TransactionHash,
};

use crate::store::entry::{self, Entry, RawBlock, StoredBlock};
use crate::store::error::StoreError;
use crate::store::floor::Floor;
use crate::store::hashes::{HASH_BYTES, Hashes};
use crate::store::index::{self, Kind, Recent, Spot, print};
use crate::store::{Database, blocks, keys};

/// What readers and the writer share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) genesis: Arc<Genesis>,
    pub(super) db: Database,
    pub(super) blocks: blocks::Reader,
    pub(super) salt: index::Salt,
    /// A lock, because readers need the newest entries beside those in the database; it is
    /// held while one block's entries are added, never while anything is read from the disk.
    recent: RwLock<Recent>,
    pub(super) executed: AtomicU64,
    /// Hashes of the headers below the floor.
    pub(super) hashes: Hashes,
    /// The lowest block whose body is kept.
    floor: AtomicU64,
    /// The lowest height whose state was ever here.
    base: AtomicU64,
    /// States from this height on are kept whole for whoever copies them.
    held: AtomicU64,
}

impl Shared {
    pub(super) fn new(
        genesis: Arc<Genesis>,
        db: Database,
        (blocks, hashes): (blocks::Reader, Hashes),
        salt: index::Salt,
    ) -> Self {
        Self {
            genesis,
            db,
            blocks,
            salt,
            recent: RwLock::default(),
            executed: AtomicU64::new(0),
            hashes,
            floor: AtomicU64::new(0),
            base: AtomicU64::new(0),
            held: AtomicU64::new(u64::MAX),
        }
    }

    /// Tells readers how far down the store reaches.
    pub(super) fn reach(&self, floor: Floor) {
        self.floor.store(floor.height.get(), Ordering::Release);
        self.base.store(floor.base.get(), Ordering::Release);
    }

    /// The lowest height whose state somebody copies; the highest number when nobody does.
    pub(super) fn held(&self) -> u64 {
        self.held.load(Ordering::Acquire)
    }

    pub(super) fn recent(&self) -> RwLockReadGuard<'_, Recent> {
        self.recent.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn recent_mut(&self) -> RwLockWriteGuard<'_, Recent> {
        self.recent.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A transaction and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// The block.
    pub height: Height,
    /// Its position there.
    pub index: u32,
    /// Its signed bytes.
    pub bytes: Vec<u8>,
    /// What became of it.
    pub outcome: Outcome,
}

/// The bytes of a header, of its batch and of each outcome.
pub type BlockParts = (Vec<u8>, Vec<u8>, Vec<Vec<u8>>);

/// The bytes of a header, of its batch and of its certificate.
pub type CertifiedBytes = (Vec<u8>, Vec<u8>, Vec<u8>);

/// A handle on the store that only reads.
#[derive(Debug, Clone)]
pub struct Reader {
    shared: Arc<Shared>,
}

impl Reader {
    pub(super) const fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// The rules of the ledger.
    pub fn genesis(&self) -> &Arc<Genesis> {
        &self.shared.genesis
    }

    /// The newest executed block.
    pub fn executed(&self) -> Height {
        Height::new(self.shared.executed.load(Ordering::Acquire))
    }

    /// The lowest block whose body is kept here.
    pub fn lowest(&self) -> Height {
        Height::new(self.shared.floor.load(Ordering::Acquire))
    }

    /// The lowest height whose state was ever here.
    pub fn base(&self) -> Height {
        Height::new(self.shared.base.load(Ordering::Acquire))
    }

    /// Keeps the states from `height` on whole until the hold is dropped.
    pub fn hold(&self, height: Height) -> Hold {
        self.shared.held.store(height.get(), Ordering::Release);
        Hold(Arc::clone(&self.shared))
    }

    /// Header hashes from `first` on, one behind the other, 32 bytes each; fewer where the ledger ends.
    pub fn hashes(&self, first: Height, count: usize) -> Result<Vec<u8>, StoreError> {
        let below = self.lowest().get().saturating_sub(first.get());
        let old = count.min(usize::try_from(below).unwrap_or(usize::MAX));
        let mut bytes = self.shared.hashes.read(first, old)?;
        let first = first
            .get()
            .saturating_add(u64::try_from(old).unwrap_or(u64::MAX));
        let rest = u64::try_from(count.saturating_sub(old)).unwrap_or(u64::MAX);
        let last = first.saturating_add(rest);
        if first == last {
            return Ok(bytes);
        }
        let range = (
            keys::block(Height::new(first)),
            keys::block(Height::new(last)),
        );
        for (next, pair) in (first..last).zip(self.shared.db.within(&range.0, &range.1)) {
            let (key, value) = pair?;
            let hash = value.last_chunk::<HASH_BYTES>();
            let at = keys::height_of(&key).filter(|at| at.get() == next);
            let (Some(hash), Some(_)) = (hash, at) else {
                return Err(StoreError::damaged(Height::new(next)));
            };
            bytes.extend_from_slice(hash);
        }
        Ok(bytes)
    }

    /// All values of the state after `height` whose hashed keys lie within these bounds; none when
    /// they have more than `bytes_max` bytes.
    pub fn values_within(
        &self,
        (low, high): (&[u8; 32], &[u8; 32]),
        height: Height,
        bytes_max: usize,
    ) -> Result<Option<Vec<StateLeaf>>, StoreError> {
        let (first, last) = keys::values(low, high);
        let mut leaves: Vec<StateLeaf> = Vec::new();
        let mut bytes = 0_usize;
        for pair in self.shared.db.within(&first, &last) {
            let (key, value) = pair?;
            let Some((key, version)) = keys::value_of(&key) else {
                return Err(StoreError::damaged(height));
            };
            if version > height {
                continue;
            }
            bytes = bytes.saturating_add(value.len()).saturating_add(HASH_BYTES);
            let leaf = StateLeaf {
                key,
                value: Blob::new(value),
            };
            // Versions of one key come in order: the newest one counts.
            match leaves.last_mut().filter(|newest| newest.key == key) {
                Some(older) => *older = leaf,
                None => leaves.push(leaf),
            }
            if bytes > bytes_max {
                return Ok(None);
            }
        }
        Ok(Some(leaves))
    }

    /// The hash of the header at a height.
    pub fn hash_at(&self, height: Height) -> Result<Option<HeaderHash>, StoreError> {
        if height < self.lowest() {
            return self.shared.hashes.get(height);
        }
        let located = self.shared.db.get(&keys::block(height))?;
        Ok(located
            .and_then(|value| value.last_chunk::<32>().copied())
            .map(HeaderHash::new))
    }

    /// The header at a height; of a block that is not kept, only if it is the last of its epoch.
    pub fn header(&self, height: Height) -> Result<Option<Header>, StoreError> {
        let bytes = match self.raw_block(height)? {
            Some(raw) => Some(raw.header),
            None => self.shared.db.get(&keys::ending(height))?,
        };
        let read = |bytes: Vec<u8>| Header::decode(&bytes).ok();
        let header = bytes.map(|bytes| read(bytes).ok_or_else(|| StoreError::damaged(height)));
        header.transpose()
    }

    /// The block at a height.
    pub fn block(&self, height: Height) -> Result<Option<StoredBlock>, StoreError> {
        let Some(raw) = self.raw_block(height)? else {
            return Ok(None);
        };
        let certificate = self.certificate(height)?;
        let block = raw.decode(&self.shared.genesis, certificate);
        block.map(Some).ok_or_else(|| StoreError::damaged(height))
    }

    /// The height of the block with this header hash.
    pub fn block_by_hash(&self, hash: &HeaderHash) -> Result<Option<Height>, StoreError> {
        let height = self.shared.db.get(&keys::hash(hash.as_bytes()))?;
        match height.and_then(|bytes| keys::height_of(&bytes)) {
            Some(height) => Ok(Some(height)),
            None => self.shared.hashes.find(hash, self.lowest()),
        }
    }

    /// The proof that the block at a height is final, if this node has it.
    pub fn certificate(&self, height: Height) -> Result<Option<CheckpointCertificate>, StoreError> {
        let bytes = self.shared.db.get(&keys::certificate(height))?;
        Ok(bytes.and_then(|bytes| CheckpointCertificate::decode(&bytes).ok()))
    }

    /// The newest block for which this node has a certificate.
    pub fn newest_certified(&self) -> Result<Option<Height>, StoreError> {
        let first = keys::certificate(Height::new(0));
        let last = keys::certificate(Height::new(u64::MAX));
        let newest = self.shared.db.last_within(&first, &last)?;
        Ok(newest.and_then(|(key, _)| keys::height_of(&key)))
    }

    /// The bytes of header, batch and certificate of a block, as they go to a peer that lacks it.
    pub fn certified_block(&self, height: Height) -> Result<Option<CertifiedBytes>, StoreError> {
        let Some(certificate) = self.shared.db.get(&keys::certificate(height))? else {
            return Ok(None);
        };
        let raw = self.raw_block(height)?;
        Ok(raw.map(|raw| (raw.header, raw.batch, certificate)))
    }

    /// The bytes of header, batch and outcomes of a block, as they go into a snapshot.
    pub fn parts(&self, height: Height) -> Result<Option<BlockParts>, StoreError> {
        let raw = self.raw_block(height)?;
        Ok(raw.map(|raw| (raw.header, raw.batch, raw.outcomes)))
    }

    /// The header of a block that is the last of its epoch, with the proof that it is final; none if
    /// it is not one, or if the proof is not here.
    pub fn epoch_end(
        &self,
        height: Height,
    ) -> Result<Option<(Vec<u8>, CheckpointCertificate)>, StoreError> {
        let header = match self.shared.db.get(&keys::ending(height))? {
            Some(header) => Some(header),
            None => self.ending(height)?,
        };
        Ok(header.zip(self.certificate(height)?))
    }

    /// The bytes of a header whose successor belongs to another epoch.
    pub(super) fn ending(&self, height: Height) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(raw) = self.raw_block(height)? else {
            return Ok(None);
        };
        let header = Header::decode(&raw.header).ok();
        let header = header.ok_or_else(|| StoreError::damaged(height))?;
        let next = self.header(height.next())?;
        let ends = next.is_some_and(|next| next.epoch != header.epoch);
        Ok(ends.then_some(raw.header))
    }

    /// The first occurrence of a transaction, up to `limit`; later ones are refused as replays.
    pub fn transaction(
        &self,
        hash: &TransactionHash,
        limit: Height,
    ) -> Result<Option<Located>, StoreError> {
        for spot in self.spots(Kind::Transaction, hash.as_bytes())? {
            if spot.height > limit {
                break;
            }
            let Some(block) = self.block(spot.height)? else {
                continue;
            };
            let index = usize::try_from(spot.index).unwrap_or(usize::MAX);
            let found = block.transactions.get(index).zip(block.outcomes.get(index));
            if let Some((transaction, outcome)) = found
                && transaction.hash() == hash
            {
                return Ok(Some(Located {
                    height: spot.height,
                    index: spot.index,
                    bytes: transaction.as_bytes().to_vec(),
                    outcome: outcome.clone(),
                }));
            }
        }
        Ok(None)
    }

    /// Every place that may be of this hash, ascending.
    pub(super) fn spots(&self, kind: Kind, hash: &[u8; 32]) -> Result<Vec<Spot>, StoreError> {
        let print = print(&self.shared.salt, hash);
        // Memory first: an entry moves from there to the database, never back.
        let mut spots = self.shared.recent().find(kind, print);
        let bucket = index::bucket(print);
        let first = keys::run(kind as u8, bucket, (Height::new(0), 0));
        let last = keys::run(kind as u8, bucket, (Height::new(u64::MAX), u32::MAX));
        for part in self.shared.db.within(&first, &last) {
            spots.extend(index::find(&part?.1, print));
        }
        spots.sort_unstable();
        spots.dedup();
        Ok(spots)
    }

    /// Blocks with results of a server, the newest first, from `newest` down.
    pub(super) fn blocks_of_server(
        &self,
        server: &contract::ServerId,
        newest: Height,
    ) -> impl Iterator<Item = Result<Height, StoreError>> + use<'_> {
        let first = keys::server(server, Height::new(0));
        let last = keys::server(server, newest);
        self.shared
            .db
            .within(&first, &last)
            .rev()
            .filter_map(|pair| pair.map(|(key, _)| keys::height_of(&key)).transpose())
    }

    /// The parts of the block at a height.
    pub(super) fn raw_block(&self, height: Height) -> Result<Option<RawBlock>, StoreError> {
        let damaged = || StoreError::Damaged {
            height: height.get(),
        };
        let Some(located) = self.shared.db.get(&keys::block(height))? else {
            return Ok(None);
        };
        let (place, _) = located.split_last_chunk::<32>().ok_or_else(damaged)?;
        let place = keys::place(place).ok_or_else(damaged)?;
        let Some(payload) = self.shared.blocks.read(place)? else {
            // It may have been let go since its place was looked up.
            return if height < self.lowest() {
                Ok(None)
            } else {
                Err(damaged())
            };
        };
        match entry::read(&payload) {
            Some(Entry::Block(raw)) => Ok(Some(raw)),
            Some(Entry::Certificate(_)) | None => Err(damaged()),
        }
    }
}

/// While it lives, the states from its height on are kept whole.
#[derive(Debug)]
pub struct Hold(Arc<Shared>);

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.held.store(u64::MAX, Ordering::Release);
    }
}

impl StateReader for Reader {
    fn newest(
        &self,
        table: Table,
        prefix: &[u8],
        height: Height,
    ) -> Result<Option<(Height, Vec<u8>)>, StateError> {
        let mut first = keys::state(table, prefix);
        let mut last = first.clone();
        first.extend_from_slice(&[0; 8]);
        last.extend_from_slice(&height.get().to_be_bytes());
        let found = self
            .shared
            .db
            .last_within(&first, &last)
            .map_err(|error| StateError::Unreadable(Box::new(error)))?;
        let Some((key, value)) = found else {
            return Ok(None);
        };
        if key.len() != last.len() {
            return Err(StateError::Corrupt("a key of an unexpected length"));
        }
        Ok(keys::height_of(&key).map(|height| (height, value)))
    }
}
