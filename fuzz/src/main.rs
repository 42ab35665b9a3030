//! Fuzzes for so many seeds: `scripts/fuzz [--seeds N] [--base-seed S] [--part sequences|decoders]`.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::panic::catch_unwind;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use fuzz::target::{self, Target};
use fuzz::{corpus, decoder, sequence};
use simulator::Stopwatch;

/// What the command line asks for.
#[derive(Clone, Copy)]
struct Wish {
    /// How many seeds.
    seeds: u64,
    /// The first one.
    base: u64,
    /// What is fuzzed.
    part: Part,
}

/// What is fuzzed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Everything.
    All,
    /// Replicas, and the decoders of consensus with what replicas wrote.
    Sequences,
    /// All other decoders.
    Decoders,
}

/// What came of many seeds.
#[derive(Default)]
struct Total {
    /// Inputs for replicas: taken, refused, stopped at the edge.
    steps: (u64, u64, u64),
    /// Crashes, places ordered.
    crashes: u64,
    /// Places ordered.
    ordered: u64,
    /// Inputs for decoders by name: taken, refused.
    bytes: BTreeMap<&'static str, (u64, u64)>,
    /// What went wrong, by seed.
    faults: Vec<(u64, String)>,
}

fn main() -> ExitCode {
    let Some(wish) = wish(std::env::args().skip(1)) else {
        let usage = "usage: fuzz [--seeds N] [--base-seed S] [--part sequences|decoders]\n";
        let told = io::stderr().write_all(usage.as_bytes());
        return ExitCode::from(if told.is_ok() { 2 } else { 3 });
    };
    match fuzz(wish, &mut io::stdout()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(_) => ExitCode::from(3),
    }
}

/// Reads the command line.
fn wish(mut words: impl Iterator<Item = String>) -> Option<Wish> {
    let mut wish = Wish {
        seeds: 1000,
        base: 0,
        part: Part::All,
    };
    while let Some(word) = words.next() {
        match word.as_str() {
            "--seeds" => wish.seeds = words.next()?.parse().ok()?,
            "--base-seed" => wish.base = words.next()?.parse().ok()?,
            "--part" => match words.next()?.as_str() {
                "sequences" => wish.part = Part::Sequences,
                "decoders" => wish.part = Part::Decoders,
                _ => return None,
            },
            _ => return None,
        }
    }
    Some(wish)
}

/// Plays all seeds on all cores.
fn fuzz(wish: Wish, out: &mut impl Write) -> io::Result<bool> {
    let stopwatch = Stopwatch::start();
    let next = AtomicU64::new(0);
    let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let totals: Vec<Total> = thread::scope(|scope| {
        let workers: Vec<_> = (0..cores)
            .map(|_| scope.spawn(|| work(wish, &next)))
            .collect();
        workers
            .into_iter()
            .filter_map(|worker| worker.join().ok())
            .collect()
    });
    let seconds = stopwatch.elapsed().as_secs_f64();
    tell(&totals, wish, out)?;
    let failed = totals.iter().map(|total| total.faults.len() as u64).sum();
    let passed = wish.seeds.saturating_sub(failed);
    writeln!(
        out,
        "{seconds:.1} s on {cores} cores\n{passed} passed, {failed} failed"
    )?;
    Ok(failed == 0 && totals.len() == cores)
}

/// What came of all of them.
fn tell(totals: &[Total], wish: Wish, out: &mut impl Write) -> io::Result<()> {
    let sum = |part: fn(&Total) -> u64| totals.iter().map(part).fold(0, u64::saturating_add);
    for (seed, fault) in totals.iter().flat_map(|total| &total.faults) {
        writeln!(out, "seed {seed}: {fault}")?;
    }
    if wish.part != Part::Decoders {
        let (taken, refused, edge) = (sum(|t| t.steps.0), sum(|t| t.steps.1), sum(|t| t.steps.2));
        writeln!(
            out,
            "replicas: {taken} inputs taken, {refused} refused, {edge} frames stopped at the edge, {} crashes, {} places ordered",
            sum(|t| t.crashes),
            sum(|t| t.ordered)
        )?;
    }
    let mut by_name: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for (name, (taken, refused)) in totals.iter().flat_map(|total| &total.bytes) {
        let all = by_name.entry(name).or_default();
        *all = (all.0.saturating_add(*taken), all.1.saturating_add(*refused));
    }
    for (name, (taken, refused)) in by_name {
        writeln!(out, "{name}: {taken} taken, {refused} refused")?;
    }
    Ok(())
}

/// One core's share.
fn work(wish: Wish, next: &AtomicU64) -> Total {
    let mut total = Total::default();
    let targets = match wish.part {
        Part::All | Part::Decoders => target::all(),
        Part::Sequences => Vec::new(),
    };
    loop {
        let turn = next.fetch_add(1, Ordering::Relaxed);
        if turn >= wish.seeds {
            return total;
        }
        let seed = wish.base.saturating_add(turn);
        if wish.part != Part::Decoders {
            total.sequences(seed);
        }
        for target in &targets {
            total.decoder(target, seed);
        }
    }
}

impl Total {
    /// A seed for replicas, and for the decoders of consensus.
    fn sequences(&mut self, seed: u64) {
        // A panic is what is looked for; the seed that brings it must be told.
        let played = catch_unwind(|| {
            let steps = sequence::play(seed, sequence::Weakness::None);
            (steps, decoder::play(seed))
        });
        let Ok((steps, bytes)) = played else {
            self.fault(seed, "a panic");
            return;
        };
        self.steps.0 = self.steps.0.saturating_add(steps.taken);
        self.steps.1 = self.steps.1.saturating_add(steps.refused);
        self.steps.2 = self.steps.2.saturating_add(steps.stopped_at_the_edge);
        self.crashes = self.crashes.saturating_add(steps.crashes);
        self.ordered = self.ordered.saturating_add(steps.ordered);
        self.count(
            "consensus/frame, record, certificate, evidence",
            bytes.taken,
            bytes.refused,
        );
        let faults = [
            steps.fault.map(|fault| format!("{fault:?}")),
            bytes.fault.map(|fault| format!("{fault:?}")),
        ];
        if let Some(fault) = faults.into_iter().flatten().next() {
            self.fault(seed, &fault);
        }
    }

    /// A seed for one decoder; what breaks it is kept.
    fn decoder(&mut self, target: &Target, seed: u64) {
        let tally = target.play(seed);
        self.count(target.name, tally.taken, tally.refused);
        if let Some((bytes, fault)) = tally.fault {
            let kept = match corpus::keep(target, &bytes) {
                Ok(path) => format!("kept as {}", path.display()),
                Err(error) => format!("not kept: {error}"),
            };
            self.faults
                .push((seed, format!("{}: {fault:?}; {kept}", target.name)));
        }
    }

    /// Counts inputs of a decoder.
    fn count(&mut self, name: &'static str, taken: u64, refused: u64) {
        let all = self.bytes.entry(name).or_default();
        *all = (all.0.saturating_add(taken), all.1.saturating_add(refused));
    }

    /// Notes what a seed brought to light.
    fn fault(&mut self, seed: u64, fault: &str) {
        let text = format!("{fault}\n  add it to fuzz/regressions/seeds.txt");
        self.faults.push((seed, text));
    }
}
