//! Adversaries, mutations, Twins and bounds: what one misbehaving member can do to three others.
#![expect(
    clippy::tests_outside_test_module,
    reason = "an integration test is a test module"
)]
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test stops at its own mistakes"
)]

mod adversaries;
mod bounds;
mod epochs;
mod full_windows;
mod mutations;
mod recovery;
mod sabotages;
mod twins;

use core::time::Duration;

use simulator::{Character, Fate, Outcome, Sabotage, Scenario, run_scenario};

/// How long after everything has healed all is done, whatever one member does.
const BOUND: Duration = Duration::from_secs(10);

/// Runs seeds in which one of four members misbehaves under all kinds of faults; nothing may
/// break, and everything must be done within [`BOUND`] of the heal. Gives the runs.
fn withstands(character: Character, seeds: u64) -> Vec<Outcome> {
    let runs = (0..seeds).map(|seed| {
        let mut fates = vec![Fate::Honest; 4];
        fates[usize::try_from(seed % 4).unwrap()] = Fate::Byzantine(character);
        let run = run_scenario(seed, Sabotage::None, false, |seed, dice| {
            Scenario::among(seed, fates, dice)
        });
        assert_eq!(run.violation, None, "seed {seed}");
        assert!(run.healed_in <= BOUND, "seed {seed}: {:?}", run.healed_in);
        run
    });
    runs.collect()
}
