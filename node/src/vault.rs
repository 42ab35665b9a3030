//! Secrets that must be erasable, in a file of fixed slots. A secret that dies is overwritten where it stands, which a
//! database that appends or copies pages cannot promise.
//!
//! ```text
//! file = head 2048, then slots of 2048 bytes
//! slot = length u16 ‖ CRC-32 u32 ‖ payload ‖ zeros;   an empty slot is all zeros
//! ```
//!
//! A secret's bytes are on the disk before its slot's head is, so a crash leaves either the whole secret or a slot without
//! a head, which the next start wipes: nobody was told of it. A slot whose head does not fit its bytes was damaged later;
//! that is told and not repaired.

mod looked;

pub use looked::inspect;

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    time::Duration,
};

use thiserror::Error;
use zeroize::Zeroizing;

/// The folder of the vaults in a home.
pub const FOLDER: &str = "vault";
/// Bytes of a slot.
const SLOT: usize = 2_048;
/// Bytes of a slot's head.
const HEAD: usize = 6;
/// Bytes of the longest secret.
pub const PAYLOAD_BYTES_MAX: usize = SLOT - HEAD;
/// First bytes of the file; zeros follow to the end of the first slot.
const MAGIC: &[u8] = b"aidchain-vault/1\n";

/// How often a vault that is in use is asked for, and how long between two times: 2 s in all.
const LOCK_TRIES: u32 = 40;
const LOCK_PAUSE: Duration = Duration::from_millis(50);

/// Where a secret stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Slot(u64);

/// A secret as it was found.
pub type Found = (Slot, Zeroizing<Vec<u8>>);

/// Why a vault cannot be used.
#[derive(Debug, Error)]
pub enum VaultError {
    /// The system refuses.
    #[error("cannot access the vault {}: {cause}", path.display())]
    Access {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        cause: io::Error,
    },
    /// Another process has it.
    #[error("the vault {} is in use by another process", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// Others may read it.
    #[error("the vault {} has mode {mode:04o}: run chmod 600 on it", path.display())]
    TooOpen {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// A slot does not hold what was written.
    #[error("the vault {} is damaged in slot {slot}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Counted from 1; 0 is the head.
        slot: u64,
    },
    /// A secret is too long, which only a flaw of this program can make.
    #[error("a secret of {0} bytes does not fit into a slot")]
    TooLong(usize),
}

/// An open vault. One process has it at a time.
#[derive(Debug)]
pub struct Vault {
    path: PathBuf,
    file: File,
    /// Slots that hold nothing.
    free: Vec<Slot>,
    /// The first slot that is not in the file yet.
    end: u64,
}

