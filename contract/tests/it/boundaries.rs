//! Every limit at its value and one beyond.

use std::sync::Arc;

use contract::genesis::Content;
use contract::{
    Author, Blob, BlockTime, Call, CheckedBatch, Invalid, Kind, Malformed, Outcome, Output,
    Refused, SessionId, SignedTransaction, Tip, Unacceptable, check_batch, encode_batch, execute,
};

use crate::consortium::{Confessions, Consortium, Patient, content, server_record, time};

fn recorded_but(refused: &[(u32, Refused)]) -> Outcome {
    Outcome::Done(Output::Recorded {
        refused: refused.to_vec(),
    })
}

fn secure_content() -> Content {
    let mut content = content(Kind::Secure);
    content.patients = vec![Patient::new(1).record];
    content.servers = (0..4).map(|i| server_record(&content, i)).collect();
    content
}

fn bytes_of(at: BlockTime, transactions: &[SignedTransaction]) -> Vec<u8> {
    encode_batch(at, transactions.iter().map(SignedTransaction::as_bytes))
}

fn bundle(ledger: &mut Consortium, count: u16, first: u16) -> SignedTransaction {
    let now = ledger.tip.header().time;
    bundle_at(ledger, count, first, now)
}

/// Sign-ins at clinic-a at this time, with session ids from `first` on.
fn bundle_at(ledger: &mut Consortium, count: u16, first: u16, at: BlockTime) -> SignedTransaction {
    let patient = Patient::new(1);
    let results = (first..first + count)
        .map(|i| {
            let mut sid = [0; 32];
            sid[..2].copy_from_slice(&i.to_be_bytes());
            ledger.result_at(&patient, 1, SessionId::new(sid), at)
        })
        .collect();
    let author = Author::Member(ledger.id(1));
    ledger.signed(author, 1, at.plus_ms(60_000), Call::Results(results))
}

#[test]
fn a_bundle_holds_1_to_256_results() {
    let mut ledger = Consortium::secure();
    let limits = ledger.genesis.parameters().clone();
    let chain = *ledger.chain();

    let full = bundle(&mut ledger, 256, 0);
    assert_eq!(full.check(&chain, &limits), Ok(()));
    let over = bundle(&mut ledger, 257, 0);
    let too_many = Invalid::TooManyEntries {
        found: 257,
        limit: 256,
    };
    assert_eq!(over.check(&chain, &limits), Err(too_many));
    let none = bundle(&mut ledger, 0, 0);
    assert_eq!(none.check(&chain, &limits), Err(Invalid::EmptyBundle));
}

#[test]
fn a_transaction_has_at_most_8_kib() {
    let mut ledger = Consortium::secure();
    let limits = ledger.genesis.parameters().clone();
    let chain = *ledger.chain();
    let mut with_sealed_id = |length: usize| {
        let mut registration = Patient::new(2).registration(&chain);
        registration.record.c_id = Blob::new(vec![0; length]);
        ledger.by_member(0, Call::Register(Box::new(registration)))
    };
    let rest = with_sealed_id(0).as_bytes().len();

    let full = with_sealed_id(8_192 - rest);
    assert_eq!(full.as_bytes().len(), 8_192);
    assert_eq!(full.check(&chain, &limits), Ok(()));
    let over = with_sealed_id(8_193 - rest).check(&chain, &limits);
    let too_long = Malformed::TooLong {
        length: 8_193,
        limit: 8_192,
    };
    assert_eq!(over, Err(Invalid::Malformed(too_long)));
}

