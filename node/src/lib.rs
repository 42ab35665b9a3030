//! aidchain's node: consensus driver, network, ledger store, HTTP services and explorer.

pub mod clock;
pub mod config;
pub mod keys;
pub mod limits;
pub mod metrics;
pub mod network;
pub mod status;
pub mod store;
pub mod telemetry;
pub mod votelog;
