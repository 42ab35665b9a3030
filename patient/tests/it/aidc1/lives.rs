//! What a patient does after she has enrolled: other locks, other devices, the way back, and objections.

use contract::contracts::identity::identity_at;
use contract::identity::Aid;
use contract::record::Status;
use contract::transaction::{Call, RecoveryCall};
use patient::code::{Code, Exit};

use super::terminal::{Enrols, ID, PASSWORD, Terminal, code};
use crate::consortium::{Consortium, When};

fn registered(members: &Consortium) -> Terminal<'_> {
    let terminal = Terminal::new(members, "mine");
    terminal.register(Enrols::Face).unwrap();
    terminal
}

fn aids(members: &Consortium) -> Vec<Aid> {
    members.world().centre.people[ID].clone()
}

fn status(members: &Consortium, aid: &Aid) -> Status {
    let world = members.world();
    let found = identity_at(&world.chain.snapshot(), aid).unwrap();
    found.unwrap().status()
}

fn faces(terminal: &Terminal<'_>) -> Vec<String> {
    let faces = [3, 4, 5].map(|at| ["--bio".to_owned(), terminal.text(&format!("face{at}"))]);
    faces.concat()
}

fn run(
    terminal: &Terminal<'_>,
    command: &str,
    given: &[(&str, &str)],
    faces: &[String],
) -> Result<Exit, patient::output::Failure> {
    let files: Vec<_> = given
        .iter()
        .map(|(flag, file)| (*flag, terminal.text(file)))
        .collect();
    let mut typed: Vec<&str> = Vec::new();
    for (flag, file) in &files {
        typed.extend([*flag, file.as_str()]);
    }
    typed.extend(faces.iter().map(String::as_str));
    terminal.run(command, &typed)
}

const OPENS: [(&str, &str); 2] = [("--password-file", "pw"), ("--recovery-code-file", "paper")];

#[test]
fn a_new_password_opens_the_same_aids_and_the_old_card_is_worth_nothing() {
    let members = Consortium::start();
    let terminal = registered(&members);
    let old = std::fs::read(terminal.card()).unwrap();
    let before = aids(&members);
    terminal.secret("new", "another, longer password");
    let given = [OPENS[0], OPENS[1], ("--new-password-file", "new")];

    assert_eq!(
        run(&terminal, "change password", &given, &faces(&terminal)),
        Ok(Exit::Ok)
    );

    assert_eq!(
        code(terminal.sign_in("clinic-a", &["face3"], &[])),
        Code::CredentialDidNotOpen
    );
    terminal.secret("pw", "another, longer password");
    assert_eq!(terminal.sign_in("clinic-a", &["face0"], &[]), Ok(Exit::Ok));
    assert_eq!(aids(&members), before);
    std::fs::write(terminal.card(), old).unwrap();
    terminal.secret("pw", PASSWORD);
    let refused = code(terminal.sign_in("clinic-a", &["face3"], &[]));
    assert_eq!(refused, Code::TooFewEvaluators, "its shares are destroyed");
}

#[test]
fn a_change_needs_every_member_and_leaves_the_old_lock_until_it_is_done() {
    let members = Consortium::start();
    let terminal = registered(&members);
    members.world().trouble.down.insert(2);

    assert_eq!(
        code(run(&terminal, "change face", &OPENS, &faces(&terminal))),
        Code::EnrolmentIncomplete
    );

    members.world().trouble.down.clear();
    assert_eq!(terminal.sign_in("clinic-a", &["face3"], &[]), Ok(Exit::Ok));
}

#[test]
fn she_moves_to_another_device_and_the_old_aids_end() {
    let members = Consortium::start();
    let terminal = registered(&members);
    let before = aids(&members);
    let phone = Terminal::new(&members, "phone");
    let given = [OPENS[0], ("--new-recovery-code-file", "new-paper")];
    let card = phone.card().display().to_string();
    let mut more = faces(&terminal);
    more.extend([
        "--to".to_owned(),
        "phone".to_owned(),
        "--to-card".to_owned(),
        card,
    ]);

    assert_eq!(run(&terminal, "move", &given, &more), Ok(Exit::Ok));

    assert_eq!(phone.sign_in("clinic-a", &["face0"], &[]), Ok(Exit::Ok));
    assert_eq!(
        code(terminal.sign_in("clinic-a", &["face3"], &[])),
        Code::TooFewEvaluators
    );
    for aid in before {
        assert_eq!(status(&members, &aid), Status::Replaced);
    }
}

#[test]
fn renewing_leaves_the_old_card_in_use_until_the_new_aids_are_registered() {
    let members = Consortium::start();
    let terminal = registered(&members);
    let before = aids(&members);
    members.world().trouble.set_of = 2;
    let given = [OPENS[0], ("--new-recovery-code-file", "new-paper")];

    assert_eq!(
        run(&terminal, "renew", &given, &faces(&terminal)),
        Ok(Exit::Ok)
    );
    assert!(terminal.pending().exists());
    assert_eq!(terminal.sign_in("clinic-a", &["face3"], &[]), Ok(Exit::Ok));

    members.world().register_queue();
    assert_eq!(terminal.sign_in("clinic-a", &["face3"], &[]), Ok(Exit::Ok));
    assert!(!terminal.pending().exists());
    assert_ne!(aids(&members), before);
    assert_eq!(status(&members, &before[0]), Status::Active);
}

