//! A5: the patient, for ever.

use crate::attacks::aidc1::{Attempt, Clinic};
use crate::attacks::arithmetic::shorten;
use crate::attacks::story::{Stopped, Story};
use crate::attacks::world::{At, World};
use crate::attacks::{Attack, Id, Need, Paper, Step};

use super::{SUITE, forge, guess_identity, listen, sign_in, sp_of};

/// Ten years.
const LATER_MS: u64 = 10 * 365 * 86_400_000;

pub(in crate::attacks) const ABOUT: Attack = Attack {
    id: Id::A5,
    name: "patient-for-ever",
    title: "Whoever overheard one sign-in signs in as the patient for ever",
    paper: Paper::Wu2021,
    target: SUITE,
    needs: &[Need::Listen],
    steps: &[
        Step {
            title: "Listen once",
            text: "SP falls out of Me5 (A1) and ID out of M2 (A4). Neither ever changes, nor do PP and BIO'.",
        },
        Step {
            title: "Make a first message of one's own",
            text: "A new m_i, the time of today, the old face. The server asks for no password and no device.",
        },
        Step {
            title: "Sign in, at any server",
            text: "M4 proves that the server has the same key, and the ledger records that the patient signed in.",
        },
    ],
};

pub(in crate::attacks) fn run<W: World>(
    world: &mut W,
    story: &mut Story,
) -> Result<(), Stopped<W::Error>> {
    let me5 = listen(world, At::Here)?.me5;
    let (sp, identity) = (sp_of(&me5)?, guess_identity(&me5)?);
    story.step([("SP", shorten(&sp)), ("ID", identity.clone())]);

    world.pass(LATER_MS);
    let (number, forged) = forge(world, &me5, (&sp, &identity));
    story.step([("M1", shorten(&forged.m1)), ("M2", shorten(&forged.m2))]);

    let (key, session) = sign_in(world, At::There, (&number, &forged))?;
    story.step([
        ("K", shorten(&key)),
        ("session", shorten(session.as_bytes())),
    ]);
    Ok(())
}

pub(in crate::attacks) fn on_aidc1(clinic: &mut Clinic) -> Option<Attempt> {
    let hand = clinic.hand();
    let overheard = clinic.overhear(At::Here)?;
    clinic.pass(LATER_MS);
    let succeeded = clinic.impersonate(&hand, &overheard.hello)?;
    let why = "a first message made of all that travelled and of the ledger was refused: M2 is sealed under a \
               key that takes the patient's secret number, and only her key signs the statement";
    Some(Attempt {
        succeeded,
        why: why.to_owned(),
    })
}
