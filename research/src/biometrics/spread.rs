//! How distances are spread: those between captures of one person, and those between people.

use serde::Serialize;

use super::interval::number;

/// Distances as shares of the bits that were compared.
#[derive(Debug, Default)]
pub struct Distances {
    /// Between captures of one person.
    pub genuine: Vec<f64>,
    /// Between captures of two.
    pub impostor: Vec<f64>,
}

/// What describes them. Percentiles lie between the two nearest distances, in proportion.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Spread {
    /// Of one person.
    pub genuine: Genuine,
    /// Of two.
    pub impostor: Impostor,
    /// The rate of errors at the threshold where as many of each kind are wrong.
    pub eer: f64,
    /// False rejects where at most one stranger in 1,000 is near enough.
    pub frr_at_far_1e3: f64,
    /// False rejects where at most one stranger in 10,000 is near enough.
    pub frr_at_far_1e4: f64,
    /// Coin tosses whose share of heads would be spread like strangers' distances: p(1 − p)/σ² (Daugman 2003).
    pub degrees_of_freedom: f64,
}

/// Distances within people.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Genuine {
    /// How many.
    pub n: usize,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation.
    pub sd: f64,
    /// The median.
    pub p50: f64,
    /// 95 in 100 are at most as large.
    pub p95: f64,
    /// 99 in 100 are at most as large.
    pub p99: f64,
    /// The largest.
    pub max: f64,
}

/// Distances between people.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Impostor {
    /// How many.
    pub n: usize,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation.
    pub sd: f64,
    /// One in 100 is at most as large.
    pub p1: f64,
    /// The smallest.
    pub min: f64,
}

impl Spread {
    /// Describes distances; `None` if there are none of one kind.
    pub fn of(mut distances: Distances) -> Option<Self> {
        let Distances { genuine, impostor } = &mut distances;
        genuine.sort_by(f64::total_cmp);
        impostor.sort_by(f64::total_cmp);
        let (largest, smallest) = (*genuine.last()?, *impostor.first()?);
        let (mean, sd) = moments(genuine);
        let between = moments(impostor);
        Some(Self {
            genuine: Genuine {
                n: genuine.len(),
                mean,
                sd,
                p50: percentile(genuine, 0.50),
                p95: percentile(genuine, 0.95),
                p99: percentile(genuine, 0.99),
                max: largest,
            },
            impostor: Impostor {
                n: impostor.len(),
                mean: between.0,
                sd: between.1,
                p1: percentile(impostor, 0.01),
                min: smallest,
            },
            eer: equal_errors(genuine, impostor),
            frr_at_far_1e3: rejects_at(genuine, impostor, 1_000),
            frr_at_far_1e4: rejects_at(genuine, impostor, 10_000),
            degrees_of_freedom: between.0 * (1.0 - between.0) / (between.1 * between.1),
        })
    }
}

/// Mean and standard deviation.
fn moments(values: &[f64]) -> (f64, f64) {
    let all = count(values.len());
    let mean = values.iter().sum::<f64>() / all;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (mean, (squares / all).sqrt())
}

/// The value at this share of the way through sorted values.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of the way to an index is an index"
)]
fn percentile(sorted: &[f64], share: f64) -> f64 {
    let place = count(sorted.len().saturating_sub(1)) * share;
    let at = |index: f64| sorted.get(index as usize).copied().unwrap_or_default();
    let (low, high) = (at(place.floor()), at(place.ceil()));
    low + (high - low) * place.fract()
}

/// The share of errors where the shares of both kinds are nearest to each other: their mean there.
fn equal_errors(genuine: &[f64], impostor: &[f64]) -> f64 {
    let both = |threshold: f64| {
        let rejects = 1.0 - up_to(genuine, threshold);
        (rejects, up_to(impostor, threshold))
    };
    let apart = |(a, b): (f64, f64)| (a - b).abs();
    let thresholds = genuine.iter().chain(impostor);
    thresholds
        .map(|&threshold| both(threshold))
        .min_by(|a, b| apart(*a).total_cmp(&apart(*b)))
        .map_or(0.0, |(rejects, accepts)| f64::midpoint(rejects, accepts))
}

/// The share of sorted values that are not larger.
fn up_to(sorted: &[f64], threshold: f64) -> f64 {
    let within = sorted.partition_point(|&value| value <= threshold);
    count(within) / count(sorted.len())
}

/// The share of genuine distances that are not below a threshold which at most one impostor distance in `of` is below.
fn rejects_at(genuine: &[f64], impostor: &[f64], of: usize) -> f64 {
    let allowed = impostor.len().checked_div(of).unwrap_or(0);
    let threshold = impostor.get(allowed).copied().unwrap_or(1.0);
    let within = genuine.partition_point(|&value| value < threshold);
    1.0 - count(within) / count(genuine.len())
}

fn count(length: usize) -> f64 {
    number(u64::try_from(length).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(genuine: &[f64], impostor: &[f64]) -> Spread {
        let [genuine, impostor] = [genuine, impostor].map(<[f64]>::to_vec);
        Spread::of(Distances { genuine, impostor }).unwrap()
    }

    #[test]
    fn ten_distances_of_each_kind_are_described_as_by_hand() {
        let genuine = [0.3, 0.1, 0.2, 0.1, 0.2, 0.1, 0.2, 0.1, 0.2, 0.1];
        let impostor = [0.25, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.75];

        let spread = of(&genuine, &impostor);

        let found = [
            (spread.genuine.mean, 0.16),
            (spread.genuine.sd, 0.004_4_f64.sqrt()),
            (spread.genuine.p50, 0.15),
            (spread.genuine.p95, 0.255),
            (spread.genuine.max, 0.3),
            (spread.impostor.mean, 0.5),
            (spread.impostor.p1, 0.25 + 0.09 * 0.25),
            (spread.impostor.min, 0.25),
            // At .25 one of ten is wrong of either kind.
            (spread.eer, 0.1),
            (spread.frr_at_far_1e3, 0.1),
            (spread.degrees_of_freedom, 0.25 / 0.012_5),
        ];
        for (number, (found, expected)) in found.into_iter().enumerate() {
            assert!((found - expected).abs() < 1e-12, "{number}: {found}");
        }
    }

    #[test]
    fn distances_that_do_not_overlap_have_no_error_at_the_best_threshold() {
        let spread = of(&[0.1, 0.2], &[0.4, 0.5]);

        assert!(spread.eer.abs() < f64::EPSILON);
        assert!(spread.frr_at_far_1e4.abs() < f64::EPSILON);
    }

    #[test]
    fn of_one_kind_alone_nothing_is_told() {
        let genuine = vec![0.1];

        let none = Spread::of(Distances {
            genuine,
            impostor: Vec::new(),
        });

        assert!(none.is_none());
    }
}
