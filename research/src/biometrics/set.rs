//! The files of a set of captures, read into types that are right: the layout that `aidchain research faces` writes.

use protocol::measure::KnownAnswer;
use protocol::{Auxiliary, Embedding, Malformed, Secret, Template};
use serde::Deserialize;

use super::iris::{Eye, IrisCode};
use super::matrix::Matrix;

/// A set as far as it is at hand.
#[derive(Debug)]
pub struct Set {
    /// Of `face_templates.json`.
    pub people: Vec<Person>,
    /// Of `kat_fe_v1.json`; none without that file.
    pub answers: Vec<KnownAnswer>,
    /// Of `face_projection_f32le.bin`, which made the templates of the embeddings.
    pub matrix: Option<Matrix>,
    /// Of `iris_templates.json`.
    pub eyes: Option<Vec<Eye>>,
}

/// Somebody's face, captured at least three times.
#[derive(Debug)]
pub struct Person {
    /// The name the set has for her.
    pub label: String,
    /// The templates, in the order of the file.
    pub templates: Vec<Template>,
    /// The embeddings, one for each template, if each of her captures has one.
    pub embeddings: Option<Vec<Embedding>>,
}

/// Why a file is no part of a set.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// It is no JSON of this form.
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    /// A field of an entry does not hold the bytes that it should.
    #[error("{entry} {number}: {field}: {error}")]
    Bytes {
        /// What the file is a list of.
        entry: &'static str,
        /// Which one, from 1.
        number: u32,
        /// The field.
        field: &'static str,
        /// What is wrong.
        error: hex::FromHexError,
    },
    /// A known answer's PP is none.
    #[error("vector {number}: PP: {error}")]
    Auxiliary {
        /// Which one, from 1.
        number: u32,
        /// What is wrong.
        error: Malformed,
    },
    /// A known answer expects something else.
    #[error("vector {number}: expect is {found:?}, not SP or reject")]
    Expectation {
        /// Which one, from 1.
        number: u32,
        /// What it says.
        found: String,
    },
    /// Irises are captured in two sessions.
    #[error("capture {number}: session {found}, where there are 1 and 2")]
    Session {
        /// Which capture, from 1.
        number: u32,
        /// What it says.
        found: u32,
    },
    /// A projection has 128 numbers of a mean and 128 rows of 2048 more.
    #[error("it is not 262,272 finite numbers of four bytes, lowest byte first")]
    Matrix,
    /// Too few captures to enrol with.
    #[error("{0} has fewer than the three captures it takes to enrol")]
    TooFew(String),
}

/// `face_templates.json`, as far as it is needed.
#[derive(Deserialize)]
struct Faces {
    captures: Vec<Face>,
}

/// One capture of it.
#[derive(Deserialize)]
struct Face {
    subject: String,
    template: String,
    embedding_q: Option<String>,
}

/// `iris_templates.json`, as far as it is needed.
#[derive(Deserialize)]
struct Irises {
    captures: Vec<Iris>,
}

