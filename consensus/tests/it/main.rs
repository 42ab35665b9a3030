//! What must hold of the crate as a whole: transcripts, simulated clusters, the wire.
#![expect(
    clippy::tests_outside_test_module,
    reason = "an integration test is a test module"
)]

mod simulation;
