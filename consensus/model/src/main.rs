//! Checks the model and prints what came of it: `scripts/model [--quick] [--seeds N] [--base-seed S]`.

use std::io::{self, Write};
use std::process::ExitCode;

use model::{Conformance, Rule, full, quick, without};
use simulator::{Sabotage, Stopwatch, run_witnessed};

/// What the command line asks for.
#[derive(Clone, Copy)]
struct Wish {
    /// Only what every test run checks.
    quick: bool,
    /// How many seeds of the simulator are held against the model.
    seeds: u64,
    /// The first one.
    base: u64,
}

fn main() -> ExitCode {
    let Some(wish) = wish(std::env::args().skip(1)) else {
        let usage = "usage: model [--quick] [--seeds N] [--base-seed S]\n";
        let told = io::stderr().write_all(usage.as_bytes());
        return ExitCode::from(if told.is_ok() { 2 } else { 3 });
    };
    match run(wish, &mut io::stdout()) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(_) => ExitCode::from(3),
    }
}

/// Reads the command line.
fn wish(mut words: impl Iterator<Item = String>) -> Option<Wish> {
    let mut wish = Wish {
        quick: false,
        seeds: 2000,
        base: 0,
    };
    while let Some(word) = words.next() {
        match word.as_str() {
            "--quick" => wish.quick = true,
            "--seeds" => wish.seeds = words.next()?.parse().ok()?,
            "--base-seed" => wish.base = words.next()?.parse().ok()?,
            _ => return None,
        }
    }
    Some(wish)
}

/// Runs everything; gives how many claims did not hold.
fn run(wish: Wish, out: &mut impl Write) -> io::Result<u64> {
    let (mut passed, mut failed) = (0_u64, 0_u64);
    let mut count = |holds: bool| {
        let side = if holds { &mut passed } else { &mut failed };
        *side = side.saturating_add(1);
    };
    writeln!(out, "With all rules:")?;
    for check in if wish.quick { quick() } else { full() } {
        let verdict = check();
        writeln!(out, "{verdict}")?;
        if let Some(story) = &verdict.broken {
            writeln!(out, "{story}")?;
        }
        count(verdict.holds());
    }
    writeln!(out, "\nWithout one rule there must be a counterexample:")?;
    for rule in Rule::ALL {
        let verdict = without(rule);
        writeln!(out, "{verdict}")?;
        if let Some(story) = &verdict.broken {
            writeln!(out, "{story}")?;
        }
        count(verdict.broken.is_some());
    }
    count(conform(wish, out)?);
    writeln!(out, "{passed} passed, {failed} failed")?;
    Ok(failed)
}

/// Holds runs of the simulator against the model.
fn conform(wish: Wish, out: &mut impl Write) -> io::Result<bool> {
    let stopwatch = Stopwatch::start();
    let (mut steps, mut strangers) = (0_usize, 0_u64);
    for seed in (wish.base..).take(usize::try_from(wish.seeds).unwrap_or(usize::MAX)) {
        let (_, history) = run_witnessed(seed, Sabotage::None);
        match Conformance::of(&history) {
            Ok(taken) => steps = steps.saturating_add(taken),
            Err(deviation) => {
                strangers = strangers.saturating_add(1);
                writeln!(
                    out,
                    "seed {seed} does what the model does not allow: {deviation}"
                )?;
            }
        }
    }
    let (seeds, seconds) = (wish.seeds, stopwatch.elapsed().as_secs_f64());
    writeln!(
        out,
        "conformance: {seeds} seeds of the simulator, {steps} steps of the model, {strangers} runs that leave it, {seconds:.1} s"
    )?;
    Ok(strangers == 0)
}
