//! A path of the model as a story that a person can read, with one name for each member throughout.

use core::fmt;

use stateright::{Model as _, Path};

use crate::pbft::Pbft;
use crate::setting::Setting;
use crate::step::{Action, Step};
use crate::world::{Batch, Change, World};

/// A path, told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Story {
    /// The rule that it breaks, or the sight that it shows.
    pub title: String,
    /// One line for each step, and how it ends.
    pub lines: Vec<String>,
}

impl fmt::Display for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.title)?;
        self.lines
            .iter()
            .try_for_each(|line| writeln!(f, "  {line}"))
    }
}

impl Story {
    /// Tells a path. The checker gives members new names at every step, since it knows states only
    /// up to names; here each step is found again in a world that keeps them.
    pub fn of<const S: usize, const V: usize>(
        model: &Pbft<S, V>,
        title: &str,
        path: Path<World<S, V>, Action<S>>,
    ) -> Self {
        let mut states = path.into_states().into_iter();
        let mut world = states.next().unwrap_or_else(|| World::new(0, 0));
        let mut taken = Vec::new();
        for state in states {
            let step = model
                .setting
                .steps(&world)
                .into_iter()
                .find(|action| model.next_state(&world, *action).as_ref() == Some(&state));
            let Some(action) = step else { break };
            taken.push((usize::from(world.members[action.member].view), action));
            model.setting.apply(&mut world, &action);
        }
        let names = names(&model.setting, &world);
        let mut lines = vec![liars(&world, &names)];
        for (number, (view, action)) in (1..).zip(&taken) {
            let who = &names.members[action.member];
            lines.push(format!("{number:2}. {who} {}", told(*view, &action.step)));
        }
        lines.extend(ending(&model.setting, &world));
        Self {
            title: title.to_owned(),
            lines,
        }
    }
}

/// Who is called what.
struct Names {
    /// The honest members.
    members: Vec<String>,
    /// The others.
    liars: Vec<String>,
}

/// Names by the views that somebody was primary of; the rest get what is left.
fn names<const S: usize, const V: usize>(setting: &Setting, world: &World<S, V>) -> Names {
    let led: Vec<Option<usize>> = world
        .members
        .iter()
        .map(|member| (0..V).find(|view| member.led(*view)))
        .collect();
    let lying: Vec<usize> = (0..V).filter(|view| world.lies(*view)).collect();
    let taken = |place: &usize| led.contains(&Some(*place)) || lying.contains(place);
    let mut free = (0..setting.size)
        .filter(|place| !taken(place))
        .collect::<Vec<_>>()
        .into_iter();
    let members = led
        .iter()
        .map(|led| format!("r{}", led.or_else(|| free.next()).unwrap_or(setting.size)))
        .collect();
    let liars = lying
        .into_iter()
        .chain(free)
        .map(|place| format!("r{place}"));
    Names {
        members,
        liars: liars.collect(),
    }
}

/// Who lies.
fn liars<const S: usize, const V: usize>(world: &World<S, V>, names: &Names) -> String {
    let primaries: Vec<String> = (0..V)
        .filter(|view| world.lies(*view))
        .map(|view| format!("v{view}"))
        .collect();
    let role = if primaries.is_empty() {
        "a backup in every view".to_owned()
    } else {
        format!("primary of {}", primaries.join(" and "))
    };
    let who = names.liars.join(", ");
    format!("{who} (Byzantine, {role}) has said everything that its key can sign")
}

/// One step in words.
fn told<const S: usize>(view: usize, step: &Step<S>) -> String {
    match step {
        Step::Propose { place, batch } => {
            format!(
                "says PRE-PREPARE(v{view}, s{}, {})",
                place + 1,
                name(*batch)
            )
        }
        Step::Prepare { place, batch } => {
            format!("says PREPARE(v{view}, s{}, {})", place + 1, name(*batch))
        }
        Step::Certify {
            place,
            batch,
            commit,
        } => {
            let said = if *commit {
                "says COMMIT"
            } else {
                "is prepared, but silent, at"
            };
            format!("{said}(v{view}, s{}, {})", place + 1, name(*batch))
        }
        Step::Leave { view: target } => format!("leaves v{view} and says VIEW-CHANGE(v{target})"),
        Step::Begin { view, outcome } => {
            format!("begins v{view} with NEW-VIEW: {}", proposals(outcome))
        }
        Step::Enter { view, outcome } => {
            format!(
                "enters v{view} by a NEW-VIEW that says: {}",
                proposals(outcome)
            )
        }
        Step::Execute => "executes the next place and says CHECKPOINT".to_owned(),
        Step::Settle { stable } => format!("holds the checkpoint certificate of s{stable}"),
        Step::Crash => "crashes, and comes back without what should have been durable".to_owned(),
    }
}

/// What a NEW-VIEW proposes again.
fn proposals<const S: usize>(outcome: &Change<S>) -> String {
    let again = (0..S).filter_map(|place| {
        let batch = outcome.reproposal(place)?;
        let from = outcome.prepared[place].map(|proof| format!(" (prepared in v{})", proof.view));
        Some(format!(
            "s{} = {}{}",
            place + 1,
            name(batch),
            from.unwrap_or_default()
        ))
    });
    let again: Vec<String> = again.collect();
    if again.is_empty() {
        "nothing is open".to_owned()
    } else {
        again.join(", ")
    }
}

/// What is ordered in the end.
fn ending<const S: usize, const V: usize>(setting: &Setting, world: &World<S, V>) -> Vec<String> {
    let places = (0..S).flat_map(|place| {
        let ordered = setting.ordered(world, place);
        ordered.map(move |(view, batch)| {
            format!(
                "=> s{} = {} has a commit certificate of v{view}",
                place + 1,
                name(batch)
            )
        })
    });
    places.collect()
}

/// A batch in words.
fn name(batch: Batch) -> &'static str {
    match batch {
        Batch::NULL => "null",
        Batch::A => "A",
        Batch::B => "B",
        _ => "an invalid batch",
    }
}
