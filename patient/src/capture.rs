//! Capture files: what a sensor wrote, read into what the protocol takes.

use std::path::{Path, PathBuf};

use protocol::biometric::{EMBEDDING_NUMBERS, TEMPLATE_BYTES};
use protocol::{BiometricSource, Capture, Embedding, Template};
use serde::Deserialize;
use zeroize::{Zeroize as _, Zeroizing};

use crate::code::Code;
use crate::files;
use crate::output::Failure;

const SCHEMA: &str = "aidchain.capture/1";
const FILE_BYTES_MAX: usize = 64 << 10;
/// Captures of one face differ in about 300 of 2048 bits; of two faces, in about 900 or more.
const ENROLMENT_DISTANCE_MAX: u32 = 700;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    schema: String,
    modality: String,
    template: Option<String>,
    embedding_q: Option<String>,
}

impl Drop for File {
    fn drop(&mut self) {
        self.template.zeroize();
        self.embedding_q.zeroize();
    }
}

/// A capture that was written to a file, in place of a sensor.
#[derive(Clone, Debug)]
pub struct CaptureFile(PathBuf);

impl CaptureFile {
    /// The capture in this file.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }
}

impl BiometricSource for CaptureFile {
    type Error = Failure;

    fn capture(&mut self) -> Result<Capture, Failure> {
        let bytes = files::read(&self.0, FILE_BYTES_MAX)?;
        parse(&bytes).map_err(|problem| {
            Failure::new(Code::BadCapture)
                .message(format!("{} is not a usable capture", self.0.display()))
                .because(problem)
        })
    }
}

/// The template of one capture file.
pub fn template(path: &Path) -> Result<Template, Failure> {
    let capture = CaptureFile::new(path).capture()?;
    capture.template().cloned().ok_or_else(|| {
        Failure::new(Code::BadCapture)
            .message(format!("{} holds no template", path.display()))
            .because("it holds an embedding only, and the suite takes templates")
    })
}

/// The template of an enrolment: the majority of three captures of one face.
pub fn enrolment(paths: &[PathBuf]) -> Result<Template, Failure> {
    let [one, two, three] = paths else {
        return Err(three_of(paths.len()));
    };
    let (one, two, three) = (template(one)?, template(two)?, template(three)?);
    alike([&one, &two, &three])?;
    Ok(Template::majority([&one, &two, &three]))
}

/// The embedding of one capture file.
pub fn embedding(path: &Path) -> Result<Embedding, Failure> {
    let capture = CaptureFile::new(path).capture()?;
    capture.embedding().cloned().ok_or_else(|| {
        Failure::new(Code::BadCapture)
            .message(format!("{} holds no embedding", path.display()))
            .because("it holds a template only, and the suite projects embeddings by a secret")
    })
}

/// The embeddings of an enrolment: three captures of one face.
pub fn enrolment_embeddings(paths: &[PathBuf]) -> Result<[Embedding; 3], Failure> {
    let [one, two, three] = paths else {
        return Err(three_of(paths.len()));
    };
    let captures = [embedding(one)?, embedding(two)?, embedding(three)?];
    // How alike they are shows under any projection; the secret one is not there yet.
    let projection = protocol::synthetic::projection();
    alike(
        captures
            .each_ref()
            .map(|one| projection.project(one))
            .each_ref(),
    )?;
    Ok(captures)
}

fn three_of(captures: usize) -> Failure {
    Failure::new(Code::BadCapture)
        .message(format!("{captures} captures, enrolment takes three"))
        .help("give --bio FILE three times, each with another capture of the same face")
}

fn alike([one, two, three]: [&Template; 3]) -> Result<(), Failure> {
    let widest = one
        .distance(two)
        .max(two.distance(three))
        .max(three.distance(one));
    if widest > ENROLMENT_DISTANCE_MAX {
        return Err(Failure::new(Code::CapturesDiffer));
    }
    Ok(())
}

