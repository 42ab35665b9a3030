//! What is done to the members while they work: one kind of harm at a time, with the details by chance.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use rustix::process::Signal;

use super::field::{Field, Kind};
use super::lab::MEMBERS;
use super::partitions;
use crate::byzantine;
use crate::claims::{Broken, Verdict};
use crate::dice::Dice;

/// A kind of harm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Nemesis {
    /// Nothing at all, for comparison.
    Peace,
    /// Two and two do not reach each other.
    Halves,
    /// Each sees a majority, no two the same.
    Ring,
    /// The primary alone.
    Primary,
    /// Frames are lost in one direction.
    OneWay,
    /// A minute without a quorum.
    Minute,
    /// Processes stand still and go on.
    Pause,
    /// One clock is far off, or all are a little.
    Clocks,
    /// Processes are killed, one or all.
    Kill,
    /// Processes are stopped in order and started again.
    Restart,
    /// A member loses its disk, but for its keys.
    Wipe,
    /// A member lies, by this character.
    Byzantine(String),
    /// A member lies, and the network breaks in any way too.
    ByzantineCut(String),
    /// All but wiping and lying, in turn by chance.
    Mixed,
}

/// The liars that work while the network breaks: those who divide, and the one who hides what was prepared.
const CUT: [&str; 3] = [byzantine::TWO_FACED, "double-voter", "forgetful"];

/// Harm that is being done.
#[derive(Debug)]
pub(super) enum Fault {
    /// Nothing.
    Nothing,
    /// Frames are lost.
    Cut,
    /// These stand still.
    Paused(Vec<usize>),
    /// These are dead.
    Dead(Vec<usize>),
    /// This one is dead and has lost its disk.
    Wiped(usize),
    /// Clocks are wrong.
    WrongClocks,
}

impl Nemesis {
    /// All that a long run does, one after the other.
    pub(super) fn all() -> Vec<Self> {
        let mut all = vec![
            Self::Peace,
            Self::Halves,
            Self::Ring,
            Self::Primary,
            Self::OneWay,
            Self::Minute,
            Self::Pause,
            Self::Clocks,
            Self::Kill,
            Self::Restart,
            Self::Wipe,
            Self::Mixed,
        ];
        all.extend(byzantine::names().map(|name| Self::Byzantine(name.to_owned())));
        let cut = CUT.map(|name| Self::ByzantineCut(name.to_owned()));
        all.extend(cut);
        all
    }

    /// The few that every test run does.
    pub(super) fn short() -> Vec<Self> {
        vec![
            Self::Mixed,
            Self::Byzantine(byzantine::TWO_FACED.to_owned()),
        ]
    }

    /// The one of this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::all()
            .into_iter()
            .find(|nemesis| nemesis.to_string() == name)
    }

    /// The seed of this nemesis in a run: each has a chance of its own.
    pub(super) fn seed(&self, run: u64) -> u64 {
        let name = self.to_string();
        name.bytes().fold(run, |seed, byte| {
            seed.wrapping_mul(31).wrapping_add(u64::from(byte))
        })
    }

    /// How members run under it.
    pub(super) fn kind(&self, dice: &mut Dice) -> Kind {
        match self {
            Self::Clocks => Kind::Clocks,
            Self::Byzantine(character) | Self::ByzantineCut(character) => Kind::Liar {
                // Most often the first primary, who can do the most harm.
                member: if dice.below(4) == 0 { member(dice) } else { 0 },
                character: character.clone(),
            },
            Self::Peace
            | Self::Halves
            | Self::Ring
            | Self::Primary
            | Self::OneWay
            | Self::Minute
            | Self::Pause
            | Self::Kill
            | Self::Restart
            | Self::Wipe
            | Self::Mixed => Kind::Plain,
        }
    }

    /// How long a fault lasts.
    pub(super) fn holds(&self, dice: &mut Dice) -> Duration {
        match self {
            Self::Minute => Duration::from_mins(1),
            Self::Kill | Self::Restart => Duration::from_millis(dice.below(1500)),
            Self::Peace
            | Self::Halves
            | Self::Ring
            | Self::Primary
            | Self::OneWay
            | Self::Pause
            | Self::Clocks
            | Self::Wipe
            | Self::Byzantine(_)
            | Self::ByzantineCut(_)
            | Self::Mixed => Duration::from_millis(dice.below(7000).saturating_add(1000)),
        }
    }

    /// Does harm.
    pub(super) fn strike(&self, field: &mut Field<'_>, dice: &mut Dice) -> Result<Fault, Broken> {
        let cuts = match self {
            Self::Peace | Self::Byzantine(_) => return Ok(Fault::Nothing),
            Self::Mixed => return any(dice).strike(field, dice),
            Self::ByzantineCut(_) => return any_cut(dice).strike(field, dice),
            Self::Pause => return pause(field, dice),
            Self::Clocks => return clocks(field, dice),
            Self::Kill => return Ok(kill(field, dice)),
            Self::Restart => return restart(field, dice),
            Self::Wipe => return wipe(field, dice),
            Self::Halves | Self::Minute => partitions::halves(dice),
            Self::Ring => partitions::ring(dice),
            Self::Primary => partitions::isolated(field.primary().unwrap_or_default()),
            Self::OneWay => {
                let primary = field.primary().unwrap_or_default();
                let victim = if dice.below(2) == 0 {
                    primary
                } else {
                    member(dice)
                };
                partitions::one_way(victim, dice)
            }
        };
        field.cut(&cuts)?;
        Ok(Fault::Cut)
    }
}

