//! Time stamps and the window in which a message counts as fresh.

use core::fmt;

use contract::BlockTime;

/// Milliseconds since the Unix epoch, as some clock outside this crate read them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The moment `millis` milliseconds after the Unix epoch.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// The same moment as the ledger writes it.
    pub const fn to_block_time(self) -> BlockTime {
        BlockTime::new(self.0)
    }

    /// The eight bytes that travel, big-endian.
    pub const fn to_bytes(self) -> [u8; 8] {
        self.0.to_be_bytes()
    }

    /// The stamp that eight bytes, big-endian, stand for.
    pub const fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(u64::from_be_bytes(bytes))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ms", self.0)
    }
}

/// How far a time stamp may lie from the reader's clock, in either direction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Window {
    /// The distance, in milliseconds, from which on a stamp is refused.
    span_ms: u64,
}

impl Window {
    /// A window that refuses stamps `span_ms` or more away.
    pub const fn from_millis(span_ms: u64) -> Self {
        Self { span_ms }
    }

    /// A window that still admits stamps `most_ms` away, and none farther.
    pub const fn up_to_millis(most_ms: u64) -> Self {
        Self::from_millis(most_ms.saturating_add(1))
    }

    /// Whether the two moments are less than the span apart.
    pub const fn admits(self, stamp: Timestamp, now: Timestamp) -> bool {
        stamp.0.abs_diff(now.0) < self.span_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_is_open_below_its_span_on_both_sides_and_shut_at_it() {
        let window = Window::from_millis(120_000);
        let now = Timestamp::from_millis(1_000_000);

        for (stamp, fresh) in [
            (880_000, false),
            (880_001, true),
            (1_000_000, true),
            (1_119_999, true),
            (1_120_000, false),
            (0, false),
            (u64::MAX, false),
        ] {
            assert_eq!(
                window.admits(Timestamp::from_millis(stamp), now),
                fresh,
                "stamp {stamp}"
            );
        }
    }
}
