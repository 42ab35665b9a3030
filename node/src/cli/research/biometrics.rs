//! `aidchain research biometrics`: the errors of the fuzzy extractor on a set.

use std::path::Path;

use patient::code::Code;
use patient::output::{Console, Failure};
use protocol::measure::{self, Errors, KnownAnswer, Subject};
use protocol::{Auxiliary, Secret, Template};
use serde::{Deserialize, Serialize};

use super::files::{self, bytes, unusable};

/// `face_templates.json`, as far as it is needed.
#[derive(Deserialize)]
struct Set {
    captures: Vec<Row>,
}

/// One capture of the set.
#[derive(Deserialize)]
struct Row {
    subject: String,
    template: String,
}

/// `kat_fe_v1.json`, as far as it is needed.
#[derive(Deserialize)]
struct Answers {
    vectors: Vec<Vector>,
}

/// One known answer.
#[derive(Deserialize)]
struct Vector {
    enrol_template: String,
    message_symbols: [u8; 26],
    salt: String,
    #[serde(rename = "PP")]
    pp: String,
    #[serde(rename = "SP")]
    sp: String,
    probe_template: String,
    expect: String,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Report {
    schema: &'static str,
    kat: Kat,
    face: Face,
}

/// The known answers.
#[derive(Serialize)]
struct Kat {
    total: usize,
    exact: usize,
}

/// The face set.
#[derive(Serialize)]
struct Face {
    hard: Hard,
}

/// Hard decisions, three captures to enrol.
#[derive(Serialize)]
struct Hard {
    genuine: u64,
    false_rejects: u64,
    impostor: u64,
    false_accepts: u64,
}

/// Measures the set in a folder.
pub(super) fn measure(set: &Path, console: &Console) -> Result<(), Failure> {
    let subjects = subjects(&set.join("face_templates.json"))?;
    let answers = known_answers(&set.join("kat_fe_v1.json"))?;
    let kat = Kat {
        total: answers.len(),
        exact: answers.iter().filter(|answer| answer.is_exact()).count(),
    };
    let errors = count(&subjects, &answers);
    let text = text(&kat, errors, subjects.len());
    let report = Report {
        schema: "aidchain.biometrics/1",
        kat,
        face: Face {
            hard: Hard {
                genuine: errors.genuine,
                false_rejects: errors.false_rejects,
                impostor: errors.impostor,
                false_accepts: errors.false_accepts,
            },
        },
    };
    console.data(&report, &text)
}

/// Enrols whom a known answer enrols as it did, all others by a draw from their
/// label, and tries everybody against everybody.
fn count(subjects: &[(String, Vec<Template>)], answers: &[KnownAnswer]) -> Errors {
    let enrolled: Vec<_> = subjects
        .iter()
        .filter_map(|(label, captures)| {
            let mut known = answers.iter();
            known
                .find_map(|answer| Subject::known(captures, answer))
                .or_else(|| Subject::enrol(captures, &mut measure::draw(label)))
        })
        .collect();
    measure::errors(&enrolled)
}

/// The captures of each subject, in the order of the file.
fn subjects(path: &Path) -> Result<Vec<(String, Vec<Template>)>, Failure> {
    let set: Set = files::read(path)?.ok_or_else(|| {
        Failure::new(Code::CannotRead)
            .message(format!("there is no {}", path.display()))
            .help("name a folder with a set of captures; `aidchain research faces --seed 1 --out DIR` makes one")
    })?;
    let mut subjects: Vec<(String, Vec<Template>)> = Vec::new();
    for (number, row) in (1_u32..).zip(set.captures) {
        let template = bytes(&row.template)
            .map(Template::new)
            .map_err(|error| unusable(path, format!("capture {number}: template: {error}")))?;
        match subjects
            .iter_mut()
            .find(|(subject, _)| *subject == row.subject)
        {
            Some((_, captures)) => captures.push(template),
            None => subjects.push((row.subject, vec![template])),
        }
    }
    if let Some((subject, _)) = subjects.iter().find(|(_, captures)| captures.len() < 3) {
        let why = format!("{subject} has fewer than the three captures it takes to enrol");
        return Err(unusable(path, why));
    }
    Ok(subjects)
}

/// The known answers beside the set; none if there is no such file.
fn known_answers(path: &Path) -> Result<Vec<KnownAnswer>, Failure> {
    let answers: Option<Answers> = files::read(path)?;
    let vectors = answers.map_or_else(Vec::new, |answers| answers.vectors);
    (1_u32..)
        .zip(vectors)
        .map(|(number, vector)| {
            known_answer(&vector)
                .map_err(|error| unusable(path, format!("vector {number}: {error}")))
        })
        .collect()
}

fn known_answer(vector: &Vector) -> Result<KnownAnswer, String> {
    let field = |name, error: hex::FromHexError| format!("{name}: {error}");
    let pp = bytes::<320>(&vector.pp).map_err(|error| field("PP", error))?;
    Ok(KnownAnswer {
        enrolled: bytes(&vector.enrol_template)
            .map(Template::new)
            .map_err(|error| field("enrol_template", error))?,
        message: vector.message_symbols,
        salt: bytes(&vector.salt).map_err(|error| field("salt", error))?,
        pp: Auxiliary::parse(&pp).map_err(|error| error.to_string())?,
        sp: bytes(&vector.sp)
            .map(Secret::new)
            .map_err(|error| field("SP", error))?,
        probe: bytes(&vector.probe_template)
            .map(Template::new)
            .map_err(|error| field("probe_template", error))?,
        accepted: match vector.expect.as_str() {
            "SP" => true,
            "reject" => false,
            other => return Err(format!("expect is {other:?}, not SP or reject")),
        },
    })
}

/// The report for people.
fn text(kat: &Kat, errors: Errors, subjects: usize) -> String {
    let known = if kat.total == 0 {
        "none beside the set".to_owned()
    } else {
        format!("{} of {} met bit for bit", kat.exact, kat.total)
    };
    format!(
        "Known answers   {known}\n\
         Faces           {subjects} subjects, enrolled with three captures each\n\
         False rejects   {} of {} genuine captures\n\
         False accepts   {} of {} impostor captures",
        errors.false_rejects, errors.genuine, errors.false_accepts, errors.impostor,
    )
}

#[cfg(test)]
mod tests {
    use patient::output::{Form, Input, Talk};

