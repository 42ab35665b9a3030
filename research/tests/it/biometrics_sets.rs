//! The sets that are examined: the real one where it is at hand, and faces of nobody.

use std::path::PathBuf;
use std::sync::OnceLock;

use protocol::synthetic;
use research::biometrics::set::{self, Person};
use research::biometrics::{Matrix, Report, Set, examine};

/// The report on the real set. On a machine that must have it, its absence is a failure; elsewhere it is told, and
/// the test has nothing to do.
pub(crate) fn real() -> Option<&'static Report> {
    static REPORT: OnceLock<Option<Report>> = OnceLock::new();
    REPORT
        .get_or_init(|| {
            let text = |name| String::from_utf8(file(name)?).ok();
            let set = Set {
                people: set::people(&text("face_templates.json")?).unwrap(),
                answers: set::answers(&text("kat_fe_v1.json")?).unwrap(),
                matrix: Some(set::matrix(&file("face_projection_f32le.bin")?).unwrap()),
                eyes: Some(set::eyes(&text("iris_templates.json")?).unwrap()),
            };
            Some(examine(&set))
        })
        .as_ref()
}

/// Whether a report is on the half of the real set that is public, which is known by its counts and has bounds of its
/// own.
pub(crate) fn is_public_half(report: &Report) -> bool {
    let counted = report.face.hard.errors;
    let shape = (report.face.subjects, report.face.captures);
    (shape, counted.genuine, counted.impostor) == ((32, 404), 308, 9_548)
}

/// The faces of a seed as a set: without irises and with the projection that made them.
pub(crate) fn synthetic(seed: u64) -> Set {
    let subjects = synthetic::subjects(seed).into_iter();
    let people = subjects.map(|subject| {
        let shots = subject.captures.into_iter();
        let (templates, embeddings) = shots.map(|shot| (shot.template, shot.embedding)).unzip();
        Person {
            label: subject.name,
            templates,
            embeddings: Some(embeddings),
        }
    });
    Set {
        people: people.collect(),
        answers: set::answers(synthetic::KNOWN_ANSWERS).unwrap(),
        matrix: Some(Matrix::of(&synthetic::projection())),
        eyes: None,
    }
}

/// A file of the real set.
fn file(name: &str) -> Option<Vec<u8>> {
    let folder = std::env::var_os("AIDCHAIN_BIOMETRICS_DIR").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/biometrics"),
        PathBuf::from,
    );
    let path = folder.join(name);
    let content = std::fs::read(&path).ok();
    if content.is_none() {
        let must_be_there = std::env::var("CI").as_deref() == Ok("true");
        assert!(
            !must_be_there,
            "no {}; set AIDCHAIN_BIOMETRICS_DIR",
            path.display()
        );
        announce(&format!(
            "LEFT OUT: tests on real biometrics, for there is no {}",
            path.display()
        ));
    }
    content
}

#[expect(
    clippy::print_stderr,
    reason = "what a test run left out must be seen in its output"
)]
fn announce(text: &str) {
    eprintln!("{text}");
}