impl fmt::Display for Nemesis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Peace => "peace",
            Self::Halves => "halves",
            Self::Ring => "ring",
            Self::Primary => "primary",
            Self::OneWay => "one-way",
            Self::Minute => "minute",
            Self::Pause => "pause",
            Self::Clocks => "clocks",
            Self::Kill => "kill",
            Self::Restart => "restart",
            Self::Wipe => "wipe",
            Self::Mixed => "mixed",
            Self::Byzantine(character) => return write!(f, "byzantine-{character}"),
            Self::ByzantineCut(character) => return write!(f, "byzantine-{character}-cut"),
        };
        f.write_str(name)
    }
}

impl Fault {
    /// Makes it good. What counts as healed is the moment when this returns: dead members answer again by then.
    pub(super) fn heal(&self, field: &mut Field<'_>) -> Verdict {
        match self {
            Self::Nothing => Ok(()),
            Self::Cut => field.cut(&BTreeSet::new()),
            Self::Paused(members) => members
                .iter()
                .try_for_each(|member| field.signal(*member, Signal::CONT)),
            Self::Dead(members) => field.revive_all(members),
            Self::Wiped(member) => field.revive_all(&[*member]),
            Self::WrongClocks => (0..MEMBERS).try_for_each(|member| field.set_clock(member, 0)),
        }
    }
}

/// A member by chance.
fn member(dice: &mut Dice) -> usize {
    let members = u64::try_from(MEMBERS).unwrap_or(1);
    usize::try_from(dice.below(members)).unwrap_or_default()
}

/// One member, two, or all, by chance.
fn some(dice: &mut Dice) -> Vec<usize> {
    let first = member(dice);
    match dice.below(6) {
        0 => (0..MEMBERS).collect(),
        1 | 2 => {
            let second = (0..MEMBERS)
                .filter(|other| *other != first)
                .nth(member(dice) % (MEMBERS - 1));
            std::iter::once(first).chain(second).collect()
        }
        _ => vec![first],
    }
}

/// A way for the network to break.
fn any_cut(dice: &mut Dice) -> Nemesis {
    match dice.below(4) {
        0 => Nemesis::Halves,
        1 => Nemesis::Ring,
        2 => Nemesis::Primary,
        _ => Nemesis::OneWay,
    }
}

/// Anything that can be made good.
fn any(dice: &mut Dice) -> Nemesis {
    match dice.below(6) {
        0 => Nemesis::Pause,
        1 => Nemesis::Kill,
        2 => Nemesis::Restart,
        _ => any_cut(dice),
    }
}

/// Processes stand still; the primary often.
fn pause(field: &Field<'_>, dice: &mut Dice) -> Result<Fault, Broken> {
    let members = match (dice.below(2), field.primary()) {
        (0, Some(primary)) => vec![primary],
        _ => some(dice),
    };
    for member in &members {
        field.signal(*member, Signal::STOP)?;
    }
    Ok(Fault::Paused(members))
}

/// One clock far off, which a quorum must bear; or all a little off each other, which everybody must.
fn clocks(field: &Field<'_>, dice: &mut Dice) -> Result<Fault, Broken> {
    const FAR_MS: [u64; 3] = [3_000, 60_000, 400_000];
    const LITTLE_MS: u64 = 500;
    if dice.below(2) == 0 {
        let (victim, scale) = (member(dice), member(dice));
        let most = FAR_MS.into_iter().cycle().nth(scale).unwrap_or(LITTLE_MS);
        field.set_clock(victim, offset(dice, most))?;
    } else {
        for member in 0..MEMBERS {
            field.set_clock(member, offset(dice, LITTLE_MS))?;
        }
    }
    Ok(Fault::WrongClocks)
}

/// Milliseconds ahead or behind, up to a limit.
fn offset(dice: &mut Dice, most: u64) -> i64 {
    let ahead = dice.below(most.saturating_mul(2).saturating_add(1));
    let (ahead, most) = (i64::try_from(ahead), i64::try_from(most));
    ahead
        .unwrap_or_default()
        .saturating_sub(most.unwrap_or_default())
}

/// Processes end between two instructions.
fn kill(field: &mut Field<'_>, dice: &mut Dice) -> Fault {
    let members = some(dice);
    for member in &members {
        field.kill(*member);
    }
    Fault::Dead(members)
}

/// A process ends in order.
fn restart(field: &mut Field<'_>, dice: &mut Dice) -> Result<Fault, Broken> {
    let member = member(dice);
    field.stop(member)?;
    Ok(Fault::Dead(vec![member]))
}

/// A member's disk is lost, once: a member may join again once an hour. After that the others are killed one at a
/// time, so that nothing is committed without the votes of the one that came back.
fn wipe(field: &mut Field<'_>, dice: &mut Dice) -> Result<Fault, Broken> {
    const VICTIM: usize = 1;
    if field.was_wiped() {
        let others = [0, 2, 3];
        let other = others.into_iter().cycle().nth(member(dice)).unwrap_or(0);
        field.kill(other);
        return Ok(Fault::Dead(vec![other]));
    }
    field.kill(VICTIM);
    std::thread::sleep(Duration::from_millis(dice.below(500)));
    field.wipe(VICTIM)?;
    Ok(Fault::Wiped(VICTIM))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_nemesis_is_found_by_its_name() {
        for nemesis in Nemesis::all() {
            assert_eq!(Nemesis::named(&nemesis.to_string()), Some(nemesis));
        }
        assert_eq!(Nemesis::named("nothing like it"), None);
    }

    #[test]
    fn chance_picks_one_two_and_all_members_and_none_twice() {
        let mut dice = Dice::new(3);
        let mut sizes = BTreeSet::new();
        for _ in 0..200 {
            let members = some(&mut dice);
            let distinct: BTreeSet<_> = members.iter().collect();
            assert_eq!(distinct.len(), members.len());
            sizes.insert(members.len());
        }
        assert_eq!(sizes, BTreeSet::from([1, 2, MEMBERS]));
    }
}
