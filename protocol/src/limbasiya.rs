//! Suite Limbasiya-2020: the multi-server scheme of Limbasiya, Sahay and Sridharan, runnable and insecure.
//!
//! All five phases that the authors' implementation names, with nothing but SHA-256 and ⊕. The scheme's flaws are
//! kept, because they are what a research ledger is for; what cannot be computed as printed, or is printed nowhere, is
//! listed in the crate's documentation (L-1 to L-13).
//!
//! ```text
//! server  -> RC      ID_j, P_j, Q_j, Loc_j            over TLS    <- SSK_j
//! user    -> RC      UID, A                           over TLS    <- C, D, List_sj
//! user    -> server  ID_j, α, β, T1                               <- γ, σ, T2
//! user    -> RC      UID, A, A*, T, proof             over TLS    <- C*, D*, List_sj
//! server  -> RC      ID_j, T                          over TLS    <- (UID, C) of every user
//! ```

pub mod card;
pub mod centre;
mod hash;
pub mod login;
pub mod message;
pub mod place;
pub mod server;

pub use card::{Card, Credential, Draft, Unlocked};
pub use centre::{Centre, Refused, ServerRow, UserRow};
pub use login::{Limbasiya2020, Station};
pub use message::{
    Application, Issued, JoinRequest, Joined, PasswordChange, Reply, Request, Rows, RowsRequest,
};
pub use place::{List, Place, Word};
pub use server::Applicant;

use crate::freshness::Timestamp;

/// How far apart two stamps may be, in seconds: this far is refused.
const SPAN_S: u64 = 60;

/// A stamp as the scheme writes it: seconds since the Unix epoch (L-7).
const fn seconds(now: Timestamp) -> u64 {
    now.as_millis() / 1_000
}

/// |T − T'| < 60 s.
const fn is_fresh(stamp: u64, now: u64) -> bool {
    stamp.abs_diff(now) < SPAN_S
}

/// The moment that a stamp of seconds names.
const fn moment(stamp: u64) -> Timestamp {
    Timestamp::from_millis(stamp.saturating_mul(1_000))
}
