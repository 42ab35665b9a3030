//! aidchain's node: consensus driver, network, ledger store, HTTP services and explorer.

pub mod access;
pub mod cli;
pub mod clock;
pub mod config;
pub mod executor;
pub mod explorer;
pub mod http;
pub mod keys;
pub mod ledger;
pub mod limits;
pub mod mempool;
pub mod metrics;
pub mod network;
pub mod refusals;
pub mod sessions;
pub mod status;
pub mod store;
pub mod telemetry;
pub mod tls;
pub mod votelog;
