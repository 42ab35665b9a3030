//! One AID in another's place without a key of the patient's: two members, a delay, and notice.

use contract::contracts::identity::{How, What, events_at, identity_at, origin_at, recovery_at};
use contract::identity::BlockTime;
use contract::{
    Author, Call, Consent, Outcome, Recovery, RecoveryCall, Refused, Replacement, Status,
    replace_digest,
};

use crate::consortium::{Consortium, Patient, sign};
use crate::replacing::{WRITTEN, no};

const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;
/// The default of `recovery_delay_ms`.
const DELAY: u64 = 72 * HOUR;

fn recovery(ledger: &Consortium, new: &Patient) -> Call {
    Call::Recovery(RecoveryCall::Request(Box::new(Recovery {
        old: Patient::new(1).record.aid,
        registration: new.registration_after(ledger.chain(), 1),
        officer: "desk-7".parse().unwrap(),
    })))
}

fn request(ledger: &mut Consortium, new: &Patient) -> Outcome {
    let call = recovery(ledger, new);
    ledger.calls(0, call)
}

fn approval(new: &Patient) -> Call {
    Call::Recovery(RecoveryCall::Approve {
        old: Patient::new(1).record.aid,
        new: new.record.aid,
    })
}

fn cancel() -> Call {
    Call::Recovery(RecoveryCall::Cancel(Patient::new(1).record.aid))
}

fn finish() -> Call {
    Call::Recovery(RecoveryCall::Finish(Patient::new(1).record.aid))
}

fn status(ledger: &Consortium, seed: u8) -> Option<Status> {
    let aid = Patient::new(seed).record.aid;
    let found = identity_at(&ledger.snapshot(), &aid).unwrap();
    found.map(|found| found.status())
}

/// A ledger on which a recovery of patient 1 as patient 2 is approved.
fn approved() -> Consortium {
    let mut ledger = Consortium::secure();
    let new = Patient::new(2);
    assert_eq!(request(&mut ledger, &new), WRITTEN);
    assert_eq!(ledger.calls(2, approval(&new)), WRITTEN);
    ledger
}

#[test]
fn a_recovery_takes_effect_when_the_delay_is_over_and_not_a_millisecond_before() {
    let mut ledger = approved();
    let at = ledger.tip.header().time.plus_ms(DELAY);

    ledger.wait(DELAY - 1);
    assert_eq!(ledger.calls(0, finish()), no(Refused::TooEarly { at }));
    assert_eq!(status(&ledger, 1), Some(Status::Active));
    ledger.wait(1);
    assert_eq!(ledger.calls(3, finish()), WRITTEN);

    assert_eq!(status(&ledger, 1), Some(Status::Replaced));
    assert_eq!(status(&ledger, 2), Some(Status::Active));
}

#[test]
fn the_delay_is_the_genesis_parameter() {
    let mut content = crate::consortium::content(contract::Kind::Secure);
    content.patients = vec![Patient::new(1).record];
    content.parameters.recovery_delay_ms = 2_000;
    let mut ledger = Consortium::founded(&content);
    let new = Patient::new(2);
    assert_eq!(request(&mut ledger, &new), WRITTEN);
    assert_eq!(ledger.calls(1, approval(&new)), WRITTEN);

    ledger.wait(2_000);

    assert_eq!(ledger.calls(0, finish()), WRITTEN);
}

#[test]
fn the_member_that_asked_cannot_approve_and_nobody_approves_another_aid() {
    let mut ledger = Consortium::secure();
    let (new, other) = (Patient::new(2), Patient::new(3));
    assert_eq!(ledger.calls(1, approval(&new)), no(Refused::NoRecovery));
    assert_eq!(request(&mut ledger, &new), WRITTEN);

    assert_eq!(ledger.calls(0, approval(&new)), no(Refused::OwnRequest));
    assert_eq!(ledger.calls(1, approval(&other)), no(Refused::NoRecovery));
    let old = Patient::new(1);
    let by_her = ledger.patient_calls(&old, &old.sig, approval(&new));
    assert_eq!(by_her, no(Refused::NotPermitted));
    assert_eq!(ledger.calls(1, approval(&new)), WRITTEN);
    assert_eq!(ledger.calls(2, approval(&new)), no(Refused::ApprovedBefore));
}

#[test]
fn without_an_approval_no_time_is_long_enough() {
    let mut ledger = Consortium::secure();
    assert_eq!(request(&mut ledger, &Patient::new(2)), WRITTEN);

    ledger.wait(DELAY + 1);

    assert_eq!(ledger.calls(0, finish()), no(Refused::NotApproved));
}

#[test]
fn either_old_key_cancels_until_the_last_moment_also_of_a_revoked_aid() {
    for (use_recovery, revoke_first) in [(false, false), (true, false), (false, true), (true, true)]
    {
        let mut ledger = approved();
        let old = Patient::new(1);
        if revoke_first {
            let revoke = Call::Revoke(old.record.aid);
            assert_eq!(ledger.calls(0, revoke), WRITTEN);
        }
        ledger.wait(DELAY + 1);
        let key = if use_recovery {
            &old.recovery
        } else {
            &old.sig
        };

        assert_eq!(ledger.patient_calls(&old, key, cancel()), WRITTEN);

        assert_eq!(ledger.calls(0, finish()), no(Refused::NoRecovery));
        assert_eq!(status(&ledger, 2), None);
        let pending = recovery_at(&ledger.snapshot(), &old.record.aid).unwrap();
        assert_eq!(pending, None);
    }
}

