//! What terminal and RC say to each other at an enrolment, and the question for a history:
//! each message has one encoding, and whatever else comes is refused.

use std::sync::LazyLock;

use contract::record::Consent;
use contract::{Aid, PublicKey, ServerId, SignatureBytes, encoding};
use proptest::prelude::*;
use protocol::aidc1::application::{
    ACCEPTANCE_BYTES_MAX, Acceptance, Application, Person, Purpose, Ticket,
};
use protocol::aidc1::history::{HISTORY_BYTES, HistoryRequest};
use protocol::aidc1::issue::issue;
use protocol::aidc1::offer::{Identities, OFFER_BYTES_MAX, Offer, Replaced, Taken};
use protocol::aidc1::oprf::shares;
use protocol::aidc1::registration::Applicant;
use protocol::aidc1::{AIDS, AidIndex, Handle};
use protocol::suite::Message as _;
use protocol::wu::PatientId;
use protocol::{Malformed, Secret, Timestamp};

use crate::enrolment_world::{CHAIN, Consortium, Patient};
use crate::seeded::dice;
use crate::world::NOW;

const HANDLE: Handle = Handle::new([1; 16]);
const OLD: Handle = Handle::new([2; 16]);
/// Bytes of an enrolment that changes no lock, and of one that does.
const ENROLMENT: usize = 81;
const CHANGING: usize = ENROLMENT + 80;

fn ada() -> Patient {
    Patient::new(&mut dice(7))
}

fn person(patient: &Patient) -> Person {
    let aids: Vec<Aid> = AidIndex::all()
        .map(|index| *patient.root.seed(index).keys().aid())
        .collect();
    Person {
        id: patient.id.clone(),
        aids: aids.try_into().unwrap(),
    }
}

/// One of each purpose, with and without a code.
fn applications() -> Vec<Application> {
    let patient = ada();
    let person = person(&patient);
    let plain = patient.enrolment(HANDLE);
    let changing = plain.clone().in_place_of(OLD, &patient.root, &CHAIN);
    let of = |purpose: Purpose, desk: Option<u8>| Application {
        enrolment: if purpose.needs_old_lock() {
            changing.clone()
        } else {
            plain.clone()
        },
        purpose,
        desk: desk.map(|byte| Secret::new([byte; 16])),
    };
    vec![
        of(Purpose::Enrol(person.clone()), None),
        of(Purpose::Enrol(person.clone()), Some(9)),
        of(Purpose::Renew(person.clone()), None),
        of(Purpose::Move(person.clone()), None),
        of(Purpose::Recover(person), Some(9)),
        of(Purpose::Relock, None),
    ]
}

fn offers() -> Vec<Offer> {
    let mut rng = dice(8);
    let patient = ada();
    let person = person(&patient);
    let members: Vec<ServerId> = (1..=4).map(|one| ServerId::new([one; 32])).collect();
    let (evaluators, _) = shares::deal(2, &members, &mut rng).unwrap();
    let answers: Vec<_> = person
        .aids
        .iter()
        .map(|aid| issue(aid, &patient.id, &mut rng).unwrap().answer)
        .collect();
    let identities = |replaced| Identities {
        ticket: Ticket::new(Secret::new([5; 16])),
        replaced,
        answers: answers.clone().try_into().unwrap(),
    };
    let replaced = person.aids.map(|aid| Replaced { aid, epoch: 3 });
    let of = |identities| Offer {
        evaluators: evaluators.clone(),
        deals: vec![vec![1; 600], vec![2; 601], Vec::new(), vec![4]],
        identities,
    };
    vec![
        of(None),
        of(Some(identities(None))),
        of(Some(identities(Some(Box::new(replaced))))),
    ]
}

fn acceptances() -> Vec<Acceptance> {
    let mut rng = dice(9);
    let patient = ada();
    let registrations: Vec<_> = AidIndex::all()
        .map(|index| {
            let keys = patient.root.seed(index).keys();
            let answer = issue(keys.aid(), &patient.id, &mut rng).unwrap().answer;
            let applicant = Applicant {
                keys: &keys,
                pk_recovery: patient.code.public(index),
                id: &patient.id,
                epoch: 0,
            };
            applicant.prove(&answer, &CHAIN, &mut rng).unwrap()
        })
        .collect();
    let signed: Vec<Consent> = AidIndex::all()
        .map(|index| {
            let signature = SignatureBytes::new([index.get(); 64]);
            if index.get() % 2 == 0 {
                Consent::SigningKey(signature)
            } else {
                Consent::RecoveryKey(signature)
            }
        })
        .collect();
    let of = |consents| Acceptance {
        ticket: Ticket::new(Secret::new([6; 16])),
        registrations: registrations.clone().try_into().unwrap(),
        consents,
    };
    vec![of(None), of(Some(signed.try_into().unwrap()))]
}

