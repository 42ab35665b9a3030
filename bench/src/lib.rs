//! A consortium of real processes on loopback and a load on its ledger.
//!
//! The benchmark measures with it, the process tests break it: both start the
//! binary that a hospital would start, and talk to it as a hospital's server does.

pub mod clock;
pub mod consortium;
pub mod figures;
pub mod flood;
pub mod http;
pub mod join;
pub mod ledger;
pub mod load;
pub mod place;
pub mod process;
pub mod sign_in;
pub mod timing;
pub mod workload;
