//! The proof that a transaction and its outcome are in a block.
//!
//! Of a bundle of results it shows one: the others' places are hashes (see `transaction`).
//!
//! With the block's checkpoint certificate it is a receipt; certificates belong
//! to consensus, so whoever holds both checks `header` against the certificate.

mod shown;

use thiserror::Error;

pub use shown::Shown;

use crate::block::{Header, header_hash};
use crate::encoding::Malformed;
use crate::identity::{HeaderHash, Root};
use crate::limits::PATH_LENGTH_MAX;
use crate::merkle::{self, Hash};
use crate::outcome::Outcome;
use crate::transaction::{Bundle, SignedTransaction};

/// A transaction, its outcome and the paths that lead to their block's header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransactionProof {
    /// The signed bytes; of a bundle of results its signed form and the signature.
    pub transaction: Vec<u8>,
    /// The result of a bundle that is shown; none of another transaction.
    pub entry: Option<EntryProof>,
    /// Position in the block.
    pub index: u64,
    /// Transactions in the block.
    pub count: u64,
    /// From the transaction to the transactions root.
    pub path: Vec<Hash>,
    /// The encoded outcome.
    pub outcome: Vec<u8>,
    /// From the outcome to the outcomes root.
    pub outcome_path: Vec<Hash>,
    /// The encoded header.
    pub header: Vec<u8>,
}

/// One result of a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryProof {
    /// Its place in the bundle, from 0.
    pub index: u64,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// From the entry to the root in the bundle's signed form.
    pub path: Vec<Hash>,
}

/// What a proof shows, once it is checked, about the header whose hash it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Included {
    /// The block's header.
    pub header: Header,
    /// The hash that a certificate must sign.
    pub header_hash: HeaderHash,
    /// The transaction, or the entry of it that is shown.
    pub transaction: Shown,
    /// What became of it.
    pub outcome: Outcome,
}

/// Why a proof shows nothing.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NotIncluded {
    /// The header's bytes are not a header.
    #[error("the header: {0}")]
    Header(Malformed),
    /// The transaction's bytes are not a transaction.
    #[error("the transaction: {0}")]
    Transaction(Malformed),
    /// A bundle of results, and no result that it is about.
    #[error("it shows no entry of the bundle")]
    NoEntry,
    /// An entry of what is no bundle of results.
    #[error("it shows an entry of a transaction that is no bundle")]
    NoBundle,
    /// The entry's path does not lead to the bundle's root.
    #[error("the entry is not at this position of the bundle")]
    Entry,
    /// The outcome's bytes are not an outcome.
    #[error("the outcome: {0}")]
    Outcome(Malformed),
    /// The transaction names another ledger than the header.
    #[error("the transaction is for another ledger than the block")]
    OtherLedger,
    /// The path does not lead to the transactions root.
    #[error("the transaction is not at this position of the block")]
    TransactionPath,
    /// The path does not lead to the outcomes root.
    #[error("the outcome is not the one at this position of the block")]
    OutcomePath,
}

impl TransactionProof {
    /// The proof for one transaction of a block, or none if there is no such one. Of a bundle of results it shows that
    /// at `entry`, and there is none if it has fewer.
    pub fn of_block(
        header: &[u8],
        transactions: &[SignedTransaction],
        outcomes: &[Vec<u8>],
        (index, entry): (usize, usize),
    ) -> Option<Self> {
        let transaction = transactions.get(index)?;
        let entry = match transaction.bundle() {
            Some(bundle) => Some(entry_of(bundle, entry)?),
            None => None,
        };
        let leaves: Vec<Hash> = transactions
            .iter()
            .map(SignedTransaction::leaf_hash)
            .collect();
        let outcome_leaves: Vec<Hash> = outcomes
            .iter()
            .map(|outcome| merkle::leaf_hash(outcome))
            .collect();
        let count = leaves.len();
        let path = merkle::path(&leaves, index)?;
        let outcome_path = merkle::path(&outcome_leaves, index)?;
        let outcome = outcomes.get(index)?.clone();
        (count == outcome_leaves.len()).then(|| Self {
            transaction: transaction.leaf().to_vec(),
            entry,
            index: u64::try_from(index).unwrap_or(u64::MAX),
            count: u64::try_from(count).unwrap_or(u64::MAX),
            path,
            outcome,
            outcome_path,
            header: header.to_vec(),
        })
    }

    /// Checks both paths against the roots in the header.
    pub fn verify(&self) -> Result<Included, NotIncluded> {
        let header = Header::decode(&self.header).map_err(NotIncluded::Header)?;
        let transaction = Shown::read(&self.transaction, self.entry.as_ref())?;
        let outcome = Outcome::decode(&self.outcome).map_err(NotIncluded::Outcome)?;
        if *transaction.transaction().chain() != header.chain {
            return Err(NotIncluded::OtherLedger);
        }
        if self.root_over(&self.transaction, &self.path) != Some(header.transactions_root) {
            return Err(NotIncluded::TransactionPath);
        }
        if self.root_over(&self.outcome, &self.outcome_path) != Some(header.outcomes_root) {
            return Err(NotIncluded::OutcomePath);
        }
        Ok(Included {
            header_hash: header_hash(&self.header),
            header,
            transaction,
            outcome,
        })
    }

    /// The root that this leaf and path amount to.
    fn root_over(&self, leaf: &[u8], path: &[Hash]) -> Option<Root> {
        if path.len() > PATH_LENGTH_MAX {
            return None;
        }
        merkle::root_from_path(&merkle::leaf_hash(leaf), self.index, self.count, path)
    }
}

/// One result of a bundle and its path.
fn entry_of(bundle: Bundle<'_>, at: usize) -> Option<EntryProof> {
    let (bytes, path) = bundle.entry(at)?;
    Some(EntryProof {
        index: u64::try_from(at).ok()?,
        bytes: bytes.to_vec(),
        path,
    })
}
