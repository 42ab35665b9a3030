//! One AID in another's place, with a key of the patient's.

use contract::contracts::identity::{How, Origin, What, events_at, identity_at, origin_at};
use contract::{
    Aid, Author, Call, Consent, Outcome, Output, Refused, Replacement, SignatureBytes, Status,
    SuiteId, WuRecord, replace_digest,
};

use crate::consortium::{Consortium, Patient, public, sign};

pub(crate) const WRITTEN: Outcome = Outcome::Done(Output::Written);

pub(crate) const fn no(reason: Refused) -> Outcome {
    Outcome::Refused(reason)
}

/// `new` in the place of patient 1, with her signing key's consent.
fn replacement(ledger: &Consortium, new: &Patient) -> Replacement {
    let old = Patient::new(1);
    let digest = replace_digest(ledger.chain(), &old.record.aid, &new.record.aid);
    Replacement {
        old: old.record.aid,
        registration: new.registration_after(ledger.chain(), 1),
        consent: Consent::SigningKey(sign(&old.sig, &digest)),
    }
}

/// The same, with her recovery key's.
fn by_recovery(ledger: &Consortium, new: &Patient) -> Replacement {
    let old = Patient::new(1);
    let digest = replace_digest(ledger.chain(), &old.record.aid, &new.record.aid);
    Replacement {
        consent: Consent::RecoveryKey(sign(&old.recovery, &digest)),
        ..replacement(ledger, new)
    }
}

fn replaces(ledger: &mut Consortium, replacement: Replacement) -> Outcome {
    ledger.calls(0, Call::Replace(Box::new(replacement)))
}

fn status(ledger: &Consortium, aid: &Aid) -> Option<Status> {
    let found = identity_at(&ledger.snapshot(), aid).unwrap();
    found.map(|found| found.status())
}

#[test]
fn either_key_of_the_patient_lets_the_rc_replace_her_aid_at_once() {
    let ways = [
        (replacement as fn(&_, &_) -> _, How::SigningKey),
        (by_recovery, How::RecoveryKey),
    ];
    for (way, how) in ways {
        let mut ledger = Consortium::secure();
        let (old, new) = (Patient::new(1).record.aid, Patient::new(2));
        let replacement = way(&ledger, &new);

        assert_eq!(replaces(&mut ledger, replacement), WRITTEN);

        assert_eq!(status(&ledger, &old), Some(Status::Replaced));
        assert_eq!(status(&ledger, &new.record.aid), Some(Status::Active));
        let snapshot = ledger.snapshot();
        let origin = Origin {
            old,
            height: ledger.tip.height(),
            time: ledger.tip.header().time,
            how: how.clone(),
        };
        assert_eq!(origin_at(&snapshot, &new.record.aid).unwrap(), Some(origin));
        let events = events_at(&snapshot, &old).unwrap();
        assert_eq!(events.len(), 1);
        assert_eq!(events[0].by, Author::Member(ledger.id(0)));
        let new = new.record.aid;
        assert_eq!(events[0].what, What::Replaced { new, how });
    }
}

#[test]
fn the_new_aid_signs_in_from_then_on_and_the_old_one_never_again() {
    let mut ledger = Consortium::secure();
    let (old, new) = (Patient::new(1), Patient::new(2));
    let replacement = replacement(&ledger, &new);
    assert_eq!(replaces(&mut ledger, replacement), WRITTEN);

    let results = vec![ledger.result(&old, 1, 1), ledger.result(&new, 1, 2)];
    let outcome = ledger.calls(1, Call::Results(results));

    let refused = vec![(0, Refused::NotActive)];
    assert_eq!(outcome, Outcome::Done(Output::Recorded { refused }));
}

#[test]
fn nobody_but_the_rc_sends_a_replacement() {
    let mut ledger = Consortium::secure();
    let patient = Patient::new(1);
    let replacement = replacement(&ledger, &Patient::new(2));
    let call = Call::Replace(Box::new(replacement));

    let by_a_clinic = ledger.calls(1, call.clone());
    let by_herself = ledger.patient_calls(&patient, &patient.sig, call);

    assert_eq!(by_a_clinic, no(Refused::NotPermitted));
    assert_eq!(by_herself, no(Refused::NotPermitted));
}

