//! Rules taken out one by one: the checkers notice each within [`BOUND`] seeds.

use simulator::{Sabotage, Violation, run};

/// Within so many seeds a broken rule must be noticed.
const BOUND: u64 = 2000;

/// The first seed in which a broken rule is noticed, and how.
fn noticed(sabotage: Sabotage) -> Option<(u64, Violation)> {
    (0..BOUND).find_map(|seed| Some((seed, run(seed, sabotage).violation?)))
}

#[test]
fn a_vote_that_leaves_though_the_disk_is_full_is_noticed() {
    let found = noticed(Sabotage::IgnoresFullDisk);

    assert!(found.is_some(), "not within {BOUND} seeds");
}

#[test]
fn a_member_that_comes_back_without_its_votes_and_votes_is_noticed() {
    let found = noticed(Sabotage::ForgetsVotes);

    assert!(found.is_some(), "not within {BOUND} seeds");
}

#[test]
fn a_vote_for_a_batch_that_nobody_checked_is_noticed() {
    let found = noticed(Sabotage::VotesForAnything);

    assert!(
        matches!(found, Some((_, Violation::Unlawful { .. }))),
        "{found:?}"
    );
}

#[test]
fn members_that_never_say_what_they_lack_are_noticed() {
    let found = noticed(Sabotage::NeverAsks);

    assert!(
        matches!(found, Some((_, Violation::Stuck { .. }))),
        "{found:?}"
    );
}

#[test]
fn members_that_wait_for_a_primary_for_ever_are_noticed() {
    let found = noticed(Sabotage::NeverSuspects);

    assert!(
        matches!(found, Some((_, Violation::Stuck { .. }))),
        "{found:?}"
    );
}
