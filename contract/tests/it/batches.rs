//! What a node checks before it votes.

use std::cell::RefCell;
use std::sync::Arc;

use contract::batch::Memory;
use contract::{
    Call, CheckedBatch, Genesis, Invalid, Kind, SignatureBytes, SignedTransaction, TransactionHash,
    Unacceptable, check_batch, check_batch_with, encode_batch,
};

use crate::consortium::{Consortium, Patient, content, time};

fn bytes_of(transactions: &[SignedTransaction]) -> Vec<u8> {
    encode_batch(
        time(0),
        transactions.iter().map(SignedTransaction::as_bytes),
    )
}

fn verdict(ledger: &Consortium, bytes: &[u8]) -> Result<CheckedBatch, Unacceptable> {
    check_batch(
        bytes,
        ledger.genesis.chain(),
        ledger.genesis.parameters(),
        time(0),
        |_| false,
    )
}

const fn invalid<T>(at: usize, problem: Invalid) -> Result<T, Unacceptable> {
    Err(Unacceptable::Transaction { at, problem })
}

#[test]
fn a_transaction_with_a_bad_signature_spoils_the_batch_and_is_named() {
    let mut ledger = Consortium::secure();
    let good = ledger.by_member(1, Call::Revoke(Patient::new(1).record.aid));
    let mut bytes = good.as_bytes().to_vec();
    *bytes.last_mut().unwrap() ^= 1;
    let bad = SignedTransaction::decode(bytes).unwrap();

    assert_eq!(
        verdict(&ledger, &bytes_of(&[good, bad])),
        invalid(1, Invalid::Signature)
    );
}

#[test]
fn every_statement_in_a_bundle_is_checked() {
    let mut ledger = Consortium::secure();
    let patient = Patient::new(1);
    let mut results: Vec<_> = (1..=4).map(|i| ledger.result(&patient, 1, i)).collect();
    results[2].sigma = SignatureBytes::new([1; 64]);
    let bundle = ledger.by_member(1, Call::Results(results));

    assert_eq!(
        verdict(&ledger, &bytes_of(&[bundle])),
        invalid(0, Invalid::Statement(2))
    );
}

#[test]
fn a_statement_for_another_ledger_time_or_server_does_not_count() {
    let mut ledger = Consortium::secure();
    let patient = Patient::new(1);
    let good = ledger.result(&patient, 1, 1);
    let mut other_server = good.clone();
    other_server.server_id = ledger.id(2);
    let mut other_time = good.clone();
    other_time.t3 = other_time.t3.plus_ms(1);
    let mut other_suite = good.clone();
    other_suite.suite = contract::SuiteId::new(3);
    let mut other_session = good.clone();
    other_session.sid = contract::SessionId::new([2; 32]);
    let mut other_patient = good;
    other_patient.aid = Patient::new(2).record.aid;

    for changed in [
        other_server,
        other_time,
        other_suite,
        other_session,
        other_patient,
    ] {
        let bundle = ledger.by_member(1, Call::Results(vec![changed]));
        assert_eq!(
            verdict(&ledger, &bytes_of(&[bundle])),
            invalid(0, Invalid::Statement(0))
        );
    }
}

#[test]
fn a_transaction_of_another_ledger_is_refused() {
    let mut other = Consortium::research();
    let transaction = other.by_member(0, Call::Revoke(Patient::new(1).record.aid));
    let ledger = Consortium::secure();

    assert_eq!(
        verdict(&ledger, &bytes_of(&[transaction])),
        invalid(0, Invalid::OtherLedger(*other.chain()))
    );
}

#[test]
fn the_same_transaction_twice_is_refused() {
    let mut ledger = Consortium::secure();
    let one = ledger.by_member(1, Call::Revoke(Patient::new(1).record.aid));
    let hash = *one.hash();

    assert_eq!(
        verdict(&ledger, &bytes_of(&[one.clone(), one])),
        Err(Unacceptable::Repeated(hash))
    );
}