#[test]
fn with_desk_and_paper_she_recovers_at_once_what_a_lost_device_took() {
    let members = Consortium::start();
    let terminal = registered(&members);
    let before = aids(&members);
    members.world().centre.desk.push([5; 16]);
    let desk = protocol::aidc1::RecoveryCode::new(protocol::Secret::new([5; 16]));
    let lost = Terminal::new(&members, "found");
    lost.secret("desk", &desk.to_text());
    std::fs::copy(terminal.path("paper"), lost.path("paper")).unwrap();
    let given = [
        OPENS[0],
        OPENS[1],
        ("--id-file", "id"),
        ("--desk-code-file", "desk"),
        ("--new-recovery-code-file", "new-paper"),
    ];

    assert_eq!(run(&lost, "recover", &given, &faces(&lost)), Ok(Exit::Ok));

    assert_eq!(lost.sign_in("clinic-b", &["face0"], &[]), Ok(Exit::Ok));
    assert_eq!(status(&members, &before[3]), Status::Replaced);
}

#[test]
fn a_recovery_without_the_paper_waits_and_the_owner_objects() {
    let members = Consortium::start();
    let terminal = registered(&members);
    let before = aids(&members);
    members.world().centre.desk.push([5; 16]);
    let desk = protocol::aidc1::RecoveryCode::new(protocol::Secret::new([5; 16]));
    let thief = Terminal::new(&members, "thief");
    thief.secret("desk", &desk.to_text());
    let given = [
        OPENS[0],
        ("--id-file", "id"),
        ("--desk-code-file", "desk"),
        ("--new-recovery-code-file", "new-paper"),
    ];

    assert_eq!(run(&thief, "recover", &given, &faces(&thief)), Ok(Exit::Ok));
    assert!(thief.pending().exists());
    assert_eq!(
        code(thief.sign_in("clinic-b", &["face0"], &[])),
        Code::RegistrationPending
    );

    assert_eq!(run(&terminal, "cancel-recovery", &OPENS, &[]), Ok(Exit::Ok));
    let mut world = members.world();
    let new = Aid::new([1; 32]);
    let approve = RecoveryCall::Approve {
        old: before[0],
        new,
    };
    let outcome = world.chain.calls(1, Call::Recovery(approve));
    assert!(matches!(outcome, contract::Outcome::Refused(_)));
}

#[test]
fn she_revokes_by_card_or_by_the_code_alone_and_only_on_purpose() {
    let members = Consortium::start();
    let terminal = registered(&members);
    let before = aids(&members);
    assert_eq!(
        code(run(&terminal, "revoke", &OPENS, &[])),
        Code::RiskNotAccepted
    );
    let risk = "--accept-risk=revocation".to_owned();
    members.world().trouble.down.insert(0);

    let one = vec![
        "--by-code".to_owned(),
        "--aid".to_owned(),
        before[7].to_string(),
        risk.clone(),
    ];
    assert_eq!(run(&terminal, "revoke", &OPENS[1..], &one), Ok(Exit::Ok));
    assert_eq!(status(&members, &before[7]), Status::Revoked);
    assert_eq!(status(&members, &before[0]), Status::Active);

    assert_eq!(run(&terminal, "revoke", &OPENS, &[risk]), Ok(Exit::Ok));
    for aid in &before {
        assert_eq!(status(&members, aid), Status::Revoked);
    }
}

#[test]
fn a_move_that_was_stopped_leaves_the_old_card_alive_until_it_is_finished() {
    for when in [When::Before, When::After] {
        let members = Consortium::start();
        let terminal = registered(&members);
        let phone = Terminal::new(&members, "phone");
        let given = [OPENS[0], ("--new-recovery-code-file", "new-paper")];
        let card = phone.card().display().to_string();
        let mut more = faces(&terminal);
        more.extend(["--to", "phone", "--to-card", &card].map(str::to_owned));
        members.world().trouble.drop_once = Some(("/v1/enrol/accept", when));

        assert_eq!(
            code(run(&terminal, "move", &given, &more)),
            Code::CannotReach
        );
        let before = terminal.sign_in("clinic-a", &["face3"], &[]);
        let taken = when == When::After;
        let expected = if taken {
            Err(Code::SignInRefused)
        } else {
            Ok(Exit::Ok)
        };
        assert_eq!(
            before.map_err(|failure| failure.code()),
            expected,
            "{when:?}"
        );

        assert_eq!(run(&terminal, "move", &given, &more), Ok(Exit::Ok));
        assert_eq!(phone.sign_in("clinic-a", &["face0"], &[]), Ok(Exit::Ok));
    }
}
