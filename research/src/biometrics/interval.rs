//! How sure a counted rate is: Clopper and Pearson's exact interval (Biometrika 26, 1934, 404–413).
//!
//! It takes tries for independent. Those of one person are not, and impostors' pairs share people: the true
//! uncertainty is larger than the interval says.

use serde::Serialize;

/// What is left outside an interval.
const OUTSIDE: f64 = 0.05;

/// A rate of some events in some tries, with the bounds that hold with a confidence of 95 %.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Rate {
    /// Events for each try; 0 without tries.
    pub rate: f64,
    /// The lower bound.
    pub low: f64,
    /// The upper bound. Where nothing happened it is one-sided, and so 3/tries; otherwise two-sided.
    pub high: f64,
}

impl Rate {
    /// The rate of this many events in this many tries.
    pub fn of(events: u64, tries: u64) -> Self {
        let [happened, all] = [events, tries].map(number);
        if tries == 0 {
            return Self {
                rate: 0.0,
                low: 0.0,
                high: 1.0,
            };
        }
        let rate = happened / all;
        let none = 1.0 - OUTSIDE.powf(1.0 / all);
        if events == 0 {
            return Self {
                rate,
                low: 0.0,
                high: none,
            };
        }
        if events >= tries {
            return Self {
                rate,
                low: 1.0 - none,
                high: 1.0,
            };
        }
        // The chance of at least so many events grows with the rate, that of at most so many falls.
        let below = events.saturating_sub(1);
        let low = border(|p| 1.0 - at_most(below, tries, p) < OUTSIDE / 2.0);
        let high = border(|p| at_most(events, tries, p) > OUTSIDE / 2.0);
        Self { rate, low, high }
    }
}

/// A count as a number: exact up to 2^53.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts of captures are far below 2^53"
)]
pub(super) const fn number(count: u64) -> f64 {
    count as f64
}

/// Where between 0 and 1 a condition ceases to hold, by bisection.
fn border(holds: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if holds(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

/// The chance of at most so many events, each try having the chance `p`: the binomial terms, each from the one before.
fn at_most(events: u64, tries: u64, p: f64) -> f64 {
    let all = number(tries);
    let mut logarithm = all * (-p).ln_1p();
    let mut sum = logarithm.exp();
    for k in 1..=events {
        let k = number(k);
        logarithm += ((all - k + 1.0) / k).ln() + (p / (1.0 - p)).ln();
        sum += logarithm.exp();
    }
    sum.min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn is(events: u64, tries: u64, low: f64, high: f64) {
        let found = Rate::of(events, tries);
        assert!((found.low - low).abs() < 5e-5, "{found:?}");
        assert!((found.high - high).abs() < 5e-5, "{found:?}");
    }

    #[test]
    fn the_bounds_are_those_of_published_tables() {
        // Newcombe, Statistics in Medicine 17 (1998) 857–872, table I, method 5; and the rule of three.
        is(81, 263, 0.2527, 0.3676);
        is(15, 148, 0.0578, 0.1617);
        is(1, 29, 0.0009, 0.1776);
        is(0, 20, 0.0, 0.1391);
        is(0, 22_896, 0.0, 1.308e-4);
    }

    #[test]
    fn all_events_mirror_none() {
        let (none, all) = (Rate::of(0, 40), Rate::of(40, 40));

        assert!((none.high - (1.0 - all.low)).abs() < 1e-12);
        assert!((all.high - 1.0).abs() < 1e-12);
    }

    #[test]
    fn without_a_try_nothing_is_known() {
        let nothing = Rate::of(0, 0);

        assert!(nothing.low < f64::EPSILON && nothing.high > 1.0 - f64::EPSILON);
    }
}
