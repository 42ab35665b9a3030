//! A ledger as simple as it can be: transactions are numbers, a block is its batch and its parent.

use std::collections::BTreeMap;

use consensus::{Batch, CheckpointCertificate, Digest, Domain, Seq};

/// A batch of these transactions, proposed at this time.
pub fn batch(time: u64, transactions: &[u64]) -> Batch {
    let words = core::iter::once(time).chain(transactions.iter().copied());
    Batch::new(words.flat_map(u64::to_le_bytes).collect::<Vec<u8>>())
}

/// The transactions in a batch.
pub fn transactions(batch: &Batch) -> Vec<u64> {
    let words = batch.bytes().chunks_exact(8).skip(1);
    words
        .filter_map(|word| Some(u64::from_le_bytes(word.try_into().ok()?)))
        .collect()
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
    /// Its certificate, once there is one.
    pub certificate: Option<CheckpointCertificate>,
}

/// A node's blocks on disk.
#[derive(Debug, Default)]
pub struct Store {
    /// All blocks by height, from 1.
    blocks: BTreeMap<Seq, Block>,
    /// The height up to which a crash leaves everything in place.
    durable: Option<Seq>,
}

impl Store {
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
        let parent = self
            .blocks
            .last_key_value()
            .map_or(Digest::NULL, |(_, block)| block.hash);
        let mut header = parent.as_bytes().to_vec();
        header.extend_from_slice(&seq.get().to_le_bytes());
        header.extend_from_slice(batch.digest().as_bytes());
        let hash = Digest::of(Domain::Header, &header);
        self.blocks.insert(
            seq,
            Block {
                header,
                hash,
                batch,
                certificate: None,
            },
        );
        (seq, hash)
    }

    /// Keeps a block's certificate; false when the block is not there.
    pub fn certify(&mut self, certificate: CheckpointCertificate) -> bool {
        let Some(block) = self.blocks.get_mut(&certificate.seq) else {
            return false;
        };
        block.certificate = Some(certificate);
        true
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