impl Vault {
    /// Opens the vault of this name in a home, or makes it, and reads every secret in it.
    pub fn open(home: &Path, name: &str) -> Result<(Self, Vec<Found>), VaultError> {
        let folder = home.join(FOLDER);
        let path = folder.join(name);
        let failed = |cause| VaultError::Access {
            path: path.clone(),
            cause,
        };
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)
            .map_err(failed)?;
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(failed)?;
        check_mode(&file, &path)?;
        if !locked(&file).map_err(failed)? {
            return Err(VaultError::InUse { path });
        }
        let mut vault = Self {
            path,
            file,
            free: Vec::new(),
            end: 1,
        };
        vault.begin(&folder)?;
        let found = vault.scan()?;
        Ok((vault, found))
    }

    /// Keeps a secret; it is on the disk when this returns.
    pub fn put(&mut self, payload: &[u8]) -> Result<Slot, VaultError> {
        let length = u16::try_from(payload.len()).unwrap_or(u16::MAX);
        if payload.len() > PAYLOAD_BYTES_MAX {
            return Err(VaultError::TooLong(payload.len()));
        }
        let slot = self.free.pop().unwrap_or_else(|| {
            let slot = Slot(self.end);
            self.end = self.end.saturating_add(1);
            slot
        });
        let mut bytes = Zeroizing::new([0; SLOT]);
        for (to, from) in bytes.iter_mut().skip(HEAD).zip(payload) {
            *to = *from;
        }
        // The whole slot at once, still without a head; then the head, which lies in one sector.
        self.write(slot, bytes.as_slice())?;
        let head = [
            &length.to_be_bytes()[..],
            &crc32fast::hash(payload).to_be_bytes(),
        ];
        self.write(slot, &head.concat())?;
        Ok(slot)
    }

    /// A secret, read again.
    pub fn get(&self, slot: Slot) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        match content(&self.read(slot)?) {
            Content::Payload(payload) => Ok(Zeroizing::new(payload.to_vec())),
            Content::Nothing | Content::Unfinished | Content::Damaged => Err(self.damaged(slot)),
        }
    }

    /// Overwrites a secret and reads back that nothing of it is left.
    pub fn erase(&mut self, slot: Slot) -> Result<(), VaultError> {
        self.write(slot, &[0; HEAD])?;
        self.write(slot, &[0; SLOT])?;
        if self.read(slot)?.iter().any(|byte| *byte != 0) {
            return Err(self.damaged(slot));
        }
        self.free.push(slot);
        Ok(())
    }

    /// Keeps a new secret and then erases the one whose place it takes. A crash between the two leaves both.
    pub fn replace(&mut self, old: Slot, payload: &[u8]) -> Result<Slot, VaultError> {
        let slot = self.put(payload)?;
        self.erase(old)?;
        Ok(slot)
    }

    /// Writes the head of a new file.
    fn begin(&mut self, folder: &Path) -> Result<(), VaultError> {
        self.measure()?;
        if self.has_head()? {
            return Ok(());
        }
        let mut head = vec![0; SLOT];
        for (to, from) in head.iter_mut().zip(MAGIC) {
            *to = *from;
        }
        self.write(Slot(0), &head)?;
        // The file's name, and its folder's.
        for folder in [Some(folder), folder.parent()].into_iter().flatten() {
            File::open(folder)
                .and_then(|folder| folder.sync_all())
                .map_err(|cause| self.failed(cause))?;
        }
        Ok(())
    }

    /// Finds where the file ends.
    fn measure(&mut self) -> Result<(), VaultError> {
        let length = self
            .file
            .metadata()
            .map_err(|cause| self.failed(cause))?
            .len();
        let slots = length.div_ceil(u64::try_from(SLOT).unwrap_or(u64::MAX));
        self.end = slots.max(1);
        Ok(())
    }

    /// Whether the file has its head; a new one has not.
    fn has_head(&self) -> Result<bool, VaultError> {
        let head = self.read(Slot(0))?;
        if head.starts_with(MAGIC) {
            return Ok(true);
        }
        if head.iter().any(|byte| *byte != 0) || self.end > 1 {
            return Err(self.damaged(Slot(0)));
        }
        Ok(false)
    }

    /// Reads all slots; wipes those that a crash left without a head.
    fn scan(&mut self) -> Result<Vec<Found>, VaultError> {
        let mut found = Vec::new();
        for number in 1..self.end {
            let slot = Slot(number);
            let bytes = self.read(slot)?;
            match content(&bytes) {
                Content::Nothing => self.free.push(slot),
                Content::Unfinished => self.erase(slot)?,
                Content::Payload(payload) => found.push((slot, Zeroizing::new(payload.to_vec()))),
                Content::Damaged => return Err(self.damaged(slot)),
            }
        }
        Ok(found)
    }

    /// A slot's bytes; zeros beyond the end of the file.
    fn read(&self, slot: Slot) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let mut bytes = Zeroizing::new(vec![0; SLOT]);
        let mut filled = 0;
        while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            let offset = offset(slot).saturating_add(u64::try_from(filled).unwrap_or(0));
            match self.file.read_at(rest, offset) {
                Ok(0) => break,
                Ok(count) => filled = filled.saturating_add(count),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(cause) => return Err(self.failed(cause)),
            }
        }
        Ok(bytes)
    }

    /// Writes the beginning of a slot and waits for the disk.
    fn write(&self, slot: Slot, bytes: &[u8]) -> Result<(), VaultError> {
        self.file
            .write_all_at(bytes, offset(slot))
            .and_then(|()| self.file.sync_data())
            .map_err(|cause| self.failed(cause))
    }

    fn failed(&self, cause: io::Error) -> VaultError {
        VaultError::Access {
            path: self.path.clone(),
            cause,
        }
    }

    /// The error of a slot whose content is not what was written.
    pub fn damaged(&self, slot: Slot) -> VaultError {
        VaultError::Damaged {
            path: self.path.clone(),
            slot: slot.0,
        }
    }
}

/// Where a slot begins in the file.
fn offset(slot: Slot) -> u64 {
    slot.0
        .saturating_mul(u64::try_from(SLOT).unwrap_or(u64::MAX))
}

/// Takes the file for this process. A node that starts again inside its process may meet the last requests of its former
/// self, so it waits a moment.
fn locked(file: &File) -> io::Result<bool> {
    for _ in 0..LOCK_TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
            Err(TryLockError::Error(cause)) => return Err(cause),
        }
    }
    Ok(false)
}

fn check_mode(file: &File, path: &Path) -> Result<(), VaultError> {
    let path = path.to_owned();
    match file.metadata() {
        Ok(metadata) => {
            let mode = metadata.permissions().mode() & 0o7777;
            if mode & 0o077 != 0 {
                return Err(VaultError::TooOpen { path, mode });
            }
            Ok(())
        }
        Err(cause) => Err(VaultError::Access { path, cause }),
    }
}

/// What a slot's bytes are.
enum Content<'a> {
    /// All zeros.
    Nothing,
    /// Bytes without a head.
    Unfinished,
    /// A secret.
    Payload(&'a [u8]),
    /// A head that does not fit.
    Damaged,
}

