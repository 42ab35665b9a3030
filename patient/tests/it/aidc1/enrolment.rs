//! Registering: everything or nothing, and resumed where it was stopped.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use patient::code::{Code, Exit};

use super::terminal::{Enrols, ID, Terminal, code};
use crate::consortium::{Consortium, When};

#[test]
fn a_patient_registers_sixteen_aids_and_keeps_card_device_and_code_apart() {
    let members = Consortium::start();
    let terminal = Terminal::new(&members, "mine");

    assert_eq!(terminal.register(Enrols::Face), Ok(Exit::Ok));

    assert_eq!(members.world().centre.people[ID].len(), 16);
    for file in ["it.card", "it.device", "paper"] {
        let mode = fs::metadata(terminal.path(file))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    assert!(!terminal.pending().exists());
    let card = fs::read(terminal.card()).unwrap();
    let id = card.windows(ID.len()).any(|part| part == ID.as_bytes());
    assert!(!id, "the card shows no ID");
    let world = members.world();
    let counts = world
        .evaluators
        .iter()
        .flat_map(|one| one.enrolled.values());
    let unconfirmed: Vec<_> = counts.map(|one| one.throttle().unconfirmed()).collect();
    assert_eq!(unconfirmed, [0; 4], "every member heard that it was she");
}

#[test]
fn nothing_is_registered_unless_every_member_takes_its_share() {
    let members = Consortium::start();
    let terminal = Terminal::new(&members, "mine");
    members.world().trouble.down.insert(3);

    assert_eq!(
        code(terminal.register(Enrols::NoFace)),
        Code::EnrolmentIncomplete
    );

    assert!(!terminal.card().exists() && !terminal.pending().exists());
    assert!(members.world().centre.people.is_empty());
    members.world().trouble.down.clear();
    assert_eq!(terminal.register(Enrols::NoFace), Ok(Exit::Ok));
}

#[test]
fn an_rc_that_would_enrol_another_name_gets_no_signature() {
    let members = Consortium::start();
    let terminal = Terminal::new(&members, "mine");
    members.world().trouble.false_identity = true;

    assert_eq!(code(terminal.register(Enrols::NoFace)), Code::OfferFalse);

    assert!(!terminal.pending().exists());
    assert!(members.world().centre.people.is_empty());
}

#[test]
fn a_registration_that_was_stopped_is_finished_by_the_same_command() {
    for when in [When::Before, When::After] {
        for path in ["/v1/enrol/accept", "/v1/record"] {
            let members = Consortium::start();
            let terminal = Terminal::new(&members, "mine");
            members.world().trouble.drop_once = Some((path, when));

            assert_eq!(
                code(terminal.register(Enrols::NoFace)),
                Code::CannotReach,
                "{path} {when:?}"
            );
            assert!(terminal.pending().exists());

            assert_eq!(
                terminal.register(Enrols::NoFace),
                Ok(Exit::Ok),
                "{path} {when:?}"
            );
            assert!(!terminal.pending().exists());
            assert_eq!(members.world().centre.people[ID].len(), 16);
            assert_eq!(terminal.sign_in("clinic-a", &[], &[]), Ok(Exit::Ok));
        }
    }
}

#[test]
fn a_patient_whose_set_waits_is_told_so_and_signs_in_once_it_is_registered() {
    let members = Consortium::start();
    let terminal = Terminal::new(&members, "mine");
    members.world().trouble.set_of = 8;

    assert_eq!(terminal.register(Enrols::NoFace), Ok(Exit::Ok));
    assert!(terminal.pending().exists());
    assert_eq!(
        code(terminal.sign_in("clinic-a", &[], &[])),
        Code::RegistrationPending
    );

    members.world().register_queue();
    assert_eq!(terminal.sign_in("clinic-a", &[], &[]), Ok(Exit::Ok));
    assert!(!terminal.pending().exists(), "settled on the way");
}

#[test]
fn a_second_registration_over_a_card_is_refused_before_anything_is_asked() {
    let members = Consortium::start();
    let terminal = Terminal::new(&members, "mine");
    terminal.register(Enrols::NoFace).unwrap();
    let heard = members.world().heard.len();

    assert_eq!(code(terminal.register(Enrols::NoFace)), Code::CardExists);

    assert_eq!(members.world().heard.len(), heard);
}
