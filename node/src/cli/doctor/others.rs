//! What the answers of this node and of the other members mean.

use contract::contracts::membership::quorum;
use contract::genesis::{Genesis, PROTOCOL_VERSION};
use patient::code::Code;
use patient::output::Failure;

use super::asking::Told;
use super::finding::{Check, Finding, Life};
use crate::store::Inspected;

/// A clock this far off is worth a warning, in milliseconds.
const SKEW_LOW_MS: u64 = 500;

/// A node whose clock is further off proposes nothing.
const SKEW_MAX_MS: u64 = 2_000;

/// Whether the node runs, and whether it votes.
pub(super) fn node(life: Life, own: &Told) -> Finding {
    if life == Life::Stands {
        let help = "start it: aidchain node run";
        return Finding::warning(Check::Node, "does not run; its files were read", help);
    }
    let status = match &own.status {
        Ok(status) => status,
        Err(failure) => return Finding::bad(Check::Node, failure),
    };
    let at = format!("runs, block {}, epoch {}", status.height, status.epoch);
    if let Some(why) = &status.diverged {
        let failure = Failure::new(Code::StateDiverged).message(why.clone());
        return Finding::bad(Check::Node, &failure);
    }
    if let Some(why) = &status.votes_lost {
        let help = "see docs/operate.md, \"votes lost\"";
        return Finding::warning(Check::Node, format!("{at}; {why}"), help);
    }
    if let Some(why) = &status.stalled {
        let help = "see who is missing: aidchain ledger status";
        return Finding::warning(Check::Node, format!("{at}; {why}"), help);
    }
    Finding::good(Check::Node, at)
}

/// The members that this node, or this machine, reaches.
pub(super) fn peers(own: &Told, others: &[Told], genesis: &Genesis) -> Finding {
    let chain = genesis.chain().to_string();
    let stranger = others.iter().find(|told| {
        let status = told.status.as_ref();
        status.is_ok_and(|status| status.chain != chain)
    });
    if let Some(stranger) = stranger {
        let failure = Failure::new(Code::OtherGenesis)
            .message(format!("{} is a member of another ledger", stranger.name))
            .help("compare the chain id with that member by telephone");
        return Finding::bad(Check::Peers, &failure);
    }
    let connected = |told: &&Told| match &own.status {
        Ok(status) => status
            .members
            .iter()
            .any(|it| it.name == told.name && it.up),
        Err(_) => told.status.is_ok(),
    };
    let (here, away): (Vec<&Told>, Vec<&Told>) = others.iter().partition(connected);
    let times = others.iter().map(|told| match &told.status {
        Ok(_) => format!("{} answers in {} ms", told.name, told.took_ms),
        Err(_) => format!("{} does not answer", told.name),
    });
    let text = format!(
        "{}/{} {}: {}",
        here.len(),
        others.len(),
        if own.status.is_ok() {
            "connected"
        } else {
            "answer"
        },
        times.collect::<Vec<_>>().join(", ")
    );
    let members = others.len().saturating_add(1);
    let needed = own
        .status
        .as_ref()
        .map_or_else(|_| quorum(members), |it| it.quorum);
    if here.len().saturating_add(1) < needed {
        let failure = Failure::new(Code::NoQuorum).message(text);
        return Finding::bad(Check::Peers, &failure);
    }
    if away.is_empty() {
        return Finding::good(Check::Peers, text);
    }
    let names: Vec<&str> = away.iter().map(|told| told.name.as_str()).collect();
    let help = format!("ask whoever runs {} to look there", names.join(", "));
    Finding::warning(Check::Peers, text, help)
}

/// This machine's clock against the others', as the node has measured them, or as they answered now.
pub(super) fn clock(own: &Told, others: &[Told]) -> Finding {
    let measured = |name: &str| {
        let mut seen = own.status.iter().flat_map(|status| &status.members);
        let seen = seen.find(|seen| seen.name == name && seen.up);
        seen.and_then(|seen| seen.clock_skew_ms)
    };
    let answered = |told: &Told| told.status.as_ref().ok().map(|_status| told.skew_ms);
    let skews = others.iter();
    let skews = skews.filter_map(|told| measured(&told.name).or_else(|| answered(told)));
    off_by(&mut skews.collect::<Vec<_>>())
}

/// What is said of the others' clocks minus this one.
fn off_by(skews: &mut [i64]) -> Finding {
    skews.sort_unstable();
    let middle = skews.len() / 2;
    let Some(median) = skews
        .get(middle)
        .map(|theirs| 0_i64.saturating_sub(*theirs))
    else {
        let help = "see the finding about peers";
        return Finding::warning(Check::Clock, "no member to compare it with", help);
    };
    let size = median.unsigned_abs();
    let text = format!(
        "{}{}.{:03} s against the median of {} peers (a primary may be {} s off)",
        if median < 0 { "−" } else { "+" },
        size / 1_000,
        size % 1_000,
        skews.len(),
        SKEW_MAX_MS / 1_000
    );
    let help = "set the clock (chrony, ntp)";
    if size <= SKEW_LOW_MS {
        return Finding::good(Check::Clock, text);
    }
    if size <= SKEW_MAX_MS {
        return Finding::warning(Check::Clock, text, help);
    }
    let failure = Failure::new(Code::ClockSkew).message(text).help(help);
    Finding::bad(Check::Clock, &failure)
}