fn content(bytes: &[u8]) -> Content<'_> {
    let Some((length, rest)) = bytes.split_first_chunk::<2>() else {
        return Content::Damaged;
    };
    let Some((checksum, body)) = rest.split_first_chunk::<4>() else {
        return Content::Damaged;
    };
    // No secret is empty, so a head of zeros is none.
    if *length == [0; 2] && *checksum == [0; 4] {
        let clean = body.iter().all(|byte| *byte == 0);
        return if clean {
            Content::Nothing
        } else {
            Content::Unfinished
        };
    }
    let payload = body.get(..usize::from(u16::from_be_bytes(*length)));
    match payload {
        Some(payload) if crc32fast::hash(payload) == u32::from_be_bytes(*checksum) => {
            Content::Payload(payload)
        }
        _ => Content::Damaged,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(home: &Path) -> (Vault, Vec<Vec<u8>>) {
        let (vault, found) = Vault::open(home, "test").unwrap();
        let secrets = found.into_iter().map(|(_, secret)| secret.to_vec());
        (vault, secrets.collect())
    }

    fn bytes(home: &Path) -> Vec<u8> {
        fs::read(home.join(FOLDER).join("test")).unwrap()
    }

    fn contains(haystack: &[u8], needle: &[u8]) -> bool {
        haystack
            .windows(needle.len())
            .any(|window| window == needle)
    }

    #[test]
    fn secrets_come_back_after_a_restart_and_the_file_is_the_owners_alone() {
        let home = tempfile::tempdir().unwrap();
        let (mut vault, _) = open(home.path());
        vault.put(b"first secret").unwrap();
        vault.put(&[7; PAYLOAD_BYTES_MAX]).unwrap();
        drop(vault);

        let (_vault, secrets) = open(home.path());

        assert_eq!(
            secrets,
            [b"first secret".to_vec(), vec![7; PAYLOAD_BYTES_MAX]]
        );
        let path = home.path().join(FOLDER).join("test");
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn an_erased_secret_is_nowhere_in_the_file_and_its_slot_is_used_again() {
        let home = tempfile::tempdir().unwrap();
        let (mut vault, _) = open(home.path());
        let slot = vault.put(b"a secret that must go").unwrap();
        vault.put(b"another").unwrap();
        let length = bytes(home.path()).len();

        vault.erase(slot).unwrap();

        assert!(!contains(&bytes(home.path()), b"secret that must go"));
        assert_eq!(vault.put(b"third").unwrap(), slot);
        assert_eq!(bytes(home.path()).len(), length);
    }

    #[test]
    fn a_replaced_secret_leaves_no_trace() {
        let home = tempfile::tempdir().unwrap();
        let (mut vault, _) = open(home.path());
        let slot = vault.put(b"the old one").unwrap();

        vault.replace(slot, b"its heir").unwrap();

        assert!(!contains(&bytes(home.path()), b"the old one"));
        drop(vault);
        assert_eq!(open(home.path()).1, [b"its heir".to_vec()]);
    }

    #[test]
    fn what_a_crash_left_without_a_head_is_wiped_at_the_next_start() {
        let home = tempfile::tempdir().unwrap();
        let (mut vault, _) = open(home.path());
        vault.put(b"kept").unwrap();
        let slot = vault.put(b"half a secret").unwrap();
        vault.write(slot, &[0; HEAD]).unwrap();
        drop(vault);

        let (_vault, secrets) = open(home.path());

        assert_eq!(secrets, [b"kept".to_vec()]);
        assert!(!contains(&bytes(home.path()), b"half a secret"));
    }

    #[test]
    fn no_changed_bit_of_a_secret_goes_unseen() {
        let home = tempfile::tempdir().unwrap();
        let (mut vault, _) = open(home.path());
        vault.put(b"whole").unwrap();
        drop(vault);
        let path = home.path().join(FOLDER).join("test");
        let good = bytes(home.path());

        for bit in 0..(HEAD + 5) * 8 {
            let mut bad = good.clone();
            bad[SLOT + bit / 8] ^= 1 << (bit % 8);
            fs::write(&path, &bad).unwrap();

            let opened = Vault::open(home.path(), "test");

            assert!(
                matches!(opened, Err(VaultError::Damaged { slot: 1, .. })),
                "bit {bit}"
            );
        }
    }

    #[test]
    fn a_vault_has_one_process_and_no_other_readers() {
        let home = tempfile::tempdir().unwrap();
        let (vault, _) = open(home.path());
        let second = Vault::open(home.path(), "test");
        assert!(matches!(second, Err(VaultError::InUse { .. })));
        drop(vault);
        let path = home.path().join(FOLDER).join("test");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();

        let open_to_others = Vault::open(home.path(), "test");

        assert!(matches!(
            open_to_others,
            Err(VaultError::TooOpen { mode: 0o640, .. })
        ));
    }

    #[test]
    fn a_file_that_is_no_vault_and_a_secret_that_is_too_long_are_refused() {
        let home = tempfile::tempdir().unwrap();
        let (mut vault, _) = open(home.path());
        let long = vault.put(&[1; PAYLOAD_BYTES_MAX + 1]);
        assert!(matches!(long, Err(VaultError::TooLong(_))));
        drop(vault);
        fs::write(home.path().join(FOLDER).join("test"), b"something else").unwrap();

        let other = Vault::open(home.path(), "test");

        assert!(matches!(other, Err(VaultError::Damaged { slot: 0, .. })));
    }
}
