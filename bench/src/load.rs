//! Load on the ledger: threads with kept-alive connections that submit bundles and await receipts.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use contract::identity::TransactionHash;

use crate::clock::Moment;
use crate::consortium::Consortium;
use crate::http::Connection;
use crate::workload::{Server, Workload};

/// How long a submission may take before it counts as lost.
const PATIENCE: Duration = Duration::from_secs(20);

/// Asks the node to hold the answer until the block is certified.
const PATH: &str = "/v1/transactions?wait_ms=15000";

/// Pause after an answer that asks for one.
const BACK_OFF: Duration = Duration::from_millis(50);

/// How the load arrives.
#[derive(Debug, Clone, Copy)]
pub enum Arrival {
    /// Each connection submits again as soon as it was answered.
    Closed {
        /// Connections per node.
        connections: usize,
    },
    /// Bundles leave at fixed times, answered or not.
    Open {
        /// Bundles per second over all nodes.
        bundles_per_s: f64,
    },
}

/// Connections per node under an open load: enough that a slow answer does not hold back the next.
const OPEN_CONNECTIONS: usize = 16;

/// One answered submission.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Which transaction.
    pub hash: TransactionHash,
    /// The node it was submitted to.
    pub node: usize,
    /// When its answer came.
    pub answered: Moment,
    /// From the time it should have left to its answer.
    pub latency: Duration,
    /// Where it was committed, if it was.
    pub height: Option<u64>,
    /// Results in it.
    pub results: usize,
}

/// A running load.
#[derive(Debug)]
pub struct Load {
    stop: Arc<AtomicBool>,
    samples: Arc<Mutex<Vec<Sample>>>,
    threads: Vec<JoinHandle<()>>,
}

impl Load {
    /// Starts submitting bundles of so many results to every node.
    pub fn start(
        consortium: &Consortium,
        workload: &Workload,
        arrival: Arrival,
        bundle: usize,
    ) -> std::io::Result<Self> {
        let all: Vec<usize> = (0..consortium.nodes.len()).collect();
        Self::start_at(&all, consortium, workload, arrival, bundle)
    }

    /// The same through some of the nodes only.
    pub fn start_at(
        indexes: &[usize],
        consortium: &Consortium,
        workload: &Workload,
        arrival: Arrival,
        bundle: usize,
    ) -> std::io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let samples = Arc::new(Mutex::new(Vec::new()));
        let serial = Arc::new(AtomicU64::new(1));
        let mut threads = Vec::new();
        let per_node = match arrival {
            Arrival::Closed { connections } => connections,
            Arrival::Open { .. } => OPEN_CONNECTIONS,
        };
        let total = per_node.saturating_mul(indexes.len());
        let start = Moment::now();
        for (lane, index) in indexes.iter().copied().cycle().take(total).enumerate() {
            let Some(node) = consortium.nodes.get(index) else {
                continue;
            };
            let submitter = Submitter {
                node: index,
                server: workload.server(consortium, index)?,
                connection: node.connection(node.member_api(), PATIENCE),
                serial: Arc::clone(&serial),
                samples: Arc::clone(&samples),
                stop: Arc::clone(&stop),
                bundle,
            };
            let schedule = Schedule::new(arrival, start, lane, total);
            threads.push(std::thread::spawn(move || submitter.run(schedule)));
        }
        Ok(Self {
            stop,
            samples,
            threads,
        })
    }

    /// What was answered so far.
    pub fn samples(&self) -> Vec<Sample> {
        self.samples
            .lock()
            .map(|samples| samples.clone())
            .unwrap_or_default()
    }

    /// When the first submission after a moment was acknowledged, at each node that acknowledged one.
    pub fn acknowledged_since(&self, moment: Moment) -> BTreeMap<usize, Moment> {
        let mut first = BTreeMap::new();
        let Ok(samples) = self.samples.lock() else {
            return first;
        };
        for sample in samples.iter().filter(|sample| sample.height.is_some()) {
            if sample.answered >= moment {
                first.entry(sample.node).or_insert(sample.answered);
            }
        }
        first
    }

    /// Lets every connection finish and returns all samples.
    pub fn finish(mut self) -> Vec<Sample> {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            // A submitter that panicked has lost its last sample only.
            drop(thread.join());
        }
        self.samples()
    }
}

/// When the bundles of one lane leave.
#[derive(Debug, Clone, Copy)]
struct Schedule {
    /// The next departure; `None` under a closed load.
    next: Option<Moment>,
    /// From one departure of this lane to the next.
    step: Duration,
}

impl Schedule {
    /// The schedule of one of `lanes` lanes: they leave in turn.
    fn new(arrival: Arrival, start: Moment, lane: usize, lanes: usize) -> Self {
        match arrival {
            Arrival::Closed { .. } => Self {
                next: None,
                step: Duration::ZERO,
            },
            Arrival::Open { bundles_per_s } => {
                let between = Duration::from_secs_f64(1.0 / bundles_per_s.max(0.01));
                let turns =
                    |count: usize| between.saturating_mul(u32::try_from(count).unwrap_or(u32::MAX));
                Self {
                    next: Some(start.after(turns(lane))),
                    step: turns(lanes),
                }
            }
        }
    }
}

/// One connection.
struct Submitter {
    node: usize,
    server: Server,
    connection: Connection,
    serial: Arc<AtomicU64>,
    samples: Arc<Mutex<Vec<Sample>>>,
    stop: Arc<AtomicBool>,
    bundle: usize,
}

impl Submitter {
    /// Submits until told to stop.
    fn run(mut self, mut schedule: Schedule) {
        while !self.stop.load(Ordering::Relaxed) {
            // Signed before it is due, so that signing counts as the generator's work and not as latency.
            let serial = self.serial.fetch_add(1, Ordering::Relaxed);
            let transaction = self.server.bundle(serial, self.bundle);
            let due = schedule.next.unwrap_or_else(Moment::now);
            due.wait();
            if self.stop.load(Ordering::Relaxed) {
                return;
            }
            let height = self.submit(transaction.as_bytes());
            let answered = Moment::now();
            let sample = Sample {
                hash: *transaction.hash(),
                node: self.node,
                answered,
                latency: answered.since(due),
                height,
                results: self.bundle,
            };
            if let Ok(mut samples) = self.samples.lock() {
                samples.push(sample);
            }
            if height.is_none() {
                std::thread::sleep(BACK_OFF);
            }
            schedule.next = schedule.next.map(|due| due.after(schedule.step));
        }
    }

    /// One submission; the height if the node answered that it is committed.
    fn submit(&mut self, bytes: &[u8]) -> Option<u64> {
        let headers = [("content-type", "application/octet-stream")];
        let response = self
            .connection
            .request("POST", PATH, &headers, bytes)
            .ok()?;
        let answer = response.json();
        let committed = response.status == 200
            && answer
                .get("status")
                .is_some_and(|status| status == "committed");
        committed.then(|| answer.get("height")?.as_u64()).flatten()
    }
}
