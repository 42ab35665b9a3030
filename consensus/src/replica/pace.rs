//! The primary's pace: a primary that orders, but much more slowly than was possible before,
//! is left as well (rule 5; Aardvark, NSDI 2009).

use core::time::Duration;
use std::collections::VecDeque;

use crate::io::Pending;
use crate::number::{Seq, Time};

/// How long the pool must not have run empty before the pace is judged.
const WINDOW: Duration = Duration::from_secs(2);

/// How long a good window is remembered.
const MEMORY: Duration = Duration::from_mins(10);

/// The least time between two view changes for this reason.
const PATIENCE: Duration = Duration::from_mins(1);

/// How many blocks the median commit time is taken of.
const BLOCKS: usize = 31;

/// The least time between two samples of a window.
const SAMPLE: Duration = Duration::from_millis(10);

/// The most entries of each list.
const SAMPLES_MAX: usize = 256;

/// How many transactions were executed when.
#[derive(Clone, Debug, Default)]
pub(super) struct Pace {
    /// Since when the pool has not been empty.
    busy_since: Option<Time>,
    /// Counts of executed transactions over the last window.
    samples: VecDeque<(Time, u64)>,
    /// Full windows: when they ended and how many transactions they brought; falling.
    best: VecDeque<(Time, u64)>,
    /// When each open proposal was first seen.
    proposed: VecDeque<(Seq, Time)>,
    /// How long the last blocks took from proposal to execution.
    commit_times: VecDeque<Duration>,
    /// When a primary was last left for this reason.
    blamed: Option<Time>,
}

impl Pace {
    /// A proposal came.
    pub(super) fn proposed(&mut self, now: Time, seq: Seq) {
        if self.proposed.back().is_none_or(|last| last.0 < seq) {
            self.proposed.push_back((seq, now));
        }
        if self.proposed.len() > SAMPLES_MAX {
            self.proposed.pop_front();
        }
    }

    /// A block was executed.
    pub(super) fn executed(&mut self, now: Time, seq: Seq) {
        while let Some((open, since)) = self.proposed.front().copied() {
            if open > seq {
                break;
            }
            self.proposed.pop_front();
            self.commit_times.push_back(now.since(since));
            if self.commit_times.len() > BLOCKS {
                self.commit_times.pop_front();
            }
        }
    }

    /// Notes what the host says of its pool; true when the primary is too slow.
    pub(super) fn is_slow(&mut self, now: Time, pending: Pending) -> bool {
        if pending.oldest.is_none() {
            self.busy_since = None;
            self.samples.clear();
            return false;
        }
        let busy_since = *self.busy_since.get_or_insert(now);
        self.sample(now, pending.executed);
        let Some((_, before)) = self.samples.front().copied() else {
            return false;
        };
        if now.since(busy_since) < WINDOW {
            return false;
        }
        let brought = pending.executed.saturating_sub(before);
        let best = self.remember(now, brought);
        let waited = now.since(pending.since);
        let patient = self.blamed.is_none_or(|last| now.since(last) >= PATIENCE);
        let late = self
            .median()
            .is_some_and(|median| waited > median.saturating_mul(4));
        patient && late && brought < best / 2
    }

    /// A view began: its primary answers for no time before.
    pub(super) fn begun(&mut self) {
        self.busy_since = None;
        self.samples.clear();
        self.proposed.clear();
    }

    /// A primary was left for this reason.
    pub(super) fn blamed(&mut self, now: Time) {
        self.blamed = Some(now);
        self.busy_since = None;
        self.samples.clear();
    }

    /// Adds a count and forgets those older than the window, but for the last of them.
    fn sample(&mut self, now: Time, executed: u64) {
        if self
            .samples
            .back()
            .is_none_or(|last| now.since(last.0) >= SAMPLE)
        {
            self.samples.push_back((now, executed));
        }
        while self
            .samples
            .get(1)
            .is_some_and(|next| now.since(next.0) >= WINDOW)
        {
            self.samples.pop_front();
        }
    }

    /// Adds a full window and gives the best one in memory.
    fn remember(&mut self, now: Time, brought: u64) -> u64 {
        while self
            .best
            .front()
            .is_some_and(|old| now.since(old.0) > MEMORY)
        {
            self.best.pop_front();
        }
        while self.best.back().is_some_and(|weaker| weaker.1 <= brought) {
            self.best.pop_back();
        }
        if self.best.len() < SAMPLES_MAX {
            self.best.push_back((now, brought));
        }
        self.best.front().map_or(brought, |best| best.1)
    }

