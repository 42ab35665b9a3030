//! `aidchain member list`: the members, what is proposed, and how many approve it.

use clap::Args;
use patient::client::Question;
use patient::code::Exit;
use patient::light::short;
use patient::output::{Console, Failure};
use serde_json::Value;

use super::super::ledger::source::Source;

/// Whom to ask.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct List {
    #[command(flatten)]
    source: Source,
}

impl List {
    pub(super) fn run(&self, console: &Console) -> Result<Exit, Failure> {
        let question = Question::get("/v1/members");
        let answer: Value = self.source.client()?.ask(question)?.success()?.json()?;
        console.data(&answer, &text(&answer))?;
        Ok(Exit::Ok)
    }
}

/// The answer, for people.
fn text(answer: &Value) -> String {
    let members = list(answer, "members");
    let mut lines = vec![format!(
        "Epoch {} since block {}: {} members, {} make a quorum, bears {} faulty",
        word(answer, "epoch"),
        word(answer, "first"),
        members.len(),
        word(answer, "quorum"),
        word(answer, "faults")
    )];
    for member in members {
        lines.push(format!(
            "  {:<14} {:<7} key {}  {}",
            word(member, "name"),
            word(member, "role"),
            short(&word(member, "key")),
            word(member, "p2p")
        ));
    }
    if let Some(last) = answer.get("ends_at").and_then(Value::as_u64) {
        lines.push(format!(
            "Ends with block {last}; then: {}",
            words(answer, "next")
        ));
    }
    for guest in list(answer, "guests") {
        lines.push(format!(
            "  {:<14} {} (may connect, does not vote)",
            word(guest, "name"),
            word(guest, "why")
        ));
    }
    let changes = list(answer, "changes");
    if changes.is_empty() {
        lines.push("Nothing is proposed.".to_owned());
    }
    for change in changes {
        lines.extend(proposal(change));
    }
    lines.join("\n")
}

/// A proposal on a few lines.
fn proposal(change: &Value) -> Vec<String> {
    let mut lines = vec![
        format!("Change {}", word(change, "id")),
        format!(
            "  {}; proposed by {}, approved by {}",
            word(change, "stage"),
            word(change, "proposer"),
            words(change, "approvals")
        ),
    ];
    if let Some(fields) = change.get("change").and_then(Value::as_object) {
        for (name, value) in fields {
            let value = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            lines.push(format!("  {}: {value}", name.replace('_', " ")));
        }
    }
    lines.push(format!(
        "  faulty members it bears: {} now, {} afterwards",
        word(change, "faults_before"),
        word(change, "faults_after")
    ));
    lines
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    let list = value.get(key).and_then(Value::as_array);
    list.map_or(&[], Vec::as_slice)
}

fn word(value: &Value, key: &str) -> String {
    match value.get(key) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    }
}

fn words(value: &Value, key: &str) -> String {
    let words: Vec<_> = list(value, key).iter().filter_map(Value::as_str).collect();
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_proposal_is_told_with_its_approvals_and_f_before_and_after() {
        let answer = json!({
            "epoch": 2, "first": 68, "quorum": 3, "faults": 1, "ends_at": null, "next": null,
            "members": [{ "name": "rc", "role": "rc", "key": "ab".repeat(32), "p2p": "/ip4/10.0.0.1/tcp/7100" }],
            "guests": [{ "name": "clinic-d", "why": "candidate" }],
            "changes": [{
                "id": "cd".repeat(32), "stage": "2 of 3 approvals", "proposer": "rc",
                "approvals": ["rc", "clinic-a"], "faults_before": 1, "faults_after": 0,
                "change": { "removes": "clinic-c" },
            }],
        });

        let text = text(&answer);

        assert!(
            text.starts_with("Epoch 2 since block 68: 1 members, 3 make a quorum, bears 1 faulty")
        );
        assert!(text.contains("2 of 3 approvals; proposed by rc, approved by rc, clinic-a"));
        assert!(text.contains("removes: clinic-c"));
        assert!(text.contains("faulty members it bears: 1 now, 0 afterwards"));
        assert!(text.contains("clinic-d       candidate (may connect, does not vote)"));
    }
}
