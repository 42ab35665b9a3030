//! `bench ledger`: how many results a second, how late, at what cost.

use std::io;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::clock::Moment;
use crate::consortium::{Consortium, Node};
use crate::figures::{Histogram, percentile, rounded};
use crate::http::Connection;
use crate::load::{Arrival, Load, Sample};
use crate::process::{cpu_seconds, peak_memory_mb, written_bytes};
use crate::workload::Workload;

/// Synthetic patients in the genesis.
const PATIENTS: u32 = 1_000;

/// Results of one bundle when nothing says otherwise.
const BUNDLE: usize = 256;

/// Connections per node under a closed load.
const CONNECTIONS: usize = 6;

/// The vote log's flushes at a node.
const FLUSHES: &str = "aidchain_votelog_flush_duration_seconds";

/// How long nothing is submitted while the idle cost is taken.
const IDLE: Duration = Duration::from_secs(6);

/// What is asked for on the command line.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Results per second; as many as possible without.
    pub rate: Option<u32>,
    /// Measured time.
    pub seconds: u32,
    /// Time under load before measuring.
    pub warmup: u32,
    /// Results in a bundle, if not chosen by the rate.
    pub bundle: Option<usize>,
    /// Connections per node under a closed load.
    pub connections: Option<usize>,
}

impl Plan {
    /// Results in a bundle: full without a rate, else at most a hundred bundles a second.
    fn bundle(self) -> usize {
        let by_rate = self.rate.map_or(BUNDLE, |rate| {
            usize::try_from(rate.div_ceil(100)).unwrap_or(BUNDLE)
        });
        self.bundle.unwrap_or(by_rate).clamp(1, BUNDLE)
    }

    /// How the bundles arrive.
    fn arrival(self) -> Arrival {
        match self.rate {
            None => Arrival::Closed {
                connections: self.connections.unwrap_or(CONNECTIONS),
            },
            Some(rate) => {
                let bundle = u32::try_from(self.bundle()).unwrap_or(u32::MAX);
                Arrival::Open {
                    bundles_per_s: f64::from(rate) / f64::from(bundle),
                }
            }
        }
    }
}

/// Starts four nodes, loads them and measures; the figures as one JSON object.
pub fn measure(binary: &Path, plan: Plan) -> io::Result<Value> {
    let workload = Workload::new(1, PATIENTS);
    let mut consortium = Consortium::create(binary, &workload)?;
    consortium.start_all()?;
    consortium.wait_ready(Duration::from_secs(30))?;

    let idle_from = Reading::take(&consortium);
    std::thread::sleep(IDLE);
    let idle_to = Reading::take(&consortium);

    let load = Load::start(&consortium, &workload, plan.arrival(), plan.bundle())?;
    std::thread::sleep(Duration::from_secs(plan.warmup.into()));
    let from = Reading::take(&consortium);
    std::thread::sleep(Duration::from_secs(plan.seconds.into()));
    let to = Reading::take(&consortium);
    let samples = load.finish();

    let mut figures = Figures {
        plan,
        from,
        to,
        samples,
    }
    .json();
    if let Some(object) = figures.as_object_mut() {
        object.insert(
            "idle_cpu_cores".to_owned(),
            json!(rounded(idle_to.cores_since(&idle_from))),
        );
        object.insert(
            "rss_mb".to_owned(),
            json!(rounded(peak_memory(&consortium))),
        );
    }
    Ok(figures)
}

/// The largest resident size of any node.
fn peak_memory(consortium: &Consortium) -> f64 {
    consortium
        .nodes
        .iter()
        .filter_map(Node::pid)
        .map(peak_memory_mb)
        .fold(0.0, f64::max)
}

/// Everything that is counted up, at one moment.
struct Reading {
    at: Moment,
    nodes_cpu_s: f64,
    own_cpu_s: f64,
    written: f64,
    height: u64,
    flushes: Histogram,
}

