//! The command line.

pub mod research;
