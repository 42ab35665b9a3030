//! How the consortium changes: what is proposed, which committees there were, who contradicted himself, whose results differ.

use maud::{Markup, html};

use super::{
    change,
    names::Names,
    parts::{self, Fact, State, Value},
};
use crate::checkpoints::Report;
use crate::http::members::{Consortium, Contradiction, Open};

/// Blocks with differing results that the page shows; `/v1/divergences` has all.
const REPORTS_SHOWN: usize = 20;

/// Everything below the list of members.
pub(super) fn body(
    names: &Names<'_>,
    consortium: &Consortium,
    (count, contradictions): &(u64, Vec<Contradiction>),
    reports: &[Report],
) -> Markup {
    html! {
        h2 { "Proposed changes" }
        @if let Some(end) = &consortium.epoch.end {
            p { (parts::state(&State::Warn(format!(
                "A change is taking effect: epoch {} ends with block {}.", consortium.epoch.number, end.last
            )))) }
        }
        @if consortium.changes.is_empty() {
            p { "Nothing is proposed. A member proposes with " code { "aidchain member approve FILE" } "." }
        }
        @for open in &consortium.changes { (proposal(names, open)) }
        h2 { "Epochs" }
        (epochs(consortium))
        h2 { "Contradictions" }
        @if *count == 0 {
            p { (parts::state(&State::Good("no member was found to contradict itself".to_owned()))) }
        } @else { (contradicted(*count, contradictions)) }
        h2 { "Differing results" }
        @if reports.is_empty() {
            p { (parts::state(&State::Good("this node saw no block of which members signed different results".to_owned()))) }
        } @else { (differing(reports)) }
    }
}

/// One proposal: where it stands and what it would do.
fn proposal(names: &Names<'_>, open: &Open) -> Markup {
    let (before, after) = open.faults();
    let id = open.id.to_string();
    let mut facts = vec![
        Fact::new("Change", Value::Hash("change id", id.clone())),
        Fact::text("Proposed by", open.proposer.clone()),
        Fact::new("In block", Value::Height(open.proposal.height.get())),
        Fact::text("Approved by", open.approvals.join(", ")),
        Fact::new("Lapses", Value::Time(open.proposal.lapses_at.get())),
    ];
    facts.extend(change::proposed(names, &open.proposal.change));
    facts.push(Fact::text(
        "Faulty members it bears",
        format!("{before} now, {after} afterwards"),
    ));
    let stage = if after < before || open.lapsed {
        State::Warn(open.stage())
    } else {
        State::Good(open.stage())
    };
    html! {
        section .card aria-label=(format!("Change {}", parts::short(&id))) {
            h3 { (parts::state(&stage)) }
            (parts::facts(&facts))
        }
    }
}

/// One line an epoch.
fn epochs(consortium: &Consortium) -> Markup {
    html! {
        table .wide {
            thead { tr { th scope="col" { "Epoch" } th scope="col" { "First block" } th scope="col" { "Last block" } th scope="col" { "Members, in order" } } }
            tbody {
                @for (number, past, names) in &consortium.epochs {
                    tr {
                        th scope="row" data-label="Epoch" { (number) }
                        td data-label="First block" { a href=(format!("/b/{}", past.first)) { (past.first) } }
                        td data-label="Last block" {
                            @match past.last {
                                Some(last) => { a href=(format!("/b/{last}")) { (last) } },
                                None => { span .soft { "running" } },
                            }
                        }
                        td data-label="Members" { (names.join(", ")) }
                    }
                }
            }
        }
    }
}

/// One line a contradiction.
fn contradicted(count: u64, entries: &[Contradiction]) -> Markup {
    html! {
        p { (parts::state(&State::Bad(format!("{count} on the ledger, each checked by every member")))) }
        table .wide {
            thead { tr { th scope="col" { "Member" } th scope="col" { "What" } th scope="col" { "Epoch" } th scope="col" { "View" } th scope="col" { "Sequence number" } th scope="col" { "Told in block" } } }
            tbody {
                @for one in entries {
                    tr {
                        th scope="row" data-label="Member" { (one.name) }
                        td data-label="What" { (one.what) }
                        td data-label="Epoch" { (one.record.epoch) }
                        td data-label="View" { (one.record.view) }
                        td data-label="Sequence number" { (one.record.seq) }
                        td data-label="Told in block" { a href=(format!("/b/{}", one.record.height)) { (one.record.height) } }
                    }
                }
            }
        }
    }
}

/// One line a header of each block whose results differ.
fn differing(reports: &[Report]) -> Markup {
    html! {
        p { (parts::state(&State::Warn(format!("blocks with differing results, as this node saw them: {}", reports.len())))) }
        p {
            "This says that results differ, and not why: a damaged disk or memory, another build and a fault of this program \
             are as likely as a lie."
        }
        table .wide {
            thead { tr { th scope="col" { "Block" } th scope="col" { "Header" } th scope="col" { "Signed by" } th scope="col" { "Certified" } } }
            tbody {
                @for report in reports.iter().take(REPORTS_SHOWN) {
                    @for one in &report.results {
                        tr {
                            th scope="row" data-label="Block" { (report.height) }
                            td data-label="Header" { (parts::hash("header hash", &one.header.to_string())) }
                            td data-label="Signed by" { (one.members.join(", ")) }
                            td data-label="Certified" { @if report.certified == Some(one.header) { "yes" } @else { "no" } }
                        }
                    }
                }
            }
        }
    }
}
