//! Every wire type: its length, its bytes pinned by a hash, and no panic on any input.

use contract::batch::CheckedBatch;
use contract::block::HEADER_BYTES;
use contract::contracts::disclosure;
use contract::contracts::membership::{
    ContractChange, MembershipChange, ParameterChange, Replacement as Successor,
};
use contract::contracts::registry::ContractStatus;
use contract::encoding::encode;
use contract::identity::{BlockTime, ChangeId, HeaderHash, Height};
use contract::record::AUTH_RESULT_BYTES;
use contract::state::StateProof;
use contract::{
    Aid, Author, Blob, Call, Consent, DisclosureCall, DisclosureRequest, Genesis, Header, History,
    Kind, LimbasiyaServer, Outcome, Output, Purpose, Recovery, RecoveryCall, RefusalReason,
    Refused, Replacement, Root, ServerClaim, ServerId, SignatureBytes, SignedTransaction, SuiteId,
    Transaction, TransactionProof, WuParameters, WuRecord, encode_batch, replace_digest,
};
use ed25519_dalek::SigningKey;
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

use crate::consortium::{Consortium, Patient, content, server_record, sign, time};
use crate::governance::{Newcomer, adding, removing, renewal};

fn pin(bytes: &[u8]) -> String {
    hex::encode(&Sha256::digest(bytes)[..8])
}

/// A change with something in each of its lists.
fn every_kind_of_change(ledger: &Consortium) -> MembershipChange {
    let newcomer = Newcomer::new(9);
    let candidate = newcomer.candidate(ledger.chain());
    MembershipChange {
        replace: vec![Successor {
            leaver: ledger.id(1),
            candidate,
        }],
        renew: vec![renewal(ledger, 2, &SigningKey::from_bytes(&[50; 32]))],
        parameters: vec![ParameterChange {
            name: "depth".to_owned(),
            value: 3,
        }],
        contracts: vec![ContractChange {
            id: "authlog".parse().unwrap(),
            version: 2,
            status: ContractStatus::Enabled,
        }],
        add: adding(ledger, &[&Newcomer::new(10)]).add,
        ..removing(ledger, &[3])
    }
}

/// A ledger as it was founded before `disclosure` was among the built-in contracts: its genesis
/// file stays valid, and so do its first block and every transaction on it.
fn ledger() -> Consortium {
    let mut content = content(Kind::Secure);
    content.patients = vec![Patient::new(1).record];
    content.servers = (0..4).map(|i| server_record(&content, i)).collect();
    content.contracts.retain(|one| one.id != disclosure::ID);
    Consortium::founded(&content)
}

/// One transaction of each kind, all fields fixed.
fn samples() -> Vec<SignedTransaction> {
    let ledger = ledger();
    let patient = Patient::new(1);
    let next = Patient::new(2);
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
        Call::Results(vec![result.clone()]),
        Call::LegacyResults(vec![legacy]),
        Call::SetServer(server_record(ledger.genesis.content(), 1)),
        Call::ProposeChange(Box::new(every_kind_of_change(&ledger))),
        Call::ApproveChange(ChangeId::new([6; 32])),
        Call::CancelChange(ChangeId::new([6; 32])),
        Call::Ready {
            height: Height::new(7),
            header: HeaderHash::new([8; 32]),
        },
        Call::Rejoin { random: [9; 16] },
        Call::Evidence(Blob::new(vec![5; 222])),
        Call::RegisterBatch(vec![patient.registration(ledger.chain())]),
        Call::Replace(Box::new(Replacement {
            old: aid,
            registration: next.registration_after(ledger.chain(), 1),
            consent: Consent::RecoveryKey(sign(
                &patient.recovery,
                &replace_digest(ledger.chain(), &aid, &next.record.aid),
            )),
        })),
        Call::Recovery(RecoveryCall::Request(Box::new(Recovery {
            old: aid,
            registration: next.registration_after(ledger.chain(), 1),
            officer: "desk-7".parse().unwrap(),
        }))),
        Call::Recovery(RecoveryCall::Approve {
            old: aid,
            new: next.record.aid,
        }),
        Call::Recovery(RecoveryCall::Cancel(aid)),
        Call::Recovery(RecoveryCall::Finish(aid)),
        Call::Claim(Box::new(result.clone())),
        Call::LateResults(vec![result]),
        Call::ServerClaims(vec![ServerClaim {
            suite: SuiteId::AIDC_1,
            server_id: ledger.id(1),
            at: time(1),
            reason: RefusalReason::WrongKey,
            aid: Some(aid),
        }]),
        Call::Disclosure(DisclosureCall::Request(Box::new(DisclosureRequest {
            aid,
            officer: "desk-7".parse().unwrap(),
            purpose: Purpose::Legal,
            note: Some(Root::new([7; 32])),
        }))),
        Call::Disclosure(DisclosureCall::Approve { number: 3, aid }),
    ];
    let author = Author::Member(ServerId::new([4; 32]));
    let signer = SigningKey::from_bytes(&[9; 32]);
    let complete =
        |call| Transaction::new(*ledger.chain(), author, time(1), [3; 8], call).sign(&signer);
    let calls = calls.into_iter().chain(of_limbasiya(&ledger, aid));
    calls.map(complete).collect()
}

