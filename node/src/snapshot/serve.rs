//! Answering those who take a snapshot.
//!
//! Offered are the two newest blocks whose height is a multiple of
//! [`SNAPSHOT_EVERY`]: the state tree keeps all nodes that either of
//! them needs, and pruning keeps their replay windows, so both can be served while the ledger
//! moves on. Everything is read from the store for each answer; nothing is copied beforehand.

use std::sync::{Arc, PoisonError, RwLock};

use contract::contracts::membership;
use contract::state::{StatePart, StatePath};
use contract::{Epoch, Height, Snapshot, StateError};
use tracing::warn;

use super::proof::segment_root;
use super::wire::{
    self, EpochProof, Manifest, Offer, Request, SEGMENT_HASHES, STATE_BYTES, SnapshotBlock,
};
use crate::store::{Reader, SNAPSHOT_EVERY, StoreError};

/// Answers requests from a store. Cloning shares.
#[derive(Debug, Clone)]
pub struct Server {
    reader: Reader,
    /// Roots over complete parts of the history, which never change: counted once, read for every
    /// manifest. A lock, because answers are given on several threads.
    segments: Arc<RwLock<Vec<[u8; 32]>>>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Unread {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The state failed.
    #[error(transparent)]
    State(#[from] StateError),
}

impl Server {
    /// A server of this store.
    pub fn new(reader: Reader) -> Self {
        Self {
            reader,
            segments: Arc::default(),
        }
    }

    /// The answer to a request; no byte where there is none. `certified` is the newest certified
    /// block.
    pub fn answer(&self, request: &Request, certified: Height) -> Vec<u8> {
        let answer = match request {
            Request::Offer => Ok(Some(self.offer(certified).encode())),
            Request::Manifest(height) => self.manifest(*height, certified),
            Request::State(height, path) if self.offers(*height, certified) => self
                .part(*height, path)
                .map(|part| part.map(|it| it.encode())),
            Request::State(..) => Ok(None),
            Request::Hashes(height, segment) => self.hashes((*height).min(certified), *segment),
            Request::Blocks(first, last) => self.blocks(*first, (*last).min(certified)).map(Some),
        };
        match answer {
            Ok(answer) => answer.unwrap_or_default(),
            Err(error) => {
                warn!(%error, "a part of a snapshot cannot be read");
                Vec::new()
            }
        }
    }

    /// What is offered now.
    pub fn offer(&self, certified: Height) -> Offer {
        let newest = certified
            .get()
            .saturating_sub(certified.get() % SNAPSHOT_EVERY);
        let newest = Height::new(newest);
        Offer {
            certified,
            lowest: self.reader.lowest(),
            snapshot: (newest.get() > 0 && newest >= self.reader.base()).then_some(newest),
        }
    }

    /// Whether the state after this height is offered.
    fn offers(&self, height: Height, certified: Height) -> bool {
        let whole = height.get().is_multiple_of(SNAPSHOT_EVERY) && height >= self.reader.base();
        let age = certified.get().checked_sub(height.get());
        whole && height.get() > 0 && age.is_some_and(|age| age < 2 * SNAPSHOT_EVERY)
    }

    /// The proof of a snapshot.
    fn manifest(&self, height: Height, certified: Height) -> Result<Option<Vec<u8>>, Unread> {
        if !self.offers(height, certified) {
            return Ok(None);
        }
        Ok(self.manifest_of(height)?.map(|manifest| manifest.encode()))
    }

    /// The proof of the state after a certified block.
    pub(crate) fn manifest_of(&self, height: Height) -> Result<Option<Manifest>, Unread> {
        let Some((header, _, _)) = self.reader.certified_block(height)? else {
            return Ok(None);
        };
        let certificate = self.reader.certificate(height)?;
        let Some(certificate) = certificate else {
            return Ok(None);
        };
        let Some(epochs) = self.epochs(height)? else {
            return Ok(None);
        };
        Ok(Some(Manifest {
            epochs,
            header,
            certificate,
            segments: self.segment_roots(height)?,
        }))
    }

    /// How the committees handed over to each other, up to the one that certified a block; none
    /// while a proof is missing here.
    fn epochs(&self, height: Height) -> Result<Option<Vec<EpochProof>>, Unread> {
        // The state before the block still has the committee that certified it.
        let before = Height::new(height.get().saturating_sub(1));
        let snapshot = Snapshot::new(&self.reader, before.max(self.reader.base()));
        let mut proofs = Vec::new();
        let mut epoch = Epoch::new(0);
        while let Some(past) = membership::committee_of(&snapshot, epoch)? {
            let Some(last) = past.last.filter(|last| *last < height) else {
                break;
            };
            let next = membership::committee_of(&snapshot, epoch.next())?;
            let Some(((header, certificate), next)) = self.reader.epoch_end(last)?.zip(next) else {
                return Ok(None);
            };
            proofs.push(EpochProof {
                header,
                certificate,
                next: next.keys.iter().map(|key| *key.as_bytes()).collect(),
            });
            epoch = epoch.next();
        }
        Ok(Some(proofs))
    }

    /// The roots over all header hashes below a height.
    fn segment_roots(&self, height: Height) -> Result<Vec<[u8; 32]>, StoreError> {
        let every = SEGMENT_HASHES as u64;
        let whole = height.get().checked_div(every).unwrap_or(0);
        let known = self.segments.read().unwrap_or_else(PoisonError::into_inner);
        let mut roots = known.clone();
        drop(known);
        for segment in u64::try_from(roots.len()).unwrap_or(u64::MAX)..whole {
            roots.push(self.segment_root(segment, SEGMENT_HASHES)?);
        }
        let mut known = self
            .segments
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if roots.len() > known.len() {
            known.clone_from(&roots);
        }
        drop(known);
        roots.truncate(usize::try_from(whole).unwrap_or(usize::MAX));
        let rest = height.get().checked_rem(every).unwrap_or(0);
        let rest = usize::try_from(rest).unwrap_or(0);
        if rest > 0 {
            roots.push(self.segment_root(whole, rest)?);
        }
        Ok(roots)
    }

    /// The root over the first `count` hashes of a part of the history.
    fn segment_root(&self, segment: u64, count: usize) -> Result<[u8; 32], StoreError> {
        let first = Height::new(segment.saturating_mul(SEGMENT_HASHES as u64));
        let bytes = self.reader.hashes(first, count)?;
        let (hashes, _) = bytes.as_chunks::<32>();
        if hashes.len() != count {
            return Err(StoreError::damaged(first));
        }
        Ok(segment_root(hashes))
    }

    /// The state under a path: its leaves, or its children where those are too many.
    pub(crate) fn part(
        &self,
        height: Height,
        path: &StatePath,
    ) -> Result<Option<StatePart>, Unread> {
        let (low, high) = path.bounds();
        let leaves = self
            .reader
            .values_within((&low, &high), height, STATE_BYTES)?;
        if let Some(leaves) = leaves {
            return Ok(Some(StatePart::Leaves(leaves)));
        }
        let limbs = Snapshot::new(&self.reader, height).limbs(path)?;
        Ok(limbs.map(StatePart::Split))
    }

    /// Part of the header hashes below a height.
    fn hashes(&self, height: Height, segment: u64) -> Result<Option<Vec<u8>>, Unread> {
        let first = segment.checked_mul(SEGMENT_HASHES as u64);
        let Some(left) = first.and_then(|first| height.get().checked_sub(first)) else {
            return Ok(None);
        };
        let count = usize::try_from(left)
            .unwrap_or(usize::MAX)
            .min(SEGMENT_HASHES);
        let first = Height::new(first.unwrap_or(0));
        Ok(Some(self.reader.hashes(first, count)?))
    }

    /// Blocks with their outcomes.
    fn blocks(&self, first: Height, last: Height) -> Result<Vec<u8>, Unread> {
        let block = |at| {
            let parts = self.reader.parts(at)?;
            Ok::<_, StoreError>(parts.map(|(header, batch, outcomes)| SnapshotBlock {
                header,
                batch,
                outcomes,
            }))
        };
        Ok(wire::span(first, last, block)?)
    }
}
