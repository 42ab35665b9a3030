//! What a replica says of itself when it is asked.

use consensus::{Departure, Phase, ReplicaId};

use crate::stage::Stage;

/// Four replicas, started, after these directions.
fn after(directions: &str) -> Stage {
    let mut stage = Stage::new(4);
    let lines = directions.split(';').map(str::trim);
    for line in std::iter::once("start r0 r1 r2 r3").chain(lines) {
        stage.play(line);
    }
    stage
}

fn departure(stage: &Stage, who: usize) -> Option<Departure> {
    stage.explanation(who).departure
}

#[test]
fn a_replica_knows_why_it_changed_the_view() {
    let mut stage = after(
        "r1 waits for transaction 1; r2 waits for transaction 1; crash r0; \
         r1 runs out of request; r2 runs out of request",
    );
    assert_eq!(departure(&stage, 1), Some(Departure::Timeout));
    assert_eq!(departure(&stage, 3), None);

    stage.play("r1 -> r3");
    stage.play("r2 -> r3");

    assert_eq!(departure(&stage, 3), Some(Departure::Others));
    stage.play("r3 runs out of new-view");
    assert_eq!(departure(&stage, 3), Some(Departure::NoNewView));
}

#[test]
fn a_view_that_has_begun_takes_along_who_missed_nothing() {
    let mut stage = after(
        "r0 waits for transaction 1; r1 waits for transaction 1; r2 waits for transaction 1; \
         r1 runs out of request; r2 runs out of request; r0 runs out of request; \
         r0 -> r1; r2 -> r1",
    );

    // r1's VIEW-CHANGE, by itself no reason to leave, and its NEW-VIEW.
    stage.play("r1 -> r3");
    assert_eq!(departure(&stage, 3), None);
    stage.play("r1 -> r3");

    assert_eq!(departure(&stage, 3), Some(Departure::Begun));
}

#[test]
fn an_open_block_names_whose_votes_are_here_and_whose_are_missing() {
    let stage = after("r0 proposes a; r0 -> r1; r0 -> r2; r2 -> r1");

    let told = stage.explanation(1);

    let slot = &told.slots[0];
    assert_eq!((slot.seq.get(), slot.phase), (1, Phase::Commit));
    assert_eq!(slot.present, [ReplicaId::new(1)]);
    assert_eq!(slot.missing, [0, 2, 3].map(ReplicaId::new));
    assert_eq!((told.base.get(), told.last.get()), (0, 64));
}
