//! PBFT as a function: consensus over opaque batches, without clock, socket, disk or thread.
//!
//! The protocol is Castro and Liskov's *Practical Byzantine Fault Tolerance* (OSDI 1999; thesis
//! 2001); § cites the thesis' and the paper's sections. [`Replica::step`] takes one [`Input`] and
//! gives the [`Effects`] that the host has to perform, in order. A run is a function of its inputs.
//!
//! # The protocol on one page
//! Of n members f = (n − 1) / 3 may be faulty in any way. A *quorum* is ceil((n + f + 1) / 2): any
//! two share an honest member. Each *view* has one *primary*, member (epoch + view) mod n.
//!
//! **Order (§4.2).** The primary gives a batch the next sequence number s and says PRE-PREPARE.
//! A backup that finds the batch valid and has voted for no other at (view, s) says PREPARE. The
//! proposal and quorum − 1 PREPAREs of backups are a *prepared certificate*: no other batch can
//! have one at (view, s). Whoever holds it says COMMIT; a quorum of COMMITs orders the batch.
//! Many sequence numbers are under way at once.
//!
//! **Execute.** The host executes ordered batches one after the other. The header hash of the
//! block comes back, and the replica says CHECKPOINT. A quorum of those is the *checkpoint
//! certificate*: it proves order and result to anybody who knows the committee (§4.3).
//!
//! **Change the view (§4.4).** When a transaction waits too long a replica stops voting and says
//! VIEW-CHANGE, with the certificate of its stable checkpoint and, for every sequence number above,
//! the prepared certificate of the highest view it knows. The next primary answers a quorum of
//! them with NEW-VIEW: the VIEW-CHANGEs, and a proposal for every sequence number they leave open,
//! namely the batch prepared in the highest view, or the null batch. Every receiver computes these
//! proposals again and takes nothing else. A batch that was ordered anywhere was prepared at a
//! quorum, a quorum of VIEW-CHANGEs shares an honest member with it, so it is proposed again.
//!
//! **Forget.** `base` = min(certified, executed): a replica votes for stable < s ≤ base + W, buffers
//! up to stable + 2W, and keeps everything about a sequence number until `base` has passed it.
//!
//! **Survive.** What a message rests on is in the vote log before it leaves: the batch and the
//! PREPARE, the whole prepared certificate and the COMMIT, the VIEW-CHANGE byte for byte. A replica
//! that comes back from its log is in the same view with the same votes; one whose log is lost
//! signs nothing in this epoch ([`Standing::Observer`]).
//!
//! **Resend (thesis §5.2).** A replica in which nothing has moved for T0 / 4 tells its peers what it
//! lacks; they send exactly that. Certified batches are fetched by digest; blocks that peers have
//! forgotten the votes of come certified from their stores.
//!
//! # Timer rules
//! 1. The request timer T runs for the oldest pending transaction and starts from zero for the
//!    next; at T / 2 the transaction is forwarded to the primary. An uncommitted proposal, the way
//!    to the epoch's end and an overdue heartbeat count as pending.
//!    The way to an epoch's end has T for each quarter of a window, not for each block: a primary
//!    that proposed one in each T would take W of them.
//! 2. After its VIEW-CHANGE a replica waits without a timer until a quorum has left for that view
//!    or a higher one; only then the new primary's time runs, for its NEW-VIEW and the first thing
//!    that its view orders together. f + 1 members in higher views take it along, to the smallest
//!    of those. Without a quorum no view rises.
//! 3. T = T0 · 2^k, k ≤ 3 view changes beyond the first since a transaction that waited at the
//!    view's start was executed. A new connection to a peer sets it back to T0, also for what is
//!    waited for just then, and one to the primary lets the request timer begin anew; until
//!    something is executed each peer does so once in f · (f + 2) · 8 · T0. A new primary of
//!    which nothing was heard for T0 has T0.
//! 4. The stored VIEW-CHANGE or NEW-VIEW is sent again at reconnection and with STATUS.
//! 5. A primary that brings less than half of the best two seconds in ten minutes, while the
//!    pool is never empty and the oldest waits four times the usual, is left; once a minute at most.
//!
//! # How a host drives it
//! ```text
//! let setup = Setup { committee, key, parameters, origin, end };    // origin: the block before the epoch's first, 0 for genesis
//! let (mut replica, effects) = Replica::recover(setup, log, &store, now)?;   // the only way to start one
//! let effects = replica.step(now, input)?;                           // Err: nothing changed; drop the input and count it
//! replica.wants_batch() -> Option<Want>                              // asked after each step; answered with Input::Batch
//! replica.explanation(now) -> Explanation                            // view, votes present and missing, timers, why it stands still
//! replica.settled() -> Seq; replica.carry_over() -> Vec<Record>      // log segments: what may go, what a fresh one begins with
//! ```
//! 1. **Start**: `log` is [`Log::Whole`] with all records, or [`Log::Damaged`]; `store` the newest
//!    (height, header hash) pairs in the store, at least the last 2W if there are so many.
//! 2. **In**: bytes → [`Frame::decode`] → [`Frame::verify`], off the replica's thread → [`Input`].
//!    A PRE-PREPARE comes out with its batch as [`Proposed::Unchecked`]; the host runs its vote-time
//!    check and makes it [`Proposed::Valid`] with [`ValidBatch::checked`], or leaves it: an unchecked
//!    batch is never voted for, but a certificate for its digest makes it valid.
//! 3. **Out**: effects in order. Every [`Effect::Persist`] is durable before a later `Broadcast`,
//!    `Send` or `Certified` is performed; several steps may share one flush. `Execute` may start
//!    at once. A frame is encoded once for all receivers.
//! 4. **Batches**: as primary, ask for [`Want`] after each step and when the pool grows. `Any`: cut
//!    what there is, if there is something. `Full`: only when the pool fills a whole batch.
//!    `Heartbeat`: also an empty batch with a time. [`Effect::Dropped`] gives a batch back.
//! 5. **Pool**: say [`Pending`] whenever the oldest transaction that is not executed changes.
//! 6. **Execution**: answer [`Effect::Execute`] in order with [`Input::Executed`].
//!    [`Effect::Certified`] is the receipt for a block, at every node, once per block, after its execution.
//! 7. **Timers**: one per [`Timer`]; arming replaces. An expiry that was overtaken is ignored.
//! 8. **Fetch**: deliver [`Input::Fetched`] in ascending order; the effect comes again while blocks
//!    are missing.
//! 9. **Log**: a segment may go when all its records are at or below [`Replica::settled`], their
//!    blocks are durable in the store, and a later segment began with [`Replica::carry_over`].
//!
//! # How epochs follow each other
//! One [`Replica`] is one epoch. The block at s that changes the committee says E = s + W, the
//! epoch's last block, and so does every block from s to E. The primary fills the way with null
//! batches; nobody votes beyond E, because E + 1 lies outside every window in which s is not executed.
//! 1. **On**: when [`Replica::ended`] gives E's certificate, the host drops this replica and its
//!    timers, recovers the next from the same log with origin E, and says `Reconnected` for every
//!    connected member: what they said in that epoch meanwhile was refused here.
//! 2. **Start**: the epoch of the newest stored block, which for E is the old one unless E and the
//!    W blocks up to it are certified here. [`Setup::end`] is E where the store knows it.
//! 3. **Frames** of an ended epoch, and of somebody without a seat, are answered from the store by
//!    [`Frame::answer_to_latecomer`]; one of a later epoch becomes [`Input::Overtaken`].
//! 4. **Log**: one log serves all epochs. A replica takes in the records of its own. One that finds
//!    records of a later epoch signs nothing ([`Lost::Over`]) and executes again what is left; the
//!    host begins no new file before the log's last epoch is reached.
//!
//! # Deviations from PBFT
//! - *Quorum* is ceil((n + f + 1) / 2) wherever the paper has 2f + 1, and quorum − 1 where it has 2f:
//!   the paper's numbers are unsafe at n = 5, 6, 8, 9.
//! - *Signatures* in place of MAC vectors: certificates travel and convince third parties.
//! - *Batches, not requests*: digest in the votes, bytes beside the proposal; clients are the host's.
//! - *Every block is a checkpoint*, signed over its header; the certificate is the receipt.
//! - *`certified` in place of the last stable checkpoint* for forgetting: a faulty member may sign
//!   block s + 1 and not s. A slot is kept until its own block is certified (or a certificate W
//!   higher shows that an honest member has that), so whoever lacks s gets it from somebody.
//! - *No votes at or below the stable checkpoint*: what is certified needs none, and a replica that
//!   rebuilds its store may no longer know what it voted there.
//! - *A COMMIT of any view counts*, and a quorum of them orders a batch also for a replica that was
//!   not prepared or has left the view: the certificate proves it all the same.
//! - *Prepared certificates of a NEW-VIEW are taken over* into the receiver's own P: they are proofs.
//! - *A new primary may propose a batch again that it does not have*: its certificate proves that
//!   f + 1 honest members have the bytes on disk; it asks for them.
//! - *Certificates in place of votes* in answers to STATUS.
//! - *The request timer also runs at the primary*, which leaves its own view when it has no quorum.
//! - *STATUS as a frame*, not as an effect of its own: [`Frame::Status`].
//! - *One epoch per replica*: there is no view change across an epoch's end.
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
mod latecomer;
mod message;
mod number;
mod record;
mod replica;
mod reproposal;
mod signed;
mod slot;
mod status;
mod verdicts;

