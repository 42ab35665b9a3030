//! Whole clusters from seeds, and rules taken out to see that the checkers notice.

use simulator::{Sabotage, Violation, run};

/// The seeds that every test run takes; `scripts/simulate` takes more.
const SEEDS: u64 = 600;

/// Within so many seeds a broken rule must be noticed.
const BOUND: u64 = 2000;

/// The first seed within `seeds` in which a broken rule is noticed, and how.
fn noticed(sabotage: Sabotage, seeds: u64) -> Option<(u64, Violation)> {
    (0..seeds).find_map(|seed| Some((seed, run(seed, sabotage).violation?)))
}

#[test]
fn every_rule_holds_in_every_seed() {
    let broken: Vec<_> = (0..SEEDS)
        .filter_map(|seed| Some((seed, run(seed, Sabotage::None).violation?)))
        .collect();

    assert_eq!(broken, []);
}

#[test]
fn a_seed_always_tells_the_same_story() {
    for seed in [3, 100, 126] {
        let first = simulator::run_traced(seed, Sabotage::None);
        let again = simulator::run_traced(seed, Sabotage::None);

        assert!(!first.trace.is_empty());
        assert_eq!(first, again, "seed {seed}");
    }
}

#[test]
fn a_view_change_without_its_prepared_certificates_is_noticed() {
    let found = noticed(Sabotage::NoProofs, BOUND);

    assert!(
        matches!(found, Some((_, Violation::Disagreement { .. }))),
        "{found:?}"
    );
}

#[test]
fn a_vote_sent_before_it_is_durable_is_noticed() {
    let found = noticed(Sabotage::VotesBeforeDisk, BOUND);

    assert!(
        matches!(found, Some((_, Violation::Contradiction { .. }))),
        "{found:?}"
    );
}

#[test]
fn a_prepare_made_durable_without_its_batch_is_noticed() {
    let found = noticed(Sabotage::PreparesWithoutBatch, BOUND);

    assert!(
        matches!(found, Some((_, Violation::Stuck { .. }))),
        "{found:?}"
    );
}
