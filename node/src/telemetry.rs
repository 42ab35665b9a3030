//! Logging: JSON lines for machines, short lines for a person at a terminal.
//!
//! What may be logged is decided by types: identities, passwords, biometrics and keys have a redacted `Debug`.

mod json;
mod timestamp;

use std::{io::IsTerminal as _, str::FromStr as _};

use tracing_subscriber::{
    Layer as _, filter::Targets, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

use crate::clock::Clock;

pub use timestamp::rfc3339;

/// Why logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter is neither a level nor a list of targets.
    #[error(
        "`{filter}` is no log filter: give error, warn, info, debug, trace, or target=level pairs with commas"
    )]
    BadFilter {
        /// What was given.
        filter: String,
    },
}

/// Crates below us that are quiet unless named in the filter.
const QUIET: [&str; 6] = [
    "libp2p",
    "multistream_select",
    "yamux",
    "hyper",
    "rustls",
    "sled",
];

/// Sends what the process logs to standard error, in the name of `node`. A second call changes nothing.
pub fn init(filter: &str, node: &str, clock: &Clock) -> Result<(), TelemetryError> {
    let targets = targets(filter)?;
    let terminal = std::io::stderr().is_terminal();
    let layer = fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(terminal);
    let done = if terminal {
        let layer = layer
            .with_timer(timestamp::Utc::new(*clock))
            .with_filter(targets);
        tracing_subscriber::registry().with(layer).try_init()
    } else {
        let lines = json::Lines::new(node.to_owned(), *clock);
        let layer = layer.event_format(lines).with_filter(targets);
        tracing_subscriber::registry().with(layer).try_init()
    };
    if done.is_err() {
        tracing::debug!("logging was set up before");
    }
    Ok(())
}

/// The filter's targets, over a default that keeps other people's crates at `warn`.
fn targets(filter: &str) -> Result<Targets, TelemetryError> {
    let asked = Targets::from_str(filter)
        .ok()
        .ok_or_else(|| TelemetryError::BadFilter {
            filter: filter.to_owned(),
        })?;
    let mut targets = Targets::new();
    for quiet in QUIET {
        targets = targets.with_target(quiet, tracing::Level::WARN);
    }
    if let Some(level) = asked.default_level() {
        targets = targets.with_default(level);
    }
    Ok(targets.with_targets(asked.iter()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::Level;

    #[test]
    fn a_level_is_for_us_and_others_stay_at_warn() {
        let targets = targets("debug").unwrap();
        assert!(targets.would_enable("node::driver", &Level::DEBUG));
        assert!(!targets.would_enable("libp2p_swarm", &Level::DEBUG));
        assert!(targets.would_enable("libp2p_swarm", &Level::WARN));
    }

    #[test]
    fn a_named_target_overrides_the_quiet_list() {
        let targets = targets("info,libp2p_swarm=trace").unwrap();
        assert!(targets.would_enable("libp2p_swarm::x", &Level::TRACE));
        assert!(!targets.would_enable("node", &Level::DEBUG));
    }

    #[test]
    fn a_filter_that_is_none_is_refused() {
        assert!(matches!(
            targets("loud=please"),
            Err(TelemetryError::BadFilter { .. })
        ));
    }
}
