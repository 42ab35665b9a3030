//! Writing the store: one thread holds it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use consensus::CheckpointCertificate;
use contract::{
    Claimed, Execution, Height, History, Outcome, ServerId, SignedTransaction, claimed, recorded,
};

use crate::store::blocks::{Blocks, Place};
use crate::store::entry::{self, Entry};
use crate::store::error::StoreError;
use crate::store::floor::Floor;
use crate::store::index::{Kind, RUN_BLOCKS, RUN_ENTRIES, Spot, print};
use crate::store::reader::{Reader, Shared};
use crate::store::{Writes, keys, open};

/// Blocks after which entries that a block made stale are deleted: nobody asks for a state
/// that old, but for those of the two newest snapshots.
const STALE_AFTER: u64 = 1024;

/// A snapshot is offered of each block whose height is a multiple of this.
pub const SNAPSHOT_EVERY: u64 = 4096;

/// How far the newest executed block may be ahead of the newest certified one.
const UNCERTIFIED_MAX: u64 = 2 * consensus::WINDOW_MAX;

/// Lists of stale entries that one block deletes: more than it makes, so that a rest shrinks.
const STALE_LISTS: usize = 3;

/// The store, as its one writer holds it.
#[derive(Debug)]
pub struct Store {
    pub(super) shared: Arc<Shared>,
    pub(super) blocks: Blocks,
    pub(super) tip: Option<StoredTip>,
    /// Up to this height, the indexes are in the database.
    pub(super) indexed: Height,
    /// From here on, the block file holds what the database lacks.
    pub(super) replay_at: u64,
    /// How far down the store reaches.
    pub(super) floor: Floor,
}

/// A block that was just executed.
#[derive(Debug, Clone, Copy)]
pub struct Executed<'a> {
    /// The result.
    pub execution: &'a Execution,
    /// The transactions of its batch.
    pub transactions: &'a [SignedTransaction],
    /// The tree over the header hashes before the block.
    pub history: &'a History,
}

/// The newest block in the database.
#[derive(Debug, Clone)]
pub(super) struct StoredTip {
    pub(super) height: Height,
    /// The history before it.
    pub(super) history: History,
}

/// Something that the block file holds and the database lacks.
#[derive(Debug)]
pub enum Replay {
    /// A block, to be executed again.
    Block {
        /// The bytes of its header, as it was executed before.
        header: Vec<u8>,
        /// The bytes of its batch.
        batch: Vec<u8>,
    },
    /// A certificate.
    Certificate(CheckpointCertificate),
}

impl Store {
    /// A handle for readers.
    pub fn reader(&self) -> Reader {
        Reader::new(Arc::clone(&self.shared))
    }

    /// The newest block in the store.
    pub fn height(&self) -> Option<Height> {
        self.tip.as_ref().map(|tip| tip.height)
    }

    /// The tree over the header hashes before the newest block.
    pub fn history(&self) -> Option<&History> {
        self.tip.as_ref().map(|tip| &tip.history)
    }

    /// Writes the next block: its body to the block file, everything else in one atomic
    /// step to the database. `view` is the one in which it was committed here.
    pub fn append(
        &mut self,
        block: Executed<'_>,
        batch: &[u8],
        view: Option<u64>,
    ) -> Result<(), StoreError> {
        let place = self
            .blocks
            .append(&entry::block_bytes(block.execution, batch, view))?;
        self.commit(block, place)
    }

    /// What the block file holds beyond the database; `None` when there is nothing more.
    /// A block that was given must be adopted before the next is asked for.
    pub fn next_replay(&mut self) -> Result<Option<Replay>, StoreError> {
        let Some((place, payload)) = self.blocks.next(self.replay_at)? else {
            if self.replay_at < self.blocks.end() {
                self.blocks.cut(self.replay_at)?;
            }
            return Ok(None);
        };
        match entry::read(&payload) {
            Some(Entry::Block(block)) => Ok(Some(Replay::Block {
                header: block.header,
                batch: block.batch,
            })),
            Some(Entry::Certificate(certificate)) => {
                self.replay_at = place.end();
                Ok(Some(Replay::Certificate(certificate)))
            }
            None => {
                self.blocks.cut(self.replay_at)?;
                Ok(None)
            }
        }
    }

