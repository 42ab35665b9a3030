//! One process a home: two nodes with one key would contradict each other.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Seek as _, Write as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

/// Held for as long as the node runs; the system lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub struct Lock {
    /// Closing the file lets go.
    _file: File,
}

/// Why a home cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process runs in this home.
    #[error("{} is in use{}; two nodes with one key would contradict each other", home.display(), by(*pid))]
    Held {
        /// The home.
        home: PathBuf,
        /// The process that wrote its number there.
        pid: Option<u32>,
    },
    /// The lock file cannot be opened.
    #[error("cannot open {}: {cause}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        cause: std::io::Error,
    },
}

/// Names the process, when it is known.
fn by(pid: Option<u32>) -> String {
    pid.map(|pid| format!(" by process {pid}"))
        .unwrap_or_default()
}

impl Lock {
    /// Takes the lock of a home and leaves this process's number in it.
    pub fn take(home: &Path) -> Result<Self, LockError> {
        let path = home.join("lock");
        let unreadable = |cause| LockError::Unreadable {
            path: path.clone(),
            cause,
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(unreadable)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let pid = std::fs::read_to_string(&path).ok();
                let pid = pid.and_then(|text| text.trim().parse().ok());
                return Err(LockError::Held {
                    home: home.to_owned(),
                    pid,
                });
            }
            Err(TryLockError::Error(cause)) => return Err(unreadable(cause)),
        }
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{}", std::process::id()))
            .map_err(unreadable)?;
        Ok(Self { _file: file })
    }
}

/// Whether a process holds the lock of a home, which is neither taken nor touched; `None` where the system does not tell.
pub fn is_held(home: &Path) -> Option<bool> {
    let inode = match std::fs::metadata(home.join("lock")) {
        Ok(file) => file.ino(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Some(false),
        Err(_) => return None,
    };
    let table = std::fs::read_to_string("/proc/locks").ok()?;
    Some(table.lines().any(|line| is_writers(line, inode)))
}

/// Whether a line of `/proc/locks` is about a file that somebody has for himself.
fn is_writers(line: &str, inode: u64) -> bool {
    let mut fields = line.split_whitespace().skip(1);
    let (kind, access) = (fields.next(), fields.nth(1));
    let file = fields.nth(1).and_then(|file| file.rsplit(':').next());
    kind == Some("FLOCK")
        && access == Some("WRITE")
        && file.and_then(|number| number.parse().ok()) == Some(inode)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_told_by_its_file() {
        let line = "1: FLOCK  ADVISORY  WRITE 32486 fe:00:5365825 0 EOF";
        assert!(is_writers(line, 5_365_825));
        assert!(!is_writers(line, 5_365_826));
        assert!(!is_writers(&line.replace("WRITE", "READ"), 5_365_825));
        assert!(!is_writers("", 0));
    }

    #[test]
    fn a_home_has_one_holder_at_a_time_who_is_named() {
        let home = tempfile::tempdir().unwrap();
        let first = Lock::take(home.path()).unwrap();
        let error = Lock::take(home.path()).unwrap_err();
        assert!(
            matches!(error, LockError::Held { pid: Some(pid), .. } if pid == std::process::id())
        );
        assert_eq!(is_held(home.path()), Some(true));
        drop(first);
        assert_eq!(is_held(home.path()), Some(false));
        Lock::take(home.path()).unwrap();
    }
}
