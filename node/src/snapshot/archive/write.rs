//! Writing a backup, of a running node too: in one pass, holding one part in memory.

use std::io::Write;

use contract::Height;
use contract::state::{StatePart, StatePath};
use ed25519_dalek::{Signer as _, SigningKey};
use sha2::{Digest as _, Sha256};

use super::{BackupError, DOMAIN, Kind, MAGIC, Summary, VERSION};
use crate::snapshot::serve::Server;
use crate::snapshot::wire::{Request, SPAN_BLOCKS};
use crate::store::Reader;

/// Where a backup goes, hashed on the way.
struct Sink<'a, W> {
    to: &'a mut W,
    hash: Sha256,
    bytes: u64,
}

impl<W: Write> Sink<'_, W> {
    /// Writes bytes.
    fn put(&mut self, bytes: &[u8]) -> Result<(), BackupError> {
        self.to.write_all(bytes)?;
        self.hash.update(bytes);
        self.bytes = self.bytes.saturating_add(bytes.len() as u64);
        Ok(())
    }

    /// Writes a frame.
    fn frame(&mut self, kind: Kind, bytes: &[u8]) -> Result<(), BackupError> {
        let length = u32::try_from(bytes.len());
        let length = length.or(Err(BackupError::Malformed("a part is too long")))?;
        self.put(&[kind as u8])?;
        self.put(&length.to_le_bytes())?;
        self.put(bytes)
    }
}

/// Writes a backup of the newest certified block. `genesis` is the genesis file.
pub fn write(
    reader: &Reader,
    genesis: &[u8],
    key: &SigningKey,
    to: &mut impl Write,
) -> Result<Summary, BackupError> {
    // First the hold, then the look: what is found is kept.
    let _hold = reader.hold(Height::new(0));
    let height = reader.newest_certified()?.ok_or(BackupError::Empty)?;
    let height = height.min(reader.executed());
    let server = Server::new(reader.clone());
    let manifest = server.manifest_of(height)?.ok_or(BackupError::Empty)?;
    let mut sink = Sink {
        to,
        hash: Sha256::new(),
        bytes: 0,
    };
    sink.put(MAGIC)?;
    sink.put(&VERSION.to_le_bytes())?;
    sink.put(reader.genesis().chain().as_bytes())?;
    sink.frame(Kind::Genesis, genesis)?;
    sink.frame(Kind::Manifest, &manifest.encode())?;
    for segment in 0..u64::try_from(manifest.segments.len()).unwrap_or(u64::MAX) {
        let asked = Request::Hashes(height, segment);
        sink.frame(Kind::Hashes, &server.answer(&asked, height))?;
    }
    state(&server, height, &StatePath::ROOT, &mut sink)?;
    let lowest = reader.lowest();
    blocks(reader, &server, (lowest, height), &mut sink)?;
    let maker = key.verifying_key().to_bytes();
    let digest: [u8; 32] = sink.hash.clone().finalize().into();
    let signature = key.sign(&[DOMAIN, &digest].concat());
    let end = [&digest[..], &maker, &signature.to_bytes()].concat();
    sink.frame(Kind::End, &end)?;
    sink.to.flush()?;
    Ok(Summary {
        height,
        lowest,
        bytes: sink.bytes,
        maker,
    })
}

/// Writes the state under a path: a subtree, then what is below it.
fn state(
    server: &Server,
    height: Height,
    path: &StatePath,
    sink: &mut Sink<'_, impl Write>,
) -> Result<(), BackupError> {
    let part = server.part(height, path)?;
    let part = part.ok_or(BackupError::Moved(height))?;
    sink.frame(Kind::State, &part.encode())?;
    if let StatePart::Split(limbs) = part {
        for limb in limbs {
            state(server, height, &path.child(limb.nibble), sink)?;
        }
    }
    Ok(())
}

/// Writes all bodies that are kept, with their certificates.
fn blocks(
    reader: &Reader,
    server: &Server,
    (lowest, height): (Height, Height),
    sink: &mut Sink<'_, impl Write>,
) -> Result<(), BackupError> {
    let mut first = lowest;
    while first <= height {
        let last = first.get().saturating_add(SPAN_BLOCKS.saturating_sub(1));
        let last = Height::new(last).min(height);
        let answer = server.answer(&Request::Blocks(first, last), height);
        let count = crate::snapshot::wire::blocks(&answer).map_or(0, |blocks| blocks.len());
        if count == 0 {
            return Err(BackupError::Moved(first));
        }
        let next = first
            .get()
            .saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        let mut bytes = first.get().to_le_bytes().to_vec();
        bytes.extend(answer);
        sink.frame(Kind::Blocks, &bytes)?;
        for at in (first.get()..next.min(height.get())).map(Height::new) {
            if let Some(certificate) = reader.certificate(at)? {
                sink.frame(Kind::Certificate, &certificate.encode())?;
            }
        }
        first = Height::new(next);
    }
    Ok(())
}