    /// The median of the last commit times.
    fn median(&self) -> Option<Duration> {
        let mut times: Vec<Duration> = self.commit_times.iter().copied().collect();
        times.sort_unstable();
        times.get(times.len() / 2).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pool that is never empty, `executed` so far, whose oldest came `waited` ago.
    fn busy(now: Time, executed: u64, waited: Duration) -> Pending {
        let since = Time::from_micros(now.as_micros() - waited.as_micros() as u64);
        Pending {
            oldest: Some(executed),
            since,
            executed,
        }
    }

    /// Ten milliseconds a block and `rate` transactions in each, for `blocks` blocks.
    fn run(pace: &mut Pace, start: u64, blocks: u64, rate: u64, executed: &mut u64) -> bool {
        let mut slow = false;
        for block in start..start + blocks {
            let begin = Time::from_micros(block * 10_000);
            let end = begin.after(Duration::from_millis(5));
            pace.proposed(begin, Seq::new(block));
            pace.executed(end, Seq::new(block));
            *executed += rate;
            slow |= pace.is_slow(end, busy(end, *executed, Duration::from_millis(100)));
        }
        slow
    }

    #[test]
    fn m11_a_primary_at_less_than_half_the_best_pace_is_slow_and_one_at_that_pace_is_not() {
        let (mut pace, mut executed) = (Pace::default(), 0);

        let steady = run(&mut pace, 100, 600, 10, &mut executed);
        let halved = run(&mut pace, 700, 400, 4, &mut executed);

        assert!(!steady);
        assert!(halved);
    }

    #[test]
    fn a_new_primary_does_not_answer_for_the_time_before_its_view() {
        let slow_after_a_gap = |begun: bool| {
            let (mut pace, mut executed) = (Pace::default(), 0);
            run(&mut pace, 100, 600, 10, &mut executed);
            if begun {
                pace.begun();
            }
            // For 1.2 s nobody proposed; the new primary is as fast as any, but the oldest has waited.
            run(&mut pace, 820, 60, 10, &mut executed)
        };

        assert!(slow_after_a_gap(false));
        assert!(!slow_after_a_gap(true));
    }

    #[test]
    fn a_primary_is_left_at_most_once_a_minute_for_being_slow() {
        let (mut pace, mut executed) = (Pace::default(), 0);
        run(&mut pace, 100, 600, 10, &mut executed);
        pace.blamed(Time::from_micros(7_000_000));

        assert!(!run(&mut pace, 700, 5_000, 1, &mut executed));
        assert!(run(&mut pace, 5_700, 2_000, 1, &mut executed));
    }

    const fn at(ms: u64) -> Time {
        Time::from_micros(ms * 1_000)
    }

    #[test]
    fn a_block_took_from_its_first_proposal_to_its_execution_and_counts_once() {
        let mut pace = Pace::default();
        for (ms, seq) in [(1, 4), (2, 5), (3, 5), (4, 4), (5, 6)] {
            pace.proposed(at(ms), Seq::new(seq));
        }

        pace.executed(at(12), Seq::new(5));

        assert_eq!(pace.commit_times, [11, 10].map(Duration::from_millis));
        assert_eq!(pace.proposed, [(Seq::new(6), at(5))]);
    }

    #[test]
    fn each_list_grows_to_its_bound_and_no_further() {
        let mut pace = Pace::default();
        for seq in 0..300 {
            pace.proposed(at(1), Seq::new(seq));
            pace.remember(at(1), 1_000 - seq);
        }

        assert_eq!(pace.proposed.len(), SAMPLES_MAX);
        assert_eq!(pace.proposed.front().unwrap().0, Seq::new(44));
        assert_eq!(pace.best.len(), SAMPLES_MAX);
        pace.executed(at(2), Seq::new(300));
        assert_eq!(pace.commit_times.len(), BLOCKS);
    }

    #[test]
    fn a_primary_is_slow_below_half_the_best_after_a_window_if_the_oldest_waits_long() {
        let slow = |now: Time, waited: Duration, brought: u64| {
            let mut pace = Pace {
                busy_since: Some(at(0)),
                samples: VecDeque::from([(at(0), 100)]),
                best: VecDeque::from([(at(0), 40)]),
                commit_times: VecDeque::from([Duration::from_millis(10)]),
                ..Pace::default()
            };
            pace.is_slow(now, busy(now, 100 + brought, waited))
        };
        let (window, long) = (at(2_000), Duration::from_micros(40_001));

        assert!(slow(window, long, 19));
        assert!(!slow(window, long, 20));
        assert!(!slow(window, Duration::from_millis(40), 19));
        assert!(!slow(Time::from_micros(1_999_999), long, 19));
    }

    #[test]
    fn the_best_window_is_remembered_for_ten_minutes() {
        let best = |now: Time| {
            let mut pace = Pace::default();
            pace.remember(at(0), 40);
            pace.remember(now, 1)
        };

        assert_eq!(best(at(600_000)), 40);
        assert_eq!(best(Time::from_micros(600_000_001)), 1);
    }

    #[test]
    fn the_median_is_the_one_in_the_middle() {
        let mut pace = Pace::default();
        assert_eq!(pace.median(), None);

        pace.commit_times = [9, 1, 7, 3, 5].map(Duration::from_millis).into();

        assert_eq!(pace.median(), Some(Duration::from_millis(5)));
    }
}
