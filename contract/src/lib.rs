//! The rules of the ledger.
//!
//! Consensus orders batches of bytes; this crate says what they mean. It is pure:
//! no clock, socket, disk, thread, dice or log. Time comes in as a value, the
//! state through [`StateReader`], and what a block changes goes out as plain
//! bytes. The same genesis and the same batches give the same bytes everywhere.
//!
//! # The rules on one page
//!
//! 1. **A ledger is named by its genesis.** The chain id is SHA-256 of
//!    `genesis.json` ([`genesis`]). It is inside everything that is signed.
//! 2. **A transaction is signed bytes** ([`transaction`]): an author, the key that
//!    signs, a time until which it is valid, a salt, and one [`Call`]. Its hash and
//!    its signature are taken over the bytes that came, never over a re-encoding
//!    ([`encoding`]).
//! 3. **Before a node votes**, it checks what is a pure function of a batch's bytes
//!    and its own clock ([`check_batch`]): canonical form, limits, ledger, every
//!    signature under the key *written in the bytes*, nothing twice, the time
//!    within bounds. Nothing that needs the state is asked here, because voters
//!    have executed different prefixes.
//! 4. **After a batch is committed** it is executed ([`execute()`]): whose key that
//!    is, what the author may do, whether the session was seen. What the rules
//!    refuse becomes an [`Outcome`] inside the block; nothing makes a block invalid.
//! 5. **Time** in a block is the larger of its parent's and its batch's. Contracts
//!    know no other.
//! 6. **Nothing happens twice.** A transaction is valid for at most 150 s of block
//!    time; within that window its hash, and the id of every recorded session,
//!    occur once. The window is a function of the recent blocks.
//! 7. **What is looked up is state, what is appended is not.** Identities, servers,
//!    members and contracts lie in a Merkle tree that proves presence and absence
//!    ([`state`]). Sign-in results stay in their block's transactions tree.
//! 8. **A sign-in result needs two hands** (`authlog`): the patient's signed
//!    statement and the named server's transaction around it. The papers' suites
//!    have the server's word alone, on research ledgers only.
//! 9. **An AID is registered once and for ever** (`identity`): tombstones count.
//! 10. **Another AID takes its place** at once with a key of the patient and the RC;
//!     without one by two members, after a delay in which her keys can forbid it.
//! 11. **One side alone makes a claim, never a result**, and **who looks behind an AID
//!     leaves a trace** that the patient can prove to be all there is (`disclosure`).
//! 12. **Members decide about members** (`membership`): a quorum changes committee,
//!     parameters and contracts, at the end of an epoch and nowhere else. The state
//!     after its last block is the next epoch's.
//! 13. **Contradictions are kept with their proof** (`evidence`): two signed votes
//!     that no honest member signs both, judged by everybody under the keys of their
//!     epoch.
//! 14. **The header says it all** ([`block`]): every field is a function of the
//!     ordered batches, none of votes, views or proposers. A quorum's signature of
//!     its hash is the receipt of every transaction in the block ([`receipt`]).
//!
//! # Reading order
//!
//! The groups of modules below: names and bytes, what is asked and answered,
//! trees and proofs, execution.

pub mod limits;

pub mod contract_id;
pub mod encoding;
mod hash;
pub mod identity;
pub mod signature;

pub mod batch;
pub mod block;
pub mod genesis;
pub mod outcome;
pub mod record;
pub mod transaction;

pub mod history;
pub mod merkle;
pub mod receipt;
pub mod state;

pub mod contracts;
pub mod execute;
pub mod recorded;
mod window;

pub use batch::{
    CheckedBatch, Unacceptable, batch_digest, check_batch, check_batch_with, encode_batch,
};
pub use block::{Header, header_hash};
pub use contract_id::ContractId;
pub use encoding::{Blob, Malformed};
pub use execute::{CannotExecute, EpochEnd, Execution, Tip, execute, found};
pub use genesis::{Genesis, GenesisError, Kind, Member, Parameters, Role};
pub use history::History;
pub use identity::{
    Aid, BlockTime, ChainId, ChangeId, Epoch, HeaderHash, Height, IdCommitment, PublicKey, Root,
    ServerId, SessionId, SignatureBytes, SpkiHash, SuiteId, TransactionHash,
};
pub use outcome::{Outcome, Output, Refused};
pub use receipt::{EntryProof, TransactionProof};
pub use record::{
    AuthResult, Consent, DisclosureRequest, LegacyResult, LimbasiyaServer, Officer, PatientRecord,
    Purpose, Recovery, RefusalReason, Registration, Replacement, ServerClaim, ServerRecord, Status,
    WuParameters, WuRecord, replace_digest,
};
pub use recorded::{Claim, Claimed, Evidence, Recorded, Standing, claimed, recorded};
pub use state::{MemoryState, Snapshot, StateError, StateProof, StateReader, Table, WriteSet};
pub use transaction::{
    Author, Call, DisclosureCall, Invalid, RecoveryCall, SignedTransaction, Transaction,
};
