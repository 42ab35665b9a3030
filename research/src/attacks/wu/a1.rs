//! A1: SP from one message.

use protocol::{Auxiliary, Template, fuzzy};

use crate::attacks::aidc1::{Attempt, Clinic, fields};
use crate::attacks::arithmetic::{is_on_curve, shorten, xor};
use crate::attacks::story::{Must as _, Stopped, Story};
use crate::attacks::world::{At, Truth, World};
use crate::attacks::{Attack, Id, Need, Paper, Step};

use super::{SUITE, listen, sp_of};

pub(in crate::attacks) const ABOUT: Attack = Attack {
    id: Id::A1,
    name: "sp-from-the-wire",
    title: "One overheard message unmasks every past and future one",
    paper: Paper::Wu2021,
    target: SUITE,
    needs: &[Need::Listen],
    steps: &[
        Step {
            title: "Listen to one sign-in",
            text: "Me5 carries the fresh capture BIO' and the helper string PP in clear, as printed.",
        },
        Step {
            title: "Reproduce SP",
            text: "Rep is public. SP = Rep(BIO', PP) is the string that masks every point of this patient, for ever.",
        },
        Step {
            title: "Unmask another day's sign-in",
            text: "M1 ⊕ SP and M3 ⊕ SP are x-coordinates of points: what the mask was to hide lies open.",
        },
    ],
};

pub(in crate::attacks) fn run<W: World>(
    world: &mut W,
    story: &mut Story,
) -> Result<(), Stopped<W::Error>> {
    let first = listen(world, At::Here)?;
    story.step([("PP", shorten(&first.me5.pp.to_bytes()))]);

    let sp = sp_of(&first.me5)?;
    world.confirms(Truth::Anchor, &sp).must()?;
    story.step([("SP", shorten(&sp))]);

    world.pass(86_400_000);
    let next = listen(world, At::There)?;
    let points = [next.me5.m1, next.me7.m3].map(|masked| xor(&sp, &masked));
    points.iter().all(is_on_curve).must()?;
    let [patient, server] = points;
    story.step([
        ("x(m_i·P)", shorten(&patient)),
        ("x(m_j·P)", shorten(&server)),
    ]);
    Ok(())
}

/// Looks for BIO' and PP among octets, wherever two fields could be.
fn factor_in(wire: &[u8]) -> Option<[u8; 32]> {
    let helpers = fields::<320>(wire).filter_map(|(at, bytes)| {
        let pp = Auxiliary::parse(&bytes).ok()?;
        Some((at, pp))
    });
    for (at, pp) in helpers {
        let apart =
            |start: usize| start.saturating_add(256) <= at || start >= at.saturating_add(320);
        let mut templates = fields::<256>(wire).filter(|(start, _bytes)| apart(*start));
        let found =
            templates.find_map(|(_start, bytes)| fuzzy::reproduce(&Template::new(bytes), &pp));
        if let Some(sp) = found {
            return Some(*sp.expose());
        }
    }
    None
}

pub(in crate::attacks) fn on_aidc1(clinic: &mut Clinic) -> Option<Attempt> {
    let wire = clinic.overhear(At::Here)?.wire();
    let succeeded = clinic.is_anchor(factor_in(&wire));
    let why = format!(
        "no capture and no helper string is among the {} octets of a sign-in, and PP alone has 320: Gen and Rep run on \
         the terminal, and M1 and M3 are fresh points under no mask",
        wire.len()
    );
    Some(Attempt { succeeded, why })
}
