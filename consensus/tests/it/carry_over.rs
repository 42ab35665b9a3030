//! A fresh log file: with what a replica carries over into it, it comes back as from the whole log.

use crate::pitfalls::Play;

/// What a replica does after a crash at the end of a story, until all is said.
fn after(story: &str, who: u16) -> Vec<String> {
    let mut play = Play::of(4);
    play.go(story);
    let mut said = play
        .go(&format!("lose everything; crash r{who}; start r{who}"))
        .0;
    for peer in (0..4).filter(|peer| *peer != who) {
        said.extend(
            play.go(&format!(
                "r{who} reconnects to r{peer}; r{peer} reconnects to r{who}"
            ))
            .0,
        );
    }
    said.extend(play.leave("r0 r1 r2 r3").0);
    said.extend(play.go("go on").0);
    said
}

/// Asserts that it makes no difference which of the two logs there is.
#[track_caller]
fn assert_same(story: &str, who: u16) {
    let whole = after(story, who);
    let fresh = after(&format!("{story}; r{who} begins a new log"), who);

    assert!(whole.len() > 5, "{whole:#?}");
    assert_eq!(whole.join("\n"), fresh.join("\n"));
}

#[test]
fn a_proposal_and_the_vote_for_it_are_carried_over() {
    let story = "r0 proposes a; r0 proposes b; r0 -> r1 r2 r3; r0 -> r1 r2 r3";

    assert_same(story, 0);
    assert_same(story, 1);
}

#[test]
fn a_prepared_certificate_is_carried_over_with_its_batch_and_the_commit() {
    let story = "r0 proposes a; r0 -> r1 r2 r3; r1 -> r2 r3; r2 -> r3";

    assert_same(story, 2);
    assert_same(story, 3);
}

#[test]
fn a_batch_prepared_in_an_earlier_view_is_carried_over_beside_the_proposal_of_this_one() {
    let story = "r0 proposes a; r0 -> r1 r2 r3; r1 -> r3; r2 -> r3; lose everything
        r0 waits for transaction 1; r0 runs out of request
        r1 waits for transaction 1; r1 runs out of request
        r2 waits for transaction 1; r2 runs out of request
        r0 -> r1; r2 -> r1; r1 -> r0 r2 r3; r1 -> r0 r2 r3; lose everything
        r1 proposes b; r1 -> r3";

    assert_same(story, 3);
}

#[test]
fn a_committed_batch_is_carried_over_until_it_is_certified() {
    let story = "r0 proposes a; deliver everything";
    let by_certificate_alone = "crash r3; r0 proposes a; deliver among r0 r1 r2; lose everything
        start r3; r3 reconnects to r0; deliver among r0 r3";

    assert_same(story, 2);
    assert_same(&format!("{story}; r2 executes"), 2);
    assert_same(by_certificate_alone, 3);
}

#[test]
fn certificates_of_blocks_are_carried_over() {
    let story = "r0 proposes a; go on; r0 proposes b; deliver everything
        r0 executes; r1 executes; r3 executes; deliver everything";

    assert_same(story, 1);
    assert_same(story, 2);
}

#[test]
fn the_way_out_of_a_view_and_the_way_into_one_are_carried_over() {
    let left = "r0 proposes a; r0 -> r1 r2 r3; r1 -> r2; crash r0
        r2 waits for transaction 1; r2 runs out of request";
    let entered = "crash r0; r1 waits for transaction 1; r1 runs out of request
        r2 waits for transaction 1; r2 runs out of request
        r3 waits for transaction 1; r3 runs out of request; deliver everything; r1 proposes a
        r1 -> r2";

    assert_same(left, 2);
    assert_same(entered, 1);
    assert_same(entered, 2);
}

#[test]
fn a_block_that_waits_for_those_below_it_is_carried_over() {
    let mut play = Play::of(4);
    play.go(
        "crash r3; r0 proposes a; r0 proposes b; go on among r0 r1 r2; lose everything
        start r3; r3 fetches s2 from r1; r3 begins a new log; crash r3; start r3",
    );

    let said = play.go("r3 fetches s1 from r1; r3 executes; r3 executes");

    said.shows("r3 execute s2 b, certified as h2");
}
