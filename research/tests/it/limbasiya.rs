//! The attacks on Limbasiya et al., each on the suite in this process; B3 on the form that the authors' program sends.

use research::attacks::limbasiya::{self, Process};
use research::attacks::story::Outcome;
use research::attacks::{Id, exhibit};

use crate::wu::{NOW, dice, succeeds};

fn attack(id: Id) -> Outcome {
    let mut world = Process::new(dice(1), NOW).unwrap();
    let Ok(outcome) = limbasiya::run(id, &mut world).unwrap();
    outcome
}

#[test]
fn b1_any_other_user_reads_who_signs_in_and_links_all_her_sign_ins() {
    succeeds(Id::B1, &attack(Id::B1));
}

#[test]
fn b2_a_servers_table_and_secret_open_every_session_of_the_past() {
    succeeds(Id::B2, &attack(Id::B2));
}

#[test]
fn b3_the_message_as_the_authors_program_sends_it_makes_anybody_the_server() {
    succeeds(Id::B3, &exhibit(Id::B3, &mut dice(1), NOW).unwrap());
}

#[test]
fn b4_the_key_of_one_session_is_that_of_every_other_at_the_same_server() {
    succeeds(Id::B4, &attack(Id::B4));
}

#[test]
fn b5_a_stolen_card_gives_the_password_away_offline() {
    succeeds(Id::B5, &attack(Id::B5));
}

#[test]
fn b6_a_card_shows_servers_secrets_in_clear_to_who_knows_no_password() {
    succeeds(Id::B6, &attack(Id::B6));
}
