//! The rules of the ledger.

pub mod batch;
pub mod block;
pub mod contract_id;
pub mod contracts;
pub mod encoding;
pub mod execute;
pub mod genesis;
mod hash;
pub mod history;
pub mod identity;
pub mod merkle;
pub mod outcome;
pub mod receipt;
pub mod record;
pub mod recorded;
pub mod signature;
pub mod state;
pub mod transaction;
mod window;

pub use batch::{CheckedBatch, Unacceptable, batch_digest, check_batch, encode_batch};
pub use block::{Header, header_hash};
pub use contract_id::ContractId;
pub use encoding::{Blob, Malformed};
pub use execute::{CannotExecute, EpochEnd, Execution, Tip, execute, found};
pub use genesis::{Genesis, GenesisError, Kind, Member, Parameters, Role};
pub use history::History;
pub use identity::{
    Aid, BlockTime, ChainId, Epoch, HeaderHash, Height, IdCommitment, PublicKey, Root, ServerId,
    SessionId, SignatureBytes, SpkiHash, SuiteId, TransactionHash,
};
pub use outcome::{Outcome, Output, Refused};
pub use receipt::TransactionProof;
pub use record::{
    AuthResult, LegacyResult, PatientRecord, ServerRecord, Status, WuParameters, WuRecord,
};
pub use recorded::{Evidence, Recorded, recorded};
pub use state::{MemoryState, Snapshot, StateError, StateProof, StateReader, Table, WriteSet};
pub use transaction::{Author, Call, Invalid, Registration, SignedTransaction, Transaction};
