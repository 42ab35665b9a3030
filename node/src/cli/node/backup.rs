//! `aidchain node backup`: the ledger in one file, of a running node or of one that stands still.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Subcommand};
use contract::Genesis;
use patient::code::{Code, Exit};
use patient::output::{Console, Failure};
use serde_json::json;

use super::failure::of_config;
use crate::config::{Config, Overrides};
use crate::control;
use crate::executor;
use crate::keys::Keys;
use crate::node::Lock;
use crate::snapshot::archive::{self, Archive, BackupError, Summary};
use crate::store::{Opened, Store, StoreError};

pub(super) const EXAMPLE: &str = "\
Example:
  aidchain node backup --home /var/lib/aidchain --to 2026-11-22.backup";

const VERIFY_EXAMPLE: &str = "\
Example:
  aidchain node backup verify --home /var/lib/aidchain 2026-11-22.backup";

/// What to back up, and where to.
#[derive(Clone, Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(in super::super) struct Backup {
    #[command(subcommand)]
    check: Option<Check>,
    #[command(flatten)]
    make: Option<Make>,
}

/// Making a backup.
#[derive(Clone, Debug, Args)]
struct Make {
    /// Home of the node
    #[arg(long, value_name = "DIR", env = "AIDCHAIN_HOME")]
    home: PathBuf,
    /// The file to make
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
}

/// Checking a backup.
#[derive(Clone, Debug, Subcommand)]
enum Check {
    /// Restore a backup into a folder that is thrown away, checking every hash and signature in it
    #[command(after_help = VERIFY_EXAMPLE)]
    Verify(Verify),
}

/// Which backup to check.
#[derive(Clone, Debug, Args)]
struct Verify {
    /// Home of a node of that ledger: its genesis.json is what is trusted
    #[arg(long, value_name = "DIR", env = "AIDCHAIN_HOME")]
    home: PathBuf,
    /// The backup
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl Backup {
    pub(super) fn run(&self, console: &Console) -> Result<Exit, Failure> {
        match (&self.check, &self.make) {
            (Some(Check::Verify(verify)), _) => verify.run(console),
            (None, Some(make)) => make.run(console),
            (None, None) => {
                Err(Failure::new(Code::Usage).message("say where the backup goes: --to FILE"))
            }
        }
    }
}

impl Make {
    fn run(&self, console: &Console) -> Result<Exit, Failure> {
        if self.to.exists() {
            let text = format!("{} exists already", self.to.display());
            return Err(Failure::new(Code::FileExists).message(text));
        }
        let draft = self.to.with_extension("backup.new");
        let made = self.make(&draft);
        if made.is_err() && draft.exists() {
            // The failure is being told; a rest that cannot be removed is found by its name.
            drop(fs::remove_file(&draft));
        }
        let summary = made?;
        fs::rename(&draft, &self.to).map_err(|cause| write_failure(&self.to, &cause))?;
        tell(console, "aidchain.backup/1", &self.to, &summary)?;
        Ok(Exit::Ok)
    }

    /// Writes the backup and reads it again, so that a file that was cut is never kept.
    fn make(&self, draft: &Path) -> Result<Summary, Failure> {
        let file = File::create(draft).map_err(|cause| write_failure(draft, &cause))?;
        let mut to = BufWriter::new(file);
        let copied = control::back_up(&self.home, &mut to);
        let copied = copied.map_err(|cause| write_failure(draft, &cause))?;
        if copied.is_none() {
            self.copy_still(&mut to)?;
        }
        to.flush()
            .and_then(|()| to.get_ref().sync_all())
            .map_err(|cause| write_failure(draft, &cause))?;
        verified(&self.home, draft)
    }

