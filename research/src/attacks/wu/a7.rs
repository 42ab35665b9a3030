//! A7: one pad, many messages.

use std::collections::BTreeMap;

use crate::attacks::aidc1::{Attempt, Clinic, fields};
use crate::attacks::arithmetic::{is_on_curve, shorten, xor};
use crate::attacks::story::{Must as _, Stopped, Story};
use crate::attacks::world::{At, Truth, World};
use crate::attacks::{Attack, Id, Need, Paper, Step};

use super::{SUITE, listen, sp_of};

/// Strings among which SP is looked for.
const CANDIDATES: usize = 64;
/// Sign-ins that it takes at most.
const SESSIONS: usize = 20;

pub(in crate::attacks) const ABOUT: Attack = Attack {
    id: Id::A7,
    name: "two-time-pad",
    title: "Masked points XOR to unmasked ones and sift a list of candidates for SP",
    paper: Paper::Wu2021,
    target: SUITE,
    needs: &[Need::Listen],
    steps: &[
        Step {
            title: "Write down 64 candidates for SP",
            text: "One is right, as it would be in a list of faces; BIO' and PP are not looked at again.",
        },
        Step {
            title: "Add two messages",
            text: "M1 ⊕ M3 = x(m_i·P) ⊕ x(m_j·P): the same pad covers both and cancels.",
        },
        Step {
            title: "Sift",
            text: "Only every other string is the x of a point. Of the wrong candidates each M1 and each M3 strikes \
                   out about half; the right one stays.",
        },
    ],
};

pub(in crate::attacks) fn run<W: World>(
    world: &mut W,
    story: &mut Story,
) -> Result<(), Stopped<W::Error>> {
    let first = listen(world, At::Here)?;
    let sp = sp_of(&first.me5)?;
    let wrong = core::iter::repeat_with(|| world.draw()).take(CANDIDATES.saturating_sub(1));
    let mut candidates: Vec<[u8; 32]> = wrong.chain([sp]).collect();
    story.step([("candidates", candidates.len().to_string())]);

    let points = [first.me5.m1, first.me7.m3].map(|masked| xor(&sp, &masked));
    let sum = xor(&first.me5.m1, &first.me7.m3);
    let [patient, server] = points;
    (sum == xor(&patient, &server)).must()?;
    story.step([("M1 ⊕ M3", shorten(&sum))]);

    let mut heard = first;
    let mut sessions = 1_usize;
    loop {
        for masked in [heard.me5.m1, heard.me7.m3] {
            candidates.retain(|candidate| is_on_curve(&xor(candidate, &masked)));
        }
        if candidates.len() <= 1 || sessions == SESSIONS {
            break;
        }
        sessions = sessions.saturating_add(1);
        world.pass(1_000);
        heard = listen(world, At::Here)?;
    }
    (matches!(candidates.as_slice(), [left] if world.confirms(Truth::Anchor, left))).must()?;
    story.step([("sign-ins", sessions.to_string()), ("SP", shorten(&sp))]);
    Ok(())
}

pub(in crate::attacks) fn on_aidc1(clinic: &mut Clinic) -> Option<Attempt> {
    let mut candidates = vec![clinic.anchor()];
    candidates.resize_with(CANDIDATES, || clinic.draw());
    let mut left: BTreeMap<usize, Vec<[u8; 32]>> = BTreeMap::new();
    for _session in 0..SESSIONS {
        clinic.pass(1_000);
        let wire = clinic.overhear(At::Here)?.wire();
        for (at, masked) in fields::<32>(&wire) {
            let survivors = left.entry(at).or_insert_with(|| candidates.clone());
            survivors.retain(|candidate| is_on_curve(&xor(candidate, &masked)));
        }
    }
    let found = left
        .values()
        .any(|survivors| *survivors == [clinic.anchor()]);
    let why = format!(
        "of {CANDIDATES} strings, her SP among them, none is left at any of {} places after {SESSIONS} sign-ins: \
         nothing that travels is masked, so no pad is used twice",
        left.len()
    );
    Some(Attempt {
        succeeded: found,
        why,
    })
}
