//! Errors, grouped by whose fault they are.

use crate::committee::{MEMBERS_MAX, ReplicaId};
use crate::digest::Digest;
use crate::number::{Epoch, Seq, View};
use crate::signed::{Kind, PublicKey};

/// Why an input was dropped; nothing has changed. Some are misbehaviour, some are only late.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// Said in another epoch than the one that is running.
    #[error("said in epoch {epoch}, this is epoch {ours}")]
    WrongEpoch {
        /// The message's epoch.
        epoch: Epoch,
        /// The epoch that is running.
        ours: Epoch,
    },
    /// The sender has no place in the committee.
    #[error("there is no member {from}")]
    NotAMember {
        /// The claimed sender.
        from: ReplicaId,
    },
    /// The signature is not the sender's over this statement.
    #[error("the signature of member {from} on a {kind:?} is not valid")]
    BadSignature {
        /// The claimed sender.
        from: ReplicaId,
        /// The type of message.
        kind: Kind,
    },
    /// A certificate lacks members, repeats one, or holds a bad signature.
    #[error("a certificate for {seq} does not prove what it claims")]
    BadCertificate {
        /// The sequence number it is about.
        seq: Seq,
    },
    /// A NEW-VIEW does not follow from the VIEW-CHANGEs that it carries.
    #[error("the NEW-VIEW for view {view} does not follow from its VIEW-CHANGEs")]
    BadNewView {
        /// The view that was to begin.
        view: View,
    },
    /// The batch beside a PRE-PREPARE is not the one that it names, or a block's parts disagree.
    #[error("the batch has digest {came}, {named} was named")]
    OtherBatch {
        /// What the signature names.
        named: Digest,
        /// What came.
        came: Digest,
    },
    /// The header of a block is not the certified one.
    #[error("the header of block {seq} is not the certified one")]
    OtherHeader {
        /// The block's height.
        seq: Seq,
    },
    /// A proposal or a NEW-VIEW by a member that is not the primary of its view.
    #[error("member {from} is not the primary of view {view}")]
    NotPrimary {
        /// The sender.
        from: ReplicaId,
        /// The view.
        view: View,
    },
    /// A PREPARE by the primary of its view, which never counts.
    #[error("the primary of view {view} sent a PREPARE")]
    PrepareOfPrimary {
        /// The view.
        view: View,
    },
    /// Of a view that is over, or a request for one that has begun.
    #[error("of view {view}, which is over or has begun")]
    OldView {
        /// The message's view.
        view: View,
    },
    /// Of a view that this replica is not in yet.
    #[error("of view {view}, which this replica is not in")]
    NotInView {
        /// The message's view.
        view: View,
    },
    /// Outside the sequence numbers for which messages are kept.
    #[error("sequence number {seq} is outside the window")]
    OutsideWindow {
        /// The message's sequence number.
        seq: Seq,
    },
    /// A STATUS that lists more than any window holds.
    #[error("member {from} lists more than any window holds")]
    Oversized {
        /// The sender.
        from: ReplicaId,
    },
    /// Nothing new.
    #[error("already known")]
    Known,
    /// Nobody asked for this batch.
    #[error("nobody asked for this batch")]
    Unwanted,
    /// A batch was handed in while this replica does not want one.
    #[error("this replica takes no batch now")]
    NotProposing,
    /// An execution result that does not follow the last one.
    #[error("block {seq} was not the next to be executed")]
    NotExecuting {
        /// The reported sequence number.
        seq: Seq,
    },
    /// The timer was set anew or stopped meanwhile.
    #[error("the timer was set anew or stopped meanwhile")]
    StaleTimer,
    /// This replica has stopped: its result differs from the certified one.
    #[error("stopped at block {seq}: the result here differs from the certified one")]
    Diverged {
        /// The block.
        seq: Seq,
    },
}

/// Why keys do not make a committee.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommitteeError {
    /// No members.
    #[error("a committee needs a member")]
    Empty,
    /// More members than this version serves.
    #[error("{members} members are more than {MEMBERS_MAX}")]
    TooMany {
        /// How many.
        members: usize,
    },
    /// Two members with one key.
    #[error("two members have the key {key}")]
    Repeated {
        /// The key.
        key: PublicKey,
    },
    /// Not the key of a signature scheme, or a weak one.
    #[error("{key} is not a usable key")]
    Unusable {
        /// The key.
        key: PublicKey,
    },
}

/// Why a vote log cannot be replayed; the host treats it as loss of votes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecoverError {
    /// A record does not prove what it claims, so the log is not what this replica wrote.
    #[error("record {record} of the vote log is not valid: {why}")]
    BadRecord {
        /// Its place in the log, from 0.
        record: usize,
        /// What is wrong with it.
        why: Rejected,
    },
    /// The store holds a block that the log says nothing of and no certificate covers.
    #[error("the store is at block {executed}, before the epoch's first block")]
    BeforeEpoch {
        /// The last executed block.
        executed: Seq,
    },
}
