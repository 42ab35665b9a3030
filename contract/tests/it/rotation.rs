//! A server's epochs: each with its own key and window, and kept.

use contract::contracts::servers::{newest_record_at, record_at};
use contract::{AuthResult, Call, Outcome, Output, Refused, ServerRecord, SessionId};

use crate::consortium::{Consortium, Patient, renewed, server_record, sign, time};
use crate::replacing::{WRITTEN, no};

const DAY: u64 = 86_400_000;

fn but(refused: &[(u32, Refused)]) -> Outcome {
    Outcome::Done(Output::Recorded {
        refused: refused.to_vec(),
    })
}

/// Member 1's second epoch, from now on for a day.
fn second(ledger: &Consortium) -> ServerRecord {
    let now = ledger.tip.header().time;
    ServerRecord {
        not_before: now,
        not_after: now.plus_ms(DAY),
        ..renewed(&server_record(ledger.genesis.content(), 1), 2)
    }
}

/// A sign-in of patient 1 at member 1 in one of its epochs.
fn result(ledger: &Consortium, key_epoch: u32, sid: u8) -> AuthResult {
    let patient = Patient::new(1);
    let now = ledger.tip.header().time;
    let mut result = ledger.result_at(&patient, 1, SessionId::new([sid; 32]), now);
    result.key_epoch = key_epoch;
    result.sigma = sign(&patient.sig, &result.statement_digest(ledger.chain()));
    result
}

#[test]
fn a_server_renews_before_the_old_epoch_ends_and_both_count_meanwhile() {
    let mut ledger = Consortium::secure();
    ledger.wait(DAY - 60_000);
    let record = second(&ledger);
    assert_eq!(ledger.calls(1, Call::SetServer(record)), WRITTEN);

    let results = vec![result(&ledger, 1, 1), result(&ledger, 2, 2)];
    let outcome = ledger.calls(1, Call::Results(results));

    assert_eq!(outcome, but(&[]));
}

#[test]
fn a_result_under_an_epoch_that_is_over_is_refused_from_its_last_millisecond_on() {
    let mut ledger = Consortium::secure();
    ledger.wait(DAY);
    let last = result(&ledger, 1, 1);
    ledger.wait(1);
    let over = result(&ledger, 1, 2);

    let outcome = ledger.calls(1, Call::Results(vec![last, over]));

    assert_eq!(outcome, but(&[(1, Refused::OutsideKeyEpoch)]));
}

#[test]
fn a_result_before_its_epoch_begins_is_refused() {
    let mut ledger = Consortium::secure();
    let mut record = second(&ledger);
    record.not_before = record.not_before.plus_ms(1);
    assert_eq!(ledger.calls(1, Call::SetServer(record)), WRITTEN);

    let early = result(&ledger, 2, 1);
    let outcome = ledger.calls(1, Call::Results(vec![early]));

    assert_eq!(outcome, but(&[(0, Refused::OutsideKeyEpoch)]));
}

#[test]
fn a_records_window_is_ahead_not_behind_and_at_most_31_days_long() {
    let mut ledger = Consortium::secure();
    ledger.wait(DAY);
    let now = ledger.tip.header().time;
    let good = second(&ledger);
    let with = |change: &dyn Fn(&mut ServerRecord)| {
        let mut record = good.clone();
        change(&mut record);
        record
    };
    let mut sets = |record| ledger.calls(1, Call::SetServer(record));

    let back = with(&|one| one.not_before = now.minus_ms(120_001));
    assert_eq!(sets(back), no(Refused::BadValidity));
    let over = with(&|one| {
        one.not_before = now.minus_ms(1_000);
        one.not_after = now.minus_ms(1);
    });
    assert_eq!(sets(over), no(Refused::BadValidity));
    let long = with(&|one| one.not_after = one.not_before.plus_ms(31 * DAY + 1));
    assert_eq!(sets(long), no(Refused::BadValidity));
    let inverted = with(&|one| one.not_after = one.not_before.minus_ms(1));
    assert_eq!(sets(inverted), no(Refused::BadRecord));
    let longest = with(&|one| {
        one.not_before = now.minus_ms(120_000);
        one.not_after = one.not_before.plus_ms(31 * DAY);
    });
    assert_eq!(sets(longest), WRITTEN);
}

#[test]
fn the_next_epoch_has_another_key() {
    let mut ledger = Consortium::secure();
    let mut same = second(&ledger);
    same.dh_epoch_key = server_record(ledger.genesis.content(), 1).dh_epoch_key;

    let outcome = ledger.calls(1, Call::SetServer(same));

    assert_eq!(outcome, no(Refused::KeyUsed));
}

#[test]
fn records_of_old_epochs_stay_and_are_proved_against_a_new_header() {
    let mut ledger = Consortium::secure();
    let first = server_record(ledger.genesis.content(), 1);
    for epoch in 2..6 {
        let now = ledger.tip.header().time;
        let record = ServerRecord {
            not_before: now,
            not_after: now.plus_ms(DAY),
            ..renewed(&first, epoch)
        };
        assert_eq!(ledger.calls(1, Call::SetServer(record)), WRITTEN);
        ledger.wait(DAY / 2);
    }

    let snapshot = ledger.snapshot();
    let newest = newest_record_at(&snapshot, &first.server_id).unwrap();
    assert_eq!(newest.map(|newest| newest.key_epoch), Some(5));
    let old = record_at(&snapshot, &first.server_id, 1).unwrap();
    assert_eq!(old, Some(first.clone()));
    let key = contract::contracts::servers::record_key(&first.server_id, 1);
    let id = contract::contracts::servers::ID;
    let proof = snapshot.prove(&id, &key).unwrap();
    let root = ledger.tip.header().state_root;
    let proved = proof.verify(&root, &id, &key).unwrap();
    assert_eq!(proved, Some(contract::encoding::encode(&first).as_slice()));
    assert!(first.covers(time(DAY)) && !first.covers(time(DAY + 1)));
}
