//! Who said who she is when she signed in here: one line a sign-in, for this member's own records.
//!
//! `sign-ins/identified.jsonl` has the ID in clear text, because that is what the patient told this member; the file is
//! its owner's alone, and nothing else of this program writes an ID. The salt that would prove the ID to others is nowhere.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use contract::{Aid, SessionId};
use protocol::wu::PatientId;
use serde::Serialize;
use zeroize::Zeroizing;

/// The folder in a home.
const FOLDER: &str = "sign-ins";
/// The file in it.
const FILE: &str = "identified.jsonl";

/// More octets than a line has.
const TAIL: u64 = 4_096;

/// The open file. A lock, so that each line is whole.
#[derive(Debug)]
pub struct Identified {
    path: PathBuf,
    file: Mutex<Option<File>>,
}

/// One line.
#[derive(Serialize)]
struct Line<'a> {
    /// Milliseconds since 1970.
    time_ms: u64,
    aid: Aid,
    sid: SessionId,
    id: &'a str,
}

impl Identified {
    /// The file of a home; it is made with its first line.
    pub fn of(home: &Path) -> Self {
        Self {
            path: home.join(FOLDER).join(FILE),
            file: Mutex::new(None),
        }
    }

    /// Writes a line; it is on the disk when this returns.
    pub fn note(
        &self,
        time_ms: u64,
        (aid, sid): (Aid, SessionId),
        id: &PatientId,
    ) -> io::Result<()> {
        let id = id.expose();
        let line = Line {
            time_ms,
            aid,
            sid,
            id,
        };
        let mut text = Zeroizing::new(serde_json::to_vec(&line)?);
        text.push(b'\n');
        let mut slot = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let mut file = match slot.take() {
            Some(file) => file,
            None => open(&self.path)?,
        };
        // After a failure the file is opened anew, and what was half written is cut off.
        file.write_all(&text)?;
        file.sync_data()?;
        *slot = Some(file);
        Ok(())
    }
}

/// Opens the file behind its last whole line.
fn open(path: &Path) -> io::Result<File> {
    let folder = path.parent().unwrap_or(path);
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .read(true)
        .mode(0o600)
        .open(path)?;
    let length = file.metadata()?.len();
    let from = length.saturating_sub(TAIL);
    let mut tail = Zeroizing::new(Vec::new());
    (&file).seek(SeekFrom::Start(from))?;
    (&file).take(TAIL).read_to_end(&mut tail)?;
    let torn = tail.iter().rev().take_while(|byte| **byte != b'\n').count();
    file.set_len(length.saturating_sub(u64::try_from(torn).unwrap_or(0)))?;
    file.sync_data()?;
    File::open(folder)?.sync_all()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn note(identified: &Identified, number: u8) {
        let whose = (Aid::new([number; 32]), SessionId::new([number; 32]));
        let id = PatientId::parse("Ada \"Love\" lace".as_bytes()).unwrap();
        identified.note(7, whose, &id).unwrap();
    }

    #[test]
    fn each_line_is_whole_also_behind_one_that_a_crash_tore_and_the_file_is_its_owners() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join(FOLDER).join(FILE);
        note(&Identified::of(home.path()), 1);
        let mut torn = fs::read(&path).unwrap();
        torn.extend(b"{\"time_ms\":7,\"ai");
        fs::write(&path, torn).unwrap();

        let identified = Identified::of(home.path());
        note(&identified, 2);
        note(&identified, 3);

        let text = fs::read_to_string(&path).unwrap();
        let lines: Vec<serde_json::Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let aids: Vec<&str> = lines
            .iter()
            .map(|line| line["aid"].as_str().unwrap())
            .collect();
        assert_eq!(
            aids,
            [1, 2, 3].map(|octet| Aid::new([octet; 32]).to_string())
        );
        assert_eq!(lines[0]["id"], "Ada \"Love\" lace");
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