#[test]
fn a_batch_holds_2000_results() {
    let mut ledger = Consortium::secure();
    let mut transactions: Vec<SignedTransaction> =
        (0..8).map(|i| bundle(&mut ledger, 250, i * 250)).collect();

    let full = bytes_of(time(0), &transactions);
    let batch = check_batch(
        &full,
        ledger.genesis.chain(),
        ledger.genesis.parameters(),
        time(0),
        |_| false,
    )
    .unwrap();
    let execution = ledger.apply(&batch);
    assert!(execution.outcomes().iter().all(|o| *o == recorded_but(&[])));

    transactions.push(bundle(&mut ledger, 1, 2_000));
    let over = bytes_of(time(0), &transactions);
    let verdict = check_batch(
        &over,
        ledger.genesis.chain(),
        ledger.genesis.parameters(),
        time(0),
        |_| true,
    );
    let too_many = Unacceptable::TooManyResults {
        found: 2_001,
        limit: 2_000,
    };
    assert_eq!(verdict, Err(too_many));
}

#[test]
fn a_batch_has_at_most_the_bytes_of_its_parameter() {
    let mut ledger = Consortium::secure();
    let transactions: Vec<_> = (0..20).map(|i| bundle(&mut ledger, 250, i)).collect();
    let bytes = bytes_of(time(0), &transactions);
    let verdict_under = |limit: usize| {
        let mut content = secure_content();
        content.parameters.batch_bytes_max = u64::try_from(limit).unwrap();
        let ledger = Consortium::founded(&content);
        check_batch(
            &bytes,
            ledger.genesis.chain(),
            ledger.genesis.parameters(),
            time(0),
            |_| true,
        )
    };

    let over = Malformed::TooLong {
        length: bytes.len(),
        limit: bytes.len() - 1,
    };
    assert_eq!(verdict_under(bytes.len() - 1), Err(over.into()));
    // One byte more, and the next check speaks: these are for another ledger.
    let fits = verdict_under(bytes.len());
    assert!(!matches!(fits, Err(Unacceptable::Malformed(_))));
}

#[test]
fn m4_a_fresh_batch_is_at_most_10_s_old_and_2_s_new() {
    let ledger = Consortium::secure();
    let verdict = |batch: u64, now: u64| {
        let bytes = encode_batch(time(batch), []);
        check_batch(
            &bytes,
            ledger.genesis.chain(),
            ledger.genesis.parameters(),
            time(now),
            |_| false,
        )
        .map(|_batch| ())
    };

    assert_eq!(verdict(50_000, 60_000), Ok(()));
    assert_eq!(verdict(49_999, 60_000), Err(Unacceptable::TooOld(1)));
    assert_eq!(verdict(62_000, 60_000), Ok(()));
    assert_eq!(verdict(62_001, 60_000), Err(Unacceptable::TooNew(1)));
}

#[test]
fn a_certified_batch_is_executed_whatever_its_age() {
    let ledger = Consortium::secure();
    let bytes = encode_batch(time(0), []);

    assert_eq!(
        check_batch(
            &bytes,
            ledger.genesis.chain(),
            ledger.genesis.parameters(),
            time(3_600_000),
            |_| false
        ),
        Err(Unacceptable::TooOld(3_590_000))
    );
    let batch = CheckedBatch::certified(&bytes, &ledger.genesis).unwrap();
    assert_eq!(batch.time(), Some(time(0)));
}

#[test]
fn valid_until_is_from_the_blocks_time_to_150_s_after_it() {
    let mut ledger = Consortium::secure();
    let aid = Patient::new(7).record.aid;
    let mut outcome = |valid_until: u64| {
        let author = Author::Member(ledger.id(0));
        let until = time(valid_until);
        let transaction = ledger.signed(author, 0, until, Call::Revoke(aid));
        ledger.block(time(1_000_000), &[transaction]).remove(0)
    };

    let executed = Outcome::Refused(Refused::UnknownAid);
    assert_eq!(outcome(1_000_000), executed);
    assert_eq!(outcome(999_999), Outcome::Refused(Refused::Expired));
    assert_eq!(outcome(1_150_000), executed);
    assert_eq!(outcome(1_150_001), Outcome::Refused(Refused::TooFarAhead));
}

