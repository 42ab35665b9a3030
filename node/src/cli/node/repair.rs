//! `aidchain node repair`: back to a whole ledger from its own block file, or from the others.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use contract::{Genesis, Height};
use patient::code::{Code, Exit};
use patient::output::{Console, Failure};
use serde_json::json;
use tokio::sync::mpsc;

use super::backup::{genesis, of_store};
use super::failure::of_executor_error;
use super::restore::set_votes_aside;
use crate::clock::Clock;
use crate::executor::{self, Executor, ExecutorError};
use crate::limits;
use crate::mempool::Mempool;
use crate::node::Lock;
use crate::snapshot::{decide, install};
use crate::store::{Store, StoreError};

pub(super) const EXAMPLE: &str = "\
Example:
  aidchain node repair --home /var/lib/aidchain";

/// Whose ledger to repair.
#[derive(Clone, Debug, Args)]
pub(in super::super) struct Repair {
    /// Home of the node, which must not run
    #[arg(long, value_name = "DIR", env = "AIDCHAIN_HOME")]
    home: PathBuf,
}

/// What became of the ledger.
enum Repaired {
    /// It was executed again from its block file.
    Rebuilt(Height),
    /// It is set aside; the next start takes it from the others.
    FromOthers { why: &'static str, votes: Votes },
}

/// What becomes of the vote log.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Votes {
    /// It fits what the others certified.
    Kept,
    /// It does not, and is set aside.
    Lost,
}

impl Repair {
    pub(super) fn run(&self, console: &Console) -> Result<Exit, Failure> {
        let _lock = Lock::take(&self.home)
            .map_err(|error| Failure::new(Code::HomeInUse).message(error.to_string()))?;
        let (_, genesis) = genesis(&self.home)?;
        install::settle(&self.home).map_err(|error| of_store(&error))?;
        let repaired = if diverged(&self.home)? {
            self.give_up(
                "its result of a block was not the certified one",
                Votes::Lost,
            )?
        } else {
            self.rebuild(genesis)?
        };
        tell(console, &repaired)
    }

    /// Executes the block file again, from block 0.
    fn rebuild(&self, genesis: Arc<Genesis>) -> Result<Repaired, Failure> {
        let dir = self.home.join(executor::FOLDER);
        match Store::distrust(&dir) {
            Ok(()) => {}
            Err(error) => return Err(of_store(&error)),
        }
        let (outlet, _outgoing) = mpsc::channel(limits::OUTLET);
        let (pool, _submitter) = Mempool::new(Arc::clone(&genesis), Clock::start(), outlet);
        match Executor::start(&self.home, genesis, pool, drop) {
            Ok(started) => {
                let height = started.ledger.executed();
                if started.executor.stop().is_err() || started.thread.join().is_err() {
                    return Err(Failure::new(Code::StoreDamaged)
                        .message("the rebuilt ledger could not be made durable"));
                }
                Ok(Repaired::Rebuilt(height))
            }
            Err(ExecutorError::Store(StoreError::Beyond { .. })) => self.give_up(
                "the blocks from which it could be rebuilt are not kept here",
                Votes::Kept,
            ),
            Err(error) => Err(of_executor_error(&error)),
        }
    }

    /// Sets the ledger aside and asks the next start for a snapshot of the others.
    fn give_up(&self, why: &'static str, votes: Votes) -> Result<Repaired, Failure> {
        if votes == Votes::Lost {
            set_votes_aside(&self.home)?;
        }
        let ledger = self.home.join(executor::FOLDER);
        let aside = ledger.with_extension("broken");
        let moved = || {
            if aside.exists() {
                fs::remove_dir_all(&aside)?;
            }
            if ledger.exists() {
                fs::rename(&ledger, &aside)?;
            }
            Ok(())
        };
        moved().map_err(|cause: std::io::Error| {
            Failure::new(Code::CannotWrite)
                .message(format!("cannot set aside {}", ledger.display()))
                .because(cause)
        })?;
        decide::wish(&self.home, Height::new(0)).map_err(|error| of_store(&error))?;
        forget_divergence(&self.home)?;
        Ok(Repaired::FromOthers { why, votes })
    }
}

/// The files in which a divergence was written down.
fn divergences(home: &Path) -> Result<Vec<PathBuf>, Failure> {
    let cannot = |cause: std::io::Error| {
        Failure::new(Code::CannotRead)
            .message(format!("cannot read {}", home.display()))
            .because(cause)
    };
    let mut found = Vec::new();
    for entry in fs::read_dir(home).map_err(cannot)? {
        let path = entry.map_err(cannot)?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let is_one = name.is_some_and(|name| name.starts_with("diverged-"))
            && path.extension().is_some_and(|it| it == "txt");
        if is_one {
            found.push(path);
        }
    }
    Ok(found)
}

/// Whether this node's result of some block was not the certified one.
fn diverged(home: &Path) -> Result<bool, Failure> {
    Ok(!divergences(home)?.is_empty())
}

/// Keeps what was written down under a name that no later repair takes for a new divergence.
fn forget_divergence(home: &Path) -> Result<(), Failure> {
    for path in divergences(home)? {
        fs::rename(&path, path.with_extension("repaired.txt.old")).map_err(|cause| {
            Failure::new(Code::CannotWrite)
                .message(format!("cannot rename {}", path.display()))
                .because(cause)
        })?;
    }
    Ok(())
}

/// Says what became of the ledger, and what comes next.
fn tell(console: &Console, repaired: &Repaired) -> Result<Exit, Failure> {
    let (object, text, talk) = match repaired {
        Repaired::Rebuilt(height) => (
            json!({ "schema": "aidchain.repair/1", "repaired": "rebuilt", "height": height.get() }),
            format!("the ledger was executed again from its block file, up to block {height}"),
            "Start the node: what is missing above comes from its vote log and from the others.",
        ),
        Repaired::FromOthers { why, votes } => (
            json!({ "schema": "aidchain.repair/1", "repaired": "from_others", "votes_lost": *votes == Votes::Lost }),
            format!("the ledger is set aside as ledger.broken: {why}"),
            if *votes == Votes::Lost {
                "Start the node: it takes the ledger from the others. What it signed does not fit \
                 what they certified, so its votes are lost in this epoch."
            } else {
                "Start the node: it takes the ledger from the others."
            },
        ),
    };
    console.data(&object, &text)?;
    console.talk(talk);
    Ok(Exit::Ok)
}
