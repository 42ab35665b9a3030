//! A transaction as its proof shows it.

use super::{EntryProof, NotIncluded};
use crate::encoding::{self, Malformed};
use crate::identity::{SignatureBytes, TransactionHash};
use crate::limits::{ENCODED_BYTES_MAX, PATH_LENGTH_MAX};
use crate::merkle;
use crate::outcome::{Outcome, Refused};
use crate::signature;
use crate::transaction::{
    Abridged, Author, Call, Invalid, SIGNATURE_BYTES, Transaction, bundle_hash_of, hash_of,
    is_signed,
};

/// A transaction whole; of a bundle of results, one entry and the author's signature over all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// What it says: of a bundle the one entry alone.
    transaction: Transaction,
    /// The author's signature.
    signature: SignatureBytes,
    /// Signed form and signature: what stands in the block's tree.
    leaf: Vec<u8>,
    /// Its name on the ledger.
    hash: TransactionHash,
    /// The entry's place in the bundle.
    entry: usize,
}

impl Shown {
    /// Reads what a proof shows: the leaf, and the entry of a bundle. Checks the entry's path; no signature.
    pub(super) fn read(leaf: &[u8], entry: Option<&EntryProof>) -> Result<Self, NotIncluded> {
        let (form, signature) = leaf
            .split_last_chunk::<SIGNATURE_BYTES>()
            .ok_or(Malformed::Undecodable("SignedTransaction"))
            .map_err(NotIncluded::Transaction)?;
        let decode = |body: &[u8]| encoding::decode(body, ENCODED_BYTES_MAX);
        let (transaction, place) = match (Abridged::of(form), entry) {
            (Some(bundle), Some(entry)) => {
                let place = in_bundle(bundle, entry).ok_or(NotIncluded::Entry)?;
                (decode(&bundle.with_entry(&entry.bytes)), place)
            }
            (None, None) => (decode(form), 0),
            (Some(_), None) => return Err(NotIncluded::NoEntry),
            (None, Some(_)) => return Err(NotIncluded::NoBundle),
        };
        let transaction: Transaction = transaction.map_err(NotIncluded::Transaction)?;
        // A bundle is proved by its signed form alone, or one block would have two proofs of it.
        if entry.is_none() && is_bundle(transaction.call()) {
            return Err(NotIncluded::NoEntry);
        }
        Ok(Self {
            transaction,
            signature: SignatureBytes::new(*signature),
            leaf: leaf.to_vec(),
            hash: entry.map_or_else(|| hash_of(leaf), |_| bundle_hash_of(leaf)),
            entry: place,
        })
    }

    /// What it says.
    pub const fn transaction(&self) -> &Transaction {
        &self.transaction
    }

    /// What is asked; of a bundle the one entry alone.
    pub const fn call(&self) -> &Call {
        self.transaction.call()
    }

    /// In whose name it was sent.
    pub const fn author(&self) -> &Author {
        self.transaction.author()
    }

    /// Its name on the ledger.
    pub const fn hash(&self) -> &TransactionHash {
        &self.hash
    }

    /// Why the contract refused the entry that stands at `at` in what is shown.
    pub fn refusal_of(&self, outcome: &Outcome, at: usize) -> Option<Refused> {
        outcome.refusal_of(self.entry.saturating_add(at))
    }

    /// The author's signature, and σ of what is shown.
    pub fn check_signatures(&self) -> Result<(), Invalid> {
        if !is_signed(&self.leaf, self.transaction.key(), &self.signature) {
            return Err(Invalid::Signature);
        }
        let statements = self.transaction.statements();
        signature::first_false(&statements).map_or(Ok(()), |at| {
            Err(Invalid::Statement(self.entry.saturating_add(at)))
        })
    }
}

/// The entry's place, if its path leads to the bundle's root.
fn in_bundle(bundle: Abridged<'_>, entry: &EntryProof) -> Option<usize> {
    if entry.path.len() > PATH_LENGTH_MAX {
        return None;
    }
    let leaf = merkle::leaf_hash(&entry.bytes);
    let root = merkle::root_from_path(&leaf, entry.index, bundle.count, &entry.path);
    let place = usize::try_from(entry.index).ok()?;
    (root == Some(bundle.root)).then_some(place)
}

const fn is_bundle(call: &Call) -> bool {
    matches!(call, Call::Results(_) | Call::LateResults(_))
}
