//! Inputs that nobody means: bytes for every decoder, and sequences of inputs for the replica.
//!
//! A run is a function of its seed. `scripts/fuzz` runs for a time; a seed or an input that found
//! something goes to `regressions/`, and every test run plays those again.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a fuzzer stops at its own mistakes; nothing comes in from outside"
)]

mod clock;
pub mod corpus;
pub mod decoder;
pub mod input;
pub mod mutate;
pub mod sequence;
pub mod target;
