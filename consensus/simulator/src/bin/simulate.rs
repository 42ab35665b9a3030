//! Runs many seeds on all cores and says which ones break a rule.

use std::io::{self, Write as _};
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use simulator::{Outcome, Sabotage, Stopwatch, run, run_traced};

/// What the command line asks for.
#[derive(Clone, Copy)]
struct Wish {
    /// How many seeds.
    seeds: u64,
    /// The first one.
    base: u64,
    /// Whether to print what happens.
    trace: bool,
}

fn main() -> ExitCode {
    let Some(wish) = wish(std::env::args().skip(1)) else {
        let usage = "usage: simulate [--seeds N] [--base-seed S] [--trace]\n";
        let told = io::stderr().write_all(usage.as_bytes());
        return ExitCode::from(if told.is_ok() { 2 } else { 3 });
    };
    simulate(wish).unwrap_or_else(|_| ExitCode::from(3))
}

/// Reads the command line.
fn wish(mut words: impl Iterator<Item = String>) -> Option<Wish> {
    let mut wish = Wish {
        seeds: 1000,
        base: 0,
        trace: false,
    };
    while let Some(word) = words.next() {
        match word.as_str() {
            "--seeds" => wish.seeds = words.next()?.parse().ok()?,
            "--base-seed" => wish.base = words.next()?.parse().ok()?,
            "--trace" => wish.trace = true,
            _ => return None,
        }
    }
    Some(wish)
}

/// Runs all seeds; each core takes the next one when it is done with its last.
fn simulate(wish: Wish) -> io::Result<ExitCode> {
    let started = Stopwatch::start();
    let next = AtomicU64::new(0);
    let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let runs: Vec<(u64, Outcome)> = thread::scope(|scope| {
        let workers: Vec<_> = (0..cores)
            .map(|_| scope.spawn(|| work(wish, &next)))
            .collect();
        let done = workers.into_iter().filter_map(|worker| worker.join().ok());
        done.flatten().collect()
    });
    let mut out = io::stdout().lock();
    let mut failed: Vec<_> = runs
        .iter()
        .filter(|(_, run)| run.violation.is_some())
        .collect();
    failed.sort_by_key(|(seed, _)| *seed);
    if wish.trace && failed.is_empty() {
        for line in runs.iter().flat_map(|(_, run)| &run.trace) {
            writeln!(out, "{line}")?;
        }
    }
    for (seed, run) in &failed {
        for line in &run.trace {
            writeln!(out, "{line}")?;
        }
        writeln!(out, "seed {seed} failed: {:?}", run.violation)?;
        writeln!(
            out,
            "  read its trace: scripts/simulate --seeds 1 --base-seed {seed} --trace"
        )?;
    }
    let blocks: usize = runs.iter().map(|(_, run)| run.height).sum();
    let slowest = runs.iter().max_by_key(|(_, run)| run.healed_in);
    if let Some((seed, run)) = slowest {
        writeln!(
            out,
            "slowest to finish after the heal: {:?} (seed {seed})",
            run.healed_in
        )?;
    }
    let seconds = started.elapsed().as_secs_f64();
    let rate = f64::from(u32::try_from(runs.len()).unwrap_or(u32::MAX)) / seconds.max(0.001);
    writeln!(
        out,
        "{blocks} blocks final, {seconds:.1} s, {rate:.0} seeds/s on {cores} cores"
    )?;
    let lost = wish.seeds.saturating_sub(runs.len() as u64);
    let failures = (failed.len() as u64).saturating_add(lost);
    writeln!(
        out,
        "{} passed, {failures} failed",
        wish.seeds.saturating_sub(failures)
    )?;
    Ok(if failures == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// One core's share.
fn work(wish: Wish, next: &AtomicU64) -> Vec<(u64, Outcome)> {
    let mut runs = Vec::new();
    loop {
        let turn = next.fetch_add(1, Ordering::Relaxed);
        if turn >= wish.seeds {
            return runs;
        }
        let seed = wish.base.saturating_add(turn);
        let run = if wish.trace {
            run_traced(seed, Sabotage::None)
        } else {
            run(seed, Sabotage::None)
        };
        runs.push((seed, run));
    }
}
