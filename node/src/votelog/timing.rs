//! How long the disk takes to make votes durable.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Buckets: four to each doubling, from 1 µs to beyond half a minute.
const BUCKETS: usize = 104;

/// A histogram of sync times that any thread may read while the log writes it.
#[derive(Debug)]
pub struct SyncTimes {
    counts: [AtomicU64; BUCKETS],
    total_us: AtomicU64,
}

impl Default for SyncTimes {
    fn default() -> Self {
        Self {
            counts: [const { AtomicU64::new(0) }; BUCKETS],
            total_us: AtomicU64::new(0),
        }
    }
}

impl SyncTimes {
    /// Counts one sync.
    pub(crate) fn add(&self, took: Duration) {
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let index = (0..BUCKETS.saturating_sub(1))
            .find(|index| us <= bound_us(*index))
            .unwrap_or(BUCKETS.saturating_sub(1));
        if let Some(count) = self.counts.get(index) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.total_us.fetch_add(us, Ordering::Relaxed);
    }

    /// Each bucket's upper bound in µs, and how many syncs fell into it.
    pub fn buckets(&self) -> Vec<(u64, u64)> {
        self.counts
            .iter()
            .enumerate()
            .map(|(index, count)| (bound_us(index), count.load(Ordering::Relaxed)))
            .collect()
    }

    /// The sum of all sync times in µs.
    pub fn total_us(&self) -> u64 {
        self.total_us.load(Ordering::Relaxed)
    }

    /// The bucket bound that `permille` of all syncs do not exceed; `None` before the first.
    pub fn quantile_us(&self, permille: u64) -> Option<u64> {
        let buckets = self.buckets();
        let total: u64 = buckets.iter().map(|(_, count)| count).sum();
        let wanted = total.saturating_mul(permille).div_ceil(1000).max(1);
        let mut seen = 0_u64;
        buckets.into_iter().find_map(|(bound, count)| {
            seen = seen.saturating_add(count);
            (seen >= wanted).then_some(bound)
        })
    }
}

/// Upper bound of a bucket in µs: 2^(index/4), with quarters in between.
fn bound_us(index: usize) -> u64 {
    let doublings = u32::try_from(index / 4).unwrap_or(0);
    let quarter = u64::try_from(index % 4).unwrap_or(0);
    let whole = 1_u64.checked_shl(doublings).unwrap_or(u64::MAX);
    whole.saturating_add(whole.saturating_mul(quarter) / 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_rise_and_reach_beyond_half_a_minute() {
        let bounds: Vec<u64> = (0..BUCKETS).map(bound_us).collect();
        assert!(bounds.is_sorted());
        assert!(*bounds.last().unwrap() > 30_000_000);
    }

    #[test]
    fn quantiles_are_within_a_quarter_of_the_truth() {
        let times = SyncTimes::default();
        assert_eq!(times.quantile_us(500), None);

        for us in 1..=1000 {
            times.add(Duration::from_micros(us));
        }

        let median = times.quantile_us(500).unwrap();
        let high = times.quantile_us(990).unwrap();
        assert!((500..=625).contains(&median), "{median}");
        assert!((990..=1240).contains(&high), "{high}");
        assert_eq!(times.total_us(), 500_500);
    }

    #[test]
    fn an_endless_sync_falls_into_the_last_bucket() {
        let times = SyncTimes::default();
        times.add(Duration::from_hours(1));
        assert_eq!(times.buckets().last().unwrap().1, 1);
    }
}
