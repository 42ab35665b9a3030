//! A12: somebody in the middle.

use protocol::suite::Message as _;
use protocol::wu::{Me5, Me7};

use crate::attacks::aidc1::{Attempt, Clinic};
use crate::attacks::arithmetic::{Number, shorten, xor};
use crate::attacks::story::{Must as _, Stopped, Story, some};
use crate::attacks::world::{At, Truth, World};
use crate::attacks::{Attack, Id, Need, Paper, Step};

use super::{SUITE, guess_identity, hello, m2, m4, sp_of};

pub(in crate::attacks) const ABOUT: Attack = Attack {
    id: Id::A12,
    name: "man-in-the-middle",
    title: "Somebody in the middle shares one key with each end",
    paper: Paper::Wu2021,
    target: SUITE,
    needs: &[Need::Middle],
    steps: &[
        Step {
            title: "Hold the patient's message back",
            text: "It gives SP (A1), her point, and her ID (A4).",
        },
        Step {
            title: "Send the server another point",
            text: "M1 and M2 are made anew around the attacker's own number; the server answers as if she had asked.",
        },
        Step {
            title: "Send the patient another point",
            text: "M3 and M4 are made anew as well, and she accepts.",
        },
        Step {
            title: "Hold both keys",
            text: "Each end believes that it shares a key with the other. Each shares another one with the attacker, \
                   who reads and writes everything between them.",
        },
    ],
};

pub(in crate::attacks) fn run<W: World>(
    world: &mut W,
    story: &mut Story,
) -> Result<(), Stopped<W::Error>> {
    let me5 = hello(&world.hold(At::Here)?)?;
    let (sp, identity) = (sp_of(&me5)?, guess_identity(&me5)?);
    let patient = xor(&sp, &me5.m1);
    story.step([("SP", shorten(&sp)), ("ID", identity.clone())]);

    let number = Number::draw(|| world.draw());
    let x = number.x();
    let towards_server = Me5 {
        m1: xor(&sp, &x),
        m2: m2(&x, &identity, &me5),
        ..me5
    };
    let answer = some(world.send(At::Here, &towards_server.encode())?)?;
    let me7 = some(Me7::parse(&answer).ok())?;
    let servers_key = some(number.agree(&xor(&sp, &me7.m3)))?;
    // M4 is proof that the server has this key.
    (m4(&servers_key, &x, &me7) == me7.m4).must()?;
    story.step([("x(m·P)", shorten(&x))]);

    let key = some(number.agree(&patient))?;
    let mut towards_patient = Me7 {
        m3: xor(&sp, &x),
        ..me7
    };
    towards_patient.m4 = m4(&key, &patient, &towards_patient);
    let accepted = some(world.give(&towards_patient.encode())?)?;
    story.step([("M4", shorten(&towards_patient.m4))]);

    (world.confirms(Truth::Key(accepted), &key) && key != servers_key).must()?;
    story.step([
        ("key with the patient", shorten(&key)),
        ("key with the server", shorten(&servers_key)),
    ]);
    Ok(())
}

pub(in crate::attacks) fn on_aidc1(clinic: &mut Clinic) -> Option<Attempt> {
    let hand = clinic.hand();
    let hello = clinic.hold(At::Here)?;
    let with_server = clinic.impersonate(&hand, &hello)?;
    let with_patient = clinic.deceive(&hand, &hello)?;
    let why = format!(
        "the server took {} of the attacker and the patient {}: each end checks the other by secrets that the \
         middle does not have",
        if with_server { "a message" } else { "nothing" },
        if with_patient { "an answer" } else { "nothing" },
    );
    Some(Attempt {
        succeeded: with_server && with_patient,
        why,
    })
}
