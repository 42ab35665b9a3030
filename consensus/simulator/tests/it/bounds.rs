//! Times that are promised: after long losses of quorum, after a loss of votes, and over distance.

use core::time::Duration;

use simulator::{Blackout, Clock, Fate, Load, Outcome, Sabotage, Scenario, run_scenario};

/// A run of a scenario of one's own.
fn run(seed: u64, scenario: impl FnOnce(u64) -> Scenario) -> Outcome {
    let run = run_scenario(seed, Sabotage::None, false, |seed, _| scenario(seed));
    assert_eq!(run.violation, None, "seed {seed}");
    run
}

#[test]
fn after_ten_minutes_without_a_quorum_the_next_block_is_final_within_two_seconds() {
    for seed in 1..=12 {
        let size = [4, 4, 5, 7, 2, 10][(seed % 6) as usize];
        let run = run(seed, |seed| {
            let mut scenario = Scenario::calm(seed, size);
            scenario.network.blackout = Some(Blackout::Dark);
            scenario.heal = Duration::from_secs(601);
            scenario.encoded = false;
            scenario
        });

        let after = run.recovered_in.unwrap();

        assert!(after <= Duration::from_secs(2), "n = {size}: {after:?}");
        assert!(
            run.view_at_heal <= 2,
            "n = {size}: view {}",
            run.view_at_heal
        );
    }
}

#[test]
fn a_member_that_lost_its_votes_votes_again_within_five_seconds() {
    for seed in 1..=20 {
        let run = run(seed, |seed| {
            let mut scenario = Scenario::calm(seed, 4);
            scenario.fates[2] = Fate::LosesDisk;
            scenario.outages.kill_every = Some(Duration::from_secs(8));
            scenario.outages.victim = Some(2);
            scenario.load = Load::Every(Duration::from_millis(25));
            scenario.heal = Duration::from_secs(20);
            scenario
        });

        let after = run.rejoined_in.unwrap();

        assert!(after <= Duration::from_secs(5), "seed {seed}: {after:?}");
    }
}

#[test]
fn with_31_members_50_ms_apart_and_signatures_charged_a_transaction_is_final_within_500_ms() {
    let run = run(1, |seed| {
        let mut scenario = Scenario::far_apart(seed, 31);
        scenario.heal = Duration::from_secs(2);
        scenario
    });

    let slowest = run.latencies.iter().max().copied().unwrap();

    assert!(run.latencies.len() > 100);
    assert!(slowest <= Duration::from_millis(500), "{slowest:?}");
    assert!(slowest >= Duration::from_millis(100), "four ways of 25 ms");
}

#[test]
fn clocks_less_than_two_seconds_apart_and_timers_five_in_a_hundred_off_hold_nobody_up() {
    let run = run(1, |seed| {
        let mut scenario = Scenario::calm(seed, 4);
        let clock = |skew_ms, drift_ppm| Clock { skew_ms, drift_ppm };
        scenario.clocks = vec![clock(950, 50_000), clock(-950, -50_000), clock(0, 50_000)];
        scenario
    });

    assert!(
        run.healed_in <= Duration::from_millis(200),
        "{:?}",
        run.healed_in
    );
}
