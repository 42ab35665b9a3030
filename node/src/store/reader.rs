//! Reading the store; any number of threads may.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use consensus::CheckpointCertificate;
use contract::{
    Genesis, Header, HeaderHash, Height, Outcome, StateError, StateReader, Table, TransactionHash,
};

use crate::store::entry::{self, Entry, RawBlock, StoredBlock};
use crate::store::error::StoreError;
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
}

impl Shared {
    pub(super) fn new(
        genesis: Arc<Genesis>,
        db: Database,
        blocks: blocks::Reader,
        salt: index::Salt,
    ) -> Self {
        Self {
            genesis,
            db,
            blocks,
            salt,
            recent: RwLock::default(),
            executed: AtomicU64::new(0),
        }
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

    /// The hash of the header at a height.
    pub fn hash_at(&self, height: Height) -> Result<Option<HeaderHash>, StoreError> {
        let located = self.shared.db.get(&keys::block(height))?;
        Ok(located
            .and_then(|value| value.last_chunk::<32>().copied())
            .map(HeaderHash::new))
    }

    /// The header at a height.
    pub fn header(&self, height: Height) -> Result<Option<Header>, StoreError> {
        let Some(raw) = self.raw_block(height)? else {
            return Ok(None);
        };
        let header = Header::decode(&raw.header).ok();
        header.map(Some).ok_or_else(|| StoreError::damaged(height))
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
        Ok(height.and_then(|bytes| keys::height_of(&bytes)))
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
        let payload = self.shared.blocks.read(place)?.ok_or_else(damaged)?;
        match entry::read(&payload) {
            Some(Entry::Block(raw)) => Ok(Some(raw)),
            Some(Entry::Certificate(_)) | None => Err(damaged()),
        }
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
