//! The node's parts together: one binary, a module for each part.
#![expect(
    clippy::tests_outside_test_module,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "an integration test is a test module"
)]

mod votelog;
