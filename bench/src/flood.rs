//! `bench flood`: what the others keep of their rate while one member submits all that it can.

use std::io;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::clock::Moment;
use crate::consortium::Consortium;
use crate::figures::{percentile, rounded};
use crate::load::{Arrival, Load, Sample};
use crate::workload::Workload;

/// Synthetic patients in the genesis.
const PATIENTS: u32 = 1_000;

/// The members that submit as ever.
const OTHERS: [usize; 3] = [0, 1, 2];

/// The member that floods.
const FLOODER: usize = 3;

/// Results in each of the flooder's bundles.
const FLOOD_BUNDLE: usize = 256;

/// What is asked for on the command line.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Results per second of the three others together.
    pub rate: u32,
    /// Measured time without the flood, and again with it.
    pub seconds: u32,
    /// Bundles that the flooder has under way at once.
    pub connections: usize,
}

impl Plan {
    /// Results in a bundle of the others: at most a hundred bundles a second.
    fn bundle(self) -> usize {
        usize::try_from(self.rate.div_ceil(100)).map_or(FLOOD_BUNDLE, |size| size.min(FLOOD_BUNDLE))
    }
}

/// Loads three members at a fixed rate, then has the fourth flood; the figures as one JSON object.
pub fn measure(binary: &Path, plan: Plan) -> io::Result<Value> {
    let workload = Workload::new(1, PATIENTS);
    let mut consortium = Consortium::create(binary, &workload)?;
    consortium.start_all()?;
    consortium.wait_ready(Duration::from_secs(30))?;
    let settle = Duration::from_secs(3);
    let measured = Duration::from_secs(plan.seconds.into());

    let bundle = u32::try_from(plan.bundle()).unwrap_or(u32::MAX);
    let arrival = Arrival::Open {
        bundles_per_s: f64::from(plan.rate) / f64::from(bundle),
    };
    let others = Load::start_at(&OTHERS, &consortium, &workload, arrival, plan.bundle())?;
    std::thread::sleep(settle);
    let before = Span::of(measured);

    let flood = Arrival::Closed {
        connections: plan.connections,
    };
    let flood = Load::start_at(&[FLOODER], &consortium, &workload, flood, FLOOD_BUNDLE)?;
    std::thread::sleep(settle);
    let during = Span::of(measured);

    let flooded = flood.finish();
    let samples = others.finish();
    let (alone, beside) = (before.figures(&samples), during.figures(&samples));
    Ok(json!({
        "schema": "aidchain.bench.flood/1",
        "others_rate_wanted": plan.rate,
        "others_per_s": rounded(alone.per_s),
        "others_p50_ms": rounded(alone.p50_ms),
        "others_p99_ms": rounded(alone.p99_ms),
        "flooder_per_s": rounded(during.figures(&flooded).per_s),
        "others_per_s_in_the_flood": rounded(beside.per_s),
        "others_p50_ms_in_the_flood": rounded(beside.p50_ms),
        "others_p99_ms_in_the_flood": rounded(beside.p99_ms),
        "others_kept": rounded(beside.per_s / alone.per_s.max(1.0)),
    }))
}

/// A stretch of time that was slept through.
#[derive(Debug, Clone, Copy)]
struct Span {
    from: Moment,
    to: Moment,
}

/// What was committed in a span.
#[derive(Debug, PartialEq)]
struct Committed {
    per_s: f64,
    p50_ms: f64,
    p99_ms: f64,
}

impl Span {
    /// The next so many seconds.
    fn of(length: Duration) -> Self {
        let from = Moment::now();
        std::thread::sleep(length);
        let to = Moment::now();
        Self { from, to }
    }

    /// The samples that were answered within it.
    fn figures(self, samples: &[Sample]) -> Committed {
        let inside = samples.iter().filter(|sample| {
            sample.height.is_some() && self.from <= sample.answered && sample.answered <= self.to
        });
        let mut latencies = Vec::new();
        let mut results = 0.0;
        for sample in inside {
            latencies.push(sample.latency.as_secs_f64() * 1e3);
            results += f64::from(u32::try_from(sample.results).unwrap_or(u32::MAX));
        }
        latencies.sort_by(f64::total_cmp);
        Committed {
            per_s: results / self.to.since(self.from).as_secs_f64(),
            p50_ms: percentile(&latencies, 0.50),
            p99_ms: percentile(&latencies, 0.99),
        }
    }
}

#[cfg(test)]
mod tests {
    use contract::identity::TransactionHash;

    use super::*;

    fn sample(answered: Moment, height: Option<u64>, results: usize) -> Sample {
        Sample {
            hash: TransactionHash::new([0; 32]),
            node: 0,
            answered,
            latency: Duration::from_millis(4),
            height,
            results,
        }
    }

    #[test]
    fn only_what_was_committed_within_the_span_counts() {
        let from = Moment::now();
        let to = from.after(Duration::from_secs(2));
        let inside = from.after(Duration::from_secs(1));
        let span = Span { from, to };

        let figures = span.figures(&[
            sample(inside, Some(1), 30),
            sample(inside, Some(2), 10),
            sample(inside, None, 500),
            sample(to.after(Duration::from_secs(1)), Some(3), 500),
        ]);

        assert_eq!(
            figures,
            Committed {
                per_s: 20.0,
                p50_ms: 4.0,
                p99_ms: 4.0
            }
        );
    }
}