fn of_limbasiya(ledger: &Consortium, uid: Aid) -> [Call; 2] {
    let server = LimbasiyaServer {
        server_id: ledger.id(1),
        id: "clinic-a".to_owned(),
        place: "Goa".to_owned(),
    };
    [Call::LimbasiyaServer(server), Call::LimbasiyaUser(uid)]
}

#[test]
fn a_result_has_214_bytes_and_a_header_278() {
    let ledger = ledger();
    let result = ledger.result(&Patient::new(1), 1, 1);

    assert_eq!(encode(&result).len(), AUTH_RESULT_BYTES);
    assert_eq!(ledger.tip.header().encode().len(), HEADER_BYTES);
}

#[test]
fn a_result_lies_on_the_wire_in_the_order_of_the_design() {
    let ledger = ledger();
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
    let header = ledger().tip.header().clone();

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
    let mut ledger = ledger();
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
    let ledger = ledger();
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
const PINNED: [(&str, &str); 35] = [
    ("register", "c2e99a129343f838"),
    ("revoke", "35e247cb9d71771f"),
    ("shred", "ccc68a94bf02189a"),
    ("wu-register", "774dfd33c683a9a6"),
    ("results", "2afc27216759d3ba"),
    ("legacy-results", "e1dbba6e62b10b96"),
    ("set-server", "8a6c106b3937e299"),
    ("propose-change", "8edd2b581ca64269"),
    ("approve-change", "18737be2629fe5c2"),
    ("cancel-change", "dc056ae597cffcb5"),
    ("ready", "9cbb8352f1705cc5"),
    ("rejoin", "fabbc602f219e03d"),
    ("evidence", "c788cf5acb68de01"),
    ("register-batch", "bf1d72743d2a2826"),
    ("replace", "ca4861b3af1e3dcb"),
    ("request-recovery", "085260643b8c437b"),
    ("approve-recovery", "1faade3dd5fa8fd6"),
    ("cancel-recovery", "2d14b72e70be090f"),
    ("finish-recovery", "002a1be8daa52c87"),
    ("claim", "e5c160010d023143"),
    ("late-results", "cb85649b577d8f69"),
    ("server-claims", "61d91b280777e8a0"),
    ("request-disclosure", "9e746c5839073bc9"),
    ("approve-disclosure", "92c9a40fb5f70860"),
    ("limbasiya-server", "9aa290ec96bbe59a"),
    ("limbasiya-user", "1733b9c2ad16b870"),
    ("patient record", "fc19160f202d7e4c"),
    ("server record", "89d593199b5ae66a"),
    ("wu parameters", "4b2828d59c691655"),
    ("outcome", "1e31cb853350671e"),
    ("header", "c8201e10ded139c4"),
    ("history", "78f7bf763d31796a"),
    ("state proof", "99b621d1b43ffd39"),
    ("genesis", "5bf693c717895e00"),
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
    let ends_at = Height::new(1);
    assert_eq!(number(Refused::ChangePending { ends_at }), 26);
    assert_eq!(number(Refused::UnknownMember), 33);
    let again_at = BlockTime::new(1);
    assert_eq!(number(Refused::RejoinTooSoon { again_at }), 43);
    assert_eq!(number(Refused::EvidenceKnown), 45);
    assert_eq!(number(Refused::NoConsent), 46);
    let at = BlockTime::new(1);
    assert_eq!(number(Refused::TooEarly { at }), 52);
    assert_eq!(number(Refused::TooManyClaims { again_at: at }), 55);
    assert_eq!(number(Refused::TooManyDisclosures), 59);
}

#[test]
fn a_transaction_changed_in_any_bit_is_refused_or_has_another_hash() {
    let ledger = ledger();
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
        let ledger = ledger();
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
            entry: None,
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
    let ledger = ledger();
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