/// This node's state roots against those of the others, each at the block that the other has certified newest.
pub(super) fn state(inspected: Option<&Inspected>, others: &[Told]) -> Finding {
    let mut equal = Vec::new();
    let mut heights = Vec::new();
    let mut passed_over = Vec::new();
    for told in others {
        let Ok(status) = &told.status else {
            continue;
        };
        let height = contract::Height::new(status.height);
        let Some((root, _)) = inspected.and_then(|it| it.roots.get(&height)) else {
            passed_over.push(format!("{} is at block {height}", told.name));
            continue;
        };
        if root.to_string() != status.state_root {
            let failure = Failure::new(Code::StateDiverged).message(format!(
                "block {height}: the state root is {root} here and {} at {}",
                status.state_root, told.name
            ));
            return Finding::bad(
                Check::State,
                &failure.help(
                    "ask the other members which one a quorum has: aidchain ledger divergences",
                ),
            );
        }
        equal.push(told.name.as_str());
        heights.push(status.height);
    }
    let (Some(lowest), Some(highest)) = (heights.iter().min(), heights.iter().max()) else {
        let help = "start the node, let it catch up, and ask again";
        let mut text =
            "no member's newest block is among those that were re-checked here".to_owned();
        if !passed_over.is_empty() {
            text = format!("{text}: {}", passed_over.join(", "));
        }
        return Finding::warning(Check::State, text, help);
    };
    let blocks = if lowest == highest {
        format!("block {lowest}")
    } else {
        format!("blocks {lowest} to {highest}")
    };
    Finding::good(
        Check::State,
        format!("equal with {} at {blocks}", equal.join(", ")),
    )
}

/// This program against the ledger's rules and the other members' programs.
pub(super) fn versions(own: &Told, others: &[Told]) -> Finding {
    let mut said = std::iter::once(own).chain(others);
    let rules = said
        .find_map(|told| told.status.as_ref().ok())
        .map(|it| it.protocol_version);
    let here = env!("CARGO_PKG_VERSION");
    let ledger = rules.map_or_else(
        || "the ledger's is not known: nobody answered".to_owned(),
        |version| format!("the ledger has {version}"),
    );
    let text =
        format!("binary {here}, storage format 1, protocol up to {PROTOCOL_VERSION}; {ledger}");
    if rules.is_some_and(|version| version > PROTOCOL_VERSION) {
        let failure = Failure::new(Code::ContractMissing).message(text);
        return Finding::bad(Check::Versions, &failure);
    }
    let answered = others
        .iter()
        .filter_map(|told| Some((told, told.status.as_ref().ok()?)));
    let others: Vec<String> = answered
        .filter(|(_, status)| status.version != here)
        .map(|(told, status)| format!("{} runs {}", told.name, status.version))
        .collect();
    if others.is_empty() {
        return Finding::good(Check::Versions, text);
    }
    let help = "that is as it should be during a rolling upgrade only";
    Finding::warning(
        Check::Versions,
        format!("{text}; {}", others.join(", ")),
        help,
    )
}

#[cfg(test)]
mod tests {
    use contract::{BlockTime, Height, Root};
    use patient::output::Mark;

    use super::super::asking::{Seen, Status};
    use super::*;

