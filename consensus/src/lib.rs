//! PBFT as a function: sans-IO consensus over opaque batches.
//!
//! # How a host drives it
//! ```text
//! let setup = Setup { committee, key, parameters, origin };           // origin: the block before the epoch's first, 0 for genesis
//! let (mut replica, effects) = Replica::recover(setup, log, &store, now)?;    // the only way to start; log: Log::Whole(records) | Log::Damaged; store: newest (height, header hash)
//! let effects = replica.step(now, input)?;                            // Err: nothing changed; drop the input and count it
//! replica.wants_batch() -> Option<Want>                               // asked after each step; answer with Input::Batch
//! replica.explanation(now) -> Explanation                             // view, primary, votes present and missing, timers, why it stands still
//! replica.carry_over() -> Vec<Record>                                 // what a fresh log segment begins with, so that older ones may go
//! ```
//! 1. **In**: bytes → [`Frame::decode`] → [`Frame::verify`] (off the replica's thread) → [`Input`].
//!    A PRE-PREPARE comes out with its batch as [`Proposed::Unchecked`]; the host runs its
//!    vote-time check and makes it [`Proposed::Valid`] with [`ValidBatch::checked`], or leaves it:
//!    an unchecked batch is never voted for, but a certificate for its digest makes it valid.
//! 2. **Out**: effects in order. Every [`Effect::Persist`] is durable before a later `Broadcast`,
//!    `Send` or `Certified` is performed; several steps may share one flush. `Execute` may start
//!    at once. A frame is encoded once for all receivers.
//! 3. **Batches**: as primary, ask [`Want`] after each step and when the pool grows. `Any`: cut
//!    what there is, if there is something. `Full`: only when the pool fills a whole batch.
//!    `Heartbeat`: also an empty batch with a time.
//! 4. **Pool**: say [`Pending`] whenever the oldest transaction that is not executed changes.
//! 5. **Execution**: answer [`Effect::Execute`] in order with [`Input::Executed`].
//!    [`Effect::Certified`] is the receipt for that block, at every node, for each block.
//! 6. **Timers**: one per [`Timer`]; arming replaces. The replica ignores an expiry that was overtaken.
//! 7. **Fetch**: deliver [`Input::Fetched`] in ascending order; the effect comes again while blocks are missing.
//!
#![cfg_attr(
    test,
    expect(
        clippy::arithmetic_side_effects,
        clippy::cast_possible_truncation,
        reason = "a test stops at its own mistakes"
    )
)]

mod batch;
mod block;
mod certificate;
mod committee;
mod digest;
mod encoding;
mod error;
mod evidence;
mod frame;
mod io;
mod message;
mod number;
mod record;
mod replica;
mod reproposal;
mod signed;
mod slot;
mod status;

pub use batch::{BATCH_BYTES_MAX, Batch, Proposed, ValidBatch};
pub use block::{CertifiedBlock, Committed, Divergence, EpochEnd, Order};
pub use certificate::{
    Certificate, CheckpointCertificate, CommitCertificate, PreparedCertificate, Proven, Votes,
};
pub use committee::{Committee, MEMBERS_MAX, ReplicaId, faults, quorum};
pub use digest::{ChainId, Digest, Domain};
pub use encoding::{DecodeError, FRAME_BYTES_MAX};
pub use error::{CommitteeError, RecoverError, Rejected};
pub use evidence::{Evidence, Vote};
pub use frame::Frame;
pub use io::{Effect, Effects, Input, Message, Pending, Timer, Want};
pub use message::{
    Checkpoint, Commit, NewView, NewViewBody, PrePrepare, Prepare, StableProof, ViewChange,
    ViewChangeBody, WINDOW_MAX,
};
pub use number::{Epoch, Seq, Time, View};
pub use record::Record;
pub use replica::{
    Explanation, Log, Lost, Parameters, Phase, Replica, Setup, SlotExplanation, Standing,
    Standstill,
};
pub use reproposal::{reproposals, start};
pub use signed::{
    Ed25519, Kind, PublicKey, Scheme, Signable, Signature, Signed, Statement, Verified,
    WIRE_VERSION,
};
pub use status::{Members, OpenSlot, Status};
