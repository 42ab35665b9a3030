//! Signing in: who learns what, and what is said when something is missing.

use std::fs;

use patient::code::{Code, Exit};
use protocol::wu::PatientId;

use super::terminal::{Enrols, ID, Terminal, code};
use crate::consortium::Consortium;

fn registered(members: &Consortium) -> Terminal<'_> {
    let terminal = Terminal::new(members, "mine");
    terminal.register(Enrols::Face).unwrap();
    terminal
}

#[test]
fn a_face_opens_the_card_and_the_ledger_has_the_sign_in() {
    let members = Consortium::start();
    let terminal = registered(&members);

    assert_eq!(terminal.sign_in("clinic-c", &["face3"], &[]), Ok(Exit::Ok));

    let world = members.world();
    let last = world.chain.blocks.last().unwrap();
    let recorded: Vec<_> =
        contract::recorded(&last.transactions, last.execution.outcomes()).collect();
    assert_eq!(recorded.len(), 1);
    assert!(world.desks[3].known.is_empty(), "who she is was not told");
}

#[test]
fn two_servers_see_two_aids_one_server_the_same_and_a_fresh_one_is_nobody_s() {
    let members = Consortium::start();
    let terminal = registered(&members);

    for (server, more) in [
        ("clinic-a", &[][..]),
        ("clinic-a", &[]),
        ("clinic-b", &[]),
        ("clinic-a", &["--fresh"]),
    ] {
        terminal.sign_in(server, &["face3"], more).unwrap();
    }

    let world = members.world();
    let blocks = world.chain.blocks.iter();
    let aids: Vec<_> = blocks
        .flat_map(|one| contract::recorded(&one.transactions, one.execution.outcomes()))
        .map(|one| *one.aid())
        .collect();
    assert_eq!(aids.len(), 4);
    assert_eq!(aids[0], aids[1]);
    assert!(aids[2] != aids[0] && aids[3] != aids[0] && aids[3] != aids[2]);
}

#[test]
fn she_tells_who_she_is_only_when_she_says_so() {
    let members = Consortium::start();
    let terminal = registered(&members);

    terminal
        .sign_in("clinic-a", &["face3"], &["--identify"])
        .unwrap();

    let world = members.world();
    let known: Vec<_> = world.desks[1].known.iter().map(PatientId::expose).collect();
    assert_eq!(known, [ID]);
}

#[test]
fn a_stranger_s_face_opens_nothing_and_a_later_capture_of_hers_does() {
    let members = Consortium::start();
    let terminal = registered(&members);

    let strangers = ["other0", "other1", "other2", "other3"];
    assert_eq!(
        code(terminal.sign_in("clinic-a", &strangers, &[])),
        Code::CredentialDidNotOpen
    );
    terminal
        .sign_in("clinic-a", &["other0", "other1", "face3"], &[])
        .unwrap();
    terminal.secret("pw", "another password");
    assert_eq!(
        code(terminal.sign_in("clinic-a", &["face3"], &[])),
        Code::CredentialDidNotOpen,
        "the same as for another face"
    );
}

#[test]
fn with_the_rc_and_one_clinic_down_she_signs_in_at_another() {
    let members = Consortium::start();
    let terminal = registered(&members);
    members.world().trouble.down.extend([0, 1]);

    assert_eq!(terminal.sign_in("clinic-c", &["face3"], &[]), Ok(Exit::Ok));

    members.world().trouble.down.insert(2);
    assert_eq!(
        code(terminal.sign_in("clinic-c", &["face3"], &[])),
        Code::TooFewEvaluators
    );
}

#[test]
fn a_member_that_lies_about_its_share_is_passed_over() {
    let members = Consortium::start();
    let terminal = registered(&members);
    members.world().trouble.lying.insert(0);

    assert_eq!(terminal.sign_in("clinic-a", &["face3"], &[]), Ok(Exit::Ok));
}

#[test]
fn too_many_wrong_passwords_make_her_wait_and_it_is_said() {
    let members = Consortium::start();
    let terminal = registered(&members);
    terminal.secret("pw", "wrong");
    for _ in 0..5 {
        assert_eq!(
            code(terminal.sign_in("clinic-a", &["face3"], &[])),
            Code::CredentialDidNotOpen
        );
    }

    // The two that were asked wait; the two others still answer.
    for _ in 0..5 {
        assert_eq!(
            code(terminal.sign_in("clinic-a", &["face3"], &[])),
            Code::CredentialDidNotOpen
        );
    }
    let refused = terminal.sign_in("clinic-a", &["face3"], &[]).unwrap_err();
    assert_eq!(refused.code(), Code::LockThrottled);
    assert!(
        refused.to_json()["note"]
            .as_str()
            .unwrap()
            .contains("try again after")
    );
}

#[test]
fn a_server_whose_clock_is_off_gets_no_signature_and_the_clock_is_named() {
    let members = Consortium::start();
    let terminal = registered(&members);
    members.world().trouble.ahead_ms = 121_000;

    assert_eq!(
        code(terminal.sign_in("clinic-a", &["face3"], &[])),
        Code::ClockSkew
    );
}

#[test]
fn a_lost_answer_is_asked_for_again_and_counts_once() {
    let members = Consortium::start();
    let terminal = registered(&members);
    members.world().trouble.drop_once =
        Some(("/v1/sign-in/confirm", crate::consortium::When::After));

    assert_eq!(terminal.sign_in("clinic-a", &["face3"], &[]), Ok(Exit::Ok));
}

#[test]
fn when_no_answer_comes_she_claims_at_another_member_and_is_told_what_is_known() {
    let members = Consortium::start();
    let terminal = registered(&members);
    {
        let mut world = members.world();
        world.trouble.keeps_results = true;
        world.trouble.mute.insert(1);
    }

    let failure = terminal.sign_in("clinic-a", &["face3"], &[]).unwrap_err();

    assert_eq!(failure.code(), Code::OutcomeUnknown);
    let note = failure.to_json()["note"].as_str().unwrap().to_owned();
    assert!(
        note.contains("claim") && note.contains("not countersigned"),
        "{note}"
    );
    let claims = members.world().chain.blocks.iter().any(|block| {
        block
            .transactions
            .iter()
            .any(|one| one.call().name() == "claim")
    });
    assert!(claims);
}

#[test]
fn when_the_server_keeps_the_result_back_she_is_signed_in_and_has_a_claim() {
    let members = Consortium::start();
    let terminal = registered(&members);
    members.world().trouble.keeps_results = true;

    let failure = terminal.sign_in("clinic-a", &["face3"], &[]).unwrap_err();

    assert_eq!(failure.code(), Code::ResultPending);
    assert!(failure.what().starts_with("you are signed in at clinic-a"));
    assert!(
        failure.to_json()["note"]
            .as_str()
            .unwrap()
            .contains("claim")
    );
}

#[test]
fn a_card_on_another_device_opens_nothing() {
    let members = Consortium::start();
    let terminal = registered(&members);
    fs::remove_file(terminal.path("it.device")).unwrap();

    assert_eq!(
        code(terminal.sign_in("clinic-a", &["face3"], &[])),
        Code::DeviceMissing
    );
}
