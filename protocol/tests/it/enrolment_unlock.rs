//! What opens a lock under AIDC-1, and what does not.

use contract::ServerId;
use protocol::aidc1::deal::Enrolment;
use protocol::aidc1::evaluator::{NotConfirmed, Refused};
use protocol::aidc1::throttle::{NotPending, Throttled};
use protocol::aidc1::unlock::{self, MORE_TRIES, TRIES_SPAN_MS};
use protocol::aidc1::{
    Binding, Card, Confirmation, Cost, DeviceSecret, Factor, Handle, NotOpened, RecoveryCode,
    Retry, Root, TerminalKey,
};
use protocol::suite::Message as _;
use protocol::{Embedding, Secret, Timestamp};
use rand_core::CryptoRng;

use crate::enrolment_world::{CHAIN, Consortium, Patient, cheap, face, question};
use crate::seeded::dice;

const PASSWORD: &str = "correct horse battery staple";
const HANDLE: Handle = Handle::new([1; 16]);

/// A consortium of four, of whom two evaluate, and a patient with her card.
fn enrolled(rng: &mut impl CryptoRng) -> (Consortium, Patient, Card) {
    let mut consortium = Consortium::of(4);
    let patient = Patient::new(rng);
    let enrolment = patient.enrolment(HANDLE);
    let card = patient.enrol(&mut consortium, (&enrolment, 2), (PASSWORD, true), rng);
    (consortium, patient, card)
}

/// What a failure shows: its text and the tries that are left.
fn shown(result: Result<Root, NotOpened>) -> (String, Option<u8>, Option<Box<Retry>>) {
    let NotOpened { failed, retry } = result.map(|_| ()).unwrap_err();
    let left = retry.as_ref().map(|retry| retry.left());
    (
        format!("{failed} {failed:?} {:?}", failed.reason()),
        left,
        retry,
    )
}

#[test]
fn password_face_and_any_two_of_four_members_open_the_lock() {
    let mut rng = dice(1);
    let (mut consortium, patient, card) = enrolled(&mut rng);

    for members in [[0, 1], [2, 3], [3, 1]] {
        let tk = patient.terminal_key(&mut consortium, &card, (PASSWORD, &members), &mut rng);
        let face = Factor::Face(&patient.face[3]);
        let root = unlock::open(tk, card.lock(), face, consortium.now).unwrap();
        assert_eq!(root, patient.root);
    }
}

#[test]
fn a_wrong_password_and_a_wrong_face_cannot_be_told_apart() {
    let mut rng = dice(2);
    let (mut consortium, patient, card) = enrolled(&mut rng);
    let (mine, stranger) = (&patient.face[3], &face(1)[0]);

    let mut wrong_password = patient.unlock(
        &mut consortium,
        &card,
        ("wrong", Factor::Face(mine)),
        &mut rng,
    );
    let mut wrong_face = patient.unlock(
        &mut consortium,
        &card,
        (PASSWORD, Factor::Face(stranger)),
        &mut rng,
    );

    for round in 0..=MORE_TRIES {
        let (text, left, retry_password) = shown(wrong_password);
        let (other_text, other_left, retry_face) = shown(wrong_face);
        assert_eq!((text, left), (other_text, other_left), "round {round}");
        let expected = (round < MORE_TRIES).then(|| MORE_TRIES - round);
        assert_eq!(left, expected);
        let (Some(one), Some(other)) = (retry_password, retry_face) else {
            return;
        };
        wrong_password = one.again(Factor::Face(mine), consortium.now);
        wrong_face = other.again(Factor::Face(stranger), consortium.now);
    }
    unreachable!("the last round has no retry");
}

