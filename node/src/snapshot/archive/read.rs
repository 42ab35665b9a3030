//! Reading a backup: front to back, everything checked as if a stranger had sent it.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::sync::Arc;

use consensus::CheckpointCertificate;
use contract::{Genesis, Height};
use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest as _, Sha256};

use super::{BackupError, DOMAIN, FRAME_MAX, Kind, MAGIC, Summary, VERSION};
use crate::snapshot::install::{self, NotPlanted, Parts, Span};
use crate::snapshot::proof::{Proved, Unproved};
use crate::snapshot::wire::Manifest;

/// A frame: its kind and its bytes.
type Frame = (Kind, Vec<u8>);

/// A backup that is being read.
#[derive(Debug)]
pub struct Archive {
    file: BufReader<File>,
    hash: Sha256,
    bytes: u64,
    /// The frame that comes next, and the digest of everything before it.
    next: Option<Frame>,
    before: [u8; 32],
    proved: Proved,
    lowest: Option<Height>,
}

impl Archive {
    /// Opens a backup of the ledger with this genesis file, and checks its head and its manifest.
    pub fn open(path: &Path, genesis: &[u8]) -> Result<Self, BackupError> {
        let mut file = BufReader::new(File::open(path)?);
        let mut head = vec![0; MAGIC.len().saturating_add(34)];
        file.read_exact(&mut head)?;
        let ours = Genesis::parse(genesis);
        let ours = Arc::new(ours.or(Err(BackupError::Malformed("the genesis file")))?);
        check_head(&head, &ours)?;
        let mut hash = Sha256::new();
        hash.update(&head);
        let mut begun = Begun {
            bytes: head.len() as u64,
            file,
            hash,
        };
        let (first, _) = begun.frame()?;
        if first != (Kind::Genesis, genesis.to_vec()) {
            return Err(BackupError::Malformed(
                "the genesis file in it is another one",
            ));
        }
        let (second, _) = begun.frame()?;
        let (Kind::Manifest, bytes) = second else {
            return Err(BackupError::Malformed("no manifest"));
        };
        let manifest = Manifest::decode(&bytes).ok_or(Unproved::Malformed)?;
        let proved = Proved::check(manifest, &ours)?;
        let (next, before) = begun.frame()?;
        Ok(Self {
            file: begun.file,
            hash: begun.hash,
            bytes: begun.bytes,
            next: Some(next),
            before,
            proved,
            lowest: None,
        })
    }

    /// Makes a ledger of the backup in a folder, checking every hash and signature in it.
    pub fn plant(mut self, dir: &Path) -> Result<Summary, BackupError> {
        let proved = self.proved.clone();
        let height = install::plant(&proved, &mut self, dir)?;
        let maker = self.end()?;
        Ok(Summary {
            height,
            lowest: self.lowest.unwrap_or(height),
            bytes: self.bytes,
            maker,
        })
    }

    /// The certified block that it is of.
    pub const fn height(&self) -> Height {
        self.proved.height()
    }

    /// Checks the end; tells who made the backup.
    fn end(&mut self) -> Result<[u8; 32], BackupError> {
        let Some((Kind::End, bytes)) = self.next.take() else {
            return Err(BackupError::Malformed(
                "parts are left over, or the end is missing",
            ));
        };
        let fields = bytes
            .split_first_chunk::<32>()
            .and_then(|(digest, rest)| Some((digest, rest.split_first_chunk::<32>()?)));
        let Some((digest, (maker, signature))) = fields else {
            return Err(BackupError::Malformed("its end is cut"));
        };
        let key = VerifyingKey::from_bytes(maker);
        let signature = Signature::from_slice(signature);
        let (Ok(key), Ok(signature)) = (key, signature) else {
            return Err(BackupError::Signature);
        };
        let message = [DOMAIN, digest].concat();
        let fits = *digest == self.before && key.verify_strict(&message, &signature).is_ok();
        let mut more = [0];
        if self.file.read(&mut more)? != 0 {
            return Err(BackupError::Malformed("bytes are left over behind the end"));
        }
        if fits {
            Ok(*maker)
        } else {
            Err(BackupError::Signature)
        }
    }

