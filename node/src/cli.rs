//! The command line.

pub mod node;
pub mod research;
