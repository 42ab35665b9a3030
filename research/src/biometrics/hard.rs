//! The fuzzy extractor as it is, [`protocol::fuzzy`], on the templates that a set ships.

use protocol::measure::{Errors, KnownAnswer, Subject, draw, errors};
use protocol::{Template, fuzzy};

use super::inversion::Victim;
use super::set::Person;
use super::spread::Distances;

/// Enrols whom a known answer enrols as it did, all others by a draw from their labels, and tries everybody against
/// everybody.
pub fn measure(people: &[Person], answers: &[KnownAnswer]) -> Errors {
    let enrolled: Vec<_> = people
        .iter()
        .filter_map(|person| {
            let captures = &person.templates;
            let mut known = answers.iter();
            known
                .find_map(|answer| Subject::known(captures, answer))
                .or_else(|| Subject::enrol(captures, &mut draw(&person.label)))
        })
        .collect();
    errors(&enrolled)
}

/// A person enrolled by a draw from her label.
pub fn victim(person: &Person) -> Option<Victim> {
    let (first, _) = person.templates.split_first_chunk()?;
    let template = Template::majority(first.each_ref());
    let (sp, pp) = fuzzy::generate(&template, &mut draw(&person.label));
    Some(Victim { template, pp, sp })
}

/// The distances of each capture to each other one.
pub fn single(people: &[Person]) -> Distances {
    let mut distances = Distances::default();
    for (after, person) in (1..).zip(people) {
        for (later, capture) in (1..).zip(&person.templates) {
            let same = person.templates.iter().skip(later);
            distances
                .genuine
                .extend(same.map(|one| apart(capture, one)));
            let others = people.iter().skip(after);
            let others = others.flat_map(|other| &other.templates);
            distances
                .impostor
                .extend(others.map(|one| apart(capture, one)));
        }
    }
    distances
}

/// The distances of each probe to the majority that everybody enrols with.
pub fn enrolled(people: &[Person]) -> Distances {
    let mut distances = Distances::default();
    for (owner, person) in people.iter().enumerate() {
        let Some((first, _)) = person.templates.split_first_chunk() else {
            continue;
        };
        let majority = Template::majority(first.each_ref());
        for (other, probed) in people.iter().enumerate() {
            let probes = probed.templates.iter().skip(first.len());
            let found = probes.map(|probe| apart(&majority, probe));
            if owner == other {
                distances.genuine.extend(found);
            } else {
                distances.impostor.extend(found);
            }
        }
    }
    distances
}

/// In which share of their bits two templates differ.
fn apart(one: &Template, other: &Template) -> f64 {
    f64::from(one.distance(other)) / 2048.0
}
