//! What the two papers are worth, as code: their attacks, their tables, their biometrics.
//!
//! Nothing here runs on a secure ledger. The suites themselves live in [`protocol`], flaws included; this crate is the
//! attacker, the accountant and the examiner. It knows no network and no disk: what an attack has overheard, and the
//! clock that a measurement reads, come in as arguments.

pub mod attacks;
pub mod biometrics;
pub mod contest;
pub mod paper;
