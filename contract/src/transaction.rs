//! What a member or a patient asks of the ledger.
//!
//! Wire form: version u16, chain 32, author (tag u32, 0 member or 1 patient, and
//! 32 bytes), key 32, valid until u64, salt 8, call (tag u32 and its fields), and
//! behind this [`Transaction`] the 64 bytes of its signature. Results are a count
//! u64 and 214 bytes for each. The signature covers SHA-256("aidchain/sign-transaction" ‖ 0x00 ‖ encoded
//! transaction); the hash and the leaf of the transactions tree cover all bytes.

use ed25519_dalek::{Signer as _, SigningKey};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::encoding::{self, Malformed};
use crate::genesis::Parameters;
use crate::hash;
use crate::identity::{
    Aid, BlockTime, ChainId, PublicKey, ServerId, SignatureBytes, TransactionHash,
};
use crate::limits::ENCODED_BYTES_MAX;
use crate::record::{AuthResult, LegacyResult, PatientRecord, ServerRecord, WuRecord};
use crate::signature;

/// The version of [`Transaction`] that this crate reads and writes.
pub const TRANSACTION_VERSION: u16 = 1;
/// Bytes of the signature behind the encoded transaction.
const SIGNATURE_BYTES: usize = 64;

/// In whose name a transaction is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Author {
    /// A member of the consortium.
    Member(ServerId),
    /// A patient, for what she may do herself.
    Patient(Aid),
}

/// A registration under AIDC-1, with both proofs of possession.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    /// The record to store: active, as sealed and committed to by the RC.
    pub record: PatientRecord,
    /// BIP-340 signature of [`PatientRecord::possession_digest`] by `pk_dh`.
    pub proof_dh: SignatureBytes,
    /// Ed25519 signature of the same digest by `pk_sig`.
    pub proof_sig: SignatureBytes,
}

/// What is asked. The order is the wire number: new calls are appended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Call {
    /// `identity`: the RC registers a patient under AIDC-1.
    Register(Box<Registration>),
    /// `identity`: an AID may no longer sign in; by the RC, its own or its recovery key.
    Revoke(Aid),
    /// `identity`: the RC destroyed what resolves this AID.
    Shred(Aid),
    /// `identity`: the RC registers a patient under Wu-2021, ID in clear, as printed.
    WuRegister(WuRecord),
    /// `authlog`: sign-ins with the patients' statements, by the server named in them.
    Results(Vec<AuthResult>),
    /// `authlog`: sign-ins under a suite of the papers, by the server named in them.
    LegacyResults(Vec<LegacyResult>),
    /// `servers`: a server publishes its record for a new key epoch.
    SetServer(ServerRecord),
}

impl Call {
    /// A short name for texts and JSON.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Register(_) => "register",
            Self::Revoke(_) => "revoke",
            Self::Shred(_) => "shred",
            Self::WuRegister(_) => "wu-register",
            Self::Results(_) => "results",
            Self::LegacyResults(_) => "legacy-results",
            Self::SetServer(_) => "set-server",
        }
    }

    /// How many sign-in results it carries.
    pub const fn result_count(&self) -> usize {
        match self {
            Self::Results(results) => results.len(),
            Self::LegacyResults(results) => results.len(),
            Self::Register(_)
            | Self::Revoke(_)
            | Self::Shred(_)
            | Self::WuRegister(_)
            | Self::SetServer(_) => 0,
        }
    }

    /// Whether it is a bundle of results, which may be longer than other calls.
    const fn is_bundle(&self) -> bool {
        matches!(self, Self::Results(_) | Self::LegacyResults(_))
    }
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
        let signature = signer.sign(&signed_digest(&bytes)).to_bytes();
        bytes.extend_from_slice(&signature);
        SignedTransaction {
            hash: hash_of(&bytes),
            bytes,
            transaction: self,
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
    /// A bundle without a result.
    #[error("the bundle holds no result")]
    EmptyBundle,
    /// A bundle with too many results.
    #[error("the bundle holds {found} results, at most {limit} are allowed")]
    TooManyResults {
        /// Results in the bundle.
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedTransaction {
    /// All bytes, as they came.
    bytes: Vec<u8>,
    /// What they say.
    transaction: Transaction,
    /// The author's signature.
    signature: SignatureBytes,
    /// Hash of `bytes`.
    hash: TransactionHash,
}

impl SignedTransaction {
    /// Reads one transaction from exactly these bytes; checks no signature.
    pub fn decode(bytes: Vec<u8>) -> Result<Self, Malformed> {
        let (body, signature) = bytes
            .split_last_chunk::<SIGNATURE_BYTES>()
            .ok_or(Malformed::Undecodable("SignedTransaction"))?;
        let transaction: Transaction = encoding::decode(body, ENCODED_BYTES_MAX)?;
        let signature = SignatureBytes::new(*signature);
        Ok(Self {
            hash: hash_of(&bytes),
            transaction,
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
    pub(crate) fn check_form(&self, chain: &ChainId, limits: &Parameters) -> Result<(), Invalid> {
        let transaction = &self.transaction;
        if transaction.version != TRANSACTION_VERSION {
            return Err(Invalid::Version(transaction.version));
        }
        if transaction.chain != *chain {
            return Err(Invalid::OtherLedger(transaction.chain));
        }
        let length = self.bytes.len();
        let limit = if transaction.call.is_bundle() {
            limits.bundle_bytes_max
        } else {
            limits.transaction_bytes_max
        };
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        if length > limit {
            return Err(Malformed::TooLong { length, limit }.into());
        }
        if transaction.call.is_bundle() {
            let found = transaction.call.result_count();
            let limit = usize::try_from(limits.bundle_results_max).unwrap_or(usize::MAX);
            if found == 0 {
                return Err(Invalid::EmptyBundle);
            }
            if found > limit {
                return Err(Invalid::TooManyResults { found, limit });
            }
        }
        Ok(())
    }

    /// The author's signature, and σ of every result under the key written in it.
    pub fn check_signatures(&self) -> Result<(), Invalid> {
        let (body, _signature) = self
            .bytes
            .split_last_chunk::<SIGNATURE_BYTES>()
            .ok_or(Invalid::Signature)?;
        let transaction = &self.transaction;
        if !signature::is_valid(&transaction.key, &signed_digest(body), &self.signature) {
            return Err(Invalid::Signature);
        }
        if let Call::Results(results) = &transaction.call {
            for (at, result) in results.iter().enumerate() {
                let digest = result.statement_digest(&transaction.chain);
                if !signature::is_valid(&result.pk_sig, &digest, &result.sigma) {
                    return Err(Invalid::Statement(at));
                }
            }
        }
        Ok(())
    }

    /// All bytes, as they came: the leaf of the transactions tree.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Hash of all bytes, the signature included.
    pub const fn hash(&self) -> &TransactionHash {
        &self.hash
    }

    /// The author's signature.
    pub const fn signature(&self) -> &SignatureBytes {
        &self.signature
    }

    /// What the bytes say.
    pub const fn transaction(&self) -> &Transaction {
        &self.transaction
    }

    /// What is asked.
    pub const fn call(&self) -> &Call {
        &self.transaction.call
    }

    /// In whose name it is sent.
    pub const fn author(&self) -> &Author {
        &self.transaction.author
    }
}

/// What the author signs.
fn signed_digest(body: &[u8]) -> [u8; 32] {
    hash::labelled("aidchain/sign-transaction", &[body])
}

/// The transaction's name on the ledger.
fn hash_of(bytes: &[u8]) -> TransactionHash {
    TransactionHash::new(hash::labelled("aidchain/transaction", &[bytes]))
}
