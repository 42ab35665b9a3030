//! The attackers of the design's threat model, row by row, as far as the ledger's rules stop them.
//!
//! An attacker has everything that its row gives it: keys, members, what lies on the ledger.

use contract::contracts::identity::{What, events_at, identity_at, recovery_at};
use contract::{
    AuthResult, Author, Call, Consent, DisclosureCall, DisclosureRequest, Invalid, Outcome, Output,
    Purpose, Recovery, RecoveryCall, Refused, Replacement, SessionId, SignatureBytes, Status,
    replace_digest,
};

use crate::consortium::{Consortium, Patient, public, sign};
use crate::replacing::{WRITTEN, no};

const DELAY: u64 = 72 * 3_600_000;

fn but(reason: Refused) -> Outcome {
    Outcome::Done(Output::Recorded {
        refused: vec![(0, reason)],
    })
}

/// `new` in the place of patient 1, whatever the consent.
fn replacing(ledger: &Consortium, new: &Patient, consent: Consent) -> Call {
    Call::Replace(Box::new(Replacement {
        old: Patient::new(1).record.aid,
        registration: new.registration_after(ledger.chain(), 1),
        consent,
    }))
}

fn recovering(ledger: &Consortium, new: &Patient) -> Call {
    Call::Recovery(RecoveryCall::Request(Box::new(Recovery {
        old: Patient::new(1).record.aid,
        registration: new.registration_after(ledger.chain(), 1),
        officer: "mallory".parse().unwrap(),
    })))
}

fn approving(new: &Patient) -> Call {
    Call::Recovery(RecoveryCall::Approve {
        old: Patient::new(1).record.aid,
        new: new.record.aid,
    })
}

fn finishing() -> Call {
    Call::Recovery(RecoveryCall::Finish(Patient::new(1).record.aid))
}

fn status(ledger: &Consortium, patient: &Patient) -> Option<Status> {
    let found = identity_at(&ledger.snapshot(), &patient.record.aid).unwrap();
    found.map(|found| found.status())
}

// A network outsider: all that was ever sent, and keys of its own.

#[test]
fn an_outsider_acts_in_nobodys_name() {
    let mut ledger = Consortium::secure();
    let (patient, outsider) = (Patient::new(1), Patient::new(9));
    let result = ledger.result(&outsider, 1, 1);
    let until = ledger.tip.header().time.plus_ms(60_000);

    let as_server = Author::Member(ledger.id(1));
    let call = Call::Results(vec![result.clone()]);
    let as_server = ledger.signed_with(as_server, &outsider.sig, until, call);
    let as_patient = Author::Patient(patient.record.aid);
    let call = Call::Revoke(patient.record.aid);
    let as_patient = ledger.signed_with(as_patient, &outsider.sig, until, call);
    let as_herself = ledger.by_patient(&outsider, &outsider.sig, Call::Claim(Box::new(result)));

    assert_eq!(ledger.one(as_server), no(Refused::WrongKey));
    assert_eq!(ledger.one(as_patient), no(Refused::WrongKey));
    assert_eq!(ledger.one(as_herself), no(Refused::UnknownAuthor));
}

#[test]
fn what_an_outsider_repeats_happens_once() {
    let mut ledger = Consortium::secure();
    let patient = Patient::new(1);
    let result = ledger.result(&patient, 1, 1);
    let bundle = ledger.by_member(1, Call::Results(vec![result.clone()]));
    let claim = ledger.by_patient(&patient, &patient.sig, Call::Claim(Box::new(result)));
    assert_eq!(ledger.one(claim.clone()), WRITTEN);
    assert!(matches!(ledger.one(bundle.clone()), Outcome::Done(_)));
    ledger.wait(1);

    assert_eq!(ledger.one(bundle), no(Refused::Replayed));
    assert_eq!(ledger.one(claim), no(Refused::Replayed));
}

// A thief of a device who even opened it: the seed's keys, not the recovery code, not the RC.

#[test]
fn a_thief_of_an_opened_device_cannot_move_the_identity_to_another_one() {
    let mut ledger = Consortium::secure();
    let (stolen, new) = (Patient::new(1), Patient::new(2));
    let digest = replace_digest(ledger.chain(), &stolen.record.aid, &new.record.aid);
    let consent = Consent::SigningKey(sign(&stolen.sig, &digest));

    let call = replacing(&ledger, &new, consent);
    let outcome = ledger.patient_calls(&stolen, &stolen.sig, call);

    assert_eq!(outcome, no(Refused::NotPermitted));
}

