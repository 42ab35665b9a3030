//! Receipts whose content, place or subject is wrong.

use contract::genesis::Kind;
use contract::identity::{BlockTime, Root};
use contract::outcome::{Outcome, Output, Refused};
use patient::receipt::Bytes;

use super::{Row, SIGNERS, changed, research, row, sign_in};
use crate::vectors::NOW_MS;
use crate::vectors::ledger::{Ledger, recorded, written};

pub(super) fn rows() -> Vec<Row> {
    let mut rows = leaves();
    rows.extend(paths());
    rows.extend(shapes());
    rows.extend(outcomes());
    rows.extend(subjects());
    rows.push(future());
    rows
}

fn leaves() -> Vec<Row> {
    vec![
        changed(
            "tampered-leaf",
            "one bit of the AID in the transaction is flipped",
            "inclusion",
            |receipt| {
                let length = receipt.transaction.0.len();
                receipt.transaction.0[length - 64 - 60] ^= 1;
            },
        ),
        changed(
            "tampered-signature-of-leaf",
            "the author's signature is part of the leaf",
            "inclusion",
            |receipt| {
                let length = receipt.transaction.0.len();
                receipt.transaction.0[length - 1] ^= 1;
            },
        ),
        changed(
            "tampered-outcome",
            "the outcome is replaced by another",
            "inclusion",
            |receipt| {
                receipt.outcome = Bytes(written().encode());
            },
        ),
        changed(
            "tampered-header",
            "the state root in the header is changed, so nobody signed it",
            "signatures",
            |receipt| {
                let length = receipt.header.0.len();
                receipt.header.0[length - 70] ^= 1;
            },
        ),
        changed(
            "tampered-root",
            "the transactions root in the header is changed",
            "inclusion",
            |receipt| {
                receipt.header.0[118] ^= 1;
            },
        ),
    ]
}

fn paths() -> Vec<Row> {
    vec![
        changed(
            "wrong-index",
            "the leaf claims another place",
            "inclusion",
            |receipt| receipt.index = 3,
        ),
        changed(
            "index-not-below-count",
            "the leaf claims a place behind the last",
            "inclusion",
            |receipt| receipt.index = 5,
        ),
        changed(
            "truncated-path",
            "the last step of the path is missing",
            "inclusion",
            |receipt| {
                receipt.path.pop();
            },
        ),
        changed(
            "extended-path",
            "the path has a step too many",
            "inclusion",
            |receipt| {
                receipt.path.push(Root::new([0; 32]));
            },
        ),
        changed(
            "swapped-path",
            "the steps of the path are in another order",
            "inclusion",
            |receipt| receipt.path.swap(0, 1),
        ),
        changed(
            "truncated-outcome-path",
            "the outcome's path lacks its last step",
            "inclusion",
            |receipt| {
                receipt.outcome_path.pop();
            },
        ),
    ]
}

fn shapes() -> Vec<Row> {
    vec![
        changed(
            "node-as-leaf",
            "an inner node of the tree is shown as a leaf, one level up",
            "inclusion",
            |receipt| {
                let mut node = contract::merkle::leaf_hash(&receipt.transaction.0).to_vec();
                node.extend_from_slice(receipt.path[0].as_bytes());
                receipt.transaction = Bytes(node);
                receipt.path.remove(0);
                receipt.index = 1;
                receipt.count = 3;
            },
        ),
        changed(
            "trailing-byte",
            "a byte is left over behind the transaction",
            "inclusion",
            |receipt| receipt.transaction.0.push(0),
        ),
        changed(
            "short-header",
            "the header lacks its last byte",
            "inclusion",
            |receipt| {
                receipt.header.0.pop();
            },
        ),
        changed(
            "other-outcome-path",
            "the outcome of the transaction before it, with that one's path",
            "inclusion",
            |receipt| {
                let ledger = research();
                let other = ledger.receipt(&ledger.standard(), 0, &SIGNERS);
                receipt.outcome = other.outcome;
                receipt.outcome_path = other.outcome_path;
            },
        ),
    ]
}

fn outcomes() -> Vec<Row> {
    let ledger = research();
    let refused = |outcome| {
        let block = ledger.block(vec![(ledger.sign_in(3, &[7, 8]), outcome)]);
        ledger.receipt(&block, 0, &SIGNERS)
    };
    let some = |all: &[u32]| {
        let refused = all.iter().map(|at| (*at, Refused::SessionSeen)).collect();
        Outcome::Done(Output::Recorded { refused })
    };
    let partly = refused(some(&[0]));
    vec![
        row(
            "refused-transaction",
            "a genuine receipt that the contract refused the transaction",
            &refused(Outcome::Refused(Refused::Expired)),
            Some("content"),
        ),
        row(
            "refused-results",
            "a genuine bundle of which the contract took no result",
            &refused(some(&[0, 1])),
            Some("content"),
        ),
        row(
            "valid-partly-refused",
            "the second result of the bundle was taken",
            &partly,
            None,
        )
        .expecting(Some(8), None),
        row(
            "refused-result-asked-for",
            "the first result of the bundle was refused, and it is the one asked for",
            &partly,
            Some("expected"),
        )
        .expecting(Some(7), None),
    ]
}

fn subjects() -> Vec<Row> {
    let (receipt, _genesis) = sign_in();
    let ledger = research();
    let bundle = ledger.receipt(&ledger.standard(), 3, &SIGNERS);
    let registration = ledger.receipt(&ledger.standard(), 0, &SIGNERS);
    let other = Ledger::new(Kind::Secure, 4);
    let other_block = other.block(vec![(other.sign_in(1, &[7]), recorded())]);
    let stray = other.receipt(&other_block, 0, &SIGNERS);
    let mut renamed = stray.clone();
    renamed.chain = *ledger.genesis.chain();
    renamed.kind = Kind::Research;
    vec![
        row(
            "other-aid",
            "a genuine receipt of another patient than asked for",
            &receipt,
            Some("expected"),
        )
        .expecting(Some(8), None),
        row(
            "other-server",
            "a genuine receipt of another server than asked for",
            &receipt,
            Some("expected"),
        )
        .expecting(None, Some("clinic-b")),
        row(
            "unknown-server-asked-for",
            "no member has the name asked for",
            &receipt,
            Some("expected"),
        )
        .expecting(None, Some("clinic-z")),
        row(
            "other-server-in-bundle",
            "the patient is in the bundle, at another server",
            &bundle,
            Some("expected"),
        )
        .expecting(Some(7), Some("clinic-c")),
        row(
            "registration-for-sign-in",
            "a registration where a sign-in at a server was asked for",
            &registration,
            Some("expected"),
        )
        .expecting(Some(7), Some("clinic-c")),
        row(
            "other-ledger",
            "a genuine receipt of another ledger",
            &stray,
            Some("ledger"),
        ),
        row(
            "renamed-ledger",
            "a genuine receipt of another ledger under this one's name",
            &renamed,
            Some("ledger"),
        ),
        changed(
            "other-kind",
            "a research receipt that calls itself secure",
            "ledger",
            |receipt| receipt.kind = Kind::Secure,
        ),
    ]
}

fn future() -> Row {
    let ledger = research();
    let mut block = ledger.standard();
    block.header.time = BlockTime::new(NOW_MS + 120_001);
    let receipt = ledger.receipt(&block, 2, &SIGNERS);
    row(
        "future-time",
        "the block's time is two minutes and a millisecond ahead",
        &receipt,
        Some("time"),
    )
}
