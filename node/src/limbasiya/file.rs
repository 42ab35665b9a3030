//! What a server of the second paper keeps, in one file that is always whole: written beside its place and moved there.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use protocol::Secret;
use protocol::limbasiya::Rows;
use protocol::{Message as _, wu::Password};
use zeroize::Zeroizing;

/// The folder in a home for what this member keeps of sign-ins.
use crate::outbox::FOLDER;

/// The file in it.
const FILE: &str = "limbasiya-2020";
/// First bytes of the file; a checksum of what follows stands behind them.
const HEAD: &[u8] = b"aidchain-limbasiya-server/1\n";

/// What the file says.
#[derive(Debug)]
pub(super) enum Kept {
    /// `r_S` and `PW_j`: an application that may be on its way.
    Applying(Secret<16>, Password),
    /// `SSK_j` and the table.
    Registered(Secret<32>, Rows),
}

/// Where a home has it.
pub(super) fn path(home: &Path) -> PathBuf {
    home.join(FOLDER).join(FILE)
}

/// Reads the file, if there is one.
pub(super) fn read(path: &Path) -> io::Result<Option<Kept>> {
    let bytes = match fs::read(path) {
        Ok(bytes) => Zeroizing::new(bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(told(path, &error.to_string())),
    };
    let mode = fs::metadata(path)?.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(told(
            path,
            &format!("it has mode {mode:04o}: run chmod 600 on it"),
        ));
    }
    let kept = parse(&bytes).ok_or_else(|| {
        told(path, "it is damaged: restore it from its backup, since the centre registers this server no second time")
    });
    kept.map(Some)
}

fn told(path: &Path, why: &str) -> io::Error {
    io::Error::other(format!("{}: {why}", path.display()))
}

fn parse(bytes: &[u8]) -> Option<Kept> {
    let rest = bytes.strip_prefix(HEAD)?;
    let (checksum, body) = rest.split_first_chunk::<4>()?;
    if crc32fast::hash(body) != u32::from_be_bytes(*checksum) {
        return None;
    }
    let (stage, rest) = body.split_first()?;
    match *stage {
        0 => {
            let (nonce, password) = rest.split_first_chunk::<16>()?;
            let password = Password::parse(password).ok()?;
            Some(Kept::Applying(Secret::new(*nonce), password))
        }
        1 => {
            let (ssk, rows) = rest.split_first_chunk::<32>()?;
            Some(Kept::Registered(Secret::new(*ssk), Rows::parse(rows).ok()?))
        }
        _ => None,
    }
}

/// Puts the file into its place; it is on the disk when this returns.
pub(super) fn write(path: &Path, kept: &Kept) -> io::Result<()> {
    let mut body = Zeroizing::new(Vec::new());
    match kept {
        Kept::Applying(nonce, password) => {
            body.push(0);
            body.extend_from_slice(nonce.expose());
            body.extend_from_slice(password.expose().as_bytes());
        }
        Kept::Registered(ssk, rows) => {
            body.push(1);
            body.extend_from_slice(ssk.expose());
            body.extend_from_slice(&Zeroizing::new(rows.encode()));
        }
    }
    let folder = path.parent().unwrap_or(path);
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let draft = path.with_extension("new");
    let mut file = OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(true)
        .mode(0o600)
        .open(&draft)?;
    file.write_all(HEAD)?;
    file.write_all(&crc32fast::hash(&body).to_be_bytes())?;
    file.write_all(&body)?;
    file.sync_all()?;
    fs::rename(&draft, path)?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use contract::Aid;

    use super::*;

    fn registered() -> Kept {
        let rows = vec![(Aid::new([1; 32]), Secret::new([2; 32]))];
        Kept::Registered(Secret::new([3; 32]), Rows(rows))
    }

    #[test]
    fn what_was_written_is_read_back_from_a_file_of_its_owner() {
        let home = tempfile::tempdir().unwrap();
        let path = path(home.path());
        assert!(read(&path).unwrap().is_none());

        let password = Password::parse(b"typed by nobody").unwrap();
        write(&path, &Kept::Applying(Secret::new([7; 16]), password)).unwrap();
        let Some(Kept::Applying(nonce, password)) = read(&path).unwrap() else {
            panic!("an application was written");
        };
        assert_eq!(*nonce.expose(), [7; 16]);
        assert_eq!(password.expose(), "typed by nobody");

        write(&path, &registered()).unwrap();
        let Some(Kept::Registered(ssk, Rows(rows))) = read(&path).unwrap() else {
            panic!("a registration was written");
        };
        assert_eq!((*ssk.expose(), rows.len()), ([3; 32], 1));
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn no_changed_or_missing_byte_is_taken_for_what_was_written() {
        let home = tempfile::tempdir().unwrap();
        let path = path(home.path());
        write(&path, &registered()).unwrap();
        let good = fs::read(&path).unwrap();

        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            assert!(parse(&bad).is_none(), "byte {at}");
            assert!(parse(&good[..at]).is_none(), "cut at {at}");
        }
        fs::write(&path, &good[1..]).unwrap();
        let error = read(&path).unwrap_err().to_string();
        assert!(error.contains("damaged"), "{error}");
    }

    #[test]
    fn a_file_that_others_may_read_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let path = path(home.path());
        write(&path, &registered()).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();

        let error = read(&path).unwrap_err().to_string();
        assert!(error.contains("chmod 600"), "{error}");
    }
}