/// One capture of it.
#[derive(Deserialize)]
struct Iris {
    subject: String,
    session: u32,
    template: String,
    mask: String,
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

/// The place of an entry in its file, for errors.
#[derive(Clone, Copy)]
struct Entry(&'static str, u32);

impl Entry {
    /// The bytes of one of its hexadecimal fields.
    fn bytes<const N: usize>(self, field: &'static str, text: &str) -> Result<[u8; N], Unusable> {
        let mut bytes = [0; N];
        hex::decode_to_slice(text, &mut bytes).map_err(|error| Unusable::Bytes {
            entry: self.0,
            number: self.1,
            field,
            error,
        })?;
        Ok(bytes)
    }
}

/// The people of `face_templates.json`, in the order in which they first appear.
pub fn people(text: &str) -> Result<Vec<Person>, Unusable> {
    let file: Faces = serde_json::from_str(text)?;
    let mut people: Vec<Person> = Vec::new();
    for (number, face) in (1..).zip(file.captures) {
        let entry = Entry("capture", number);
        let template = Template::new(entry.bytes("template", &face.template)?);
        let embedding = face
            .embedding_q
            .map(|text| entry.bytes::<128>("embedding_q", &text))
            .transpose()?
            .map(|numbers| Embedding::new(numbers.map(u8::cast_signed)));
        let known = people
            .iter_mut()
            .find(|person| person.label == face.subject);
        if let Some(person) = known {
            person.templates.push(template);
            person.embeddings = person
                .embeddings
                .take()
                .zip(embedding)
                .map(|(mut all, one)| {
                    all.push(one);
                    all
                });
        } else {
            people.push(Person {
                label: face.subject,
                templates: vec![template],
                embeddings: embedding.map(|one| vec![one]),
            });
        }
    }
    match people.iter().find(|person| person.templates.len() < 3) {
        Some(person) => Err(Unusable::TooFew(person.label.clone())),
        None => Ok(people),
    }
}

/// The known answers of `kat_fe_v1.json`.
pub fn answers(text: &str) -> Result<Vec<KnownAnswer>, Unusable> {
    let file: Answers = serde_json::from_str(text)?;
    let numbered = (1..).zip(file.vectors);
    numbered
        .map(|(number, vector)| answer(number, vector))
        .collect()
}

fn answer(number: u32, vector: Vector) -> Result<KnownAnswer, Unusable> {
    let entry = Entry("vector", number);
    let salt = entry.bytes("salt", &vector.salt)?;
    let pp = entry.bytes::<320>("PP", &vector.pp)?;
    Ok(KnownAnswer {
        enrolled: Template::new(entry.bytes("enrol_template", &vector.enrol_template)?),
        message: vector.message_symbols,
        salt,
        pp: Auxiliary::parse(&pp).map_err(|error| Unusable::Auxiliary { number, error })?,
        sp: Secret::new(entry.bytes("SP", &vector.sp)?),
        probe: Template::new(entry.bytes("probe_template", &vector.probe_template)?),
        accepted: match vector.expect.as_str() {
            "SP" => true,
            "reject" => false,
            _ => {
                let found = vector.expect;
                return Err(Unusable::Expectation { number, found });
            }
        },
    })
}

/// The matrix of `face_projection_f32le.bin`.
pub fn matrix(bytes: &[u8]) -> Result<Matrix, Unusable> {
    Matrix::parse(bytes).ok_or(Unusable::Matrix)
}

/// The eyes of `iris_templates.json`, in the order in which they first appear.
pub fn eyes(text: &str) -> Result<Vec<Eye>, Unusable> {
    let file: Irises = serde_json::from_str(text)?;
    let mut eyes: Vec<Eye> = Vec::new();
    for (number, iris) in (1..).zip(file.captures) {
        let entry = Entry("capture", number);
        let code = IrisCode {
            bits: entry.bytes("template", &iris.template)?,
            mask: entry.bytes("mask", &iris.mask)?,
        };
        let place = eyes.iter().position(|eye| eye.label == iris.subject);
        let place = place.unwrap_or(eyes.len());
        if place == eyes.len() {
            eyes.push(Eye {
                label: iris.subject,
                first: Vec::new(),
                second: Vec::new(),
            });
        }
        let eye = eyes.get_mut(place);
        let session = eye.and_then(|eye| match iris.session {
            1 => Some(&mut eye.first),
            2 => Some(&mut eye.second),
            _ => None,
        });
        let found = iris.session;
        session
            .ok_or(Unusable::Session { number, found })?
            .push(code);
    }
    match eyes.iter().find(|eye| eye.first.len() < 3) {
        Some(eye) => Err(Unusable::TooFew(eye.label.clone())),
        None => Ok(eyes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        people(text).unwrap_err().to_string()
    }

    #[test]
    fn a_file_that_is_no_set_is_refused_by_the_place_that_is_wrong() {
        let one = |subject: &str| {
            format!(
                r#"{{"subject":"{subject}","template":"{}"}}"#,
                "00".repeat(256)
            )
        };
        let short = r#"{"captures":[{"subject":"A","template":"00"}]}"#;
        let lone = format!(r#"{{"captures":[{}]}}"#, one("A"));

        assert!(refusal("[]").contains("line 1"));
        assert!(refusal(short).starts_with("capture 1: template:"));
        assert!(refusal(&lone).starts_with("A has fewer than"));
    }

    #[test]
    fn one_capture_without_an_embedding_leaves_its_person_without_any() {
        let template = "00".repeat(256);
        let numbers = "ff".repeat(128);
        let with =
            format!(r#"{{"subject":"A","template":"{template}","embedding_q":"{numbers}"}}"#);
        let without = format!(r#"{{"subject":"A","template":"{template}"}}"#);

        let all = people(&format!(r#"{{"captures":[{with},{with},{with}]}}"#)).unwrap();
        let some = people(&format!(r#"{{"captures":[{with},{without},{with}]}}"#)).unwrap();

        let embeddings = all[0].embeddings.as_ref().unwrap();
        assert_eq!(embeddings[2], Embedding::new([-1; 128]));
        assert!(some[0].embeddings.is_none());
    }
    #[test]
    fn irises_without_two_known_sessions_or_three_captures_of_the_first_are_refused() {
        let one = |session: u32| {
            let (bits, mask) = ("00".repeat(256), "ff".repeat(256));
            format!(r#"{{"subject":"I","session":{session},"template":"{bits}","mask":"{mask}"}}"#)
        };
        let of = |sessions: &[u32]| {
            let captures: Vec<_> = sessions.iter().map(|&session| one(session)).collect();
            eyes(&format!(r#"{{"captures":[{}]}}"#, captures.join(",")))
        };

        let good = of(&[1, 1, 2, 1]).unwrap();
        assert_eq!(
            (good.len(), good[0].first.len(), good[0].second.len()),
            (1, 3, 1)
        );
        let third = of(&[1, 3]).unwrap_err().to_string();
        assert!(third.starts_with("capture 2: session 3"));
        let few = of(&[1, 1, 2]).unwrap_err().to_string();
        assert!(few.starts_with("I has fewer than"));
    }
}