#[test]
fn consent_is_by_the_named_key_for_exactly_these_two_aids() {
    let mut ledger = Consortium::secure();
    let (old, new, other) = (Patient::new(1), Patient::new(2), Patient::new(3));
    let of_another_new = Replacement {
        consent: replacement(&ledger, &other).consent,
        ..replacement(&ledger, &new)
    };
    let swapped = {
        let digest = replace_digest(ledger.chain(), &old.record.aid, &new.record.aid);
        Replacement {
            consent: Consent::RecoveryKey(sign(&old.sig, &digest)),
            ..replacement(&ledger, &new)
        }
    };
    let by_the_new_key = {
        let digest = replace_digest(ledger.chain(), &old.record.aid, &new.record.aid);
        Replacement {
            consent: Consent::SigningKey(sign(&new.sig, &digest)),
            ..replacement(&ledger, &new)
        }
    };
    let nonsense = Replacement {
        consent: Consent::SigningKey(SignatureBytes::new([1; 64])),
        ..replacement(&ledger, &new)
    };

    for forged in [of_another_new, swapped, by_the_new_key, nonsense] {
        assert_eq!(replaces(&mut ledger, forged), no(Refused::NoConsent));
    }
    assert_eq!(status(&ledger, &old.record.aid), Some(Status::Active));
}

#[test]
fn a_replacement_brings_a_registration_with_everything_that_one_needs() {
    let mut ledger = Consortium::secure();
    let new = Patient::new(2);
    let good = replacement(&ledger, &new);
    let chain = *ledger.chain();

    let mut same_epoch = good.clone();
    same_epoch.registration = new.registration(&chain);
    assert_eq!(replaces(&mut ledger, same_epoch), no(Refused::BadRecord));
    let mut no_proof = good.clone();
    no_proof.registration.proof_sig = SignatureBytes::new([1; 64]);
    let outcome = replaces(&mut ledger, no_proof);
    assert_eq!(outcome, no(Refused::NoProofOfSigningKey));
    let mut of_nobody = good.clone();
    of_nobody.old = Patient::new(7).record.aid;
    assert_eq!(replaces(&mut ledger, of_nobody), no(Refused::UnknownAid));

    let taken = Call::Register(Box::new(new.registration(&chain)));
    assert_eq!(ledger.calls(0, taken), WRITTEN);
    let outcome = replaces(&mut ledger, good);
    assert_eq!(outcome, no(Refused::AlreadyRegistered));
}

#[test]
fn no_key_of_the_old_aid_lives_on_in_the_new_one() {
    let mut ledger = Consortium::secure();
    let old = Patient::new(1);
    let mut same_recovery = Patient::new(2);
    same_recovery.record.pk_recovery = public(&old.recovery);
    let mut same_signing = Patient::new(2);
    same_signing.sig = old.sig;
    same_signing.record.pk_sig = public(&same_signing.sig);
    same_signing.record.aid = same_signing.record.aid_of_keys();

    for reused in [same_recovery, same_signing] {
        let replacement = replacement(&ledger, &reused);
        assert_eq!(replaces(&mut ledger, replacement), no(Refused::KeyUsed));
    }
}

#[test]
fn a_revoked_aids_signing_key_agrees_to_nothing_and_its_recovery_key_still_does() {
    let mut ledger = Consortium::secure();
    let old = Patient::new(1);
    let call = Call::Revoke(old.record.aid);
    let revoked = ledger.patient_calls(&old, &old.recovery, call);
    assert_eq!(revoked, WRITTEN);
    let (by_thief, by_owner) = (Patient::new(2), Patient::new(3));
    let stolen = replacement(&ledger, &by_thief);
    let recovered = by_recovery(&ledger, &by_owner);

    assert_eq!(replaces(&mut ledger, stolen), no(Refused::NotActive));
    assert_eq!(replaces(&mut ledger, recovered), WRITTEN);
}

#[test]
fn an_aid_is_replaced_once_and_never_after_it_was_shredded() {
    let mut ledger = Consortium::secure();
    let first = by_recovery(&ledger, &Patient::new(2));
    let second = by_recovery(&ledger, &Patient::new(3));
    assert_eq!(replaces(&mut ledger, first), WRITTEN);
    assert_eq!(
        replaces(&mut ledger, second.clone()),
        no(Refused::NotActive)
    );

    let mut ledger = Consortium::secure();
    let shred = Call::Shred(Patient::new(1).record.aid);
    assert_eq!(ledger.calls(0, shred), WRITTEN);
    assert_eq!(replaces(&mut ledger, second), no(Refused::NotActive));
}

#[test]
fn an_aid_of_the_papers_suites_cannot_be_replaced() {
    let mut ledger = Consortium::research();
    let record = WuRecord {
        aid: Patient::new(1).record.aid,
        id: contract::Blob::new(b"alice".to_vec()),
    };
    assert_eq!(ledger.calls(0, Call::WuRegister(record)), WRITTEN);
    let replacement = replacement(&ledger, &Patient::new(2));

    let outcome = replaces(&mut ledger, replacement);

    assert_eq!(outcome, no(Refused::SuiteNotAllowed(SuiteId::WU_2021)));
}