    /// Writes the block that was replayed to the database: its body is in the file.
    pub fn adopt(&mut self, block: Executed<'_>) -> Result<(), StoreError> {
        let Some((place, _)) = self.blocks.next(self.replay_at)? else {
            return Err(StoreError::damaged(block.execution.header().height));
        };
        self.commit(block, place)?;
        self.replay_at = place.end();
        Ok(())
    }

    /// Gives up what the block file still holds beyond the database.
    pub fn forget_replay(&mut self) -> Result<(), StoreError> {
        self.blocks.cut(self.replay_at)
    }

    /// Stores the proof that a block of this store is final. False if it was there.
    pub fn certify(&mut self, certificate: &CheckpointCertificate) -> Result<bool, StoreError> {
        let height = Height::new(certificate.seq.get());
        if self.shared.db.get(&keys::certificate(height))?.is_some() {
            return Ok(false);
        }
        self.blocks.append(&entry::certificate_bytes(certificate))?;
        self.replay_at = self.blocks.end();
        self.adopt_certificate(certificate)?;
        Ok(true)
    }

    /// Writes a certificate that was replayed to the database: the file has it.
    pub fn adopt_certificate(
        &mut self,
        certificate: &CheckpointCertificate,
    ) -> Result<(), StoreError> {
        let height = Height::new(certificate.seq.get());
        let mut writes = Writes::default();
        writes.put(&keys::certificate(height), certificate.encode());
        self.shared.db.apply(writes)
    }

    /// Asks the next opening of the store in `dir` to rebuild its database, if there is one.
    pub fn distrust(dir: &Path) -> Result<(), StoreError> {
        if dir.exists() {
            open::mark(dir)
        } else {
            Ok(())
        }
    }

    /// Asks the next start to rebuild the database, because it was found to be damaged.
    pub fn doubt(&self) -> Result<(), StoreError> {
        let dir = self.shared.db.path.parent().unwrap_or(&self.shared.db.path);
        open::mark(dir)
    }

    /// Makes everything durable; returns the height up to which it is.
    pub fn sync(&mut self) -> Result<Height, StoreError> {
        let height = self.height().unwrap_or(Height::new(0));
        self.blocks.sync()?;
        self.shared.db.sync()?;
        Ok(height)
    }

    /// Writes the indexes too, so that the next start need not read blocks, and syncs.
    pub fn close(&mut self) -> Result<Height, StoreError> {
        if let Some(height) = self.height() {
            let mut writes = Writes::default();
            self.write_run(&mut writes, height);
            self.write_tip(&mut writes, height);
            self.shared.db.apply(writes)?;
            self.shared.recent_mut().clear();
        }
        self.sync()
    }

    /// One atomic step: state, place, indexes, tip.
    fn commit(&mut self, block: Executed<'_>, place: Place) -> Result<(), StoreError> {
        let execution = block.execution;
        let height = execution.header().height;
        let mut writes = Writes::default();
        self.write_state(&mut writes, execution)?;
        let mut located = keys::place_bytes(place);
        located.extend_from_slice(execution.hash().as_bytes());
        writes.put(&keys::block(height), located);
        let at = height.get().to_be_bytes();
        writes.put(&keys::hash(execution.hash().as_bytes()), &at);

        let outcomes = execution.outcomes();
        for server in self.shared.note(height, block.transactions, outcomes) {
            writes.put(&keys::server(&server, height), &[]);
        }
        let rolled = self.shared.recent().len() >= RUN_ENTRIES
            || height.get().saturating_sub(self.indexed.get()) >= RUN_BLOCKS;
        if rolled {
            self.write_run(&mut writes, height);
        }
        self.tip = Some(StoredTip {
            height,
            history: block.history.clone(),
        });
        self.replay_at = self.replay_at.max(place.end());
        self.write_tip(&mut writes, height);
        self.shared.db.apply(writes)?;
        if rolled {
            self.shared.recent_mut().clear();
        }
        self.shared.executed.store(height.get(), Ordering::Release);
        Ok(())
    }

