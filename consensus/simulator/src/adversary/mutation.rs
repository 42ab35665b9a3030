//! The 27 mutations that ByzzBench applies to messages of PBFT, signed again by the member.
//!
//! The names are ByzzBench's. A REPLY is our CHECKPOINT: what a client is told rests on a quorum
//! of them, and its result and time are in the header that they sign.

mod phases;
mod reply;
mod view_change;

use consensus::{Frame, Scheme};

use crate::adversary::Liar;

/// A change of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// One more.
    Up,
    /// One less; below zero follows the highest number.
    Down,
}

impl Step {
    /// The number after the step.
    const fn from(self, number: u64) -> u64 {
        match self {
            Self::Up => number.wrapping_add(1),
            Self::Down => number.wrapping_sub(1),
        }
    }
}

/// Which vote of the normal case is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// PRE-PREPARE.
    PrePrepare,
    /// PREPARE.
    Prepare,
    /// COMMIT.
    Commit,
}

/// One change of one type of message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutation {
    /// The view of a vote.
    View(Phase, Step),
    /// The sequence number of a vote.
    Seq(Phase, Step),
    /// The digest in a vote.
    Digest(Phase),
    /// The batch beside a PRE-PREPARE.
    Operation,
    /// The sender of a COMMIT.
    Sender,
    /// The view that a VIEW-CHANGE asks for.
    ViewChangeView(Step),
    /// The stable checkpoint that a VIEW-CHANGE names.
    ViewChangeSeq(Step),
    /// A VIEW-CHANGE without the proof of its checkpoint.
    NoCheckpointProof,
    /// A VIEW-CHANGE without prepared certificates.
    NoPreparedProofs,
    /// A CHECKPOINT signed for another view than 0.
    ReplyView(Step),
    /// A CHECKPOINT over another result.
    ReplyResult,
    /// A CHECKPOINT over another time.
    ReplyTime,
}

impl Mutation {
    /// All of them, in ByzzBench's order.
    pub const ALL: [Self; 27] = [
        Self::View(Phase::PrePrepare, Step::Up),
        Self::View(Phase::PrePrepare, Step::Down),
        Self::Seq(Phase::PrePrepare, Step::Up),
        Self::Seq(Phase::PrePrepare, Step::Down),
        Self::Digest(Phase::PrePrepare),
        Self::Operation,
        Self::View(Phase::Prepare, Step::Up),
        Self::View(Phase::Prepare, Step::Down),
        Self::Seq(Phase::Prepare, Step::Up),
        Self::Seq(Phase::Prepare, Step::Down),
        Self::Digest(Phase::Prepare),
        Self::View(Phase::Commit, Step::Up),
        Self::View(Phase::Commit, Step::Down),
        Self::Seq(Phase::Commit, Step::Up),
        Self::Seq(Phase::Commit, Step::Down),
        Self::Digest(Phase::Commit),
        Self::Sender,
        Self::ViewChangeView(Step::Up),
        Self::ViewChangeView(Step::Down),
        Self::ViewChangeSeq(Step::Up),
        Self::ViewChangeSeq(Step::Down),
        Self::NoCheckpointProof,
        Self::NoPreparedProofs,
        Self::ReplyView(Step::Up),
        Self::ReplyView(Step::Down),
        Self::ReplyResult,
        Self::ReplyTime,
    ];

    /// The member's own messages of the type changed, everything else as it is.
    pub fn applied<S: Scheme>(self, liar: &Liar<'_, S>, frame: &Frame) -> Frame {
        match self {
            Self::View(phase, step) => phases::view(liar, phase, step, frame),
            Self::Seq(phase, step) => phases::seq(liar, phase, step, frame),
            Self::Digest(phase) => phases::digest(liar, phase, frame),
            Self::Operation => phases::operation(liar, frame),
            Self::Sender => phases::sender(liar, frame),
            Self::ViewChangeView(step) => view_change::view(liar, step, frame),
            Self::ViewChangeSeq(step) => view_change::seq(liar, step, frame),
            Self::NoCheckpointProof => view_change::without_checkpoint_proof(liar, frame),
            Self::NoPreparedProofs => view_change::without_prepared_proofs(liar, frame),
            Self::ReplyView(step) => reply::view(liar, step, frame),
            Self::ReplyResult => reply::result(liar, frame),
            Self::ReplyTime => reply::time(liar, frame),
        }
    }
}
