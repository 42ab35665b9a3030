//! How often the fuzzy extractor errs on a set of captures: the measurement
//! behind `aidchain research biometrics`.
//!
//! Each subject is enrolled with her first three captures. Each of her other
//! captures is then tried against her own enrolment, where a refusal is a false
//! reject, and against everybody else's, where a success is a false accept.

use chacha20::ChaCha20Rng;
use rand_core::{CryptoRng, SeedableRng};
use sha2::{Digest, Sha256};

use crate::biometric::{ENROLMENT_CAPTURES, Template};
use crate::fuzzy::{self, Auxiliary, RandomString};

/// What was counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Errors {
    /// Captures tried against their own subject's enrolment.
    pub genuine: u64,
    /// How many of them were refused.
    pub false_rejects: u64,
    /// Captures tried against another subject's enrolment.
    pub impostor: u64,
    /// How many of them were accepted.
    pub false_accepts: u64,
}

/// A subject who is enrolled, and the captures that are tried.
#[derive(Debug)]
pub struct Subject<'a> {
    /// SP and PP of her enrolment.
    enrolment: (RandomString, Auxiliary),
    /// Her captures after the first three.
    probes: &'a [Template],
}

impl<'a> Subject<'a> {
    /// Enrols a subject with the first three of her captures; `None` if there are
    /// fewer. The draw decides which way a tie of the inner code falls.
    pub fn enrol(captures: &'a [Template], rng: &mut impl CryptoRng) -> Option<Self> {
        let (first, probes) = captures.split_first_chunk::<ENROLMENT_CAPTURES>()?;
        let enrolment = fuzzy::generate(&Template::majority(first.each_ref()), rng);
        Some(Self { enrolment, probes })
    }

    /// The subject as a known answer enrolled her, if it did so with the first
    /// three of these captures.
    pub fn known(captures: &'a [Template], answer: &KnownAnswer) -> Option<Self> {
        let (first, probes) = captures.split_first_chunk::<ENROLMENT_CAPTURES>()?;
        (Template::majority(first.each_ref()) == answer.enrolled).then(|| Self {
            enrolment: (answer.sp.clone(), answer.pp.clone()),
            probes,
        })
    }
}

/// The draw of a subject whom no known answer enrols: made from her label alone, so
/// that a measurement repeats.
pub fn draw(label: &str) -> ChaCha20Rng {
    let seed = Sha256::new_with_prefix("aidchain/measure/draw").chain_update(label);
    ChaCha20Rng::from_seed(seed.finalize().into())
}

/// Tries every subject's probes against every subject's enrolment.
pub fn errors(subjects: &[Subject<'_>]) -> Errors {
    let mut errors = Errors::default();
    for (owner, subject) in subjects.iter().enumerate() {
        for probe in subject.probes {
            for (holder, Subject { enrolment, .. }) in subjects.iter().enumerate() {
                let accepted = u64::from(reproduces(probe, enrolment));
                let (tries, wrong, one_more) = if owner == holder {
                    (&mut errors.genuine, &mut errors.false_rejects, accepted ^ 1)
                } else {
                    (&mut errors.impostor, &mut errors.false_accepts, accepted)
                };
                *tries = tries.saturating_add(1);
                *wrong = wrong.saturating_add(one_more);
            }
        }
    }
    errors
}

/// One known answer of the reference extractor.
#[derive(Clone, Debug)]
pub struct KnownAnswer {
    /// The template that was enrolled.
    pub enrolled: Template,
    /// The message `Gen` drew: 26 symbols of seven bits.
    pub message: [u8; 26],
    /// The salt `Gen` drew.
    pub salt: [u8; 32],
    /// What `Gen` answered.
    pub pp: Auxiliary,
    /// What `Gen` answered.
    pub sp: RandomString,
    /// The template given to `Rep`.
    pub probe: Template,
    /// Whether `Rep` gave SP; otherwise it refused.
    pub accepted: bool,
}

impl KnownAnswer {
    /// Whether this crate answers the same, bit for bit.
    pub fn is_exact(&self) -> bool {
        let (sp, pp) = fuzzy::generate_from(&self.enrolled, &self.message, self.salt);
        let again = fuzzy::reproduce(&self.probe, &self.pp);
        pp == self.pp && sp == self.sp && again == self.accepted.then_some(sp)
    }
}

fn reproduces(probe: &Template, (sp, pp): &(RandomString, Auxiliary)) -> bool {
    fuzzy::reproduce(probe, pp).as_ref() == Some(sp)
}