#[test]
fn three_more_captures_within_a_minute_need_no_evaluation() {
    let mut rng = dice(3);
    let (mut consortium, patient, card) = enrolled(&mut rng);
    let stranger = face(1);
    let first = |consortium: &mut Consortium, rng: &mut _| {
        let wrong = Factor::Face(&stranger[0]);
        let failed = patient.unlock(consortium, &card, (PASSWORD, wrong), rng);
        failed.map(|_| ()).unwrap_err().retry.unwrap()
    };
    let mine = Factor::Face(&patient.face[3]);
    let after = |now: Timestamp, ms: u64| Timestamp::from_millis(now.as_millis() + ms);

    let retry = first(&mut consortium, &mut rng);
    let now = consortium.now;
    let retry = retry
        .again(Factor::Face(&stranger[1]), now)
        .unwrap_err()
        .retry
        .unwrap();
    let retry = retry
        .again(Factor::Face(&stranger[2]), now)
        .unwrap_err()
        .retry
        .unwrap();
    assert_eq!(
        retry.again(mine, after(now, TRIES_SPAN_MS)).unwrap(),
        patient.root
    );

    let late = first(&mut consortium, &mut rng);
    let late = late.again(mine, after(consortium.now, TRIES_SPAN_MS + 1));
    assert!(late.unwrap_err().retry.is_none(), "tk is gone");
    let evaluations = consortium.members[0].enrolled[&HANDLE]
        .throttle()
        .unconfirmed();
    assert_eq!(evaluations, 3, "one at enrolment, one for each first try");
}

#[test]
fn device_password_and_code_open_without_a_face_and_no_two_of_them_do() {
    let mut rng = dice(4);
    let mut consortium = Consortium::of(1);
    let patient = Patient::new(&mut rng);
    let enrolment = patient.enrolment(HANDLE);
    let card = patient.enrol(
        &mut consortium,
        (&enrolment, 1),
        (PASSWORD, false),
        &mut rng,
    );
    let code = Factor::Code(&patient.code);
    let other_code = RecoveryCode::new(Secret::new([9; 16]));

    assert!(!card.lock().has_face());
    let opened = patient.unlock(&mut consortium, &card, (PASSWORD, code), &mut rng);
    assert_eq!(opened.unwrap(), patient.root);
    for (password, factor) in [
        ("wrong", code),
        (PASSWORD, Factor::Code(&other_code)),
        (PASSWORD, Factor::Face(&patient.face[0])),
    ] {
        let (text, left, _) =
            shown(patient.unlock(&mut consortium, &card, (password, factor), &mut rng));
        assert!(text.starts_with("authentication failed"), "{text}");
        assert_eq!(left, Some(MORE_TRIES));
    }
    let binding = card.lock().binding();
    let stranger = DeviceSecret::draw(&mut rng);
    let tk = TerminalKey::derive(&Secret::new([1; 64]), &stranger, binding).unwrap();
    unlock::open(tk, card.lock(), code, consortium.now).unwrap_err();
}

#[test]
fn a_face_is_no_way_around_a_code_nor_a_code_around_the_password() {
    let mut rng = dice(5);
    let (mut consortium, patient, card) = enrolled(&mut rng);

    let code = Factor::Code(&patient.code);
    let opened = patient.unlock(&mut consortium, &card, (PASSWORD, code), &mut rng);
    assert_eq!(
        opened.unwrap(),
        patient.root,
        "a face may change without asking"
    );
    patient
        .unlock(&mut consortium, &card, ("wrong", code), &mut rng)
        .unwrap_err();
}

#[test]
fn the_seals_open_under_their_own_tk_alone() {
    let mut rng = dice(6);
    let (mut consortium, patient, card) = enrolled(&mut rng);
    let tk = patient.terminal_key(&mut consortium, &card, (PASSWORD, &[0, 1]), &mut rng);
    let mine = Factor::Face(&patient.face[3]);
    let code = Factor::Code(&patient.code);

    unlock::open(tk, card.lock(), mine, consortium.now).unwrap();
    for bit in 0..256 {
        let mut bytes = [0; 32];
        bytes[bit / 8] = 1 << (bit % 8);
        for factor in [mine, code] {
            let other = TerminalKey::new(Secret::new(bytes));
            unlock::open(other, card.lock(), factor, consortium.now).unwrap_err();
        }
    }
}

