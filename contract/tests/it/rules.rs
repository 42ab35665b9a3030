//! Who may do what, and what is refused inside the block.

use contract::contracts::{identity, servers};
use contract::{
    Author, Blob, Call, Outcome, Output, PatientRecord, PublicKey, Refused, SignatureBytes, Status,
    SuiteId, WuRecord,
};

use crate::consortium::{Consortium, Patient, renewed, server_record, time};

const WRITTEN: Outcome = Outcome::Done(Output::Written);

const fn refused(reason: Refused) -> Outcome {
    Outcome::Refused(reason)
}

fn recorded_but(refused: &[(u32, Refused)]) -> Outcome {
    Outcome::Done(Output::Recorded {
        refused: refused.to_vec(),
    })
}

#[test]
fn only_the_rc_registers_patients() {
    let mut ledger = Consortium::secure();
    let registration = Box::new(Patient::new(2).registration(ledger.chain()));

    let by_a_clinic = ledger.by_member(1, Call::Register(registration.clone()));
    assert_eq!(ledger.one(by_a_clinic), refused(Refused::NotPermitted));

    let by_the_rc = ledger.by_member(0, Call::Register(registration));
    assert_eq!(ledger.one(by_the_rc), WRITTEN);
}

#[test]
fn an_aid_is_registered_once_and_for_ever() {
    let mut ledger = Consortium::secure();
    let patient = Patient::new(2);
    let aid = patient.record.aid;
    let registration = Box::new(patient.registration(ledger.chain()));

    let first = ledger.by_member(0, Call::Register(registration.clone()));
    assert_eq!(ledger.one(first), WRITTEN);
    let revoke = ledger.by_member(0, Call::Revoke(aid));
    assert_eq!(ledger.one(revoke), WRITTEN);
    let shred = ledger.by_member(0, Call::Shred(aid));
    assert_eq!(ledger.one(shred), WRITTEN);

    let again = ledger.by_member(0, Call::Register(registration));
    assert_eq!(ledger.one(again), refused(Refused::AlreadyRegistered));
    let found = identity::identity_at(&ledger.snapshot(), &aid).unwrap();
    assert_eq!(found.unwrap().status(), Status::Shredded);
}

#[test]
fn a_registration_needs_both_proofs_of_possession() {
    let mut ledger = Consortium::secure();
    let good = Patient::new(2).registration(ledger.chain());

    let mut no_dh = good.clone();
    no_dh.proof_dh = SignatureBytes::new([1; 64]);
    let transaction = ledger.by_member(0, Call::Register(Box::new(no_dh)));
    assert_eq!(ledger.one(transaction), refused(Refused::NoProofOfDhKey));

    let mut no_sig = good;
    no_sig.proof_sig = SignatureBytes::new([1; 64]);
    let transaction = ledger.by_member(0, Call::Register(Box::new(no_sig)));
    assert_eq!(
        ledger.one(transaction),
        refused(Refused::NoProofOfSigningKey)
    );
}

#[test]
fn an_rc_cannot_put_its_own_recovery_key_beside_a_patients_keys() {
    let mut ledger = Consortium::secure();
    let mut swapped = Patient::new(2).registration(ledger.chain());

    swapped.record.pk_recovery = crate::consortium::public(&Patient::new(9).recovery);
    let transaction = ledger.by_member(0, Call::Register(Box::new(swapped)));

    assert_eq!(ledger.one(transaction), refused(Refused::NoProofOfDhKey));
}

#[test]
fn a_record_that_does_not_fit_its_aid_or_its_bounds_is_refused() {
    let mut ledger = Consortium::secure();
    let good = Patient::new(2).registration(ledger.chain());
    let mut attempt = |change: fn(&mut PatientRecord)| {
        let mut bad = good.clone();
        change(&mut bad.record);
        let transaction = ledger.by_member(0, Call::Register(Box::new(bad)));
        ledger.one(transaction)
    };

    let other_key = attempt(|record| record.pk_sig = PublicKey::new([9; 32]));
    assert_eq!(other_key, refused(Refused::AidMismatch));

    let sealed_too_long = attempt(|record| record.c_id = Blob::new(vec![0; 257]));
    assert_eq!(sealed_too_long, refused(Refused::BadRecord));

    let not_active = attempt(|record| record.status = Status::Revoked);
    assert_eq!(not_active, refused(Refused::BadRecord));

    let weak_recovery = attempt(|record| record.pk_recovery = PublicKey::new([0; 32]));
    assert_eq!(weak_recovery, refused(Refused::BadKey));
}

