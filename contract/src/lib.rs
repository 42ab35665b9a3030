//! The rules of the ledger.

pub mod encoding;
mod hash;
pub mod identity;
