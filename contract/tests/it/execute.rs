//! The same batches give the same ledger, whatever happens around them.

use contract::contracts::identity;
use contract::{
    Call, Height, Outcome, Output, Root, check_batch, encode_batch, execute, history, merkle,
};

use crate::consortium::{Consortium, Patient, time};

#[test]
fn two_nodes_that_execute_the_same_batches_have_the_same_headers() {
    let mut one = Consortium::secure();
    let mut other = Consortium::secure();
    let patient = Patient::new(1);

    for sid in 1..20 {
        let result = one.result(&patient, 1, sid);
        let results = one.by_member(1, Call::Results(vec![result]));
        let batch = one.checked(time(u64::from(sid) * 700), &[results]);

        assert_eq!(one.apply(&batch), other.apply(&batch));
    }

    assert_eq!(one.tip.hash(), other.tip.hash());
    assert_eq!(one.tip.height(), Height::new(19));
}

#[test]
fn results_are_recorded_without_touching_the_state() {
    let mut ledger = Consortium::secure();
    let patient = Patient::new(1);
    let before = ledger.tip.header().clone();

    let results = (1..=5).map(|sid| ledger.result(&patient, 2, sid)).collect();
    let transaction = ledger.by_member(2, Call::Results(results));
    let batch = ledger.checked(before.time, &[transaction]);
    let execution = ledger.apply(&batch);

    let all_recorded = Outcome::Done(Output::Recorded {
        refused: Vec::new(),
    });
    assert_eq!(execution.outcomes(), [all_recorded]);
    assert!(execution.writes().is_empty());
    assert_eq!(execution.header().state_root, before.state_root);
}

#[test]
fn a_registration_changes_the_root_and_the_snapshot_agrees_with_the_header() {
    let mut ledger = Consortium::secure();
    let before = ledger.tip.header().state_root;
    let registration = Patient::new(2).registration(ledger.chain());

    let transaction = ledger.by_member(0, Call::Register(Box::new(registration)));
    let outcome = ledger.one(transaction);

    assert_eq!(outcome, Outcome::Done(Output::Written));
    let after = ledger.tip.header().state_root;
    assert_ne!(after, before);
    assert_eq!(ledger.snapshot().root().unwrap(), after);
}

#[test]
fn the_state_survives_blocks_that_do_not_write_it() {
    let mut ledger = Consortium::secure();
    for round in 2..12_u8 {
        let empty = ledger.checked(time(u64::from(round)), &[]);
        ledger.apply(&empty);
        let registration = Patient::new(round).registration(ledger.chain());
        let transaction = ledger.by_member(0, Call::Register(Box::new(registration)));

        assert_eq!(ledger.one(transaction), Outcome::Done(Output::Written));
    }

    let snapshot = ledger.snapshot();
    let root = snapshot.root().unwrap();
    assert_eq!(root, ledger.tip.header().state_root);
    for seed in 1..12 {
        let key = identity::identity_key(&Patient::new(seed).record.aid);
        let proof = snapshot.prove(&identity::ID, &key).unwrap();
        let proved = proof.verify(&root, &identity::ID, &key).unwrap();
        assert!(proved.is_some(), "patient {seed}");
    }
}

#[test]
fn each_header_names_its_parent_and_all_blocks_before_it() {
    let mut ledger = Consortium::secure();
    let mut leaves = Vec::new();

    for height in 1..12 {
        let parent = *ledger.tip.hash();
        leaves.push(history::leaf(&parent));
        let batch = ledger.checked(time(height), &[]);
        let header = ledger.apply(&batch).header().clone();

        assert_eq!(header.height, Height::new(height));
        assert_eq!(header.parent, parent);
        assert_eq!(header.history_root, merkle::root(&leaves));
    }
}

#[test]
fn time_never_runs_backwards_and_a_null_batch_keeps_the_parents() {
    let mut ledger = Consortium::secure();

    let late = ledger.checked(time(5_000), &[]);
    assert_eq!(ledger.apply(&late).header().time, time(5_000));

    let early = ledger.checked(time(3_000), &[]);
    assert_eq!(ledger.apply(&early).header().time, time(5_000));

    let null = check_batch(
        &[],
        ledger.genesis.chain(),
        ledger.genesis.parameters(),
        time(90_000),
        |_| false,
    )
    .unwrap();
    let execution = ledger.apply(&null);
    assert_eq!(execution.header().time, time(5_000));
    assert_eq!(execution.header().batch_digest, Root::ZERO);
}

#[test]
fn an_empty_batch_with_a_time_is_not_the_null_batch() {
    let ledger = Consortium::secure();
    let heartbeat = encode_batch(time(1), []);

    let batch = check_batch(
        &heartbeat,
        ledger.genesis.chain(),
        ledger.genesis.parameters(),
        time(1),
        |_| false,
    )
    .unwrap();
    let execution = execute(&ledger.state, &ledger.tip, &batch).unwrap();

    assert_ne!(execution.header().batch_digest, Root::ZERO);
    assert_eq!(execution.header().time, time(1));
}
