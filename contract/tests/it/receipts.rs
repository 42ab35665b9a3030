//! The inclusion proof of a transaction and its outcome.

use contract::receipt::NotIncluded;
use contract::{Call, SignedTransaction, TransactionProof};

use crate::consortium::{Consortium, Patient};

/// Five sign-ins in one block, and the proof of each.
fn proofs() -> Vec<TransactionProof> {
    let mut ledger = Consortium::secure();
    let patient = Patient::new(1);
    let transactions: Vec<SignedTransaction> = (1..=5)
        .map(|sid| {
            let result = ledger.result(&patient, 1, sid);
            ledger.by_member(1, Call::Results(vec![result]))
        })
        .collect();
    let now = ledger.tip.header().time;
    let batch = ledger.checked(now, &transactions);
    let execution = ledger.apply(&batch);
    let prove = |index| {
        TransactionProof::of_block(
            execution.header_bytes(),
            transactions.iter().map(SignedTransaction::as_bytes),
            execution.outcome_bytes().iter().map(Vec::as_slice),
            index,
        )
    };
    assert_eq!(prove(5), None);
    (0..5).map(|index| prove(index).unwrap()).collect()
}

#[test]
fn a_proof_shows_the_transaction_its_outcome_and_the_header() {
    for (index, proof) in proofs().iter().enumerate() {
        let included = proof.verify().unwrap();

        assert_eq!(included.header_hash, included.header.hash());
        assert_eq!(included.transaction.as_bytes(), proof.transaction);
        assert_eq!(included.outcome.refusal_of(0), None);
        assert_eq!(proof.index, u64::try_from(index).unwrap());
        assert_eq!(included.transaction.check_signatures(), Ok(()));
    }
}

#[test]
fn each_forged_part_is_refused_by_name() {
    let proofs = proofs();
    let good = &proofs[2];
    let with = |change: fn(&mut TransactionProof, &TransactionProof)| {
        let mut forged = good.clone();
        change(&mut forged, &proofs[4]);
        forged.verify().unwrap_err()
    };

    let tampered_leaf = with(|p, _| *p.transaction.last_mut().unwrap() ^= 1);
    assert_eq!(tampered_leaf, NotIncluded::TransactionPath);
    let other_transaction = with(|p, other| p.transaction.clone_from(&other.transaction));
    assert_eq!(other_transaction, NotIncluded::TransactionPath);
    assert_eq!(with(|p, _| p.index = 3), NotIncluded::TransactionPath);
    assert_eq!(with(|p, _| p.index = 5), NotIncluded::TransactionPath);
    assert_eq!(with(|p, _| p.count = 9), NotIncluded::TransactionPath);
    let cut = with(|p, _| p.path.truncate(1));
    assert_eq!(cut, NotIncluded::TransactionPath);
    let extended = with(|p, _| p.path.push([0; 32]));
    assert_eq!(extended, NotIncluded::TransactionPath);
    let endless = with(|p, _| p.path.resize(65, [0; 32]));
    assert_eq!(endless, NotIncluded::TransactionPath);
    let outcome_path = with(|p, other| p.outcome_path.clone_from(&other.outcome_path));
    assert_eq!(outcome_path, NotIncluded::OutcomePath);
    let outcome = with(|p, _| {
        p.outcome = contract::Outcome::Refused(contract::Refused::Expired).encode();
    });
    assert_eq!(outcome, NotIncluded::OutcomePath);
    let node_as_leaf = with(|p, _| p.transaction = p.path.concat());
    assert!(matches!(node_as_leaf, NotIncluded::Transaction(_)));
    let short_header = with(|p, _| p.header.truncate(277));
    assert!(matches!(short_header, NotIncluded::Header(_)));
}

#[test]
fn a_header_changed_in_any_bit_is_refused_or_has_another_hash() {
    let proofs = proofs();
    let good = &proofs[0];
    let hash = good.verify().unwrap().header_hash;

    for bit in 0..good.header.len() * 8 {
        let mut forged = good.clone();
        forged.header[bit / 8] ^= 1 << (bit % 8);
        if let Ok(included) = forged.verify() {
            assert_ne!(included.header_hash, hash, "bit {bit}");
        }
    }
}
