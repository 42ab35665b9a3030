//! What a member or a patient asks of the ledger.
//!
//! Wire form: version u16, chain 32, author (tag u32, 0 member or 1 patient, and
//! 32 bytes), key 32, valid until u64, salt 8, call (tag u32 and its fields), and
//! behind this [`Transaction`] the 64 bytes of its signature. Results are a count
//! u64 and 214 bytes for each. The signature covers SHA-256("aidchain/sign-transaction" ‖ 0x00 ‖ signed
//! form); the hash and the leaf of the transactions tree cover the signed form and the signature. Of a bundle
//! of results the signed form has a root in place of the entries (docs/aidc1-ledger.md §3); of every other
//! transaction it is the encoded transaction.

mod call;
mod signed_form;

use std::sync::Arc;

use ed25519_dalek::{Signer as _, SigningKey};
use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use call::{Call, DisclosureCall, RecoveryCall};
pub use signed_form::BUNDLE_FRAME_BYTES;
pub(crate) use signed_form::{Abridged, Bundle};

use crate::encoding::{self, Malformed};
use crate::genesis::Parameters;
use crate::hash;
use crate::identity::{
    Aid, BlockTime, ChainId, PublicKey, ServerId, SignatureBytes, TransactionHash,
};
use crate::limits::ENCODED_BYTES_MAX;
use crate::merkle;
use crate::signature::{self, Statement};

/// The version of [`Transaction`] that this crate reads and writes.
pub const TRANSACTION_VERSION: u16 = 1;
/// Bytes of the signature behind the encoded transaction.
pub(crate) const SIGNATURE_BYTES: usize = 64;

/// In whose name a transaction is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Author {
    /// A member of the consortium.
    Member(ServerId),
    /// A patient, for what she may do herself.
    Patient(Aid),
}

/// A transaction before its signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transaction {
    /// Version of this layout.
    version: u16,
    /// The ledger it is for.
    chain: ChainId,
    /// In whose name.
    author: Author,
    /// The Ed25519 key that signs it; `execute` checks that it is the author's.
    key: PublicKey,
    /// Last block time at which it may be executed.
    valid_until: BlockTime,
    /// Makes equal calls distinct.
    salt: [u8; 8],
    /// What is asked.
    call: Call,
}

impl Transaction {
    /// A transaction that `sign` completes.
    pub const fn new(
        chain: ChainId,
        author: Author,
        valid_until: BlockTime,
        salt: [u8; 8],
        call: Call,
    ) -> Self {
        Self {
            version: TRANSACTION_VERSION,
            chain,
            author,
            key: PublicKey::new([0; 32]),
            valid_until,
            salt,
            call,
        }
    }

    /// Signs it.
    pub fn sign(mut self, signer: &SigningKey) -> SignedTransaction {
        self.key = PublicKey::new(signer.verifying_key().to_bytes());
        let mut bytes = encoding::encode(&self);
        let form = signed_form::form(&bytes);
        let digest = signed_digest(form.as_ref().unwrap_or(&bytes));
        let signature = signer.sign(&digest).to_bytes();
        bytes.extend_from_slice(&signature);
        SignedTransaction {
            name: Name::of(&bytes),
            bytes: bytes.into(),
            transaction: Arc::new(self),
            signature: SignatureBytes::new(signature),
        }
    }

    /// The ledger it is for.
    pub const fn chain(&self) -> &ChainId {
        &self.chain
    }

    /// In whose name it is sent.
    pub const fn author(&self) -> &Author {
        &self.author
    }

    /// The key that signed it.
    pub const fn key(&self) -> &PublicKey {
        &self.key
    }

    /// Last block time at which it may be executed.
    pub const fn valid_until(&self) -> BlockTime {
        self.valid_until
    }

    /// The salt that makes equal calls distinct.
    pub const fn salt(&self) -> &[u8; 8] {
        &self.salt
    }

    /// What is asked.
    pub const fn call(&self) -> &Call {
        &self.call
    }

    /// The patients' statements in it, each under the key that is written beside it.
    pub(crate) fn statements(&self) -> Vec<Statement> {
        self.call.statements(&self.chain)
    }
}

/// Why a transaction is refused before anybody votes on it; a pure function of its bytes.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Invalid {
    /// Not one canonical transaction, or too long for its kind.
    #[error("not a transaction: {0}")]
    Malformed(#[from] Malformed),
    /// A version that this software does not know.
    #[error("transaction version {0}, this software reads version 1")]
    Version(u16),
    /// For another ledger.
    #[error("the transaction is for ledger {0}")]
    OtherLedger(ChainId),
    /// A bundle without an entry.
    #[error("the bundle is empty")]
    EmptyBundle,
    /// A bundle with too many entries.
    #[error("the bundle holds {found} entries, at most {limit} are allowed")]
    TooManyEntries {
        /// Entries in the bundle.
        found: usize,
        /// The limit.
        limit: usize,
    },
    /// The author's signature does not verify under the key written in the transaction.
    #[error("the author's signature does not verify")]
    Signature,
    /// A patient's statement does not verify under the key written in the result.
    #[error("the patient's signature of result {0} does not verify")]
    Statement(usize),
}

/// A decoded transaction beside the bytes that came; its signatures may not be checked yet.
/// Clones share both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedTransaction {
    /// All bytes, as they came.
    bytes: Arc<[u8]>,
    /// What they say.
    transaction: Arc<Transaction>,
    /// The author's signature.
    signature: SignatureBytes,
    /// What stands for it.
    name: Name,
}

