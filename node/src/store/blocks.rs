//! The block file: every executed block and its certificate, once, in order, append-only.
//!
//! The database beside it can be rebuilt from this file. Of a broken tail, everything
//! from the first broken frame on is cut: those blocks come back from the vote log or
//! from peers, whose certificates prove them.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{FallocateFlags, SeekFrom, fallocate, seek};
use rustix::io::Errno;

use crate::store::error::StoreError;
use crate::store::frame::{self, FRAME_HEAD, PAYLOAD_BYTES_MAX, Salt};
use crate::store::set_aside;

/// The format written by this program.
pub(super) const VERSION: u16 = 2;

/// First bytes of the file.
const MAGIC: &[u8; 16] = b"aidchain-blocks\n";

/// Magic, version, chain, salt, checksum.
const HEADER_BYTES: usize = 16 + 2 + 32 + 16 + 4;

/// Octets read at once while the first entry is looked for.
const SCAN: usize = 256 * 1024;

/// Where an entry of the file stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// Offset of its frame.
    pub(super) offset: u64,
    /// Length of its payload.
    pub(super) length: u32,
}

impl Place {
    /// Offset behind the entry.
    pub(super) fn end(self) -> u64 {
        self.offset
            .saturating_add(FRAME_HEAD as u64)
            .saturating_add(u64::from(self.length))
    }
}

/// Reads entries; any number of threads may hold one.
#[derive(Debug, Clone)]
pub(super) struct Reader {
    file: Arc<File>,
    path: Arc<Path>,
    salt: Salt,
}

/// The file with its end, held by the one thread that writes.
#[derive(Debug)]
pub(super) struct Blocks {
    reader: Reader,
    end: u64,
}

/// A file that is only read.
#[derive(Debug)]
pub(super) enum Viewed {
    /// There is none.
    Missing,
    /// Its header is broken.
    Broken,
    /// It is here, up to the end that it had when it was opened.
    Here(Blocks),
}

/// What opening the file found.
#[derive(Debug)]
pub(super) enum OpenedBlocks {
    /// The file stands here, empty of entries.
    Fresh(Blocks),
    /// The file was here.
    Found(Blocks),
    /// A file was here whose header is broken; a fresh one stands in its place.
    Replaced(Blocks),
}

impl Blocks {
    /// Opens the file of this chain in `dir`, or makes it.
    pub(super) fn open(dir: &Path, chain: &[u8; 32]) -> Result<OpenedBlocks, StoreError> {
        let path = dir.join("blocks");
        if !path.exists() {
            return Self::create(&path, chain).map(OpenedBlocks::Fresh);
        }
        let file = options()
            .open(&path)
            .map_err(|source| StoreError::disk("open", &path, source))?;
        if let Some(blocks) = Self::over(file, &path, chain)? {
            return Ok(OpenedBlocks::Found(blocks));
        }
        set_aside(&path)?;
        Self::create(&path, chain).map(OpenedBlocks::Replaced)
    }

