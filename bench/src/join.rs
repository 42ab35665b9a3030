//! `bench join`: a new member joins a long ledger by a snapshot from three members it does not trust.
//!
//! The ledger is written at once, through the executor that a node has, with block times of the past
//! so that only the last part of it lies within the replay window. Three members get it as theirs;
//! the fourth starts with nothing but the genesis file.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use consensus::{
    Batch, Checkpoint, CheckpointCertificate, Commit, CommitCertificate, Committed, Committee,
    Digest, Ed25519, Epoch, Order, Proven, PublicKey, ReplicaId, Seq, Signature, Signed, View,
};
use contract::encode_batch;
use contract::genesis::Genesis;
use contract::identity::BlockTime;
use contract::transaction::SignedTransaction;
use node::clock::Clock;
use node::executor::{Executor, FOLDER, Reply, Started};
use node::mempool::Mempool;
use serde_json::{Value, json};

use crate::clock::{Moment, wait_for, wall_ms};
use crate::consortium::{Consortium, member_seed};
use crate::figures::rounded;
use crate::process::{cpu_seconds, peak_memory_mb};
use crate::workload::{Server, Workload};

/// Results of one block of the ledger that is joined: a million makes it long enough for a snapshot.
const BLOCK_RESULTS: u32 = 75;

/// Registrations of one block.
const BLOCK_PATIENTS: usize = 250;

/// The replay window of the default parameters.
const WINDOW_MS: u64 = 150_000;

/// How long joining may take before the measurement is given up.
const PATIENCE: Duration = Duration::from_mins(5);

/// The member that joins.
const NEWCOMER: usize = 3;

/// Which ledger is joined.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Registered patients.
    pub identities: u32,
    /// Results on the ledger.
    pub results: u32,
    /// Results within the replay window of the newest block.
    pub window: u32,
}

impl Plan {
    /// Milliseconds between two blocks with results.
    fn step_ms(self) -> u64 {
        let blocks = u64::from(self.window.div_ceil(BLOCK_RESULTS)).max(1);
        WINDOW_MS.div_ceil(blocks)
    }

    /// Blocks with results.
    const fn blocks(self) -> u32 {
        self.results.div_ceil(BLOCK_RESULTS)
    }
}

/// Writes the ledger, lets three members run it and measures how the fourth joins.
pub fn measure(binary: &Path, plan: Plan) -> io::Result<Value> {
    let workload = Workload::new(1, plan.identities);
    let patients = u64::from(plan.identities).div_ceil(BLOCK_PATIENTS as u64);
    let blocks = u64::from(plan.blocks())
        .saturating_add(patients)
        .saturating_add(8);
    let start = wall_ms().saturating_sub(blocks.saturating_mul(plan.step_ms()));
    let mut consortium = Consortium::create_at(binary, start)?;
    let mut writer = Writer::new(&consortium, start, plan.step_ms())?;
    let centre = workload.server(&consortium, 0)?;
    writer.register(&workload, &centre)?;
    let costs = writer.results(&workload.server(&consortium, 1)?, plan)?;
    let height = writer.finish()?;
    share(&consortium)?;

    for index in [0, 1, 2] {
        let binary = consortium.binary.clone();
        if let Some(node) = consortium.nodes.get_mut(index) {
            node.start(&binary)?;
        }
    }
    consortium.wait_ready(Duration::from_mins(1))?;
    let mut figures = join(&mut consortium, height)?;
    if let Some(object) = figures.as_object_mut() {
        object.insert("schema".to_owned(), json!("aidchain.bench.join/1"));
        object.insert("identities".to_owned(), json!(plan.identities));
        object.insert("results".to_owned(), json!(plan.results));
        object.insert("window_results".to_owned(), json!(plan.window));
        object.insert("height".to_owned(), json!(height));
        object.insert("write_us_per_result".to_owned(), costs.json());
        object.insert("write_cost_ratio".to_owned(), json!(rounded(costs.ratio())));
    }
    Ok(figures)
}

