//! The list: what each receipt is, and where it must fail.

mod certificates;
mod content;
mod entries;
mod epochs;
mod form;
mod governance;
mod patients;

use contract::genesis::Kind;
use patient::light::Expect;
use patient::receipt::Receipt;

use super::Row;
use super::forged;
use super::ledger::{Ledger, aid};

/// The members that sign where nothing else is said.
const SIGNERS: [u16; 3] = [0, 1, 3];

/// All rows.
pub(crate) fn all() -> Vec<Row> {
    let mut rows = valid();
    rows.extend(valid_secure());
    rows.extend(valid_quorums());
    rows.extend(content::rows());
    rows.extend(entries::rows());
    rows.extend(certificates::rows());
    rows.extend(epochs::rows());
    rows.extend(form::rows());
    rows.extend(governance::rows());
    rows.extend(patients::rows());
    rows
}

/// The receipt most rows start from, and its genesis file.
pub(crate) fn sign_in() -> (Receipt, Vec<u8>) {
    let ledger = research();
    (ledger.receipt(&ledger.standard(), 2, &SIGNERS), ledger.file)
}

fn research() -> Ledger {
    Ledger::new(Kind::Research, 4)
}

fn row(
    name: &'static str,
    claim: &'static str,
    receipt: &Receipt,
    fails: Option<&'static str>,
) -> Row {
    Row {
        name,
        claim,
        genesis: "genesis-4",
        file: receipt.to_file(),
        expect: Expect::default(),
        fails,
    }
}

impl Row {
    const fn under(mut self, genesis: &'static str) -> Self {
        self.genesis = genesis;
        self
    }

    fn expecting(mut self, patient: Option<u8>, server: Option<&str>) -> Self {
        self.expect.aid = patient.map(aid);
        self.expect.server = server.map(str::to_owned);
        self
    }
}

/// The base receipt with one change.
fn changed(
    name: &'static str,
    claim: &'static str,
    fails: &'static str,
    change: impl FnOnce(&mut Receipt),
) -> Row {
    let (mut receipt, _genesis) = sign_in();
    change(&mut receipt);
    row(name, claim, &receipt, Some(fails))
}

fn valid() -> Vec<Row> {
    let ledger = research();
    let block = ledger.standard();
    let good = |name, claim, index, signers: &[u16]| {
        row(name, claim, &ledger.receipt(&block, index, signers), None)
    };
    let lone = ledger.block(vec![(ledger.sign_in(3, &[7]), super::ledger::recorded())]);
    vec![
        good(
            "valid-sign-in",
            "three of four members certify a sign-in",
            2,
            &SIGNERS,
        ),
        good(
            "valid-all-signers",
            "all four members certify a sign-in",
            2,
            &[0, 1, 2, 3],
        ),
        good(
            "valid-registration",
            "a registration, first in its block",
            0,
            &[1, 2, 3],
        ),
        good(
            "valid-last-leaf",
            "the last leaf of five has the shortest path",
            4,
            &SIGNERS,
        ),
        good(
            "valid-expected",
            "it is the patient and the server asked for",
            2,
            &SIGNERS,
        )
        .expecting(Some(7), Some("clinic-c")),
        good(
            "valid-bundle",
            "a bundle that holds the patient asked for",
            3,
            &SIGNERS,
        )
        .expecting(Some(8), Some("clinic-b")),
        row(
            "valid-lone",
            "a block of one transaction has an empty path",
            &ledger.receipt(&lone, 0, &SIGNERS),
            None,
        ),
    ]
}

fn valid_secure() -> Vec<Row> {
    let secure = Ledger::new(Kind::Secure, 4);
    let secure_block = secure.block(vec![
        (secure.sign_in(1, &[8]), super::ledger::recorded()),
        (secure.secure_sign_in(2, 9), super::ledger::recorded()),
    ]);
    let odd = secure.secure_sign_in_by(2, 9, forged::with_mixed_r);
    assert_eq!(odd.check_signatures(), Ok(()), "the ledger takes it");
    let odd_block = secure.block(vec![(odd, super::ledger::recorded())]);
    vec![
        row(
            "valid-secure",
            "a sign-in on a secure ledger",
            &secure.receipt(&secure_block, 1, &SIGNERS),
            None,
        )
        .under("genesis-secure")
        .expecting(Some(9), Some("clinic-b")),
        row(
            "valid-secure-mixed-r",
            "the patient's statement counts by the equation with the cofactor alone",
            &secure.receipt(&odd_block, 0, &SIGNERS),
            None,
        )
        .under("genesis-secure"),
    ]
}

fn valid_quorums() -> Vec<Row> {
    let mut rows = Vec::new();
    for (size, genesis, name, signers) in [
        (5, "genesis-5", "valid-quorum-of-5", [0, 2, 3, 4]),
        (6, "genesis-6", "valid-quorum-of-6", [1, 2, 4, 5]),
    ] {
        let ledger = Ledger::new(Kind::Research, size);
        let receipt = ledger.receipt(&ledger.standard(), 2, &signers);
        rows.push(row(name, "four are a quorum of five and of six", &receipt, None).under(genesis));
    }
    rows
}
