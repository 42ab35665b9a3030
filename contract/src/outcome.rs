//! What became of a transaction; the same at every node, and on the ledger.
//!
//! Wire form: tag u32, 0 done or 1 refused. Refused: the reason's tag u32, and for
//! a suite its number u16. Done: tag u32, 0 written or 1 recorded; recorded goes on
//! with a count u64 and for each refused entry its position u32 and the reason.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::encoding::{self, Malformed};
use crate::identity::SuiteId;
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
            Self::Done(Output::Written) => None,
            Self::Done(Output::Recorded { refused }) => refused
                .iter()
                .find(|(at, _)| usize::try_from(*at) == Ok(position))
                .map(|(_, reason)| *reason),
        }
    }
}
