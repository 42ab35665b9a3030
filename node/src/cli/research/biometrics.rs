//! `aidchain research biometrics`: a set of captures, read and examined.

use std::path::Path;

use patient::code::Code;
use patient::output::{Console, Failure};
use research::biometrics::{Matrix, Set, Unusable, examine, set};

use super::files::{self, unusable};

/// Measures the set in a folder.
pub(super) fn measure(folder: &Path, console: &Console) -> Result<(), Failure> {
    let report = examine(&read(folder)?);
    console.data(&report, &report.text())
}

/// The set in a folder, as far as it is there.
fn read(folder: &Path) -> Result<Set, Failure> {
    let faces = folder.join("face_templates.json");
    let people = part(&faces, set::people)?.ok_or_else(|| {
        Failure::new(Code::CannotRead)
            .message(format!("there is no {}", faces.display()))
            .help("name a folder with a set of captures; `aidchain research faces --seed 1 --out DIR` makes one")
    })?;
    Ok(Set {
        people,
        answers: part(&folder.join("kat_fe_v1.json"), set::answers)?.unwrap_or_default(),
        matrix: matrix(&folder.join("face_projection_f32le.bin"))?,
        eyes: part(&folder.join("iris_templates.json"), set::eyes)?,
    })
}

/// What a file of the set holds; `None` if there is no such file.
fn part<T>(path: &Path, parse: fn(&str) -> Result<T, Unusable>) -> Result<Option<T>, Failure> {
    let text = files::text(path)?;
    text.map(|text| parse(&text).map_err(|error| unusable(path, error)))
        .transpose()
}

/// The projection of the set; `None` if there is no such file.
fn matrix(path: &Path) -> Result<Option<Matrix>, Failure> {
    let bytes = files::content(path)?;
    bytes
        .map(|bytes| set::matrix(&bytes).map_err(|error| unusable(path, error)))
        .transpose()
}

#[cfg(test)]
mod tests {
    use patient::output::{Form, Input, Talk};
    use protocol::measure::KnownAnswer;
    use research::biometrics::hard;

    use super::super::faces;
    use super::*;

    const QUIET: Console = Console::new(Form::Json, Talk::Quiet, Input::Never);

    #[test]
    fn the_faces_that_are_written_are_the_faces_that_are_measured() {
        let folder = tempfile::tempdir().unwrap();
        let written = folder.path().join("faces");
        faces::write(1, &written, &QUIET).unwrap();

        let set = read(&written).unwrap();
        let errors = hard::measure(&set.people, &set.answers);

        assert!(set.answers.iter().all(KnownAnswer::is_exact));
        assert_eq!(set.answers.len(), 80);
        assert!(set.people.iter().all(|person| person.embeddings.is_some()));
        assert!(set.matrix.is_some());
        assert!(set.eyes.is_none());
        assert_eq!((errors.genuine, errors.impostor), (308, 9_548));
        assert!(errors.false_rejects <= 11, "{errors:?}");
        assert_eq!(errors.false_accepts, 0);
    }

    #[test]
    fn faces_are_never_written_over_others() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("mine.json"), "{}").unwrap();

        let refused = faces::write(1, folder.path(), &QUIET).unwrap_err();

        assert_eq!(refused.code(), Code::FileExists);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_set_that_is_none_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();

        let missing = measure(folder.path(), &QUIET).unwrap_err();
        std::fs::write(folder.path().join("face_templates.json"), "[]").unwrap();
        let wrong = measure(folder.path(), &QUIET).unwrap_err();

        assert_eq!(missing.code(), Code::CannotRead);
        assert_eq!(wrong.code(), Code::BadCapture);
        assert!(wrong.why().unwrap().contains("line 1"));
    }
}
