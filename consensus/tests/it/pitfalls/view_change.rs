//! V1 to V23: leaving a view without losing what was ordered in it, and without standing still.

use consensus::{
    Digest, Epoch, Frame, PreparedCertificate, Seq, Signature, StableProof, View, ViewChange,
    ViewChangeBody,
};

use super::Play;

/// Batch a is committed and executed in view 0 at r3 alone; r1 and r2 are prepared; r0 is gone.
const COMMITTED_AT_R3: &str = "r0 proposes a; r0 -> r1 r2 r3; r1 -> r2 r3; r2 -> r1 r3
    r1 -> r3; r2 -> r3; r3 executes; crash r0; lose everything";

/// All backups are prepared for batch a in view 0, no COMMIT arrives, and r0 is gone.
const PREPARED_EVERYWHERE: &str = "r0 proposes a; r0 -> r1 r2 r3; r1 -> r0 r2 r3; r2 -> r0 r1 r3
    crash r0; lose everything";

/// A VIEW-CHANGE of r2 for a view, at the epoch's origin.
fn view_change(play: &Play, member: u16, view: u64, prepared: Vec<PreparedCertificate>) -> Frame {
    let body = ViewChangeBody {
        view: View::new(view),
        stable: StableProof::Origin(Seq::ZERO),
        prepared,
    };
    Frame::ViewChange(play.sign(member, ViewChange::new(body)))
}

#[test]
fn v1_a_new_primary_proposes_what_a_view_change_proves_prepared() {
    let mut play = Play::of(4);
    play.go(COMMITTED_AT_R3);

    play.leave("r1 r2 r3");
    let said = play.go("go on among r1 r2 r3");

    said.shows("r1 broadcast NEW-VIEW v1 from r1 r2 r3, proposes [s1 a]");
    said.shows("r1 execute s1 a, committed in v1");
    said.shows("r3 certified s1 h1 by r1 r2 r3");
}

#[test]
fn v4_a_bad_certificate_spoils_its_own_view_change_and_no_other() {
    let mut play = Play::of(4);
    play.go(PREPARED_EVERYWHERE);
    let bad = PreparedCertificate {
        epoch: Epoch::ZERO,
        view: View::ZERO,
        seq: Seq::new(1),
        digest: Digest::NULL,
        pre_prepare: Signature::new(&[0; 64]),
        prepares: Vec::new(),
    };
    let spoilt = view_change(&play, 2, 1, vec![bad]);

    let refused = play.arrives(2, 1, &spoilt);
    play.go("start r0");
    play.leave("r0 r1 r3");
    let said = play.go("deliver among r0 r1 r3");

    refused.shows("r1 refuses at the edge: a certificate for 1 does not prove what it claims");
    said.shows("r1 broadcast NEW-VIEW v1 from r0 r1 r3, proposes [s1 a]");
}

#[test]
fn v5_view_changes_count_whatever_checkpoint_each_of_them_carries() {
    let mut play = Play::of(4);
    play.go("r0 proposes a; deliver everything; r3 executes; lose r3 -> r0 r1 r2");
    play.go("go on among r0 r1 r2; crash r0; lose everything");

    let left = play.leave("r1 r2 r3");
    let said = play.go("deliver among r1 r2 r3; r1 proposes b; go on among r1 r2 r3");

    left.shows("r1 broadcast VIEW-CHANGE v1 of r1, stable s1, prepared []");
    left.shows("r3 broadcast VIEW-CHANGE v1 of r3, origin s0, prepared [s1 a v0]");
    said.shows("r1 broadcast NEW-VIEW v1 from r1 r2 r3, proposes []");
    said.shows("r3 certified s2 h2 by r1 r2 r3");
}

#[test]
fn v6_what_was_executed_before_a_view_change_is_voted_on_again_and_never_executed_again() {
    let mut play = Play::of(4);
    play.go(COMMITTED_AT_R3);

    play.leave("r1 r2 r3");
    let said = play.go("go on among r1 r2 r3; r1 proposes b; go on among r1 r2 r3");

    said.shows("r3 broadcast COMMIT v1 s1 a of r3");
    said.lacks("r3 execute s1");
    said.shows("r3 execute s2 b, committed in v1");
}

