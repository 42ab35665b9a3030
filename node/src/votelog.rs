//! The vote log: what this member signed and what it must be able to prove, before anybody sees it.
//!
//! The log is the truth; the ledger's database may lag behind it. A record counts when
//! [`VoteLog::sync`] has returned, and no message that rests on it leaves before. The log
//! is made together with its key and bound to a ledger once (*Loss of votes*): a node that
//! finds it missing, foreign or damaged cannot know what it signed, and signs nothing.

mod error;
mod segment;
mod timing;

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use consensus::{ChainId, Epoch, PublicKey, Record, Seq};

use crate::clock::Stopwatch;
use crate::votelog::segment::{GROUP_BYTES, Label, Position, Segment};

pub use crate::votelog::error::{Loss, VoteLogError};
pub use crate::votelog::timing::SyncTimes;

/// A file of the log this long is followed by a new one.
pub const SEGMENT_BYTES: u64 = 16 * 1024 * 1024;

/// The format that this program writes and reads.
pub const FORMAT: u16 = segment::VERSION;

/// The folder of the log in a member's home.
pub const FOLDER: &str = "votes";

/// An open log, at its end. One thread owns it.
#[derive(Debug)]
pub struct VoteLog {
    dir: PathBuf,
    label: Label,
    /// `Key` and `Birth`, with which each file begins.
    origin: Vec<Vec<u8>>,
    older: VecDeque<Older>,
    segment: Segment,
    number: u64,
    newest: Option<Seq>,
    /// The records of the next group commit.
    pending: Vec<u8>,
    times: Arc<SyncTimes>,
    closed: bool,
}

/// A finished file that is still needed.
#[derive(Debug)]
struct Older {
    number: u64,
    /// The highest sequence number that any record in it is about.
    newest: Option<Seq>,
}

/// What [`VoteLog::open`] found.
#[derive(Debug)]
pub enum Opened {
    /// The log, and everything it holds in the order in which it was written. A record
    /// may come twice: each file repeats what the replica carried over.
    Intact {
        /// The log, ready to be written on.
        log: Box<VoteLog>,
        /// Its records.
        records: Vec<Record>,
    },
    /// This member cannot know what it signed.
    Lost(Loss),
}

/// Makes the log of a new key, with `Key` as its only record.
///
/// Only the command that makes the key may call this: no log is ever made for a key that exists.
pub fn create(home: &Path, key: PublicKey) -> Result<(), VoteLogError> {
    let dir = home.join(FOLDER);
    fs::create_dir_all(&dir).map_err(|source| VoteLogError::disk("create", &dir, source))?;
    if !numbers(&dir)?.is_empty() {
        return Err(VoteLogError::AlreadyThere { path: dir });
    }
    let label = Label {
        chain: [0; 32],
        key: *key.as_bytes(),
    };
    Segment::create(&dir, 1, &label, &[Record::Key { key }.encode()])?;
    segment::sync_dir(home)
}

/// Binds a log that holds nothing but its key to a ledger, in one step.
pub fn birth(
    home: &Path,
    chain: ChainId,
    key: PublicKey,
    first_epoch: Epoch,
) -> Result<(), VoteLogError> {
    let dir = home.join(FOLDER);
    let numbers = numbers(&dir)?;
    let contents = match numbers.as_slice() {
        [] => return Err(VoteLogError::Lost(Loss::Missing)),
        [1] => segment::read(&dir, 1, Position::Last)?.map_err(VoteLogError::Lost)?,
        _ => return Err(VoteLogError::AlreadyBorn { path: dir }),
    };
    let origin = Record::Key { key }.encode();
    if contents.label.key != *key.as_bytes() {
        return Err(VoteLogError::Lost(Loss::OtherKey));
    }
    if contents.records.first() != Some(&origin) {
        return Err(VoteLogError::Lost(Loss::NoKey));
    }
    if contents.records.len() != 1 {
        return Err(VoteLogError::AlreadyBorn { path: dir });
    }
    let label = Label {
        chain: *chain.as_bytes(),
        key: *key.as_bytes(),
    };
    let birth = Record::Birth {
        chain,
        key,
        first_epoch,
    };
    Segment::create(&dir, 1, &label, &[origin, birth.encode()])?;
    Ok(())
}

/// Sets a lost log aside and makes a new one for the same key, born with `first_epoch`.
///
/// The one exception to the rule above. Only for a node whose own Rejoin is on the certified ledger in the epoch before:
/// nothing can have been signed by it in an epoch that began after that.
pub fn renew(
    home: &Path,
    chain: ChainId,
    key: PublicKey,
    first_epoch: Epoch,
) -> Result<(), VoteLogError> {
    let (dir, fresh) = (home.join(FOLDER), home.join("votes.new"));
    if fresh.exists() {
        fs::remove_dir_all(&fresh)
            .map_err(|source| VoteLogError::disk("remove", &fresh, source))?;
    }
    fs::create_dir(&fresh).map_err(|source| VoteLogError::disk("create", &fresh, source))?;
    let label = Label {
        chain: *chain.as_bytes(),
        key: *key.as_bytes(),
    };
    let birth = Record::Birth {
        chain,
        key,
        first_epoch,
    };
    Segment::create(
        &fresh,
        1,
        &label,
        &[Record::Key { key }.encode(), birth.encode()],
    )?;
    if dir.exists() {
        let names =
            (0..).map(|number: u32| home.join(format!("votes.lost-{first_epoch}-{number}")));
        for aside in names.take_while(|_| dir.exists()) {
            if !aside.exists() {
                fs::rename(&dir, &aside)
                    .map_err(|source| VoteLogError::disk("set aside", &dir, source))?;
            }
        }
    }
    fs::rename(&fresh, &dir).map_err(|source| VoteLogError::disk("rename", &fresh, source))?;
    segment::sync_dir(home)
}

