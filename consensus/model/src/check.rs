//! Running the checker: exhaustively, to a depth, or along random walks.

use core::fmt;
use std::num::NonZeroUsize;
use std::thread;
use std::time::Duration;

use simulator::Stopwatch;
use stateright::{Checker, Expectation, HasDiscoveries, Model as _, UniformChooser};

use crate::pbft::Pbft;
use crate::setting::Setting;
use crate::story::Story;

/// How far the checker looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Search {
    /// Every state.
    Exhaustive,
    /// Every state that so many steps lead to.
    Depth(usize),
    /// So many states along random walks, from this seed.
    Walks {
        /// How many states.
        states: usize,
        /// The seed of the first walk.
        seed: u64,
    },
    /// Breadth first until a rule is broken; a counterexample is a shortest one.
    Counterexample,
}

/// What a search came to.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// Which configuration.
    pub name: String,
    /// How it was searched.
    pub search: Search,
    /// Different states, up to the names of members and batches; for walks, states visited.
    pub states: usize,
    /// Steps taken.
    pub steps: usize,
    /// The longest path.
    pub depth: usize,
    /// How long it took.
    pub took: Duration,
    /// A rule that is broken, and how.
    pub broken: Option<Story>,
    /// Sights that should be somewhere and were not seen: the model would be empty of them.
    pub unseen: Vec<&'static str>,
}

impl Verdict {
    /// Whether all rules hold and all sights were seen; not every sight is within a bounded depth.
    pub const fn holds(&self) -> bool {
        let bounded = matches!(self.search, Search::Depth(_));
        self.broken.is_none() && (bounded || self.unseen.is_empty())
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = match self.search {
            Search::Exhaustive => "exhaustive".to_owned(),
            Search::Depth(depth) => format!("to depth {depth}"),
            Search::Walks { seed, .. } => format!("walks from seed {seed}"),
            Search::Counterexample => "breadth first".to_owned(),
        };
        let verdict = match (&self.broken, self.unseen.as_slice()) {
            (Some(_), _) => "BROKEN".to_owned(),
            (None, []) => "holds".to_owned(),
            (None, unseen) => format!("holds; not seen: {}", unseen.join("; ")),
        };
        let Self {
            name,
            states,
            steps,
            depth,
            ..
        } = self;
        let seconds = self.took.as_secs_f64();
        write!(
            f,
            "{name:<44} {how:<20} {states:>11} states {steps:>12} steps, depth {depth:>3}, {seconds:>7.1} s: {verdict}"
        )
    }
}

/// Checks one configuration.
pub fn check<const S: usize, const V: usize>(setting: Setting, search: Search) -> Verdict {
    let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let stopwatch = Stopwatch::start();
    let name = name::<S, V>(&setting);
    let checker = Pbft::<S, V> { setting }
        .checker()
        .finish_when(HasDiscoveries::AnyFailures);
    match search {
        Search::Exhaustive => judged(
            name,
            search,
            stopwatch,
            &checker.threads(cores).spawn_dfs().join(),
        ),
        Search::Depth(depth) => {
            let checker = checker.threads(cores).target_max_depth(depth + 1);
            judged(name, search, stopwatch, &checker.spawn_bfs().join())
        }
        Search::Walks { states, seed } => {
            let checker = checker.target_state_count(states);
            judged(
                name,
                search,
                stopwatch,
                &checker.spawn_simulation(seed, UniformChooser).join(),
            )
        }
        // One thread: only then breadth first finds a shortest path.
        Search::Counterexample => judged(name, search, stopwatch, &checker.spawn_bfs().join()),
    }
}

/// Reads a checker that is done.
fn judged<const S: usize, const V: usize>(
    name: String,
    search: Search,
    stopwatch: Stopwatch,
    checker: &impl Checker<Pbft<S, V>>,
) -> Verdict {
    let took = stopwatch.elapsed();
    let model = checker.model();
    let mut broken = None;
    let mut unseen = Vec::new();
    for property in model.properties() {
        match (property.expectation, checker.discovery(property.name)) {
            (Expectation::Always, Some(path)) => {
                broken = broken.or_else(|| Some(Story::of(model, property.name, path)));
            }
            (Expectation::Sometimes, None) => unseen.push(property.name),
            (Expectation::Always, None)
            | (Expectation::Sometimes, Some(_))
            | (Expectation::Eventually, _) => {}
        }
    }
    Verdict {
        name,
        search,
        states: checker.unique_state_count(),
        steps: checker.state_count(),
        depth: checker.max_depth().saturating_sub(1),
        took,
        broken,
        unseen,
    }
}

/// A configuration in words.
fn name<const S: usize, const V: usize>(setting: &Setting) -> String {
    let Setting { size, liars, .. } = setting;
    let checkpoints = if setting.checkpoints {
        ", checkpoints"
    } else {
        ""
    };
    let without = setting
        .without
        .map_or_else(String::new, |rule| format!(", without {rule:?}"));
    format!("n = {size}, f = {liars}, {S} seq x {V} views{checkpoints}{without}")
}
