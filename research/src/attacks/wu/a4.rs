//! A4: the ID, offline.

use std::collections::BTreeSet;

use crate::attacks::aidc1::{Attempt, Clinic, IDENTITIES};
use crate::attacks::arithmetic::{plain, shorten, xor};
use crate::attacks::story::{Must as _, Stopped, Story};
use crate::attacks::world::{At, Truth, World};
use crate::attacks::{Attack, Id, Need, Paper, Step};

use super::{SUITE, guess_identity, h, listen, sp_of};

pub(in crate::attacks) const ABOUT: Attack = Attack {
    id: Id::A4,
    name: "identity-guess",
    title: "A short ID is found offline",
    paper: Paper::Wu2021,
    target: SUITE,
    needs: &[Need::Listen],
    steps: &[
        Step {
            title: "Listen and unmask",
            text: "One Me5 gives SP, and M1 ⊕ SP the point that M2 = h2(x(m_i·P) ‖ ID ‖ T1) is made of. Only ID is \
                   missing.",
        },
        Step {
            title: "Try every ID",
            text: "Each guess costs one SHA-256, and M2 tells when it is right. Here an ID has five digits; all of \
                   the paper's 32 bits take one core six minutes.",
        },
    ],
};

pub(in crate::attacks) fn run<W: World>(
    world: &mut W,
    story: &mut Story,
) -> Result<(), Stopped<W::Error>> {
    let me5 = listen(world, At::Here)?.me5;
    let x = xor(&sp_of(&me5)?, &me5.m1);
    story.step([("x(m_i·P)", shorten(&x)), ("M2", shorten(&me5.m2))]);

    let identity = guess_identity(&me5)?;
    world
        .confirms(Truth::Identity, identity.as_bytes())
        .must()?;
    story.step([("ID", identity)]);
    Ok(())
}

/// What an attacker hashes an ID with: nothing, the paper's label, and the commitment under each salt that he has.
fn hashes(identity: &str, aid: &[u8; 32], salts: &[[u8; 32]]) -> Vec<[u8; 32]> {
    let text = identity.as_bytes();
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes();
    let commitments = salts
        .iter()
        .map(|salt| plain(&[b"aidc1/id", aid, salt, &length, text]));
    [plain(&[text]), h("h", &[text])]
        .into_iter()
        .chain(commitments)
        .collect()
}

pub(in crate::attacks) fn on_aidc1(clinic: &mut Clinic) -> Option<Attempt> {
    let sign_in = clinic.overhear(At::Here)?;
    let row = clinic.row();
    let known = [sign_in.wire(), row.concat()].concat();
    let targets: BTreeSet<&[u8]> = known.windows(32).collect();
    let salts = clinic.salts();
    let aid = clinic.aid();
    let tells = |guess: &String| {
        let hashes = hashes(guess, &aid, &salts);
        hashes.iter().any(|hash| targets.contains(hash.as_slice()))
    };
    let found = (0..IDENTITIES)
        .map(|number| format!("{number:05}"))
        .find(tells);
    let why = format!(
        "all {IDENTITIES} IDs were tried on {} octets, the ledger's record among them: the ID travels in none, \
         and what commits to it is hashed with 32 secret octets",
        known.len()
    );
    Some(Attempt {
        succeeded: found.is_some_and(|id| clinic.is_identity(&id)),
        why,
    })
}
