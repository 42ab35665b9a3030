//! Suite Wu-2021: the scheme of Wu, Peng, Gao and Chen, runnable and insecure.
//!
//! All three phases of the paper: setup publishes the parameters, [`mod@enrol`]
//! registers, [`login`] authenticates. The paper's flaws are kept, because they
//! are what a research ledger is for; only what cannot be computed as printed is
//! changed, and the crate's documentation lists each change (W-1 to W-20).
//!
//! ```text
//! Me1  terminal → RC       ID, PW, BIO                      over TLS (W-19)
//! Me3  RC → terminal       AID, SP, PP, V_u
//! Me5  terminal → server   AID', M1, M2, PP, BIO', T1       680 bytes
//! Me7  server → terminal   M3, M4, T3                        72 bytes
//! ```

pub mod card;
mod costly;
pub mod enrol;
pub mod factor;
mod hash;
pub mod login;
pub mod message;

pub use card::{Card, Credential};
pub use enrol::{AlreadyRegistered, Enrolment, Mapping, Registry, enrol, enrol_metered};
pub use factor::{Password, PatientId};
pub use login::Wu2021;
pub use message::{Me1, Me3, Me5, Me7, Nothing};

use crate::freshness::Window;

/// ΔT of the paper: stamps this far from the reader's clock, or farther, are refused.
pub const WINDOW: Window = Window::from_millis(120_000);