    use super::super::faces;
    use super::*;

    const QUIET: Console = Console::new(Form::Json, Talk::Quiet, Input::Never);

    #[test]
    fn the_faces_that_are_written_are_the_faces_that_are_measured() {
        let folder = tempfile::tempdir().unwrap();
        let set = folder.path().join("faces");
        faces::write(1, &set, &QUIET).unwrap();

        let subjects = subjects(&set.join("face_templates.json")).unwrap();
        let answers = known_answers(&set.join("kat_fe_v1.json")).unwrap();
        let errors = count(&subjects, &answers);

        assert!(answers.iter().all(KnownAnswer::is_exact));
        assert_eq!(answers.len(), 80);
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
        let set = folder.path().join("face_templates.json");
        let refusal = |text: &str| {
            std::fs::write(&set, text).unwrap();
            let failure = subjects(&set).unwrap_err();
            assert_eq!(failure.code(), Code::BadCapture);
            failure.why().unwrap().to_owned()
        };

        assert_eq!(
            measure(folder.path(), &QUIET).unwrap_err().code(),
            Code::CannotRead
        );
        assert!(refusal("[]").contains("line 1"));
        let short = r#"{"captures":[{"subject":"A","template":"00"}]}"#;
        assert!(refusal(short).starts_with("capture 1: template:"));
        let lone = format!(
            r#"{{"captures":[{{"subject":"A","template":"{}"}}]}}"#,
            "00".repeat(256)
        );
        assert!(refusal(&lone).starts_with("A has fewer than"));
    }
}