#[test]
fn a_stranger_and_another_member_cannot_cancel_and_the_rc_can() {
    let mut ledger = approved();
    let (old, stranger) = (Patient::new(1), Patient::new(9));
    let register = Call::Register(Box::new(stranger.registration(ledger.chain())));
    assert_eq!(ledger.calls(0, register), WRITTEN);

    let forged = ledger.patient_calls(&old, &stranger.sig, cancel());
    assert_eq!(forged, no(Refused::WrongKey));
    let other = ledger.patient_calls(&stranger, &stranger.sig, cancel());
    assert_eq!(other, no(Refused::NotPermitted));
    assert_eq!(ledger.calls(1, cancel()), no(Refused::NotPermitted));
    assert_eq!(ledger.calls(0, cancel()), WRITTEN);
    assert_eq!(ledger.calls(0, cancel()), no(Refused::NoRecovery));
}

#[test]
fn one_recovery_of_an_aid_is_open_at_a_time() {
    let mut ledger = Consortium::secure();
    let (first, second) = (Patient::new(2), Patient::new(3));
    assert_eq!(request(&mut ledger, &first), WRITTEN);

    assert_eq!(request(&mut ledger, &second), no(Refused::RecoveryOpen));
    assert_eq!(ledger.calls(0, cancel()), WRITTEN);
    assert_eq!(request(&mut ledger, &second), WRITTEN);
}

#[test]
fn what_nobody_approves_and_what_nobody_finishes_lapses_after_a_week() {
    let new = Patient::new(2);
    let mut ledger = Consortium::secure();
    assert_eq!(request(&mut ledger, &new), WRITTEN);
    ledger.wait(7 * DAY + 1);
    assert_eq!(ledger.calls(1, approval(&new)), no(Refused::NoRecovery));
    assert_eq!(request(&mut ledger, &new), WRITTEN);

    ledger.wait(7 * DAY);
    assert_eq!(ledger.calls(1, approval(&new)), WRITTEN);
    ledger.wait(DELAY + 7 * DAY + 1);
    assert_eq!(ledger.calls(0, finish()), no(Refused::NoRecovery));
    assert_eq!(status(&ledger, 1), Some(Status::Active));
}

#[test]
fn a_recovery_that_met_a_registration_of_the_same_aid_is_refused() {
    let mut ledger = approved();
    let register = Call::Register(Box::new(Patient::new(2).registration(ledger.chain())));
    assert_eq!(ledger.calls(0, register), WRITTEN);
    ledger.wait(DELAY);

    assert_eq!(ledger.calls(0, finish()), no(Refused::AlreadyRegistered));
    assert_eq!(status(&ledger, 1), Some(Status::Active));
}

#[test]
fn a_replacement_with_her_key_ends_an_open_recovery() {
    let mut ledger = approved();
    let (old, new) = (Patient::new(1), Patient::new(3));
    let digest = replace_digest(ledger.chain(), &old.record.aid, &new.record.aid);
    let replaced = Call::Replace(Box::new(Replacement {
        old: old.record.aid,
        registration: new.registration_after(ledger.chain(), 1),
        consent: Consent::SigningKey(sign(&old.sig, &digest)),
    }));
    assert_eq!(ledger.calls(0, replaced), WRITTEN);
    ledger.wait(DELAY);

    assert_eq!(ledger.calls(0, finish()), no(Refused::NoRecovery));
    assert_eq!(status(&ledger, 2), None);
}

#[test]
fn shredding_ends_an_open_recovery() {
    let mut ledger = approved();
    let shred = Call::Shred(Patient::new(1).record.aid);
    assert_eq!(ledger.calls(0, shred), WRITTEN);
    ledger.wait(DELAY);

    assert_eq!(ledger.calls(0, finish()), no(Refused::NoRecovery));
}

#[test]
fn the_patient_sees_every_step_by_whom_and_when() {
    let mut ledger = approved();
    let approved_at = ledger.tip.header().time;
    ledger.wait(DELAY);
    assert_eq!(ledger.calls(3, finish()), WRITTEN);

    let events = events_at(&ledger.snapshot(), &Patient::new(1).record.aid).unwrap();

    let new = Patient::new(2).record.aid;
    let officer = "desk-7".parse().unwrap();
    let (rc, approver) = (ledger.id(0), ledger.id(2));
    let seen: Vec<_> = events.iter().map(|event| event.what.clone()).collect();
    let requested = What::RecoveryRequested {
        new,
        officer: "desk-7".parse().unwrap(),
    };
    let how = How::Recovery {
        rc,
        officer,
        approver,
    };
    let effective = approved_at.plus_ms(DELAY);
    let steps = [
        requested,
        What::RecoveryApproved { new, effective },
        What::Replaced { new, how },
    ];
    assert_eq!(seen, steps);
    let by: Vec<_> = events.iter().map(|event| event.by).collect();
    assert_eq!(by, [rc, approver, ledger.id(3)].map(Author::Member));
    assert_eq!(events[1].time, approved_at);
}

#[test]
fn receipts_say_for_thirty_days_by_whom_an_aid_was_recovered() {
    let mut ledger = approved();
    ledger.wait(DELAY);
    assert_eq!(ledger.calls(0, finish()), WRITTEN);
    let at = ledger.tip.header().time;

    let origin = origin_at(&ledger.snapshot(), &Patient::new(2).record.aid);

    let origin = origin.unwrap().unwrap();
    let by = Some((ledger.id(0), ledger.id(2)));
    assert_eq!(origin.height, ledger.tip.height());
    assert_eq!(origin.notice(at), by);
    assert_eq!(origin.notice(at.plus_ms(30 * DAY)), by);
    assert_eq!(origin.notice(at.plus_ms(30 * DAY + 1)), None);
    let with_her_key = contract::contracts::identity::Origin {
        how: How::RecoveryKey,
        ..origin
    };
    assert_eq!(with_her_key.notice(BlockTime::new(0)), None);
}
