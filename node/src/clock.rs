//! The only reader of time in this crate.
//!
//! Wall time serves freshness windows and the primary's block time; monotonic time
//! serves timers. Everything else gets time as an argument.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use consensus::Time;

/// The clocks of this node. `now` counts from the moment the clock was started.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    start: Instant,
}

impl Clock {
    /// A clock whose monotonic time begins now.
    #[expect(
        clippy::disallowed_methods,
        reason = "this file is the one reader of time"
    )]
    pub fn start() -> Self {
        Self {
            start: Instant::now(),
        }
    }

    /// Milliseconds since 1970 by the machine's wall clock; 0 if it is set before that.
    #[expect(
        clippy::disallowed_methods,
        reason = "this file is the one reader of time"
    )]
    pub fn wall_ms(&self) -> u64 {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or(Duration::ZERO);
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    /// Monotonic time for the replica's timers.
    pub fn now(&self) -> Time {
        Time::from_micros(u64::try_from(self.elapsed().as_micros()).unwrap_or(u64::MAX))
    }

    /// Monotonic time since the start.
    pub fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }
}

/// Processor time that the calling thread has used.
pub(crate) fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// Measures how long one thing took.
#[derive(Debug)]
pub(crate) struct Stopwatch(Clock);

impl Stopwatch {
    /// Starts measuring.
    pub(crate) fn start() -> Self {
        Self(Clock::start())
    }

    /// The time since the start.
    pub(crate) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn monotonic_time_never_goes_back_and_wall_time_is_after_2020() {
        let clock = Clock::start();

        let first = clock.now();
        let second = clock.now();

        assert!(first <= second);
        assert!(clock.wall_ms() > 1_577_836_800_000);
    }
}