#[test]
fn t3_is_from_120_s_before_the_block_to_30_s_after_it() {
    let mut ledger = Consortium::secure();
    let patient = Patient::new(1);
    let now = 1_000_000;
    let mut sid = 0;
    let mut outcome = |t3: u64| {
        sid += 1;
        let result = ledger.result_at(&patient, 1, SessionId::new([sid; 32]), time(t3));
        let author = Author::Member(ledger.id(1));
        let transaction = ledger.signed(author, 1, time(now), Call::Results(vec![result]));
        ledger.block(time(now), &[transaction]).remove(0)
    };

    assert_eq!(outcome(now - 120_000), recorded_but(&[]));
    let too_late = recorded_but(&[(0, Refused::TooLate)]);
    assert_eq!(outcome(now - 120_001), too_late);
    assert_eq!(outcome(now + 30_000), recorded_but(&[]));
    let in_the_future = recorded_but(&[(0, Refused::InTheFuture)]);
    assert_eq!(outcome(now + 30_001), in_the_future);
}

#[test]
fn t3_falls_into_the_validity_of_the_servers_record() {
    let mut content = secure_content();
    content.servers[1].not_before = time(1_000);
    content.servers[1].not_after = time(2_000);
    let mut ledger = Consortium::founded(&content);
    let patient = Patient::new(1);
    let mut sid = 0;
    let mut outcome = |t3: u64| {
        sid += 1;
        let result = ledger.result_at(&patient, 1, SessionId::new([sid; 32]), time(t3));
        let transaction = ledger.by_member(1, Call::Results(vec![result]));
        ledger.block(time(1_500), &[transaction]).remove(0)
    };

    let outside = recorded_but(&[(0, Refused::OutsideKeyEpoch)]);
    assert_eq!(outcome(999), outside);
    assert_eq!(outcome(1_000), recorded_but(&[]));
    assert_eq!(outcome(2_000), recorded_but(&[]));
    assert_eq!(outcome(2_001), outside);
}

#[test]
fn a_session_is_unique_among_the_blocks_of_the_last_150_s() {
    let mut ledger = Consortium::secure();
    let patient = Patient::new(1);
    let mut outcome = |at: u64| {
        let result = ledger.result_at(&patient, 1, SessionId::new([5; 32]), time(at));
        let author = Author::Member(ledger.id(1));
        let until = time(at + 60_000);
        let transaction = ledger.signed(author, 1, until, Call::Results(vec![result]));
        ledger.block(time(at), &[transaction]).remove(0)
    };

    assert_eq!(outcome(1_000), recorded_but(&[]));
    let seen = recorded_but(&[(0, Refused::SessionSeen)]);
    assert_eq!(outcome(151_000), seen);
    assert_eq!(outcome(151_001), recorded_but(&[]));
}

#[test]
fn m12_a_transaction_is_executed_once_while_it_is_valid() {
    let mut ledger = Consortium::secure();
    let aid = Patient::new(1).record.aid;
    let author = Author::Member(ledger.id(0));
    let transaction = ledger.signed(author, 0, time(150_000), Call::Revoke(aid));
    let again = std::slice::from_ref(&transaction);

    assert_eq!(
        ledger.block(time(0), again),
        [Outcome::Done(Output::Written)]
    );
    let replayed = Outcome::Refused(Refused::Replayed);
    assert_eq!(ledger.block(time(150_000), again), [replayed]);
    let expired = Outcome::Refused(Refused::Expired);
    assert_eq!(ledger.block(time(150_001), again), [expired]);
}

