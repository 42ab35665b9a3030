//! Proposing and approving. Whoever comes first proposes, everybody after that approves the same change.

use std::path::{Path, PathBuf};

use clap::Args;
use contract::Call;
use contract::contracts::membership::{
    Candidate, MembershipChange, ParameterChange, Replacement, faults, quorum,
};
use contract::identity::{ChangeId, ServerId};
use patient::code::{Code, Exit};
use patient::output::{Console, Failure};
use serde_json::json;

use super::at::{At, Consortium, Seat, Submitted, Voter};
use super::request::RequestFile;

/// Whom to approve.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct Approve {
    /// Files of `member request`: all of them become members at once
    #[arg(value_name = "FILE", required_unless_present = "change")]
    files: Vec<PathBuf>,
    /// Id of a proposed change, as `member list` shows it
    #[arg(long, value_name = "CHANGE", conflicts_with = "files")]
    change: Option<String>,
    #[command(flatten)]
    at: At,
}

/// Who leaves.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct Remove {
    /// Names of members
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
    /// Accept that the consortium bears fewer faulty members afterwards
    #[arg(long)]
    lower_faults: bool,
    #[command(flatten)]
    at: At,
}

/// Who comes in whose place.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct Replace {
    /// Name of the member that leaves
    #[arg(value_name = "NAME")]
    name: String,
    /// The newcomer's file of `member request`
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    at: At,
}

/// Which parameters.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct Set {
    /// Parameters of the ledger and their new values
    #[arg(value_name = "NAME=VALUE", required = true)]
    parameters: Vec<String>,
    #[command(flatten)]
    at: At,
}

/// Which change.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct Cancel {
    /// Its id, as `member list` shows it
    #[arg(value_name = "CHANGE")]
    change: String,
    #[command(flatten)]
    at: At,
}

impl Approve {
    pub(super) fn run(&self, console: &Console) -> Result<Exit, Failure> {
        let vote = Vote::of(&self.at)?;
        if let Some(text) = &self.change {
            let id = vote.open(change_id(text)?)?;
            return vote.approve(console, id);
        }
        let add = self.files.iter().map(|path| vote.candidate(path));
        let change = MembershipChange {
            add: add.collect::<Result<_, _>>()?,
            ..MembershipChange::default()
        };
        vote.cast(console, change)
    }
}

impl Remove {
    pub(super) fn run(&self, console: &Console) -> Result<Exit, Failure> {
        let vote = Vote::of(&self.at)?;
        let leavers = self.names.iter().map(|name| vote.member(name));
        let remove: Vec<ServerId> = leavers.collect::<Result<_, _>>()?;
        let before = vote.members.members.len();
        let after = before.saturating_sub(remove.len());
        let (f_before, f_after) = (faults(before), faults(after));
        if f_after < f_before && !self.lower_faults {
            return Err(Failure::new(Code::RiskNotAccepted)
                .message(format!(
                    "with {after} members the consortium bears {f_after} faulty ones, now {f_before}"
                ))
                .note("no changes were made")
                .help("accept that with --lower-faults, or replace the member"));
        }
        let change = MembershipChange {
            remove,
            lower_faults: self.lower_faults,
            ..MembershipChange::default()
        };
        vote.cast(console, change)
    }
}

impl Replace {
    pub(super) fn run(&self, console: &Console) -> Result<Exit, Failure> {
        let vote = Vote::of(&self.at)?;
        let change = MembershipChange {
            replace: vec![Replacement {
                leaver: vote.member(&self.name)?,
                candidate: vote.candidate(&self.file)?,
            }],
            ..MembershipChange::default()
        };
        vote.cast(console, change)
    }
}

impl Set {
    pub(super) fn run(&self, console: &Console) -> Result<Exit, Failure> {
        let vote = Vote::of(&self.at)?;
        let parameters = self.parameters.iter().map(|text| parameter(text));
        let change = MembershipChange {
            parameters: parameters.collect::<Result<_, _>>()?,
            ..MembershipChange::default()
        };
        vote.cast(console, change)
    }
}

impl Cancel {
    pub(super) fn run(&self, console: &Console) -> Result<Exit, Failure> {
        let vote = Vote::of(&self.at)?;
        let id = vote.open(change_id(&self.change)?)?;
        let done = vote.submit(Call::CancelChange(id))?;
        vote.report(console, id, "cancelled", &done)
    }
}

/// A member about to vote.
struct Vote {
    voter: Voter,
    members: Consortium,
    seat: Seat,
}

impl Vote {
    fn of(at: &At) -> Result<Self, Failure> {
        let voter = at.voter()?;
        let members = voter.members()?;
        let seat = voter.seat(&members)?.clone();
        Ok(Self {
            voter,
            members,
            seat,
        })
    }

