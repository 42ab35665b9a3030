//! Percentiles, of samples and of Prometheus histograms.

/// The value that `share` of the sorted samples do not exceed; 0 without samples.
pub fn percentile(sorted: &[f64], share: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    sorted.get(rank(last, share)).copied().unwrap_or_default()
}

/// The index at this share of the way to `last`, rounded.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "indices of samples are small and not negative"
)]
fn rank(last: usize, share: f64) -> usize {
    (last as f64 * share).round() as usize
}

/// Rounded to three digits behind the point, for printing.
pub fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// A cumulative histogram as Prometheus prints it: upper bounds and counts up to them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Histogram(Vec<(f64, f64)>);

impl Histogram {
    /// Reads the buckets of one metric without labels out of a `/metrics` page.
    pub fn read(page: &str, metric: &str) -> Self {
        let start = format!("{metric}_bucket{{le=\"");
        let buckets = page.lines().filter_map(|line| {
            let (bound, count) = line.strip_prefix(&start)?.split_once("\"} ")?;
            let bound = if bound == "+Inf" {
                f64::INFINITY
            } else {
                bound.parse().ok()?
            };
            Some((bound, count.trim().parse().ok()?))
        });
        Self(buckets.collect())
    }

    /// What was added since an earlier reading.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let before = |at: usize| earlier.0.get(at).map_or(0.0, |(_, count)| *count);
        let buckets = self.0.iter().enumerate();
        Self(
            buckets
                .map(|(at, (bound, count))| (*bound, count - before(at)))
                .collect(),
        )
    }

    /// Both added up, bucket by bucket.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        if self.0.is_empty() {
            return other.clone();
        }
        let of = |at: usize| other.0.get(at).map_or(0.0, |(_, count)| *count);
        let buckets = self.0.iter().enumerate();
        Self(
            buckets
                .map(|(at, (bound, count))| (*bound, count + of(at)))
                .collect(),
        )
    }

    /// The value below which this share lies, interpolated within its bucket; `None` if empty.
    pub fn percentile(&self, share: f64) -> Option<f64> {
        let total = self.0.last()?.1;
        if total <= 0.0 {
            return None;
        }
        let wanted = total * share;
        let mut lower = (0.0, 0.0);
        for (bound, count) in &self.0 {
            if *count >= wanted {
                let inside = (wanted - lower.1) / (count - lower.1).max(1.0);
                let upper = if bound.is_finite() { *bound } else { lower.0 };
                return Some(lower.0 + (upper - lower.0) * inside);
            }
            lower = (*bound, *count);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_of_a_hundred_samples_are_the_samples() {
        let samples: Vec<f64> = (0..=100).map(f64::from).collect();

        let found = [0.0, 0.5, 0.99, 1.0].map(|share| percentile(&samples, share).to_string());
        assert_eq!(found, ["0", "50", "99", "100"]);
        assert_eq!(percentile(&[], 0.5).to_string(), "0");
    }

    #[test]
    fn a_histogram_is_read_and_interpolated() {
        let page = "# HELP x\nx_bucket{le=\"1.0\"} 10\nx_bucket{le=\"2.0\"} 20\nx_bucket{le=\"+Inf\"} 20\nx_sum 1\n";

        let histogram = Histogram::read(page, "x");

        assert_eq!(histogram.percentile(0.75), Some(1.5));
        assert_eq!(histogram.since(&histogram).percentile(0.5), None);
        assert_eq!(histogram.plus(&histogram).percentile(0.75), Some(1.5));
    }
}
