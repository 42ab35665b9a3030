//! Reading and writing files so that nothing is half written, overwritten or open to others by mistake.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use contract::genesis::Genesis;
use contract::limits::GENESIS_BYTES_MAX;
use zeroize::Zeroizing;

use crate::code::Code;
use crate::output::Failure;

/// Who may read a file that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readers {
    /// Its owner alone.
    Owner,
    /// Everybody.
    All,
}

impl Readers {
    const fn mode(self) -> u32 {
        match self {
            Self::Owner => 0o600,
            Self::All => 0o644,
        }
    }
}

/// The bytes of a file of at most `limit` bytes; wiped after use, because any file may be a secret one.
pub fn read(path: &Path, limit: usize) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let mut bytes = Zeroizing::new(Vec::new());
    let more = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    File::open(path)
        .and_then(|file| file.take(more).read_to_end(&mut bytes))
        .map_err(|error| {
            Failure::new(Code::CannotRead)
                .message(format!("cannot read {}", path.display()))
                .because(error)
        })?;
    if bytes.len() > limit {
        return Err(Failure::new(Code::CannotRead)
            .message(format!("{} is too long", path.display()))
            .because(format!("it has more than {limit} bytes")));
    }
    Ok(bytes)
}

/// Refuses a secret file that other users can read, with the exact command that closes it.
pub fn check_private(path: &Path, code: Code) -> Result<(), Failure> {
    let Ok(metadata) = fs::metadata(path) else {
        return Ok(());
    };
    let mode = metadata.permissions().mode() & 0o7777;
    if metadata.is_file() && mode & 0o077 != 0 {
        return Err(Failure::new(code)
            .message(format!(
                "{} has mode {mode:04o}: other users can read it",
                path.display()
            ))
            .help(format!("chmod 600 {}", path.display())));
    }
    Ok(())
}

/// Writes a new file: complete and durable, or not at all. Never over an old one.
pub fn write_new(path: &Path, bytes: &[u8], readers: Readers, exists: Code) -> Result<(), Failure> {
    let written = || -> io::Result<()> {
        let beside = beside(path);
        let outcome = write_beside(&beside, bytes, readers)
            // A link, unlike a rename, refuses to replace what is there.
            .and_then(|()| fs::hard_link(&beside, path));
        let removed = fs::remove_file(&beside);
        outcome?;
        removed?;
        sync_folder(path)
    };
    written().map_err(|error| {
        if error.kind() == ErrorKind::AlreadyExists {
            return Failure::new(exists).message(format!("{} exists already", path.display()));
        }
        cannot_write(path, &error)
    })
}

/// Writes a file of the owner's over the old one, if there is one: complete and durable, or not at all.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let beside = beside(path);
    // Left behind by a crash; in a container every process may have the same number.
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(cannot_write(path, &error));
        }
        Ok(()) | Err(_) => {}
    }
    write_beside(&beside, bytes, Readers::Owner)
        .and_then(|()| fs::rename(&beside, path))
        .and_then(|()| sync_folder(path))
        .map_err(|error| cannot_write(path, &error))
}

/// Makes a folder for its owner alone, and those above it.
pub fn make_folder(path: &Path) -> Result<(), Failure> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|error| cannot_write(path, &error))
}

/// The genesis file at `path`, read and checked.
pub fn genesis(path: &Path) -> Result<(Genesis, Vec<u8>), Failure> {
    let bytes = read(path, GENESIS_BYTES_MAX)?;
    let genesis = Genesis::parse(&bytes).map_err(|error| {
        Failure::new(Code::BadGenesis)
            .message(format!("{} is not a genesis file", path.display()))
            .because(error)
    })?;
    Ok((genesis, bytes.to_vec()))
}

/// The failure of a write.
pub fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    Failure::new(Code::CannotWrite)
        .message(format!("cannot write {}", path.display()))
        .because(error)
}

fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}", std::process::id()))
}

fn write_beside(path: &Path, bytes: &[u8], readers: Readers) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(readers.mode())
        .open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        Some(_) | None => Path::new("."),
    };
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_file_is_for_its_owner_and_is_never_written_over() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("card");

        write_new(&path, b"one", Readers::Owner, Code::CardExists).expect("written");
        let again = write_new(&path, b"two", Readers::Owner, Code::CardExists);

        assert_eq!(again.expect_err("exists").code(), Code::CardExists);
        assert_eq!(read(&path, 10).expect("read").as_slice(), b"one");
        let mode = fs::metadata(&path).expect("file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).expect("folder").count(), 1);
    }

    #[test]
    fn a_file_is_read_up_to_its_limit_and_not_beyond() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("file");
        fs::write(&path, [7; 10]).expect("written");

        assert_eq!(read(&path, 10).expect("read").len(), 10);
        assert_eq!(read(&path, 9).expect_err("long").code(), Code::CannotRead);
    }

    #[test]
    fn an_open_secret_is_refused_with_the_command_that_closes_it() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("pw");
        fs::write(&path, "secret").expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("chmod");

        let failure = check_private(&path, Code::SecretTooOpen).expect_err("open");

        assert_eq!(failure.next_step(), format!("chmod 600 {}", path.display()));
    }
}
