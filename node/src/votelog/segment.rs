//! One file of the vote log: a header that says whose it is, then frames.
//!
//! A frame is one group commit: the records that became durable together. A frame is
//! written only after the one before it is durable, so what a power cut can leave
//! behind is one broken frame at the end, none of whose records has had any effect.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::store::frame::{self, FRAME_HEAD, Frame, Salt};
use crate::votelog::error::{Loss, VoteLogError};

/// The format written by this program.
pub(super) const VERSION: u16 = 1;

/// First bytes of each file.
const MAGIC: &[u8; 16] = b"aidchain-votes\n\0";

/// Records are committed on the way when this many bytes wait.
pub(super) const GROUP_BYTES: usize = 32 * 1024 * 1024;

/// Magic, version, chain, key, number, salt, checksum.
pub(super) const HEADER_BYTES: usize = 16 + 2 + 32 + 32 + 8 + 16 + 4;

/// Whose votes these are. The chain is all zeros until the key has joined a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Label {
    /// The ledger.
    pub(super) chain: [u8; 32],
    /// The member's public key.
    pub(super) key: [u8; 32],
}

/// A file that is being written.
#[derive(Debug)]
pub(super) struct Segment {
    file: File,
    path: PathBuf,
    salt: Salt,
    bytes: u64,
}

/// A file that was read.
#[derive(Debug)]
pub(super) struct Contents {
    /// Whose it says it is.
    pub(super) label: Label,
    /// Its records, in order.
    pub(super) records: Vec<Vec<u8>>,
    /// Where a broken last frame begins, if there is one.
    pub(super) torn_at: Option<u64>,
    salt: Salt,
}

/// The path of file `number`.
pub(super) fn path(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{number:016}.log"))
}

/// The number of the file called `name`; `None` if it is no file of the log.
pub(super) fn number(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".log")?;
    (digits.len() == 16 && digits.bytes().all(|b| b.is_ascii_digit()))
        .then(|| digits.parse().ok())
        .flatten()
}

/// Makes names in `dir` durable.
pub(super) fn sync_dir(dir: &Path) -> Result<(), VoteLogError> {
    File::open(dir)
        .and_then(|handle| handle.sync_all())
        .map_err(|source| VoteLogError::disk("sync the folder", dir, source))
}

impl Segment {
    /// Makes file `number` with its first records, whole or not at all: it gets its name
    /// when it is durable. A file of that name is replaced in one step.
    pub(super) fn create(
        dir: &Path,
        number: u64,
        label: &Label,
        records: &[Vec<u8>],
    ) -> Result<Self, VoteLogError> {
        let path = path(dir, number);
        let unfinished = path.with_extension("tmp");
        let mut salt = Salt::default();
        getrandom::fill(&mut salt)
            .map_err(|error| VoteLogError::disk("salt", &path, error.into()))?;
        let mut bytes = header(label, number, &salt);
        for group in groups(records)? {
            seal(&salt, &group, &mut bytes)?;
        }

        let mut file = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(true)
            .open(&unfinished)
            .map_err(|source| VoteLogError::disk("create", &unfinished, source))?;
        file.write_all(&bytes)
            .and_then(|()| file.sync_all())
            .map_err(|source| VoteLogError::disk("write", &unfinished, source))?;
        fs::rename(&unfinished, &path)
            .map_err(|source| VoteLogError::disk("name", &path, source))?;
        sync_dir(dir)?;
        Ok(Self {
            file,
            path,
            salt,
            bytes: bytes.len() as u64,
        })
    }

    /// Opens file `number` to write on, as it was read; a torn end is cut off.
    pub(super) fn resume(
        dir: &Path,
        number: u64,
        contents: &Contents,
    ) -> Result<Self, VoteLogError> {
        let path = path(dir, number);
        let file = OpenOptions::new()
            .append(true)
            .open(&path)
            .map_err(|source| VoteLogError::disk("open", &path, source))?;
        if let Some(end) = contents.torn_at {
            file.set_len(end)
                .and_then(|()| file.sync_all())
                .map_err(|source| VoteLogError::disk("cut", &path, source))?;
        }
        let bytes = file
            .metadata()
            .map_err(|source| VoteLogError::disk("measure", &path, source))?
            .len();
        Ok(Self {
            file,
            path,
            salt: contents.salt,
            bytes,
        })
    }

    /// Length of the file.
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Writes one frame and makes it durable. After an error nobody knows how much of it
    /// the disk holds: the file is cut back if it can be, and must not be written again.
    pub(super) fn commit(&mut self, group: &[u8]) -> Result<(), VoteLogError> {
        let mut bytes = Vec::with_capacity(group.len().saturating_add(FRAME_HEAD));
        seal(&self.salt, group, &mut bytes)?;
        let written = self
            .file
            .write_all(&bytes)
            .and_then(|()| self.file.sync_data());
        if let Err(source) = written {
            drop(self.file.set_len(self.bytes));
            return Err(VoteLogError::disk("write", &self.path, source));
        }
        self.bytes = self.bytes.saturating_add(bytes.len() as u64);
        Ok(())
    }
}

