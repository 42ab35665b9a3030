//! `aidchain member …`: who belongs to the consortium, and the members' votes on it.

pub(super) mod at;
mod list;
mod request;
mod vote;

use clap::Subcommand;
use patient::code::Exit;
use patient::output::{Console, Failure};

const REQUEST_EXAMPLE: &str = "\
Example, on the newcomer's machine:
  aidchain member request --home /var/lib/aidchain --genesis genesis.json --name clinic-d \\
    --p2p 10.0.0.9:7100 --api https://10.0.0.9:8100";
const APPROVE_EXAMPLE: &str = "\
Example, on each member's machine:
  aidchain member approve clinic-d.request.json --home /var/lib/aidchain";
const LIST_EXAMPLE: &str = "Example:\n  aidchain member list --node http://127.0.0.1:8200";
const REMOVE_EXAMPLE: &str =
    "Example:\n  aidchain member remove clinic-c --lower-faults --home /var/lib/aidchain";
const REPLACE_EXAMPLE: &str =
    "Example:\n  aidchain member replace clinic-c clinic-d.request.json --home /var/lib/aidchain";
const SET_EXAMPLE: &str =
    "Example:\n  aidchain member set protocol_version=2 --home /var/lib/aidchain";
const CANCEL_EXAMPLE: &str = "Example:\n  aidchain member cancel CHANGE --home /var/lib/aidchain";

/// Say who belongs to the consortium, and vote on it
#[derive(Clone, Debug, Subcommand)]
pub(super) enum MemberCommand {
    /// Ask to become a member: make keys here and a file with the public ones
    #[command(after_help = REQUEST_EXAMPLE)]
    Request(request::Request),
    /// Approve newcomers by their files, or any proposed change by its id
    #[command(after_help = APPROVE_EXAMPLE)]
    Approve(vote::Approve),
    /// List members, what is proposed and how many approve it
    #[command(after_help = LIST_EXAMPLE)]
    List(list::List),
    /// Propose that members leave, or approve that
    #[command(after_help = REMOVE_EXAMPLE)]
    Remove(vote::Remove),
    /// Propose that a newcomer takes a member's place, or approve that
    #[command(after_help = REPLACE_EXAMPLE)]
    Replace(vote::Replace),
    /// Propose other values of the ledger's parameters, or approve them
    #[command(after_help = SET_EXAMPLE)]
    Set(vote::Set),
    /// Close one's own proposal, or take one's approval back
    #[command(after_help = CANCEL_EXAMPLE)]
    Cancel(vote::Cancel),
}

impl MemberCommand {
    pub(super) fn run(&self, console: &Console) -> Result<Exit, Failure> {
        match self {
            Self::Request(command) => command.run(console),
            Self::Approve(command) => command.run(console),
            Self::List(command) => command.run(console),
            Self::Remove(command) => command.run(console),
            Self::Replace(command) => command.run(console),
            Self::Set(command) => command.run(console),
            Self::Cancel(command) => command.run(console),
        }
    }
}
