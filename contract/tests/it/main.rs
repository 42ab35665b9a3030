//! The rules of the ledger, seen from outside the crate.
#![expect(
    clippy::tests_outside_test_module,
    reason = "an integration test is a test module"
)]

mod consortium;
mod execute;
mod rules;
