//! A member whose build is newer than the product's by one version of the ledger's rules: the same code, which knows a
//! number more. There are no newer rules yet, so nothing else about it is new.
//!
//! `e2e newer --home DIR` is started by the claims about upgrades.

use std::path::PathBuf;

use node::clock::Clock;
use node::config::{Config, Overrides};
use node::node::{Variant, run_variant};
use node::telemetry;
use tokio::signal::unix::{SignalKind, signal};

use crate::claims::Broken;

/// The newest version of the rules that the product knows, and the one that this member knows.
pub(crate) fn rules() -> (u64, u64) {
    let product = Variant::default().rules;
    (product, product.saturating_add(1))
}

/// Runs a member until it is told to stop.
pub(crate) fn run(arguments: &[String]) -> Result<(), Broken> {
    let [flag, home] = arguments else {
        return Err("usage: e2e newer --home DIR".into());
    };
    if flag != "--home" {
        return Err("usage: e2e newer --home DIR".into());
    }
    let config = Config::load(&PathBuf::from(home), &Overrides::default())
        .map_err(|error| error.to_string())?;
    telemetry::init(&config.log, &config.name, &Clock::start())
        .map_err(|error| error.to_string())?;
    let variant = Variant {
        rules: rules().1,
        ..Variant::default()
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        let stop = async move {
            terminate.recv().await;
        };
        let ended = run_variant(config, variant, stop).await;
        ended.map_err(|error| error.to_string().into())
    })
}