#[test]
fn tk_depends_on_device_password_salt_handle_and_cost() {
    let binding = |handle, salt, passes| Binding {
        aid: contract::Aid::new([0; 32]),
        handle: Handle::new([handle; 16]),
        salt: [salt; 16],
        cost: Cost::new(Cost::MEMORY_KIB_MIN, passes).unwrap(),
    };
    let tk = |r: u8, d: u8, binding: &Binding| {
        let device = DeviceSecret::new(Secret::new([d; 32]));
        TerminalKey::derive(&Secret::new([r; 64]), &device, binding).unwrap()
    };
    let base = tk(1, 1, &binding(1, 1, 1));

    assert_eq!(tk(1, 1, &binding(1, 1, 1)), base);
    for other in [
        tk(2, 1, &binding(1, 1, 1)),
        tk(1, 2, &binding(1, 1, 1)),
        tk(1, 1, &binding(2, 1, 1)),
        tk(1, 1, &binding(1, 2, 1)),
        tk(1, 1, &binding(1, 1, 2)),
    ] {
        assert_ne!(other, base);
    }
}

#[test]
fn a_cost_lies_within_nineteen_and_256_mebibytes_and_one_and_ten_passes() {
    for (memory, passes, fits) in [
        (19 * 1024, 1, true),
        (19 * 1024 - 1, 1, false),
        (256 * 1024, 10, true),
        (256 * 1024 + 1, 10, false),
        (19 * 1024, 0, false),
        (256 * 1024, 11, false),
        (0, 1, false),
        (u32::MAX, 1, false),
    ] {
        assert_eq!(
            Cost::new(memory, passes).is_some(),
            fits,
            "{memory} {passes}"
        );
    }
    assert_eq!(Cost::new(64 * 1024, 3), Some(Cost::STANDARD));
}

#[test]
fn after_a_change_is_confirmed_an_old_copy_of_the_card_is_worth_nothing() {
    let mut rng = dice(7);
    let (mut consortium, patient, old) = enrolled(&mut rng);
    let handle = Handle::new([2; 16]);
    let enrolment = patient
        .enrolment(handle)
        .in_place_of(HANDLE, &patient.root, &CHAIN);
    let new = patient.enrol(
        &mut consortium,
        (&enrolment, 2),
        ("another one", true),
        &mut rng,
    );
    assert_eq!(new.lock().binding().aid, old.lock().binding().aid);

    consortium.pass(1);
    for at in 0..4 {
        let asked = question("another one", handle, &mut rng);
        let (id, _) = consortium
            .ask(at, &asked, &patient.device, &mut rng)
            .unwrap();
        let confirmation = patient.root.confirm(&CHAIN, handle, id);
        let confirmation = Confirmation::parse(&confirmation.encode()).unwrap();
        let enrolled = consortium.members[at].enrolled.get_mut(&handle).unwrap();
        let gone = enrolled.confirm(&confirmation, &CHAIN).unwrap().unwrap();
        assert_eq!(
            enrolled.confirm(&confirmation, &CHAIN),
            Err(NotConfirmed::NotPending(NotPending))
        );
        assert_eq!(gone, HANDLE);
        consortium.members[at].enrolled.remove(&gone);
    }

    let asked = question(PASSWORD, HANDLE, &mut rng);
    consortium.pass(1);
    for at in 0..4 {
        let refused = consortium.ask(at, &asked, &patient.device, &mut rng);
        assert_eq!(refused.map(|_| ()), Err(Refused::Unknown));
    }
    let mine = Factor::Face(&patient.face[3]);
    let opened = patient.unlock(&mut consortium, &new, ("another one", mine), &mut rng);
    assert_eq!(opened.unwrap(), patient.root);
    let asked = question(PASSWORD, handle, &mut rng);
    let answers = consortium.ask_all(&[0, 1, 2, 3], &asked, &patient.device, &mut rng);
    let combined = asked.combine(new.evaluators(), &answers).unwrap();
    let old_lock = old.lock();
    let tk = TerminalKey::derive(&combined.output, &patient.device, old_lock.binding()).unwrap();
    unlock::open(tk, old_lock, mine, consortium.now).unwrap_err();
}

