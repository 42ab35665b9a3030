//! A3: all servers are one.

use crate::attacks::aidc1::{Attempt, Clinic};
use crate::attacks::arithmetic::shorten;
use crate::attacks::story::{Must as _, Stopped, Story, some};
use crate::attacks::world::{At, World};
use crate::attacks::{Attack, Id, Need, Paper, Step};

use super::{SUITE, hello, session};

pub(in crate::attacks) const ABOUT: Attack = Attack {
    id: Id::A3,
    name: "any-server-will-do",
    title: "A message meant for one server is accepted by another",
    paper: Paper::Wu2021,
    target: SUITE,
    needs: &[Need::Middle],
    steps: &[
        Step {
            title: "Take a message on its way to one server",
            text: "Nothing in M1 or M2 names the server that the patient means.",
        },
        Step {
            title: "Send it to another server",
            text: "That one finds SP in the message and the ID on the ledger like any other, and answers.",
        },
        Step {
            title: "Let it go on as well",
            text: "Both servers record a sign-in: two out of one message, one of them at a place where she never was.",
        },
    ],
};

pub(in crate::attacks) fn run<W: World>(
    world: &mut W,
    story: &mut Story,
) -> Result<(), Stopped<W::Error>> {
    let held = world.hold(At::Here)?;
    let aid = hello(&held)?.aid;
    story.step([("AID", shorten(aid.as_bytes()))]);

    let there = some(world.send(At::There, &held)?)?;
    let elsewhere = session(&held, &there);
    (world.recorded(At::There, &elsewhere)? == Some(aid)).must()?;
    story.step([("session there", shorten(elsewhere.as_bytes()))]);

    let here = some(world.send(At::Here, &held)?)?;
    let meant = session(&held, &here);
    (world.recorded(At::Here, &meant)? == Some(aid) && meant != elsewhere).must()?;
    story.step([("session here", shorten(meant.as_bytes()))]);
    Ok(())
}

pub(in crate::attacks) fn on_aidc1(clinic: &mut Clinic) -> Option<Attempt> {
    let held = clinic.hold(At::Here)?;
    let answered = clinic.send(At::There, &held).is_some();
    let why = "the other server refused the message: the record and key of the server that is meant are in its \
               transcript";
    Some(Attempt {
        succeeded: answered,
        why: why.to_owned(),
    })
}
