//! The claims of this crate that need more than one file: receipts as both verifiers must judge them.
#![expect(
    clippy::tests_outside_test_module,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "an integration test is a test module"
)]

mod aidc1;
mod consortium;
mod excerpts;
mod vectors;
