//! What must hold of the crate as a whole: transcripts, simulated clusters, the wire.
#![expect(
    clippy::tests_outside_test_module,
    reason = "an integration test is a test module"
)]
#![expect(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test stops at its own mistakes"
)]

mod carry_over;
mod certificates;
mod edges;
mod epochs;
mod explanations;
mod found;
mod observers;
mod patience;
mod pitfalls;
mod restarts;
mod rules;
mod simulation;
mod stage;
mod transcripts;
mod verdicts;
mod wire;