fn takens() -> [Taken; 4] {
    let needed = 8;
    [
        Taken::Submitted,
        Taken::Queued { waiting: 1, needed },
        Taken::Queued { waiting: 8, needed },
        Taken::AwaitsApproval,
    ]
}

fn history() -> HistoryRequest {
    let patient = ada();
    let keys = patient.root.seed(AidIndex::FIRST).keys();
    HistoryRequest::new(&keys, &CHAIN, ServerId::new([3; 32]), NOW)
}

/// Writes a message again, where it can be read.
type Again = fn(&[u8]) -> Option<Vec<u8>>;

fn again_application(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(Application::parse(bytes).ok()?.encode().to_vec())
}

fn again_offer(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(Offer::parse(bytes).ok()?.encode().to_vec())
}

fn again_acceptance(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(Acceptance::parse(bytes).ok()?.encode())
}

fn again_taken(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(Taken::parse(bytes).ok()?.encode())
}

fn again_history(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(HistoryRequest::parse(bytes).ok()?.encode())
}

/// They take a moment.
static SAMPLES: LazyLock<Vec<(Vec<u8>, Again)>> = LazyLock::new(samples);

/// A sample of every message and form, and how it is written again.
fn samples() -> Vec<(Vec<u8>, Again)> {
    let mut all: Vec<(Vec<u8>, Again)> = Vec::new();
    for one in applications() {
        all.push((one.encode().to_vec(), again_application));
    }
    for one in offers() {
        all.push((one.encode().to_vec(), again_offer));
    }
    for one in acceptances() {
        all.push((one.encode(), again_acceptance));
    }
    for one in takens() {
        all.push((one.encode(), again_taken));
    }
    all.push((history().encode(), again_history));
    all
}

#[test]
fn every_message_is_read_again_as_it_was_written() {
    for application in applications() {
        assert_eq!(Application::parse(&application.encode()), Ok(application));
    }
    for offer in offers() {
        assert!(offer.encode().len() <= OFFER_BYTES_MAX);
        assert_eq!(Offer::parse(&offer.encode()), Ok(offer));
    }
    for acceptance in acceptances() {
        assert!(acceptance.encode().len() <= ACCEPTANCE_BYTES_MAX);
        assert_eq!(Acceptance::parse(&acceptance.encode()), Ok(acceptance));
    }
    for taken in takens() {
        assert_eq!(Taken::parse(&taken.encode()), Ok(taken));
    }
    let history = history();
    assert_eq!(history.encode().len(), HISTORY_BYTES);
    assert_eq!(HistoryRequest::parse(&history.encode()), Ok(history));
}

#[test]
fn no_message_is_read_from_a_part_of_it_or_with_a_byte_behind() {
    for (bytes, again) in samples() {
        for length in 0..bytes.len() {
            assert_eq!(again(&bytes[..length]), None, "{length} of {}", bytes.len());
        }
        assert_eq!(again(&[bytes.as_slice(), &[0]].concat()), None);
    }
}

#[test]
fn every_message_begins_with_its_version() {
    for (mut bytes, again) in samples() {
        bytes[0] = 2;
        assert_eq!(again(&bytes), None);
    }
}

proptest! {
    #[test]
    fn whatever_is_read_would_be_written_as_the_same_bytes(
        sample in 0_usize..16,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let (mut bytes, again) = SAMPLES[sample].clone();
        for (place, value) in changes {
            let at = place.index(bytes.len());
            bytes[at] = value;
        }

        if let Some(written) = again(&bytes) {
            prop_assert_eq!(written, bytes);
        }
    }
}

/// The refusal of a sample with other bytes at a place.
fn bent(application: &Application, at: usize, value: &[u8]) -> Malformed {
    let mut bytes = application.encode().to_vec();
    bytes[at..][..value.len()].copy_from_slice(value);
    Application::parse(&bytes).unwrap_err()
}

fn field(message: &'static str, field: &'static str, why: &'static str) -> Malformed {
    Malformed::Field {
        message,
        field,
        why,
    }
}

