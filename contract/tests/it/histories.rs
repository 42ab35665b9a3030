//! A patient proves offline that she was shown everything that happened to her AID.

use contract::contracts::disclosure::{self, Disclosure, count_key, entry_key, nth_key};
use contract::contracts::identity::{
    self, Event, Origin, What, event_key, events_key, origin_key, recovery_key,
};
use contract::encoding::decode;
use contract::{
    Aid, Call, Consent, ContractId, DisclosureCall, DisclosureRequest, Outcome, Output, Purpose,
    Recovery, RecoveryCall, Replacement, Root, StateProof, TransactionProof, replace_digest,
};

use crate::consortium::{Consortium, Patient, sign};
use crate::replacing::WRITTEN;

/// What a node hands over: a proof for each key.
fn prove(ledger: &Consortium, id: &ContractId, key: &[u8]) -> Vec<u8> {
    ledger.snapshot().prove(id, key).unwrap().encode()
}

/// What the patient's terminal makes of a proof, with a certified header's root.
fn value(proof: &[u8], root: &Root, id: &ContractId, key: &[u8]) -> Option<Vec<u8>> {
    let proof = StateProof::decode(proof).unwrap();
    proof.verify(root, id, key).unwrap().map(<[u8]>::to_vec)
}

fn number(bytes: Option<Vec<u8>>) -> u32 {
    bytes.map_or(0, |bytes| decode(&bytes, 4).unwrap())
}

/// All events of an AID, each proved, and their number.
fn proved_events(ledger: &Consortium, aid: &Aid) -> Vec<Event> {
    let root = ledger.tip.header().state_root;
    let id = identity::ID;
    let read = |key: &[u8]| value(&prove(ledger, &id, key), &root, &id, key);
    (0..number(read(&events_key(aid))))
        .map(|at| decode(&read(&event_key(aid, at)).unwrap(), 4_096).unwrap())
        .collect()
}

#[test]
fn an_untouched_aid_proves_that_nothing_happened_to_it() {
    let ledger = Consortium::secure();
    let aid = Patient::new(1).record.aid;
    let root = ledger.tip.header().state_root;

    for (id, key) in [
        (identity::ID, events_key(&aid)),
        (identity::ID, origin_key(&aid)),
        (identity::ID, recovery_key(&aid)),
        (disclosure::ID, count_key(&aid)),
    ] {
        let proof = prove(&ledger, &id, &key);
        assert_eq!(value(&proof, &root, &id, &key), None);
    }
}

#[test]
fn a_history_is_proved_to_its_last_event_and_no_event_can_be_left_out() {
    let mut ledger = Consortium::secure();
    let (old, new) = (Patient::new(1), Patient::new(2));
    let request = RecoveryCall::Request(Box::new(Recovery {
        old: old.record.aid,
        registration: new.registration_after(ledger.chain(), 1),
        officer: "desk-7".parse().unwrap(),
    }));
    assert_eq!(ledger.calls(0, Call::Recovery(request)), WRITTEN);
    let before = ledger.tip.header().state_root;
    let (id, key) = (identity::ID, events_key(&old.record.aid));
    let old_count = ledger.snapshot().prove(&id, &key).unwrap();
    let cancel = Call::Recovery(RecoveryCall::Cancel(old.record.aid));
    assert_eq!(ledger.patient_calls(&old, &old.sig, cancel), WRITTEN);
    assert_eq!(ledger.calls(0, Call::Revoke(old.record.aid)), WRITTEN);

    let events = proved_events(&ledger, &old.record.aid);

    let what: Vec<_> = events.into_iter().map(|event| event.what).collect();
    let aid = new.record.aid;
    assert_eq!(what.len(), 3);
    assert_eq!(what[1], What::RecoveryCancelled { new: aid });
    assert_eq!(what[2], What::Revoked);
    // The number as it was does not verify against the newer header.
    assert_ne!(old_count.verify(&before, &id, &key).unwrap(), None);
    let newer = ledger.tip.header().state_root;
    old_count.verify(&newer, &id, &key).unwrap_err();
}

#[test]
fn a_disclosure_is_proved_by_aid_with_its_reason_and_its_approver() {
    let mut ledger = Consortium::secure();
    let aid = Patient::new(1).record.aid;
    let ask = DisclosureCall::Request(Box::new(DisclosureRequest {
        aid,
        officer: "desk-7".parse().unwrap(),
        purpose: Purpose::PatientSafety,
        note: None,
    }));
    assert_eq!(ledger.calls(0, Call::Disclosure(ask)), WRITTEN);
    let approve = DisclosureCall::Approve { number: 0, aid };
    assert_eq!(ledger.calls(3, Call::Disclosure(approve)), WRITTEN);

    let root = ledger.tip.header().state_root;
    let id = disclosure::ID;
    let read = |key: &[u8]| value(&prove(&ledger, &id, key), &root, &id, key);
    let count = number(read(&count_key(&aid)));
    let first: u64 = decode(&read(&nth_key(&aid, 0)).unwrap(), 8).unwrap();
    let entry: Disclosure = decode(&read(&entry_key(first)).unwrap(), 4_096).unwrap();

    assert_eq!((count, first), (1, 0));
    assert_eq!(entry.request.purpose, Purpose::PatientSafety);
    assert_eq!(entry.approval.unwrap().by, ledger.id(3));
    assert_eq!(read(&nth_key(&aid, 1)), None);
}

#[test]
fn a_replacement_has_a_receipt_and_the_new_aid_proves_where_it_came_from() {
    let mut ledger = Consortium::secure();
    let (old, new) = (Patient::new(1), Patient::new(2));
    let digest = replace_digest(ledger.chain(), &old.record.aid, &new.record.aid);
    let call = Call::Replace(Box::new(Replacement {
        old: old.record.aid,
        registration: new.registration_after(ledger.chain(), 1),
        consent: Consent::SigningKey(sign(&old.sig, &digest)),
    }));
    let transactions = [ledger.by_member(0, call)];
    let now = ledger.tip.header().time;
    let batch = ledger.checked(now, &transactions);
    let execution = ledger.apply(&batch);

    let receipt = TransactionProof::of_block(
        execution.header_bytes(),
        &transactions,
        execution.outcome_bytes(),
        (0, 0),
    )
    .unwrap();
    let included = receipt.verify().unwrap();

    assert_eq!(included.outcome, Outcome::Done(Output::Written));
    assert!(matches!(included.transaction.call(), Call::Replace(_)));
    let (id, key) = (identity::ID, origin_key(&new.record.aid));
    let proof = prove(&ledger, &id, &key);
    let origin = value(&proof, &included.header.state_root, &id, &key).unwrap();
    let origin: Origin = decode(&origin, 4_096).unwrap();
    assert_eq!(origin.old, old.record.aid);
    assert_eq!(origin.height, included.header.height);
}
