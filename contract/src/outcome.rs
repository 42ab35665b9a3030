//! What became of a transaction; the same at every node, and on the ledger.
//!
//! Wire form: tag u32, 0 done or 1 refused. Refused: the reason's tag u32 and the
//! reason's fields. Done: tag u32, 0 written, 1 recorded or 2 epoch ends; recorded
//! goes on with a count u64 and for each refused entry its position u32 and the
//! reason, epoch ends with the last block's height u64.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::encoding::{self, Malformed};
use crate::identity::{BlockTime, Height, SuiteId};
use crate::limits::OUTCOME_BYTES_MAX;

/// What became of one transaction. The order is the wire number: variants are appended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// Executed.
    Done(Output),
    /// Not executed; the state is as if it had not been sent.
    Refused(Refused),
}

/// What an executed transaction left behind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Output {
    /// What was asked is in the state.
    Written,
    /// A bundle of results: all are recorded but these, by position, ascending.
    Recorded {
        /// Position in the bundle and the reason, for each that is not recorded.
        refused: Vec<(u32, Refused)>,
    },
    /// What was asked is in the state, and ends the epoch.
    EpochEnds {
        /// The last block of the epoch.
        last: Height,
    },
}

/// Why the ledger said no. The order is the wire number: variants are appended.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Error,
)]
pub enum Refused {
    /// `valid_until` is before the block's time.
    #[error("the transaction expired before it was ordered")]
    Expired,
    /// `valid_until` is further ahead than the replay window.
    #[error("the transaction is valid for longer than the replay window allows")]
    TooFarAhead,
    /// The same bytes are already on the ledger.
    #[error("the same transaction is already on the ledger")]
    Replayed,
    /// The author used up its share of this second.
    #[error("the author sent more than its share of this second")]
    OverQuota,
    /// No member or patient is known by the author's name.
    #[error("the author is not known on this ledger")]
    UnknownAuthor,
    /// The key that signed is not the author's.
    #[error("the key that signed is not the author's")]
    WrongKey,
    /// The author's role does not allow this call.
    #[error("the author may not do this")]
    NotPermitted,
    /// The contract is not active at this height.
    #[error("the contract is not active at this height")]
    ContractInactive,
    /// The AID has, or ever had, a record.
    #[error("this AID is already registered; sign in instead")]
    AlreadyRegistered,
    /// The AID does not name the keys of the record.
    #[error("the AID does not belong to the keys")]
    AidMismatch,
    /// A key of the record is weak, not canonical or not on the curve.
    #[error("a key is not acceptable")]
    BadKey,
    /// A field of the record is out of its bounds.
    #[error("a field of the record is out of bounds")]
    BadRecord,
    /// The proof of possession by `pk_dh` does not verify.
    #[error("the proof of possession by the handshake key does not verify")]
    NoProofOfDhKey,
    /// The proof of possession by `pk_sig` does not verify.
    #[error("the proof of possession by the signing key does not verify")]
    NoProofOfSigningKey,
    /// No record under this AID.
    #[error("this AID is not registered")]
    UnknownAid,
    /// The AID was revoked or shredded.
    #[error("this AID is revoked")]
    NotActive,
    /// The call belongs to a research ledger.
    #[error("this is allowed on research ledgers only")]
    ResearchOnly,
    /// The ledger, or the server's record, does not list the suite.
    #[error("suite {0} is not allowed here")]
    SuiteNotAllowed(SuiteId),
    /// The result names another server than the author.
    #[error("the result names another server than the one that sent it")]
    NotTheServer,
    /// The statement was signed by another key than the AID's.
    #[error("the statement was not signed by the patient's key")]
    NotThePatient,
    /// No server record for this key epoch.
    #[error("the server has no record for this key epoch")]
    UnknownKeyEpoch,
    /// The server's record was not valid at that time.
    #[error("the server's record was not valid at that time")]
    OutsideKeyEpoch,
    /// The session is already on the ledger.
    #[error("this session is already on the ledger")]
    SessionSeen,
    /// T3 is too old for this block.
    #[error("the result came too late")]
    TooLate,
    /// T3 is ahead of this block's time.
    #[error("the result's time is in the future")]
    InTheFuture,
    /// The server's record of this key epoch exists and never changes.
    #[error("a record of this key epoch exists; publish a new epoch instead")]
    KeyEpochTaken,
    /// The epoch's end is fixed; until then nothing else about members can be decided.
    #[error("a change is taking effect: ask again after block {ends_at}")]
    ChangePending {
        /// The last block of the epoch.
        ends_at: Height,
    },
    /// The consortium would bear fewer faulty members, and the change does not say so.
    #[error(
        "with this change the consortium bears {after} faulty members, now {before}: \
         the change must say so (lower_faults)"
    )]
    LowersFaults {
        /// f now.
        before: u16,
        /// f after the change.
        after: u16,
    },
    /// No open proposal has this id.
    #[error("no open change has this id")]
    UnknownChange,
    /// The same change is open already.
    #[error("the same change is already proposed; approve it instead")]
    AlreadyProposed,
    /// The member approved the change before.
    #[error("this member approved the change already")]
    AlreadyApproved,
    /// The member has an open proposal.
    #[error("this member has an open proposal; cancel it first")]
    ProposalOpen,
    /// The change changes nothing.
    #[error("the change changes nothing")]
    EmptyChange,
    /// The change names somebody who is not in the committee, or names one twice.
    #[error("the change names a member that is not in the committee, or one member twice")]
    UnknownMember,
    /// Two members would share a name or a key.
    #[error("two members would have the same name or key")]
    NotDistinct,
    /// The key was or is a member's.
    #[error("the key was used on this ledger before; make a new one")]
    KeyUsed,
    /// A signature in the change does not verify.
    #[error("the proof that somebody holds a key of the change does not verify")]
    NoProofOfMemberKey,
    /// There would be no members, or too many.
    #[error("the consortium would have {0} members, 1 to 31 are allowed")]
    CommitteeSize(u16),
    /// Not exactly one Registration Centre would be left.
    #[error("the consortium would have {0} Registration Centres, need exactly one")]
    RegistrationCentres(u16),
    /// No parameter has this name, or it never changes.
    #[error("no parameter of this name can be changed")]
    FixedParameter,
    /// The parameter's value is out of its range or contradicts another.
    #[error("the value of a parameter is out of its range or contradicts another parameter")]
    ParameterOutOfRange,
    /// A contract cannot change in this way.
    #[error("the contract has that version and status, or may not change in this way")]
    ContractUnchangeable,
    /// The author's key is not one that an approved change brings in.
    #[error("no approved change waits for this key")]
    NotACandidate,
    /// The member ended an epoch in this way less than an hour ago.
    #[error("this member rejoined less than an hour ago: ask again when block time is {again_at}")]
    RejoinTooSoon {
        /// From which block time on it may.
        again_at: BlockTime,
    },
    /// The bytes do not prove that a member contradicted itself.
    #[error("this does not prove that a member contradicted itself")]
    NoEvidence,
    /// The contradiction is on the ledger, or enough others of the member in that epoch are.
    #[error("this contradiction, or enough of the same member in that epoch, is on the ledger")]
    EvidenceKnown,
    /// The old AID's signing or recovery key did not agree to the replacement.
    #[error("the patient's consent does not verify under the old signing or recovery key")]
    NoConsent,
    /// A recovery of this AID waits for its approval or its delay.
    #[error("a recovery of this AID is open: cancel it first")]
    RecoveryOpen,
    /// No such recovery of this AID waits, or it lapsed.
    #[error("no such recovery of this AID is open")]
    NoRecovery,
    /// The approver is the member that asked.
    #[error("another member than the one that asked has to approve this")]
    OwnRequest,
    /// It has its approval.
    #[error("this is approved already")]
    ApprovedBefore,
    /// Nobody approved it.
    #[error("no other member approved this yet")]
    NotApproved,
    /// The delay is not over.
    #[error("the delay is not over: ask again when block time is {at}")]
    TooEarly {
        /// From which block time on it can be finished.
        at: BlockTime,
    },
    /// The session is within the window of ordinary results.
    #[error("the result is not late: send it as an ordinary one")]
    NotLate,
    /// The patient claimed this session before.
    #[error("this session is claimed already")]
    ClaimedBefore,
    /// The AID's places for claims are taken.
    #[error("this AID has 16 open claims: ask again when block time is {again_at}")]
    TooManyClaims {
        /// When the first of them frees its place.
        again_at: BlockTime,
    },
    /// The record's validity is over, begins before the record was published, or is too long.
    #[error("the record's validity is over, begins in the past or is longer than 31 days")]
    BadValidity,
    /// No request for a disclosure with this number about this AID.
    #[error("no disclosure with this number about this AID was asked for")]
    UnknownDisclosure,
    /// Nobody approved the request in time.
    #[error("nobody approved this in time: ask anew")]
    RequestLapsed,
    /// Too many requests for disclosures wait.
    #[error("64 requests for disclosures wait: approve some, or wait until they lapse")]
    TooManyDisclosures,
}

