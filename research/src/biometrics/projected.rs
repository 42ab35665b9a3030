//! The extractor as AIDC-1 uses it: each patient's templates are projections of her embeddings by a matrix of her own,
//! whose key only her device has (`tk`; `docs/aidc1-enrolment.md`).
//!
//! An impostor who knows `tk` projects his face as hers would be; one who does not has some other matrix, here his own.

use protocol::measure::{Errors, draw};
use protocol::projection::Projection;
use protocol::{Auxiliary, Embedding, Template, fuzzy};
use rand_core::Rng;

use super::inversion::Victim;
use super::set::Person;
use super::trial;

/// What a draw of everybody's key and message has shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Found {
    /// With probes projected by the matrix of her who is enrolled, impostors' too.
    pub with_tk: Errors,
    /// With probes projected by the prober's own matrix.
    pub without_tk: Errors,
}

/// Somebody enrolled under a matrix of her own.
struct Enrolled<'a> {
    victim: Victim,
    projection: Projection,
    /// Embeddings that are tried.
    probes: &'a [Embedding],
    /// The same under her own matrix.
    templates: Vec<Template>,
}

/// Enrols everybody by the draw of this number and tries everybody against everybody; `None` where somebody has no
/// embeddings.
pub fn measure(people: &[Person], number: u32) -> Option<Found> {
    let enrolled: Vec<_> = people
        .iter()
        .map(|person| enrol(person, number))
        .collect::<Option<_>>()?;
    Some(Found {
        with_tk: trial::errors(
            &enrolled,
            |person| person.probes,
            |person, face| opens(&person.projection.project(face), &person.victim.pp),
        ),
        without_tk: trial::errors(
            &enrolled,
            |person| &person.templates,
            |person, template| opens(template, &person.victim.pp),
        ),
    })
}

/// The key of a person's matrix in the draw of this number.
fn key(label: &str, number: u32) -> [u8; 32] {
    let mut key = [0; 32];
    draw(&format!("{label}/projection/{number}")).fill_bytes(&mut key);
    key
}

/// The matrix of a person in the draw of this number.
pub fn projection(label: &str, number: u32) -> Projection {
    Projection::keyed(&key(label, number))
}

/// The enrolment of a person in the draw of this number; `None` if she has no embeddings.
pub fn victim(person: &Person, number: u32) -> Option<Victim> {
    let (first, _) = person.embeddings.as_deref()?.split_first_chunk::<3>()?;
    let projection = projection(&person.label, number);
    let captures = first.each_ref().map(|one| projection.project(one));
    let template = Template::majority(captures.each_ref());
    let mut dice = draw(&format!("{}/message/{number}", person.label));
    let (sp, pp) = fuzzy::generate(&template, &mut dice);
    Some(Victim { template, pp, sp })
}

fn enrol(person: &Person, number: u32) -> Option<Enrolled<'_>> {
    let (_, probes) = person.embeddings.as_deref()?.split_first_chunk::<3>()?;
    let projection = projection(&person.label, number);
    let templates = probes.iter().map(|one| projection.project(one)).collect();
    Some(Enrolled {
        victim: victim(person, number)?,
        projection,
        probes,
        templates,
    })
}

/// Whether the extractor gives the string again: its tag vouches for which.
fn opens(template: &Template, pp: &Auxiliary) -> bool {
    fuzzy::reproduce(template, pp).is_some()
}