#[test]
fn a_known_transaction_is_not_verified_again_and_an_unknown_one_is() {
    let mut ledger = Consortium::secure();
    let aid = Patient::new(1).record.aid;
    let known = ledger.by_member(1, Call::Revoke(aid));
    let unknown = ledger.by_member(2, Call::Revoke(aid));
    let spoil = |transaction: &SignedTransaction| {
        let mut bytes = transaction.as_bytes().to_vec();
        *bytes.last_mut().unwrap() ^= 1;
        SignedTransaction::decode(bytes).unwrap()
    };
    let asked = RefCell::new(Vec::new());
    let check = |batch: &[SignedTransaction]| {
        check_batch(
            &bytes_of(batch),
            ledger.genesis.chain(),
            ledger.genesis.parameters(),
            time(0),
            |hash| {
                asked.borrow_mut().push(*hash);
                hash == spoil(&known).hash()
            },
        )
    };

    let batch = check(&[spoil(&known), unknown.clone()]).unwrap();
    assert_eq!(batch.transactions().len(), 2);
    let both = [*spoil(&known).hash(), *unknown.hash()];
    assert_eq!(*asked.borrow(), both);
    assert_eq!(
        check(&[spoil(&known), spoil(&unknown)]),
        invalid(1, Invalid::Signature)
    );
}

/// A node that holds one transaction and has not checked it.
struct Holds(SignedTransaction);

impl Memory for Holds {
    fn is_good(&self, _hash: &TransactionHash) -> bool {
        false
    }

    fn held(&self, hash: &TransactionHash) -> Option<SignedTransaction> {
        (self.0.hash() == hash).then(|| self.0.clone())
    }
}

#[test]
fn a_transaction_at_hand_is_not_read_again_but_checked_as_any_other() {
    let mut ledger = Consortium::secure();
    let aid = Patient::new(1).record.aid;
    let (here, other) = (
        ledger.by_member(1, Call::Revoke(aid)),
        ledger.by_member(2, Call::Revoke(aid)),
    );
    let mut bytes = here.as_bytes().to_vec();
    *bytes.last_mut().unwrap() ^= 1;
    let spoiled = SignedTransaction::decode(bytes).unwrap();
    let check = |batch: &[SignedTransaction], held: &SignedTransaction| {
        let (chain, limits) = (ledger.chain(), ledger.genesis.parameters());
        let memory = Holds(held.clone());
        check_batch_with(&bytes_of(batch), chain, limits, time(0), &memory)
    };

    let batch = check(&[here.clone(), other.clone()], &here).unwrap();

    let shared = |at: usize| batch.transactions()[at].shared();
    assert!(Arc::ptr_eq(&shared(0), &here.shared()));
    assert!(!Arc::ptr_eq(&shared(1), &other.shared()));
    assert_eq!(batch.transactions(), [here, other]);
    assert_eq!(
        check(std::slice::from_ref(&spoiled), &spoiled),
        invalid(0, Invalid::Signature)
    );
}

#[test]
fn an_assembled_batch_is_the_one_that_its_bytes_say() {
    let mut ledger = Consortium::secure();
    let one = ledger.by_member(1, Call::Revoke(Patient::new(1).record.aid));

    let (batch, bytes) = CheckedBatch::assemble(time(0), vec![one.clone()]);

    assert_eq!(verdict(&ledger, &bytes), Ok(batch));
    assert_eq!(bytes, bytes_of(&[one]));
}

#[test]
fn the_null_batch_is_always_acceptable() {
    let genesis = Genesis::parse(&content(Kind::Secure).to_json()).unwrap();

    let null = check_batch(
        &[],
        genesis.chain(),
        genesis.parameters(),
        time(u64::MAX / 2 - crate::consortium::START),
        |_| false,
    );

    let null = null.unwrap();
    assert_eq!(null.time(), None);
    assert!(null.transactions().is_empty());
}
