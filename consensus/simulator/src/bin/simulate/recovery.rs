//! How soon after a long loss of quorum the first transaction is final, while one of four lies.

use std::io;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use simulator::{Blackout, Character, Outcome, Sabotage, Scenario, run_scenario};

use crate::verdict;
use crate::wish::Wish;

/// The longest time from a heal to the first transaction that is final.
const RECOVERY: Duration = Duration::from_secs(2);

/// How long quorums are lost.
const LOSSES: [Duration; 3] = [
    Duration::from_secs(10),
    Duration::from_mins(1),
    Duration::from_mins(10),
];

/// One adversary under one loss, in as many seeds as are wished.
#[derive(Debug)]
struct Row {
    character: Character,
    blackout: Blackout,
    loss: Duration,
    /// How long each seed took.
    times: Vec<(Duration, u64)>,
    /// How many broke a rule.
    broken: u64,
    /// The lines of the traces that were asked for.
    trace: Vec<String>,
}

/// All adversaries that are wished under all losses.
pub(crate) fn report(wish: &Wish) -> io::Result<ExitCode> {
    let mut out = io::stdout().lock();
    let mut failures = 0_u64;
    let wished = |one: &Character| wish.adversary.is_none_or(|only| only == *one);
    for blackout in [Blackout::Dark, Blackout::Restless] {
        for loss in LOSSES {
            for character in Character::ALL.into_iter().filter(wished) {
                let row = Row::run(wish, character, blackout, loss);
                row.tell(&mut out)?;
                failures = failures.saturating_add(row.failures());
            }
        }
    }
    Ok(verdict(failures))
}

impl Row {
    /// Runs the seeds on two cores.
    fn run(wish: &Wish, character: Character, blackout: Blackout, loss: Duration) -> Self {
        let next = AtomicU64::new(0);
        let row = Mutex::new(Self {
            character,
            blackout,
            loss,
            times: Vec::new(),
            broken: 0,
            trace: Vec::new(),
        });
        let work = || {
            loop {
                let turn = next.fetch_add(1, Ordering::Relaxed);
                if turn >= wish.seeds {
                    return;
                }
                let seed = wish.base.saturating_add(turn);
                let run = run_scenario(seed, Sabotage::None, wish.trace, |seed, _| {
                    Scenario::cut_off(seed, character, blackout, loss)
                });
                let mut row = row.lock().unwrap_or_else(PoisonError::into_inner);
                row.add(seed, run);
            }
        };
        thread::scope(|scope| {
            scope.spawn(work);
            work();
        });
        let mut row = row.into_inner().unwrap_or_else(PoisonError::into_inner);
        row.times.sort_unstable();
        row
    }

    /// What came out of a seed.
    fn add(&mut self, seed: u64, mut run: Outcome) {
        self.broken = self.broken.saturating_add(run.violation.is_some().into());
        self.times.extend(run.recovered_in.map(|time| (time, seed)));
        self.trace.append(&mut run.trace);
    }

    /// How many seeds took longer than they may.
    fn late(&self) -> u64 {
        self.times
            .iter()
            .filter(|(time, _)| *time > RECOVERY)
            .count() as u64
    }

    fn failures(&self) -> u64 {
        self.late().saturating_add(self.broken)
    }

    /// The seed, and its time, that this share of all were no slower than, in percent.
    fn at(&self, share: usize) -> (Duration, u64) {
        let place = self.times.len().saturating_sub(1).saturating_mul(share) / 100;
        self.times.get(place).copied().unwrap_or_default()
    }

    /// Says what came out.
    fn tell(&self, out: &mut impl io::Write) -> io::Result<()> {
        for line in &self.trace {
            writeln!(out, "{line}")?;
        }
        let (worst, seed) = self.at(100);
        writeln!(
            out,
            "{:<8?} {:>3} s {:<15} median {:.2} s, 99 % {:.2} s, worst {:.2} s (seed {seed}), \
             {} of {} late, {} broke a rule",
            self.blackout,
            self.loss.as_secs(),
            format!("{:?}", self.character),
            self.at(50).0.as_secs_f64(),
            self.at(99).0.as_secs_f64(),
            worst.as_secs_f64(),
            self.late(),
            self.times.len(),
            self.broken,
        )
    }
}
