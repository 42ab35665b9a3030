//! Files that have more than one reading, or none.

use patient::light::Expect;

use super::{Row, sign_in};

/// The base file with one text replaced by another.
fn replaced(name: &'static str, claim: &'static str, from: &str, to: &str) -> Row {
    let (receipt, _genesis) = sign_in();
    let good = receipt.to_file();
    let file = good.replacen(from, to, 1);
    assert_ne!(file, good, "{name}");
    written(name, claim, file)
}

const fn written(name: &'static str, claim: &'static str, file: String) -> Row {
    Row {
        name,
        claim,
        genesis: "genesis-4",
        file,
        expect: Expect {
            aid: None,
            server: None,
            session: None,
            transaction: None,
        },
        fails: Some("form"),
    }
}

pub(super) fn rows() -> Vec<Row> {
    let mut rows = fields();
    rows.extend(values());
    rows.extend(files());
    rows
}

fn fields() -> Vec<Row> {
    vec![
        replaced(
            "extra-field",
            "a field that a receipt does not have",
            "\"index\": 2",
            "\"note\": \"hello\",\n  \"index\": 2",
        ),
        replaced(
            "keys-in-the-certificate",
            "the signer's key comes with the receipt",
            "\"member\": 0",
            "\"member\": 0,\n        \"key\": \"00\"",
        ),
        replaced(
            "duplicate-key",
            "a field occurs twice, the second time with the true value",
            "\"index\": 2",
            "\"index\": 1,\n  \"index\": 2",
        ),
        replaced(
            "duplicate-key-escaped",
            "a field occurs twice, once spelt with an escape",
            "\"index\": 2",
            "\"inde\\u0078\": 1,\n  \"index\": 2",
        ),
        replaced(
            "duplicate-key-nested",
            "a field of the certificate occurs twice",
            "\"height\": 15",
            "\"height\": 15,\n    \"height\": 15",
        ),
        replaced(
            "missing-field",
            "the epochs are missing",
            ",\n  \"epochs\": []",
            "",
        ),
        replaced(
            "no-entry-key",
            "a key that may be null is left out",
            "\"entry\": null,\n  ",
            "",
        ),
        replaced(
            "fraction",
            "a place written with a fraction",
            "\"index\": 2",
            "\"index\": 2.0",
        ),
    ]
}

fn values() -> Vec<Row> {
    vec![
        replaced(
            "exponent",
            "a place written with an exponent",
            "\"index\": 2",
            "\"index\": 2e0",
        ),
        replaced(
            "negative-zero",
            "a place written as minus zero",
            "\"member\": 0",
            "\"member\": -0",
        ),
        replaced(
            "number-as-text",
            "a place written as a text",
            "\"index\": 2",
            "\"index\": \"2\"",
        ),
        replaced(
            "number-too-large",
            "a place that 32 bits do not hold",
            "\"index\": 2",
            "\"index\": 4294967298",
        ),
        replaced(
            "height-too-large",
            "a height that JSON readers round",
            "\"height\": 15",
            "\"height\": 9007199254740993",
        ),
        replaced(
            "null-field",
            "null in place of the epochs",
            "\"epochs\": []",
            "\"epochs\": null",
        ),
        replaced(
            "upper-case-hex",
            "hexadecimal in upper case",
            "\"path\": [\n    \"",
            "\"path\": [\n    \"AA",
        ),
        replaced(
            "odd-hex",
            "half a byte",
            "\"outcome\": \"",
            "\"outcome\": \"0",
        ),
        replaced(
            "other-schema",
            "another schema",
            "aidchain.receipt/2",
            "aidchain.receipt/1",
        ),
        replaced(
            "other-version",
            "another version",
            "\"version\": 1",
            "\"version\": 2",
        ),
        replaced(
            "unknown-kind",
            "a kind of ledger that does not exist",
            "\"research\"",
            "\"Research\"",
        ),
    ]
}

fn files() -> Vec<Row> {
    let (receipt, _genesis) = sign_in();
    let good = receipt.to_file();
    let half = good.len() / 2;
    let chain = receipt.chain.to_string();
    let shorter = chain.strip_suffix(|_: char| true).unwrap();
    vec![
        written(
            "short-hash",
            "the chain id lacks its last digit",
            good.replacen(&chain, shorter, 1),
        ),
        written(
            "trailing-text",
            "text behind the receipt",
            format!("{good}{{}}\n"),
        ),
        written(
            "byte-order-mark",
            "a byte order mark before the receipt",
            format!("\u{feff}{good}"),
        ),
        written(
            "comment",
            "a comment, which JSON does not have",
            format!("// receipt\n{good}"),
        ),
        written("array", "a list of receipts", format!("[{good}]")),
        written(
            "half",
            "the file ends half-way",
            good.chars().take(half).collect(),
        ),
        written("empty", "the file is empty", String::new()),
    ]
}