/// How much a log holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Files.
    pub files: usize,
    /// Records.
    pub records: usize,
}

/// Reads the log of `key` on ledger `chain` without touching it, while its node runs or stands still.
pub fn inspect(
    home: &Path,
    chain: ChainId,
    key: PublicKey,
) -> Result<Result<Extent, Loss>, VoteLogError> {
    let dir = home.join(FOLDER);
    let (numbers, _unfinished) = list(&dir)?;
    let reading = Reading::all(&dir, &numbers, chain, key)?;
    Ok(reading.map(|reading| Extent {
        files: reading.files.len(),
        records: reading.records.len(),
    }))
}

impl VoteLog {
    /// Opens the log of `key` on ledger `chain`. A torn end is cut off; anything else that
    /// is wrong is a [`Loss`]. Never makes a log.
    pub fn open(home: &Path, chain: ChainId, key: PublicKey) -> Result<Opened, VoteLogError> {
        let dir = home.join(FOLDER);
        match Reading::all(&dir, &numbers(&dir)?, chain, key)? {
            Ok(reading) => reading.resume(dir),
            Err(loss) => Ok(Opened::Lost(loss)),
        }
    }

    /// Takes a record into the next group. It is not durable yet.
    pub fn append(&mut self, record: &Record) -> Result<(), VoteLogError> {
        if self.closed {
            return Err(VoteLogError::Closed);
        }
        segment::add(&record.encode(), &mut self.pending)?;
        self.newest = self.newest.max(record.seq());
        if self.pending.len() >= GROUP_BYTES {
            self.sync()?;
        }
        Ok(())
    }

    /// Makes every appended record durable: one write, one sync of the disk.
    ///
    /// After an error the log stays closed: what a failed sync left on the disk is unknown,
    /// and a second try could report success without it.
    pub fn sync(&mut self) -> Result<(), VoteLogError> {
        if self.closed {
            return Err(VoteLogError::Closed);
        }
        if self.pending.is_empty() {
            return Ok(());
        }
        let watch = Stopwatch::start();
        let committed = self.segment.commit(&self.pending);
        self.closed = committed.is_err();
        committed?;
        self.times.add(watch.elapsed());
        self.pending.clear();
        Ok(())
    }

    /// Whether the current file is long enough for [`Self::roll`].
    pub const fn wants_roll(&self) -> bool {
        self.segment.bytes() >= SEGMENT_BYTES
    }

    /// Begins a new file with what the replica carries over, so that it recovers without
    /// the older files as soon as those have been released.
    pub fn roll(&mut self, carried: &[Record]) -> Result<(), VoteLogError> {
        self.sync()?;
        let number = self.number.saturating_add(1);
        let mut records = self.origin.clone();
        records.extend(
            carried
                .iter()
                .filter(|record| !matches!(record, Record::Key { .. } | Record::Birth { .. }))
                .map(Record::encode),
        );
        let created = Segment::create(&self.dir, number, &self.label, &records);
        self.closed = created.is_err();
        self.segment = created?;
        self.older.push_back(Older {
            number: self.number,
            newest: self.newest,
        });
        self.number = number;
        self.newest = carried.iter().filter_map(Record::seq).max();
        Ok(())
    }

    /// Whether a sync of the store would let a file go.
    pub fn wants_release(&self, stable: Seq) -> bool {
        self.older
            .front()
            .is_some_and(|older| older.newest <= Some(stable))
    }

    /// Drops, from the oldest on, the files in which every sequence number is at most
    /// `stable` and at most `durable`, the height up to which the store is on the disk.
    /// Returns how many went.
    pub fn release(&mut self, stable: Seq, durable: Seq) -> Result<usize, VoteLogError> {
        let limit = Some(stable.min(durable));
        let mut released = 0_usize;
        while let Some(older) = self.older.pop_front_if(|older| older.newest <= limit) {
            let path = segment::path(&self.dir, older.number);
            fs::remove_file(&path).map_err(|source| VoteLogError::disk("remove", &path, source))?;
            // One at a time, so that a crash never leaves a gap between two files.
            segment::sync_dir(&self.dir)?;
            released = released.saturating_add(1);
        }
        Ok(released)
    }

    /// The times of all syncs so far.
    pub fn times(&self) -> Arc<SyncTimes> {
        Arc::clone(&self.times)
    }
}

