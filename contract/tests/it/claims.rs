//! What one side says alone, and what both say late.

use contract::contracts::authlog::{ClaimRecord, claim_at, claims_at, late_at};
use contract::{
    AuthResult, Call, Claimed, Evidence, Outcome, Output, RefusalReason, Refused, ServerClaim,
    SessionId, SignatureBytes, Standing, SuiteId, claimed, recorded,
};

use crate::consortium::{Consortium, Patient, renewed, server_record, sign};
use crate::replacing::{WRITTEN, no};

const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;
/// The default of `result_past_ms`.
const PAST: u64 = 120_000;

fn but(refused: &[(u32, Refused)]) -> Outcome {
    Outcome::Done(Output::Recorded {
        refused: refused.to_vec(),
    })
}

/// A ledger whose servers' first epoch reaches over months.
fn ledger() -> Consortium {
    let mut content = crate::consortium::content(contract::Kind::Secure);
    content.patients = vec![Patient::new(1).record, Patient::new(2).record];
    content.servers = (0..4)
        .map(|member| {
            let mut record = server_record(&content, member);
            record.not_after = record.not_before.plus_ms(100 * DAY);
            record
        })
        .collect();
    Consortium::founded(&content)
}

fn claims(ledger: &mut Consortium, patient: &Patient, result: &AuthResult) -> Outcome {
    let call = Call::Claim(Box::new(result.clone()));
    ledger.patient_calls(patient, &patient.sig, call)
}

fn claim_of(ledger: &Consortium, result: &AuthResult) -> Option<ClaimRecord> {
    claim_at(
        &ledger.snapshot(),
        &result.aid,
        &result.server_id,
        &result.sid,
    )
    .unwrap()
}

#[test]
fn a_claim_is_on_the_ledger_and_is_no_sign_in() {
    let mut ledger = ledger();
    let patient = Patient::new(1);
    let result = ledger.result(&patient, 1, 7);
    let call = Call::Claim(Box::new(result.clone()));
    let transactions = [ledger.by_patient(&patient, &patient.sig, call)];

    let now = ledger.tip.header().time;
    let outcomes = ledger.block(now, &transactions);

    assert_eq!(outcomes, [WRITTEN]);
    assert_eq!(recorded(&transactions, &outcomes).count(), 0);
    let all: Vec<_> = claimed(&transactions, &outcomes).collect();
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].claimed, Claimed::Patient(&result));
    let record = claim_of(&ledger, &result).unwrap();
    assert_eq!(record.settled, None);
    assert!(!record.is_late);
    assert!(Standing::Claimed < Standing::Late && Standing::Late < Standing::Recorded);
}

#[test]
fn the_servers_own_submission_turns_a_claim_into_a_result_and_frees_its_place() {
    let mut ledger = ledger();
    let patient = Patient::new(1);
    let result = ledger.result(&patient, 1, 7);
    assert_eq!(claims(&mut ledger, &patient, &result), WRITTEN);

    let outcome = ledger.calls(1, Call::Results(vec![result.clone()]));

    assert_eq!(outcome, but(&[]));
    let settled = claim_of(&ledger, &result).unwrap().settled;
    assert_eq!(settled, Some(ledger.tip.height()));
    let claims = claims_at(&ledger.snapshot(), &patient.record.aid).unwrap();
    assert_eq!((claims.count, claims.open.len()), (1, 0));
}

#[test]
fn no_other_server_turns_a_claim_into_a_result() {
    let mut ledger = ledger();
    let patient = Patient::new(1);
    let result = ledger.result(&patient, 1, 7);
    assert_eq!(claims(&mut ledger, &patient, &result), WRITTEN);

    let wrapped = ledger.calls(2, Call::Results(vec![result.clone()]));
    let relayed = ledger.calls(1, Call::Claim(Box::new(result.clone())));

    assert_eq!(wrapped, but(&[(0, Refused::NotTheServer)]));
    assert_eq!(relayed, no(Refused::NotPermitted));
    assert_eq!(claim_of(&ledger, &result).unwrap().settled, None);
}

