//! `aidchain desk revoke`, `cancel` and `shred`: all identities of one person at once.

use std::path::PathBuf;

use clap::Args;
use contract::Aid;
use patient::code::Exit;
use patient::output::{Console, Failure};
use patient::secret_input::Source;
use serde_json::{Value, json};

use super::super::member::at::At;
use super::{ask, word};

/// Who is meant.
#[derive(Clone, Debug, Args)]
struct Person {
    /// One of her AIDs
    #[arg(long, value_name = "AID", conflicts_with_all = ["id_file", "id_fd"])]
    aid: Option<Aid>,
    /// File with her ID; without any of the three the ID is asked for
    #[arg(long, value_name = "FILE", conflicts_with = "id_fd")]
    id_file: Option<PathBuf>,
    /// Open descriptor with her ID
    #[arg(long, value_name = "N")]
    id_fd: Option<u32>,
    #[command(flatten)]
    at: At,
}

/// Whose identities end.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct Revoke {
    #[command(flatten)]
    person: Person,
}

/// Whose recovery is taken back.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct Cancel {
    #[command(flatten)]
    person: Person,
}

/// Whose traces are destroyed.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct Shred {
    #[command(flatten)]
    person: Person,
}

impl Person {
    fn ask(&self, console: &Console, path: &'static str) -> Result<Value, Failure> {
        let voter = self.at.voter()?;
        let body = if let Some(aid) = &self.aid {
            json!({ "aid": aid })
        } else {
            let source = Source {
                what: "Patient ID",
                flag: "--id",
                file: self.id_file.as_ref(),
                descriptor: self.id_fd,
            };
            json!({ "id": source.id(console)?.expose() })
        };
        ask(voter.client(), path, &body)
    }
}

impl Revoke {
    pub(super) fn run(&self, console: &Console) -> Result<Exit, Failure> {
        let answer = self.person.ask(console, "/v1/desk/revoke")?;
        let text = format!(
            "Revoked {} of {} identities; the others had ended before.",
            word(&answer, "now"),
            word(&answer, "identities")
        );
        console.data(&answer, &text)?;
        Ok(Exit::Ok)
    }
}

impl Cancel {
    pub(super) fn run(&self, console: &Console) -> Result<Exit, Failure> {
        let answer = self.person.ask(console, "/v1/desk/cancel")?;
        let text = format!("Took {} open requests back.", word(&answer, "now"));
        console.data(&answer, &text)?;
        Ok(Exit::Ok)
    }
}

impl Shred {
    pub(super) fn run(&self, console: &Console) -> Result<Exit, Failure> {
        let answer = self.person.ask(console, "/v1/desk/shred")?;
        let text = format!(
            "Shredded {} identities: keys, salts, index and row are destroyed at this centre.",
            word(&answer, "identities")
        );
        console.data(&answer, &text)?;
        console.talk(
            "What this does not do: a hospital that was told the ID does not forget it, and one that received \
             the salt in an identified sign-in can prove it to others for ever. Past sign-ins (AID, server, time) \
             stay on the ledger, where all members see them. Backups of this home are yours to destroy.",
        );
        Ok(Exit::Ok)
    }
}
