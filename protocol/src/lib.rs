//! Authentication between a patient's terminal and a server: messages in,
//! messages out. No clock, socket, disk or dice: time comes in as `now`,
//! randomness as `rng`, the ledger as a [`suite::Directory`].

pub mod biometric;
mod curve;
pub mod error;
pub mod freshness;
pub mod fuzzy;
pub mod measure;
pub mod projection;
pub mod secret;
pub mod suite;
pub mod synthetic;
pub mod wu;

pub use biometric::{BiometricSource, Capture, Embedding, Template};
pub use error::{Failed, Malformed, Reason};
pub use freshness::{Timestamp, Window};
pub use fuzzy::Auxiliary;
pub use secret::{Secret, SessionKey};
pub use suite::{
    Accepted, Answer, Answered, Directory, Finished, Message, Opened, PREFERENCE, Pending, Suite,
};
pub use wu::Wu2021;
