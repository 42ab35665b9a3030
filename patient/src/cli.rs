//! The patient's commands, the same in both binaries.

pub mod auth;
mod bounds;
pub mod change;
mod enrolment;
mod given;
pub mod history;
mod mine;
pub mod receipt;
pub mod recover;
pub mod register;
pub mod renew;
pub mod revoke;
mod start;

use clap::{Args, Subcommand};

pub use self::receipt::ReceiptCommand;
pub use self::start::{end, parse};

use crate::code::Exit;
use crate::output::{Console, Failure, Form, Input, Talk};

/// Flags that every command takes.
#[derive(Clone, Copy, Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line, turned into a type at once"
)]
pub struct Global {
    /// Print one JSON object on stdout, errors included
    #[arg(long, global = true)]
    json: bool,
    /// Say nothing on stderr but errors
    #[arg(long, short, global = true)]
    quiet: bool,
    /// Never ask on the terminal: what is missing is an error
    #[arg(long, global = true)]
    no_input: bool,
}

impl Global {
    /// The console that the flags ask for.
    pub const fn console(&self) -> Console {
        let form = if self.json { Form::Json } else { Form::Text };
        let talk = if self.quiet {
            Talk::Quiet
        } else {
            Talk::Normal
        };
        let input = if self.no_input {
            Input::Never
        } else {
            Input::Ask
        };
        Console::new(form, talk, input)
    }
}

/// Register and sign in
#[derive(Clone, Debug, Subcommand)]
pub enum PatientCommand {
    /// Enrol at the registration centre and keep the credential card
    #[command(after_help = register::EXAMPLE)]
    Register(Box<register::Register>),
    /// Sign in at a member and keep the receipt
    #[command(after_help = auth::EXAMPLE)]
    Auth(Box<auth::Auth>),
    /// Change the password or the face of the card
    #[command(subcommand)]
    Change(change::Change),
    /// Move to another device
    #[command(after_help = renew::MOVE_EXAMPLE)]
    Move(Box<renew::Move>),
    /// Register sixteen more identities when the old ones are used up
    #[command(after_help = renew::RENEW_EXAMPLE)]
    Renew(Box<renew::Renew>),
    /// Make a new card when the old one, its device or its password is lost
    #[command(after_help = recover::EXAMPLE)]
    Recover(Box<recover::Recover>),
    /// Show what the ledger says about your identities
    #[command(after_help = history::EXAMPLE)]
    History(Box<history::ShowHistory>),
    /// End identities for ever
    #[command(after_help = revoke::REVOKE_EXAMPLE)]
    Revoke(Box<revoke::Revoke>),
    /// Object to a recovery that you did not ask for
    #[command(after_help = revoke::CANCEL_EXAMPLE)]
    CancelRecovery(Box<revoke::Ordered>),
}

impl PatientCommand {
    /// Does what was asked.
    pub fn run(&self, console: &Console) -> Result<Exit, Failure> {
        match self {
            Self::Register(command) => command.run(console),
            Self::Auth(command) => command.run(console),
            Self::Change(command) => command.run(console),
            Self::Move(command) => command.run(console),
            Self::Renew(command) => command.run(console),
            Self::Recover(command) => command.run(console),
            Self::History(command) => command.run(console),
            Self::Revoke(command) => command.run(console),
            Self::CancelRecovery(command) => command.cancel(console),
        }
    }
}
