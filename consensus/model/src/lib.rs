//! The protocol as a checked model.
//!
//! What consensus says and when, and nothing else: no bytes, no signatures, no timers, no network.
//! A member may leave its view at any time, may have heard anything that was said, and Byzantine
//! members have said everything that their keys can sign. [stateright](https://www.stateright.rs)
//! visits the states; [`check()`] runs it, [`Story`] tells a counterexample. [`Conformance`] holds
//! runs of the real replica in the simulator against the same steps.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "a model stops at its own mistakes; nothing comes in from outside"
)]

mod check;
mod conformance;
mod pbft;
mod reduction;
mod setting;
mod step;
mod story;
mod suite;
mod world;

pub use check::{Search, Verdict, check};
pub use conformance::{Conformance, Deviation, Why};
pub use pbft::{AGREEMENT, Pbft, UNIQUENESS, VALIDITY};
pub use setting::{Rule, Setting};
pub use step::{Action, Step};
pub use story::Story;
pub use suite::{Check, full, quick, without};
pub use world::{Batch, Change, Counts, Member, Pool, Proof, Said, World};
