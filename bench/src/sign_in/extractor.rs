//! The fuzzy extractor alone, as a contestant: no handshake, but `Gen` as the first part and `Rep` as the second, on
//! templates that are there already. The face is nobody's, and as noisy as a real one.

use std::io;

use chacha20::ChaCha20Rng;
use protocol::{Template, fuzzy, synthetic};

use research::contest::{Clock, Contestant, Failure, Sides, timed};

use super::failed;

/// Somebody's enrolled template and one of a later capture.
pub(super) struct Extractor {
    enrolled: Template,
    probe: Template,
    rng: ChaCha20Rng,
}

impl Extractor {
    pub(super) fn new(rng: ChaCha20Rng) -> io::Result<Self> {
        let nobody = synthetic::subjects(1).into_iter().next();
        let captures = nobody.ok_or_else(|| failed("no face"))?.captures;
        let [a, b, c, probe, ..] = captures.as_slice() else {
            return Err(failed("too few captures"));
        };
        Ok(Self {
            enrolled: Template::majority([&a.template, &b.template, &c.template]),
            probe: probe.template.clone(),
            rng,
        })
    }
}

impl Contestant for Extractor {
    fn shake(&mut self, clock: Clock<'_>) -> Result<Sides, Failure> {
        let mut sides = Sides::default();
        let (sp, pp) = timed(clock, &mut sides.first, || {
            fuzzy::generate(&self.enrolled, &mut self.rng)
        });
        let again = timed(clock, &mut sides.second, || {
            fuzzy::reproduce(&self.probe, &pp)
        });
        if again == Some(sp) {
            Ok(sides)
        } else {
            Err("the face was not recognised".into())
        }
    }
}
