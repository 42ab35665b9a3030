//! Many seeds on all cores.

use std::io::{self, Write as _};
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use simulator::{Outcome, Sabotage, Stopwatch, run, run_traced};

use crate::wish::Wish;
use crate::{log, verdict};

/// What one core's share came to.
#[derive(Default)]
struct Share {
    /// How many seeds it ran.
    seeds: u64,
    /// How many blocks became final in them.
    blocks: u64,
    /// How many of them changed the committee.
    epochs: u64,
    /// How many contradictions were reported.
    accusations: u64,
    /// The seed that took longest to finish after its heal, and how long.
    slowest: (Duration, u64),
    /// The seeds that broke a rule.
    failed: Vec<(u64, Outcome)>,
    /// The lines of a trace that was asked for.
    trace: Vec<String>,
}

impl Share {
    /// Adds a run.
    fn add(&mut self, seed: u64, mut run: Outcome) {
        self.seeds = self.seeds.saturating_add(1);
        self.blocks = self.blocks.saturating_add(run.height as u64);
        self.epochs = self.epochs.saturating_add(u64::from(run.epoch.get() > 0));
        self.accusations = self.accusations.saturating_add(run.accusations as u64);
        self.slowest = self.slowest.max((run.healed_in, seed));
        if run.violation.is_some() {
            self.failed.push((seed, run));
        } else {
            self.trace.append(&mut run.trace);
        }
    }

    /// Adds another core's share.
    fn join(&mut self, mut other: Self) {
        self.seeds = self.seeds.saturating_add(other.seeds);
        self.blocks = self.blocks.saturating_add(other.blocks);
        self.epochs = self.epochs.saturating_add(other.epochs);
        self.accusations = self.accusations.saturating_add(other.accusations);
        self.slowest = self.slowest.max(other.slowest);
        self.failed.append(&mut other.failed);
        self.trace.append(&mut other.trace);
    }
}

/// Runs all seeds; each core takes the next one when it is done with its last.
pub(crate) fn run_all(wish: &Wish) -> io::Result<ExitCode> {
    // Told first too: a run that the system kills must not take its seeds with it.
    writeln!(
        io::stdout(),
        "{} seeds from base seed {}",
        wish.seeds,
        wish.base
    )?;
    let started = Stopwatch::start();
    let next = AtomicU64::new(0);
    let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let mut all = Share::default();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..cores)
            .map(|_| scope.spawn(|| work(wish, &next)))
            .collect();
        let shares = workers.into_iter().filter_map(|worker| worker.join().ok());
        shares.for_each(|share| all.join(share));
    });
    all.failed.sort_by_key(|(seed, _)| *seed);
    let seconds = started.elapsed().as_secs_f64().max(0.001);
    tell(wish, &all, seconds, cores)
}

/// Says what came out.
fn tell(wish: &Wish, all: &Share, seconds: f64, cores: usize) -> io::Result<ExitCode> {
    let mut out = io::stdout().lock();
    for line in &all.trace {
        writeln!(out, "{line}")?;
    }
    for (seed, run) in &all.failed {
        for line in &run.trace {
            writeln!(out, "{line}")?;
        }
        writeln!(out, "seed {seed} failed: {:?}", run.violation)?;
        writeln!(
            out,
            "  read its trace: scripts/simulate --seed {seed} --trace"
        )?;
    }
    let (slowest, seed) = all.slowest;
    writeln!(
        out,
        "slowest to finish after the heal: {slowest:?} (seed {seed})"
    )?;
    let rate = f64::from(u32::try_from(all.seeds).unwrap_or(u32::MAX)) / seconds;
    writeln!(
        out,
        "{} blocks final, {} runs over several epochs, {} contradictions reported, all true",
        all.blocks, all.epochs, all.accusations
    )?;
    writeln!(
        out,
        "base seed {}, {seconds:.1} s, {rate:.0} seeds/s on {cores} cores",
        wish.base
    )?;
    let lost = wish.seeds.saturating_sub(all.seeds);
    let failures = (all.failed.len() as u64).saturating_add(lost);
    let passed = wish.seeds.saturating_sub(failures);
    if let Some(file) = &wish.log {
        log::add(file, wish.base, passed, failures, rate)?;
    }
    writeln!(out, "{passed} passed, {failures} failed")?;
    Ok(verdict(failures))
}

/// One core's share.
fn work(wish: &Wish, next: &AtomicU64) -> Share {
    let mut share = Share::default();
    loop {
        let turn = next.fetch_add(1, Ordering::Relaxed);
        if turn >= wish.seeds {
            return share;
        }
        let seed = wish.base.saturating_add(turn);
        let outcome = if wish.trace {
            run_traced(seed, Sabotage::None)
        } else {
            run(seed, Sabotage::None)
        };
        share.add(seed, outcome);
    }
}
