//! The report on a set: what `aidchain research biometrics` prints, as JSON and for people.

use protocol::measure::{Errors, KnownAnswer};
use serde::Serialize;

use super::interval::Rate;
use super::inversion::{Attacker, Tally};
use super::iris::Eye;
use super::matrix::Matrix;
use super::set::{Person, Set};
use super::spread::Spread;
use super::{hard, inversion, iris, projected, soft};

mod text;

/// Draws of everybody's matrix, of which the first is the figure and the others show how much it depends on the draw.
const DRAWS: u32 = 4;

/// What was found. A part that could not be measured is `null` in JSON, and `missing` says why.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Name and version of this form.
    pub schema: &'static str,
    /// The extractor against the reference.
    pub kat: Kat,
    /// Faces.
    pub face: Face,
    /// Irises.
    pub iris: Option<Iris>,
    /// Templates computed from PP alone.
    pub inversion: Inversion,
    /// What could not be measured, and why.
    pub missing: Vec<&'static str>,
}

/// The known answers beside a set.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Kat {
    /// How many there are.
    pub total: usize,
    /// How many were met bit for bit.
    pub exact: usize,
}

/// What was found on faces.
#[derive(Debug, Serialize)]
pub struct Face {
    /// People.
    pub subjects: usize,
    /// Captures of them.
    pub captures: usize,
    /// Distances between single templates.
    pub single: Option<Spread>,
    /// Distances of probes to the majority of three.
    pub enrolled: Option<Spread>,
    /// The extractor on the templates of the set.
    pub hard: Outcome,
    /// The extractor on templates under a secret matrix for each person.
    pub projected: Option<Projected>,
    /// The extractor that decides softly, on the templates of the set.
    pub soft: Option<Coded>,
}

/// What was found on irises; the first code's errors are the figure.
#[derive(Debug, Serialize)]
pub struct Iris {
    /// Eyes.
    pub subjects: usize,
    /// Captures of them.
    pub captures: usize,
    /// Distances as the captures are.
    pub upright: Option<Spread>,
    /// Distances at the best of thirteen tilts.
    pub tilted: Option<Spread>,
    /// The code for the figure.
    #[serde(flatten)]
    pub first: Coded,
    /// Other codes.
    pub others: Vec<Coded>,
}

/// Errors of a code.
#[derive(Debug, Serialize)]
pub struct Coded {
    /// Inner and outer code.
    pub code: String,
    /// Bits that are drawn for a message. That is no strength.
    pub message_bits: u32,
    /// What was found.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// Attacks on PP without a face.
#[derive(Debug, Serialize)]
pub struct Inversion {
    /// On the templates of the set, whose matrix is public.
    pub public_projection: Option<Tally>,
    /// On templates under a secret matrix, by a thief who has its key.
    pub tk_leaked: Option<Tally>,
    /// On the same, by one who has not.
    pub tk_secret: Option<Tally>,
}

/// Errors and how sure they are.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Outcome {
    /// What was counted.
    #[serde(flatten)]
    pub errors: Counted,
    /// Refusals of the right person.
    pub frr: Rate,
    /// Acceptances of another.
    pub far: Rate,
}

/// The four counts.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Counted {
    /// Tries against the prober's own enrolment.
    pub genuine: u64,
    /// How many of them were refused.
    pub false_rejects: u64,
    /// Tries against another's.
    pub impostor: u64,
    /// How many of them were accepted.
    pub false_accepts: u64,
}

impl From<Errors> for Outcome {
    fn from(errors: Errors) -> Self {
        let Errors {
            genuine,
            false_rejects,
            impostor,
            false_accepts,
        } = errors;
        Self {
            errors: Counted {
                genuine,
                false_rejects,
                impostor,
                false_accepts,
            },
            frr: Rate::of(false_rejects, genuine),
            far: Rate::of(false_accepts, impostor),
        }
    }
}

/// Errors under secret matrices.
#[derive(Debug, Serialize)]
pub struct Projected {
    /// Where impostors know the matrix.
    #[serde(flatten)]
    pub with_tk: Outcome,
    /// Where they do not.
    pub without_tk: Outcome,
    /// Every draw of the matrices; the figures above are the first's.
    pub draws: Vec<Draw>,
}

/// Errors of one draw of everybody's matrix.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Draw {
    /// Its number.
    pub draw: u32,
    /// Refusals of the right person.
    pub false_rejects: u64,
    /// Acceptances of another who knows the matrix.
    pub false_accepts: u64,
    /// Acceptances of another who does not.
    pub false_accepts_without_tk: u64,
}

impl Report {
    /// The report for people.
    pub fn text(&self) -> String {
        text::of(self)
    }
}

