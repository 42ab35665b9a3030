//! A8: all sign-ins of a patient are one patient's.

use crate::attacks::aidc1::{Attempt, Clinic, holds};
use crate::attacks::arithmetic::{shorten, xor};
use crate::attacks::story::{Must as _, Stopped, Story};
use crate::attacks::world::{At, World};
use crate::attacks::{Attack, Id, Need, Paper, Step};

use super::{SUITE, h, listen};

pub(in crate::attacks) const ABOUT: Attack = Attack {
    id: Id::A8,
    name: "linked-sign-ins",
    title: "Every sign-in names the same patient and the same helper string",
    paper: Paper::Wu2021,
    target: SUITE,
    needs: &[Need::Listen],
    steps: &[
        Step {
            title: "Listen at two servers",
            text: "AID and PP are in clear in every Me5 and never change: whoever listens at two places knows that \
                   it is one patient.",
        },
        Step {
            title: "Take AID apart",
            text: "AID = B ⊕ h(PP), and PP travels beside it, so B = h1(A), which stands for ID and password, lies \
                   open too.",
        },
    ],
};

pub(in crate::attacks) fn run<W: World>(
    world: &mut W,
    story: &mut Story,
) -> Result<(), Stopped<W::Error>> {
    let here = listen(world, At::Here)?.me5;
    world.pass(86_400_000);
    let there = listen(world, At::There)?.me5;
    (here.aid == there.aid && here.pp == there.pp && here.m1 != there.m1).must()?;
    story.step([("AID", shorten(here.aid.as_bytes()))]);

    let hidden = [&here, &there].map(|me5| {
        let pad = h("h", &[&me5.pp.to_bytes()]);
        xor(me5.aid.as_bytes(), &pad)
    });
    let [one, other] = hidden;
    (one == other).must()?;
    story.step([("B", shorten(&one))]);
    Ok(())
}

/// So many octets alike are no accident.
const ALIKE: usize = 8;

pub(in crate::attacks) fn on_aidc1(clinic: &mut Clinic) -> Option<Attempt> {
    let one = clinic.overhear(At::Here)?.wire();
    let strangers = clinic.own(At::Here)?.wire();
    clinic.pass(86_400_000);
    let other = clinic.overhear(At::Here)?.wire();
    let mut windows = one.windows(ALIKE);
    let linked = windows.any(|window| holds(&other, window) && !holds(&strangers, window));
    let why = format!(
        "two sign-ins of hers share no {ALIKE} octets that somebody else's does not have as well: AID travels sealed \
         under a new key, and elsewhere she has another one"
    );
    Some(Attempt {
        succeeded: linked,
        why,
    })
}
