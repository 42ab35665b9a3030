//! The extractor that decides softly, proposed as version 1.1 and measured here: RM(1,5) × RS(63,51) over GF(64), on
//! the first 2016 bits.
//!
//! The enrolled template is the majority's signs, as in the product. The probe keeps its numbers: a bit is worth the
//! product of the probe's embedding with its column, so that what lies near zero, where a bit flips easily, misleads
//! little. It is no product code: `docs/biometrics.md` says why.

use protocol::measure::{Errors, draw};
use protocol::{Embedding, Template};

use super::concatenation::Concatenation;
use super::matrix::{Matrix, signs, template};
use super::set::Person;
use super::trial;

/// Somebody enrolled, and her probes.
struct Enrolled {
    offset: Vec<f32>,
    word: Vec<u8>,
    probes: Vec<Vec<f32>>,
}

/// Name of the code, and the bits that are drawn for it.
pub fn code() -> Option<(String, u32)> {
    concatenation().map(|code| (code.name(), code.message_bits()))
}

/// Whether this matrix made the templates of the embeddings: all but one bit in twenty, since embeddings are rounded.
/// Where there are no embeddings nothing speaks against it.
pub fn fits(people: &[Person], matrix: &Matrix) -> bool {
    let captures = people.iter().flat_map(|person| {
        let embeddings = person.embeddings.iter().flatten();
        person.templates.iter().zip(embeddings)
    });
    let (mut differing, mut compared) = (0_u64, 0_u64);
    for (made, embedding) in captures {
        let distance = made.distance(&template(&worth(matrix, embedding)));
        differing = differing.saturating_add(distance.into());
        compared = compared.saturating_add(2048);
    }
    differing <= compared / 20
}

/// What each bit of a probe is worth, with the sign that a template has: a positive product is a set bit, so −.
fn worth(matrix: &Matrix, embedding: &Embedding) -> Vec<f32> {
    let products = matrix.products(embedding).into_iter();
    products.map(|product| -product).collect()
}

/// Tries everybody against everybody; `None` where somebody has no embeddings.
pub fn measure(people: &[Person], matrix: &Matrix) -> Option<Errors> {
    let code = concatenation()?;
    let everybody: Vec<_> = people
        .iter()
        .map(|person| enrol(&code, person, matrix))
        .collect::<Option<_>>()?;
    Some(trial::errors(
        &everybody,
        |person| &person.probes,
        |person, probe| code.gives(probe, &person.offset, &person.word),
    ))
}

fn concatenation() -> Option<Concatenation> {
    Concatenation::new(5, 63, 51)
}

fn enrol(code: &Concatenation, person: &Person, matrix: &Matrix) -> Option<Enrolled> {
    let (first, _) = person.templates.split_first_chunk()?;
    let word = code.draw(&mut draw(&format!("{}/soft", person.label)));
    let offset = code.offset(&signs(&Template::majority(first.each_ref())), &word);
    let probes = person.embeddings.as_deref()?.iter().skip(first.len());
    let probes = probes.map(|embedding| worth(matrix, embedding));
    Some(Enrolled {
        offset,
        word,
        probes: probes.collect(),
    })
}
