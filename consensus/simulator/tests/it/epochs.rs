//! What must outlast an epoch: blocks that nobody else has, under a key that is gone.

use core::time::Duration;

use simulator::{Change, Sabotage, Scenario, run_scenario};

#[test]
fn a_member_alone_that_takes_a_new_key_still_has_every_block_after_a_crash() {
    let runs = (1..=40).map(|seed| {
        let run = run_scenario(seed, Sabotage::None, false, |seed, _| {
            let mut scenario = Scenario::calm(seed, 1);
            scenario.parameters.window = 3;
            scenario.changes.push(Change {
                at: Duration::from_millis(200),
                keys: vec![100],
            });
            scenario.outages.kill_every = Some(Duration::from_millis(150));
            scenario
        });

        assert_eq!(run.violation, None, "seed {seed}");
        run
    });

    let changed = runs.filter(|run| run.epoch.get() == 1).count();

    // In the others it was down when the change was asked for, and done before it was asked again.
    assert!(changed >= 20, "{changed}");
}

#[test]
fn a_latecomer_gets_every_block_of_a_member_whose_store_lost_more_than_a_window() {
    // A member alone ends its epoch four blocks above its store, W = 3, and crashes; only it can give them to the next.
    let run = simulator::run(239_260_845_764_859, Sabotage::None);

    assert_eq!(run.violation, None);
}
