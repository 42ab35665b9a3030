//! The ledger on this node's disk: a block file, and a database that can be rebuilt from it.

pub(crate) mod frame;