    /// The file of this chain in `dir`, which is not written on.
    pub(super) fn view(dir: &Path, chain: &[u8; 32]) -> Result<Viewed, StoreError> {
        let path = dir.join("blocks");
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Viewed::Missing);
            }
            Err(source) => return Err(StoreError::disk("open", &path, source)),
        };
        let blocks = Self::over(file, &path, chain)?;
        Ok(blocks.map_or(Viewed::Broken, Viewed::Here))
    }

    /// An open file of this chain; `None` if its header is broken.
    fn over(file: File, path: &Path, chain: &[u8; 32]) -> Result<Option<Self>, StoreError> {
        let mut header = [0; HEADER_BYTES];
        let whole = file.read_exact_at(&mut header, 0).is_ok();
        match header_fields(&header).filter(|_| whole) {
            Some((VERSION, found, salt)) if found == *chain => {
                let end = length(&file, path)?;
                let reader = Reader::new(file, path, salt);
                Ok(Some(Self { reader, end }))
            }
            Some((VERSION, found, _)) => Err(StoreError::OtherChain {
                path: path.to_path_buf(),
                found: hex::encode(found),
            }),
            Some((found, ..)) => Err(StoreError::Version {
                path: path.to_path_buf(),
                found,
                known: VERSION,
            }),
            None => Ok(None),
        }
    }

    /// Where the first entry begins in a file whose lower part may have been given back to the disk: that reads as
    /// zeros, and the first byte that is none may be the second, third or fourth of a length.
    pub(super) fn begin(&self) -> Result<u64, StoreError> {
        let first = Self::first();
        let data = seek(&*self.reader.file, SeekFrom::Data(first)).unwrap_or(first);
        let Some(nonzero) = self.nonzero_from(data.max(first))? else {
            return Ok(first);
        };
        for back in 0..4 {
            let at = nonzero.saturating_sub(back).max(first);
            if self.next(at)?.is_some() {
                return Ok(at);
            }
        }
        Ok(nonzero)
    }

    /// The first byte from an offset on that is not zero.
    fn nonzero_from(&self, mut offset: u64) -> Result<Option<u64>, StoreError> {
        let mut chunk = vec![0; SCAN];
        while offset < self.end {
            chunk.fill(0);
            self.reader.read_some(&mut chunk, offset)?;
            if let Some(place) = chunk.iter().position(|byte| *byte != 0) {
                return Ok(Some(offset.saturating_add(place as u64)));
            }
            offset = offset.saturating_add(SCAN as u64);
        }
        Ok(None)
    }

    /// Whether a whole entry begins anywhere behind the broken one at `offset`. What a crash leaves is one broken entry.
    pub(super) fn any_behind(&self, offset: u64) -> Result<bool, StoreError> {
        let rest = usize::try_from(self.end.saturating_sub(offset)).unwrap_or(usize::MAX);
        if rest > PAYLOAD_BYTES_MAX.saturating_add(FRAME_HEAD) {
            return Ok(true);
        }
        let mut bytes = vec![0; rest];
        self.reader.read_at(&mut bytes, offset)?;
        Ok(frame::any_behind(&self.reader.salt, &bytes, 0))
    }

    /// Makes an empty file.
    fn create(path: &Path, chain: &[u8; 32]) -> Result<Self, StoreError> {
        let mut salt = Salt::default();
        getrandom::fill(&mut salt).map_err(|error| StoreError::disk("salt", path, error.into()))?;
        let header = header(chain, &salt);
        let file = options()
            .create_new(true)
            .open(path)
            .map_err(|source| StoreError::disk("create", path, source))?;
        file.write_all_at(&header, 0)
            .and_then(|()| file.sync_all())
            .map_err(|source| StoreError::disk("write", path, source))?;
        Ok(Self {
            reader: Reader::new(file, path, salt),
            end: header.len() as u64,
        })
    }

    /// A handle for readers.
    pub(super) fn reader(&self) -> Reader {
        self.reader.clone()
    }

    /// Offset of the first entry.
    pub(super) const fn first() -> u64 {
        HEADER_BYTES as u64
    }

    /// Offset behind the last entry.
    pub(super) const fn end(&self) -> u64 {
        self.end
    }

    /// Writes an entry at the end. It is durable after the next [`Self::sync`].
    pub(super) fn append(&mut self, payload: &[u8]) -> Result<Place, StoreError> {
        let too_large = || StoreError::TooLarge {
            bytes: payload.len(),
        };
        let head = frame::head(&self.reader.salt, payload).ok_or_else(too_large)?;
        let length = u32::try_from(payload.len()).ok().ok_or_else(too_large)?;
        let place = Place {
            offset: self.end,
            length,
        };
        let body_at = self.end.saturating_add(FRAME_HEAD as u64);
        let file = &self.reader.file;
        file.write_all_at(&head, self.end)
            .and_then(|()| file.write_all_at(payload, body_at))
            .map_err(|source| StoreError::disk("write", &self.reader.path, source))?;
        self.end = place.end();
        Ok(place)
    }

    /// Makes every entry durable.
    pub(super) fn sync(&self) -> Result<(), StoreError> {
        self.reader
            .file
            .sync_data()
            .map_err(|source| StoreError::disk("sync", &self.reader.path, source))
    }

    /// Cuts everything from `end` on.
    pub(super) fn cut(&mut self, end: u64) -> Result<(), StoreError> {
        self.reader
            .file
            .set_len(end)
            .map_err(|source| StoreError::disk("cut", &self.reader.path, source))?;
        self.end = end;
        Ok(())
    }

    /// Gives the disk back what lies between the header and `end`; offsets stay what they are.
    /// False where the file system cannot do that.
    pub(super) fn release(&self, end: u64) -> Result<bool, StoreError> {
        let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        let length = end.saturating_sub(Self::first());
        if length == 0 {
            return Ok(true);
        }
        match fallocate(&*self.reader.file, flags, Self::first(), length) {
            Ok(()) => Ok(true),
            Err(Errno::OPNOTSUPP | Errno::NOSYS) => Ok(false),
            Err(errno) => Err(StoreError::disk("shorten", &self.reader.path, errno.into())),
        }
    }

    /// The entry at `offset`, with its place; `None` at the end and where it is broken.
    pub(super) fn next(&self, offset: u64) -> Result<Option<(Place, Vec<u8>)>, StoreError> {
        let body_at = offset.saturating_add(FRAME_HEAD as u64);
        if body_at > self.end {
            return Ok(None);
        }
        let mut head = [0; FRAME_HEAD];
        self.reader.read_at(&mut head, offset)?;
        let Some((length, _)) = frame::claim(&head).filter(|(length, _)| {
            *length <= PAYLOAD_BYTES_MAX && body_at.saturating_add(*length as u64) <= self.end
        }) else {
            return Ok(None);
        };
        let place = Place {
            offset,
            length: u32::try_from(length).unwrap_or(u32::MAX),
        };
        Ok(self.reader.read(place)?.map(|payload| (place, payload)))
    }
}