    fn told(name: &str, change: impl FnOnce(&mut Status)) -> Told {
        let seen = |name: &str| Seen {
            name: name.to_owned(),
            up: true,
            clock_skew_ms: Some(3),
        };
        let mut status = Status {
            chain: genesis().chain().to_string(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            protocol_version: PROTOCOL_VERSION,
            height: 7,
            epoch: 0,
            state_root: Root::new([7; 32]).to_string(),
            clock_ms: 0,
            quorum: 3,
            members: ["rc", "clinic-a", "clinic-b", "clinic-c"].map(seen).into(),
            stalled: None,
            votes_lost: None,
            diverged: None,
        };
        change(&mut status);
        Told {
            name: name.to_owned(),
            status: Ok(status),
            took_ms: 4,
            skew_ms: -4_000,
        }
    }

    fn silent(name: &str) -> Told {
        Told {
            status: Err(Failure::new(Code::CannotReach)),
            ..told(name, |_| {})
        }
    }

    fn genesis() -> Genesis {
        crate::http::testing::genesis(contract::Kind::Research)
    }

    fn others() -> [Told; 3] {
        ["clinic-a", "clinic-b", "clinic-c"].map(|name| told(name, |_| {}))
    }

    #[test]
    fn who_is_missing_is_named_and_without_a_quorum_it_is_an_error() {
        let own = |away: &[&str]| {
            told("rc", |status| {
                for seen in &mut status.members {
                    seen.up = !away.contains(&seen.name.as_str());
                }
            })
        };

        let all = peers(&own(&[]), &others(), &genesis());
        assert_eq!(all.mark, Mark::Good);
        assert!(
            all.text
                .starts_with("3/3 connected: clinic-a answers in 4 ms"),
            "{all:?}"
        );
        let one = peers(&own(&["clinic-b"]), &others(), &genesis());
        assert_eq!(one.mark, Mark::Warning);
        assert!(one.help.unwrap().contains("clinic-b"));
        let two = peers(&own(&["clinic-b", "clinic-c"]), &others(), &genesis());
        assert_eq!(two.code, Some(Code::NoQuorum));
    }

    #[test]
    fn of_a_node_that_stands_still_the_members_that_answer_are_counted() {
        let stands = silent("rc");
        let answer = others();
        assert_eq!(peers(&stands, &answer, &genesis()).mark, Mark::Good);
        let nobody = ["clinic-a", "clinic-b", "clinic-c"].map(silent);
        let found = peers(&stands, &nobody, &genesis());
        assert_eq!(found.code, Some(Code::NoQuorum));
        assert!(found.text.starts_with("0/3 answer"), "{found:?}");
    }

    #[test]
    fn a_member_of_another_ledger_is_named() {
        let mut all = others();
        all[1] = told("clinic-b", |status| status.chain = "00".repeat(32));

        let found = peers(&told("rc", |_| {}), &all, &genesis());

        assert_eq!(found.code, Some(Code::OtherGenesis));
        assert!(found.text.contains("clinic-b"));
    }

    #[test]
    fn a_clock_is_judged_by_the_median_and_said_with_its_sign() {
        let mark = |skews: &mut [i64]| off_by(skews).mark;

        assert_eq!(mark(&mut [3, -2, 900_000]), Mark::Good);
        assert_eq!(mark(&mut [-1_800, -1_799, 4]), Mark::Warning);
        assert_eq!(mark(&mut [2_001, 2_001, 0]), Mark::Bad);
        assert_eq!(mark(&mut []), Mark::Warning);
        let ahead = off_by(&mut [-1_800, -1_800, -1_800]);
        assert!(
            ahead.text.starts_with("+1.800 s against the median of 3"),
            "{ahead:?}"
        );
    }

    #[test]
    fn a_running_node_knows_the_skew_better_than_one_question_tells() {
        let own = told("rc", |_| {});
        assert_eq!(clock(&own, &others()).mark, Mark::Good);
        let fresh = told("rc", |status| {
            for seen in status.members.iter_mut().skip(1) {
                seen.clock_skew_ms = None;
            }
        });
        assert_eq!(clock(&fresh, &others()).mark, Mark::Bad, "they are asked");
        let found = clock(&silent("rc"), &others());
        assert_eq!(found.code, Some(Code::ClockSkew));
        assert!(found.text.starts_with("+4.000 s"), "{found:?}");
    }

    #[test]
    fn state_roots_are_compared_at_the_block_that_the_other_tells() {
        let inspected = |byte| Inspected {
            roots: [(Height::new(7), (Root::new([byte; 32]), BlockTime::new(1)))].into(),
            ..Inspected::default()
        };

        let equal = state(Some(&inspected(7)), &others());
        assert_eq!(
            equal.text,
            "equal with clinic-a, clinic-b, clinic-c at block 7"
        );
        let differs = state(Some(&inspected(8)), &others());
        assert_eq!(differs.code, Some(Code::StateDiverged));
        assert!(differs.text.contains("clinic-a"));
        let mut ahead = others();
        ahead[0] = told("clinic-a", |status| status.height = 9);
        let partly = state(Some(&inspected(7)), &ahead);
        assert_eq!(partly.text, "equal with clinic-b, clinic-c at block 7");
        assert_eq!(state(None, &others()).mark, Mark::Warning);
    }

    #[test]
    fn what_a_node_says_of_itself_is_told() {
        let own = |change: fn(&mut Status)| node(Life::Runs, &told("rc", change));

        assert_eq!(own(|_| {}).mark, Mark::Good);
        assert_eq!(
            own(|it| it.votes_lost = Some("gone".into())).mark,
            Mark::Warning
        );
        assert_eq!(
            own(|it| it.stalled = Some("waits".into())).mark,
            Mark::Warning
        );
        let diverged = own(|it| it.diverged = Some("other header".into()));
        assert_eq!(diverged.code, Some(Code::StateDiverged));
        assert_eq!(
            node(Life::Runs, &silent("rc")).code,
            Some(Code::CannotReach)
        );
        assert_eq!(node(Life::Stands, &silent("rc")).mark, Mark::Warning);
    }

    #[test]
    fn rules_that_this_program_lacks_are_an_error_and_another_program_is_a_warning() {
        let own = told("rc", |_| {});
        assert_eq!(versions(&own, &others()).mark, Mark::Good);
        let mut mixed = others();
        mixed[2] = told("clinic-c", |status| status.version = "9.9.9".to_owned());
        let found = versions(&own, &mixed);
        assert!(found.text.ends_with("clinic-c runs 9.9.9"), "{found:?}");
        assert_eq!(found.mark, Mark::Warning);
        let newer = told("rc", |status| {
            status.protocol_version = PROTOCOL_VERSION + 1;
        });
        assert_eq!(versions(&newer, &mixed).code, Some(Code::ContractMissing));
    }
}