#[test]
fn after_the_owner_revoked_a_stolen_device_signs_in_claims_and_agrees_no_more() {
    let mut ledger = Consortium::secure();
    let (owner, new) = (Patient::new(1), Patient::new(2));
    let before = ledger.result(&owner, 1, 1);
    let revoke = Call::Revoke(owner.record.aid);
    let revoked = ledger.patient_calls(&owner, &owner.recovery, revoke);
    assert_eq!(revoked, WRITTEN);

    let signs_in = ledger.calls(1, Call::Results(vec![before.clone()]));
    let claim = Call::Claim(Box::new(before));
    let claims = ledger.patient_calls(&owner, &owner.sig, claim);
    let digest = replace_digest(ledger.chain(), &owner.record.aid, &new.record.aid);
    let consent = Consent::SigningKey(sign(&owner.sig, &digest));
    let call = replacing(&ledger, &new, consent);
    let agrees = ledger.calls(0, call);

    assert_eq!(signs_in, but(Refused::NotActive));
    assert_eq!(claims, no(Refused::NotActive));
    assert_eq!(agrees, no(Refused::NotActive));
}

#[test]
fn a_found_recovery_code_alone_moves_nothing() {
    let mut ledger = Consortium::secure();
    let (owner, new) = (Patient::new(1), Patient::new(2));
    let digest = replace_digest(ledger.chain(), &owner.record.aid, &new.record.aid);
    let consent = Consent::RecoveryKey(sign(&owner.recovery, &digest));

    let call = replacing(&ledger, &new, consent);
    let outcome = ledger.patient_calls(&owner, &owner.recovery, call);

    assert_eq!(outcome, no(Refused::NotPermitted));
}

// One hospital server: its member key, its epoch keys, everything that is public.

#[test]
fn a_server_cannot_log_a_sign_in_that_did_not_happen() {
    let mut ledger = Consortium::secure();
    let (patient, accomplice) = (Patient::new(1), Patient::new(2));
    let mut invented = ledger.result(&patient, 1, 1);
    invented.sigma = SignatureBytes::new([7; 64]);
    let invented = ledger.by_member(1, Call::Results(vec![invented]));
    let mut borrowed = ledger.result(&accomplice, 1, 2);
    borrowed.aid = patient.record.aid;
    borrowed.sigma = sign(&accomplice.sig, &borrowed.statement_digest(ledger.chain()));

    let verdict = invented.check(ledger.chain(), ledger.genesis.parameters());
    let outcome = ledger.calls(1, Call::Results(vec![borrowed.clone()]));
    ledger.wait(120_001);
    let late = ledger.calls(1, Call::LateResults(vec![borrowed]));

    assert_eq!(verdict, Err(Invalid::Statement(0)));
    assert_eq!(outcome, but(Refused::NotThePatient));
    assert_eq!(late, but(Refused::NotThePatient));
}

#[test]
fn a_server_cannot_move_a_statement_to_another_time_session_epoch_or_server() {
    let mut ledger = Consortium::secure();
    let signed = ledger.result(&Patient::new(1), 1, 1);
    let to_another = AuthResult {
        server_id: ledger.id(2),
        ..signed
    };
    let to_another_time = AuthResult {
        t3: signed.t3.plus_ms(1),
        ..signed
    };
    let to_another_session = AuthResult {
        sid: SessionId::new([9; 32]),
        ..signed
    };
    let to_another_epoch = AuthResult {
        key_epoch: 2,
        ..signed
    };

    for (member, moved) in [
        (2, to_another),
        (1, to_another_time),
        (1, to_another_session),
        (1, to_another_epoch),
    ] {
        let transaction = ledger.by_member(member, Call::Results(vec![moved]));
        let verdict = transaction.check(ledger.chain(), ledger.genesis.parameters());
        assert_eq!(verdict, Err(Invalid::Statement(0)));
    }
}

