//! The card, the registration and the replacement of a credential under AIDC-1, and
//! how often real faces open the lock.

use contract::record::{Consent, replace_digest};
use contract::{Aid, PatientRecord, PublicKey, SignatureBytes, Status, signature};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit as _, Mac as _};
use k256::schnorr;
use protocol::aidc1::card::{BadCard, CARD_BYTES_MAX, OtherRoot};
use protocol::aidc1::issue::issue;
use protocol::aidc1::registration::{Applicant, NotAsMade, OtherIdentity};
use protocol::aidc1::{
    AidIndex, Binding, Card, DeviceSecret, Factor, Handle, Holder, Lock, RecoveryCode, Root,
    TerminalKey, unlock,
};
use protocol::measure::{self, Errors};
use protocol::wu::PatientId;
use protocol::{Embedding, Secret};
use rand_core::{CryptoRng, Rng as _};
use serde_json::Value;
use sha2::Sha256;

use crate::enrolment_world::{CHAIN, Consortium, Patient};
use crate::faces::{bytes, real};
use crate::seeded::dice;
use crate::world::NOW;

const HANDLE: Handle = Handle::new([1; 16]);

fn card(kind: &str, rng: &mut impl CryptoRng) -> (Patient, Card) {
    let with_face = kind == "face";
    let mut consortium = Consortium::of(4);
    let patient = Patient::new(rng);
    let enrolment = patient.enrolment(HANDLE);
    let card = patient.enrol(&mut consortium, (&enrolment, 2), ("pw", with_face), rng);
    (patient, card)
}

#[test]
fn a_card_is_read_again_as_it_was_written() {
    let mut rng = dice(1);
    for kind in ["face", "no face"] {
        let (patient, card) = card(kind, &mut rng);

        let bytes = card.encode(&patient.device);

        assert_eq!(Card::parse(&bytes, &patient.device), Ok(card.clone()));
        assert!(bytes.len() <= CARD_BYTES_MAX);
        let mut holder = card.holder(&patient.root).unwrap();
        let identity = holder.identity(AidIndex::FIRST).unwrap();
        assert_eq!(identity.into_id(), patient.id);
        assert_eq!(holder.rotation().unused(), 16);
    }
}