/// Everything that the files of a log hold.
struct Reading {
    label: Label,
    files: Vec<(u64, segment::Contents)>,
    records: Vec<Record>,
    newest: Vec<Option<Seq>>,
}

impl Reading {
    /// Reads these files, which are all of the log in `dir`.
    fn all(
        dir: &Path,
        numbers: &[u64],
        chain: ChainId,
        key: PublicKey,
    ) -> Result<Result<Self, Loss>, VoteLogError> {
        let label = Label {
            chain: *chain.as_bytes(),
            key: *key.as_bytes(),
        };
        let mut reading = Self {
            label,
            files: Vec::new(),
            records: Vec::new(),
            newest: Vec::new(),
        };
        let Some((&first, &last)) = numbers.first().zip(numbers.last()) else {
            return Ok(Err(Loss::Missing));
        };
        for (expected, &number) in (first..).zip(numbers) {
            if number != expected {
                return Ok(Err(Loss::SegmentMissing { number: expected }));
            }
            let position = if number == last {
                Position::Last
            } else {
                Position::Earlier
            };
            let contents = match segment::read(dir, number, position)? {
                Ok(contents) => contents,
                Err(loss) => return Ok(Err(loss)),
            };
            if let Err(loss) = reading.take(number, contents) {
                return Ok(Err(loss));
            }
        }
        Ok(Ok(reading))
    }

    /// Adds the records of one file.
    fn take(&mut self, number: u64, mut contents: segment::Contents) -> Result<(), Loss> {
        if contents.label.key != self.label.key {
            return Err(Loss::OtherKey);
        }
        let mut newest = None;
        let start = self.records.len();
        for bytes in std::mem::take(&mut contents.records) {
            let record = match Record::decode(&bytes) {
                Ok(record) => record,
                Err(_not_ours) => return Err(Loss::Undecodable { number }),
            };
            newest = newest.max(record.seq());
            self.records.push(record);
        }
        self.origin(self.records.get(start..).unwrap_or_default())?;
        if contents.label.chain != self.label.chain {
            return Err(Loss::OtherChain);
        }
        self.files.push((number, contents));
        self.newest.push(newest);
        Ok(())
    }

    /// Checks that a file begins with the key and its binding to the ledger.
    fn origin(&self, records: &[Record]) -> Result<(), Loss> {
        match records.first() {
            Some(Record::Key { key }) if *key.as_bytes() == self.label.key => {}
            Some(Record::Key { .. }) => return Err(Loss::OtherKey),
            _ => return Err(Loss::NoKey),
        }
        match records.get(1) {
            Some(Record::Birth { key, .. }) if *key.as_bytes() != self.label.key => {
                Err(Loss::OtherKey)
            }
            Some(Record::Birth { chain, .. }) if *chain.as_bytes() != self.label.chain => {
                Err(Loss::OtherChain)
            }
            Some(Record::Birth { .. }) => Ok(()),
            _ => Err(Loss::NoBirth),
        }
    }

    /// Opens the last file to write on.
    fn resume(self, dir: PathBuf) -> Result<Opened, VoteLogError> {
        let Some((number, contents)) = self.files.last() else {
            return Ok(Opened::Lost(Loss::Missing));
        };
        let segment = Segment::resume(&dir, *number, contents)?;
        let mut older: VecDeque<Older> = self
            .files
            .iter()
            .zip(&self.newest)
            .map(|((number, _), newest)| Older {
                number: *number,
                newest: *newest,
            })
            .collect();
        let newest = older.pop_back().and_then(|current| current.newest);
        let log = VoteLog {
            dir,
            label: self.label,
            origin: self.records.iter().take(2).map(Record::encode).collect(),
            older,
            segment,
            number: *number,
            newest,
            pending: Vec::new(),
            times: Arc::default(),
            closed: false,
        };
        Ok(Opened::Intact {
            log: Box::new(log),
            records: self.records,
        })
    }
}

/// The numbers of the files in `dir`, ascending; none if there is no such folder.
/// Files whose making was interrupted are removed: nothing rests on them.
fn numbers(dir: &Path) -> Result<Vec<u64>, VoteLogError> {
    let (numbers, unfinished) = list(dir)?;
    for path in unfinished {
        fs::remove_file(&path).map_err(|source| VoteLogError::disk("remove", &path, source))?;
    }
    Ok(numbers)
}

/// The numbers of the files in `dir`, ascending, and the files whose making was not finished.
fn list(dir: &Path) -> Result<(Vec<u64>, Vec<PathBuf>), VoteLogError> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Default::default()),
        Err(source) => return Err(VoteLogError::disk("list", dir, source)),
    };
    let (mut numbers, mut unfinished) = (Vec::new(), Vec::new());
    for entry in entries {
        let entry = entry.map_err(|source| VoteLogError::disk("list", dir, source))?;
        let path = entry.path();
        if path.extension().is_some_and(|extension| extension == "tmp") {
            unfinished.push(path);
        }
        numbers.extend(entry.file_name().to_str().and_then(segment::number));
    }
    numbers.sort_unstable();
    Ok((numbers, unfinished))
}
