//! What goes into a step and what comes out of it.

use core::time::Duration;

use crate::batch::{Batch, Proposed, ValidBatch};
use crate::block::{CertifiedBlock, Committed, Divergence, EpochEnd};
use crate::certificate::{CheckpointCertificate, CommitCertificate, PreparedCertificate, Proven};
use crate::committee::ReplicaId;
use crate::digest::Digest;
use crate::evidence::Evidence;
use crate::frame::Frame;
use crate::message::{Checkpoint, Commit, NewView, PrePrepare, Prepare, ViewChange};
use crate::number::{Epoch, Seq, Time};
use crate::record::Record;
use crate::signed::Verified;
use crate::status::Status;

/// A message that has been verified; `Frame::verify` makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// A proposal and its batch, with what the host says of the batch.
    PrePrepare(Verified<PrePrepare>, Proposed),
    /// A backup's agreement.
    Prepare(Verified<Prepare>),
    /// A replica is prepared.
    Commit(Verified<Commit>),
    /// A replica has executed a block.
    Checkpoint(Verified<Checkpoint>),
    /// A replica has left a view.
    ViewChange(Verified<ViewChange>),
    /// A view begins.
    NewView(Verified<NewView>),
    /// A certificate in place of votes.
    Prepared(Proven<PreparedCertificate>),
    /// A certificate in place of votes.
    Committed(Proven<CommitCertificate>),
    /// A certificate in place of votes.
    Stable(Proven<CheckpointCertificate>),
    /// A batch that was asked for by its digest.
    Batch(Batch),
}

impl Message {
    /// The epoch it was verified for; none for a batch, which stands for its digest alone.
    pub(crate) const fn epoch(&self) -> Option<Epoch> {
        match self {
            Self::PrePrepare(one, _) => Some(one.as_signed().epoch),
            Self::Prepare(one) => Some(one.as_signed().epoch),
            Self::Commit(one) => Some(one.as_signed().epoch),
            Self::Checkpoint(one) => Some(one.as_signed().epoch),
            Self::ViewChange(one) => Some(one.as_signed().epoch),
            Self::NewView(one) => Some(one.as_signed().epoch),
            Self::Prepared(one) => Some(one.get().epoch),
            Self::Committed(one) => Some(one.get().epoch),
            Self::Stable(one) => Some(one.get().epoch),
            Self::Batch(_) => None,
        }
    }
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A verified message came.
    Message(Message),
    /// The host hands in the batch that `Replica::wants_batch` asked for.
    Batch(ValidBatch),
    /// The executor has executed the block that `Effect::Execute` ordered.
    Executed {
        /// Its height.
        seq: Seq,
        /// The hash of its header.
        header: Digest,
        /// Said once, with the block that decided it.
        epoch_end: Option<EpochEnd>,
    },
    /// A peer says what it lacks.
    Status {
        /// The peer, as the channel authenticated it.
        from: ReplicaId,
        /// What it says.
        status: Status,
    },
    /// A block that `Effect::Fetch` asked for.
    Fetched(CertifiedBlock),
    /// A timer ran out.
    Expired(Timer),
    /// There is a new connection to this peer.
    Reconnected(ReplicaId),
    /// The pool's oldest transaction changed.
    Pending(Pending),
    /// A member speaks in a later epoch: this one has ended, and its end has not come here.
    Overtaken,
}

/// What waits in the host's pool; the host says it at every change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pending {
    /// The arrival number of the oldest transaction that is not executed; numbers grow.
    pub oldest: Option<u64>,
    /// When that one arrived; of no meaning when there is none.
    pub since: Time,
    /// How many transactions have been executed here so far.
    pub executed: u64,
}

/// The batch that a primary wants now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// Any batch with at least one transaction.
    Any {
        /// The most bytes it may have.
        bytes_max: usize,
    },
    /// Only a batch that is full: the pipeline is at its depth.
    Full {
        /// The most bytes it may have.
        bytes_max: usize,
    },
    /// A heartbeat is due: a batch with a time, even without transactions.
    Heartbeat {
        /// The most bytes it may have.
        bytes_max: usize,
    },
}

/// The timers of a replica; arming one that runs sets it anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    /// The oldest pending transaction is not executed in time.
    Request,
    /// Half of that time has passed.
    Forward,
    /// The new primary does not begin its view in time.
    NewView,
    /// Something is open and nothing moves.
    Status,
    /// Nothing was ordered for a while.
    Heartbeat,
}

/// What the host must do, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Append to the vote log. Durable before any later `Broadcast`, `Send` or `Certified` is performed.
    Persist(Record),
    /// Send to every other member.
    Broadcast(Frame),
    /// Send to one member.
    Send(ReplicaId, Frame),
    /// Execute; comes in ascending order without gaps. Answered by `Input::Executed`.
    Execute(Committed),
    /// A block is final: store the certificate, tell those who wait.
    Certified(Proven<CheckpointCertificate>),
    /// Get the certified blocks `from..=to` from peers. Answered by `Input::Fetched`; asked again until then.
    Fetch {
        /// The first one.
        from: Seq,
        /// The last one.
        to: Seq,
    },
    /// Start a timer, or start it anew.
    Arm(Timer, Duration),
    /// Stop a timer.
    Disarm(Timer),
    /// A view change dropped this batch: its transactions go back to the pool.
    Dropped(Batch),
    /// Send the oldest pending transaction to the primary again.
    Forward(ReplicaId),
    /// A member contradicted itself.
    Evidence(Box<Evidence>),
    /// Stop: this node's result is not the certified one.
    Diverged(Divergence),
}

/// What a step brings about.
pub type Effects = Vec<Effect>;