#[test]
fn a_claim_is_the_patients_own_under_the_key_that_signed_its_statement() {
    let mut ledger = ledger();
    let (patient, other) = (Patient::new(1), Patient::new(2));
    let result = ledger.result(&patient, 1, 7);
    let call = Call::Claim(Box::new(result.clone()));

    let of_another = ledger.patient_calls(&other, &other.sig, call.clone());
    let by_recovery_key = ledger.patient_calls(&patient, &patient.recovery, call);

    assert_eq!(of_another, no(Refused::NotThePatient));
    assert_eq!(by_recovery_key, no(Refused::NotThePatient));
    let mut forged = result;
    forged.sigma = SignatureBytes::new([1; 64]);
    let call = Call::Claim(Box::new(forged));
    let transaction = ledger.by_patient(&patient, &patient.sig, call);
    let verdict = transaction.check(ledger.chain(), ledger.genesis.parameters());
    assert_eq!(verdict, Err(contract::Invalid::Statement(0)));
}

#[test]
fn a_claim_names_a_server_and_an_epoch_that_were_there() {
    let mut ledger = ledger();
    let patient = Patient::new(1);
    let signed = |ledger: &Consortium, change: &dyn Fn(&mut AuthResult)| {
        let mut result = ledger.result(&patient, 1, 7);
        change(&mut result);
        result.sigma = sign(&patient.sig, &result.statement_digest(ledger.chain()));
        result
    };

    let no_server = signed(&ledger, &|one| {
        one.server_id = contract::ServerId::new([9; 32]);
    });
    let no_epoch = signed(&ledger, &|one| one.key_epoch = 2);
    let before = signed(&ledger, &|one| one.t3 = one.t3.minus_ms(1));
    let ahead = signed(&ledger, &|one| one.t3 = one.t3.plus_ms(30_001));
    let of_papers = signed(&ledger, &|one| one.suite = SuiteId::WU_2021);

    for (result, reason) in [
        (no_server, Refused::UnknownKeyEpoch),
        (no_epoch, Refused::UnknownKeyEpoch),
        (before, Refused::OutsideKeyEpoch),
        (ahead, Refused::InTheFuture),
        (of_papers, Refused::SuiteNotAllowed(SuiteId::WU_2021)),
    ] {
        assert_eq!(claims(&mut ledger, &patient, &result), no(reason));
    }
}

#[test]
fn sixteen_claims_of_an_aid_are_open_and_a_place_is_free_again_after_a_day() {
    let mut ledger = ledger();
    let (patient, other) = (Patient::new(1), Patient::new(2));
    let first = ledger.tip.header().time;
    for sid in 1..=16 {
        let result = ledger.result(&patient, 1, sid);
        assert_eq!(claims(&mut ledger, &patient, &result), WRITTEN, "{sid}");
        ledger.wait(1);
    }

    let again_at = first.plus_ms(DAY);
    let seventeenth = ledger.result(&patient, 1, 17);
    let full = Refused::TooManyClaims { again_at };
    assert_eq!(claims(&mut ledger, &patient, &seventeenth), no(full));
    let of_another = ledger.result(&other, 1, 18);
    assert_eq!(claims(&mut ledger, &other, &of_another), WRITTEN);
    ledger.wait(DAY - 17);
    assert_eq!(claims(&mut ledger, &patient, &seventeenth), no(full));
    ledger.wait(1);
    assert_eq!(claims(&mut ledger, &patient, &seventeenth), WRITTEN);
}

#[test]
fn a_session_is_claimed_once_and_not_after_it_was_recorded() {
    let mut ledger = ledger();
    let patient = Patient::new(1);
    let once = ledger.result(&patient, 1, 1);
    let known = ledger.result(&patient, 1, 2);
    assert_eq!(claims(&mut ledger, &patient, &once), WRITTEN);
    let outcome = ledger.calls(1, Call::Results(vec![known.clone()]));
    assert_eq!(outcome, but(&[]));

    let again = claims(&mut ledger, &patient, &once);
    let of_known = claims(&mut ledger, &patient, &known);

    assert_eq!(again, no(Refused::ClaimedBefore));
    assert_eq!(of_known, no(Refused::SessionSeen));
}

#[test]
fn the_number_of_a_session_is_not_used_up_by_another_server_or_patient() {
    let mut ledger = ledger();
    let (patient, accomplice) = (Patient::new(1), Patient::new(2));
    let result = ledger.result(&patient, 1, 7);
    let first = ledger.result(&accomplice, 2, 7);
    assert_eq!(claims(&mut ledger, &accomplice, &first), WRITTEN);
    let outcome = ledger.calls(2, Call::Results(vec![first]));
    assert_eq!(outcome, but(&[]));

    let claim = claims(&mut ledger, &patient, &result);
    let outcome = ledger.calls(1, Call::Results(vec![result.clone(), result]));

    assert_eq!(claim, WRITTEN);
    assert_eq!(outcome, but(&[(1, Refused::SessionSeen)]));
}

