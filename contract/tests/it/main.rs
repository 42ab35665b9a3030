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
mod claims;
mod consortium;
mod damage;
mod disclosures;
mod epochs;
mod evidence;
mod execute;
mod genesis;
mod governance;
mod histories;
mod lawful;
mod limbasiya;
mod lives;
mod members;
mod members_random;
mod merkle;
mod random;
mod readiness;
mod receipts;
mod recoveries;
mod registrations;
mod replacing;
mod rotation;
mod rules;
mod statements;
mod thieves;
mod wire;
