//! `aidchain desk disclose …`: who an AID is; asked for by one member, approved by another, shown by the first.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use contract::{Aid, Call, DisclosureCall, Officer};
use patient::code::{Code, Exit};
use patient::files;
use patient::output::{Console, Failure};
use serde_json::json;

use super::super::member::at::At;
use super::{ask, word};

const REQUEST_EXAMPLE: &str = "\
Example:
  aidchain desk disclose request --aid AID --officer desk-7 --purpose BTG --home /var/lib/aidchain";
const APPROVE_EXAMPLE: &str = "\
Example, on another member's machine:
  aidchain desk disclose approve 3 --aid AID --home /var/lib/aidchain";
const OPEN_EXAMPLE: &str = "\
Example:
  aidchain desk disclose open 3 --home /var/lib/aidchain";
/// Bytes of a note that an officer writes.
const NOTE_BYTES_MAX: usize = 1_900;

/// Find out who an AID is, with another member's approval and a trace on the ledger
#[derive(Clone, Debug, Subcommand)]
pub(in crate::cli) enum DiscloseCommand {
    /// Ask, as an officer of the registration centre
    #[command(after_help = REQUEST_EXAMPLE)]
    Request(Request),
    /// Approve, as another member, within 24 hours
    #[command(after_help = APPROVE_EXAMPLE)]
    Approve(Approve),
    /// Print the ID, at the registration centre
    #[command(after_help = OPEN_EXAMPLE)]
    Open(Open),
}

/// Whose ID, and why.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct Request {
    /// Whose ID
    #[arg(long, value_name = "AID")]
    aid: Aid,
    /// Who asks: 1 to 32 lower-case letters, digits and hyphens
    #[arg(long, value_name = "NAME")]
    officer: Officer,
    /// BTG, PATRQT, HLEGAL, PATSFTY, FRAUD or RECORDMGT (HL7 `PurposeOfUse`)
    #[arg(long, value_name = "CODE")]
    purpose: String,
    /// File with a note; the ledger gets its hash, the text stays at the centre
    #[arg(long, value_name = "FILE")]
    note_file: Option<PathBuf>,
    #[command(flatten)]
    at: At,
}

/// Which request.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct Approve {
    /// Its number on the ledger
    #[arg(value_name = "NUMBER")]
    number: u64,
    /// Whose ID it is about
    #[arg(long, value_name = "AID")]
    aid: Aid,
    #[command(flatten)]
    at: At,
}

/// Which disclosure.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct Open {
    /// Its number on the ledger
    #[arg(value_name = "NUMBER")]
    number: u64,
    #[command(flatten)]
    at: At,
}

impl DiscloseCommand {
    pub(super) fn run(&self, console: &Console) -> Result<Exit, Failure> {
        match self {
            Self::Request(command) => command.run(console),
            Self::Approve(command) => command.run(console),
            Self::Open(command) => command.run(console),
        }
    }
}

impl Request {
    fn run(&self, console: &Console) -> Result<Exit, Failure> {
        let voter = self.at.voter()?;
        let note = match &self.note_file {
            None => None,
            Some(path) => {
                let bytes = files::read(path, NOTE_BYTES_MAX)?;
                let text = str::from_utf8(&bytes).map_err(|error| {
                    Failure::new(Code::CannotRead)
                        .message(format!("{} is no text", path.display()))
                        .because(error)
                })?;
                Some(text.to_owned())
            }
        };
        let body = json!({
            "aid": self.aid, "officer": self.officer.as_str(), "purpose": self.purpose, "note": note,
        });
        let answer = ask(voter.client(), "/v1/desk/disclosures", &body)?;
        let text = format!(
            "Request {} is on the ledger. Another member approves it within 24 hours: aidchain desk disclose approve",
            word(&answer, "number")
        );
        console.data(&answer, &text)?;
        Ok(Exit::Ok)
    }
}

impl Approve {
    fn run(&self, console: &Console) -> Result<Exit, Failure> {
        let voter = self.at.voter()?;
        let members = voter.members()?;
        let seat = voter.seat(&members)?;
        let (number, aid) = (self.number, self.aid);
        let call = Call::Disclosure(DisclosureCall::Approve { number, aid });
        let done = voter.submit(seat, call)?;
        let object = json!({
            "schema": "aidchain.desk/1", "action": "approved", "number": number,
            "transaction": done.hash, "height": done.height,
        });
        let text = format!(
            "{} approved request {number}. From now on the patient sees it as a disclosure.",
            seat.name
        );
        console.data(&object, &text)?;
        Ok(Exit::Ok)
    }
}

impl Open {
    fn run(&self, console: &Console) -> Result<Exit, Failure> {
        let voter = self.at.voter()?;
        let body = json!({ "number": self.number });
        let answer = ask(voter.client(), "/v1/desk/disclosures/open", &body)?;
        console.data(&answer, &word(&answer, "id"))?;
        Ok(Exit::Ok)
    }
}
