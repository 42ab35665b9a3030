//! The first page: is the ledger moving, who is here, what happened last.

use maud::{Markup, html};

use super::{
    chart::{self, Bar},
    members::{self, MemberLine},
    parts, results,
    results::SignIn,
    time,
};

/// One block in a list.
#[derive(Clone, Debug)]
pub struct BlockLine {
    /// Its height.
    pub height: u64,
    /// Its hash, in hex.
    pub hash: String,
    /// Its time.
    pub time_ms: u64,
    /// Its transactions.
    pub transactions: usize,
    /// Members whose signatures certify it here.
    pub signers: usize,
}

/// What the overview shows.
#[derive(Clone, Debug)]
pub struct Overview {
    /// The view this node is in.
    pub view: u64,
    /// Its primary.
    pub primary: String,
    /// Members that are connected, this one included.
    pub up: usize,
    /// Members that must be.
    pub quorum: u16,
    /// What the replica is doing and, when it waits, for whom.
    pub progress: String,
    /// All members.
    pub members: Vec<MemberLine>,
    /// Newest blocks, newest first.
    pub blocks: Vec<BlockLine>,
    /// Newest sign-ins; `None` for a reader whose role does not see identities.
    pub sign_ins: Option<Vec<SignIn>>,
}

/// The page.
pub fn body(view: &Overview, height: u64, now_ms: u64) -> Markup {
    html! {
        h1 { "Overview" }
        (tiles(view, height, now_ms))
        p #progress { (view.progress) }
        p .row .only-script #live data-events="/v1/events" data-height=(height) {
            span #live-state role="status" aria-live="polite" { "Connecting." }
            " " button #live-pause type="button" { "Pause" }
            " " button #live-show type="button" hidden { "New, show" }
        }
        div #part-chart data-part { (chart::bars("Transactions in the newest blocks", "transactions", &load(&view.blocks))) }
        h2 { "Members" }
        div #part-members data-part { (members::strip(&view.members, now_ms)) }
        h2 { "Newest sign-ins" }
        div #part-results data-part {
            @match &view.sign_ins {
                None => p { "Your role does not see identities. An auditor's token shows them: " code { "aidchain explorer login --role auditor" } "." },
                Some(rows) if rows.is_empty() => (nobody()),
                Some(rows) => { (results::table(rows)) p { a href="/results" { "All sign-ins" } } },
            }
        }
        h2 { "Newest blocks" }
        div #part-blocks data-part { (blocks(&view.blocks, now_ms)) }
    }
}

/// The numbers at the top; live.js writes into them by id.
fn tiles(view: &Overview, height: u64, now_ms: u64) -> Markup {
    let newest = view.blocks.first();
    let gathered = if view.up >= usize::from(view.quorum) {
        parts::State::Good(format!(
            "{}/{} up, need {}",
            view.up,
            view.members.len(),
            view.quorum
        ))
    } else {
        parts::State::Bad(format!(
            "{}/{} up, need {}",
            view.up,
            view.members.len(),
            view.quorum
        ))
    };
    parts::tiles(&[
        ("height", "Certified height", html! { (height) }),
        (
            "last-block",
            "Newest block",
            html! {
                @if let Some(block) = newest { (parts::moment(block.time_ms)) span .soft { " " (time::age(now_ms, block.time_ms)) } }
                @else { "none yet" }
            },
        ),
        ("quorum", "Quorum", parts::state(&gathered)),
        (
            "view",
            "View, as this node knows it",
            html! { (view.view) ", primary " (view.primary) },
        ),
    ])
}

/// Bars from old to new.
fn load(blocks: &[BlockLine]) -> Vec<Bar> {
    let bar = |block: &BlockLine| Bar {
        label: block.height.to_string(),
        count: u64::try_from(block.transactions).unwrap_or(u64::MAX),
    };
    blocks.iter().rev().map(bar).collect()
}

/// The empty ledger.
fn nobody() -> Markup {
    html! {
        p { "Nobody has signed in yet. Register a patient, then sign in:" }
        pre { "aidchain patient register --profile mine\naidchain patient auth --profile mine --server NAME" }
    }
}

/// A list of blocks.
pub fn blocks(lines: &[BlockLine], now_ms: u64) -> Markup {
    html! {
        @if lines.is_empty() { p { "No block yet: the first is made when the first transaction comes." } }
        @else {
            table .wide {
                thead { tr { th scope="col" { "Height" } th scope="col" { "Hash" } th scope="col" { "Time" } th scope="col" { "Transactions" } th scope="col" { "Signed by" } } }
                tbody {
                    @for line in lines {
                        tr {
                            th scope="row" data-label="Height" { a href=(format!("/b/{}", line.height)) { (line.height) } }
                            td data-label="Hash" { (parts::hash("block hash", &line.hash)) }
                            td data-label="Time" { (parts::moment(line.time_ms)) " " span .soft { (time::age(now_ms, line.time_ms)) } }
                            td data-label="Transactions" { (line.transactions) }
                            td data-label="Signed by" { @if line.height == 0 { "genesis" } @else { (line.signers) " members" } }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view() -> Overview {
        Overview {
            view: 7,
            primary: "clinic-b".to_owned(),
            up: 4,
            quorum: 3,
            progress: "idle".to_owned(),
            members: (0..4).map(|_| members::sample("clinic-a")).collect(),
            blocks: Vec::new(),
            sign_ins: Some(Vec::new()),
        }
    }

    #[test]
    fn a_fresh_ledger_says_what_to_do_first() {
        let html = body(&view(), 0, 1).into_string();

        assert!(html.contains("Nobody has signed in yet"));
        assert!(html.contains("aidchain patient register"));
        assert!(html.contains("No block yet"));
        assert!(html.contains("✓ 4/4 up, need 3"));
    }

    #[test]
    fn a_lost_quorum_is_said_in_words() {
        let html = body(&Overview { up: 2, ..view() }, 0, 1).into_string();

        assert!(html.contains("✗ 2/4 up, need 3"));
    }

    #[test]
    fn a_reader_without_the_role_sees_no_sign_in_and_learns_which_role_does() {
        let html = body(
            &Overview {
                sign_ins: None,
                ..view()
            },
            0,
            1,
        )
        .into_string();

        assert!(html.contains("--role auditor"));
        assert!(!html.contains("/a/aid1"));
    }

    #[test]
    fn a_block_leads_to_its_page() {
        let line = BlockLine {
            height: 12,
            hash: "ab".repeat(32),
            time_ms: 1,
            transactions: 3,
            signers: 3,
        };
        let html = blocks(&[line], 5_001).into_string();

        assert!(html.contains("href=\"/b/12\""));
        assert!(html.contains("5 s ago"));
        assert!(html.contains("3 members"));
    }
}
