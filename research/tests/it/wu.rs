//! The attacks on Wu et al., each on the suite in this process.

use chacha20::ChaCha20Rng;
use protocol::Timestamp;
use rand_core::SeedableRng as _;
use research::attacks::story::Outcome;
use research::attacks::wu::{self, Process};
use research::attacks::{Id, exhibit, find};

pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

pub(crate) fn dice(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

fn attack(id: Id) -> Outcome {
    let mut world = Process::new(dice(1), NOW).unwrap();
    let Ok(outcome) = wu::run(id, &mut world).unwrap();
    outcome
}

/// It succeeded, and each step of the catalogue gave something.
pub(crate) fn succeeds(id: Id, outcome: &Outcome) {
    let steps = find(id.text()).unwrap().steps;

    assert!(
        outcome.succeeded,
        "{id} stopped at {:?}",
        outcome.story.steps().len()
    );
    assert_eq!(outcome.story.steps().len(), steps.len(), "{id}");
    assert!(outcome.story.steps().iter().all(|shown| !shown.is_empty()));
}

#[test]
fn a1_one_overheard_message_unmasks_every_past_and_future_one() {
    succeeds(Id::A1, &attack(Id::A1));
}

#[test]
fn a2_a_stranger_answers_as_the_server_and_shares_the_patient_s_key() {
    succeeds(Id::A2, &attack(Id::A2));
}

#[test]
fn a3_a_message_meant_for_one_server_is_accepted_by_another() {
    succeeds(Id::A3, &attack(Id::A3));
}

#[test]
fn a4_an_identity_of_five_digits_is_found_offline() {
    succeeds(Id::A4, &attack(Id::A4));
}

#[test]
fn a5_whoever_overheard_one_sign_in_signs_in_as_the_patient_for_ever() {
    succeeds(Id::A5, &attack(Id::A5));
}

#[test]
fn a6_a_short_sp_over_a_whole_point_falls_out_of_m1_alone() {
    for seed in 0..8 {
        let outcome = exhibit(Id::A6, &mut dice(seed), NOW).unwrap();
        succeeds(Id::A6, &outcome);
    }
}

#[test]
fn a7_masked_points_xor_to_unmasked_ones_and_sift_a_list_of_candidates() {
    succeeds(Id::A7, &attack(Id::A7));
}

#[test]
fn a8_every_sign_in_names_the_same_patient_and_the_same_template() {
    succeeds(Id::A8, &attack(Id::A8));
}

#[test]
fn a10_a_stolen_card_and_an_overheard_face_give_the_password_away() {
    succeeds(Id::A10, &attack(Id::A10));
}

#[test]
fn a12_someone_in_the_middle_shares_one_key_with_each_end() {
    succeeds(Id::A12, &attack(Id::A12));
}

#[test]
fn a13_a_replayed_message_is_accepted_again_and_gives_a_second_result() {
    succeeds(Id::A13, &attack(Id::A13));
}

#[test]
fn a14_a_server_makes_up_a_sign_in_out_of_the_ledger_and_one_old_message() {
    succeeds(Id::A14, &attack(Id::A14));
}

#[test]
fn a15_one_leaked_number_of_either_side_gives_the_key() {
    let outcome = attack(Id::A15);

    succeeds(Id::A15, &outcome);
    assert_eq!(outcome.story.steps()[0][0].value, "patient, server");
}
