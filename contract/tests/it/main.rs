//! The rules of the ledger, seen from outside the crate.
#![expect(
    clippy::tests_outside_test_module,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "an integration test is a test module, and its helpers fail with it"
)]

mod batches;
mod boundaries;
mod consortium;
mod damage;
mod execute;
mod genesis;
mod merkle;
mod random;
mod receipts;
mod rules;
mod wire;
