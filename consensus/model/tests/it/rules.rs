//! The protocol holds in every state of the small configurations, and without any rule it does not.

use model::{AGREEMENT, Rule, Search, Story, UNIQUENESS, VALIDITY, Verdict, quick, without};

/// The counterexample that a rule's absence leads to, printed for whoever runs with `--nocapture`.
fn counterexample(rule: Rule) -> Story {
    let Verdict { broken, .. } = without(rule);
    let story = broken.unwrap_or_else(|| unreachable!("without {rule:?} something is broken"));
    println!("without {rule:?}: {story}");
    story
}

/// How often a story says this.
fn says(story: &Story, what: &str) -> usize {
    story
        .lines
        .iter()
        .filter(|line| line.contains(what))
        .count()
}

#[test]
fn every_rule_holds_in_every_state_of_the_quick_configurations() {
    let verdicts: Vec<Verdict> = quick().iter().map(|check| check()).collect();

    for verdict in &verdicts {
        println!("{verdict}");
        assert!(verdict.holds(), "{verdict}");
    }
    let exhaustive = verdicts
        .iter()
        .filter(|one| one.search == Search::Exhaustive);
    assert_eq!(exhaustive.count(), 3);
}

#[test]
fn without_prepared_certificates_in_view_change_two_batches_are_ordered() {
    let story = counterexample(Rule::PreparedInViewChange);

    assert_eq!(story.title, AGREEMENT);
    assert_eq!(says(&story, "=> s1 ="), 2, "{story}");
    assert!(says(&story, "NEW-VIEW: nothing is open") > 0, "{story}");
}

#[test]
fn with_a_quorum_one_smaller_two_batches_are_ordered_in_one_view() {
    let story = counterexample(Rule::Quorum);

    assert_eq!(story.title, AGREEMENT);
    assert_eq!(says(&story, "VIEW-CHANGE"), 0, "{story}");
}

#[test]
fn without_the_check_of_new_view_a_lying_primary_has_an_invalid_batch_ordered() {
    let story = counterexample(Rule::NewViewChecked);

    assert_eq!(story.title, VALIDITY);
    assert!(
        says(&story, "by a NEW-VIEW that says: s1 = an invalid batch") > 0,
        "{story}"
    );
}

#[test]
fn without_the_choice_of_the_highest_view_two_batches_are_ordered() {
    let story = counterexample(Rule::HighestView);

    assert_eq!(story.title, AGREEMENT);
    assert_eq!(says(&story, "=> s1 ="), 2, "{story}");
    assert!(says(&story, "prepared in v0") > 0, "{story}");
}

#[test]
fn without_a_check_of_certificates_in_view_change_a_liar_has_an_invalid_batch_ordered() {
    let story = counterexample(Rule::CertificatesChecked);

    assert_eq!(story.title, VALIDITY);
}

#[test]
fn a_member_that_forgets_its_votes_lets_two_batches_be_prepared_in_one_view() {
    let story = counterexample(Rule::DurableVotes);

    assert_eq!(story.title, UNIQUENESS);
    assert!(says(&story, "crashes") > 0, "{story}");
}

#[test]
fn members_that_keep_their_votes_and_forget_their_certificates_let_two_batches_be_ordered() {
    let story = counterexample(Rule::DurableCertificates);

    assert_eq!(story.title, AGREEMENT);
    assert!(says(&story, "crashes") > 0, "{story}");
}
