//! AIDC-1 at the patient's terminal: enrolment, sign-in, change and history over HTTP, on top of the pure messages of
//! `protocol::aidc1`.
//!
//! ```text
//! place     which files belong to a profile; the device's secret
//! members   who the members are, also those that joined after the genesis file
//! ledger    the genesis file, and members to talk to
//! ask       evaluators: several at once, fallbacks when some are down
//! wallet    the card, opened and written again
//! enrol     application → offer → deals → evaluations → lock → card
//! pending   what is kept until the ledger has it; acceptance; waiting
//! state     excerpts fetched and verified
//! sign_in   handshake, answer, receipt
//! orders    claims, revocations, cancelled recoveries
//! history   what the ledger says about an AID
//! ```

pub(crate) mod ask;
pub(crate) mod enrol;
pub(crate) mod history;
pub(crate) mod ledger;
pub(crate) mod members;
pub(crate) mod orders;
pub(crate) mod pending;
pub(crate) mod place;
pub(crate) mod sign_in;
pub(crate) mod state;
pub(crate) mod wallet;
