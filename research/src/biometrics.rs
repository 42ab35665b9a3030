//! What the biometrics are worth, measured on a set of captures: the examination behind
//! `aidchain research biometrics`, whose findings `docs/biometrics.md` tells.
//!
//! Everybody enrols with her first three captures ([`protocol::biometric::ENROLMENT_CAPTURES`]). Each of her other
//! captures, the *probes*, is tried against her own enrolment, where a refusal is a false reject, and against everybody
//! else's, where a success is a false accept. The draws of the enrolments are made from labels, so that the same set
//! gives the same report.

mod concatenation;
mod galois;
pub mod hard;
pub mod interval;
pub mod inversion;
pub mod iris;
pub mod matrix;
pub mod projected;
mod reed_muller;
mod reed_solomon;
pub mod report;
pub mod set;
pub mod soft;
pub mod spread;
mod trial;

pub use matrix::Matrix;
pub use report::{Report, examine};
pub use set::{Set, Unusable};