impl Refused {
    /// Whether the transaction was turned away before its contract saw it; such
    /// a transaction costs its author nothing, since anyone may have sent it.
    const fn is_before_the_call(self) -> bool {
        matches!(
            self,
            Self::Expired
                | Self::TooFarAhead
                | Self::Replayed
                | Self::OverQuota
                | Self::UnknownAuthor
                | Self::WrongKey
        )
    }
}

impl Outcome {
    /// Whether its contract saw the transaction.
    pub(crate) const fn was_called(&self) -> bool {
        match self {
            Self::Done(_) => true,
            Self::Refused(refused) => !refused.is_before_the_call(),
        }
    }

    /// The leaf of the outcomes tree.
    pub fn encode(&self) -> Vec<u8> {
        encoding::encode(self)
    }

    /// Reads an outcome from exactly these bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        encoding::decode(bytes, OUTCOME_BYTES_MAX)
    }

    /// Why the result at this position of a bundle, or the whole transaction, is not recorded.
    pub fn refusal_of(&self, position: usize) -> Option<Refused> {
        match self {
            Self::Refused(refused) => Some(*refused),
            Self::Done(Output::Written | Output::EpochEnds { .. }) => None,
            Self::Done(Output::Recorded { refused }) => refused
                .iter()
                .find(|(at, _)| usize::try_from(*at) == Ok(position))
                .map(|(_, reason)| *reason),
        }
    }
}
