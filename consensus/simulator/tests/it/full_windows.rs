//! Full windows while signatures cost time: a view change with 64 prepared places, and the way to
//! an epoch's end, end before anybody's patience does.

use core::time::Duration;

use simulator::{Change, Fate, Load, Outcome, Processor, Sabotage, Scenario, run_scenario};

/// A run in which each signature costs what Ed25519 costs, under load.
fn run(size: usize, pause: Duration, change: impl FnOnce(&mut Scenario)) -> Outcome {
    let run = run_scenario(1, Sabotage::None, false, |seed, _| {
        let mut scenario = Scenario::calm(seed, size);
        scenario.processor = Some(Processor::ED25519);
        scenario.load = Load::Every(pause);
        scenario.encoded = false;
        change(&mut scenario);
        scenario
    });
    assert_eq!(run.violation, None, "n = {size}");
    run
}

#[test]
fn a_view_change_with_64_prepared_places_takes_less_than_t0() {
    for size in [4, 7, 10] {
        let run = run(size, Duration::from_millis(1), |scenario| {
            // No COMMIT arrives until all have left view 0, T0 after they were connected to its primary, which is
            // then gone for good.
            scenario.fates[0] = Fate::Dead;
            scenario.network.commit_loss = 1000;
            scenario.heal = scenario.parameters.timeout + Duration::from_millis(10);
        });

        let after = run.recovered_in.unwrap();

        assert_eq!(run.view_at_heal, 1, "n = {size}");
        assert!(
            after <= Duration::from_millis(300),
            "n = {size}: the first block after {after:?}"
        );
        assert!(run.height >= 64, "n = {size}: {} blocks", run.height);
    }
}

#[test]
fn the_way_to_an_epochs_end_costs_loaded_members_no_view_change_and_less_than_t0() {
    for (size, pause_ms) in [(4, 2), (7, 2), (10, 4), (31, 20)] {
        let run = run(size, Duration::from_millis(pause_ms), |scenario| {
            // The same members in another order: nobody has to catch up.
            let first = u16::try_from(size).unwrap();
            scenario.changes.push(Change {
                at: Duration::from_millis(200),
                keys: (1..first).chain([0]).collect(),
            });
        });

        let slowest = run.latencies.iter().max().copied().unwrap();

        assert_eq!(run.epoch.get(), 1, "n = {size}");
        assert_eq!(run.view_at_heal, 0, "n = {size}");
        assert!(
            slowest >= Duration::from_millis(50),
            "n = {size}: no pause was seen, {slowest:?}"
        );
        assert!(
            slowest < Duration::from_millis(600),
            "n = {size}: {slowest:?}"
        );
    }
}

#[test]
fn a_slow_primary_cannot_stretch_the_way_to_an_epochs_end() {
    // Each has one that proposes a null block in each T0 while nothing else waits: W of them took 20 s and more.
    for seed in [188_803_562_568_163, 188_803_562_694_841] {
        let run = simulator::run(seed, Sabotage::None);

        assert_eq!(run.violation, None, "{seed}");
        assert!(
            run.healed_in < Duration::from_secs(10),
            "{seed}: {:?}",
            run.healed_in
        );
    }
}
