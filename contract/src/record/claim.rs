//! What a server says of sign-ins that it refused: its word, and never a result.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::identity::{Aid, BlockTime, ServerId, SuiteId};

/// Why a server refused a sign-in. The order is the wire number: variants are appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RefusalReason {
    /// The first message did not open, or named no AID of this ledger.
    UnknownAid,
    /// The AID was revoked, shredded or replaced.
    NotActive,
    /// The proof in the first message was not made with the AID's key.
    WrongKey,
    /// The patient's time was too far from the server's.
    Clock,
    /// The first message had come before.
    Replay,
    /// The patient's confirmation did not come, or did not hold.
    NoConfirmation,
}

impl RefusalReason {
    /// The reason in words.
    pub const fn text(self) -> &'static str {
        match self {
            Self::UnknownAid => "no AID of this ledger",
            Self::NotActive => "the AID is not active",
            Self::WrongKey => "not made with the AID's key",
            Self::Clock => "the clocks differ",
            Self::Replay => "the message came before",
            Self::NoConfirmation => "no confirmation by the patient",
        }
    }
}

impl fmt::Display for RefusalReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// One refused sign-in, on the server's word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerClaim {
    /// The suite that was asked for.
    pub suite: SuiteId,
    /// Who refused.
    pub server_id: ServerId,
    /// When.
    pub at: BlockTime,
    /// Why.
    pub reason: RefusalReason,
    /// Whose name was used, where the server could read it and the ledger knows it.
    pub aid: Option<Aid>,
}