    /// Reads the store of a node that does not run.
    fn copy_still(&self, to: &mut impl Write) -> Result<(), Failure> {
        let config = Config::load(&self.home, &Overrides::default());
        let config = config.map_err(|error| of_config(&error))?;
        let _lock = Lock::take(&self.home)
            .map_err(|error| Failure::new(Code::HomeInUse).message(error.to_string()))?;
        let keys =
            Keys::load(&self.home).map_err(|error| super::super::home::key_failure(&error))?;
        let (bytes, genesis) = genesis(&config.home)?;
        let dir = self.home.join(executor::FOLDER);
        let (store, opened) = Store::open(&dir, genesis).map_err(|error| of_store(&error))?;
        if let Opened::Rebuilt { why } = opened {
            return Err(Failure::new(Code::StoreDamaged).message(why));
        }
        archive::write(&store.reader(), &bytes, keys.member(), to)
            .map(drop)
            .map_err(|error| of_backup(&error))
    }
}

impl Verify {
    fn run(&self, console: &Console) -> Result<Exit, Failure> {
        let summary = verified(&self.home, &self.file)?;
        tell(console, "aidchain.backup-verify/1", &self.file, &summary)?;
        Ok(Exit::Ok)
    }
}

/// Restores a backup into a folder beside it that is removed again.
fn verified(home: &Path, file: &Path) -> Result<Summary, Failure> {
    let scratch = file.with_extension("verifying");
    let planted = plant(home, file, &scratch);
    if scratch.exists() {
        fs::remove_dir_all(&scratch).map_err(|cause| write_failure(&scratch, &cause))?;
    }
    planted
}

/// Makes a ledger of a backup, and opens it as a node would.
pub(super) fn plant(home: &Path, file: &Path, dir: &Path) -> Result<Summary, Failure> {
    let (bytes, genesis) = genesis(home)?;
    let archive = Archive::open(file, &bytes).map_err(|error| of_backup(&error))?;
    let height = archive.height();
    let summary = archive.plant(dir).map_err(|error| of_backup(&error))?;
    let (_, opened) = Store::open(dir, genesis).map_err(|error| of_store(&error))?;
    if opened == Opened::Intact(height) {
        return Ok(summary);
    }
    Err(Failure::new(Code::BackupFalse).message("the restored ledger does not open"))
}

/// The genesis file of a home.
pub(super) fn genesis(home: &Path) -> Result<(Vec<u8>, Arc<Genesis>), Failure> {
    let path = home.join(super::super::home::GENESIS);
    let bytes = fs::read(&path).map_err(|cause| {
        Failure::new(Code::HomeIncomplete)
            .message(format!("cannot read {}", path.display()))
            .because(cause)
    })?;
    let genesis =
        Genesis::parse(&bytes).map_err(|cause| Failure::new(Code::BadGenesis).because(cause))?;
    Ok((bytes, Arc::new(genesis)))
}

/// Says what a backup holds.
fn tell(console: &Console, schema: &str, file: &Path, summary: &Summary) -> Result<(), Failure> {
    let Summary {
        height,
        lowest,
        bytes,
        maker,
    } = summary;
    let object = json!({
        "schema": schema,
        "file": file.display().to_string(),
        "height": height.get(),
        "lowest_block": lowest.get(),
        "bytes": bytes,
        "maker": hex::encode(maker),
    });
    let text = format!(
        "{}: block {height} with its state and blocks from {lowest} on, {bytes} bytes, every hash checked",
        file.display()
    );
    console.data(&object, &text)
}

/// A file that cannot be written.
fn write_failure(path: &Path, cause: &std::io::Error) -> Failure {
    Failure::new(Code::CannotWrite)
        .message(format!("cannot write {}", path.display()))
        .because(cause)
}

/// A store that cannot be used.
pub(in super::super) fn of_store(error: &StoreError) -> Failure {
    let code = match error {
        StoreError::DiskFull { .. } | StoreError::Disk { .. } => Code::DiskFull,
        StoreError::OtherChain { .. } => Code::OtherStore,
        StoreError::Version { .. } => Code::NewerStore,
        StoreError::Database { .. }
        | StoreError::Damaged { .. }
        | StoreError::Beyond { .. }
        | StoreError::TooLarge { .. } => Code::StoreDamaged,
    };
    Failure::new(code).message(error.to_string())
}

/// A backup that cannot be made or is not taken.
fn of_backup(error: &BackupError) -> Failure {
    let code = match error {
        BackupError::Store(error) => return of_store(error),
        BackupError::File(_) | BackupError::Moved(_) => Code::CannotRead,
        BackupError::Unread(_) => Code::StoreDamaged,
        BackupError::Empty => Code::NothingCertified,
        BackupError::OtherChain { .. } => Code::OtherStore,
        BackupError::Malformed(_)
        | BackupError::Signature
        | BackupError::Unproved(_)
        | BackupError::NotPlanted(_) => Code::BackupFalse,
    };
    Failure::new(code).message(error.to_string())
}