#[test]
fn an_application_is_refused_for_each_field_that_cannot_be() {
    let all = applications();
    let (plain, renewal) = (&all[0], &all[2]);
    let wrong = |name, why| field("an application", name, why);

    assert_eq!(bent(plain, 1, &[5]), wrong("purpose", "is none of 0 to 4"));
    assert_eq!(bent(plain, 2, &[2]), wrong("desk", "is neither 0 nor 1"));
    let key = "is no key that may sign";
    assert_eq!(bent(plain, 3 + 16, &[0; 32]), wrong("pk_dev", key));
    assert_eq!(bent(plain, 3 + 48, &[0xff; 32]), wrong("pk_confirm", key));
    let change = 3 + ENROLMENT - 1;
    let neither = wrong("change", "is neither 0 nor 1");
    assert_eq!(bent(plain, change, &[2]), neither);
    let other = wrong("change", "does not go with the purpose");
    assert_eq!(bent(plain, 1, &[1]), other);
    assert_eq!(bent(renewal, 1, &[0]), other);
    let aids = 3 + ENROLMENT + 2 + ada().id.expose().len();
    let first = plain.encode()[aids..aids + 32].to_vec();
    let twice = wrong("AID", "stands twice");
    assert_eq!(bent(plain, aids + 15 * 32, &first), twice);
}

#[test]
fn an_id_has_one_to_sixty_four_bytes_of_text_and_none_of_them_is_zero() {
    let plain = &applications()[0];
    let start = 3 + ENROLMENT + 2;

    let zero = field("an application", "ID", "holds a zero byte");
    assert_eq!(bent(plain, start, &[0]), zero);
    bent(plain, start, &[0xff]);
    let with_id = |id: &[u8]| {
        let bytes = plain.encode();
        let length = u16::try_from(id.len()).unwrap().to_be_bytes();
        let rest = &bytes[start + ada().id.expose().len()..];
        let bytes = [&bytes[..start - 2], &length, id, rest].concat();
        Application::parse(&bytes).is_ok()
    };
    assert!(!with_id(b"") && with_id(b"a"));
    assert!(with_id(&[b'a'; 64]) && !with_id(&[b'a'; 65]));
}

#[test]
fn another_lock_needs_no_person_and_a_code_is_read_where_it_is_said_to_be() {
    let all = applications();
    let (enrol, relock) = (&all[1], &all[5]);

    assert_eq!(relock.encode().len(), 3 + CHANGING);
    assert_eq!(relock.purpose.person(), None);
    assert_eq!(enrol.purpose.person().unwrap().id, ada().id);
    assert_eq!(enrol.encode()[2], 1);
    assert_eq!(enrol.encode()[3..19], [9; 16]);
}

#[test]
fn a_change_counts_for_the_lock_and_the_root_that_asked_for_it() {
    let patient = ada();
    let stranger = Patient::new(&mut dice(10));
    let enrolment = patient
        .enrolment(HANDLE)
        .in_place_of(OLD, &patient.root, &CHAIN);
    let confirm = patient.root.confirm_public(&OLD);
    let replaces = |old: &Handle, confirm: &PublicKey, chain| {
        let enrolment = enrolment.clone();
        enrolment.replaces(old, confirm, chain)
    };

    assert!(replaces(&OLD, &confirm, &CHAIN));
    assert!(!replaces(&HANDLE, &confirm, &CHAIN));
    assert!(!replaces(&OLD, &stranger.root.confirm_public(&OLD), &CHAIN));
    assert!(!replaces(&OLD, &confirm, &contract::ChainId::new([1; 32])));
    let unchanged = patient.enrolment(HANDLE);
    assert!(!unchanged.replaces(&OLD, &confirm, &CHAIN));
}

#[test]
fn an_acceptance_is_refused_for_each_field_that_cannot_be() {
    let all = acceptances();
    let message = "an acceptance";
    let bytes = all[1].encode();
    let flag = all[0].encode().len() - 1;
    let bent = |at: usize, value: u8| {
        let mut bytes = bytes.clone();
        bytes[at] = value;
        Acceptance::parse(&bytes).unwrap_err()
    };
    let encoding = "is not the ledger's encoding of one";

    let consents = field(message, "consents", "is neither 0 nor 1");
    assert_eq!(bent(flag, 2), consents);
    let key = field(message, "key of the consent", "is neither 0 nor 1");
    assert_eq!(bent(flag + 1, 2), key);
    let registration = field(message, "registration", encoding);
    // The status is an enum of four, behind the AID and three keys.
    assert_eq!(bent(17 + 2 + 4 * 32, 9), registration);
    let long = encoding::encode(&all[0].registrations[0]);
    let with_long = |extra: usize| {
        let mut long = long.clone();
        long.extend(vec![0; extra]);
        let length = u16::try_from(long.len()).unwrap().to_be_bytes();
        let rest = &bytes[17 + 2 + long.len() - extra..];
        let bytes = [&bytes[..17], &length, &long, rest].concat();
        Acceptance::parse(&bytes).map(|_| ())
    };
    assert_eq!(with_long(0), Ok(()));
    assert_eq!(with_long(1), Err(registration));
    assert_eq!(with_long(1_024), Err(registration));
}