#[test]
fn every_bit_flip_and_every_cut_of_a_card_is_refused() {
    let mut rng = dice(2);
    let (patient, card) = card("face", &mut rng);
    let bytes = card.encode(&patient.device);

    for bit in 0..bytes.len() * 8 {
        let mut bent = bytes.clone();
        bent[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(
            Card::parse(&bent, &patient.device),
            Err(BadCard::Tag),
            "bit {bit}"
        );
    }
    for length in 0..bytes.len() {
        Card::parse(&bytes[..length], &patient.device).unwrap_err();
    }
    Card::parse(&[bytes.as_slice(), &[0]].concat(), &patient.device).unwrap_err();
    let huge = vec![0; CARD_BYTES_MAX + 1];
    assert_eq!(Card::parse(&huge, &patient.device), Err(BadCard::TooLong));
    let other = DeviceSecret::draw(&mut rng);
    assert_eq!(Card::parse(&bytes, &other), Err(BadCard::Tag));
}

/// The device's tag over a body, as the specification says.
fn tagged(mut body: Vec<u8>, device: &DeviceSecret) -> Vec<u8> {
    let mut key = [0; 32];
    let hkdf = Hkdf::<Sha256>::new(None, device.expose());
    hkdf.expand(b"aidc1/card", &mut key).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    mac.update(&body);
    body.extend(mac.finalize().into_bytes());
    body
}

#[test]
fn what_a_card_says_is_read_strictly_although_the_device_tagged_it() {
    let mut rng = dice(9);
    let (patient, card) = card("face", &mut rng);
    let bytes = card.encode(&patient.device);
    let body = &bytes[..bytes.len() - 32];
    let (memory, list, face) = (107, 113, 113 + 2 + 4 * 64);
    let with = |at: usize, value: &[u8]| {
        let mut body = body.to_vec();
        body[at..at + value.len()].copy_from_slice(value);
        Card::parse(&tagged(body, &patient.device), &patient.device)
    };
    let memory_of = |kib: u32, passes: u8, lanes: u8| {
        let cost = [kib.to_be_bytes().as_slice(), &[passes, lanes]].concat();
        with(memory, &cost).is_ok()
    };

    assert_eq!(with(0, b"AIDCCARD"), Ok(card));
    assert!(memory_of(19 * 1024, 1, 1) && memory_of(256 * 1024, 10, 1));
    assert!(!memory_of(19 * 1024 - 1, 1, 1) && !memory_of(256 * 1024 + 1, 10, 1));
    assert!(!memory_of(64 * 1024, 0, 1) && !memory_of(64 * 1024, 11, 1));
    assert!(!memory_of(64 * 1024, 3, 0) && !memory_of(64 * 1024, 3, 2));
    for (at, value) in [
        (0, [b'a'].as_slice()),
        (8, &[2]),
        (10, &[2]),
        (list, &[0]),
        (list, &[5]),
        (list + 1, &[3]),
        (list + 1, &[32]),
        (list + 2 + 32, &[0xff; 32]),
        (list + 2 + 32, &[0; 32]),
        (face, &[0]),
        (face, &[2]),
    ] {
        assert!(
            matches!(with(at, value), Err(BadCard::Malformed(_))),
            "{at} {value:?}"
        );
    }
    for length in 0..body.len() {
        let cut = tagged(body[..length].to_vec(), &patient.device);
        let refused = Card::parse(&cut, &patient.device);
        assert!(matches!(refused, Err(BadCard::Malformed(_))), "{length}");
    }
    let longer = tagged([body, &[0]].concat(), &patient.device);
    Card::parse(&longer, &patient.device).unwrap_err();
}

#[test]
fn a_sealed_part_of_a_card_that_was_changed_opens_for_nobody() {
    let mut rng = dice(10);
    let mut consortium = Consortium::of(1);
    let patient = Patient::new(&mut rng);
    let enrolment = patient.enrolment(HANDLE);
    let card = patient.enrol(&mut consortium, (&enrolment, 1), ("pw", true), &mut rng);
    let bytes = card.encode(&patient.device);
    let body = &bytes[..bytes.len() - 32];
    let (code, face) = (Factor::Code(&patient.code), Factor::Face(&patient.face[3]));
    let members = ("pw", [0].as_slice());
    let key = || TerminalKey::new(Secret::new([1; 32]));
    unlock::open(key(), card.lock(), code, NOW).unwrap_err();

    // AID, handle, salt, cost; box, V_u; V_c.
    for (at, factors) in [
        (43, [Some(face), Some(code)]),
        (75, [Some(face), Some(code)]),
        (91, [Some(face), Some(code)]),
        (111, [Some(face), Some(code)]),
        (180, [Some(face), None]),
        (180 + 336, [Some(face), None]),
        (180 + 384, [None, Some(code)]),
    ] {
        for factor in factors.into_iter().flatten() {
            let tk = patient.terminal_key(&mut consortium, &card, members, &mut rng);
            let mut bent = body.to_vec();
            bent[at] ^= 2;
            let bent = Card::parse(&tagged(bent, &patient.device), &patient.device).unwrap();
            unlock::open(tk, bent.lock(), factor, NOW).unwrap_err();
            consortium.pass(protocol::aidc1::throttle::WAIT_MS_MAX);
        }
    }
}

#[test]
fn a_card_holds_none_of_what_would_let_a_password_be_tried() {
    let mut rng = dice(3);
    let (patient, card) = card("face", &mut rng);
    let holder = card.holder(&patient.root).unwrap();
    let bytes = card.encode(&patient.device);
    let holds = |secret: &[u8]| bytes.windows(secret.len()).any(|window| window == secret);

    let keys = patient.root.seed(AidIndex::FIRST).keys();
    assert!(
        holds(keys.aid().as_bytes()),
        "the search finds what is there"
    );
    assert!(!holds(patient.device.expose()));
    assert!(!holds(patient.code.expose()));
    assert!(!holds(patient.id.expose().as_bytes()));
    assert!(!holds(patient.device.public().as_bytes()));
    for index in AidIndex::all() {
        let seed = patient.root.seed(index);
        assert!(!holds(seed.expose()));
        assert_eq!(
            holds(seed.keys().aid().as_bytes()),
            index == AidIndex::FIRST
        );
        assert!(!holds(seed.keys().pk_sig().as_bytes()));
        assert!(!holds(patient.code.public(index).as_bytes()));
    }
    assert_eq!(card.holder(&patient.root), Ok(holder));
    let other = Root::draw(&mut rng);
    assert_eq!(card.holder(&other), Err(OtherRoot));
}

#[test]
fn a_card_alone_tests_no_password() {
    // Whoever has the card but not d derives from the right password's r a tk that opens
    // as little as that of a wrong one; and r itself takes t evaluators.
    let mut rng = dice(4);
    let mut consortium = Consortium::of(4);
    let patient = Patient::new(&mut rng);
    let enrolment = patient.enrolment(HANDLE);
    let card = patient.enrol(&mut consortium, (&enrolment, 2), ("pw", true), &mut rng);
    let asked = crate::enrolment_world::question("pw", HANDLE, &mut rng);
    let answers = consortium.ask_all(&[0, 1], &asked, &patient.device, &mut rng);
    let right = asked.combine(card.evaluators(), &answers).unwrap().output;
    let guessed_device = DeviceSecret::draw(&mut rng);
    let lock = card.lock();
    let face = Factor::Face(&patient.face[3]);

    for output in [right.clone(), Secret::new([7; 64])] {
        let tk = TerminalKey::derive(&output, &guessed_device, lock.binding()).unwrap();
        let failed = unlock::open(tk, lock, face, consortium.now).unwrap_err();
        assert_eq!(failed.failed.to_string(), "authentication failed");
    }
    let tk = TerminalKey::derive(&right, &patient.device, lock.binding()).unwrap();
    unlock::open(tk, lock, face, consortium.now).unwrap();
}

#[test]
fn each_writing_of_a_card_seals_anew() {
    let mut rng = dice(5);
    let (patient, mut card) = card("face", &mut rng);
    let before = card.encode(&patient.device);
    let mut holder = card.holder(&patient.root).unwrap();
    holder
        .rotation()
        .for_server(contract::ServerId::new([1; 32]))
        .unwrap();

    card.set_holder(&patient.root, &holder, &mut rng);

    let after = card.encode(&patient.device);
    let same = before.iter().zip(&after).filter(|(a, b)| a == b).count();
    assert_eq!(before.len(), after.len(), "the length tells nothing");
    assert!(before.len() - same > 1_000, "{same} bytes are the same");
    assert_eq!(card.holder(&patient.root), Ok(holder));
}

#[test]
fn an_id_that_padding_could_not_tell_from_another_is_refused() {
    let salts = core::array::from_fn(|_| Secret::new([1; 32]));
    let id = PatientId::parse(b"a\0").unwrap();

    Holder::new(id.clone(), salts).unwrap_err();
    issue(&Aid::new([1; 32]), &id, &mut dice(1)).unwrap_err();
}

/// What both proofs are checked with: the ledger's rules.
fn proves(registration: &contract::record::Registration) -> bool {
    let record = &registration.record;
    let digest = record.possession_digest(&CHAIN);
    let key = schnorr::VerifyingKey::from_slice(record.pk_dh.as_bytes()).unwrap();
    let proof = registration.proof_dh.to_bytes();
    let proof = schnorr::Signature::try_from(proof.as_slice()).unwrap();
    record.aid == record.aid_of_keys()
        && key.verify_raw(&digest, &proof).is_ok()
        && signature::is_valid(&record.pk_sig, &digest, &registration.proof_sig)
}

#[test]
fn all_sixteen_aids_are_registered_with_proofs_that_hold_and_nothing_in_common() {
    let mut rng = dice(6);
    let patient = Patient::new(&mut rng);
    let mut seen = std::collections::BTreeSet::new();

    for index in AidIndex::all() {
        let keys = patient.root.seed(index).keys();
        let applicant = Applicant {
            keys: &keys,
            pk_recovery: patient.code.public(index),
            id: &patient.id,
            epoch: 0,
        };
        let issued = issue(keys.aid(), &patient.id, &mut rng).unwrap();
        let registration = applicant.prove(&issued.answer, &CHAIN, &mut rng).unwrap();

        assert!(proves(&registration));
        applicant
            .check(&registration.record, &issued.answer)
            .unwrap();
        let record = &registration.record;
        seen.insert(record.aid.as_bytes().to_vec());
        seen.insert(record.pk_dh.as_bytes().to_vec());
        seen.insert(record.pk_sig.as_bytes().to_vec());
        seen.insert(record.pk_recovery.as_bytes().to_vec());
        seen.insert(record.c_id.as_bytes().to_vec());
        seen.insert(record.id_commit.as_bytes().to_vec());
    }

    assert_eq!(seen.len(), 6 * 16, "no two records share a field");
}

#[test]
fn nothing_is_signed_for_another_identity_and_no_other_record_is_taken() {
    let mut rng = dice(7);
    let patient = Patient::new(&mut rng);
    let keys = patient.root.seed(AidIndex::FIRST).keys();
    let applicant = Applicant {
        keys: &keys,
        pk_recovery: patient.code.public(AidIndex::FIRST),
        id: &patient.id,
        epoch: 0,
    };
    let somebody = PatientId::parse(b"somebody else").unwrap();
    let theirs = issue(keys.aid(), &somebody, &mut rng).unwrap().answer;
    let answer = issue(keys.aid(), &patient.id, &mut rng).unwrap().answer;

    let refused = applicant.prove(&theirs, &CHAIN, &mut rng);
    assert_eq!(refused, Err(OtherIdentity(theirs.id_commit)));
    let registration = applicant.prove(&answer, &CHAIN, &mut rng).unwrap();
    let bent = |bend: fn(&mut PatientRecord)| {
        let mut record = registration.record.clone();
        bend(&mut record);
        applicant.check(&record, &answer)
    };
    assert_eq!(
        bent(|record| record.pk_recovery = PublicKey::new([1; 32])),
        Err(NotAsMade::Other("pk_recovery"))
    );
    assert_eq!(
        bent(|record| record.pk_sig = PublicKey::new([1; 32])),
        Err(NotAsMade::Other("pk_sig"))
    );
    assert_eq!(
        bent(|record| record.c_id = contract::Blob::new(vec![0; 112])),
        Err(NotAsMade::Other("sealed identity"))
    );
    assert_eq!(
        bent(|record| record.epoch = 1),
        Err(NotAsMade::Other("epoch"))
    );
    assert_eq!(
        bent(|record| record.status = Status::Revoked),
        Err(NotAsMade::NotActive)
    );
}

#[test]
fn the_old_key_or_the_code_alone_consents_to_a_replacement_of_one_aid_by_one() {
    let mut rng = dice(8);
    let patient = Patient::new(&mut rng);
    let new = Aid::new([3; 32]);
    let another = Aid::new([4; 32]);
    let counts = |key: &PublicKey, old: &Aid, new: &Aid, signature: &SignatureBytes| {
        signature::is_valid(key, &replace_digest(&CHAIN, old, new), signature)
    };

    for index in AidIndex::all() {
        let keys = patient.root.seed(index).keys();
        let old = *keys.aid();
        let Consent::SigningKey(by_key) = keys.consent(&CHAIN, &new) else {
            panic!("a key consents as a key");
        };
        // The code is typed again, on a device that has nothing else.
        let typed = RecoveryCode::parse(patient.code.to_text().as_bytes()).unwrap();
        let Consent::RecoveryKey(by_code) = typed.consent(&CHAIN, (index, &old), &new) else {
            panic!("a code consents as a code");
        };
        let pk_recovery = patient.code.public(index);

        assert!(counts(keys.pk_sig(), &old, &new, &by_key));
        assert!(counts(&pk_recovery, &old, &new, &by_code));
        assert!(!counts(keys.pk_sig(), &old, &another, &by_key));
        assert!(!counts(&pk_recovery, &new, &old, &by_code));
        assert!(!counts(&pk_recovery, &old, &new, &by_key));
    }
}

/// The embeddings of the real faces, by subject.
fn embeddings(file: &str) -> Vec<(String, Vec<Embedding>)> {
    let file: Value = serde_json::from_str(file).unwrap();
    let mut subjects = std::collections::BTreeMap::<String, Vec<Embedding>>::new();
    for capture in file["captures"].as_array().unwrap() {
        let numbers: [u8; 128] = bytes(&capture["embedding_q"]);
        let subject = capture["subject"].as_str().unwrap().to_owned();
        let embedding = Embedding::new(numbers.map(u8::cast_signed));
        subjects.entry(subject).or_default().push(embedding);
    }
    subjects.into_iter().collect()
}

#[test]
fn with_a_secret_projection_for_each_patient_real_faces_err_within_the_targets() {
    let Some(file) = real("face_templates.json") else {
        return;
    };
    let subjects = embeddings(&file);
    let mut errors = Errors::default();

    for (owner, (name, captures)) in subjects.iter().enumerate() {
        let mut rng = measure::draw(name);
        let mut tk = [0; 32];
        rng.fill_bytes(&mut tk);
        let tk = || TerminalKey::new(Secret::new(tk));
        let root = Root::draw(&mut rng);
        let code = RecoveryCode::draw(&mut rng);
        let binding = Binding::draw(Aid::new([1; 32]), HANDLE, &mut rng);
        let face = Some([&captures[0], &captures[1], &captures[2]]);
        let lock = Lock::seal(binding, tk(), &root, (&code, face), &mut rng);
        for (other, (_, captures)) in subjects.iter().enumerate() {
            for capture in &captures[3..] {
                let opened = unlock::open(tk(), &lock, Factor::Face(capture), NOW).is_ok();
                let (tries, wrong, one_more) = if other == owner {
                    (&mut errors.genuine, &mut errors.false_rejects, !opened)
                } else {
                    (&mut errors.impostor, &mut errors.false_accepts, opened)
                };
                *tries += 1;
                *wrong += u64::from(one_more);
            }
        }
    }

    assert_eq!((errors.genuine, errors.impostor), (308, 9_548));
    assert!(errors.false_rejects <= 14, "{errors:?}");
    assert_eq!(errors.false_accepts, 0, "{errors:?}");
}
