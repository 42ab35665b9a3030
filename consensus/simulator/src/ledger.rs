//! A ledger as simple as it can be: transactions are numbers, a block is its batch and its parent.

mod terms;

use std::collections::BTreeMap;
use std::sync::Arc;

use consensus::{Batch, CheckpointCertificate, Digest, Domain, Seq};

pub(crate) use terms::{CHANGES, REJOINS};
pub use terms::{Ending, Plan, Term};

/// The longest that a proposal's time may lie behind a voter's clock, in milliseconds.
pub(crate) const AGE_MAX_MS: u64 = 10_000;

/// The furthest that a proposal's time may lie ahead of a voter's clock, in milliseconds.
pub(crate) const AHEAD_MAX_MS: u64 = 2_000;

/// A batch of these transactions, proposed at this time of day in milliseconds.
pub fn batch(time_ms: u64, transactions: &[u64]) -> Batch {
    let words = core::iter::once(time_ms).chain(transactions.iter().copied());
    Batch::new(words.flat_map(u64::to_le_bytes).collect::<Vec<u8>>())
}

/// The transactions in a batch.
pub fn transactions(batch: &Batch) -> Vec<u64> {
    let words = batch.bytes().chunks_exact(8).skip(1);
    words
        .filter_map(|word| Some(u64::from_le_bytes(word.try_into().ok()?)))
        .collect()
}

/// The time in a batch; the null batch has none.
pub(crate) fn time_ms(batch: &Batch) -> Option<u64> {
    let word = batch.bytes().first_chunk()?;
    Some(u64::from_le_bytes(*word))
}

/// Whether a batch consists of whole words.
pub(crate) fn is_readable(batch: &Batch) -> bool {
    batch.bytes().len().is_multiple_of(8)
}

/// The vote-time check: a pure function of the batch and the voter's time of day.
pub(crate) fn is_votable(batch: &Batch, now_ms: u64) -> bool {
    let timely = |time: u64| {
        now_ms.saturating_sub(AGE_MAX_MS) <= time && time <= now_ms.saturating_add(AHEAD_MAX_MS)
    };
    is_readable(batch) && time_ms(batch).is_some_and(timely)
}

/// One executed block.
#[derive(Clone, Debug)]
pub struct Block {
    /// The bytes of its header.
    pub header: Vec<u8>,
    /// The hash of its header.
    pub hash: Digest,
    /// Its batch.
    pub batch: Batch,
    /// Its time of day in milliseconds: never before its parent's.
    pub time_ms: u64,
    /// The epoch it belongs to.
    pub term: Arc<Term>,
    /// The end of that epoch, once it is decided.
    pub ending: Option<Arc<Ending>>,
    /// Its certificate, once there is one.
    pub certificate: Option<CheckpointCertificate>,
}

/// A node's blocks on disk.
#[derive(Debug)]
pub struct Store {
    /// What changes of the committee there are.
    plan: Arc<Plan>,
    /// All blocks by height, from 1.
    blocks: BTreeMap<Seq, Block>,
    /// The height up to which a crash leaves everything in place.
    durable: Option<Seq>,
}

impl Store {
    /// An empty store.
    pub const fn new(plan: Arc<Plan>) -> Self {
        Self {
            plan,
            blocks: BTreeMap::new(),
            durable: None,
        }
    }

    /// The newest block.
    fn newest_block(&self) -> Option<&Block> {
        self.blocks.last_key_value().map(|(_, block)| block)
    }

    /// The newest block's height.
    pub fn height(&self) -> Seq {
        self.blocks
            .last_key_value()
            .map_or(Seq::ZERO, |(seq, _)| *seq)
    }

    /// The block at a height.
    pub fn block(&self, seq: Seq) -> Option<&Block> {
        self.blocks.get(&seq)
    }

    /// Executes a batch on top of the newest block and gives the header's hash.
    pub fn execute(&mut self, batch: Batch) -> (Seq, Digest) {
        let seq = self.height().next();
        let (term, ending) = self.terms_after(seq, &batch);
        let parent = self.newest_block();
        let (parent, before) =
            parent.map_or((Digest::NULL, 0), |block| (block.hash, block.time_ms));
        let time_ms = time_ms(&batch).map_or(before, |time| time.max(before));
        let mut header = parent.as_bytes().to_vec();
        header.extend_from_slice(&seq.get().to_le_bytes());
        header.extend_from_slice(batch.digest().as_bytes());
        header.extend_from_slice(&time_ms.to_le_bytes());
        header.extend_from_slice(&term.epoch.get().to_le_bytes());
        let hash = Digest::of(Domain::Header, &header);
        let block = Block {
            header,
            hash,
            batch,
            time_ms,
            term,
            ending,
            certificate: None,
        };
        self.blocks.insert(seq, block);
        (seq, hash)
    }

    /// Keeps a block's certificate, if the block is here.
    pub fn certify(&mut self, certificate: CheckpointCertificate) {
        let block = self.blocks.get_mut(&certificate.seq);
        if let Some(block) = block.filter(|block| block.hash == certificate.header) {
            block.certificate = Some(certificate);
        }
    }

    /// Flushes everything.
    pub fn flush(&mut self) {
        self.durable = Some(self.height());
    }

    /// The height up to which a crash leaves everything in place.
    pub fn durable(&self) -> Seq {
        self.durable.unwrap_or(Seq::ZERO)
    }

    /// A crash: what was not flushed is gone.
    pub fn crash(&mut self) {
        drop(self.blocks.split_off(&self.durable().next()));
    }

    /// The disk is empty.
    pub fn lose(&mut self) {
        *self = Self::new(Arc::clone(&self.plan));
    }

    /// Height and header hash of the newest blocks, as a replica wants them at its start.
    pub fn newest(&self, count: u64) -> Vec<(Seq, Digest)> {
        let first = Seq::new(self.height().get().saturating_sub(count));
        self.blocks
            .range(first..)
            .map(|(seq, block)| (*seq, block.hash))
            .collect()
    }

    /// All transactions in order.
    pub fn all_transactions(&self) -> impl Iterator<Item = u64> {
        self.blocks
            .values()
            .flat_map(|block| transactions(&block.batch))
    }
}
