//! One transaction: what it asks, what came of it, and the proof that it is there.

use maud::{Markup, html};

use super::{
    parts::{self, Fact, State},
    results::{self, SignIn},
};

/// Sign-ins of a bundle that are listed; the rest is in the JSON.
pub const RESULTS_SHOWN: usize = 50;

/// What the page of a transaction shows.
#[derive(Clone, Debug)]
pub struct Transaction {
    /// Its hash.
    pub hash: String,
    /// What it asks, in words.
    pub call: String,
    /// Where it is and who sent it.
    pub facts: Vec<Fact>,
    /// The decoded call.
    pub decoded: Vec<Fact>,
    /// Sign-ins it carries, the first ones.
    pub sign_ins: Vec<SignIn>,
    /// How many it carries.
    pub sign_in_count: usize,
    /// What came of it.
    pub outcome: State,
    /// All bytes.
    pub raw: Vec<u8>,
    /// Its place: leaf, leaves, the path's nodes, the root in the header.
    pub proof: Option<Proof>,
}

/// The way from the transaction to the root that the certificate covers.
#[derive(Clone, Debug)]
pub struct Proof {
    /// The hash of the leaf: of all bytes, or of a bundle's signed form and signature.
    pub leaf: String,
    /// Which leaf, from zero.
    pub index: usize,
    /// Of how many.
    pub count: usize,
    /// Sibling hashes, from the leaf up.
    pub path: Vec<String>,
    /// Where they lead.
    pub root: String,
}

/// The page.
pub fn body(view: &Transaction) -> Markup {
    html! {
        h1 { "Transaction: " (view.call) }
        p { (parts::state(&view.outcome)) }
        p .row {
            // Of a bundle each sign-in has a receipt of its own, in its row.
            @if view.proof.is_some() && view.sign_in_count < 2 {
                a .button href=(format!("/verify.html#tx={}", view.hash)) { "Verify here" }
                a .button href=(format!("/v1/transactions/{}/receipt", view.hash)) download=(format!("{}.receipt.json", short_name(&view.hash))) { "Download receipt" }
            }
            a .button href=(format!("/v1/transactions/{}", view.hash)) { "JSON" }
        }
        (parts::facts(&view.facts))
        h2 { "Decoded call" }
        @if !view.decoded.is_empty() { (parts::facts(&view.decoded)) }
        @if !view.sign_ins.is_empty() {
            (results::table(&view.sign_ins))
            @if view.sign_in_count > view.sign_ins.len() {
                p { "The first " (view.sign_ins.len()) " of " (view.sign_in_count) " sign-ins; the JSON has all." }
            }
        }
        h2 { "Inclusion proof" }
        @match &view.proof {
            None => p { (parts::state(&State::Warn("pending: the block has no certificate here yet".to_owned()))) },
            Some(proof) => (inclusion(proof)),
        }
        h2 { "Raw bytes" }
        details {
            summary { "Show " (view.raw.len()) " bytes as hex" }
            pre tabindex="0" { (raw(&view.raw)) }
        }
    }
}

/// The first digits, for a file name.
fn short_name(hash: &str) -> String {
    hash.chars().take(8).collect()
}

/// The bytes, cut when a page would become too long for a telephone.
fn raw(bytes: &[u8]) -> String {
    const SHOWN: usize = 8 << 10;
    match bytes.get(..SHOWN) {
        Some(head) => format!(
            "{}\n… {} more bytes in the receipt",
            hex::encode(head),
            bytes.len().saturating_sub(SHOWN)
        ),
        None => hex::encode(bytes),
    }
}

/// Leaf, siblings, root.
fn inclusion(proof: &Proof) -> Markup {
    html! {
        p { "Leaf " (proof.index.saturating_add(1)) " of " (proof.count) " in the transactions tree (RFC 9162): " (parts::whole_hash("leaf", &proof.leaf)) }
        p { "Hash it upwards with these, and the root of the header must come out:" }
        @if proof.path.is_empty() { p { "The only leaf is the root itself." } }
        ol .path { @for node in &proof.path { li { (parts::whole_hash("path node", node)) } } }
        p { "Root " (parts::whole_hash("transactions root", &proof.root)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explorer::parts::Value;

    fn view() -> Transaction {
        Transaction {
            hash: "c0".repeat(32),
            call: "wu-register".to_owned(),
            facts: vec![Fact::new("Block", Value::Height(12))],
            decoded: vec![Fact::new("ID", Value::ClearId(11))],
            sign_ins: Vec::new(),
            sign_in_count: 0,
            outcome: State::Good("registered".to_owned()),
            raw: vec![0xab; 3],
            proof: Some(Proof {
                leaf: "cc".repeat(32),
                index: 1,
                count: 3,
                path: vec!["dd".repeat(32)],
                root: "ee".repeat(32),
            }),
        }
    }

    #[test]
    fn the_proof_stands_node_by_node_and_can_be_checked_and_kept() {
        let html = body(&view()).into_string();

        assert!(html.contains("Leaf 2 of 3"));
        assert!(html.contains(&"dd".repeat(32)));
        assert!(html.contains(&format!("/verify.html#tx={}", "c0".repeat(32))));
        assert!(html.contains("Download receipt"));
        assert!(html.contains("<pre tabindex=\"0\">ababab</pre>"));
    }

    #[test]
    fn a_bundle_has_no_receipt_of_its_own() {
        let html = body(&Transaction {
            sign_in_count: 2,
            ..view()
        })
        .into_string();

        assert!(!html.contains("Download receipt"));
        assert!(html.contains("Leaf 2 of 3"));
    }

    #[test]
    fn what_is_not_certified_is_called_pending_and_has_no_receipt() {
        let html = body(&Transaction {
            proof: None,
            ..view()
        })
        .into_string();

        assert!(html.contains("! pending"));
        assert!(!html.contains("Download receipt"));
    }

    #[test]
    fn an_id_in_clear_on_a_research_ledger_is_only_counted() {
        assert!(
            body(&view())
                .into_string()
                .contains("in clear on this ledger, 11 bytes")
        );
    }

    #[test]
    fn a_long_transaction_does_not_make_a_long_page() {
        let html = body(&Transaction {
            raw: vec![1; 100_000],
            ..view()
        })
        .into_string();

        assert!(html.len() < 20_000, "{}", html.len());
        assert!(html.contains("91808 more bytes in the receipt"));
    }
}
