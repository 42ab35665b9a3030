//! The proof that a transaction and its outcome are in a block.
//!
//! With the block's checkpoint certificate it is a receipt; certificates belong
//! to consensus, so whoever holds both checks `header` against the certificate.

use thiserror::Error;

use crate::block::{Header, header_hash};
use crate::encoding::Malformed;
use crate::identity::{HeaderHash, Root};
use crate::limits::PATH_LENGTH_MAX;
use crate::merkle::{self, Hash};
use crate::outcome::Outcome;
use crate::transaction::SignedTransaction;

/// A transaction, its outcome and the paths that lead to their block's header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransactionProof {
    /// The signed bytes.
    pub transaction: Vec<u8>,
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

/// What a proof shows, once it is checked, about the header whose hash it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Included {
    /// The block's header.
    pub header: Header,
    /// The hash that a certificate must sign.
    pub header_hash: HeaderHash,
    /// The transaction.
    pub transaction: SignedTransaction,
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
    /// The proof for one transaction of a block, or none if there is no such one.
    pub fn of_block<'a>(
        header: &[u8],
        transactions: impl IntoIterator<Item = &'a [u8]>,
        outcomes: impl IntoIterator<Item = &'a [u8]>,
        index: usize,
    ) -> Option<Self> {
        let (transaction, path, count) = prove_leaf(transactions, index)?;
        let (outcome, outcome_path, outcome_count) = prove_leaf(outcomes, index)?;
        (count == outcome_count).then(|| Self {
            transaction,
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
        let transaction = SignedTransaction::decode(self.transaction.clone())
            .map_err(NotIncluded::Transaction)?;
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

/// One leaf, its path and the number of leaves.
fn prove_leaf<'a>(
    leaves: impl IntoIterator<Item = &'a [u8]>,
    index: usize,
) -> Option<(Vec<u8>, Vec<Hash>, usize)> {
    let leaves: Vec<&[u8]> = leaves.into_iter().collect();
    let hashes: Vec<Hash> = leaves.iter().map(|leaf| merkle::leaf_hash(leaf)).collect();
    let path = merkle::path(&hashes, index)?;
    Some((leaves.get(index)?.to_vec(), path, leaves.len()))
}
