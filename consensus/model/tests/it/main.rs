//! The model's tests: what it proves, what it needs, and that the replica is one of its members.
#![cfg(test)]
#![expect(
    clippy::print_stdout,
    reason = "a counterexample is for reading: run with --nocapture"
)]

mod conformance;
mod reduction;
mod rules;
