//! What a replica still knows when it comes back from its log.

use crate::pitfalls::Play;

/// r1 and r2 are prepared for b in view 0; r3 has heard nothing of it.
const PREPARED_AT_R1: &str =
    "r0 forges PRE-PREPARE b v0 s1 -> r1; r0 forges PRE-PREPARE b v0 s1 -> r2
    r2 -> r1; lose everything";

/// r1, r2 and r3 have left view 0, where all were prepared for a, and are in view 1.
const IN_VIEW_1: &str = "r0 proposes a; r0 -> r1 r2 r3; r1 -> r2 r3; r2 -> r1 r3; crash r0
    lose everything; r1 waits for transaction 1; r1 runs out of request
    r2 waits for transaction 1; r2 runs out of request
    r3 waits for transaction 1; r3 runs out of request
    r2 -> r1; r3 -> r1; r1 -> r2 r3; r1 -> r2 r3; lose everything";

#[test]
fn a_commit_that_rests_on_a_certificate_alone_bars_another_vote_after_a_crash() {
    let mut play = Play::of(4);
    play.go(PREPARED_AT_R1);
    let said = play.go("r3 reconnects to r1; r3 -> r1; lose r1 -> r3; r1 -> r3");
    said.shows("r3 broadcast COMMIT v0 s1 b of r3");

    let again = play.go("crash r3; start r3; r0 forges PRE-PREPARE a v0 s1 -> r3");

    again.lacks("PREPARE v0 s1 a of r3");
}

#[test]
fn a_commit_of_before_the_crash_is_sent_to_who_lacks_it() {
    let mut play = Play::of(4);
    play.go("r0 proposes a; r0 -> r1 r2 r3; r1 -> r2; lose everything; crash r2; start r2");

    let said = play.go("r0 reconnects to r2; r0 -> r2");

    said.shows("r2 send r0 COMMIT v0 s1 a of r2");
}

#[test]
fn a_backup_comes_back_into_the_view_that_has_begun_and_goes_on_there() {
    let mut play = Play::of(4);
    play.go(IN_VIEW_1);

    play.go("crash r2; start r2; crash r3; start r3");
    let said = play.go(
        "r2 reconnects to r3; r3 reconnects to r1; r1 reconnects to r2
        r1 reconnects to r3; r3 reconnects to r2; go on among r1 r2 r3",
    );
    let next = play.go("r1 proposes b; go on among r1 r2 r3");

    said.shows("r2 execute s1 a, committed in v1");
    next.shows("r2 execute s2 b, committed in v1");
}

#[test]
fn a_primary_comes_back_into_its_view_with_what_it_has_proposed_again() {
    let mut play = Play::of(4);
    play.go(IN_VIEW_1);

    play.go("crash r1; start r1; r1 reconnects to r2; r1 reconnects to r3");
    let said = play.go("go on among r1 r2 r3; r1 proposes b");

    said.shows("r1 persist prepared v1 s1 a by r2 r3 and own COMMIT");
    said.shows("r1 broadcast PRE-PREPARE v1 s2 b");
    said.lacks("r1 broadcast NEW-VIEW");
}

#[test]
fn a_proposal_of_an_earlier_view_is_not_the_proposal_of_this_one_after_a_crash() {
    let mut play = Play::of(4);
    play.go("r0 proposes a; r0 -> r3; crash r0; lose everything");
    play.leave("r1 r2 r3");
    play.go("r2 -> r1; r3 -> r1; lose everything; r1 reconnects to r3; lose r1 -> r3; r1 -> r3");

    let said = play.go("crash r3; start r3; lose everything; r3 reconnects to r2");
    let next = play.go("r1 proposes b; r1 -> r3");

    said.lacks("open [s1 PREPAREs");
    next.shows("r3 broadcast PREPARE v1 s1 b of r3");
}

#[test]
fn a_block_that_came_certified_is_executed_from_the_log_after_a_crash() {
    let mut play = Play::of(4);
    play.go(
        "crash r3; r0 proposes a; r0 proposes b; go on among r0 r1 r2; lose everything
        start r3; r3 fetches s2 from r1; r3 fetches s1 from r1",
    );

    let said = play.go("crash r3; start r3; r3 executes; r3 executes");

    said.shows("r3 execute s1 a, certified as h1");
    said.shows("r3 execute s2 b, certified as h2");
    said.shows("r3 certified s2 h2 by r0 r1 r2");
    said.lacks("persist caught up");
}

#[test]
fn a_committed_batch_is_executed_from_the_log_after_a_crash_and_not_logged_again() {
    let mut play = Play::of(4);
    play.go("r3 finds batches invalid; r0 proposes a; deliver everything");

    let said = play.go("crash r3; start r3; r3 executes");

    said.shows("r3 execute s1 a, committed in v0")
        .lacks("persist committed");
    said.shows("r3 persist own CHECKPOINT s1 h1");
}

#[test]
fn a_result_is_signed_after_a_crash_between_the_execution_and_the_checkpoint() {
    let mut play = Play::of(4);
    play.go("r0 proposes a; deliver everything; r3 executes; lose everything");

    let said = play.go("r3 forgets its last record; crash r3; start r3");
    let after = play.go("go on; r3 reconnects to r0; r3 reconnects to r1; go on");

    said.shows("r3 broadcast CHECKPOINT s1 h1 of r3")
        .lacks("r3 execute");
    after.shows("r3 certified s1 h1 by r0 r1 r3");
}

#[test]
fn a_checkpoint_of_before_the_crash_is_sent_again_and_not_signed_anew() {
    let mut play = Play::of(4);
    play.go("r0 proposes a; deliver everything; r3 executes; lose everything");

    let said = play.go("crash r3; start r3; lose store of r3; crash r3; start r3; r3 executes");

    said.shows("r3 broadcast CHECKPOINT s1 h1 of r3")
        .lacks("persist own CHECKPOINT");
}

#[test]
fn another_result_than_the_one_signed_before_the_crash_stops_the_replica() {
    let mut play = Play::of(4);
    play.go("r0 proposes a; deliver everything; r3 executes; lose everything; lose store of r3");

    let said = play.go("crash r3; start r3; r3 executes to x; r3 proposes b");

    said.shows("r3 diverged at s1: own x, certified h1");
    said.shows("r3 rejects: stopped at block 1: the result here differs from the certified one");
}

#[test]
fn a_replica_that_stopped_for_its_result_stays_stopped() {
    let mut play = Play::of(4);
    let before = play.go(
        "r0 proposes a; deliver everything; r0 executes; r1 executes; r2 executes
        r3 executes to x; deliver everything",
    );

    let said = play.go("crash r3; start r3; r0 proposes b; r0 -> r3");

    before.shows("r3 diverged at s1: own x, certified h1");
    said.shows("r3 diverged at s1: own x, certified h1");
    said.shows("r3 rejects: stopped at block 1: the result here differs from the certified one");
}