pub use batch::{BATCH_BYTES_MAX, Batch, Proposed, ValidBatch};
pub use block::{CertifiedBlock, Committed, Divergence, EpochEnd, Order};
pub use certificate::{
    Certificate, CheckpointCertificate, CommitCertificate, PreparedCertificate, Proven, Votes,
};
pub use committee::{Committee, MEMBERS_MAX, ReplicaId, faults, quorum};
pub use digest::{ChainId, Digest, Domain};
pub use encoding::{DecodeError, FRAME_BYTES_MAX};
pub use error::{CommitteeError, RecoverError, Rejected};
pub use evidence::{EVIDENCE_BYTES, Evidence, Unproven, Vote};
pub use frame::Frame;
pub use io::{Effect, Effects, Input, Message, Pending, Timer, Want};
pub use message::{
    Checkpoint, Commit, NewView, NewViewBody, PrePrepare, Prepare, StableProof, ViewChange,
    ViewChangeBody, WINDOW_MAX,
};
pub use number::{Epoch, Seq, Time, View};
pub use record::Record;
pub use replica::{
    Departure, Explanation, Log, Lost, Parameters, Phase, Replica, Setup, SlotExplanation,
    Standing, Standstill,
};
pub use reproposal::{reproposals, start};
pub use signed::{
    Ed25519, Kind, PublicKey, Scheme, Signable, Signature, Signed, Statement, Verified,
    WIRE_VERSION,
};
pub use status::{Members, OpenSlot, Status};
pub use verdicts::{Memory, Verdicts};