/// Where in the log a file stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Position {
    /// Others follow: it was finished before they began.
    Earlier,
    /// It is the one being written: a broken frame at its end may be a torn one.
    Last,
}

/// Reads file `number` whole.
pub(super) fn read(
    dir: &Path,
    number: u64,
    position: Position,
) -> Result<Result<Contents, Loss>, VoteLogError> {
    let path = path(dir, number);
    let file = fs::read(&path).map_err(|source| VoteLogError::disk("read", &path, source))?;
    let (label, salt) = match open_header(&file, number) {
        Header::Ours(label, salt) => (label, salt),
        Header::Version(found) => {
            return Err(VoteLogError::Version {
                path,
                found,
                known: VERSION,
            });
        }
        Header::Broken => return Ok(Err(Loss::Damaged { number, offset: 0 })),
    };
    let mut contents = Contents {
        label,
        records: Vec::new(),
        torn_at: None,
        salt,
    };
    let mut offset = HEADER_BYTES;
    loop {
        match frame::read(&salt, &file, offset) {
            Frame::End => return Ok(Ok(contents)),
            Frame::Whole { payload, end } => {
                if ungroup(payload, &mut contents.records).is_none() {
                    return Ok(Err(Loss::Undecodable { number }));
                }
                offset = end;
            }
            Frame::Broken => {
                let at = offset as u64;
                // The first frame was durable before the file had its name.
                let torn = position == Position::Last
                    && offset != HEADER_BYTES
                    && !frame::any_behind(&salt, &file, offset);
                if torn {
                    contents.torn_at = Some(at);
                    return Ok(Ok(contents));
                }
                return Ok(Err(Loss::Damaged { number, offset: at }));
            }
        }
    }
}

/// Appends the frame of `group` to `bytes`.
fn seal(salt: &Salt, group: &[u8], bytes: &mut Vec<u8>) -> Result<(), VoteLogError> {
    let head = frame::head(salt, group).ok_or(VoteLogError::TooLarge { bytes: group.len() })?;
    bytes.extend_from_slice(&head);
    bytes.extend_from_slice(group);
    Ok(())
}

/// Adds `record` to the group that `bytes` holds.
pub(super) fn add(record: &[u8], bytes: &mut Vec<u8>) -> Result<(), VoteLogError> {
    let length = u32::try_from(record.len())
        .ok()
        .filter(|_| record.len() < frame::PAYLOAD_BYTES_MAX)
        .ok_or(VoteLogError::TooLarge {
            bytes: record.len(),
        })?;
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(record);
    Ok(())
}

/// These records in groups of about [`GROUP_BYTES`].
fn groups(records: &[Vec<u8>]) -> Result<Vec<Vec<u8>>, VoteLogError> {
    let mut groups = vec![Vec::new()];
    for record in records {
        if let Some(group) = groups.last_mut() {
            add(record, group)?;
            if group.len() >= GROUP_BYTES {
                groups.push(Vec::new());
            }
        }
    }
    Ok(groups)
}

/// Splits a group into its records; `None` if it is not made of whole ones.
fn ungroup(mut group: &[u8], records: &mut Vec<Vec<u8>>) -> Option<()> {
    while let Some((length, rest)) = group.split_first_chunk::<4>() {
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        let (record, rest) = rest.split_at_checked(length)?;
        records.push(record.to_vec());
        group = rest;
    }
    group.is_empty().then_some(())
}

/// The bytes of a file's header.
fn header(label: &Label, number: u64, salt: &Salt) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER_BYTES);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&label.chain);
    bytes.extend_from_slice(&label.key);
    bytes.extend_from_slice(&number.to_le_bytes());
    bytes.extend_from_slice(salt);
    let sum = crc32fast::hash(&bytes);
    bytes.extend_from_slice(&sum.to_le_bytes());
    bytes
}

/// What a file's first bytes say.
enum Header {
    Ours(Label, Salt),
    Version(u16),
    Broken,
}

/// Reads the header of file `number`. Its layout and checksum are the same in every
/// version, so that a flipped bit is never taken for another version.
fn open_header(file: &[u8], number: u64) -> Header {
    header_fields(file, number).unwrap_or(Header::Broken)
}

/// The fields of a whole header; `None` if it is not one.
fn header_fields(file: &[u8], number: u64) -> Option<Header> {
    let (covered, sum) = file
        .get(..HEADER_BYTES)?
        .split_at_checked(HEADER_BYTES.checked_sub(4)?)?;
    if crc32fast::hash(covered).to_le_bytes() != sum {
        return None;
    }
    let (version, rest) = covered
        .strip_prefix(MAGIC.as_slice())?
        .split_first_chunk::<2>()?;
    let version = u16::from_le_bytes(*version);
    if version != VERSION {
        return Some(Header::Version(version));
    }
    let (chain, rest) = rest.split_first_chunk::<32>()?;
    let (key, rest) = rest.split_first_chunk::<32>()?;
    let (found, salt) = rest.split_first_chunk::<8>()?;
    let label = Label {
        chain: *chain,
        key: *key,
    };
    (u64::from_le_bytes(*found) == number)
        .then(|| salt.try_into().ok())
        .flatten()
        .map(|salt| Header::Ours(label, salt))
}
