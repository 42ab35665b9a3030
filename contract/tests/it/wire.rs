//! Every wire type: its length, its bytes pinned by a hash, and no panic on any input.

use contract::batch::CheckedBatch;
use contract::block::HEADER_BYTES;
use contract::encoding::encode;
use contract::record::AUTH_RESULT_BYTES;
use contract::state::StateProof;
use contract::{
    Author, Blob, Call, Genesis, Header, History, Outcome, Output, Refused, ServerId,
    SignatureBytes, SignedTransaction, SuiteId, Transaction, TransactionProof, WuParameters,
    WuRecord, encode_batch,
};
use ed25519_dalek::SigningKey;
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

use crate::consortium::{Consortium, Patient, server_record, time};

fn pin(bytes: &[u8]) -> String {
    hex::encode(&Sha256::digest(bytes)[..8])
}

/// One transaction of each kind, all fields fixed.
fn samples() -> Vec<SignedTransaction> {
    let ledger = Consortium::secure();
    let patient = Patient::new(1);
    let aid = patient.record.aid;
    let result = ledger.result(&patient, 1, 9);
    let legacy = ledger.legacy(aid, 1, 9);
    let wu = WuRecord {
        aid,
        id: Blob::new(b"alice".to_vec()),
    };
    let calls = [
        Call::Register(Box::new(patient.registration(ledger.chain()))),
        Call::Revoke(aid),
        Call::Shred(aid),
        Call::WuRegister(wu),
        Call::Results(vec![result]),
        Call::LegacyResults(vec![legacy]),
        Call::SetServer(server_record(ledger.genesis.content(), 1)),
    ];
    let author = Author::Member(ServerId::new([4; 32]));
    let signer = SigningKey::from_bytes(&[9; 32]);
    let sign =
        |call| Transaction::new(*ledger.chain(), author, time(1), [3; 8], call).sign(&signer);
    calls.map(sign).to_vec()
}

#[test]
fn a_result_has_214_bytes_and_a_header_278() {
    let ledger = Consortium::secure();
    let result = ledger.result(&Patient::new(1), 1, 1);

    assert_eq!(encode(&result).len(), AUTH_RESULT_BYTES);
    assert_eq!(ledger.tip.header().encode().len(), HEADER_BYTES);
}

#[test]
fn a_result_lies_on_the_wire_in_the_order_of_the_design() {
    let ledger = Consortium::secure();
    let result = ledger.result(&Patient::new(1), 1, 7);

    let by_hand = [
        [1, 0].as_slice(),
        result.server_id.as_bytes(),
        &1_u32.to_le_bytes(),
        result.aid.as_bytes(),
        &result.t1.get().to_le_bytes(),
        &result.t3.get().to_le_bytes(),
        &[7; 32],
        result.pk_sig.as_bytes(),
        &result.sigma.to_bytes(),
    ]
    .concat();

    assert_eq!(encode(&result), by_hand);
}

#[test]
fn a_header_lies_on_the_wire_in_the_order_of_the_design() {
    let header = Consortium::secure().tip.header().clone();

    let by_hand = [
        [1, 0].as_slice(),
        header.chain.as_bytes(),
        &0_u64.to_le_bytes(),
        &0_u32.to_le_bytes(),
        &header.time.get().to_le_bytes(),
        header.parent.as_bytes(),
        header.batch_digest.as_bytes(),
        header.transactions_root.as_bytes(),
        header.outcomes_root.as_bytes(),
        header.state_root.as_bytes(),
        header.history_root.as_bytes(),
        header.next_committee.as_bytes(),
    ]
    .concat();

    assert_eq!(header.encode(), by_hand);
}