    /// The next frame, if it is of this kind.
    fn take(&mut self, kind: Kind) -> Result<Option<Vec<u8>>, NotPlanted> {
        if self.next.as_ref().is_none_or(|(next, _)| *next != kind) {
            return Ok(None);
        }
        let Some((_, bytes)) = self.next.take() else {
            return Ok(None);
        };
        let (next, before) = frame(&mut self.file, &mut self.hash, &mut self.bytes)
            .map_err(|_cut| NotPlanted::Missing("the rest of the file"))?;
        self.next = Some(next);
        self.before = before;
        Ok(Some(bytes))
    }
}

impl Parts for Archive {
    fn hashes(&mut self, _segment: u64) -> Result<Vec<u8>, NotPlanted> {
        self.take(Kind::Hashes)?
            .ok_or(NotPlanted::Missing("hashes"))
    }

    fn state(&mut self, _hash: &[u8; 32]) -> Result<Vec<u8>, NotPlanted> {
        self.take(Kind::State)?.ok_or(NotPlanted::Missing("state"))
    }

    fn blocks(&mut self) -> Result<Option<Span>, NotPlanted> {
        let Some(bytes) = self.take(Kind::Blocks)? else {
            return Ok(None);
        };
        let (first, bytes) = bytes.split_first_chunk::<8>().ok_or(Unproved::Malformed)?;
        let first = Height::new(u64::from_le_bytes(*first));
        self.lowest.get_or_insert(first);
        let mut certificates = Vec::new();
        while let Some(bytes) = self.take(Kind::Certificate)? {
            let certificate = CheckpointCertificate::decode(&bytes).ok();
            certificates.push(certificate.ok_or(Unproved::Malformed)?);
        }
        Ok(Some(Span {
            first,
            bytes: bytes.to_vec(),
            certificates,
        }))
    }
}

/// A file whose head was read.
struct Begun {
    file: BufReader<File>,
    hash: Sha256,
    bytes: u64,
}

impl Begun {
    /// The next frame, and the digest of what is before it.
    fn frame(&mut self) -> Result<(Frame, [u8; 32]), BackupError> {
        frame(&mut self.file, &mut self.hash, &mut self.bytes)
    }
}

/// Reads a frame, and tells the digest of what is before it.
fn frame(
    file: &mut impl Read,
    hash: &mut Sha256,
    total: &mut u64,
) -> Result<(Frame, [u8; 32]), BackupError> {
    let before = hash.clone().finalize().into();
    let mut head = [0; 5];
    file.read_exact(&mut head)?;
    let [kind, length @ ..] = head;
    let kind = Kind::of(kind).ok_or(BackupError::Malformed("an unknown part"))?;
    let length = u32::from_le_bytes(length);
    if length > FRAME_MAX {
        return Err(BackupError::Malformed("a part is too long"));
    }
    // Memory grows with what is there, not with what is announced.
    let mut bytes = Vec::new();
    file.by_ref().take(length.into()).read_to_end(&mut bytes)?;
    if bytes.len() < usize::try_from(length).unwrap_or(usize::MAX) {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    hash.update(head);
    hash.update(&bytes);
    *total = total
        .saturating_add(head.len() as u64)
        .saturating_add(bytes.len() as u64);
    Ok(((kind, bytes), before))
}

/// Whether these are the first bytes of a backup of this ledger.
fn check_head(head: &[u8], genesis: &Genesis) -> Result<(), BackupError> {
    let rest = head
        .strip_prefix(MAGIC)
        .ok_or(BackupError::Malformed("another kind of file"))?;
    let (version, chain) = rest
        .split_first_chunk::<2>()
        .ok_or(BackupError::Malformed("its head is cut"))?;
    if u16::from_le_bytes(*version) != VERSION {
        return Err(BackupError::Malformed("its format has another version"));
    }
    if chain != genesis.chain().as_bytes() {
        return Err(BackupError::OtherChain {
            found: hex::encode(chain),
        });
    }
    Ok(())
}
