//! A2: a stranger answers in the server's place.

use protocol::suite::Message as _;
use protocol::wu::Me7;

use crate::attacks::aidc1::{Attempt, Clinic};
use crate::attacks::arithmetic::{Number, shorten, xor};
use crate::attacks::story::{Must as _, Stopped, Story, some};
use crate::attacks::world::{At, Truth, World};
use crate::attacks::{Attack, Id, Need, Paper, Step};

use super::{SUITE, hello, m4, sp_of};

pub(in crate::attacks) const ABOUT: Attack = Attack {
    id: Id::A2,
    name: "false-server",
    title: "A stranger answers as the server and shares the patient's key",
    paper: Paper::Wu2021,
    target: SUITE,
    needs: &[Need::Middle],
    steps: &[
        Step {
            title: "Hold the patient's message back",
            text: "Her Me5 reaches the attacker and no server. It gives SP, and with SP her point.",
        },
        Step {
            title: "Answer it",
            text: "A server of this scheme owns no secret. The attacker draws m_j himself and makes M3 and M4 by the \
                   printed formulas.",
        },
        Step {
            title: "She accepts",
            text: "M4 checks, so her terminal takes the attacker for the server, and he has her key.",
        },
    ],
};

pub(in crate::attacks) fn run<W: World>(
    world: &mut W,
    story: &mut Story,
) -> Result<(), Stopped<W::Error>> {
    let me5 = hello(&world.hold(At::Here)?)?;
    let sp = sp_of(&me5)?;
    let patient = xor(&sp, &me5.m1);
    story.step([("SP", shorten(&sp)), ("x(m_i·P)", shorten(&patient))]);

    let number = Number::draw(|| world.draw());
    let key = some(number.agree(&patient))?;
    let mut me7 = Me7 {
        m3: xor(&sp, &number.x()),
        m4: [0; 32],
        t3: world.now(),
    };
    me7.m4 = m4(&key, &patient, &me7);
    story.step([("M3", shorten(&me7.m3)), ("M4", shorten(&me7.m4))]);

    let accepted = some(world.give(&me7.encode())?)?;
    world.confirms(Truth::Key(accepted), &key).must()?;
    story.step([("K", shorten(&key))]);
    Ok(())
}

pub(in crate::attacks) fn on_aidc1(clinic: &mut Clinic) -> Option<Attempt> {
    let hand = clinic.hand();
    let hello = clinic.hold(At::Here)?;
    let succeeded = clinic.deceive(&hand, &hello)?;
    let why = "an answer with a number of one's own was refused: M4 is sealed under es, ss, ee and se, and es \
               and ss take the server's secret of the epoch";
    Some(Attempt {
        succeeded,
        why: why.to_owned(),
    })
}
