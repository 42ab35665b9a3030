//! Why somebody was refused: told to the operator of this node by support code, and to nobody else.
//!
//! A refused patient gets one neutral text and a code. This file keeps, for the newest refusals, which check failed.
//! It never holds an ID, a password, a capture or an AID.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufRead as _, BufReader, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::mpsc,
    thread,
};

use patient::code::{Code, SupportCode};
use serde::{Deserialize, Serialize};

/// Name of the file in a node's home.
pub const FILE: &str = "refusals.log";
/// Refusals that the file keeps at least; at twice as many the older half goes.
const KEPT: usize = 5_000;
/// Refusals that wait to be written; further ones are told to the patient and not kept.
const WAITING: usize = 1_024;

/// One line of the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    /// What the patient was told.
    pub support: String,
    /// When, in milliseconds since 1970.
    pub time_ms: u64,
    /// What was asked: `register` or `sign-in`.
    pub step: String,
    /// The error that the operator may know.
    pub code: String,
    /// The failed check, in words.
    pub check: String,
}

/// Writes refusals in the background. A clone writes to the same file.
#[derive(Clone, Debug)]
pub struct Refusals {
    /// To the writer's thread.
    sender: mpsc::SyncSender<Refusal>,
}

impl Refusals {
    /// Opens the file of this home, or makes it, and starts its writer.
    pub fn open(home: &Path) -> io::Result<Self> {
        let path = home.join(FILE);
        let count = lines(&path)?.len();
        let mut file = append(&path)?;
        let (sender, receiver) = mpsc::sync_channel::<Refusal>(WAITING);
        thread::Builder::new().name("refusals".to_owned()).spawn(move || {
            let mut count = count;
            for refusal in receiver {
                match write(&path, &mut file, &refusal, count) {
                    Ok(after) => count = after,
                    Err(error) => tracing::warn!(event = "refusal_not_kept", %error, "cannot write {FILE}"),
                }
            }
        })?;
        Ok(Self { sender })
    }

    /// Keeps why somebody was refused, and names it.
    pub fn note(&self, time_ms: u64, step: &str, code: Code, check: &str) -> SupportCode {
        let mut random = [0; 4];
        // Without randomness the code repeats: the operator then sees several refusals under it.
        if let Err(error) = getrandom::fill(&mut random) {
            tracing::warn!(event = "no_randomness", %error, "a support code is not random");
        }
        let support = SupportCode::from_random(random);
        let refusal = Refusal {
            support: support.to_string(),
            time_ms,
            step: step.to_owned(),
            code: code.text(),
            check: check.to_owned(),
        };
        if self.sender.try_send(refusal).is_err() {
            tracing::warn!(
                event = "refusal_not_kept",
                "too many refusals at once: one is not in {FILE}"
            );
        }
        support
    }
}

/// What this home's node refused under a support code, newest first.
pub fn find(home: &Path, support: SupportCode) -> io::Result<Vec<Refusal>> {
    let wanted = support.to_string();
    let kept = lines(&home.join(FILE))?;
    let read = kept
        .iter()
        .rev()
        .filter_map(|line| serde_json::from_str::<Refusal>(line).ok());
    Ok(read.filter(|refusal| refusal.support == wanted).collect())
}

/// Appends one line; drops the older half when the file has become too long.
fn write(path: &PathBuf, file: &mut File, refusal: &Refusal, count: usize) -> io::Result<usize> {
    let mut line = serde_json::to_string(refusal)?;
    line.push('\n');
    file.write_all(line.as_bytes())?;
    let count = count.saturating_add(1);
    if count < KEPT.saturating_mul(2) {
        return Ok(count);
    }
    let all = lines(path)?;
    let kept = all.get(all.len().saturating_sub(KEPT)..).unwrap_or(&all);
    let shorter = path.with_extension("new");
    let mut fresh = OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(true)
        .mode(0o600)
        .open(&shorter)?;
    for line in kept {
        writeln!(fresh, "{line}")?;
    }
    fresh.sync_all()?;
    fs::rename(&shorter, path)?;
    *file = append(path)?;
    Ok(kept.len())
}

/// The file, for adding to its end.
fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
}

/// All lines; none when there is no file yet. What is no text stands for itself, so that one torn line hides no other.
fn lines(path: &Path) -> io::Result<Vec<String>> {
    let text = |line: Vec<u8>| String::from_utf8_lossy(&line).into_owned();
    match File::open(path) {
        Ok(file) => {
            let lines = BufReader::new(file).split(b'\n');
            lines.map(|line| line.map(text)).collect()
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn refusal(number: usize) -> Refusal {
        Refusal {
            support: "AC-7F3K".to_owned(),
            time_ms: 1,
            step: "sign-in".to_owned(),
            code: "AC0422".to_owned(),
            check: format!("check {number}"),
        }
    }

    #[test]
    fn the_operator_finds_the_failed_check_by_the_code_the_patient_was_told() {
        let home = tempfile::tempdir().unwrap();
        let refusals = Refusals::open(home.path()).unwrap();
        let support = refusals.note(5, "sign-in", Code::UnknownAid, "no record under this AID");
        while lines(&home.path().join(FILE)).unwrap().is_empty() {
            thread::yield_now();
        }

        let found = find(home.path(), support).unwrap();

        assert_eq!(found.len(), 1);
        assert_eq!(found[0].code, Code::UnknownAid.text());
        assert_eq!(found[0].check, "no record under this AID");
        let mode = fs::metadata(home.path().join(FILE))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_home_that_never_refused_anybody_has_no_answer() {
        let home = tempfile::tempdir().unwrap();

        assert_eq!(find(home.path(), "AC-7F3K".parse().unwrap()).unwrap(), []);
    }

    #[test]
    fn the_file_stays_bounded_and_keeps_the_newest() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join(FILE);
        let mut file = append(&path).unwrap();
        let mut count = 0;
        for number in 0..=KEPT * 2 {
            count = write(&path, &mut file, &refusal(number), count).unwrap();
        }

        assert_eq!(count, KEPT + 1);
        let kept = lines(&path).unwrap();
        assert_eq!(kept.len(), KEPT + 1);
        assert!(
            kept.last()
                .unwrap()
                .contains(&format!("check {}", KEPT * 2))
        );
    }

    #[test]
    fn a_torn_line_hides_no_other() {
        let home = tempfile::tempdir().unwrap();
        let mut file = append(&home.path().join(FILE)).unwrap();
        file.write_all(b"{\"support\":\"AC-7F\n").unwrap();
        file.write_all(b"\xff\xfe no text\n").unwrap();
        file.write_all(serde_json::to_string(&refusal(1)).unwrap().as_bytes())
            .unwrap();

        assert_eq!(
            find(home.path(), "AC-7F3K".parse().unwrap()).unwrap(),
            [refusal(1)]
        );
    }
}
