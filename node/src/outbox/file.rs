//! The outbox's file: frames one behind the other.

use std::{
    fs::{self, OpenOptions, TryLockError},
    io,
    os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use contract::{Aid, AuthResult, SessionId, encoding};
use tracing::warn;

use super::{Key, OutboxError};
use crate::store::frame::{self, Frame, Salt};

/// The folder in a home for what this member keeps of sign-ins.
pub(crate) const FOLDER: &str = "sign-ins";
/// The outbox in it.
pub(super) const FILE: &str = "outbox";
/// First octets of the file; its salt follows.
const MAGIC: &[u8; 18] = b"aidchain-outbox/1\n";
/// Octets before the first frame.
const HEAD: usize = 34;
/// Most frames that are read beside two for each sign-in that waits.
const SPARE: usize = 1_024;
/// Octets of a result in the ledger's encoding.
const RESULT_BYTES: usize = contract::record::AUTH_RESULT_BYTES;

/// What a frame says.
#[derive(Debug)]
pub(super) enum Record {
    /// A sign-in waits.
    Accepted(Box<AuthResult>),
    /// It waits no more.
    Settled(Key),
}

/// The open file.
#[derive(Debug)]
pub(super) struct File {
    path: PathBuf,
    open: fs::File,
    salt: Salt,
    /// Where the next frame goes.
    end: u64,
    /// How many frames there are.
    frames: usize,
}

impl File {
    /// Opens the file of a home, or makes it, and reads its frames up to the first that is not whole.
    pub(super) fn open(home: &Path) -> Result<(Self, Vec<Record>), OutboxError> {
        let folder = home.join(FOLDER);
        let path = folder.join(FILE);
        let failed = |cause| OutboxError::Access {
            path: path.clone(),
            cause,
        };
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)
            .map_err(failed)?;
        let file = locked(&path, &path)?;
        let mode = file.metadata().map_err(failed)?.permissions().mode();
        if mode & 0o077 != 0 {
            let mode = mode & 0o7777;
            return Err(OutboxError::TooOpen { path, mode });
        }
        let bytes = fs::read(&path).map_err(failed)?;
        // A head that a crash cut off stands in front of nothing.
        if bytes.len() < HEAD {
            let salt = begin(&file).map_err(failed)?;
            sync_folder(&folder).map_err(failed)?;
            return Ok((Self::begun(path, file, salt), Vec::new()));
        }
        let salt = bytes
            .strip_prefix(MAGIC)
            .and_then(|rest| rest.first_chunk());
        let Some(salt) = salt.copied() else {
            return Err(OutboxError::Foreign { path });
        };
        let (records, end) = read(&salt, &bytes);
        if frame::any_behind(&salt, &bytes, end) {
            let aside = path.with_extension("broken");
            fs::write(&aside, &bytes).map_err(failed)?;
            warn!(event = "outbox_damaged", aside = %aside.display(), "the outbox is damaged: the sign-ins behind the damage stay claims of their patients");
        }
        let mut outbox = Self::begun(path, file, salt);
        outbox.frames = records.len();
        outbox.end = u64::try_from(end).unwrap_or(u64::MAX);
        outbox.cut()?;
        Ok((outbox, records))
    }

    /// Appends frames; they are on the disk after [`Self::sync`].
    pub(super) fn append(&mut self, records: &[Record]) -> Result<(), OutboxError> {
        let mut bytes = Vec::new();
        for record in records {
            let payload = payload(record);
            bytes.extend(frame::head(&self.salt, &payload).into_iter().flatten());
            bytes.extend(payload);
        }
        // At its place: what a failed write left behind is written over by the next.
        self.open
            .write_all_at(&bytes, self.end)
            .map_err(|cause| self.failed(cause))?;
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.end = self.end.saturating_add(length);
        self.frames = self.frames.saturating_add(records.len());
        Ok(())
    }

    /// Waits for the disk.
    pub(super) fn sync(&self) -> Result<(), OutboxError> {
        self.open.sync_data().map_err(|cause| self.failed(cause))
    }

    /// Nothing waits any more. It does not wait for the disk: what a crash brings back, the ledger has.
    pub(super) fn clear(&mut self) -> Result<(), OutboxError> {
        self.frames = 0;
        self.end = START;
        self.open
            .set_len(self.end)
            .map_err(|cause| self.failed(cause))
    }

    /// Whether the file is much longer than what waits in it.
    pub(super) const fn is_mostly_settled(&self, waiting: usize) -> bool {
        self.frames > waiting.saturating_mul(2).saturating_add(SPARE)
    }

    /// Puts a file with these sign-ins alone into the place of this one.
    pub(super) fn rewrite(&mut self, waiting: Vec<AuthResult>) -> Result<(), OutboxError> {
        let draft = self.path.with_extension("new");
        let file = locked(&draft, &self.path)?;
        file.set_len(0).map_err(|cause| self.failed(cause))?;
        let salt = begin(&file).map_err(|cause| self.failed(cause))?;
        let mut fresh = Self::begun(self.path.clone(), file, salt);
        let records: Vec<Record> = waiting
            .into_iter()
            .map(|result| Record::Accepted(Box::new(result)))
            .collect();
        fresh.append(&records)?;
        fresh.sync()?;
        fs::rename(&draft, &self.path).map_err(|cause| self.failed(cause))?;
        let folder = self.path.parent().unwrap_or(&self.path);
        sync_folder(folder).map_err(|cause| self.failed(cause))?;
        *self = fresh;
        Ok(())
    }

    /// A file with a head and no frame.
    const fn begun(path: PathBuf, open: fs::File, salt: Salt) -> Self {
        Self {
            path,
            open,
            salt,
            end: START,
            frames: 0,
        }
    }

    /// Cuts off what stands behind the last frame.
    fn cut(&self) -> Result<(), OutboxError> {
        self.open
            .set_len(self.end)
            .and_then(|()| self.open.sync_data())
            .map_err(|cause| self.failed(cause))
    }

    fn failed(&self, cause: io::Error) -> OutboxError {
        OutboxError::Access {
            path: self.path.clone(),
            cause,
        }
    }
}

