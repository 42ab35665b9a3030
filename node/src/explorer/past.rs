//! What happened to an identity beside its sign-ins: replaced, revoked, recovered, its ID disclosed, and by whom.

use contract::{
    Aid, Author,
    contracts::{
        disclosure::Disclosure,
        identity::{Event, How, What},
    },
};
use maud::{Markup, html};

use super::{names::Names, parts, time};

/// One thing that happened.
#[derive(Clone, Debug)]
pub struct Happened {
    /// The block it is in.
    pub height: u64,
    /// The block's time.
    pub time_ms: u64,
    /// What.
    pub what: String,
    /// The identity that takes its place, or was to.
    pub other: Option<Aid>,
    /// Who did it.
    pub by: String,
}

/// Events and disclosures in one list, oldest first.
pub fn of(names: &Names<'_>, events: &[Event], disclosures: &[Disclosure]) -> Vec<Happened> {
    let mut all: Vec<Happened> = events.iter().map(|one| event(names, one)).collect();
    for one in disclosures {
        all.push(asked(names, one));
        all.extend(disclosed(names, one));
    }
    all.sort_by_key(|one| one.height);
    all
}

/// The rows.
pub fn table(rows: &[Happened]) -> Markup {
    html! {
        table .wide {
            thead { tr {
                th scope="col" { "Height" } th scope="col" { "Time" } th scope="col" { "What" } th scope="col" { "By" }
            } }
            tbody {
                @for row in rows {
                    tr {
                        td data-label="Height" { a href=(format!("/b/{}", row.height)) { (row.height) } }
                        td data-label="Time" { (parts::moment(row.time_ms)) }
                        td data-label="What" { (row.what) @if let Some(other) = &row.other { "; new identity " (parts::aid(other)) } }
                        td data-label="By" { (row.by) }
                    }
                }
            }
        }
    }
}

fn event(names: &Names<'_>, one: &Event) -> Happened {
    let (what, other) = match &one.what {
        What::Revoked => ("revoked".to_owned(), None),
        What::Shredded => ("what could resolve it was destroyed".to_owned(), None),
        What::Replaced { new, how } => (format!("replaced {}", consent(names, how)), Some(new)),
        What::RecoveryRequested { new, officer } => (
            format!("recovery without any key asked for by officer {officer}"),
            Some(new),
        ),
        What::RecoveryApproved { new, effective } => {
            let from = time::readable(effective.get());
            (format!("recovery approved, effective {from}"), Some(new))
        }
        What::RecoveryCancelled { new } => ("recovery cancelled".to_owned(), Some(new)),
    };
    let by = match &one.by {
        Author::Member(id) => names.of(id),
        Author::Patient(_) => "the patient".to_owned(),
    };
    Happened {
        height: one.height.get(),
        time_ms: one.time.get(),
        what,
        other: other.copied(),
        by,
    }
}

/// With whose consent an identity was replaced.
fn consent(names: &Names<'_>, how: &How) -> String {
    match how {
        How::SigningKey => "with its signing key".to_owned(),
        How::RecoveryKey => "with the recovery key".to_owned(),
        How::Recovery { approver, .. } => {
            format!("without any key, approved by {}", names.of(approver))
        }
    }
}

fn asked(names: &Names<'_>, one: &Disclosure) -> Happened {
    Happened {
        height: one.height.get(),
        time_ms: one.time.get(),
        what: format!(
            "disclosure {} of its ID asked for by officer {}: {}",
            one.number, one.request.officer, one.request.purpose
        ),
        other: None,
        by: names.of(&one.rc),
    }
}

fn disclosed(names: &Names<'_>, one: &Disclosure) -> Option<Happened> {
    let approval = one.approval?;
    Some(Happened {
        height: approval.height.get(),
        time_ms: approval.time.get(),
        what: format!("disclosure {} approved: its ID was disclosed", one.number),
        other: None,
        by: names.of(&approval.by),
    })
}

#[cfg(test)]
mod tests {
    use contract::{BlockTime, Height, Kind, ServerId};

    use super::*;
    use crate::http::testing;

    #[test]
    fn each_thing_that_happened_names_who_did_it_and_leads_to_its_block() {
        let genesis = testing::genesis(Kind::Secure);
        let clinic = genesis.members()[1].server_id();
        let stranger = ServerId::new([0xEE; 32]);
        let new = Aid::new([9; 32]);
        let event = |height, by, what| Event {
            height: Height::new(height),
            time: BlockTime::new(1_795_305_702_000),
            by,
            what,
        };
        let how = How::Recovery {
            rc: clinic,
            officer: "desk-7".parse().unwrap(),
            approver: stranger,
        };
        let events = [
            event(12, Author::Member(clinic), What::Replaced { new, how }),
            event(11, Author::Patient(new), What::RecoveryCancelled { new }),
        ];

        let rows = of(&Names::of_founders(&genesis), &events, &[]);
        let html = table(&rows).into_string();

        let heights: Vec<u64> = rows.iter().map(|row| row.height).collect();
        assert_eq!(heights, [11, 12]);
        assert!(html.contains("href=\"/b/12\""));
        assert!(html.contains("recovery cancelled; new identity"));
        assert!(html.contains(&format!("href=\"/a/{new}\"")));
        assert!(html.contains("<td data-label=\"By\">the patient</td>"));
        assert!(html.contains(&genesis.members()[1].name));
        let short = parts::short(&stranger.to_string());
        assert!(html.contains(&format!("without any key, approved by {short}")));
    }
}
