//! A liar and a lost quorum together: soon after the heal something is ordered, and a network that
//! is slow all the same gets the time that it needs.

use core::time::Duration;

use simulator::{Blackout, Character, Fate, Load, Outcome, Sabotage, Scenario, run_scenario};

/// The longest time from a heal to the first transaction that is final.
const RECOVERY: Duration = Duration::from_secs(2);

/// Runs seeds in which one of four misbehaves and a quorum is lost for so long; each must be
/// ordering again in time.
fn recovers(blackout: Blackout, loss: Duration, seeds: core::ops::Range<u64>) {
    let mut late = Vec::new();
    for character in Character::ALL {
        for seed in seeds.clone() {
            let run = run_scenario(seed, Sabotage::None, false, |seed, _| {
                Scenario::cut_off(seed, character, blackout, loss)
            });
            assert_eq!(run.violation, None, "{character:?}, seed {seed}");
            late.extend(
                run.recovered_in
                    .filter(|took| *took > RECOVERY)
                    .map(|took| (character, seed, took)),
            );
        }
    }
    assert_eq!(late, []);
}

#[test]
fn after_ten_seconds_without_a_quorum_and_with_a_liar_a_transaction_is_final_within_two_seconds() {
    recovers(Blackout::Dark, Duration::from_secs(10), 1..13);
}

#[test]
fn after_a_minute_of_ever_new_cuts_and_with_a_liar_a_transaction_is_final_within_two_seconds() {
    recovers(Blackout::Restless, Duration::from_mins(1), 1..13);
}

#[test]
fn after_ten_minutes_without_a_quorum_and_with_a_liar_a_transaction_is_final_within_two_seconds() {
    recovers(Blackout::Dark, Duration::from_mins(10), 1..3);
}

/// What is ordered in five minutes by members whose frames need up to twice T0, with this one
/// among them.
fn slow(seed: u64, fate: Fate) -> Outcome {
    let run = run_scenario(seed, Sabotage::None, false, |seed, _| {
        let mut scenario = Scenario::calm(seed, 4);
        scenario.fates[(seed % 4) as usize] = fate;
        scenario.network.nearest = Duration::from_millis(300);
        scenario.network.delay = Duration::from_millis(1_200);
        scenario.load = Load::Every(Duration::from_secs(10));
        scenario.heal = Duration::from_mins(5);
        scenario.encoded = false;
        scenario
    });
    assert_eq!(run.violation, None, "seed {seed}");
    run
}

#[test]
fn where_frames_need_longer_than_the_first_patience_transactions_are_ordered_all_the_same() {
    for seed in 1..=8 {
        for fate in [Fate::Honest, Fate::Byzantine(Character::Staller)] {
            let run = slow(seed, fate);

            assert!(run.served >= 20, "seed {seed}, {fate:?}: {}", run.served);
        }
    }
}