#[test]
fn a_claim_for_a_session_that_never_happened_never_becomes_a_result() {
    let mut ledger = Consortium::secure();
    let liar = Patient::new(1);
    let invented = ledger.result(&liar, 1, 1);
    let claim = Call::Claim(Box::new(invented.clone()));
    assert_eq!(ledger.patient_calls(&liar, &liar.sig, claim), WRITTEN);

    // Every other member relays it, wraps it, and tries again when it is late.
    for member in [0, 2, 3] {
        let relayed = ledger.calls(member, Call::Claim(Box::new(invented.clone())));
        assert_eq!(relayed, no(Refused::NotPermitted));
        let wrapped = ledger.calls(member, Call::Results(vec![invented.clone()]));
        assert_eq!(wrapped, but(Refused::NotTheServer));
    }
    let by_herself = Call::Results(vec![invented.clone()]);
    let by_herself = ledger.patient_calls(&liar, &liar.sig, by_herself);
    assert_eq!(by_herself, no(Refused::NotPermitted));
    ledger.wait(120_001);
    for member in [0, 2, 3] {
        let late = ledger.calls(member, Call::LateResults(vec![invented.clone()]));
        assert_eq!(late, but(Refused::NotTheServer));
    }
}

#[test]
fn a_server_that_hides_a_sign_in_cannot_stop_the_patient_from_claiming_it() {
    let mut ledger = Consortium::secure();
    let (patient, accomplice) = (Patient::new(1), Patient::new(2));
    let register = Call::Register(Box::new(accomplice.registration(ledger.chain())));
    assert_eq!(ledger.calls(0, register), WRITTEN);
    let hidden = ledger.result(&patient, 1, 7);
    // The server records the same number for a patient of its own, to use it up.
    let decoy = ledger.result(&accomplice, 1, 7);
    let recorded = ledger.calls(1, Call::Results(vec![decoy]));
    assert!(matches!(recorded, Outcome::Done(_)));

    let claim = Call::Claim(Box::new(hidden));
    let outcome = ledger.patient_calls(&patient, &patient.sig, claim);

    assert_eq!(outcome, WRITTEN);
}

// The RC alone: its member key, every registration, no patient's key and no second member.

#[test]
fn an_rc_alone_cannot_take_over_an_aid_at_once() {
    let mut ledger = Consortium::secure();
    let (victim, mine) = (Patient::new(1), Patient::new(2));
    let digest = replace_digest(ledger.chain(), &victim.record.aid, &mine.record.aid);
    let own_consent = Consent::RecoveryKey(sign(&mine.recovery, &digest));

    let replaced = replacing(&ledger, &mine, own_consent);
    assert_eq!(ledger.calls(0, replaced), no(Refused::NoConsent));
    let mut again = victim.registration(ledger.chain());
    again.record.pk_recovery = public(&mine.recovery);
    let again = ledger.calls(0, Call::Register(Box::new(again)));
    assert_eq!(again, no(Refused::AlreadyRegistered));
    let recovered = recovering(&ledger, &mine);
    assert_eq!(ledger.calls(0, recovered), WRITTEN);
    assert_eq!(ledger.calls(0, finishing()), no(Refused::NotApproved));
    assert_eq!(ledger.calls(0, approving(&mine)), no(Refused::OwnRequest));

    assert_eq!(status(&ledger, &victim), Some(Status::Active));
    assert_eq!(status(&ledger, &mine), None);
}

#[test]
fn an_rc_with_an_approver_still_waits_and_the_patient_sees_it_and_forbids_it() {
    let mut ledger = Consortium::secure();
    let (victim, mine) = (Patient::new(1), Patient::new(2));
    let recovered = recovering(&ledger, &mine);
    assert_eq!(ledger.calls(0, recovered), WRITTEN);
    assert_eq!(ledger.calls(2, approving(&mine)), WRITTEN);
    let at = ledger.tip.header().time.plus_ms(DELAY);
    ledger.wait(DELAY - 1);
    assert_eq!(ledger.calls(0, finishing()), no(Refused::TooEarly { at }));

    let events = events_at(&ledger.snapshot(), &victim.record.aid).unwrap();
    let cancel = Call::Recovery(RecoveryCall::Cancel(victim.record.aid));
    let forbids = ledger.patient_calls(&victim, &victim.sig, cancel);

    let effective = at;
    let new = mine.record.aid;
    assert_eq!(events[1].what, What::RecoveryApproved { new, effective });
    assert_eq!(forbids, WRITTEN);
    ledger.wait(DELAY);
    assert_eq!(ledger.calls(0, finishing()), no(Refused::NoRecovery));
    assert_eq!(status(&ledger, &victim), Some(Status::Active));
}