#[test]
fn a_claim_may_be_thirty_days_old_and_is_marked_late_beyond_the_window() {
    let mut ledger = ledger();
    let patient = Patient::new(1);
    let start = ledger.tip.header().time;
    let sessions = [1, 2, 3].map(|sid| SessionId::new([sid; 32]));
    let [edge, late, oldest] = sessions.map(|sid| ledger.result_at(&patient, 1, sid, start));

    ledger.wait(PAST);
    assert_eq!(claims(&mut ledger, &patient, &edge), WRITTEN);
    ledger.wait(1);
    assert_eq!(claims(&mut ledger, &patient, &late), WRITTEN);
    ledger.wait(30 * DAY - PAST);
    assert_eq!(claims(&mut ledger, &patient, &oldest), no(Refused::TooLate));

    assert!(!claim_of(&ledger, &edge).unwrap().is_late);
    assert!(claim_of(&ledger, &late).unwrap().is_late);
    assert_eq!(claim_of(&ledger, &oldest), None);
}

#[test]
fn a_late_result_needs_both_hands_and_is_marked_late() {
    let mut ledger = ledger();
    let patient = Patient::new(1);
    let result = ledger.result(&patient, 1, 7);
    ledger.wait(PAST);
    let early = ledger.calls(1, Call::LateResults(vec![result.clone()]));
    assert_eq!(early, but(&[(0, Refused::NotLate)]));
    ledger.wait(1);
    let in_time = ledger.calls(1, Call::Results(vec![result.clone()]));
    assert_eq!(in_time, but(&[(0, Refused::TooLate)]));
    let by_another = ledger.calls(2, Call::LateResults(vec![result.clone()]));
    assert_eq!(by_another, but(&[(0, Refused::NotTheServer)]));
    let call = Call::LateResults(vec![result.clone()]);
    let by_herself = ledger.patient_calls(&patient, &patient.sig, call.clone());
    assert_eq!(by_herself, no(Refused::NotPermitted));

    let transactions = [ledger.by_member(1, call)];
    let now = ledger.tip.header().time;
    let outcomes = ledger.block(now, &transactions);

    assert_eq!(outcomes, [but(&[])]);
    let all: Vec<_> = recorded(&transactions, &outcomes).collect();
    assert_eq!(all[0].evidence, Evidence::Late(&result));
    assert_eq!(all[0].standing(), Standing::Late);
    let (aid, server, sid) = (result.aid, result.server_id, result.sid);
    let late = late_at(&ledger.snapshot(), &aid, &server, &sid).unwrap();
    assert_eq!(late.unwrap().height, ledger.tip.height());
}

#[test]
fn a_late_result_is_recorded_once_for_thirty_days_and_answers_its_claim() {
    let mut ledger = ledger();
    let patient = Patient::new(1);
    let result = ledger.result(&patient, 1, 7);
    let other = ledger.result(&patient, 1, 8);
    assert_eq!(claims(&mut ledger, &patient, &result), WRITTEN);
    ledger.wait(30 * DAY);
    let submit = |ledger: &mut Consortium, result: &AuthResult| {
        ledger.calls(1, Call::LateResults(vec![result.clone()]))
    };

    assert_eq!(submit(&mut ledger, &result), but(&[]));
    let settled = ledger.tip.height();
    ledger.wait(1);
    let again = submit(&mut ledger, &result);
    let too_late = submit(&mut ledger, &other);

    assert_eq!(claim_of(&ledger, &result).unwrap().settled, Some(settled));
    assert_eq!(again, but(&[(0, Refused::TooLate)]));
    assert_eq!(too_late, but(&[(0, Refused::TooLate)]));
    let mut ledger = self::ledger();
    let result = ledger.result(&patient, 1, 7);
    ledger.wait(DAY);
    assert_eq!(submit(&mut ledger, &result), but(&[]));
    ledger.wait(DAY);
    assert_eq!(
        submit(&mut ledger, &result),
        but(&[(0, Refused::SessionSeen)])
    );
    let claim = claims(&mut ledger, &patient, &result);
    assert_eq!(claim, no(Refused::SessionSeen));
}

#[test]
fn results_write_nothing_to_the_state_unless_they_answer_a_claim() {
    let mut ledger = ledger();
    let patient = Patient::new(1);
    let results: Vec<_> = (1..=9).map(|sid| ledger.result(&patient, 1, sid)).collect();
    let transaction = ledger.by_member(1, Call::Results(results));

    let now = ledger.tip.header().time;
    let batch = ledger.checked(now, &[transaction]);
    let execution = ledger.apply(&batch);

    assert_eq!(execution.outcomes(), [but(&[])]);
    assert!(execution.writes().is_empty());
}