impl Reading {
    /// Reads all four nodes and this process.
    fn take(consortium: &Consortium) -> Self {
        let pids: Vec<u32> = consortium.nodes.iter().filter_map(Node::pid).collect();
        let flushes = consortium.nodes.iter().map(|node| {
            let page = Connection::new(node.operations(), Duration::from_secs(5)).get("/metrics");
            page.map(|page| Histogram::read(&page.text(), FLUSHES))
                .unwrap_or_default()
        });
        Self {
            flushes: flushes.fold(Histogram::default(), |sum, one| sum.plus(&one)),
            height: consortium
                .nodes
                .iter()
                .filter_map(Node::height)
                .max()
                .unwrap_or_default(),
            written: pids.iter().copied().map(written_bytes).sum(),
            own_cpu_s: cpu_seconds(std::process::id()),
            nodes_cpu_s: pids.iter().copied().map(cpu_seconds).sum(),
            at: Moment::now(),
        }
    }

    /// Cores that the four nodes used since an earlier reading.
    fn cores_since(&self, earlier: &Self) -> f64 {
        (self.nodes_cpu_s - earlier.nodes_cpu_s) / self.at.since(earlier.at).as_secs_f64()
    }
}

/// Two readings and what was answered between them.
struct Figures {
    plan: Plan,
    from: Reading,
    to: Reading,
    samples: Vec<Sample>,
}

impl Figures {
    /// The figures by name.
    fn json(&self) -> Value {
        let seconds = self.to.at.since(self.from.at).as_secs_f64();
        let inside =
            |sample: &&Sample| self.from.at <= sample.answered && sample.answered <= self.to.at;
        let committed: Vec<&Sample> = self
            .samples
            .iter()
            .filter(inside)
            .filter(|s| s.height.is_some())
            .collect();
        let failed = self
            .samples
            .iter()
            .filter(inside)
            .filter(|s| s.height.is_none())
            .count();
        let results = float(committed.iter().map(|sample| sample.results).sum());
        let blocks = float(
            usize::try_from(self.to.height.saturating_sub(self.from.height)).unwrap_or_default(),
        );
        let mut latencies: Vec<f64> = committed
            .iter()
            .map(|s| s.latency.as_secs_f64() * 1e3)
            .collect();
        latencies.sort_by(f64::total_cmp);
        let flushes = self.to.flushes.since(&self.from.flushes);
        let flush_us = |share| {
            flushes
                .percentile(share)
                .map(|seconds| rounded(seconds * 1e6))
        };
        let per_1000 = |cpu: f64| rounded(cpu / results.max(1.0) * 1e3);
        json!({
            "schema": "aidchain.bench.ledger/1",
            "rate": self.plan.rate,
            "bundle": self.plan.bundle(),
            "seconds": rounded(seconds),
            "results_per_s": rounded(results / seconds),
            "commit_p50_ms": rounded(percentile(&latencies, 0.50)),
            "commit_p99_ms": rounded(percentile(&latencies, 0.99)),
            "cpu_s_per_1000": per_1000(self.to.nodes_cpu_s - self.from.nodes_cpu_s),
            "generator_cpu_s_per_1000": per_1000(self.to.own_cpu_s - self.from.own_cpu_s),
            "disk_mb_per_s": rounded((self.to.written - self.from.written) / 1e6 / seconds),
            "fsync_p50_us": flush_us(0.50),
            "fsync_p99_us": flush_us(0.99),
            "blocks_per_s": rounded(blocks / seconds),
            "batch_mean": rounded(results / blocks.max(1.0)),
            "refused_or_lost": failed,
        })
    }
}

/// A count as a number to calculate with.
#[expect(clippy::cast_precision_loss, reason = "counts here are far below 2^52")]
const fn float(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(rate: Option<u32>) -> Plan {
        Plan {
            rate,
            seconds: 1,
            warmup: 0,
            bundle: None,
            connections: None,
        }
    }

    #[test]
    fn without_a_rate_bundles_are_full() {
        assert_eq!(plan(None).bundle(), 256);
    }

    #[test]
    fn at_a_hundred_a_second_each_result_travels_alone() {
        assert_eq!(plan(Some(100)).bundle(), 1);
        assert_eq!(plan(Some(4_000)).bundle(), 40);
        assert_eq!(plan(Some(1_000_000)).bundle(), 256);
    }
}
