//! B4: one key for all sessions.

use crate::attacks::aidc1::{Attempt, Clinic};
use crate::attacks::arithmetic::shorten;
use crate::attacks::story::{Must as _, Stopped, Story, some};
use crate::attacks::world::{At, LimbasiyaWorld, Truth};
use crate::attacks::{Attack, Id, Need, Paper, Step, Target};

pub(in crate::attacks) const ABOUT: Attack = Attack {
    id: Id::B4,
    name: "one-key-for-all",
    title: "The key of one session is that of every other at the same server",
    paper: Paper::Limbasiya2020,
    target: Target::Suite,
    needs: &[Need::Listen, Need::Leak],
    steps: &[
        Step {
            title: "Learn the key of one session",
            text: "One session's key leaks, as session keys do: they are used, logged, and left in memory.",
        },
        Step {
            title: "Listen a minute later",
            text: "SK = h(UID ‖ ID_j ‖ C ‖ Loc_j ‖ VT): nothing in it is of a session. The leaked key is this one's \
                   too.",
        },
        Step {
            title: "Listen a year later",
            text: "And this one's, until she changes her password.",
        },
    ],
};

pub(in crate::attacks) fn run<W: LimbasiyaWorld>(
    world: &mut W,
    story: &mut Story,
) -> Result<(), Stopped<W::Error>> {
    let first = world.overhear(At::Here)?;
    let key = some(world.leaked_key(first.number))?;
    story.step([("SK", shorten(&key))]);

    for later in [60_000, 31_536_000_000] {
        world.pass(later);
        let next = world.overhear(At::Here)?;
        (next.number != first.number).must()?;
        world.confirms(Truth::Key(next.number), &key).must()?;
        story.step([("α", shorten(&next.hello)), ("SK", shorten(&key))]);
    }
    Ok(())
}

pub(in crate::attacks) fn on_aidc1(clinic: &mut Clinic) -> Option<Attempt> {
    let leaked = clinic.overhear(At::Here)?.key;
    let mut same = 0_usize;
    for later in [60_000, 31_536_000_000] {
        clinic.pass(later);
        let next = clinic.overhear(At::Here)?.key;
        same = same.saturating_add(usize::from(next == leaked));
    }
    let why = format!(
        "the key of one session was that of {same} of two others: both ends draw a new number for each"
    );
    Some(Attempt {
        succeeded: same > 0,
        why,
    })
}