#[test]
fn an_offer_is_refused_for_each_field_that_cannot_be() {
    let all = offers();
    let flag = all[0].encode().len() - 1;
    let bent = |offer: &Offer, at: usize, value: u8| {
        let mut bytes = offer.encode().to_vec();
        bytes[at] = value;
        Offer::parse(&bytes).unwrap_err()
    };

    let identities = field("an offer", "identities", "is neither 0 nor 1");
    assert_eq!(bent(&all[0], flag, 2), identities);
    let replaced = field("an offer", "replaced", "is neither 0 nor 1");
    assert_eq!(bent(&all[1], flag + 17, 2), replaced);
    // The list of evaluators: none of them needed.
    let list = field("an offer", "list of evaluators", "is not consistent");
    assert_eq!(bent(&all[1], 1, 0), list);
}

#[test]
fn the_answer_to_an_acceptance_says_one_thing() {
    let wrong = field(
        "the answer to an acceptance",
        "code",
        "and numbers do not go together",
    );
    for bytes in [
        [1, 3, 0, 0, 0, 0],
        [1, 0, 0, 1, 0, 0],
        [1, 0, 0, 0, 0, 1],
        [1, 1, 0, 0, 0, 8],
        [1, 1, 0, 9, 0, 8],
        [1, 2, 0, 1, 0, 1],
    ] {
        assert_eq!(Taken::parse(&bytes), Err(wrong), "{bytes:?}");
    }
}

#[test]
fn a_history_is_shown_to_its_own_key_at_one_member_and_for_two_minutes() {
    let patient = ada();
    let keys = patient.root.seed(AidIndex::FIRST).keys();
    let member = ServerId::new([3; 32]);
    let request = history();
    let at = |ms: u64| Timestamp::from_millis(ms);
    let holds = |member: &ServerId, now| request.holds(keys.pk_sig(), (&CHAIN, member), now);
    let now = NOW.as_millis();

    assert_eq!(request.aid(), keys.aid());
    assert!(holds(&member, NOW));
    assert!(holds(&member, at(now + 120_000)) && holds(&member, at(now - 120_000)));
    assert!(!holds(&member, at(now + 120_001)) && !holds(&member, at(now - 120_001)));
    assert!(!holds(&ServerId::new([4; 32]), NOW));
    let other = patient.root.seed(AidIndex::new(1).unwrap()).keys();
    assert!(!request.holds(other.pk_sig(), (&CHAIN, &member), NOW));
    let elsewhere = contract::ChainId::new([1; 32]);
    assert!(!request.holds(keys.pk_sig(), (&elsewhere, &member), NOW));
}

#[test]
fn no_ticket_code_or_salt_is_shown() {
    let shown = format!("{:?} {:?} {:?}", applications(), offers(), acceptances());

    assert!(shown.contains("Ticket(Secret<16>(redacted))"));
    assert!(shown.contains("Secret<32>(redacted)"));
    assert_eq!(Ticket::new(Secret::new([5; 16])).expose(), &[5; 16]);
}

#[test]
fn an_offer_for_a_consortium_of_thirty_one_is_within_its_limit() {
    let mut rng = dice(11);
    let mut consortium = Consortium::of(31);
    let patient = ada();
    let enrolment = patient
        .enrolment(HANDLE)
        .in_place_of(OLD, &patient.root, &CHAIN);
    let evaluators = consortium.deal(11, &enrolment, &mut rng);
    let deal = 1 + 16 + 1 + 64 + 2 + 31 * 64 + 1 + 80 + 112 + 64;
    let offer = Offer {
        evaluators,
        deals: vec![vec![0; deal]; 31],
        identities: offers().swap_remove(2).identities,
    };

    assert!(offer.encode().len() <= OFFER_BYTES_MAX);
    assert_eq!(offer.identities.unwrap().answers.len(), AIDS);
    PatientId::parse(&[b'a'; 64]).unwrap();
}