#[test]
fn a_patient_revokes_herself_with_either_of_her_keys_and_nobody_else() {
    for use_recovery in [false, true] {
        let mut ledger = Consortium::secure();
        let patient = Patient::new(1);
        let aid = patient.record.aid;
        let key = if use_recovery {
            patient.recovery
        } else {
            patient.sig
        };
        let until = time(60_000);

        let stranger = Patient::new(9).sig;
        let forged = ledger.signed_with(Author::Patient(aid), &stranger, until, Call::Revoke(aid));
        assert_eq!(ledger.one(forged), refused(Refused::WrongKey));

        let own = ledger.signed_with(Author::Patient(aid), &key, until, Call::Revoke(aid));
        assert_eq!(ledger.one(own), WRITTEN);
    }
}

#[test]
fn a_patient_may_not_revoke_another() {
    let mut ledger = Consortium::secure();
    let other = Patient::new(2);
    let registration = Box::new(other.registration(ledger.chain()));
    let transaction = ledger.by_member(0, Call::Register(registration));
    assert_eq!(ledger.one(transaction), WRITTEN);

    let attacker = Patient::new(1);
    let author = Author::Patient(attacker.record.aid);
    let call = Call::Revoke(other.record.aid);
    let attempt = ledger.signed_with(author, &attacker.sig, time(60_000), call);

    assert_eq!(ledger.one(attempt), refused(Refused::NotPermitted));
}

#[test]
fn a_member_cannot_be_impersonated_by_another_members_key() {
    let mut ledger = Consortium::secure();
    let author = Author::Member(ledger.id(0));
    let call = Call::Revoke(Patient::new(1).record.aid);

    let forged = ledger.signed(author, 1, time(60_000), call);

    assert_eq!(ledger.one(forged), refused(Refused::WrongKey));
}

#[test]
fn a_bundle_is_judged_entry_by_entry() {
    let mut ledger = Consortium::secure();
    let patient = Patient::new(1);
    let unknown = Patient::new(8);
    let now = ledger.tip.header().time;
    let good = ledger.result(&patient, 1, 1);
    let same_session = ledger.result(&patient, 1, 1);
    let other_server = ledger.result(&patient, 2, 2);
    let stranger = ledger.result(&unknown, 1, 3);
    let mut other_epoch = ledger.result(&patient, 1, 4);
    other_epoch.key_epoch = 2;
    other_epoch.sigma = {
        let digest = other_epoch.statement_digest(ledger.chain());
        crate::consortium::sign(&patient.sig, &digest)
    };
    let mut other_signer = ledger.result(&unknown, 1, 5);
    other_signer.aid = patient.record.aid;
    other_signer.sigma = {
        let digest = other_signer.statement_digest(ledger.chain());
        crate::consortium::sign(&unknown.sig, &digest)
    };
    let last = ledger.result(&patient, 1, 6);

    let bundle = vec![
        good,
        same_session,
        other_server,
        stranger,
        other_epoch,
        other_signer,
        last,
    ];
    let transaction = ledger.by_member(1, Call::Results(bundle));
    let outcome = ledger.block(now, &[transaction]).remove(0);

    let expected = recorded_but(&[
        (1, Refused::SessionSeen),
        (2, Refused::NotTheServer),
        (3, Refused::UnknownAid),
        (4, Refused::UnknownKeyEpoch),
        (5, Refused::NotThePatient),
    ]);
    assert_eq!(outcome, expected);
    assert_eq!(outcome.refusal_of(0), None);
    assert_eq!(outcome.refusal_of(5), Some(Refused::NotThePatient));
}

