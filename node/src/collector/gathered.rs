//! What waits for the next bundle, and when that goes.

use std::collections::VecDeque;
use std::time::Duration;

use consensus::Time;

/// From a bundle to the next, for each of its results: the busier, the larger. A bundle costs as much as some ten results
/// do, in a block of its own several times that.
const PACE: Duration = Duration::from_millis(10);
/// The shortest time from one bundle to the next; after a pause the first goes at once.
const SHORTEST: Duration = Duration::from_millis(50);
/// The longest: what a patient may have to wait for it at a member with many sign-ins a second.
const LONGEST: Duration = Duration::from_millis(100);

/// Gathers between two bundles.
#[derive(Debug)]
pub(super) struct Gathered<T> {
    waiting: VecDeque<T>,
    /// When the next bundle may go.
    next: Time,
}

impl<T> Default for Gathered<T> {
    fn default() -> Self {
        Self {
            waiting: VecDeque::new(),
            next: Time::ZERO,
        }
    }
}

impl<T> Gathered<T> {
    /// Takes one in.
    pub(super) fn add(&mut self, one: T) {
        self.waiting.push_back(one);
    }

    /// How long until what waits is to go; none if nothing waits.
    pub(super) fn wait(&self, now: Time) -> Option<Duration> {
        (!self.waiting.is_empty()).then(|| self.next.since(now))
    }

    /// The next bundle, of at most so many, if it is due or full.
    pub(super) fn take(&mut self, most: usize, now: Time) -> Option<Vec<T>> {
        let wait = self.wait(now)?;
        if self.waiting.len() < most && !wait.is_zero() {
            return None;
        }
        let end = self.waiting.len().min(most);
        self.next = now.after(pace(end));
        Some(self.waiting.drain(..end).collect())
    }
}

/// The time from a bundle of so many to the next.
fn pace(results: usize) -> Duration {
    let results = u32::try_from(results).unwrap_or(u32::MAX);
    PACE.saturating_mul(results).clamp(SHORTEST, LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(ms: u64) -> Time {
        Time::from_micros(ms.saturating_mul(1_000))
    }

    fn gathered(numbers: &[u8]) -> Gathered<u8> {
        let mut gathered = Gathered::default();
        for number in numbers {
            gathered.add(*number);
        }
        gathered
    }

    #[test]
    fn the_first_goes_at_once_and_what_comes_behind_it_goes_together_at_the_next_turn() {
        let mut gathered = gathered(&[0]);
        assert_eq!(gathered.take(256, at(1_000)), Some(vec![0]));
        assert_eq!(gathered.wait(at(1_000)), None);

        gathered.add(1);
        gathered.add(2);
        assert_eq!(gathered.wait(at(1_030)), Some(Duration::from_millis(20)));
        assert_eq!(gathered.take(256, at(1_049)), None);
        assert_eq!(gathered.take(256, at(1_050)), Some(vec![1, 2]));
        assert_eq!(gathered.take(256, at(1_200)), None);
    }

    #[test]
    fn after_a_pause_the_first_goes_at_once() {
        let mut gathered = gathered(&[0]);
        gathered.take(256, at(1_000)).unwrap();

        gathered.add(1);

        assert_eq!(gathered.take(256, at(1_170)), Some(vec![1]));
        gathered.add(2);
        assert_eq!(gathered.wait(at(1_170)), Some(SHORTEST));
    }

    #[test]
    fn the_larger_a_bundle_was_the_more_gather_for_the_next_within_limits() {
        let paces = [1, 5, 6, 10, 11, 256, usize::MAX].map(|results| pace(results).as_millis());

        assert_eq!(paces, [50, 50, 60, 100, 100, 100, 100]);
    }

    #[test]
    fn a_full_bundle_goes_and_the_rest_waits_for_the_next_turn() {
        let mut gathered = gathered(&[0]);
        gathered.take(2, at(1_000)).unwrap();
        for number in 1..=3 {
            gathered.add(number);
        }

        assert_eq!(gathered.take(2, at(1_010)), Some(vec![1, 2]));
        assert_eq!(gathered.take(2, at(1_010)), None);
        assert_eq!(gathered.wait(at(1_010)), Some(SHORTEST));
    }
}