#[test]
fn a_bundle_lies_on_the_wire_as_documented() {
    let mut ledger = Consortium::secure();
    let results = vec![
        ledger.result(&Patient::new(1), 1, 1),
        ledger.result(&Patient::new(1), 1, 2),
    ];
    let signed = ledger.by_member(1, Call::Results(results.clone()));
    let transaction = signed.transaction();

    let by_hand = [
        [1, 0].as_slice(),
        ledger.chain().as_bytes(),
        &0_u32.to_le_bytes(),
        ledger.id(1).as_bytes(),
        transaction.key().as_bytes(),
        &transaction.valid_until().get().to_le_bytes(),
        transaction.salt(),
        &4_u32.to_le_bytes(),
        &2_u64.to_le_bytes(),
        &encode(&results[0]),
        &encode(&results[1]),
        &signed.signature().to_bytes(),
    ]
    .concat();

    assert_eq!(signed.as_bytes(), by_hand);
}

#[test]
fn outcomes_lie_on_the_wire_as_documented() {
    let numbers =
        |parts: &[u32]| -> Vec<u8> { parts.iter().flat_map(|part| part.to_le_bytes()).collect() };
    let recorded = |refused| Outcome::Done(Output::Recorded { refused }).encode();

    let written = Outcome::Done(Output::Written).encode();
    assert_eq!(written, numbers(&[0, 0]));
    assert_eq!(recorded(Vec::new()), numbers(&[0, 1, 0, 0]));
    let one_refused = recorded(vec![(7, Refused::SessionSeen)]);
    assert_eq!(one_refused, numbers(&[0, 1, 1, 0, 7, 22]));
    let refused = Outcome::Refused(Refused::SuiteNotAllowed(SuiteId::WU_2021)).encode();
    let suite = [1, 0, 0, 0, 17, 0, 0, 0, 0x01, 0x7f];
    assert_eq!(refused, suite);
}

#[test]
fn every_wire_type_is_pinned() {
    let ledger = Consortium::secure();
    let patient = Patient::new(1).record;
    let server = server_record(ledger.genesis.content(), 1);
    let outcome = Outcome::Done(Output::Recorded {
        refused: vec![(3, Refused::SuiteNotAllowed(SuiteId::WU_2021))],
    });
    let mut history = History::new();
    history.append(ledger.tip.hash());
    let proof = ledger
        .snapshot()
        .prove(&contract::contracts::servers::ID, b"nothing")
        .unwrap();
    let mut found: Vec<(&str, String)> = samples()
        .iter()
        .map(|sample| (sample.call().name(), pin(sample.as_bytes())))
        .collect();
    found.extend([
        ("patient record", pin(&encode(&patient))),
        ("server record", pin(&encode(&server))),
        ("wu parameters", pin(&encode(&WuParameters::published()))),
        ("outcome", pin(&outcome.encode())),
        ("header", pin(&ledger.tip.header().encode())),
        ("history", pin(&history.encode())),
        ("state proof", pin(&proof.encode())),
        ("genesis", pin(&ledger.genesis.content().to_json())),
        ("batch", pin(&encode_batch(time(1), [b"one".as_slice()]))),
    ]);

    assert_eq!(found, PINNED.map(|(name, hash)| (name, hash.to_owned())));
}

/// First 8 bytes of SHA-256 of each sample: a change here is a change of the wire.
const PINNED: [(&str, &str); 16] = [
    ("register", "856db879d60b9914"),
    ("revoke", "2a3f78633c0a10a7"),
    ("shred", "fcaacc0ef4df214e"),
    ("wu-register", "ccce1b2d90bc7262"),
    ("results", "c03a20d8115c0305"),
    ("legacy-results", "0cadf8af5769c2a9"),
    ("set-server", "dadb13365a64a338"),
    ("patient record", "fc19160f202d7e4c"),
    ("server record", "89d593199b5ae66a"),
    ("wu parameters", "4b2828d59c691655"),
    ("outcome", "1e31cb853350671e"),
    ("header", "173085a72eede72a"),
    ("history", "c4f09429051c9ace"),
    ("state proof", "bb1674a8748871f0"),
    ("genesis", "9c5722c8a8f5dbeb"),
    ("batch", "0e288d57dcc8b68f"),
];

