//! How soon after a long loss of quorum the first transaction is final, while one of four lies.

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use simulator::{Blackout, Character, Sabotage, Scenario, run_scenario};

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

/// All adversaries under all losses, each in as many seeds as are wished.
pub(crate) fn report(wish: &Wish) -> io::Result<ExitCode> {
    let mut out = io::stdout().lock();
    let mut failures = 0_u64;
    for blackout in [Blackout::Dark, Blackout::Restless] {
        for loss in LOSSES {
            for character in Character::ALL {
                let (mut times, broken) = times(wish, character, blackout, loss);
                times.sort_unstable();
                let late = times.iter().filter(|(time, _)| *time > RECOVERY).count();
                let at = |share: usize| {
                    let place = times.len().saturating_sub(1).saturating_mul(share) / 100;
                    times.get(place).copied().unwrap_or_default()
                };
                let (worst, seed) = at(100);
                writeln!(
                    out,
                    "{blackout:<8?} {:>3} s {:<15} median {:.2} s, 99 % {:.2} s, worst {:.2} s \
                     (seed {seed}), {late} of {} late, {broken} broke a rule",
                    loss.as_secs(),
                    format!("{character:?}"),
                    at(50).0.as_secs_f64(),
                    at(99).0.as_secs_f64(),
                    worst.as_secs_f64(),
                    times.len(),
                )?;
                failures = failures.saturating_add(late as u64).saturating_add(broken);
            }
        }
    }
    Ok(verdict(failures))
}

/// How long each seed took, and how many broke a rule.
fn times(
    wish: &Wish,
    character: Character,
    blackout: Blackout,
    loss: Duration,
) -> (Vec<(Duration, u64)>, u64) {
    let (next, broken) = (AtomicU64::new(0), AtomicU64::new(0));
    let times = Mutex::new(Vec::new());
    let work = || {
        loop {
            let turn = next.fetch_add(1, Ordering::Relaxed);
            if turn >= wish.seeds {
                return;
            }
            let seed = wish.base.saturating_add(turn);
            let run = run_scenario(seed, Sabotage::None, false, |seed, _| {
                Scenario::cut_off(seed, character, blackout, loss)
            });
            broken.fetch_add(u64::from(run.violation.is_some()), Ordering::Relaxed);
            let mut times = times.lock().unwrap_or_else(PoisonError::into_inner);
            times.extend(run.recovered_in.map(|time| (time, seed)));
        }
    };
    thread::scope(|scope| {
        scope.spawn(work);
        work();
    });
    let times = times.into_inner().unwrap_or_else(PoisonError::into_inner);
    (times, broken.into_inner())
}
