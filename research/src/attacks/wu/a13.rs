//! A13: the same message again.

use crate::attacks::aidc1::{Attempt, Clinic};
use crate::attacks::arithmetic::shorten;
use crate::attacks::story::{Must as _, Stopped, Story, some};
use crate::attacks::world::{At, World};
use crate::attacks::{Attack, Id, Need, Paper, Step};

use super::{SUITE, read, session};

/// Just within ΔT of the first time.
const LATER_MS: u64 = 118_000;

pub(in crate::attacks) const ABOUT: Attack = Attack {
    id: Id::A13,
    name: "replay",
    title: "A replayed message is accepted again and gives a second result",
    paper: Paper::Wu2021,
    target: SUITE,
    needs: &[Need::Listen, Need::Send],
    steps: &[
        Step {
            title: "Listen to one sign-in",
            text: "The server records it as soon as it has sent Me7: the patient proves nothing more.",
        },
        Step {
            title: "Send the same octets again",
            text: "Within ΔT the time stamp is still good, and the server remembers no message. The attacker does \
                   not even look inside.",
        },
        Step {
            title: "Look at the ledger",
            text: "It has a second sign-in of the patient, with another session, that never happened.",
        },
    ],
};

pub(in crate::attacks) fn run<W: World>(
    world: &mut W,
    story: &mut Story,
) -> Result<(), Stopped<W::Error>> {
    let overheard = world.overhear(At::Here)?;
    let aid = read(&overheard)?.me5.aid;
    let first = session(&overheard.hello, &overheard.reply);
    (world.recorded(At::Here, &first)? == Some(aid)).must()?;
    story.step([("session", shorten(first.as_bytes()))]);

    world.pass(LATER_MS);
    let again = some(world.send(At::Here, &overheard.hello)?)?;
    story.step([("answer", shorten(&again))]);

    let second = session(&overheard.hello, &again);
    (second != first && world.recorded(At::Here, &second)? == Some(aid)).must()?;
    story.step([("session", shorten(second.as_bytes()))]);
    Ok(())
}

pub(in crate::attacks) fn on_aidc1(clinic: &mut Clinic) -> Option<Attempt> {
    let overheard = clinic.overhear(At::Here)?;
    let before = clinic.results.len();
    clinic.pass(LATER_MS);
    let at_once = clinic.send(At::Here, &overheard.hello).is_some();
    clinic.restart(At::Here);
    let forgotten = clinic.send(At::Here, &overheard.hello).is_some();
    let confirmed = clinic.confirm(&overheard.confirm);
    let more = clinic.results.len().saturating_sub(before);
    let why = format!(
        "the server that remembers {} the replay; one that restarted {} it, and the old Me9 {}: it is bound to \
         the first m_j. Results more: {more}",
        if at_once { "answered" } else { "refused" },
        if forgotten { "answered" } else { "refused" },
        if confirmed {
            "was taken"
        } else {
            "was refused"
        },
    );
    Some(Attempt {
        succeeded: more > 0,
        why,
    })
}
