//! A10: the password, from a stolen card.

use crate::attacks::aidc1::{Attempt, Clinic};
use crate::attacks::arithmetic::{shorten, xor};
use crate::attacks::story::{Must as _, Stopped, Story, some};
use crate::attacks::world::{At, Truth, WuWorld};
use crate::attacks::{Attack, Id, Need, Paper, Step};

use super::{PASSWORDS, SUITE, guess_identity, h, listen, sp_of};

/// Where `V_u` lies on a card: behind AID, SP and PP.
const V_U: core::ops::Range<usize> = 384..416;

pub(in crate::attacks) const ABOUT: Attack = Attack {
    id: Id::A10,
    name: "password-from-the-card",
    title: "A stolen card and one overheard sign-in give the password away",
    paper: Paper::Wu2021,
    target: SUITE,
    needs: &[Need::Listen, Need::Card],
    steps: &[
        Step {
            title: "Listen once",
            text: "SP falls out of Me5 (A1), ID out of M2 (A4).",
        },
        Step {
            title: "Read V_u off the card",
            text: "V_u = h1(h(ID ‖ PW) ⊕ SP) lies there to check the password with, and everything in it but PW is \
                   known.",
        },
        Step {
            title: "Try every password",
            text: "Two SHA-256 for each, on the thief's machine; nobody is asked and nothing slows him down. Here a \
                   password has four digits.",
        },
    ],
};

pub(in crate::attacks) fn run<W: WuWorld>(
    world: &mut W,
    story: &mut Story,
) -> Result<(), Stopped<W::Error>> {
    let me5 = listen(world, At::Here)?.me5;
    let (sp, identity) = (sp_of(&me5)?, guess_identity(&me5)?);
    story.step([("SP", shorten(&sp)), ("ID", identity.clone())]);

    let card = world.card();
    let v_u = some(card.get(V_U))?;
    story.step([("V_u", shorten(v_u))]);

    let mut guesses = (0..PASSWORDS).map(|number| format!("{number:04}"));
    let found = guesses.find(|guess| {
        let typed = h("h", &[identity.as_bytes(), guess.as_bytes()]);
        h("h1", &[&xor(&typed, &sp)]) == v_u
    });
    let password = some(found)?;
    world
        .confirms(Truth::Password, password.as_bytes())
        .must()?;
    story.step([("PW", password)]);
    Ok(())
}

pub(in crate::attacks) fn on_aidc1(clinic: &mut Clinic) -> Option<Attempt> {
    clinic.overhear(At::Here)?;
    let succeeded = clinic.try_passwords()?;
    let why = "with card, device and face in hand the right password opens no more than a wrong one: what it \
               unlocks is made with the evaluators' key, t of whom must help with each try, and count it";
    Some(Attempt {
        succeeded,
        why: why.to_owned(),
    })
}