#[test]
fn a_revoked_aid_signs_in_no_more() {
    let mut ledger = Consortium::secure();
    let patient = Patient::new(1);
    let revoke = ledger.by_member(0, Call::Revoke(patient.record.aid));
    assert_eq!(ledger.one(revoke), WRITTEN);

    let result = ledger.result(&patient, 1, 1);
    let transaction = ledger.by_member(1, Call::Results(vec![result]));

    assert_eq!(
        ledger.one(transaction),
        recorded_but(&[(0, Refused::NotActive)])
    );
}

#[test]
fn a_servers_record_never_changes_within_its_key_epoch() {
    let mut ledger = Consortium::secure();
    let first = server_record(ledger.genesis.content(), 1);

    let mut changed = first.clone();
    changed.not_after = changed.not_after.plus_ms(1);
    let transaction = ledger.by_member(1, Call::SetServer(changed.clone()));
    assert_eq!(ledger.one(transaction), refused(Refused::KeyEpochTaken));

    let changed = renewed(&changed, 2);
    let by_another = ledger.by_member(2, Call::SetServer(changed.clone()));
    assert_eq!(ledger.one(by_another), refused(Refused::NotTheServer));
    let transaction = ledger.by_member(1, Call::SetServer(changed.clone()));
    assert_eq!(ledger.one(transaction), WRITTEN);

    let skipped = renewed(&changed, 0);
    let transaction = ledger.by_member(1, Call::SetServer(skipped));
    assert_eq!(ledger.one(transaction), refused(Refused::KeyEpochTaken));

    let snapshot = ledger.snapshot();
    let newest = servers::newest_record_at(&snapshot, &first.server_id).unwrap();
    assert_eq!(newest, Some(changed));
    let old = servers::record_at(&snapshot, &first.server_id, 1).unwrap();
    assert_eq!(old, Some(first));
}

#[test]
fn the_papers_suites_are_refused_on_a_secure_ledger() {
    let mut ledger = Consortium::secure();
    let aid = Patient::new(1).record.aid;
    let record = WuRecord {
        aid,
        id: Blob::new(b"alice".to_vec()),
    };

    let register = ledger.by_member(0, Call::WuRegister(record));
    assert_eq!(ledger.one(register), refused(Refused::ResearchOnly));
    let legacy = ledger.legacy(aid, 1, 1);
    let results = ledger.by_member(1, Call::LegacyResults(vec![legacy]));
    assert_eq!(ledger.one(results), refused(Refused::ResearchOnly));
}

#[test]
fn wu_2021_registers_once_and_signs_in_on_the_servers_word() {
    let mut ledger = Consortium::research();
    let aid = Patient::new(3).record.aid;
    let record = WuRecord {
        aid,
        id: Blob::new(b"alice".to_vec()),
    };

    let before = ledger.legacy(aid, 1, 1);
    let early = ledger.by_member(1, Call::LegacyResults(vec![before.clone()]));
    assert_eq!(ledger.one(early), recorded_but(&[(0, Refused::UnknownAid)]));

    let register = ledger.by_member(0, Call::WuRegister(record.clone()));
    assert_eq!(ledger.one(register), WRITTEN);
    let again = ledger.by_member(0, Call::WuRegister(record));
    assert_eq!(ledger.one(again), refused(Refused::AlreadyRegistered));

    let results = ledger.by_member(1, Call::LegacyResults(vec![before]));
    assert_eq!(ledger.one(results), recorded_but(&[]));
    let found = identity::identity_at(&ledger.snapshot(), &aid).unwrap();
    assert_eq!(found.unwrap().suite(), SuiteId::WU_2021);
}

#[test]
fn a_contract_takes_calls_from_its_activation_on() {
    let mut later = crate::consortium::content(contract::Kind::Secure);
    let identities = later.contracts.iter_mut().find(|c| c.id == identity::ID);
    identities.unwrap().activation = contract::Height::new(2);
    let mut ledger = Consortium::founded(&later);
    let registration = Box::new(Patient::new(2).registration(ledger.chain()));

    let early = ledger.by_member(0, Call::Register(registration.clone()));
    assert_eq!(ledger.one(early), refused(Refused::ContractInactive));
    let in_time = ledger.by_member(0, Call::Register(registration));
    assert_eq!(ledger.one(in_time), WRITTEN);
}
