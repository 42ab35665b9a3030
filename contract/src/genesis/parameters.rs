//! The rules in numbers.

use serde::{Deserialize, Serialize};

use super::{GenesisError, Problem};

/// Declares the parameters: name, default, least, most, meaning.
macro_rules! parameters {
    ($($(#[$doc:meta])* $name:ident = $default:expr, $least:expr, $most:expr;)*) => {
        /// Every number that the members agree on, each written out in `genesis.json`.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct Parameters {
            $($(#[$doc])* pub $name: u64,)*
        }

        impl Default for Parameters {
            fn default() -> Self {
                Self { $($name: $default,)* }
            }
        }

        impl Parameters {
            /// The largest value of each: what no lawful ledger exceeds.
            pub(crate) const LARGEST: Self = Self { $($name: $most,)* };

            /// Gives the parameter of this name another value; false if there is none.
            pub(crate) fn set(&mut self, name: &str, value: u64) -> bool {
                match name {
                    $(stringify!($name) => self.$name = value,)*
                    _unknown => return false,
                }
                true
            }

            /// Every parameter within its range.
            fn check_ranges(&self) -> Result<(), GenesisError> {
                $(in_range(stringify!($name), self.$name, $least, $most)?;)*
                Ok(())
            }
        }
    };
}

parameters! {
    /// Version of the ledger's rules.
    protocol_version = PROTOCOL_VERSION, 1, PROTOCOL_VERSION;
    /// A batch may be this much older than a voter's clock.
    batch_past_ms = 10_000, 1_000, 60_000;
    /// A batch may be this much newer than a voter's clock.
    batch_future_ms = 2_000, 100, 60_000;
    /// The replay window: `valid_until` at most this far ahead, nothing twice within it.
    replay_window_ms = 150_000, 10_000, 3_600_000;
    /// A result's T3 at most this much before the block's time.
    result_past_ms = 120_000, 1_000, 3_600_000;
    /// A result's T3 at most this much after the block's time.
    result_future_ms = 30_000, 1_000, 3_600_000;
    /// Longest transaction that is not a bundle of results.
    transaction_bytes_max = 8 << 10, 1 << 10, 1 << 20;
    /// Longest bundle of results.
    bundle_bytes_max = 128 << 10, 1 << 10, 1 << 20;
    /// Most results in one bundle.
    bundle_results_max = 256, 1, 4_096;
    /// Longest batch.
    batch_bytes_max = 512 << 10, 16 << 10, 4 << 20;
    /// Most results in one batch.
    batch_results_max = 2_000, 1, 65_536;
    /// Most results and transactions of one author per second of block time.
    max_per_author = 8_000, 1, 1_000_000;
    /// Bytes of waiting transactions at one node.
    pool_bytes_max = 64 << 20, 1 << 20, 4 << 30;
    /// Waiting transactions at one node.
    pool_transactions_max = 100_000, 100, 10_000_000;
    /// W: how far voting runs ahead of the newest stable block.
    water_mark_window = 64, 4, 1_024;
    /// D: how many proposals may be uncommitted.
    depth = 2, 1, 1_024;
    /// T0: how long a backup waits for its oldest transaction.
    request_timeout_ms = 600, 50, 60_000;
    /// An empty batch is proposed after this much silence.
    heartbeat_ms = 60_000, 1_000, 3_600_000;
    /// Longest frame between members.
    frame_bytes_max = 16 << 20, 1 << 20, 64 << 20;
    /// Bytes per second a member resends to one peer.
    status_bytes_per_second = 4 << 20, 64 << 10, 1 << 30;
    /// Bytes of early messages kept for one peer.
    future_bytes_max = 8 << 20, 64 << 10, 1 << 30;
    /// How long a replacement without a patient's key waits.
    recovery_delay_ms = 259_200_000, 1_000, 2_592_000_000;
}

/// The newest version of the ledger's rules that this software knows.
pub const PROTOCOL_VERSION: u64 = 1;

impl Parameters {
    /// Whether the members may go over from `before` to these.
    ///
    /// The replay window never changes: what a node remembers of the blocks before
    /// a change would no longer be what it needs behind it. The rules' version
    /// rises in single steps; software that lacks it stops before its first block.
    pub(crate) fn may_follow(&self, before: &Self) -> bool {
        let keeps_window = self.replay_window_ms == before.replay_window_ms
            && self.result_past_ms == before.result_past_ms
            && self.result_future_ms == before.result_future_ms;
        let rises = before.protocol_version.saturating_add(1);
        let mut others = self.clone();
        others.protocol_version = PROTOCOL_VERSION;
        keeps_window
            && (before.protocol_version..=rises).contains(&self.protocol_version)
            && others.check().is_ok()
    }

    /// Every parameter within its range, and none against another.
    pub(super) fn check(&self) -> Result<(), GenesisError> {
        self.check_ranges()?;
        self.check_agreement()
    }

    /// Limits that bound one another.
    fn check_agreement(&self) -> Result<(), GenesisError> {
        let pairs = [
            (
                "transaction_bytes_max",
                self.transaction_bytes_max,
                self.bundle_bytes_max,
            ),
            (
                "bundle_bytes_max",
                self.bundle_bytes_max,
                self.batch_bytes_max,
            ),
            (
                "batch_bytes_max",
                self.batch_bytes_max,
                self.frame_bytes_max / 2,
            ),
            (
                "bundle_results_max",
                self.bundle_results_max,
                self.batch_results_max,
            ),
            ("depth", self.depth, self.water_mark_window),
            ("heartbeat_ms", self.heartbeat_ms, self.replay_window_ms / 2),
            ("result_past_ms", self.result_past_ms, self.replay_window_ms),
            // From the first block that takes a session to the last one that could.
            (
                "result_future_ms",
                self.result_future_ms,
                self.replay_window_ms.saturating_sub(self.result_past_ms),
            ),
        ];
        match pairs.into_iter().find(|(_, found, most)| found > most) {
            Some((name, found, most)) => in_range(name, found, 0, most),
            None => Ok(()),
        }
    }
}

/// Refuses a parameter outside its range, by name.
fn in_range(name: &str, found: u64, least: u64, most: u64) -> Result<(), GenesisError> {
    if (least..=most).contains(&found) {
        return Ok(());
    }
    Err(GenesisError::Value {
        field: format!("parameters.{name}"),
        problem: Problem::Range { found, least, most },
    })
}
