//! `aidchain explorer login`: a token for somebody who may read.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use patient::clock;
use patient::code::{Code, Exit};
use patient::output::{Console, Failure};
use serde_json::json;

use crate::access::{self, AccessError, Role, TOKEN_TTL_MS};
use crate::config::FILE;

const EXAMPLE: &str = "\
Example:
  aidchain explorer login --role auditor --home /var/lib/aidchain > token";

/// Let somebody read the explorer
#[derive(Clone, Debug, Subcommand)]
pub(super) enum ExplorerCommand {
    /// Print a token for the explorer and the member interface; only its hash is kept
    #[command(after_help = EXAMPLE)]
    Login(Login),
}

impl ExplorerCommand {
    pub(super) fn run(&self, console: &Console) -> Result<Exit, Failure> {
        match self {
            Self::Login(command) => command.run(console),
        }
    }
}

/// Who may see what, where.
#[derive(Clone, Debug, Args)]
pub(super) struct Login {
    /// viewer (blocks, counts), auditor (also AIDs and results), operator (also the node) or rc-officer (the desk)
    #[arg(long, value_name = "ROLE")]
    role: Role,
    /// Home of the node
    #[arg(long, value_name = "DIR", env = "AIDCHAIN_HOME")]
    home: PathBuf,
}

impl Login {
    fn run(&self, console: &Console) -> Result<Exit, Failure> {
        if !self.home.join(FILE).exists() {
            return Err(Failure::new(Code::HomeIncomplete)
                .message(format!("{} is not the home of a node", self.home.display())));
        }
        let token = access::issue(&self.home, self.role, clock::wall_ms())
            .map_err(|error| failure(&error))?;
        let object = json!({
            "schema": "aidchain.explorer-login/1",
            "role": self.role.to_string(),
            "token": token.reveal().as_str(),
            "valid_ms": TOKEN_TTL_MS,
        });
        console.data(&object, token.reveal().as_str())?;
        console.talk(&format!(
            "A token for the role {}, valid for {} hours. Keep it in a file of mode 0600.",
            self.role,
            TOKEN_TTL_MS / 3_600_000
        ));
        Ok(Exit::Ok)
    }
}

fn failure(error: &AccessError) -> Failure {
    let code = match error {
        AccessError::File { .. } => Code::CannotWrite,
        AccessError::Damaged { .. } => Code::BadConfig,
        AccessError::TooMany { .. } => Code::Overloaded,
        AccessError::NoRandomness(_) => Code::Bug,
    };
    Failure::new(code).message(error.to_string())
}
