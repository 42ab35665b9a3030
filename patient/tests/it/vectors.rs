//! The receipts that both verifiers must judge alike: `tests/vectors/receipts/` holds them, the generator makes them.
//!
//! `AIDCHAIN_WRITE_VECTORS=1 cargo test -p patient vectors` writes them anew after a change of format.

mod forged;
pub(crate) mod ledger;
mod rows;

use std::fs;
use std::path::{Path, PathBuf};

use contract::genesis::Genesis;
use patient::light::{self, Expect};
use patient::receipt::Receipt;
use serde_json::{Value, json};

/// The moment at which all vectors are judged: 2026-11-22T00:00:00Z.
pub(crate) const NOW_MS: u64 = 1_795_305_600_000;

/// One receipt file and what must be said about it.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) claim: &'static str,
    pub(crate) genesis: &'static str,
    pub(crate) file: String,
    pub(crate) expect: Expect,
    /// The step that must fail, or nothing for a valid receipt.
    pub(crate) fails: Option<&'static str>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/receipts")
}

/// The verdict of this crate: the step that fails, `form` where the file is no receipt at all.
fn judge(file: &str, genesis: &[u8], expect: &Expect) -> Option<&'static str> {
    let genesis = Genesis::parse(genesis).unwrap();
    let Ok(receipt) = Receipt::parse(file.as_bytes()) else {
        return Some("form");
    };
    let (_report, verdict) = light::verify(&receipt, &genesis, expect, NOW_MS);
    verdict.err().map(|reason| reason.step().name())
}

fn index(rows: &[Row]) -> String {
    let vectors: Vec<Value> = rows
        .iter()
        .map(|row| {
            json!({
                "file": format!("{}.json", row.name),
                "claim": row.claim,
                "genesis": format!("{}.json", row.genesis),
                "expect": {
                    "aid": row.expect.aid.map(|aid| aid.to_string()),
                    "server": row.expect.server,
                },
                "valid": row.fails.is_none(),
                "fails": row.fails,
            })
        })
        .collect();
    let index =
        json!({ "schema": "aidchain.receipt-vectors/1", "now_ms": NOW_MS, "vectors": vectors });
    format!("{}\n", serde_json::to_string_pretty(&index).unwrap())
}

/// Everything in the folder, by file name.
fn files() -> Vec<(String, String)> {
    let rows = rows::all();
    let mut files = vec![("index.json".to_owned(), index(&rows))];
    for (name, genesis) in ledger::geneses() {
        files.push((format!("{name}.json"), String::from_utf8(genesis).unwrap()));
    }
    for row in rows {
        files.push((format!("{}.json", row.name), row.file));
    }
    files
}

#[test]
fn the_vectors_on_disk_are_those_of_the_generator() {
    if std::env::var_os("AIDCHAIN_WRITE_VECTORS").is_some() {
        for (name, text) in files() {
            fs::write(folder().join(name), text).unwrap();
        }
    }
    let mut on_disk: Vec<_> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    on_disk.sort();
    let mut made: Vec<_> = files().into_iter().map(|(name, _)| name).collect();
    made.sort();
    assert_eq!(on_disk, made);
    for (name, text) in files() {
        assert_eq!(
            fs::read_to_string(folder().join(&name)).unwrap(),
            text,
            "{name}"
        );
    }
}

#[test]
fn every_vector_gets_its_verdict_at_the_step_that_must_fail() {
    let ledgers = ledger::geneses();
    for row in rows::all() {
        let genesis = &ledgers
            .iter()
            .find(|(name, _)| *name == row.genesis)
            .unwrap()
            .1;
        assert_eq!(
            judge(&row.file, genesis, &row.expect),
            row.fails,
            "{}: {}",
            row.name,
            row.claim
        );
    }
}

type Field = fn(&mut Receipt) -> &mut Vec<u8>;

#[test]
fn no_single_bit_of_a_receipt_s_proof_can_change() {
    let (receipt, genesis) = rows::sign_in();
    let genesis = Genesis::parse(&genesis).unwrap();
    let verdict =
        |receipt: &Receipt| light::verify(receipt, &genesis, &Expect::default(), NOW_MS).1;
    assert_eq!(verdict(&receipt).err(), None);

    let fields: [Field; 3] = [
        |receipt| &mut receipt.transaction.0,
        |receipt| &mut receipt.outcome.0,
        |receipt| &mut receipt.header.0,
    ];
    for field in fields {
        let length = field(&mut receipt.clone()).len();
        for bit in 0..length * 8 {
            let mut changed = receipt.clone();
            field(&mut changed)[bit / 8] ^= 1 << (bit % 8);
            assert!(verdict(&changed).is_err(), "bit {bit} of {length} bytes");
        }
    }
    for signature in 0..receipt.certificate.signatures.len() {
        for bit in 0..512 {
            let mut changed = receipt.clone();
            let one = &mut changed.certificate.signatures[signature].signature;
            let mut bytes = one.to_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            *one = contract::identity::SignatureBytes::new(bytes);
            assert!(
                verdict(&changed).is_err(),
                "bit {bit} of signature {signature}"
            );
        }
    }
}