#[test]
fn v8_a_batch_proposed_again_is_taken_though_the_host_finds_it_too_old_by_now() {
    let mut play = Play::of(4);
    let before = play.go("r3 finds batches invalid; r0 proposes a; r0 -> r1 r2 r3");
    play.go("r1 -> r2 r3; r2 -> r1 r3; crash r0; lose everything");

    play.leave("r1 r2 r3");
    let said = play.go("deliver among r1 r2 r3");

    before.lacks("of r3");
    said.shows("r3 broadcast PREPARE v1 s1 a of r3");
    said.shows("r3 execute s1 a, committed in v1");
}

#[test]
fn v9_no_view_rises_without_a_quorum_that_left() {
    let mut play = Play::of(4);
    play.go("crash r0; crash r3");

    let left = play.leave("r1 r2");
    let two = play.go("deliver among r1 r2; r1 runs out of new-view; r1 runs out of status");
    let three = play.go("start r0; deliver among r0 r1");

    left.lacks("arm new-view");
    two.lacks("arm new-view")
        .shows("r1 has no such timer running");
    two.lacks("VIEW-CHANGE v2");
    three.lacks("VIEW-CHANGE v2");
}

#[test]
fn v10_view_changes_lost_with_a_link_are_sent_again_when_it_is_back() {
    let mut play = Play::of(4);
    play.go("crash r0");
    play.leave("r1 r2 r3");
    play.go("lose everything");

    let said = play.go("r1 reconnects to r2; r2 reconnects to r1; r3 reconnects to r1");
    let healed = play.go("deliver among r1 r2 r3");

    said.shows("r1 send r2 VIEW-CHANGE v1 of r1, origin s0, prepared []");
    said.shows("r3 send r1 VIEW-CHANGE v1 of r3, origin s0, prepared []");
    healed.shows("r1 broadcast NEW-VIEW v1 from r1 r2 r3, proposes []");
}

#[test]
fn v11_commits_of_the_view_that_was_left_still_order_the_batch() {
    let mut play = Play::of(4);
    play.go("r0 proposes a; r0 -> r1 r2 r3; r1 -> r0 r2 r3; r2 -> r0 r1 r3");

    let left = play.leave("r1");
    let said = play.go("lose r3 -> r1; r0 -> r1; r2 -> r1; r3 -> r1");

    left.shows("r1 broadcast VIEW-CHANGE v1 of r1, origin s0, prepared [s1 a v0]");
    said.shows("r1 execute s1 a, committed in v0");
}

#[test]
fn v12_a_replica_prepared_for_one_batch_votes_for_another_in_a_later_view() {
    let mut play = Play::of(4);
    play.go("r0 proposes a; r0 -> r1 r2 r3; r1 -> r3; r2 -> r3; lose everything");

    play.leave("r0 r1 r2");
    play.go("r0 -> r1; r2 -> r1; r1 -> r0 r2 r3; r1 -> r0 r2 r3; lose everything");
    let said = play.go("r1 proposes b; r1 -> r0 r2 r3; go on");

    said.shows("r3 broadcast PREPARE v1 s1 b of r3");
    said.shows("r3 execute s1 b, committed in v1");
}

#[test]
fn v15_a_replica_restarts_in_the_view_that_it_asked_for() {
    let mut play = Play::of(4);
    play.leave("r1");

    let started = play.go("crash r1; start r1");
    let said = play.go("r0 proposes a; r0 -> r1");

    started.shows("r1 broadcast VIEW-CHANGE v1 of r1, origin s0, prepared []");
    said.shows("r1 rejects: of view 0, which is over or has begun");
}

#[test]
fn v16_whoever_caught_up_with_blocks_is_taken_into_the_view_and_votes_there() {
    let mut play = Play::of(4);
    play.go("crash r3");
    play.leave("r0 r1 r2");
    play.go("deliver among r0 r1 r2; r1 proposes a; go on among r0 r1 r2; lose everything");

    play.go("start r3; r3 reconnects to r1; deliver among r1 r3; r3 runs out of status");
    play.go("r3 fetches from r1; r3 executes; crash r2; lose everything");
    let said = play.go("r1 proposes b; go on among r0 r1 r3");

    said.shows("r3 broadcast PREPARE v1 s2 b of r3");
    said.shows("r3 certified s2 h2 by r0 r1 r3");
}

#[test]
fn v17_the_new_primary_begins_its_view_once() {
    let mut play = Play::of(4);
    play.leave("r2 r3");

    let early = play.go("r2 -> r1; r3 -> r1");
    play.leave("r0");
    let late = play.go("r0 -> r1; deliver everything");

    assert_eq!(early.count("r1 broadcast VIEW-CHANGE v1"), 1);
    assert_eq!(early.count("r1 broadcast NEW-VIEW v1"), 1);
    late.lacks("r1 broadcast NEW-VIEW")
        .lacks("r1 broadcast VIEW-CHANGE");
}