#[test]
fn nobody_changes_a_lock_that_he_did_not_open() {
    let mut rng = dice(8);
    let (mut consortium, patient, _) = enrolled(&mut rng);
    let thief = Patient::new(&mut rng);
    let handle = Handle::new([3; 16]);
    let enrolment = Enrolment::new(handle, thief.device.public(), &thief.root);
    let enrolment = enrolment.in_place_of(HANDLE, &thief.root, &CHAIN);

    consortium.deal(2, &enrolment, &mut rng);
    consortium.pass(1);
    let asked = question(PASSWORD, handle, &mut rng);
    let (id, _) = consortium.ask(0, &asked, &thief.device, &mut rng).unwrap();
    let confirmation = thief.root.confirm(&CHAIN, handle, id);
    let enrolled = consortium.members[0].enrolled.get_mut(&handle).unwrap();

    assert_eq!(
        enrolled.confirm(&confirmation, &CHAIN),
        Ok(None),
        "nothing is destroyed"
    );
    let asked = question(PASSWORD, HANDLE, &mut rng);
    consortium
        .ask(0, &asked, &patient.device, &mut rng)
        .unwrap();
}

#[test]
fn outsiders_neither_use_up_tries_nor_confirm_them() {
    let mut rng = dice(9);
    let (mut consortium, patient, _) = enrolled(&mut rng);
    let stranger = DeviceSecret::draw(&mut rng);
    let before = consortium.members[0].enrolled[&HANDLE].throttle().clone();

    for _ in 0..100 {
        consortium.pass(1);
        let asked = question("guess", HANDLE, &mut rng);
        let refused = consortium.ask(0, &asked, &stranger, &mut rng);
        assert_eq!(refused.map(|_| ()), Err(Refused::Unknown));
    }
    assert_eq!(*consortium.members[0].enrolled[&HANDLE].throttle(), before);

    let asked = question(PASSWORD, HANDLE, &mut rng);
    let (id, _) = consortium
        .ask(0, &asked, &patient.device, &mut rng)
        .unwrap();
    let member = &mut consortium.members[0];
    let other_root = Root::new(Secret::new([5; 32]));
    let enrolled = member.enrolled.get_mut(&HANDLE).unwrap();
    for forged in [
        other_root.confirm(&CHAIN, HANDLE, id),
        patient.root.confirm(&CHAIN, Handle::new([9; 16]), id),
        patient
            .root
            .confirm(&contract::ChainId::new([1; 32]), HANDLE, id),
    ] {
        assert_eq!(
            enrolled.confirm(&forged, &CHAIN),
            Err(NotConfirmed::Unknown)
        );
    }
    let genuine = patient.root.confirm(&CHAIN, HANDLE, id);
    assert_eq!(enrolled.confirm(&genuine, &CHAIN), Ok(None));
    assert_eq!(enrolled.throttle().unconfirmed(), 0);
}

#[test]
fn a_request_is_for_one_member_and_is_served_once() {
    let mut rng = dice(10);
    let (mut consortium, patient, _) = enrolled(&mut rng);
    consortium.pass(1);
    let now = consortium.now;
    let asked = question(PASSWORD, HANDLE, &mut rng);
    let request = asked.request(&patient.device, &CHAIN, consortium.members[0].id, now);
    let serve = |consortium: &mut Consortium, at: usize, rng: &mut _| {
        let member = &mut consortium.members[at];
        let enrolled = member.enrolled.get_mut(&HANDLE).unwrap();
        let served = enrolled.evaluate(&request, (&CHAIN, &member.id), now, rng);
        served.map(|_| ())
    };

    assert_eq!(serve(&mut consortium, 1, &mut rng), Err(Refused::Unknown));
    assert_eq!(serve(&mut consortium, 0, &mut rng), Ok(()));
    assert_eq!(
        serve(&mut consortium, 0, &mut rng),
        Err(Refused::Throttled(Throttled::Stale))
    );
}

