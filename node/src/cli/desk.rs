//! `aidchain desk …`: what officers of the registration centre do, and what another member approves.

mod admit;
mod approve;
mod disclose;
mod person;
mod waiting;

use clap::Subcommand;
use patient::client::{Client, Question};
use patient::code::{Code, Exit};
use patient::output::{Console, Failure};
use serde_json::Value;
use std::time::Duration;

const ADMIT_EXAMPLE: &str = "\
Example, after the officer has seen the person's identity document:
  aidchain desk admit --officer desk-7 --for enrol --id-file id.txt --home /var/lib/aidchain";
const APPROVE_EXAMPLE: &str = "\
Example, on another member's machine:
  aidchain desk approve --aid AID --home /var/lib/aidchain";
const REVOKE_EXAMPLE: &str = "Example:\n  aidchain desk revoke --aid AID --home /var/lib/aidchain";
const CANCEL_EXAMPLE: &str = "Example:\n  aidchain desk cancel --aid AID --home /var/lib/aidchain";
const SHRED_EXAMPLE: &str = "\
Example:
  aidchain desk shred --id-file id.txt --home /var/lib/aidchain";
const WAITING_EXAMPLE: &str = "Example:\n  aidchain desk waiting --home /var/lib/aidchain";

/// How long the node is given for calls that it waits for.
const WAIT: Duration = Duration::from_secs(35);

/// Let patients in, end their identities, and say who they are when another member approves it
#[derive(Clone, Debug, Subcommand)]
pub(super) enum DeskCommand {
    /// Print a one-time code for somebody whose identity was checked; it counts for 24 hours
    #[command(after_help = ADMIT_EXAMPLE)]
    Admit(admit::Admit),
    /// Approve a recovery, as another member than the one that asked for it
    #[command(after_help = APPROVE_EXAMPLE)]
    Approve(approve::Approve),
    /// End all identities of a person: none signs in any more
    #[command(after_help = REVOKE_EXAMPLE)]
    Revoke(person::Revoke),
    /// Take a person's open recovery back
    #[command(after_help = CANCEL_EXAMPLE)]
    Cancel(person::Cancel),
    /// Destroy what resolves a person's identities, for ever
    #[command(after_help = SHRED_EXAMPLE)]
    Shred(person::Shred),
    /// Find out who an AID is, with another member's approval and a trace on the ledger
    #[command(subcommand)]
    Disclose(disclose::DiscloseCommand),
    /// Show what waits: registrations, recoveries, disclosures
    #[command(after_help = WAITING_EXAMPLE)]
    Waiting(waiting::Show),
}

impl DeskCommand {
    pub(super) fn run(&self, console: &Console) -> Result<Exit, Failure> {
        match self {
            Self::Admit(command) => command.run(console),
            Self::Approve(command) => command.run(console),
            Self::Revoke(command) => command.run(console),
            Self::Cancel(command) => command.run(console),
            Self::Shred(command) => command.run(console),
            Self::Disclose(command) => command.run(console),
            Self::Waiting(command) => command.run(console),
        }
    }
}

/// Sends JSON to the desk of a node, and reads its answer.
fn ask(client: &Client, path: &'static str, body: &Value) -> Result<Value, Failure> {
    let bytes = serde_json::to_vec(body).map_err(|error| Failure::new(Code::Bug).because(error))?;
    let question = Question::post(path, bytes)
        .header("content-type", "application/json")
        .waits(WAIT);
    client.ask(question)?.success()?.json()
}

/// A value as it is shown.
fn word(value: &Value, key: &str) -> String {
    match value.get(key) {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}
