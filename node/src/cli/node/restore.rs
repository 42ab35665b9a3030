//! `aidchain node restore`: a ledger from a backup. The votes are not in it, and so they are lost.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use patient::code::{Code, Exit};
use patient::output::{Console, Failure};
use serde_json::json;

use super::backup::{of_store, plant};
use crate::executor;
use crate::node::Lock;
use crate::snapshot::install::{self, DRAFT};
use crate::votelog;

pub(super) const EXAMPLE: &str = "\
Example:
  aidchain node restore --home /var/lib/aidchain --from 2026-11-22.backup";

/// Which backup, and where to.
#[derive(Clone, Debug, Args)]
pub(in super::super) struct Restore {
    /// Home of the node: its keys, node.toml and genesis.json must be there
    #[arg(long, value_name = "DIR", env = "AIDCHAIN_HOME")]
    home: PathBuf,
    /// The backup
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// Replace the ledger that is there
    #[arg(long)]
    replace: bool,
}

impl Restore {
    pub(super) fn run(&self, console: &Console) -> Result<Exit, Failure> {
        let _lock = Lock::take(&self.home)
            .map_err(|error| Failure::new(Code::HomeInUse).message(error.to_string()))?;
        install::settle(&self.home).map_err(|error| of_store(&error))?;
        let ledger = self.home.join(executor::FOLDER);
        if ledger.exists() && !self.replace {
            return Err(Failure::new(Code::FileExists)
                .message(format!("{} exists already", ledger.display()))
                .help("add --replace to give it up for the backup")
                .note("no changes were made"));
        }
        let summary = plant(&self.home, &self.from, &self.home.join(DRAFT))?;
        // Before the ledger takes its place: a crash in between leaves a node that signs nothing.
        let votes = set_votes_aside(&self.home)?;
        install::replace(&self.home).map_err(|error| of_store(&error))?;
        let object = json!({
            "schema": "aidchain.restore/1",
            "height": summary.height.get(),
            "lowest_block": summary.lowest.get(),
            "votes": "lost",
            "votes_set_aside": votes.as_ref().map(|path| path.display().to_string()),
        });
        let text = format!(
            "the ledger is restored up to block {}, every hash checked",
            summary.height
        );
        console.data(&object, &text)?;
        console.talk(
            "What this member signed after the backup is not known, so its votes are lost: the node \
             follows the others and signs nothing in this epoch.",
        );
        Ok(Exit::Ok)
    }
}

/// Vote logs that may be set aside in one home.
const ASIDE_MAX: u32 = 1_000;

/// Puts the vote log where no node looks for it: what it says does not fit a ledger of the past.
pub(super) fn set_votes_aside(home: &Path) -> Result<Option<PathBuf>, Failure> {
    let votes = home.join(votelog::FOLDER);
    if !votes.exists() {
        return Ok(None);
    }
    let aside = (1..ASIDE_MAX)
        .map(|number| home.join(format!("{}.aside-{number}", votelog::FOLDER)))
        .find(|path| !path.exists());
    let aside = aside.ok_or_else(|| {
        let text = format!("{ASIDE_MAX} vote logs are set aside already: remove some");
        Failure::new(Code::FileExists).message(text)
    })?;
    fs::rename(&votes, &aside)
        .and_then(|()| fs::File::open(home)?.sync_all())
        .map_err(|cause| {
            Failure::new(Code::CannotWrite)
                .message(format!("cannot rename {}", votes.display()))
                .because(cause)
        })?;
    Ok(Some(aside))
}
