//! Receipts of one sign-in out of a bundle under AIDC-1.

use contract::Call;
use contract::genesis::Kind;
use contract::identity::Root;
use contract::outcome::{Outcome, Output, Refused};
use patient::receipt::{Bytes, Receipt};

use super::{Row, SIGNERS, row};
use crate::vectors::ledger::{Block, Ledger, recorded, written};

/// The patients of the bundle, in its order.
const PATIENTS: [u8; 5] = [9, 7, 8, 11, 12];

pub(super) fn rows() -> Vec<Row> {
    let mut rows = valid();
    rows.extend(moved());
    rows.extend(mistaken());
    rows.extend(outcomes());
    rows.into_iter()
        .map(|row| row.under("genesis-secure"))
        .collect()
}

fn ledger() -> Ledger {
    Ledger::new(Kind::Secure, 4)
}

/// A block whose second transaction is the bundle, with this outcome.
fn block(outcome: Outcome) -> Block {
    let ledger = ledger();
    ledger.block(vec![
        (ledger.secure_sign_in(1, 6), recorded()),
        (ledger.bundle(3, &PATIENTS), outcome),
    ])
}

/// The receipt of the bundle's result at `entry`.
fn receipt(outcome: Outcome, entry: usize) -> Receipt {
    let ledger = ledger();
    let signers = SIGNERS.map(|member| (member, &ledger.keys[usize::from(member)]));
    ledger.receipt_of_entry(&block(outcome), (1, entry), &signers)
}

fn valid() -> Vec<Row> {
    let first = receipt(recorded(), 0);
    let middle = receipt(recorded(), 1);
    let last = receipt(recorded(), 4);
    vec![
        row(
            "valid-entry-first",
            "the first of five results of a bundle",
            &first,
            None,
        )
        .expecting(Some(9), Some("clinic-c")),
        row(
            "valid-entry-middle",
            "the second of five results of a bundle",
            &middle,
            None,
        )
        .expecting(Some(7), Some("clinic-c")),
        row(
            "valid-entry-last",
            "the last of five results of a bundle, whose path is shorter",
            &last,
            None,
        )
        .expecting(Some(12), Some("clinic-c")),
        row(
            "other-entry-asked-for",
            "the patient asked for is in the bundle, but not in the receipt",
            &middle,
            Some("expected"),
        )
        .expecting(Some(9), None),
    ]
}

fn altered(name: &'static str, claim: &'static str, change: impl Fn(&mut Receipt)) -> Row {
    let mut receipt = receipt(recorded(), 1);
    change(&mut receipt);
    row(name, claim, &receipt, Some("inclusion"))
}

/// Another result, place or path.
fn moved() -> Vec<Row> {
    vec![
        altered(
            "entry-missing",
            "a bundle without the result that it is about",
            |receipt| {
                receipt.entry = None;
            },
        ),
        altered(
            "entry-tampered",
            "one bit of the AID in the result is flipped",
            |receipt| {
                receipt.entry.as_mut().unwrap().bytes.0[40] ^= 1;
            },
        ),
        altered(
            "entry-of-another-place",
            "the result claims another place in the bundle",
            |receipt| {
                receipt.entry.as_mut().unwrap().index = 2;
            },
        ),
        altered(
            "entry-behind-the-last",
            "the result claims a place that the bundle lacks",
            |receipt| {
                receipt.entry.as_mut().unwrap().index = 5;
            },
        ),
        altered(
            "entry-path-too-short",
            "the result's path lacks its last step",
            |receipt| {
                receipt.entry.as_mut().unwrap().path.pop();
            },
        ),
        altered(
            "entry-path-too-long",
            "the result's path has a step too many",
            |receipt| {
                receipt
                    .entry
                    .as_mut()
                    .unwrap()
                    .path
                    .push(Root::new([0; 32]));
            },
        ),
    ]
}

/// What is no result, or no bundle's.
fn mistaken() -> Vec<Row> {
    vec![
        altered(
            "entry-count-changed",
            "the bundle says that it has another number of results",
            |receipt| {
                receipt.transaction.0[122] = 6;
            },
        ),
        altered(
            "entry-node-as-result",
            "an inner node of the bundle's tree is shown as a result",
            |receipt| {
                let entry = receipt.entry.as_mut().unwrap();
                let own = contract::merkle::leaf_hash(&entry.bytes.0);
                let sibling = entry.path.remove(0);
                entry.bytes = Bytes([sibling.as_bytes().as_slice(), &own].concat());
                entry.index = 0;
                receipt.transaction.0[122] = 3;
            },
        ),
        altered(
            "entry-of-no-bundle",
            "a result beside a transaction that is none of results",
            |receipt| {
                let ledger = ledger();
                let aid = super::super::ledger::aid(7);
                let revoked =
                    ledger.block(vec![(ledger.transaction(0, Call::Revoke(aid)), written())]);
                let entry = receipt.entry.take();
                *receipt = Receipt {
                    entry,
                    ..ledger.receipt(&revoked, 0, &SIGNERS)
                };
            },
        ),
        altered(
            "entry-in-a-whole-bundle",
            "the whole bundle in place of its signed form",
            |receipt| {
                let whole = &block(recorded()).content[1].0;
                receipt.transaction = Bytes(whole.as_bytes().to_vec());
                receipt.entry = None;
            },
        ),
    ]
}

fn outcomes() -> Vec<Row> {
    let refused = |at: &[u32]| {
        let refused = at.iter().map(|at| (*at, Refused::SessionSeen)).collect();
        Outcome::Done(Output::Recorded { refused })
    };
    vec![
        row(
            "entry-refused",
            "the contract took the other results of the bundle and not this one",
            &receipt(refused(&[1]), 1),
            Some("content"),
        ),
        row(
            "valid-entry-beside-a-refused-one",
            "the contract refused the first result of the bundle and took this one",
            &receipt(refused(&[0]), 1),
            None,
        )
        .expecting(Some(7), None),
    ]
}
