//! What must hold of the crate as a whole: transcripts, simulated clusters, the wire.
#![expect(
    clippy::tests_outside_test_module,
    reason = "an integration test is a test module"
)]
#![expect(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    clippy::format_push_string,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test stops at its own mistakes"
)]

mod certificates;
mod observers;
mod simulation;
mod stage;
mod transcripts;
mod wire;
mod words;
