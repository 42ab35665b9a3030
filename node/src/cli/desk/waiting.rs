//! `aidchain desk waiting`: registrations, recoveries and disclosures that are not done.

use clap::Args;
use patient::client::Question;
use patient::code::Exit;
use patient::output::{Console, Failure};
use patient::utc;
use serde_json::Value;

use super::super::member::at::At;
use super::word;

/// Where.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct Show {
    #[command(flatten)]
    at: At,
}

impl Show {
    pub(super) fn run(&self, console: &Console) -> Result<Exit, Failure> {
        let voter = self.at.voter()?;
        let question = Question::get("/v1/desk/waiting");
        let answer: Value = voter.client().ask(question)?.success()?.json()?;
        console.data(&answer, &text(&answer))?;
        Ok(Exit::Ok)
    }
}

/// The answer, for people.
fn text(answer: &Value) -> String {
    let set = answer.get("set").cloned().unwrap_or_default();
    let mut lines = vec![format!(
        "Registrations: {} of {} patients wait{}",
        word(&set, "patients"),
        word(&set, "needed"),
        since(&set, "first_since_ms")
    )];
    for recovery in list(answer, "recoveries") {
        let identities = list(recovery, "identities");
        let approved = identities
            .iter()
            .filter(|one| one.get("approved_by").is_some_and(Value::is_string))
            .count();
        let first = identities.first().cloned().unwrap_or_default();
        lines.push(format!(
            "Recovery of {} and {} more by {}: {approved} approved{}",
            word(&first, "old"),
            identities.len().saturating_sub(1),
            word(&first, "officer"),
            since(recovery, "since_ms")
        ));
    }
    for entry in list(answer, "disclosures") {
        lines.push(format!(
            "Disclosure {} of {} for {} by {}: not approved{}",
            word(entry, "number"),
            word(entry, "aid"),
            word(entry, "purpose"),
            word(entry, "officer"),
            since(entry, "time_ms")
        ));
    }
    lines.push(format!("Desk codes that count: {}", word(answer, "codes")));
    lines.join("\n")
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value
        .get(key)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

fn since(value: &Value, key: &str) -> String {
    let time = value.get(key).and_then(Value::as_u64);
    time.map_or_else(String::new, |ms| format!(", since {}", utc::text(ms)))
}
