//! A batch is what consensus orders: a time and signed transactions, or nothing.
//!
//! Wire form: time u64, count u64, then for each transaction its length u64 and
//! its bytes. No bytes at all are the null batch, which fills a gap after a view
//! change and has no time; an empty batch with a time is the heartbeat.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::encoding::{self, Bytes, Malformed};
use crate::genesis::{Genesis, Parameters};
use crate::hash;
use crate::identity::{BlockTime, ChainId, Root, TransactionHash};
use crate::transaction::{Invalid, Name, SignedTransaction};

/// Bytes of a batch's time and count.
pub const BATCH_FRAME_BYTES: usize = 16;
/// Bytes a batch spends on each transaction besides the transaction's own.
pub const BATCH_ENTRY_BYTES: usize = 8;

/// The wire form.
#[derive(Serialize, Deserialize)]
struct Wire<'a> {
    /// Set once by the primary that first proposed it.
    time: BlockTime,
    /// Signed transactions as they came.
    #[serde(borrow)]
    transactions: Vec<Bytes<'a>>,
}

/// The bytes of a batch that holds these transactions.
pub fn encode_batch<'a>(
    time: BlockTime,
    transactions: impl IntoIterator<Item = &'a [u8]>,
) -> Vec<u8> {
    let transactions = transactions.into_iter().map(Bytes).collect();
    encoding::encode(&Wire { time, transactions })
}

/// SHA-256("aidchain/batch" ‖ 0x00 ‖ bytes); zero for the null batch.
pub fn batch_digest(bytes: &[u8]) -> Root {
    if bytes.is_empty() {
        return Root::ZERO;
    }
    Root::new(hash::labelled("aidchain/batch", &[bytes]))
}

/// Why this node does not vote for a proposed batch.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Unacceptable {
    /// Not one canonical batch, or too long.
    #[error("not a batch: {0}")]
    Malformed(#[from] Malformed),
    /// More results than a batch may hold.
    #[error("the batch holds {found} results, at most {limit} are allowed")]
    TooManyResults {
        /// Results in the batch.
        found: usize,
        /// The limit.
        limit: usize,
    },
    /// One transaction is not acceptable.
    #[error("transaction {at} of the batch: {problem}")]
    Transaction {
        /// Its position.
        at: usize,
        /// What is wrong with it.
        problem: Invalid,
    },
    /// One transaction is in the batch twice.
    #[error("transaction {0} is in the batch twice")]
    Repeated(TransactionHash),
    /// The batch is older than this node's clock allows.
    #[error("the batch is {0} ms too old for this node's clock")]
    TooOld(u64),
    /// The batch is newer than this node's clock allows.
    #[error("the batch is {0} ms too new for this node's clock")]
    TooNew(u64),
}

/// A decoded batch that may be executed: this node checked it, or a quorum did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedBatch {
    /// Digest of the batch's bytes.
    digest: Root,
    /// The batch's time; none for the null batch.
    time: Option<BlockTime>,
    /// Its transactions, in order.
    transactions: Vec<SignedTransaction>,
}

/// What a node checks before it votes for a fresh proposal (CONSENSUS.md §1).
///
/// The verdict is a pure function of the bytes, the ledger, the parameters of the
/// present epoch and `now`. `known` tells which transactions this node has checked
/// before, for the same ledger; their signatures are not checked a second time.
pub fn check_batch(
    bytes: &[u8],
    chain: &ChainId,
    limits: &Parameters,
    now: BlockTime,
    known: impl Fn(&TransactionHash) -> bool,
) -> Result<CheckedBatch, Unacceptable> {
    check_batch_with(bytes, chain, limits, now, &Verdicts(known))
}

/// What a node remembers of transactions of this ledger.
pub trait Memory {
    /// Whether it found the signatures of this one good.
    fn is_good(&self, hash: &TransactionHash) -> bool;

    /// The transaction with this hash, if it is at hand: it is not read from its bytes again.
    fn held(&self, hash: &TransactionHash) -> Option<SignedTransaction>;
}

/// Verdicts alone.
struct Verdicts<F>(F);

impl<F: Fn(&TransactionHash) -> bool> Memory for Verdicts<F> {
    fn is_good(&self, hash: &TransactionHash) -> bool {
        let Self(known) = self;
        known(hash)
    }

    fn held(&self, _hash: &TransactionHash) -> Option<SignedTransaction> {
        None
    }
}