/// What stands for a transaction in its block's tree, where that is not the transaction itself, and the hash of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    /// Signed form and signature of a bundle.
    abridged: Option<Arc<[u8]>>,
    /// Its name on the ledger.
    pub(crate) hash: TransactionHash,
}

impl Name {
    /// The name of a transaction's octets, whatever they are.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let abridged = signed_form::abridged(bytes);
        let hash = abridged
            .as_deref()
            .map_or_else(|| hash_of(bytes), bundle_hash_of);
        Self { abridged, hash }
    }
}

impl SignedTransaction {
    /// Reads one transaction from exactly these bytes; checks no signature.
    pub fn decode(bytes: impl Into<Arc<[u8]>>) -> Result<Self, Malformed> {
        let bytes = bytes.into();
        let name = Name::of(&bytes);
        Self::decode_named(bytes, name)
    }

    /// The same, of bytes whose name was taken.
    pub(crate) fn decode_named(bytes: Arc<[u8]>, name: Name) -> Result<Self, Malformed> {
        let (body, signature) = bytes
            .split_last_chunk::<SIGNATURE_BYTES>()
            .ok_or(Malformed::Undecodable("SignedTransaction"))?;
        let transaction: Transaction = encoding::decode(body, ENCODED_BYTES_MAX)?;
        let signature = SignatureBytes::new(*signature);
        Ok(Self {
            name,
            transaction: Arc::new(transaction),
            signature,
            bytes,
        })
    }

    /// What everybody checks before voting: limits, ledger, every signature.
    pub fn check(&self, chain: &ChainId, limits: &Parameters) -> Result<(), Invalid> {
        self.check_form(chain, limits)?;
        self.check_signatures()
    }

    /// Limits and ledger; no signature.
    pub fn check_form(&self, chain: &ChainId, limits: &Parameters) -> Result<(), Invalid> {
        let transaction = &self.transaction;
        if transaction.version != TRANSACTION_VERSION {
            return Err(Invalid::Version(transaction.version));
        }
        if transaction.chain != *chain {
            return Err(Invalid::OtherLedger(transaction.chain));
        }
        let length = self.bytes.len();
        let (limit, entries_max) = transaction.call.limits(limits);
        if length > limit {
            return Err(Malformed::TooLong { length, limit }.into());
        }
        match transaction.call.entry_count() {
            Some(0) => Err(Invalid::EmptyBundle),
            Some(found) if found > entries_max => Err(Invalid::TooManyEntries {
                found,
                limit: entries_max,
            }),
            Some(_) | None => Ok(()),
        }
    }

    /// The author's signature, and σ of every result and claim under the key written in it.
    pub fn check_signatures(&self) -> Result<(), Invalid> {
        let transaction = &self.transaction;
        if !is_signed(self.leaf(), &transaction.key, &self.signature) {
            return Err(Invalid::Signature);
        }
        let statements = transaction.statements();
        signature::first_false(&statements).map_or(Ok(()), |at| Err(Invalid::Statement(at)))
    }

    /// The hash that stands for it in the transactions tree of its block.
    pub fn leaf_hash(&self) -> merkle::Hash {
        merkle::leaf_hash(self.leaf())
    }

    /// The bundle of results that it is; none if it is none.
    pub(crate) fn bundle(&self) -> Option<Bundle<'_>> {
        let (body, _signature) = self.bytes.split_last_chunk::<SIGNATURE_BYTES>()?;
        Bundle::of(body)
    }

    /// The signed form and the signature.
    pub(crate) fn leaf(&self) -> &[u8] {
        self.name.abridged.as_deref().unwrap_or(&self.bytes)
    }

    /// All bytes, as they came.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The same, shared.
    pub fn shared(&self) -> Arc<[u8]> {
        Arc::clone(&self.bytes)
    }

    /// Hash of the signed form and the signature: its name on the ledger.
    pub const fn hash(&self) -> &TransactionHash {
        &self.name.hash
    }

    /// The author's signature.
    pub const fn signature(&self) -> &SignatureBytes {
        &self.signature
    }

    /// What the bytes say.
    pub fn transaction(&self) -> &Transaction {
        &self.transaction
    }

    /// What is asked.
    pub fn call(&self) -> &Call {
        &self.transaction.call
    }

    /// In whose name it is sent.
    pub fn author(&self) -> &Author {
        &self.transaction.author
    }
}

/// Whether the author's signature over the signed form counts that stands with it in a leaf.
pub(crate) fn is_signed(leaf: &[u8], key: &PublicKey, signature: &SignatureBytes) -> bool {
    let parts = leaf.split_last_chunk::<SIGNATURE_BYTES>();
    parts.is_some_and(|(form, _)| signature::is_valid(key, &signed_digest(form), signature))
}

/// What the author signs.
fn signed_digest(form: &[u8]) -> [u8; 32] {
    hash::labelled("aidchain/sign-transaction", &[form])
}

/// The name on the ledger of a transaction that stands for itself.
pub(crate) fn hash_of(bytes: &[u8]) -> TransactionHash {
    TransactionHash::new(hash::labelled("aidchain/transaction", &[bytes]))
}

/// The name of a bundle, of its signed form and signature. Under a label of its own: these octets in the place of the bundle
/// are no transaction, and must not be taken for the one that a node holds under its name.
pub(crate) fn bundle_hash_of(leaf: &[u8]) -> TransactionHash {
    TransactionHash::new(hash::labelled("aidchain/bundle", &[leaf]))
}
