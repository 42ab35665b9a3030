//! B2: keys of the past.

use crate::attacks::aidc1::{Attempt, Clinic, Weakness};
use crate::attacks::arithmetic::shorten;
use crate::attacks::story::{Must as _, Stopped, Story, some};
use crate::attacks::world::{At, LimbasiyaWorld, Truth};
use crate::attacks::{Attack, Id, Need, Paper, Step, Target};

use super::{request, session_key, unmasked};

pub(in crate::attacks) const ABOUT: Attack = Attack {
    id: Id::B2,
    name: "past-keys",
    title: "A server's table and secret open every session of the past",
    paper: Paper::Limbasiya2020,
    target: Target::Suite,
    needs: &[Need::Listen, Need::Table],
    steps: &[
        Step {
            title: "Keep what travels",
            text: "Two sign-ins on two days: neither says anything yet to somebody who is no user.",
        },
        Step {
            title: "Copy the server's disk, later",
            text: "It has SSK_j, and C of every user.",
        },
        Step {
            title: "Compute the keys of the past",
            text: "α gives UID, the table C, and SK is a hash of these. There is no Diffie-Hellman, so there is no \
                   forward secrecy.",
        },
    ],
};

pub(in crate::attacks) fn run<W: LimbasiyaWorld>(
    world: &mut W,
    story: &mut Story,
) -> Result<(), Stopped<W::Error>> {
    let first = world.overhear(At::Here)?;
    world.pass(86_400_000);
    let past = [first, world.overhear(At::Here)?];
    story.step([("sign-ins", past.len().to_string())]);

    world.pass(3_600_000);
    let table = world.table(At::Here)?;
    story.step([
        ("SSK_j", shorten(&table.ssk)),
        ("rows", table.rows.len().to_string()),
    ]);

    let (server, place) = world.place(At::Here);
    let mut keys = Vec::new();
    for heard in &past {
        let uid = unmasked(&request(&heard.hello)?, &table.ssk);
        let mut rows = table.rows.iter();
        let (_uid, c) = some(rows.find(|(row, _)| *row == uid))?;
        let key = session_key(&uid, c, (&server, &place));
        world.confirms(Truth::Key(heard.number), &key).must()?;
        keys.push(shorten(&key));
    }
    story.step([("SK", keys.join(", "))]);
    Ok(())
}

pub(in crate::attacks) fn on_aidc1(clinic: &mut Clinic) -> Option<Attempt> {
    let past = clinic.overhear(At::Here)?;
    clinic.pass(86_400_000);
    let mut hand = clinic.statics()?;
    hand.server = Some(clinic.next_epoch_key()?);
    if clinic.has(Weakness::Numbers) {
        let [m_i, m_j] = clinic.numbers(At::Here, &past)?;
        (hand.m_i, hand.m_j, hand.server) = (Some(m_i), Some(m_j), None);
    }
    let found = clinic.follow(&hand, &past).key == Some(past.key);
    let why = "the server's next key, the ledger and even the patient's seed, all taken later, open no session \
               of the past: its key is made of two numbers that both ends have wiped, and the old epoch's key is \
               gone";
    Some(Attempt {
        succeeded: found,
        why: why.to_owned(),
    })
}