fn parse(bytes: &[u8]) -> Result<Capture, String> {
    let file: File = serde_json::from_slice(bytes)
        // The parser's text may quote what it read, and that is somebody's face.
        .map_err(|error| format!("line {}, column {}", error.line(), error.column()))?;
    if file.schema != SCHEMA {
        return Err(format!("its schema is not {SCHEMA}"));
    }
    if file.modality.is_empty() || file.modality.len() > 32 {
        return Err("its modality is not named".to_owned());
    }
    let template = file
        .template
        .as_deref()
        .map(|text| fixed::<TEMPLATE_BYTES>("template", text))
        .transpose()?
        .map(|bytes| Template::new(*bytes));
    let embedding = file
        .embedding_q
        .as_deref()
        .map(|text| fixed::<EMBEDDING_NUMBERS>("embedding_q", text))
        .transpose()?
        .map(|bytes| Embedding::new(bytes.map(u8::cast_signed)));
    match (template, embedding) {
        (Some(template), Some(embedding)) => Ok(Capture::Both(template, embedding)),
        (Some(template), None) => Ok(Capture::Template(template)),
        (None, Some(embedding)) => Ok(Capture::Embedding(embedding)),
        (None, None) => Err("it holds neither a template nor an embedding".to_owned()),
    }
}

fn fixed<const N: usize>(field: &str, text: &str) -> Result<Zeroizing<[u8; N]>, String> {
    let mut bytes = Zeroizing::new([0; N]);
    hex::decode_to_slice(text, bytes.as_mut())
        .map_err(|_error| format!("its {field} is not {N} bytes in hexadecimal"))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn file(folder: &Path, name: &str, byte: u8) -> PathBuf {
        let path = folder.join(name);
        let template = hex::encode([byte; TEMPLATE_BYTES]);
        let text = format!(
            r#"{{"schema":"aidchain.capture/1","modality":"face","template":"{template}"}}"#
        );
        fs::write(&path, text).expect("written");
        path
    }

    #[test]
    fn an_enrolment_is_the_majority_of_three_captures_that_are_alike() {
        let folder = tempfile::tempdir().expect("folder");
        let file = |name, byte| file(folder.path(), name, byte);
        let alike = [
            file("a", 0b0000_0011),
            file("b", 0b0000_0001),
            file("c", 0b0000_0010),
        ];

        let template = enrolment(&alike).expect("alike");

        assert_eq!(template, Template::new([0b0000_0011; TEMPLATE_BYTES]));
        let stranger = [alike[0].clone(), alike[1].clone(), file("d", 0b1111_1100)];
        assert_eq!(
            enrolment(&stranger).expect_err("unlike").code(),
            Code::CapturesDiffer
        );
        assert_eq!(
            enrolment(&alike[..2]).expect_err("two").code(),
            Code::BadCapture
        );
    }

    fn embedding_file(folder: &Path, name: &str, subject: usize, shot: usize) -> PathBuf {
        let subjects = protocol::synthetic::subjects(1);
        let numbers = *subjects[subject].captures[shot].embedding.expose();
        let digits = hex::encode(numbers.map(i8::cast_unsigned));
        let path = folder.join(name);
        let text = format!(
            r#"{{"schema":"aidchain.capture/1","modality":"face","embedding_q":"{digits}"}}"#
        );
        fs::write(&path, text).expect("written");
        path
    }

    #[test]
    fn three_embeddings_of_one_face_enrol_and_of_two_faces_do_not() {
        let folder = tempfile::tempdir().expect("folder");
        let file = |name, subject, shot| embedding_file(folder.path(), name, subject, shot);
        let own = [file("a", 0, 0), file("b", 0, 1), file("c", 0, 2)];
        let code = |paths: &[PathBuf]| enrolment_embeddings(paths).expect_err("refused").code();

        enrolment_embeddings(&own).expect("one face");

        let mixed = [own[0].clone(), own[1].clone(), file("d", 1, 0)];
        assert_eq!(code(&mixed), Code::CapturesDiffer);
        assert_eq!(code(&own[..2]), Code::BadCapture);
        let template_only = self::file(folder.path(), "e", 1);
        assert_eq!(
            embedding(&template_only).expect_err("none").code(),
            Code::BadCapture
        );
    }

    #[test]
    fn what_is_no_capture_is_refused_without_quoting_it() {
        let template = hex::encode([0xAB; TEMPLATE_BYTES]);
        let good = format!(
            r#"{{"schema":"aidchain.capture/1","modality":"face","template":"{template}"}}"#
        );
        assert!(matches!(parse(good.as_bytes()), Ok(Capture::Template(_))));
        for bad in [
            String::new(),
            good.replace("capture/1", "capture/2"),
            good.replace("\"face\"", "\"\""),
            good.replace("\"template\"", "\"pattern\""),
            good.replace("abab\"", "ab\""),
            good.replace("abab\"", "abzz\""),
            good.replace(&format!(",\"template\":\"{template}\""), ""),
            format!("{good}{good}"),
        ] {
            let problem = parse(bad.as_bytes()).expect_err(&bad);
            assert!(!problem.contains("abab"), "{problem}");
        }
    }
}
