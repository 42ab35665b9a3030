//! The rules of the ledger.

pub mod batch;
pub mod block;
pub mod contract_id;
pub mod encoding;
pub mod genesis;
mod hash;
pub mod identity;
pub mod merkle;
pub mod outcome;
pub mod receipt;
pub mod record;
pub mod signature;
pub mod transaction;

pub use batch::{CheckedBatch, Unacceptable, batch_digest, check_batch, encode_batch};
pub use block::{Header, header_hash};
pub use contract_id::ContractId;
pub use encoding::{Blob, Malformed};
pub use genesis::{Genesis, GenesisError, Kind, Member, Parameters, Role};
pub use identity::{
    Aid, BlockTime, ChainId, Epoch, HeaderHash, Height, IdCommitment, PublicKey, Root, ServerId,
    SessionId, SignatureBytes, SpkiHash, SuiteId, TransactionHash,
};
pub use outcome::{Outcome, Output, Refused};
pub use receipt::TransactionProof;
pub use record::{
    AuthResult, LegacyResult, PatientRecord, ServerRecord, Status, WuParameters, WuRecord,
};
pub use transaction::{Author, Call, Invalid, Registration, SignedTransaction, Transaction};
