//! `aidchain desk approve`: another member agrees to a recovery, all sixteen identities of it.

use std::path::PathBuf;

use clap::Args;
use contract::{Aid, Call, RecoveryCall};
use patient::code::{Code, Exit};
use patient::files;
use patient::output::{Console, Failure};
use serde_json::{Value, json};

use super::super::member::at::At;
use super::ask;

/// Identities of one patient.
const AIDS: usize = 16;
/// Bytes of a list of what waits.
const LIST_BYTES_MAX: usize = 1 << 20;

/// Which recovery.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct Approve {
    /// List of the registration centre: `aidchain desk waiting --json` there
    #[arg(value_name = "FILE")]
    list: Option<PathBuf>,
    /// One of the identities that are to be replaced
    #[arg(long, value_name = "AID")]
    aid: Aid,
    #[command(flatten)]
    at: At,
}

impl Approve {
    pub(super) fn run(&self, console: &Console) -> Result<Exit, Failure> {
        let voter = self.at.voter()?;
        let members = voter.members()?;
        let seat = voter.seat(&members)?;
        let pairs = if let Some(path) = &self.list {
            self.listed(path)?
        } else {
            let body = json!({ "aid": self.aid });
            let answer = ask(voter.client(), "/v1/desk/recovery", &body)?;
            let pairs = open_pairs(&answer);
            if pairs.len() != AIDS {
                return Err(Failure::new(Code::RecoveriesMixed).because(format!(
                    "{} requests were made at that time by that officer",
                    pairs.len()
                )));
            }
            pairs
        };
        for (old, new) in &pairs {
            let (old, new) = (*old, *new);
            voter.submit(seat, Call::Recovery(RecoveryCall::Approve { old, new }))?;
        }
        let object = json!({
            "schema": "aidchain.desk/1", "action": "approved", "identities": pairs.len(), "now": pairs.len(),
        });
        let text = format!(
            "{} approved the recovery of {} identities. The delay of this ledger runs now; the patient's old keys \
             may cancel it until it is over.",
            seat.name,
            pairs.len()
        );
        console.data(&object, &text)?;
        Ok(Exit::Ok)
    }

    /// The identities of the recovery in a list that this AID is of.
    fn listed(&self, path: &std::path::Path) -> Result<Vec<(Aid, Aid)>, Failure> {
        let bytes = files::read(path, LIST_BYTES_MAX)?;
        let list: Value = serde_json::from_slice(&bytes).map_err(|error| {
            Failure::new(Code::CannotRead)
                .message(format!("{} is no list of what waits", path.display()))
                .because(error)
        })?;
        let recoveries = list.get("recoveries").and_then(Value::as_array);
        let all = recoveries.into_iter().flatten().map(open_pairs);
        all.into_iter()
            .find(|pairs| pairs.iter().any(|(old, _)| *old == self.aid))
            .ok_or_else(|| Failure::new(Code::NoRecovery))
    }
}

/// Old and new AIDs that nobody approved yet.
fn open_pairs(recovery: &Value) -> Vec<(Aid, Aid)> {
    let identities = recovery.get("identities").and_then(Value::as_array);
    let open = identities
        .into_iter()
        .flatten()
        .filter(|one| one.get("approved_by").is_none_or(Value::is_null));
    let aid = |one: &Value, key: &str| one.get(key)?.as_str()?.parse().ok();
    open.filter_map(|one| Some((aid(one, "old")?, aid(one, "new")?)))
        .collect()
}
