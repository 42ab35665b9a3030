//! What waits for the ledger: one file for each acceptance, 0600, overwritten when everything in it is certified.
//!
//! A file holds no secret but which AIDs belong together. It is written whole or not at all, before the patient's row
//! is: a file without a row was promised to nobody.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use contract::{Aid, Recovery, Registration, Replacement, encoding};
use serde::{Deserialize, Serialize};

/// The folder in a home.
const FOLDER: &str = "registration/queue";
/// What a file's name ends with.
const SUFFIX: &str = "job";
/// Bytes of the longest file.
const BYTES_MAX: usize = 32 << 10;

/// Names a job.
pub(super) type Name = [u8; 16];

/// What one acceptance asks of the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Job {
    /// When it was accepted.
    pub(super) since_ms: u64,
    pub(super) work: Work,
}

/// The calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Work {
    /// Registered together with others'.
    Register(Vec<Registration>),
    /// At once.
    Replace(Vec<Replacement>),
    /// Asked for at once.
    Recover(Vec<Recovery>),
    /// Asked for; waits for an approval and the delay. Old and new AID.
    Await(Vec<(Aid, Aid)>),
}

impl Work {
    /// The AIDs that it makes.
    pub(super) fn aids(&self) -> Vec<Aid> {
        match self {
            Self::Register(all) => all.iter().map(|one| one.record.aid).collect(),
            Self::Replace(all) => all.iter().map(|one| one.registration.record.aid).collect(),
            Self::Recover(all) => all.iter().map(|one| one.registration.record.aid).collect(),
            Self::Await(all) => all.iter().map(|(_, new)| *new).collect(),
        }
    }
}

/// The files, and what is in them.
#[derive(Debug)]
pub(super) struct Queue {
    folder: PathBuf,
    jobs: BTreeMap<Name, Job>,
}

impl Queue {
    /// Reads the queue of a home. What a crash left half written is removed.
    pub(super) fn open(home: &Path) -> io::Result<Self> {
        let folder = home.join(FOLDER);
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)?;
        let mut queue = Self {
            folder,
            jobs: BTreeMap::new(),
        };
        for entry in fs::read_dir(&queue.folder)? {
            let path = entry?.path();
            match name_of(&path) {
                Some(name) => {
                    let job = encoding::decode(&fs::read(&path)?, BYTES_MAX);
                    let job = job.map_err(|_malformed| damaged(&path))?;
                    queue.jobs.insert(name, job);
                }
                None => wipe(&path)?,
            }
        }
        Ok(queue)
    }

    /// The jobs by name.
    pub(super) fn jobs(&self) -> impl Iterator<Item = (&Name, &Job)> {
        self.jobs.iter()
    }

    /// The job that makes this AID.
    pub(super) fn of_aid(&self, aid: &Aid) -> Option<(&Name, &Job)> {
        self.jobs
            .iter()
            .find(|(_, job)| job.work.aids().contains(aid))
    }

    /// Writes a job; it is on the disk when this returns.
    pub(super) fn put(&mut self, name: Name, job: Job) -> io::Result<()> {
        let path = self.path(&name);
        let draft = path.with_extension("draft");
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&draft)?;
        file.write_all(&encoding::encode(&job))?;
        file.sync_all()?;
        fs::rename(&draft, &path)?;
        self.sync()?;
        self.jobs.insert(name, job);
        Ok(())
    }

    /// Overwrites and removes a job.
    pub(super) fn erase(&mut self, name: &Name) -> io::Result<()> {
        if self.jobs.remove(name).is_some() {
            wipe(&self.path(name))?;
            self.sync()?;
        }
        Ok(())
    }

    fn path(&self, name: &Name) -> PathBuf {
        self.folder.join(format!("{}.{SUFFIX}", hex::encode(name)))
    }

    fn sync(&self) -> io::Result<()> {
        File::open(&self.folder)?.sync_all()
    }
}

/// The job that a file holds.
fn name_of(path: &Path) -> Option<Name> {
    let stem = path.file_stem()?.to_str()?;
    (path.extension()?.to_str()? == SUFFIX).then_some(())?;
    hex::decode(stem).ok()?.try_into().ok()
}

fn damaged(path: &Path) -> io::Error {
    let text = format!("{} is damaged: restore it from its backup", path.display());
    io::Error::new(io::ErrorKind::InvalidData, text)
}

fn wipe(path: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).open(path)?;
    let length = usize::try_from(file.metadata()?.len()).unwrap_or(0);
    file.write_all(&vec![0; length])?;
    file.sync_data()?;
    fs::remove_file(path)
}