/// Starts the newcomer and waits until it has the whole ledger and is ready.
fn join(consortium: &mut Consortium, height: u64) -> io::Result<Value> {
    let binary = consortium.binary.clone();
    let late = || io::Error::new(io::ErrorKind::TimedOut, "the newcomer did not join in time");
    let begun = Moment::now();
    let newcomer = consortium.nodes.get_mut(NEWCOMER).ok_or_else(late)?;
    newcomer.start(&binary)?;
    let newcomer = consortium.nodes.get(NEWCOMER).ok_or_else(late)?;
    let there = wait_for(PATIENCE, || {
        newcomer.height().filter(|reached| *reached >= height)
    });
    there.ok_or_else(|| io::Error::other(newcomer.log()))?;
    let seconds = begun.elapsed().as_secs_f64();
    consortium.wait_ready(PATIENCE)?;
    let ready = begun.elapsed().as_secs_f64();
    let pid = newcomer.pid().unwrap_or_default();
    let joined = newcomer.log().contains(r#""event":"joined""#);
    Ok(json!({
        "join_s": rounded(seconds),
        "ready_s": rounded(ready),
        "by_snapshot": joined,
        "newcomer_cpu_s": rounded(cpu_seconds(pid)),
        "newcomer_rss_mb": rounded(peak_memory_mb(pid)),
    }))
}

/// Gives the ledger of the first member to the two others that have one.
fn share(consortium: &Consortium) -> io::Result<()> {
    let homes: Vec<_> = consortium.nodes.iter().map(|node| &node.home).collect();
    let from = homes.first().ok_or(io::ErrorKind::NotFound)?.join(FOLDER);
    for home in homes.iter().take(NEWCOMER).skip(1) {
        copy(&from, &home.join(FOLDER))?;
    }
    Ok(())
}

/// Copies a folder.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// What writing cost, by the number of results on the ledger.
struct Costs(Vec<(u32, f64)>);

impl Costs {
    /// Microseconds per result up to each number of results.
    fn json(&self) -> Value {
        let rows = self.0.iter();
        rows.map(|(results, us)| json!({ "results": results, "us": rounded(*us) }))
            .collect()
    }

    /// The last measure over the first.
    fn ratio(&self) -> f64 {
        let first = self.0.first().map_or(1.0, |(_, us)| *us);
        self.0.last().map_or(1.0, |(_, us)| *us) / first
    }
}

/// Writes a ledger in the name of all members.
struct Writer {
    genesis: Arc<Genesis>,
    committee: Committee,
    keys: Vec<Ed25519>,
    executor: Executor,
    thread: std::thread::JoinHandle<()>,
    replies: mpsc::Receiver<Reply>,
    seq: u64,
    time: u64,
    step_ms: u64,
}

impl Writer {
    /// Writes into the home of the first member.
    fn new(consortium: &Consortium, start: u64, step_ms: u64) -> io::Result<Self> {
        let genesis = Arc::new(consortium.genesis.clone());
        let seeds = consortium.nodes.iter().map(|node| member_seed(&node.home));
        let keys = seeds
            .map(|seed| Ok(Ed25519::from_seed(&seed?)))
            .collect::<io::Result<Vec<_>>>()?;
        let voters = genesis.committee();
        let voters = voters.iter().map(|key| PublicKey::new(*key.as_bytes()));
        let chain = consensus::ChainId::new(*genesis.chain().as_bytes());
        let committee = Committee::new(chain, Epoch::ZERO, voters.collect());
        let (outlet, _outgoing) = tokio::sync::mpsc::channel(1);
        let (pool, _submitter) = Mempool::new(Arc::clone(&genesis), Clock::start(), outlet);
        let (tell, replies) = mpsc::channel();
        let home = consortium.nodes.first().map(|node| node.home.clone());
        let home = home.ok_or(io::ErrorKind::NotFound)?;
        let started = Executor::start(&home, Arc::clone(&genesis), pool, move |reply| {
            drop(tell.send(reply));
        });
        let Started {
            executor, thread, ..
        } = started.map_err(io::Error::other)?;
        Ok(Self {
            committee: committee.map_err(io::Error::other)?,
            genesis,
            keys,
            executor,
            thread,
            replies,
            seq: 0,
            time: start,
            step_ms,
        })
    }

    /// Registers all patients.
    fn register(&mut self, workload: &Workload, centre: &Server) -> io::Result<()> {
        let mut first = 0_usize;
        loop {
            let now = self.time.saturating_add(self.step_ms);
            let last = first.saturating_add(BLOCK_PATIENTS);
            let block =
                (first..last).map_while(|number| workload.registration(centre, number, now));
            let block: Vec<_> = block.collect();
            if block.is_empty() {
                return Ok(());
            }
            self.block(&block)?;
            first = last;
        }
    }

    /// Records results; tells what they cost by the number of them that were there.
    fn results(&mut self, server: &Server, plan: Plan) -> io::Result<Costs> {
        let mut costs = Vec::new();
        let mut mark = 1_000;
        let (mut spent, mut counted) = (Duration::ZERO, 0_u32);
        for number in 1..=plan.blocks() {
            let now = self.time.saturating_add(self.step_ms);
            let bundle = server.bundle_at(now, number.into(), BLOCK_RESULTS as usize);
            let from = Moment::now();
            self.block(&[bundle])?;
            spent = spent.saturating_add(from.elapsed());
            counted = counted.saturating_add(BLOCK_RESULTS);
            let written = number.saturating_mul(BLOCK_RESULTS);
            if written >= mark || number == plan.blocks() {
                costs.push((
                    written,
                    spent.as_secs_f64() * 1e6 / f64::from(counted.max(1)),
                ));
                (spent, counted) = (Duration::ZERO, 0);
                mark = mark.saturating_mul(10);
            }
        }
        Ok(Costs(costs))
    }

    /// Executes and certifies one block of these transactions.
    fn block(&mut self, transactions: &[SignedTransaction]) -> io::Result<()> {
        self.seq = self.seq.saturating_add(1);
        self.time = self.time.saturating_add(self.step_ms);
        let bytes = transactions.iter().map(SignedTransaction::as_bytes);
        let batch = Batch::new(encode_batch(BlockTime::new(self.time), bytes));
        let commit = Commit {
            view: View::ZERO,
            seq: Seq::new(self.seq),
            digest: batch.digest(),
        };
        let certificate = CommitCertificate {
            epoch: Epoch::ZERO,
            view: commit.view,
            seq: commit.seq,
            digest: commit.digest,
            commits: self
                .votes(|from, key| Signed::sign(commit, from, &self.committee, key).signature),
        };
        let proof = Proven::verify(certificate, &self.committee).map_err(io::Error::other)?;
        let committed = Committed {
            seq: commit.seq,
            batch,
            proof: Order::Commits(proof),
        };
        self.executor.execute(committed).map_err(io::Error::other)?;
        let header = self.executed()?;
        let checkpoint = Checkpoint {
            seq: commit.seq,
            header,
        };
        let certificate = CheckpointCertificate {
            epoch: Epoch::ZERO,
            seq: commit.seq,
            header,
            checkpoints: self
                .votes(|from, key| Signed::sign(checkpoint, from, &self.committee, key).signature),
        };
        self.executor.certify(certificate).map_err(io::Error::other)
    }

    /// The hash of the header of the block that was just executed; every transaction in it counts.
    fn executed(&self) -> io::Result<Digest> {
        match self.replies.recv().map_err(io::Error::other)? {
            Reply::Executed { header, .. } => Ok(header),
            Reply::Failed(error) => Err(io::Error::other(error)),
            other @ (Reply::Durable(_) | Reply::WrittenDown(_)) => {
                Err(io::Error::other(format!("{other:?}")))
            }
        }
    }

    /// Signatures of a quorum.
    fn votes(
        &self,
        sign: impl Fn(ReplicaId, &Ed25519) -> Signature,
    ) -> Vec<(ReplicaId, Signature)> {
        let members = (0..).map(ReplicaId::new).zip(&self.keys);
        members
            .take(self.committee.quorum())
            .map(|(from, key)| (from, sign(from, key)))
            .collect()
    }

    /// Makes the ledger durable; its height.
    fn finish(self) -> io::Result<u64> {
        self.executor.stop().map_err(io::Error::other)?;
        let ended = self.thread.join();
        if ended.is_err() {
            return Err(io::Error::other("the executor ended by a fault"));
        }
        debug_assert!(self.genesis.members().len() == self.keys.len());
        Ok(self.seq)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_results_as_asked_for_lie_within_the_window() {
        let plan = Plan {
            identities: 1,
            results: 1_000_000,
            window: 100_000,
        };

        assert_eq!(plan.blocks(), 13_334);
        let blocks = WINDOW_MS / plan.step_ms();
        let within = blocks * u64::from(BLOCK_RESULTS);
        assert!((99_000..=100_000).contains(&within), "{within}");
    }
}
