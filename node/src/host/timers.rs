//! The replica's timers by their deadlines.

use std::{collections::BTreeMap, time::Duration};

use consensus::{Time, Timer};

/// When each running timer runs out.
#[derive(Debug, Default)]
pub(super) struct Timers(BTreeMap<Timer, Time>);

impl Timers {
    /// Starts a timer, or starts it anew.
    pub(super) fn arm(&mut self, timer: Timer, at: Time) {
        self.0.insert(timer, at);
    }

    /// Stops a timer.
    pub(super) fn disarm(&mut self, timer: Timer) {
        self.0.remove(&timer);
    }

    /// Takes out those that have run out.
    pub(super) fn expired(&mut self, now: Time) -> Vec<Timer> {
        let expired: Vec<Timer> = self
            .0
            .iter()
            .filter(|(_, at)| **at <= now)
            .map(|(timer, _)| *timer)
            .collect();
        for timer in &expired {
            self.0.remove(timer);
        }
        expired
    }

    /// How long until the next one runs out; for ever when none runs.
    pub(super) fn pause(&self, now: Time) -> Duration {
        self.0
            .values()
            .min()
            .map_or(Duration::MAX, |at| at.since(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Time {
        Time::ZERO.after(Duration::from_millis(ms))
    }

    #[test]
    fn a_timer_runs_out_once_and_arming_sets_it_anew() {
        let mut timers = Timers::default();
        assert_eq!(timers.pause(at(0)), Duration::MAX);
        timers.arm(Timer::Status, at(10));
        timers.arm(Timer::Request, at(20));
        assert_eq!(timers.pause(at(4)), Duration::from_millis(6));
        timers.arm(Timer::Status, at(15));
        assert_eq!(timers.expired(at(10)), []);
        assert_eq!(timers.expired(at(16)), [Timer::Status]);
        assert_eq!(timers.expired(at(16)), []);
        timers.disarm(Timer::Request);
        assert_eq!(timers.expired(at(99)), []);
    }
}
