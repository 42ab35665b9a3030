//! Figures: what adversaries leave of the throughput, finality over distance, and Twins.

use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use simulator::twins::{self, Generator, Script};
use simulator::{Character, Dice, Outcome, Sabotage, Scenario, Stopwatch, run_scenario};

use crate::verdict;
use crate::wish::Wish;

/// A run of a scenario of one's own, with simulated signatures.
fn run(scenario: impl FnOnce(u64) -> Scenario) -> Outcome {
    run_scenario(1, Sabotage::None, false, |seed, _| scenario(seed))
}

/// Transactions that become final in the minute in which one of four misbehaves.
pub(crate) fn adversaries() -> io::Result<ExitCode> {
    let mut out = io::stdout().lock();
    let calm = run(|seed| Scenario::minute(seed, None));
    writeln!(
        out,
        "{:<18} {:>7} transactions in a minute",
        "nobody", calm.served
    )?;
    let mut failures = u64::from(calm.violation.is_some());
    for character in Character::ALL {
        let outcome = run(|seed| Scenario::minute(seed, Some(character)));
        let share = outcome.served.saturating_mul(100).checked_div(calm.served);
        let share = share.unwrap_or(0);
        let name = format!("{character:?}");
        let verdict = match &outcome.violation {
            None => String::new(),
            Some(violation) => format!(", {violation:?}"),
        };
        writeln!(
            out,
            "{name:<18} {:>7} {share:>4} %{verdict}",
            outcome.served
        )?;
        let failed = outcome.violation.is_some() || share < 70;
        failures = failures.saturating_add(u64::from(failed));
    }
    Ok(verdict(failures))
}

/// Finality for committees whose members are 50 ms from each other and back, each with one
/// processor that needs 32 µs for each signature it checks and 15 µs for each it makes.
pub(crate) fn far_apart() -> io::Result<ExitCode> {
    let mut out = io::stdout().lock();
    let mut failures = 0_u64;
    for size in [4, 7, 16, 31] {
        let mut outcome = run(|seed| Scenario::far_apart(seed, size));
        outcome.latencies.sort_unstable();
        let count = outcome.latencies.len();
        let at = |share: usize| {
            let place = count.saturating_sub(1).saturating_mul(share) / 100;
            outcome.latencies.get(place).copied().unwrap_or_default()
        };
        let (median, most) = (at(50), at(100));
        writeln!(
            out,
            "n = {size:>2}: {count} transactions, final after {median:?} (median), {:?} (99 %), \
             {most:?} (slowest)",
            at(99)
        )?;
        let failed = outcome.violation.is_some() || most > Duration::from_millis(500);
        failures = failures.saturating_add(u64::from(failed));
    }
    Ok(verdict(failures))
}

/// So many scripts of four members of which one runs twice, and of seven of which two do.
pub(crate) fn twins(count: u64, wish: &Wish) -> io::Result<ExitCode> {
    let mut dice = Dice::new(wish.base);
    let four = Generator::new(4, 1, 2, 4);
    let seven = Generator::new(7, 2, 2, 3);
    let told = format!(
        "{} scripts of 4 members and 4 views, {} of 7 members and 3 views",
        four.count(),
        seven.count()
    );
    let scripts = (0..count).map(|number| {
        if number % 8 == 7 {
            seven.any(&mut dice)
        } else {
            four.any(&mut dice)
        }
    });
    let scripts: Vec<Script> = scripts.collect();
    play(&told, &scripts, wish)
}

/// The scripts of a file.
pub(crate) fn twins_file(file: &Path, wish: &Wish) -> io::Result<ExitCode> {
    let text = std::fs::read_to_string(file)?;
    match twins::read(&text) {
        Ok(scripts) => play(&file.display().to_string(), &scripts, wish),
        Err(why) => {
            writeln!(io::stderr(), "{}: {why}", file.display())?;
            Ok(ExitCode::from(2))
        }
    }
}

/// Plays scripts and counts those that break a rule.
fn play(told: &str, scripts: &[Script], wish: &Wish) -> io::Result<ExitCode> {
    let mut out = io::stdout().lock();
    writeln!(out, "{told}")?;
    let started = Stopwatch::start();
    let (mut failures, mut blocks) = (0_u64, 0_u64);
    for (number, script) in scripts.iter().enumerate() {
        let outcome = script.run(wish.base, Sabotage::None, wish.trace);
        blocks = blocks.saturating_add(outcome.height as u64);
        if let Some(violation) = outcome.violation {
            failures = failures.saturating_add(1);
            for line in &outcome.trace {
                writeln!(out, "{line}")?;
            }
            writeln!(out, "script {number} failed: {violation:?}")?;
            write!(out, "{}", twins::write(core::slice::from_ref(script)))?;
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    writeln!(
        out,
        "base seed {}, {blocks} blocks final, {seconds:.1} s",
        wish.base
    )?;
    let passed = (scripts.len() as u64).saturating_sub(failures);
    writeln!(out, "{passed} passed, {failures} failed")?;
    Ok(verdict(failures))
}