#[test]
fn a_report_of_a_refusal_is_the_servers_own_and_never_a_result() {
    let mut ledger = ledger();
    let patient = Patient::new(1);
    let now = ledger.tip.header().time;
    let good = ServerClaim {
        suite: SuiteId::AIDC_1,
        server_id: ledger.id(1),
        at: now,
        reason: RefusalReason::WrongKey,
        aid: Some(patient.record.aid),
    };
    let nameless = ServerClaim {
        aid: None,
        reason: RefusalReason::UnknownAid,
        ..good
    };
    let of_another = ServerClaim {
        server_id: ledger.id(2),
        ..good
    };
    let of_nobody = ServerClaim {
        aid: Some(Patient::new(9).record.aid),
        ..good
    };
    let old = ServerClaim {
        at: now.minus_ms(PAST + 1),
        ..good
    };
    let ahead = ServerClaim {
        at: now.plus_ms(30_001),
        ..good
    };
    let all = vec![good.clone(), nameless, of_another, of_nobody, old, ahead];
    let call = Call::ServerClaims(all);
    let transactions = [ledger.by_member(1, call.clone())];

    let batch = ledger.checked(now, &transactions);
    let execution = ledger.apply(&batch);

    let outcomes = execution.outcomes();
    let refused = [
        (2, Refused::NotTheServer),
        (3, Refused::UnknownAid),
        (4, Refused::TooLate),
        (5, Refused::InTheFuture),
    ];
    assert_eq!(outcomes, [but(&refused)]);
    assert!(execution.writes().is_empty());
    assert_eq!(recorded(&transactions, outcomes).count(), 0);
    let taken: Vec<_> = claimed(&transactions, outcomes).collect();
    assert_eq!(taken.len(), 2);
    assert_eq!(taken[0].claimed, Claimed::Server(&good));
    let by_patient = ledger.patient_calls(&patient, &patient.sig, call);
    assert_eq!(by_patient, no(Refused::NotPermitted));
}

#[test]
fn a_node_that_starts_again_knows_the_claims_of_its_window() {
    let mut ledger = ledger();
    let mut restarted = self::ledger();
    let patient = Patient::new(1);
    let result = ledger.result(&patient, 1, 7);
    let call = Call::Claim(Box::new(result.clone()));
    let claim = ledger.by_patient(&patient, &patient.sig, call);
    let now = ledger.tip.header().time;
    let batch = ledger.checked(now, std::slice::from_ref(&claim));
    let execution = ledger.apply(&batch);
    restarted.state.apply(execution.writes());
    let mut history = contract::History::new();
    history.append(&execution.header().parent);
    restarted.tip = contract::Tip::resume(
        std::sync::Arc::clone(&ledger.genesis),
        std::sync::Arc::new(crate::consortium::Confessions),
        execution.header().clone(),
        history,
    );
    restarted.tip.recall(now, &[claim], execution.outcomes());

    let results = ledger.by_member(1, Call::Results(vec![result]));
    let batch = ledger.checked(now, &[results]);

    assert_eq!(ledger.apply(&batch), restarted.apply(&batch));
}

#[test]
fn a_renewed_member_key_does_not_cost_a_server_its_late_results() {
    let mut ledger = ledger();
    let patient = Patient::new(1);
    let result = ledger.result(&patient, 1, 7);
    let new = ed25519_dalek::SigningKey::from_bytes(&[50; 32]);
    let change = contract::contracts::membership::MembershipChange {
        renew: vec![crate::governance::renewal(&ledger, 1, &new)],
        ..Default::default()
    };
    ledger.agree(&change);
    let ready = ledger.ready_as(ledger.id(1), &new);
    ledger.one(ready);
    ledger.end_the_epoch();
    ledger.keys[1] = new;
    ledger.wait(DAY);
    let fresh = ledger.result(&patient, 1, 8);

    let in_time = ledger.calls(1, Call::Results(vec![fresh]));
    let late = ledger.calls(1, Call::LateResults(vec![result]));

    assert_eq!(in_time, but(&[(0, Refused::OutsideKeyEpoch)]));
    assert_eq!(late, but(&[]));
    let record = renewed(&server_record(ledger.genesis.content(), 1), 2);
    assert_eq!(
        ledger.calls(1, Call::SetServer(record)),
        no(Refused::WrongKey)
    );
}