/// Measures all that the set allows.
pub fn examine(set: &Set) -> Report {
    let (people, answers) = (&set.people, &set.answers);
    let matrix = set
        .matrix
        .as_ref()
        .filter(|matrix| soft::fits(people, matrix));
    let mut report = Report {
        schema: "aidchain.biometrics/1",
        kat: Kat {
            total: answers.len(),
            exact: answers
                .iter()
                .filter(|answer| KnownAnswer::is_exact(answer))
                .count(),
        },
        face: Face {
            subjects: people.len(),
            captures: people.iter().map(|person| person.templates.len()).sum(),
            single: Spread::of(hard::single(people)),
            enrolled: Spread::of(hard::enrolled(people)),
            hard: hard::measure(people, answers).into(),
            projected: projected(people),
            soft: matrix.and_then(|matrix| soft(people, matrix)),
        },
        iris: set.eyes.as_deref().and_then(iris),
        inversion: inversion(people, matrix),
        missing: Vec::new(),
    };
    report.missing = missing(set, &report);
    report
}

/// What could not be measured, and why.
fn missing(set: &Set, report: &Report) -> Vec<&'static str> {
    let face = &report.face;
    let cases = [
        (
            face.single.is_none() || face.enrolled.is_none(),
            "distances: it takes two people with four captures each",
        ),
        (
            set.answers.is_empty(),
            "known answers: there is no kat_fe_v1.json",
        ),
        (
            face.projected.is_none(),
            "projected and soft faces, and inversion with tk: not every capture has an embedding_q",
        ),
        (
            report.inversion.public_projection.is_none(),
            "soft faces, and inversion under the public projection: \
             no face_projection_f32le.bin that made these templates",
        ),
        (
            report.iris.is_none(),
            "irises: there is no iris_templates.json, or nobody in it",
        ),
    ];
    let told = cases.into_iter().filter(|(is_missing, _)| *is_missing);
    told.map(|(_, what)| what).collect()
}

/// The soft extractor.
fn soft(people: &[Person], matrix: &Matrix) -> Option<Coded> {
    let (code, message_bits) = soft::code()?;
    let outcome = soft::measure(people, matrix)?.into();
    Some(Coded {
        code,
        message_bits,
        outcome,
    })
}

/// Irises under every code; `None` if there are none.
fn iris(eyes: &[Eye]) -> Option<Iris> {
    let [upright, tilted] = iris::distances(eyes).map(Spread::of);
    let prepared = iris::prepare(eyes);
    let mut coded = iris::extractors().into_iter().map(|extractor| Coded {
        code: extractor.name(),
        message_bits: extractor.message_bits(),
        outcome: extractor.measure(&prepared).into(),
    });
    let captures = eyes
        .iter()
        .map(|eye| eye.first.iter().chain(&eye.second).count());
    upright.is_some().then_some(())?;
    Some(Iris {
        subjects: eyes.len(),
        captures: captures.sum(),
        upright,
        tilted,
        first: coded.next()?,
        others: coded.collect(),
    })
}

/// The attack on everybody's PP: with the set's own matrix, with the secret one of the first draw, and with a matrix
/// that is not hers.
fn inversion(people: &[Person], matrix: Option<&Matrix>) -> Inversion {
    let secret: Option<Vec<_>> = people
        .iter()
        .map(|person| Some((projected::victim(person, 0)?, &person.label)))
        .collect();
    let wrong = Matrix::of(&projected::projection("nobody", 0));
    Inversion {
        public_projection: matrix.map(|matrix| {
            let victims: Vec<_> = people.iter().filter_map(hard::victim).collect();
            inversion::attack(
                victims
                    .iter()
                    .map(|victim| (victim, Attacker::knowing(matrix))),
            )
        }),
        tk_leaked: secret.as_ref().map(|victims| {
            inversion::attack(victims.iter().map(|(victim, label)| {
                let hers = Matrix::of(&projected::projection(label, 0));
                (victim, Attacker::knowing(&hers))
            }))
        }),
        tk_secret: secret.as_ref().map(|victims| {
            let victims = victims.iter().map(|(victim, _)| victim);
            inversion::attack(victims.map(|victim| (victim, Attacker::knowing(&wrong))))
        }),
    }
}

/// Every draw of everybody's matrix.
fn projected(people: &[Person]) -> Option<Projected> {
    let found: Vec<_> = (0..DRAWS)
        .map(|number| projected::measure(people, number))
        .collect::<Option<_>>()?;
    let first = found.first()?;
    let draws = (0..).zip(&found).map(|(draw, found)| Draw {
        draw,
        false_rejects: found.with_tk.false_rejects,
        false_accepts: found.with_tk.false_accepts,
        false_accepts_without_tk: found.without_tk.false_accepts,
    });
    Some(Projected {
        with_tk: first.with_tk.into(),
        without_tk: first.without_tk.into(),
        draws: draws.collect(),
    })
}
