//! Receipts of what concerns a patient beside her sign-ins.

use contract::Blob;
use contract::SignedTransaction;
use contract::identity::{BlockTime, IdCommitment, SignatureBytes};
use contract::outcome::Outcome;
use contract::record::{
    AuthResult, Consent, DisclosureRequest, PatientRecord, Purpose, Recovery, Registration,
    Replacement, Status,
};
use contract::transaction::{Author, Call, DisclosureCall, RecoveryCall, Transaction};

use super::{Row, SIGNERS, research, row};
use crate::vectors::ledger::{Ledger, TIME_MS, aid, key, public, recorded, written};

pub(super) fn rows() -> Vec<Row> {
    let ledger = research();
    let block = ledger.block(content(&ledger));
    let claims = [
        ("valid-batch", "two identities registered in one call"),
        ("valid-replacement", "one identity in the place of another"),
        (
            "valid-claim",
            "what a patient alone says, which is no sign-in",
        ),
        ("valid-late", "a sign-in that reached the ledger late"),
        ("valid-recovery-asked", "an officer asks for a recovery"),
        ("valid-recovery-approved", "another member approves it"),
        ("valid-recovery-cancelled", "the patient objects"),
        ("valid-recovery-done", "a recovery takes effect"),
        (
            "valid-disclosure-asked",
            "an officer asks whose identity it is",
        ),
        ("valid-disclosure-approved", "another member approves it"),
        ("valid-revocation", "a patient ends her identity"),
    ];
    let receipt = |index| ledger.receipt(&block, index, &SIGNERS);
    let of = |(index, (name, claim))| row(name, claim, &receipt(index), None);
    let mut rows: Vec<_> = (0..).zip(claims).map(of).collect();
    rows.push(
        row(
            "claim-expected-as-sign-in",
            "a claim is no sign-in at the server",
            &receipt(2),
            Some("expected"),
        )
        .expecting(Some(7), Some("clinic-a")),
    );
    rows.push(
        row(
            "valid-late-expected",
            "a late sign-in is one",
            &receipt(3),
            None,
        )
        .expecting(Some(7), Some("clinic-a")),
    );
    rows
}

fn content(ledger: &Ledger) -> Vec<(SignedTransaction, Outcome)> {
    let result = result(ledger);
    let (old, new) = (aid(7), aid(8));
    let officer = || "desk-1".parse().unwrap();
    let by_rc = |call| (ledger.transaction(0, call), written());
    let by_member = |call| (ledger.transaction(1, call), written());
    let by_patient = |call| (patient(ledger, call), written());
    let recovery = Box::new(Recovery {
        old,
        registration: registration(8),
        officer: officer(),
    });
    let replacement = Box::new(Replacement {
        old,
        registration: registration(8),
        consent: Consent::RecoveryKey(SignatureBytes::new([0xD3; 64])),
    });
    let disclosure = Box::new(DisclosureRequest {
        aid: old,
        officer: officer(),
        purpose: Purpose::Emergency,
        note: None,
    });
    vec![
        (
            ledger.transaction(
                0,
                Call::RegisterBatch(vec![registration(7), registration(8)]),
            ),
            recorded(),
        ),
        by_rc(Call::Replace(replacement)),
        by_patient(Call::Claim(Box::new(result.clone()))),
        (
            ledger.transaction(1, Call::LateResults(vec![result])),
            recorded(),
        ),
        by_rc(Call::Recovery(RecoveryCall::Request(recovery))),
        by_member(Call::Recovery(RecoveryCall::Approve { old, new })),
        by_patient(Call::Recovery(RecoveryCall::Cancel(old))),
        by_member(Call::Recovery(RecoveryCall::Finish(old))),
        by_rc(Call::Disclosure(DisclosureCall::Request(disclosure))),
        by_member(Call::Disclosure(DisclosureCall::Approve {
            number: 0,
            aid: old,
        })),
        by_patient(Call::Revoke(old)),
    ]
}

/// A sign-in of patient 7 at clinic-a, with her statement.
fn result(ledger: &Ledger) -> AuthResult {
    let signed = ledger.secure_sign_in(1, 7);
    let Call::Results(results) = signed.call() else {
        unreachable!("a bundle of results");
    };
    results[0].clone()
}

/// A call of patient 7 herself.
fn patient(ledger: &Ledger, call: Call) -> SignedTransaction {
    let until = BlockTime::new(TIME_MS + 60_000);
    let author = Author::Patient(aid(7));
    Transaction::new(*ledger.genesis.chain(), author, until, [7; 8], call).sign(&key(7))
}

/// Nobody asks here whether its proofs hold.
fn registration(patient: u8) -> Registration {
    Registration {
        record: PatientRecord {
            aid: aid(patient),
            pk_dh: public(&key(patient)),
            pk_sig: public(&key(patient)),
            pk_recovery: public(&key(patient + 100)),
            status: Status::Active,
            epoch: 0,
            c_id: Blob::new(vec![patient; 112]),
            id_commit: IdCommitment::new([0xD0; 32]),
        },
        proof_dh: SignatureBytes::new([0xD1; 64]),
        proof_sig: SignatureBytes::new([0xD2; 64]),
    }
}