#[test]
fn every_bit_flip_of_a_request_a_confirmation_and_an_answer_is_refused() {
    let mut rng = dice(11);
    let (mut consortium, patient, card) = enrolled(&mut rng);
    consortium.pass(1);
    let now = consortium.now;
    let asked = question(PASSWORD, HANDLE, &mut rng);
    let id: ServerId = consortium.members[0].id;
    let request = asked.request(&patient.device, &CHAIN, id, now).encode();
    let enrolled = consortium.members[0].enrolled.get_mut(&HANDLE).unwrap();
    let before = enrolled.throttle().clone();

    for bit in 0..request.len() * 8 {
        let mut bent = request.clone();
        bent[bit / 8] ^= 1 << (bit % 8);
        if let Ok(bent) = protocol::aidc1::EvaluationRequest::parse(&bent) {
            let refused = enrolled.evaluate(&bent, (&CHAIN, &id), now, &mut rng);
            assert_eq!(refused.map(|_| ()), Err(Refused::Unknown), "bit {bit}");
        }
    }
    assert_eq!(*enrolled.throttle(), before);

    let request = protocol::aidc1::EvaluationRequest::parse(&request).unwrap();
    let answer = enrolled
        .evaluate(&request, (&CHAIN, &id), now, &mut rng)
        .unwrap();
    let confirmation = patient
        .root
        .confirm(&CHAIN, HANDLE, request.evaluation_id(&CHAIN));
    let bytes = confirmation.encode();
    for bit in 0..bytes.len() * 8 {
        let mut bent = bytes.clone();
        bent[bit / 8] ^= 1 << (bit % 8);
        if let Ok(bent) = Confirmation::parse(&bent) {
            enrolled.confirm(&bent, &CHAIN).unwrap_err();
        }
    }
    let bytes = answer.encode();
    for bit in 0..bytes.len() * 8 {
        let mut bent = bytes.clone();
        bent[bit / 8] ^= 1 << (bit % 8);
        if let Ok(bent) = protocol::aidc1::oprf::Evaluation::parse(&bent) {
            let refused = asked.combine(card.evaluators(), &[(id, bent)]).unwrap_err();
            assert_eq!(refused.lying, [id], "bit {bit}");
        }
    }
}

#[test]
fn debug_of_everything_that_holds_a_secret_shows_none() {
    let mut rng = dice(12);
    let (mut consortium, patient, card) = enrolled(&mut rng);
    let tk = patient.terminal_key(&mut consortium, &card, (PASSWORD, &[0, 1]), &mut rng);
    let asked = question(PASSWORD, HANDLE, &mut rng);
    let shown_tk = format!("{tk:?}");
    let stranger = face(1);
    let wrong = Factor::Face(&stranger[0]);
    let failed = unlock::open(tk, card.lock(), wrong, consortium.now).unwrap_err();
    let holder = card.holder(&patient.root).unwrap();
    let shown = format!(
        "{shown_tk} {asked:?} {failed:?} {holder:?} {card:?} {:?} {:?} {:?} {:?} {:?}",
        patient.device,
        patient.root,
        patient.code,
        consortium.members[0].enrolled[&HANDLE],
        Factor::Face(&Embedding::new([0x55; 128])),
    );

    for secret in [
        hex::encode(patient.device.expose()),
        hex::encode(patient.code.expose()),
        patient.code.to_text().to_string(),
        patient.id.expose().to_owned(),
        PASSWORD.to_owned(),
        "85, 85".to_owned(),
    ] {
        assert!(!shown.contains(&secret), "{shown}");
    }
    assert!(shown.contains("redacted"));
    assert_eq!(cheap(), card.lock().binding().cost);
}