#[test]
fn v18_one_committed_in_view_0_one_in_view_1_and_the_rest_in_view_2() {
    let mut play = Play::of(4);
    play.go(COMMITTED_AT_R3);
    play.leave("r1 r2 r3");
    play.go("r2 -> r1; r3 -> r1; r1 -> r2 r3; r1 -> r2 r3; r2 -> r3 r3; r3 -> r2 r2");
    let second = play.go("r2 -> r1; r3 -> r1; r1 -> r2; r3 -> r2; r2 executes");
    play.go("crash r1; lose everything; start r0");

    play.leave("r2 r3");
    let third = play.go("go on among r0 r2 r3");
    let last = play.go("r0 reconnects to r2; r0 reconnects to r3; deliver among r0 r2 r3");

    second.shows("r2 execute s1 a, committed in v1");
    third.shows("r2 broadcast NEW-VIEW v2 from r0 r2 r3, proposes [s1 a]");
    third.shows("r0 execute s1 a, committed in v2");
    last.shows("r0 certified s1 h1 by r0 r2 r3");
}

#[test]
fn v19_commits_of_different_views_do_not_add_up() {
    let mut play = Play::of(4);

    let apart = play.go(
        "r0 forges COMMIT a v0 s1 -> r3; r1 forges COMMIT a v0 s1 -> r3
        r2 forges COMMIT a v1 s1 -> r3; r0 forges PRE-PREPARE a v0 s1 -> r3",
    );
    let together = play.go("r3 -> r0 r1 r2; crash r3; start r3");

    apart.lacks("r3 execute").lacks("persist committed");
    together.lacks("r3 execute");
}

#[test]
fn v20_members_far_ahead_are_joined_in_one_step() {
    let mut play = Play::of(4);
    let far = view_change(&play, 1, 5_000, Vec::new());
    let farther = view_change(&play, 2, 9_000, Vec::new());

    let one = play.arrives(1, 3, &far);
    let two = play.arrives(2, 3, &farther);

    one.lacks("VIEW-CHANGE");
    assert_eq!(two.count("r3 broadcast VIEW-CHANGE"), 1);
    two.shows("r3 broadcast VIEW-CHANGE v5000 of r3, origin s0, prepared []");
}

#[test]
fn v21_a_proposal_of_a_higher_view_does_not_touch_the_one_of_this_view() {
    let mut play = Play::of(4);
    play.go("r0 proposes a; r0 -> r3 r1 r2");

    let said = play.go("r1 forges PRE-PREPARE b v1 s1 -> r3; r1 -> r3");
    let after = play.go("r2 -> r3");

    said.shows("r3 rejects: of view 1, which this replica is not in");
    after.lacks("refuses at the edge");
    said.shows("r3 broadcast COMMIT v0 s1 a of r3");
}

#[test]
fn v22_a_proof_that_one_member_alone_held_outlives_that_member() {
    let mut play = Play::of(4);
    play.go("r0 proposes a; r0 -> r1 r2 r3; r1 -> r3; r2 -> r3; crash r0; lose everything");

    let left = play.leave("r1 r2 r3");
    let first = play.go("r2 -> r1; r3 -> r1; r1 -> r2; r1 -> r2");
    play.go("crash r3; lose everything; start r0");
    let again = play.leave("r1 r2");
    let second = play.go("go on among r0 r1 r2");

    left.shows("r2 broadcast VIEW-CHANGE v1 of r2, origin s0, prepared []");
    first.shows("r1 broadcast NEW-VIEW v1 from r1 r2 r3, proposes [s1 a]");
    again.shows("r2 broadcast VIEW-CHANGE v2 of r2, origin s0, prepared [s1 a v0]");
    second.shows("r2 broadcast NEW-VIEW v2 from r0 r1 r2, proposes [s1 a]");
    second.shows("r0 certified s1 h1 by r0 r1 r2");
}

#[test]
fn v23_four_members_go_on_with_one_dead() {
    let mut play = Play::of(4);
    play.go("crash r3");

    let said = play.go("r0 proposes a; go on among r0 r1 r2");

    said.shows("r0 persist prepared v0 s1 a by r1 r2 and own COMMIT");
    said.shows("r0 certified s1 h1 by r0 r1 r2");
}
