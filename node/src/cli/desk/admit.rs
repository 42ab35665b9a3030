//! `aidchain desk admit`: a code for somebody who stands at the desk.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use contract::Officer;
use patient::code::Exit;
use patient::output::{Console, Failure};
use patient::secret_input::Source;
use patient::utc;
use serde_json::{Value, json};

use super::super::member::at::At;
use super::{ask, word};

/// What a code is for.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Purpose {
    /// Somebody who has no identity yet
    Enrol,
    /// Somebody who lost her device or her password
    Recover,
}

/// Whom to let in.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct Admit {
    /// Who checked the person's identity: 1 to 32 lower-case letters, digits and hyphens
    #[arg(long, value_name = "NAME")]
    officer: Officer,
    /// What the code is for
    #[arg(long = "for", value_name = "PURPOSE")]
    purpose: Purpose,
    /// File with the person's ID; without it the ID is asked for
    #[arg(long, value_name = "FILE", conflicts_with = "id_fd")]
    id_file: Option<PathBuf>,
    /// Open descriptor with the person's ID
    #[arg(long, value_name = "N")]
    id_fd: Option<u32>,
    #[command(flatten)]
    at: At,
}

impl Admit {
    pub(super) fn run(&self, console: &Console) -> Result<Exit, Failure> {
        let voter = self.at.voter()?;
        let source = Source {
            what: "Patient ID",
            flag: "--id",
            file: self.id_file.as_ref(),
            descriptor: self.id_fd,
        };
        let id = source.id(console)?;
        let purpose = match self.purpose {
            Purpose::Enrol => "enrol",
            Purpose::Recover => "recover",
        };
        let body = json!({
            "officer": self.officer.as_str(), "for": purpose, "id": id.expose(),
        });
        let answer = ask(voter.client(), "/v1/desk/admit", &body)?;
        console.data(&answer, &word(&answer, "code"))?;
        let until = answer.get("until_ms").and_then(Value::as_u64);
        console.talk(&format!(
            "A code to {purpose}, for this person alone. It counts once, until {}.",
            until.map_or_else(|| "tomorrow".to_owned(), utc::text)
        ));
        Ok(Exit::Ok)
    }
}
