//! The inclusion proof of a transaction and its outcome.

use contract::batch::Memory;
use contract::receipt::NotIncluded;
use contract::{
    BlockTime, Call, EntryProof, Execution, Invalid, Parameters, SignedTransaction,
    TransactionHash, TransactionProof, Unacceptable, check_batch_with, encode_batch,
};

use crate::consortium::{Consortium, Patient};

/// Five bundles of one sign-in in one block, and the proof of each.
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
            &transactions,
            execution.outcome_bytes(),
            (index, 0),
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
        let refused = included.transaction.refusal_of(&included.outcome, 0);
        assert_eq!(refused, None);
        assert_eq!(proof.index, u64::try_from(index).unwrap());
        assert_eq!(included.transaction.check_signatures(), Ok(()));
    }
}

/// A block with one bundle of these sign-ins, and what its proofs are made of.
fn bundle(sids: &[u8]) -> (Vec<SignedTransaction>, Execution) {
    let mut ledger = Consortium::secure();
    let patient = Patient::new(1);
    let results = sids.iter().map(|sid| ledger.result(&patient, 1, *sid));
    let call = Call::Results(results.collect());
    let transactions = vec![ledger.by_member(1, call)];
    let now = ledger.tip.header().time;
    let batch = ledger.checked(now, &transactions);
    let execution = ledger.apply(&batch);
    (transactions, execution)
}

fn entry_of(
    bundle: &(Vec<SignedTransaction>, Execution),
    entry: usize,
) -> Option<TransactionProof> {
    let (transactions, execution) = bundle;
    let outcomes = execution.outcome_bytes();
    TransactionProof::of_block(execution.header_bytes(), transactions, outcomes, (0, entry))
}

#[test]
fn a_proof_of_a_bundle_shows_one_sign_in_with_both_signatures_and_nothing_of_the_others() {
    // The second number comes twice, so the ledger refuses its third place.
    let bundle = bundle(&[1, 2, 2, 4, 5, 6, 7]);
    let Call::Results(results) = bundle.0[0].call() else {
        unreachable!("a bundle of results");
    };

    for (at, result) in results.iter().enumerate() {
        let proof = entry_of(&bundle, at).unwrap();
        let included = proof.verify().unwrap();

        assert_eq!(
            included.transaction.call(),
            &Call::Results(vec![result.clone()])
        );
        assert_eq!(included.transaction.hash(), bundle.0[0].hash());
        assert_eq!(included.transaction.check_signatures(), Ok(()));
        let refused = included.transaction.refusal_of(&included.outcome, 0);
        assert_eq!(refused.is_some(), at == 2);
        let shown = [proof.transaction.clone(), proof.entry.unwrap().bytes].concat();
        for other in results.iter().filter(|other| other.sigma != result.sigma) {
            let sigma = other.sigma.to_bytes();
            assert!(!shown.windows(64).any(|window| window == sigma));
        }
    }
    assert_eq!(entry_of(&bundle, results.len()), None);
}

#[test]
fn the_author_signs_every_entry_and_their_order() {
    let (good, _) = bundle(&[1, 2]);
    let (other, _) = bundle(&[2, 1]);
    let bytes = good[0].as_bytes();
    let entry = |at: usize| bytes[130 + at * 214..130 + (at + 1) * 214].to_vec();
    let (head, tail) = (bytes[..130].to_vec(), bytes[bytes.len() - 64..].to_vec());
    let forged = |entries: Vec<u8>| {
        let bytes = [head.clone(), entries, tail.clone()].concat();
        SignedTransaction::decode(bytes).unwrap().check_signatures()
    };

    assert_eq!(forged([entry(0), entry(1)].concat()), Ok(()));
    assert_eq!(
        forged([entry(1), entry(0)].concat()),
        Err(Invalid::Signature)
    );
    assert_eq!(
        forged([entry(0), entry(0)].concat()),
        Err(Invalid::Signature)
    );
    assert_ne!(good[0].hash(), other[0].hash());
    assert_ne!(good[0].leaf_hash(), other[0].leaf_hash());
}

#[test]
fn a_leaf_in_the_place_of_its_bundle_is_no_transaction_at_a_node_that_holds_the_bundle_either() {
    struct Holds(SignedTransaction);

    impl Memory for Holds {
        fn is_good(&self, hash: &TransactionHash) -> bool {
            hash == self.0.hash()
        }

        fn held(&self, hash: &TransactionHash) -> Option<SignedTransaction> {
            self.is_good(hash).then(|| self.0.clone())
        }
    }

    let whole = bundle(&[1, 2, 3]);
    let leaf = entry_of(&whole, 0).unwrap().transaction;
    let held = Holds(whole.0[0].clone());
    let (chain, now) = (*held.0.transaction().chain(), BlockTime::new(1));
    let rules = Parameters::default();
    let check = |bytes: &[u8]| {
        let batch = encode_batch(now, [bytes]);
        check_batch_with(&batch, &chain, &rules, now, &held).map(|_checked| ())
    };

    assert_eq!(check(held.0.as_bytes()), Ok(()));
    assert!(matches!(
        check(&leaf),
        Err(Unacceptable::Transaction {
            problem: Invalid::Malformed(_),
            ..
        })
    ));
    SignedTransaction::decode(leaf).unwrap_err();
}

#[test]
fn an_entry_is_shown_of_a_bundle_and_of_nothing_else() {
    let whole = bundle(&[1, 2, 3]);
    let good = entry_of(&whole, 1).unwrap();
    let with = |change: &dyn Fn(&mut TransactionProof)| {
        let mut forged = good.clone();
        change(&mut forged);
        forged.verify().unwrap_err()
    };
    let entry = good.entry.clone().unwrap();

    assert_eq!(with(&|p| p.entry = None), NotIncluded::NoEntry);
    let bytes = whole.0[0].as_bytes().to_vec();
    let all = with(&|p| {
        p.transaction.clone_from(&bytes);
        p.entry = None;
    });
    assert_eq!(all, NotIncluded::NoEntry);
    let both = with(&|p| p.transaction.clone_from(&bytes));
    assert_eq!(both, NotIncluded::NoBundle);
    for index in [0, 2, 3, u64::MAX] {
        let moved = EntryProof {
            index,
            ..entry.clone()
        };
        assert_eq!(with(&|p| p.entry = Some(moved.clone())), NotIncluded::Entry);
    }
    for bit in 0..entry.bytes.len() * 8 {
        let mut changed = entry.clone();
        changed.bytes[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(
            with(&|p| p.entry = Some(changed.clone())),
            NotIncluded::Entry
        );
    }
    let mut endless = entry;
    endless.path.resize(65, [0; 32]);
    assert_eq!(
        with(&|p| p.entry = Some(endless.clone())),
        NotIncluded::Entry
    );
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
    let other_transaction = with(|p, other| {
        p.transaction.clone_from(&other.transaction);
        p.entry.clone_from(&other.entry);
    });
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
    let node_as_leaf = with(|p, _| {
        p.transaction = p.path.concat();
        p.entry = None;
    });
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
