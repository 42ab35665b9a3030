//! Welch's t-test on times whose tail is the machine's and not the code's.

use crate::figures::percentile;

/// Shares of the fastest calls that are compared, each by itself: interrupts lie in the slow tail and would
/// hide a difference, and a difference may lie in the tail.
const CROPS: [f64; 6] = [0.25, 0.5, 0.75, 0.9, 0.99, 1.0];

/// Times of one kind of call, in nanoseconds.
#[derive(Debug, Default)]
pub(super) struct Samples(Vec<f64>);

impl Samples {
    /// One more.
    pub(super) fn add(&mut self, nanoseconds: f64) {
        self.0.push(nanoseconds);
    }

    /// The middle one; 0 without samples.
    pub(super) fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        percentile(&sorted, 0.5)
    }
}

/// The largest |t| over all crops.
pub(super) fn difference(one: &Samples, other: &Samples) -> f64 {
    let mut both: Vec<f64> = one.0.iter().chain(&other.0).copied().collect();
    both.sort_by(f64::total_cmp);
    let cropped = CROPS.map(|share| {
        let most = percentile(&both, share);
        welch(below(one, most), below(other, most)).abs()
    });
    cropped.into_iter().fold(0.0, f64::max)
}

fn below(samples: &Samples, most: f64) -> impl Iterator<Item = f64> + Clone {
    samples.0.iter().copied().filter(move |one| *one <= most)
}

/// Welch's t; 0 when one side has fewer than two values or neither varies.
fn welch(one: impl Iterator<Item = f64> + Clone, other: impl Iterator<Item = f64> + Clone) -> f64 {
    let (Some(one), Some(other)) = (Moments::of(one), Moments::of(other)) else {
        return 0.0;
    };
    let error = (one.variance / one.count + other.variance / other.count).sqrt();
    if error > 0.0 {
        (one.mean - other.mean) / error
    } else {
        0.0
    }
}

/// Count, mean and variance.
struct Moments {
    count: f64,
    mean: f64,
    variance: f64,
}

impl Moments {
    /// Of at least two values.
    fn of(values: impl Iterator<Item = f64> + Clone) -> Option<Self> {
        let (count, sum) = values
            .clone()
            .fold((0.0, 0.0), |(count, sum), value| (count + 1.0, sum + value));
        if count < 2.0 {
            return None;
        }
        let mean = sum / count;
        let squares: f64 = values.map(|value| (value - mean).powi(2)).sum();
        Some(Self {
            count,
            mean,
            variance: squares / (count - 1.0),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn welchs_t_is_that_of_the_textbook() {
        // Means 3 and 6, variances 2.5 and 2.5, five values each: 3 / sqrt(1) = 3.
        let t = welch(
            [1.0, 2.0, 3.0, 4.0, 5.0].into_iter(),
            [4.0, 5.0, 6.0, 7.0, 8.0].into_iter(),
        );

        assert!((t + 3.0).abs() < 1e-9, "{t}");
    }

    #[test]
    fn too_few_or_equal_values_tell_nothing() {
        assert!(welch([1.0].into_iter(), [2.0, 3.0].into_iter()).abs() < 1e-9);
        assert!(welch([1.0, 1.0].into_iter(), [1.0, 1.0].into_iter()).abs() < 1e-9);
    }

    #[test]
    fn a_small_difference_is_seen_below_a_long_tail() {
        let (mut one, mut other) = (Samples::default(), Samples::default());
        for call in 0..10_000_u32 {
            let jitter = f64::from(call % 17);
            let tail = if call % 100 == 0 { 1e6 } else { 0.0 };
            one.add(1_000.0 + jitter + tail);
            other.add(1_002.0 + jitter + tail);
        }

        assert!(difference(&one, &other) > 10.0);
    }
}
