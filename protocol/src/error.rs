//! What can go wrong, grouped by whose fault it is: a message that is none,
//! and an authentication that failed.

use thiserror::Error;

/// The bytes are not the message they claim to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Malformed {
    /// The length is not the one the message has.
    #[error("{message} is {expected} bytes long, these are {found}")]
    Length {
        /// Which message was expected.
        message: &'static str,
        /// Its length in bytes.
        expected: usize,
        /// How many bytes came.
        found: usize,
    },
    /// The bytes end inside a field.
    #[error("{message} ends inside its field {field}")]
    Truncated {
        /// Which message was expected.
        message: &'static str,
        /// The field that is cut short.
        field: &'static str,
    },
    /// Bytes follow the last field.
    #[error("{message} is followed by {surplus} bytes that belong to nothing")]
    Surplus {
        /// Which message was expected.
        message: &'static str,
        /// How many bytes are left over.
        surplus: usize,
    },
    /// A field holds a value it cannot have.
    #[error("{message}: the field {field} {why}")]
    Field {
        /// Which message was expected.
        message: &'static str,
        /// The field at fault.
        field: &'static str,
        /// The rule it breaks, to be read after the field's name.
        why: &'static str,
    },
}

/// The authentication failed. `Display` and `Debug` say only that, whatever
/// the reason, so that whoever prints it to a peer tells it nothing; the
/// operator's log asks for [`Failed::reason`].
#[derive(Clone, Copy, PartialEq, Eq, Error)]
#[error("authentication failed")]
pub struct Failed(Reason);

impl Failed {
    /// A failure for the given reason.
    pub(crate) const fn because(reason: Reason) -> Self {
        Self(reason)
    }

    /// Why, for the operator's eyes only.
    pub const fn reason(self) -> Reason {
        self.0
    }
}

impl core::fmt::Debug for Failed {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Failed")
    }
}

/// Why an authentication failed: for the operator, never for the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Reason {
    /// The terminal could not open the credential with this identity, password
    /// and face. Which of them was wrong is not said, not even here.
    #[error("identity, password or face does not open the credential")]
    Locked,
    /// A time stamp lies outside the window.
    #[error("the time stamp lies outside the window: an old message, or a wrong clock")]
    Expired,
    /// The ledger does not hold the AID.
    #[error("the ledger does not hold this AID")]
    UnknownAid,
    /// The fuzzy extractor could not reproduce SP.
    #[error("Rep does not reproduce SP from this capture")]
    NotReproduced,
    /// A coordinate belongs to no point of the curve.
    #[error("a coordinate is not on the curve")]
    NotOnCurve,
    /// An authenticator does not fit.
    #[error("the authenticator does not fit")]
    Mismatch,
    /// The first message was seen before.
    #[error("this first message was seen before")]
    Replayed,
    /// No room to remember one more first message: the peer may come again later.
    #[error("too many first messages are remembered; there is room again in two minutes")]
    Full,
    /// The message is of a key epoch that the reader does not talk about.
    #[error("the message is of another key epoch: read the server's record again")]
    WrongEpoch,
    /// The server's ledger ends below the block that the patient knows.
    #[error("the server's ledger is behind the block that the patient knows")]
    Behind,
    /// A field that is reserved is not zero, or a value is not one of those defined.
    #[error("a reserved field is set, or a value is not one of those defined")]
    Reserved,
    /// The patient's statement does not hold, or her ID is not the one registered.
    #[error("the patient's statement does not hold, or her ID is not the registered one")]
    NotProved,
}