/// As [`check_batch`], at a node that also keeps transactions.
pub fn check_batch_with(
    bytes: &[u8],
    chain: &ChainId,
    limits: &Parameters,
    now: BlockTime,
    memory: &impl Memory,
) -> Result<CheckedBatch, Unacceptable> {
    let batch = CheckedBatch::read(bytes, limits, |hash| memory.held(hash))?;
    batch.check_time(limits, now)?;
    batch.check_forms(chain, limits)?;
    for (at, transaction) in batch.transactions.iter().enumerate() {
        if !memory.is_good(transaction.hash()) {
            transaction
                .check_signatures()
                .map_err(|problem| Unacceptable::Transaction { at, problem })?;
        }
    }
    Ok(batch)
}

impl CheckedBatch {
    /// A batch that a valid certificate names by its digest: a quorum checked its
    /// signatures and time, so only its form is checked again.
    pub fn certified(bytes: &[u8], genesis: &Genesis) -> Result<Self, Unacceptable> {
        // Its voters kept to the parameters of its epoch; who reads it later knows others.
        let batch = Self::read(bytes, &Parameters::LARGEST, |_| None)?;
        batch.check_forms(genesis.chain(), &Parameters::LARGEST)?;
        Ok(batch)
    }

    /// The batch that this node proposes, and its bytes. The caller has checked each of
    /// the transactions, and none is in it twice.
    pub fn assemble(time: BlockTime, transactions: Vec<SignedTransaction>) -> (Self, Vec<u8>) {
        let bytes = encode_batch(time, transactions.iter().map(SignedTransaction::as_bytes));
        let batch = Self {
            digest: batch_digest(&bytes),
            time: Some(time),
            transactions,
        };
        (batch, bytes)
    }

    /// Digest of the batch's bytes.
    pub const fn digest(&self) -> &Root {
        &self.digest
    }

    /// The batch's time; none for the null batch.
    pub const fn time(&self) -> Option<BlockTime> {
        self.time
    }

    /// Its transactions, in order.
    pub fn transactions(&self) -> &[SignedTransaction] {
        &self.transactions
    }

    /// Decodes the batch and each transaction in it that is not at hand.
    fn read(
        bytes: &[u8],
        limits: &Parameters,
        held: impl Fn(&TransactionHash) -> Option<SignedTransaction>,
    ) -> Result<Self, Unacceptable> {
        if bytes.is_empty() {
            return Ok(Self {
                digest: Root::ZERO,
                time: None,
                transactions: Vec::new(),
            });
        }
        let limit = usize::try_from(limits.batch_bytes_max).unwrap_or(usize::MAX);
        let wire: Wire<'_> = encoding::decode(bytes, limit)?;
        let decode = |(at, Bytes(bytes)): (usize, Bytes<'_>)| {
            let name = Name::of(bytes);
            let transaction = match held(&name.hash) {
                Some(held) => Ok(held),
                None => SignedTransaction::decode_named(bytes.into(), name),
            };
            transaction.map_err(|malformed| Unacceptable::Transaction {
                at,
                problem: malformed.into(),
            })
        };
        let transactions = wire.transactions.into_iter().enumerate().map(decode);
        Ok(Self {
            digest: batch_digest(bytes),
            time: Some(wire.time),
            transactions: transactions.collect::<Result<_, _>>()?,
        })
    }

    /// The bound on a fresh proposal's time; the null batch has none.
    fn check_time(&self, limits: &Parameters, now: BlockTime) -> Result<(), Unacceptable> {
        let Some(time) = self.time else {
            return Ok(());
        };
        let oldest = now.minus_ms(limits.batch_past_ms);
        let newest = now.plus_ms(limits.batch_future_ms);
        if time < oldest {
            let by = oldest.get().saturating_sub(time.get());
            return Err(Unacceptable::TooOld(by));
        }
        if time > newest {
            let by = time.get().saturating_sub(newest.get());
            return Err(Unacceptable::TooNew(by));
        }
        Ok(())
    }

    /// Limits, ledger, nothing twice.
    fn check_forms(&self, chain: &ChainId, limits: &Parameters) -> Result<(), Unacceptable> {
        let limit = usize::try_from(limits.batch_results_max).unwrap_or(usize::MAX);
        let counts = self.transactions.iter().map(|t| t.call().result_count());
        let found = counts.fold(0, usize::saturating_add);
        if found > limit {
            return Err(Unacceptable::TooManyResults { found, limit });
        }
        let mut seen = BTreeSet::new();
        for (at, transaction) in self.transactions.iter().enumerate() {
            transaction
                .check_form(chain, limits)
                .map_err(|problem| Unacceptable::Transaction { at, problem })?;
            if !seen.insert(transaction.hash()) {
                return Err(Unacceptable::Repeated(*transaction.hash()));
            }
        }
        Ok(())
    }
}
