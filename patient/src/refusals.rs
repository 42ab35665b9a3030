//! What this terminal refused by itself, by support code: nothing of it ever left the terminal.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::code::{Code, SupportCode};
use crate::{card, clock, dice, files};

/// Name of the file in the folder of the cards.
const FILE: &str = "refusals.log";
/// A longer file is begun anew.
const FILE_BYTES_MAX: u64 = 64 << 10;

/// One line of the file. It holds no ID, no password, no capture, and not which factor failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// What the patient was told.
    pub support: String,
    /// When, in milliseconds since 1970.
    pub time_ms: u64,
    /// The error.
    pub code: String,
}

/// Names a refusal and keeps it, as well as this terminal can.
pub fn note(code: Code) -> Option<SupportCode> {
    let support = dice::support_code().ok()?;
    let folder = card::folder().ok()?;
    append(&folder, support, code).ok()?;
    Some(support)
}

/// What was refused under a support code, if it was here.
pub fn find(support: SupportCode) -> Option<Code> {
    find_in(&card::folder().ok()?, support)
}

fn append(folder: &Path, support: SupportCode, code: Code) -> std::io::Result<()> {
    files::make_folder(folder).map_err(std::io::Error::other)?;
    let path = folder.join(FILE);
    let full = fs::metadata(&path).is_ok_and(|file| file.len() > FILE_BYTES_MAX);
    let mut file = OpenOptions::new()
        .create(true)
        .write(true)
        .append(!full)
        .truncate(full)
        .mode(0o600)
        .open(path)?;
    let line = serde_json::to_string(&Refusal {
        support: support.to_string(),
        time_ms: clock::wall_ms(),
        code: code.text(),
    })?;
    writeln!(file, "{line}")
}

fn find_in(folder: &Path, support: SupportCode) -> Option<Code> {
    let text = fs::read_to_string(folder.join(FILE)).ok()?;
    let wanted = support.to_string();
    text.lines()
        .rev()
        .filter_map(|line| serde_json::from_str::<Refusal>(line).ok())
        .find(|refusal| refusal.support == wanted)
        .and_then(|refusal| refusal.code.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_found_again_by_its_code_where_it_happened() {
        let folder = tempfile::tempdir().expect("folder");
        let (one, two) = (
            SupportCode::from_random([1; 4]),
            SupportCode::from_random([2; 4]),
        );

        append(folder.path(), one, Code::CredentialDidNotOpen).expect("kept");

        assert_eq!(
            find_in(folder.path(), one),
            Some(Code::CredentialDidNotOpen)
        );
        assert_eq!(find_in(folder.path(), two), None);
    }
}