    /// The block's write set, and the deletion of what went stale long ago.
    fn write_state(&self, writes: &mut Writes, execution: &Execution) -> Result<(), StoreError> {
        let height = execution.header().height;
        let set = execution.writes();
        for entry in &set.entries {
            writes.put(
                &keys::state(entry.table, &entry.key),
                entry.value.as_slice(),
            );
        }
        if !set.stale.is_empty() {
            let mut list = Vec::new();
            for (table, key) in &set.stale {
                entry::put(&mut list, &keys::state(*table, key));
            }
            writes.put(&keys::stale(height), list);
        }
        let limit = keys::stale(Height::new(self.stale_limit(height)));
        let old = self.shared.db.within(&keys::stale(Height::new(0)), &limit);
        for pair in old.take(STALE_LISTS) {
            let (key, entries) = pair?;
            let mut rest = entries.as_slice();
            while let Some(stale) = entry::take(&mut rest) {
                writes.delete(stale);
            }
            writes.delete(&key);
        }
        Ok(())
    }

    /// What blocks up to here made stale, nobody reads any more.
    fn stale_limit(&self, height: Height) -> u64 {
        let old = height.get().saturating_sub(STALE_AFTER);
        old.min(kept_snapshot(height).get()).min(self.shared.held())
    }

    /// Moves the indexes in memory into the database.
    pub(super) fn write_run(&mut self, writes: &mut Writes, height: Height) {
        for (number, (kind, bucket, part)) in (0..).zip(self.shared.recent().run()) {
            writes.put(&keys::run(kind as u8, bucket, (height, number)), part);
        }
        self.indexed = height;
    }

    /// Height, place behind it, how far the indexes are, and the history before the block.
    pub(super) fn write_tip(&self, writes: &mut Writes, height: Height) {
        let Some(tip) = &self.tip else { return };
        let mut value = height.get().to_be_bytes().to_vec();
        value.extend_from_slice(&self.indexed.get().to_be_bytes());
        value.extend_from_slice(&self.replay_at.to_be_bytes());
        value.extend(tip.history.encode());
        writes.put(keys::TIP, value);
    }
}

/// The older of the two newest snapshots of a store whose newest block is at `height`; 0 when
/// there is none that old.
pub(super) const fn kept_snapshot(height: Height) -> Height {
    let certified = height.get().saturating_sub(UNCERTIFIED_MAX);
    let newest = certified.saturating_sub(certified % SNAPSHOT_EVERY);
    Height::new(newest.saturating_sub(SNAPSHOT_EVERY))
}

impl Shared {
    /// Notes in memory where a block's transactions and results are; tells the servers of its
    /// results.
    pub(super) fn note(
        &self,
        height: Height,
        transactions: &[SignedTransaction],
        outcomes: &[Outcome],
    ) -> Vec<ServerId> {
        let salt = &self.salt;
        let mut servers = Vec::new();
        let mut recent = self.recent_mut();
        for (index, transaction) in (0..).zip(transactions) {
            let spot = Spot {
                height,
                index,
                entry: 0,
            };
            let hash = transaction.hash().as_bytes();
            recent.add(Kind::Transaction, print(salt, hash), spot);
        }
        for result in recorded(transactions, outcomes) {
            let spot = Spot {
                height,
                index: u32::try_from(result.transaction).unwrap_or(u32::MAX),
                entry: u16::try_from(result.entry).unwrap_or(u16::MAX),
            };
            recent.add(Kind::Session, print(salt, result.sid().as_bytes()), spot);
            recent.add(Kind::Identity, print(salt, result.aid().as_bytes()), spot);
            if !servers.contains(result.server_id()) {
                servers.push(*result.server_id());
            }
        }
        for claim in claimed(transactions, outcomes) {
            if let Claimed::Patient(result) = claim.claimed {
                let spot = Spot {
                    height,
                    index: u32::try_from(claim.transaction).unwrap_or(u32::MAX),
                    entry: u16::try_from(claim.entry).unwrap_or(u16::MAX),
                };
                let aid = result.aid.as_bytes();
                recent.add(Kind::Identity, print(salt, aid), spot);
            }
        }
        servers
    }
}
