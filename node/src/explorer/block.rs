//! One block: its header, who signed it, what is in it.

use maud::{Markup, html};

use super::parts::{self, Fact, State, Value};

/// Transactions listed on one page of a block.
pub const PAGE: usize = 100;

/// One signature of the block's certificate, checked by this node just now.
#[derive(Clone, Debug)]
pub struct Signer {
    /// The member.
    pub name: String,
    /// Its key, in hex.
    pub key: String,
    /// The signature, in hex.
    pub signature: String,
    /// Whether it holds.
    pub valid: bool,
}

/// One transaction in a list.
#[derive(Clone, Debug)]
pub struct Line {
    /// Its place in the block.
    pub index: usize,
    /// Its hash.
    pub hash: String,
    /// What it asks, in words.
    pub call: String,
    /// Who sent it.
    pub author: String,
    /// What came of it.
    pub outcome: State,
}

/// What the page of a block shows.
#[derive(Clone, Debug)]
pub struct Block {
    /// Its height.
    pub height: u64,
    /// Its hash.
    pub hash: String,
    /// Its header, field by field.
    pub header: Vec<Fact>,
    /// Bytes of its batch.
    pub size: usize,
    /// The view it was committed in at this node, which other nodes need not share.
    pub view: Option<u64>,
    /// The certificate; empty for block 0, which every genesis file implies.
    pub signers: Vec<Signer>,
    /// Members of the committee and how many must sign.
    pub quorum: (usize, usize),
    /// All its transactions.
    pub total: usize,
    /// The first one on this page.
    pub from: usize,
    /// Those on this page.
    pub lines: Vec<Line>,
    /// Whether the next height is certified.
    pub has_next: bool,
}

/// The page.
pub fn body(block: &Block) -> Markup {
    let previous = block.height.checked_sub(1);
    html! {
        h1 { "Block " (block.height) }
        p .row {
            @if let Some(previous) = previous { a .button rel="prev" href=(format!("/b/{previous}")) { "Previous" } }
            @if block.has_next { a .button rel="next" href=(format!("/b/{}", block.height.saturating_add(1))) { "Next" } }
            a .button href=(format!("/v1/blocks/{}", block.height)) { "JSON" }
        }
        (parts::facts(&summary(block)))
        h2 { "Certificate" }
        (certificate(block))
        h2 { "Transactions" }
        (transactions(block))
        h2 { "Header" }
        (parts::facts(&block.header))
    }
}

/// Hash, size, and what only this node knows.
fn summary(block: &Block) -> Vec<Fact> {
    let mut facts = vec![
        Fact::new("Hash", Value::Hash("block hash", block.hash.clone())),
        Fact::text(
            "Size",
            match block.total {
                1 => format!("{} bytes, 1 transaction", block.size),
                many => format!("{} bytes, {many} transactions", block.size),
            },
        ),
    ];
    if let Some(view) = block.view {
        facts.push(Fact::text("Committed here", format!("in view {view} (this node's own knowledge; other nodes may have committed it in another)")));
    }
    facts
}

/// Signer by signer.
fn certificate(block: &Block) -> Markup {
    if block.height == 0 {
        return html! { p { "Block 0 follows from the genesis file alone, so nobody signs it: compare the genesis hash." } };
    }
    let valid = block.signers.iter().filter(|signer| signer.valid).count();
    let (members, need) = block.quorum;
    let words = format!("{valid} distinct members of {members} signed, need {need}");
    let verdict = if valid >= need {
        State::Good(words)
    } else {
        State::Bad(words)
    };
    html! {
        p { (parts::state(&verdict)) }
        table .wide {
            caption { "Each signature covers chain, epoch, height and the hash of this header; checked by this node as the page was made." }
            thead { tr { th scope="col" { "Member" } th scope="col" { "Valid" } th scope="col" { "Key" } th scope="col" { "Signature" } } }
            tbody {
                @for signer in &block.signers {
                    tr {
                        th scope="row" data-label="Member" { (signer.name) }
                        td data-label="Valid" { (parts::state(&if signer.valid { State::Good("valid".to_owned()) } else { State::Bad("not valid".to_owned()) })) }
                        td data-label="Key" { (parts::hash("key", &signer.key)) }
                        td data-label="Signature" { (parts::hash("signature", &signer.signature)) }
                    }
                }
            }
        }
    }
}

/// The list, a page of it.
fn transactions(block: &Block) -> Markup {
    if block.total == 0 {
        return html! { p { "None. An empty block keeps the clock of the ledger going." } };
    }
    let after = block.from.saturating_add(block.lines.len());
    html! {
        table .wide {
            thead { tr { th scope="col" { "No." } th scope="col" { "Hash" } th scope="col" { "Call" } th scope="col" { "Author" } th scope="col" { "Outcome" } } }
            tbody {
                @for line in &block.lines {
                    tr {
                        td data-label="No." { (line.index) }
                        th scope="row" data-label="Hash" { (parts::linked(&format!("/t/{}", line.hash), "transaction", &line.hash)) }
                        td data-label="Call" { (line.call) }
                        td data-label="Author" { (line.author) }
                        td data-label="Outcome" { (parts::state(&line.outcome)) }
                    }
                }
            }
        }
        p .row {
            @if block.from > 0 { a .button href=(format!("/b/{}?from={}", block.height, block.from.saturating_sub(PAGE))) { "Earlier ones" } }
            @if after < block.total { a .button href=(format!("/b/{}?from={after}", block.height)) { "Later ones" } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer(name: &str) -> Signer {
        Signer {
            name: name.to_owned(),
            key: "aa".repeat(32),
            signature: "bb".repeat(64),
            valid: true,
        }
    }

    fn block() -> Block {
        Block {
            height: 12,
            hash: "ab".repeat(32),
            header: vec![Fact::new(
                "State root",
                Value::Hash("root", "cd".repeat(32)),
            )],
            size: 640,
            view: Some(7),
            signers: vec![signer("rc"), signer("clinic-a"), signer("clinic-b")],
            quorum: (4, 3),
            total: 101,
            from: 0,
            lines: vec![Line {
                index: 0,
                hash: "ee".repeat(32),
                call: "results (256)".to_owned(),
                author: "clinic-a".to_owned(),
                outcome: State::Good("recorded".to_owned()),
            }],
            has_next: true,
        }
    }

    #[test]
    fn every_signer_has_a_tick_of_its_own() {
        let html = body(&block()).into_string();

        assert_eq!(html.matches("✓ valid").count(), 3);
        assert!(html.contains("✓ 3 distinct members of 4 signed, need 3"));
        assert!(html.contains("in view 7 (this node's own knowledge"));
    }

    #[test]
    fn a_signature_that_does_not_hold_counts_for_nothing() {
        let mut bad = block();
        bad.signers[1].valid = false;
        let html = body(&bad).into_string();

        assert!(html.contains("✗ 2 distinct members of 4 signed, need 3"));
        assert!(html.contains("✗ not valid"));
    }

    #[test]
    fn a_long_block_is_paged() {
        let html = body(&block()).into_string();

        assert!(html.contains("/b/12?from=1"));
        assert!(html.contains("href=\"/b/11\""));
        assert!(html.contains("href=\"/b/13\""));
    }

    #[test]
    fn block_zero_is_nobody_s_to_sign() {
        let genesis = Block {
            height: 0,
            signers: Vec::new(),
            total: 0,
            lines: Vec::new(),
            view: None,
            ..block()
        };
        let html = body(&genesis).into_string();

        assert!(html.contains("Block 0 follows from the genesis file"));
        assert!(!html.contains("Previous"));
    }
}