#[test]
fn the_wire_numbers_of_refusals_do_not_move() {
    let number = |refused: Refused| encode(&refused)[0];

    assert_eq!(number(Refused::Expired), 0);
    assert_eq!(number(Refused::WrongKey), 5);
    assert_eq!(number(Refused::AlreadyRegistered), 8);
    assert_eq!(number(Refused::SessionSeen), 22);
    assert_eq!(number(Refused::KeyEpochTaken), 25);
}

#[test]
fn a_transaction_changed_in_any_bit_is_refused_or_has_another_hash() {
    let ledger = Consortium::secure();
    for sample in samples() {
        let bytes = sample.as_bytes();
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.to_vec();
            changed[bit / 8] ^= 1 << (bit % 8);
            let Ok(decoded) = SignedTransaction::decode(changed) else {
                continue;
            };
            assert_ne!(decoded.hash(), sample.hash());
            let body_is_signed = bit / 8 < bytes.len() - 64;
            // One bit in eight keeps the test short; each region is still hit.
            if body_is_signed && bit % 67 == 0 {
                let verdict = decoded.check(ledger.chain(), ledger.genesis.parameters());
                assert!(verdict.is_err(), "{} bit {bit}", sample.call().name());
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_decoder_panics_and_what_decodes_encodes_back(
        bytes in proptest::collection::vec(any::<u8>(), 0..600),
    ) {
        if let Ok(header) = Header::decode(&bytes) {
            prop_assert_eq!(header.encode(), bytes.clone());
        }
        if let Ok(outcome) = Outcome::decode(&bytes) {
            prop_assert_eq!(outcome.encode(), bytes.clone());
        }
        if let Ok(proof) = StateProof::decode(&bytes) {
            prop_assert_eq!(proof.encode(), bytes.clone());
        }
        if let Ok(history) = History::decode(&bytes) {
            prop_assert_eq!(history.encode(), bytes.clone());
        }
        if let Ok(transaction) = SignedTransaction::decode(bytes.clone()) {
            prop_assert_eq!(transaction.as_bytes(), bytes.as_slice());
        }
        prop_assert!(Genesis::parse(&bytes).is_err());
    }

    #[test]
    fn a_batch_with_changed_bytes_is_refused_or_read_without_panic(
        at in any::<prop::sample::Index>(),
        value in any::<u8>(),
    ) {
        let ledger = Consortium::secure();
        let samples = samples();
        let mut bytes = encode_batch(time(1), samples.iter().map(SignedTransaction::as_bytes));
        let at = at.index(bytes.len());
        let changed = bytes[at] != value;
        bytes[at] = value;
        let digest = contract::batch_digest(&bytes);

        if let Ok(batch) = CheckedBatch::certified(&bytes, &ledger.genesis) {
            prop_assert_eq!(*batch.digest(), digest);
            let transactions = batch.transactions().iter().map(SignedTransaction::as_bytes);
            let again = encode_batch(batch.time().unwrap(), transactions);
            prop_assert_eq!(&again, &bytes);
        } else {
            prop_assert!(changed);
        }
    }

    #[test]
    fn a_proof_of_random_parts_shows_nothing(
        transaction in proptest::collection::vec(any::<u8>(), 0..200),
        header in proptest::collection::vec(any::<u8>(), 278..279),
        index in any::<u64>(),
        count in any::<u64>(),
    ) {
        let proof = TransactionProof {
            transaction,
            index,
            count,
            path: vec![[1; 32]; 3],
            outcome: vec![0; 8],
            outcome_path: Vec::new(),
            header,
        };
        prop_assert!(proof.verify().is_err());
    }
}

#[test]
fn a_signature_from_random_bytes_does_not_count() {
    let ledger = Consortium::secure();
    let patient = Patient::new(1);
    let mut forged = ledger.result(&patient, 1, 1);
    forged.sigma = SignatureBytes::new([0x11; 64]);
    let digest = forged.statement_digest(ledger.chain());

    assert!(!contract::signature::is_valid(
        &forged.pk_sig,
        &digest,
        &forged.sigma
    ));
}