/// Where the first frame stands.
const START: u64 = 34;

/// Opens a file for one process; errors name `path`.
fn locked(open: &Path, path: &Path) -> Result<fs::File, OutboxError> {
    let failed = |cause| OutboxError::Access {
        path: path.to_owned(),
        cause,
    };
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(open)
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OutboxError::InUse {
            path: path.to_owned(),
        }),
        Err(TryLockError::Error(cause)) => Err(failed(cause)),
    }
}

/// Writes the head of a new file.
fn begin(file: &fs::File) -> io::Result<Salt> {
    let mut salt = Salt::default();
    getrandom::fill(&mut salt)?;
    let head = [MAGIC.as_slice(), &salt].concat();
    file.write_all_at(&head, 0)?;
    file.sync_data()?;
    Ok(salt)
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    fs::File::open(folder)?.sync_all()
}

/// The whole frames of a file, and where they end.
fn read(salt: &Salt, bytes: &[u8]) -> (Vec<Record>, usize) {
    let (mut records, mut at) = (Vec::new(), HEAD);
    while let Frame::Whole { payload, end } = frame::read(salt, bytes, at) {
        let Some(record) = record(payload) else { break };
        records.push(record);
        at = end;
    }
    (records, at)
}

fn payload(record: &Record) -> Vec<u8> {
    match record {
        Record::Accepted(result) => {
            let mut bytes = vec![1];
            bytes.extend(encoding::encode(result.as_ref()));
            bytes
        }
        Record::Settled((sid, aid)) => {
            let mut bytes = vec![2];
            bytes.extend(sid.as_bytes());
            bytes.extend(aid.as_bytes());
            bytes
        }
    }
}

fn record(payload: &[u8]) -> Option<Record> {
    let (kind, rest) = payload.split_first()?;
    match kind {
        1 => {
            let result = encoding::decode(rest, RESULT_BYTES).ok()?;
            Some(Record::Accepted(Box::new(result)))
        }
        2 => {
            let (sid, aid) = rest.split_first_chunk::<32>()?;
            let aid: [u8; 32] = aid.try_into().ok()?;
            Some(Record::Settled((SessionId::new(*sid), Aid::new(aid))))
        }
        _ => None,
    }
}