#[test]
fn an_rc_cannot_silence_a_patient_by_revoking_her_first() {
    let mut ledger = Consortium::secure();
    let (victim, mine) = (Patient::new(1), Patient::new(2));
    let revoke = Call::Revoke(victim.record.aid);
    assert_eq!(ledger.calls(0, revoke), WRITTEN);
    let recovered = recovering(&ledger, &mine);
    assert_eq!(ledger.calls(0, recovered), WRITTEN);

    let cancel = Call::Recovery(RecoveryCall::Cancel(victim.record.aid));
    let forbids = ledger.patient_calls(&victim, &victim.sig, cancel);

    assert_eq!(forbids, WRITTEN);
    let pending = recovery_at(&ledger.snapshot(), &victim.record.aid).unwrap();
    assert_eq!(pending, None);
    let events = events_at(&ledger.snapshot(), &victim.record.aid).unwrap();
    assert_eq!(events.len(), 3);
}

#[test]
fn an_rc_cannot_change_results_or_make_them_in_a_servers_name() {
    let mut ledger = Consortium::secure();
    let result = ledger.result(&Patient::new(1), 1, 1);

    let outcome = ledger.calls(0, Call::Results(vec![result]));

    assert_eq!(outcome, but(Refused::NotTheServer));
}

#[test]
fn an_rc_alone_discloses_nothing_that_counts_as_allowed() {
    let mut ledger = Consortium::secure();
    let aid = Patient::new(1).record.aid;
    let ask = DisclosureCall::Request(Box::new(DisclosureRequest {
        aid,
        officer: "mallory".parse().unwrap(),
        purpose: Purpose::Legal,
        note: None,
    }));
    assert_eq!(ledger.calls(0, Call::Disclosure(ask)), WRITTEN);

    let approve = DisclosureCall::Approve { number: 0, aid };
    let outcome = ledger.calls(0, Call::Disclosure(approve));

    assert_eq!(outcome, no(Refused::OwnRequest));
}

// A malicious patient: her own keys, any bytes.

#[test]
fn a_patient_cannot_deny_a_sign_in_that_she_signed_not_even_after_she_was_replaced() {
    let mut ledger = Consortium::secure();
    let (patient, new) = (Patient::new(1), Patient::new(2));
    let result = ledger.result(&patient, 1, 1);
    let outcome = ledger.calls(1, Call::Results(vec![result.clone()]));
    assert!(matches!(outcome, Outcome::Done(_)));
    let digest = replace_digest(ledger.chain(), &patient.record.aid, &new.record.aid);
    let consent = Consent::SigningKey(sign(&patient.sig, &digest));
    let call = replacing(&ledger, &new, consent);
    assert_eq!(ledger.calls(0, call), WRITTEN);

    let found = identity_at(&ledger.snapshot(), &patient.record.aid).unwrap();

    let contract::contracts::identity::Credential::Aidc1(record) = found.unwrap().credential else {
        unreachable!("registered under AIDC-1");
    };
    let mut statement = result.statement(ledger.chain());
    statement.key = record.pk_sig;
    assert!(statement.holds());
}

#[test]
fn a_patient_neither_claims_for_another_nor_ends_her() {
    let mut ledger = Consortium::secure();
    let (victim, attacker) = (Patient::new(1), Patient::new(2));
    let register = Call::Register(Box::new(attacker.registration(ledger.chain())));
    assert_eq!(ledger.calls(0, register), WRITTEN);
    let of_victim = ledger.result(&victim, 1, 1);

    let claim = Call::Claim(Box::new(of_victim));
    let claims = ledger.patient_calls(&attacker, &attacker.sig, claim);
    let revoke = Call::Revoke(victim.record.aid);
    let revokes = ledger.patient_calls(&attacker, &attacker.sig, revoke);
    let shred = Call::Shred(attacker.record.aid);
    let shreds = ledger.patient_calls(&attacker, &attacker.sig, shred);

    assert_eq!(claims, no(Refused::NotThePatient));
    assert_eq!(revokes, no(Refused::NotPermitted));
    assert_eq!(shreds, no(Refused::NotPermitted));
}
