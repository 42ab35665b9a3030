//! Names that the ledger gives to things.

/// An anonymous identity (`AID` of the paper).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Aid(pub [u8; 32]);

/// The name of one handshake.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SessionId(pub [u8; 32]);
