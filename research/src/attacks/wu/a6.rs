//! A6: SP from M1 alone, in the published form.

use rand_core::CryptoRng;

use crate::attacks::aidc1::{Attempt, Clinic, fields};
use crate::attacks::arithmetic::{Number, shorten, xor};
use crate::attacks::cube::abscissas;
use crate::attacks::story::{Must as _, Outcome, Story, some};
use crate::attacks::world::At;
use crate::attacks::{Attack, Id, Need, Paper, Step, Target};

pub(in crate::attacks) const ABOUT: Attack = Attack {
    id: Id::A6,
    name: "literal-mask",
    title: "SP falls out of M1 alone when a short SP masks a whole point",
    paper: Paper::Wu2021,
    target: Target::Exhibit("literal_mask"),
    needs: &[Need::Listen],
    steps: &[
        Step {
            title: "Look at the published form",
            text: "There a point is x ‖ y and SP is shorter: M1 = (SP ‖ 0…0) ⊕ (x ‖ y), so y travels in clear. The \
                   suite had to take points by x alone to be computable at all; this encoding is the paper's own.",
        },
        Step {
            title: "Go from y to x",
            text: "On y² = x³ + 7, x is a cube root of y² − 7: at most three candidates.",
        },
        Step {
            title: "Take the mask off",
            text: "Each candidate gives one for SP; the answer M3, under the same SP, tells which. No face, no \
                   helper string is needed.",
        },
    ],
};

/// The exhibit: M1 or M3 as printed.
pub(in crate::attacks) fn literal_mask(sp: &[u8; 32], number: &Number) -> [u8; 64] {
    let mut message = [0; 64];
    let point = xor(sp, &number.x()).into_iter().chain(number.y());
    for (to, from) in message.iter_mut().zip(point) {
        *to = from;
    }
    message
}

/// The candidates for SP behind a masked point.
pub(in crate::attacks) fn candidates(masked: &[u8; 64]) -> Option<[[u8; 32]; 3]> {
    let (x, y) = masked.split_first_chunk::<32>()?;
    let y = y.first_chunk()?;
    Some(abscissas(y)?.map(|candidate| xor(x, &candidate)))
}

/// What two masked points have in common: their SP, if they have one.
pub(in crate::attacks) fn sp_under(one: &[u8; 64], other: &[u8; 64]) -> Option<[u8; 32]> {
    let others = candidates(other)?;
    candidates(one)?
        .into_iter()
        .find(|candidate| others.contains(candidate))
}

/// Carries the attack out on the exhibit.
pub(in crate::attacks) fn exhibit(rng: &mut dyn CryptoRng) -> Outcome {
    let mut dice = || {
        let mut drawn = [0; 32];
        rng.fill_bytes(&mut drawn);
        drawn
    };
    let sp = dice();
    let [m1, m3] = [0, 1].map(|_side| literal_mask(&sp, &Number::draw(&mut dice)));

    let mut story = Story::default();
    let mut attack = || {
        let (_x, y) = some(m1.split_first_chunk::<32>())?;
        story.step([("y", shorten(y))]);
        let found = some(candidates(&m1))?;
        story.step([("candidates", found.map(|one| shorten(&one)).join(", "))]);
        let found = some(sp_under(&m1, &m3))?;
        (found == sp).must()?;
        story.step([("SP", shorten(&found))]);
        Ok(())
    };
    let ended = attack();
    Outcome::sure(ended, story)
}

pub(in crate::attacks) fn on_aidc1(clinic: &mut Clinic) -> Option<Attempt> {
    let [one, other] = [At::Here, At::Here].map(|at| {
        clinic.pass(1_000);
        clinic.overhear(at).map(|sign_in| sign_in.wire())
    });
    let (one, other) = (one?, other?);
    let pairs: Vec<_> = fields::<64>(&one).zip(fields::<64>(&other)).collect();
    let tried = pairs.len();
    let found = pairs
        .iter()
        .filter_map(|((_at, one), (_same, other))| sp_under(one, other))
        .find(|sp| clinic.is_anchor(Some(*sp)));
    let why = format!(
        "at none of {tried} places do two sign-ins hold points under one mask: a point travels as its x, unmasked and \
         new each time, and there is no static string to find"
    );
    Some(Attempt {
        succeeded: found.is_some(),
        why,
    })
}