    /// The id of the member with this name.
    fn member(&self, name: &str) -> Result<ServerId, Failure> {
        let mut seats = self.members.members.iter();
        let found = seats.find(|seat| seat.name == name);
        found.map(|seat| seat.server_id).ok_or_else(|| {
            let names: Vec<_> = self
                .members
                .members
                .iter()
                .map(|it| it.name.as_str())
                .collect();
            Failure::new(Code::NoSuchServer)
                .message(format!("{name:?} is no member"))
                .because(format!("the members are {}", names.join(", ")))
        })
    }

    /// The newcomer in a file, if it asks to join this ledger.
    fn candidate(&self, path: &Path) -> Result<Candidate, Failure> {
        RequestFile::read(path, self.voter.genesis().chain())
    }

    /// Proposes a change, or approves it where it is proposed already.
    fn cast(&self, console: &Console, change: MembershipChange) -> Result<Exit, Failure> {
        let id = change.id(self.voter.genesis().chain());
        if self.members.changes.iter().any(|open| open.id == id) {
            return self.approve(console, id);
        }
        match self.submit(Call::ProposeChange(Box::new(change))) {
            Ok(done) => self.report(console, id, "proposed", &done),
            Err(refused) => {
                // Somebody proposed it in a block that this node had not yet.
                let now = self.voter.members()?;
                if now.changes.iter().any(|open| open.id == id) {
                    self.approve(console, id)
                } else {
                    Err(refused)
                }
            }
        }
    }

    fn approve(&self, console: &Console, id: ChangeId) -> Result<Exit, Failure> {
        let done = self.submit(Call::ApproveChange(id))?;
        self.report(console, id, "approved", &done)
    }

    fn submit(&self, call: Call) -> Result<Submitted, Failure> {
        self.voter.submit(&self.seat, call)
    }

    /// The id, if the change is open.
    fn open(&self, id: ChangeId) -> Result<ChangeId, Failure> {
        if self.members.changes.iter().any(|open| open.id == id) {
            return Ok(id);
        }
        Err(Failure::new(Code::NoSuchChange)
            .message(format!("no open change has the id {id}"))
            .because("it was decided, closed, or never proposed"))
    }

    /// Says what became of the vote, and where the change stands now.
    fn report(
        &self,
        console: &Console,
        id: ChangeId,
        action: &str,
        done: &Submitted,
    ) -> Result<Exit, Failure> {
        let now = self.voter.members()?;
        let open = now.changes.iter().find(|open| open.id == id);
        let stage = match (open, done.epoch_ends_at()) {
            (_, Some(last)) => format!("decided: the epoch ends with block {last}"),
            (Some(open), None) => open.stage.clone(),
            (None, None) => "closed".to_owned(),
        };
        let known = open.or_else(|| self.members.changes.iter().find(|open| open.id == id));
        let f = known.map(|open| (open.faults_before, open.faults_after));
        let object = json!({
            "schema": "aidchain.vote/1", "change": id, "action": action, "stage": stage,
            "transaction": done.hash, "height": done.height, "epoch_ends_at": done.epoch_ends_at(),
            "faults_before": f.map(|(before, _)| before), "faults_after": f.map(|(_, after)| after),
        });
        let members = self.members.members.len();
        let bears = f.map_or_else(String::new, |(before, after)| {
            format!("\n  faulty members it bears: {before} now, {after} afterwards")
        });
        let text = format!(
            "{} {action} change {id}.\n  {stage} ({} of {members} members decide){bears}",
            self.seat.name,
            quorum(members)
        );
        console.data(&object, &text)?;
        Ok(Exit::Ok)
    }
}

fn change_id(text: &str) -> Result<ChangeId, Failure> {
    text.parse().map_err(|error| {
        Failure::new(Code::NotAHash)
            .because(error)
            .help("copy the change's id from: aidchain member list")
    })
}

fn parameter(text: &str) -> Result<ParameterChange, Failure> {
    let parts = text.split_once('=');
    let read = parts.and_then(|(name, value)| Some((name.to_owned(), value.parse().ok()?)));
    let (name, value) = read.ok_or_else(|| {
        Failure::new(Code::Usage)
            .message(format!("{text:?} is not NAME=VALUE with a whole number"))
            .help("the names stand under \"parameters\" in genesis.json")
    })?;
    Ok(ParameterChange { name, value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_a_name_and_a_whole_number() {
        let read = parameter("depth=3").expect("good");

        assert_eq!((read.name.as_str(), read.value), ("depth", 3));
        for wrong in ["depth", "depth=", "depth=-1", "depth=1.5", "=x"] {
            assert_eq!(parameter(wrong).expect_err(wrong).code(), Code::Usage);
        }
    }
}