impl Reader {
    /// A reader of `file`.
    fn new(file: File, path: &Path, salt: Salt) -> Self {
        Self {
            file: Arc::new(file),
            path: path.into(),
            salt,
        }
    }

    /// The payload at `place`; `None` if the frame there is broken.
    pub(super) fn read(&self, place: Place) -> Result<Option<Vec<u8>>, StoreError> {
        let length = usize::try_from(place.length)
            .ok()
            .filter(|length| *length <= PAYLOAD_BYTES_MAX)
            .ok_or(StoreError::TooLarge {
                bytes: PAYLOAD_BYTES_MAX,
            })?;
        let mut bytes = vec![0; length.saturating_add(FRAME_HEAD)];
        self.read_at(&mut bytes, place.offset)?;
        let claimed = frame::claim(&bytes);
        bytes.drain(..FRAME_HEAD);
        let whole = claimed
            .is_some_and(|(claim, sum)| claim == length && frame::fits(&self.salt, &bytes, sum));
        Ok(whole.then_some(bytes))
    }

    /// Reads what the file has from `offset` on, `bytes` at most.
    fn read_some(&self, bytes: &mut [u8], offset: u64) -> Result<usize, StoreError> {
        self.file
            .read_at(bytes, offset)
            .map_err(|source| StoreError::disk("read", &self.path, source))
    }

    /// Fills `bytes` from `offset` on. What the file does not reach stays zero, which is no frame.
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> Result<(), StoreError> {
        match self.file.read_exact_at(bytes, offset) {
            Err(source) if source.kind() != std::io::ErrorKind::UnexpectedEof => {
                Err(StoreError::disk("read", &self.path, source))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

/// How the file is opened to write on it.
fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    options
}

/// The length of `file`.
fn length(file: &File, path: &Path) -> Result<u64, StoreError> {
    file.metadata()
        .map(|metadata| metadata.len())
        .map_err(|source| StoreError::disk("measure", path, source))
}

/// The bytes of the file's header.
fn header(chain: &[u8; 32], salt: &Salt) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER_BYTES);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(chain);
    bytes.extend_from_slice(salt);
    let sum = crc32fast::hash(&bytes);
    bytes.extend_from_slice(&sum.to_le_bytes());
    bytes
}

/// Version, chain and salt of a whole header.
fn header_fields(header: &[u8; HEADER_BYTES]) -> Option<(u16, [u8; 32], Salt)> {
    let (covered, sum) = header.split_last_chunk::<4>()?;
    if crc32fast::hash(covered).to_le_bytes() != *sum {
        return None;
    }
    let (version, rest) = covered
        .strip_prefix(MAGIC.as_slice())?
        .split_first_chunk::<2>()?;
    let (chain, salt) = rest.split_first_chunk::<32>()?;
    Some((u16::from_le_bytes(*version), *chain, salt.try_into().ok()?))
}
