//! A15: one number leaks, and the key with it.

use crate::attacks::aidc1::{Attempt, Clinic};
use crate::attacks::arithmetic::{Number, shorten, xor};
use crate::attacks::story::{Must as _, Stopped, Story, some};
use crate::attacks::world::{At, Truth, WuWorld};
use crate::attacks::{Attack, Id, Need, Paper, Step};

use super::{SUITE, read, sp_of};

pub(in crate::attacks) const ABOUT: Attack = Attack {
    id: Id::A15,
    name: "leaked-number",
    title: "One leaked number of either side gives the key",
    paper: Paper::Wu2021,
    target: SUITE,
    needs: &[Need::Listen, Need::Leak],
    steps: &[
        Step {
            title: "Learn one random number",
            text: "A bad generator, a crash dump: m_i of the terminal or m_j of the server, of one session.",
        },
        Step {
            title: "Compute the key",
            text: "K = m_i·m_j·P, and nothing long-lived enters it: the number and the other side's unmasked point \
                   are all it takes.",
        },
    ],
};

pub(in crate::attacks) fn run<W: WuWorld>(
    world: &mut W,
    story: &mut Story,
) -> Result<(), Stopped<W::Error>> {
    let leaks = world.leaks()?;
    (!leaks.is_empty()).must()?;
    let sides: Vec<_> = leaks.iter().map(|leak| leak.whose).collect();
    story.step([("whose", sides.join(", "))]);

    let mut keys = Vec::new();
    for leak in &leaks {
        let heard = read(&leak.overheard)?;
        let sp = sp_of(&heard.me5)?;
        let number = some(Number::from_bytes(&leak.number))?;
        let [patient, server] = [heard.me5.m1, heard.me7.m3].map(|masked| xor(&sp, &masked));
        let other = if number.x() == patient {
            server
        } else {
            patient
        };
        let key = some(number.agree(&other))?;
        world.confirms(Truth::Key(heard.number), &key).must()?;
        keys.push(shorten(&key));
    }
    story.step([("K", keys.join(", "))]);
    Ok(())
}

pub(in crate::attacks) fn on_aidc1(clinic: &mut Clinic) -> Option<Attempt> {
    let sign_in = clinic.overhear(At::Here)?;
    let [m_i, m_j] = clinic.numbers(At::Here, &sign_in)?;
    let mut found = false;
    for leaked in [[Some(m_i), None], [None, Some(m_j)]] {
        let mut hand = clinic.hand();
        [hand.m_i, hand.m_j] = leaked;
        found |= clinic.follow(&hand, &sign_in).key == Some(sign_in.key);
    }
    let why = "with m_i or with m_j of the session M4 did not open: the patient's and the server's static \
               secrets enter the key as well";
    Some(Attempt {
        succeeded: found,
        why: why.to_owned(),
    })
}