#[test]
fn an_author_has_its_share_of_each_second_and_no_more() {
    let mut content = secure_content();
    content.parameters.max_per_author = 5;
    let mut ledger = Consortium::founded(&content);

    let five = bundle(&mut ledger, 5, 0);
    let one_more = bundle(&mut ledger, 1, 5);
    let of_another = ledger.by_member(2, Call::Revoke(Patient::new(1).record.aid));
    let outcomes = ledger.block(time(1_000), &[five, one_more, of_another]);
    let expected = [
        recorded_but(&[]),
        Outcome::Refused(Refused::OverQuota),
        Outcome::Refused(Refused::NotPermitted),
    ];
    assert_eq!(outcomes, expected);

    let later_in_it = bundle(&mut ledger, 1, 6);
    let outcomes = ledger.block(time(1_999), &[later_in_it]);
    assert_eq!(outcomes, [Outcome::Refused(Refused::OverQuota)]);

    let next_second = bundle(&mut ledger, 5, 7);
    assert_eq!(
        ledger.block(time(2_000), &[next_second]),
        [recorded_but(&[])]
    );
}

#[test]
fn a_forged_author_uses_up_nobodys_share() {
    let mut content = secure_content();
    content.parameters.max_per_author = 1;
    let mut ledger = Consortium::founded(&content);
    let author = Author::Member(ledger.id(1));
    let call = Call::Revoke(Patient::new(1).record.aid);

    let forged = ledger.signed(author, 2, time(60_000), call);
    let own = bundle(&mut ledger, 1, 0);
    let outcomes = ledger.block(time(0), &[forged, own]);

    let wrong_key = Outcome::Refused(Refused::WrongKey);
    assert_eq!(outcomes, [wrong_key, recorded_but(&[])]);
}

#[test]
fn a_restarted_node_judges_the_next_block_as_the_others_do() {
    let mut content = secure_content();
    content.parameters.max_per_author = 4;
    let mut ledger = Consortium::founded(&content);
    let replayed = bundle_at(&mut ledger, 1, 0, time(0));
    let late = time(149_500);
    let next = [
        replayed.clone(),
        bundle_at(&mut ledger, 1, 0, late),
        bundle_at(&mut ledger, 1, 60, late),
        bundle_at(&mut ledger, 3, 3, late),
    ];
    let two_and_five_too_many = [
        bundle_at(&mut ledger, 2, 1, late),
        bundle_at(&mut ledger, 5, 50, late),
    ];
    let blocks_before = [
        (100, vec![replayed.clone()]),
        (900, vec![replayed]),
        (149_500, two_and_five_too_many.to_vec()),
    ];
    let mut blocks = Vec::new();
    let mut history = contract::History::new();
    for (at, transactions) in blocks_before {
        history.append(ledger.tip.hash());
        let batch = ledger.checked(time(at), &transactions);
        let execution = ledger.apply(&batch);
        blocks.push((execution, batch));
    }

    let header = ledger.tip.header().clone();
    let mut resumed = Tip::resume(
        Arc::clone(&ledger.genesis),
        Arc::new(Confessions),
        header,
        history,
    );
    for (execution, batch) in &blocks {
        let time = execution.header().time;
        resumed.recall(time, batch.transactions(), execution.outcomes());
    }

    let mut verdicts = Vec::new();
    for at in [149_900, 150_100, 150_101, 150_901] {
        let batch = ledger.checked(time(at), &next);
        let live = execute(&ledger.state, &ledger.tip, &batch).unwrap();
        let restarted = execute(&ledger.state, &resumed, &batch).unwrap();
        assert_eq!(live, restarted, "at {at}");
        verdicts.push(live.outcomes().to_vec());
    }
    let replayed = Outcome::Refused(Refused::Replayed);
    let seen = recorded_but(&[(0, Refused::SessionSeen)]);
    let done = recorded_but(&[]);
    let over = Outcome::Refused(Refused::OverQuota);
    let expired = Outcome::Refused(Refused::Expired);
    let in_the_same_second = vec![replayed.clone(), seen.clone(), done.clone(), over.clone()];
    assert_eq!(verdicts[0], in_the_same_second);
    let at_the_edge = vec![replayed, seen, done.clone(), over.clone()];
    assert_eq!(verdicts[1], at_the_edge);
    let beyond_it = vec![expired, done.clone(), done, over];
    assert_eq!(verdicts[2], beyond_it);
}
