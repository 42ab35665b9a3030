//! The fuzzy extractor against the reference's known answers, bit for bit.

use protocol::biometric::Template;
use protocol::fuzzy::{self, Auxiliary};
use serde_json::Value;

use crate::faces::{self, bytes};
use crate::seeded::Played;

/// How many vectors of a file agreed, of how many, and how many of them demand a refusal.
#[derive(Debug, PartialEq, Eq)]
struct Tally {
    exact: usize,
    total: usize,
    refusals: usize,
}

#[test]
fn the_repository_s_own_vectors_are_met_bit_for_bit() {
    let tally = check(include_str!("../vectors/fe_v1.json"));

    assert_eq!(tally.exact, tally.total);
    assert_eq!(tally.total, 80);
    assert!(tally.refusals >= 32, "strangers must be refused: {tally:?}");
}

#[test]
fn the_reference_s_vectors_on_real_faces_are_met_bit_for_bit() {
    let Some(text) = faces::real("kat_fe_v1.json") else {
        return;
    };

    let tally = check(&text);

    assert_eq!(tally.exact, tally.total);
    assert!(tally.total >= 60, "too few vectors: {tally:?}");
}

#[test]
fn a_changed_auxiliary_string_is_refused_wherever_it_was_changed() {
    let file: Value = serde_json::from_str(include_str!("../vectors/fe_v1.json")).unwrap();
    let vector = &file["vectors"][0];
    let template = Template::new(bytes(&vector["enrol_template"]));
    let pp: [u8; 320] = bytes(&vector["PP"]);

    for bit in 0..320 * 8 {
        let mut changed = pp;
        changed[bit / 8] ^= 1 << (bit % 8);
        let pp = Auxiliary::parse(&changed).unwrap();

        assert_eq!(fuzzy::reproduce(&template, &pp), None, "bit {bit}");
    }
}

/// Runs every vector through `Gen` and `Rep`.
fn check(text: &str) -> Tally {
    let file: Value = serde_json::from_str(text).unwrap();
    let vectors = file["vectors"].as_array().unwrap();
    Tally {
        exact: vectors.iter().filter(|vector| is_met(vector)).count(),
        total: vectors.len(),
        refusals: vectors.iter().filter(|v| v["expect"] != "SP").count(),
    }
}

/// Whether `Gen` gives the vector's PP and SP, and `Rep` its SP or its refusal.
fn is_met(vector: &Value) -> bool {
    let message = vector["message_symbols"].as_array().unwrap();
    let message = message
        .iter()
        .map(|symbol| u8::try_from(symbol.as_u64().unwrap()).unwrap());
    let salt: [u8; 32] = bytes(&vector["salt"]);
    let mut dice = Played::new(message.chain(salt));

    let enrolled = Template::new(bytes(&vector["enrol_template"]));
    let (sp, pp) = fuzzy::generate(&enrolled, &mut dice);
    let probe = Template::new(bytes(&vector["probe_template"]));
    let again = fuzzy::reproduce(&probe, &pp);

    let expected: [u8; 32] = bytes(&vector["SP"]);
    let accepted = vector["expect"] == "SP";
    *sp.expose() == expected
        && pp.to_bytes() == bytes(&vector["PP"])
        && again.map(|sp| *sp.expose()) == accepted.then_some(expected)
}
