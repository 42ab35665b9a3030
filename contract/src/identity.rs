//! Names of things on the ledger: who, where, when.
//!
//! Counters have no `From<u64>`: a height is not a time and neither is a length.

mod aid;
mod bytes;
mod counter;

pub use aid::{Aid, AidError};
pub use bytes::{
    ChainId, ChangeId, HeaderHash, IdCommitment, IdError, IdProblem, PublicKey, Root, ServerId,
    SessionId, SignatureBytes, SpkiHash, TransactionHash,
};
pub use counter::{BlockTime, Epoch, Height, SuiteId, SuiteIdError};
