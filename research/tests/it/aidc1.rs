//! The same aims on AIDC-1: none is reached, and each attempt sees a weakness that is planted for it.

use research::attacks::aidc1::{Attempt, Clinic, Weakness, attempt};
use research::attacks::{Id, all};

use crate::wu::NOW;

fn clinic() -> Clinic {
    Clinic::new([3; 32], NOW).unwrap()
}

fn attempted(id: Id, clinic: &mut Clinic) -> Attempt {
    let attempt = attempt(id, clinic);
    attempt.unwrap_or_else(|| panic!("{id}: the surroundings broke"))
}

#[test]
fn no_attack_on_a_paper_reaches_its_aim_on_aidc1() {
    let mut clinic = clinic();

    for attack in all() {
        let attempt = attempted(attack.id, &mut clinic);
        assert!(!attempt.succeeded, "{}: {}", attack.id, attempt.why);
        assert!(attempt.why.len() > 60, "{}", attack.id);
    }
}

#[test]
fn each_attempt_sees_the_weakness_that_is_planted_for_it() {
    let planted = [
        (Id::A1, Weakness::Factor),
        (Id::A2, Weakness::EpochKey),
        (Id::A3, Weakness::SharedKey),
        (Id::A4, Weakness::Salt),
        (Id::A5, Weakness::PatientKeys),
        (Id::A6, Weakness::LiteralMask),
        (Id::A7, Weakness::Mask),
        (Id::A8, Weakness::Aid),
        (Id::A10, Weakness::Shares),
        (Id::A12, Weakness::AllKeys),
        (Id::A13, Weakness::RecordsAtOnce),
        (Id::A14, Weakness::PatientKeys),
        (Id::A15, Weakness::PatientKeys),
        (Id::B1, Weakness::EpochKey),
        (Id::B2, Weakness::Numbers),
        (Id::B3, Weakness::KeysTravel),
        (Id::B4, Weakness::StuckDice),
        (Id::B5, Weakness::Shares),
        (Id::B6, Weakness::SecretOnCard),
    ];

    assert_eq!(planted.len(), all().len());
    for (id, weakness) in planted {
        let attempt = attempted(id, &mut clinic().with(weakness));
        assert!(attempt.succeeded, "{id} with {weakness:?}: {}", attempt.why);
    }
}
