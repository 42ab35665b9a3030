//! Which configurations are checked: a few within seconds for every test run, and all of them.

use crate::check::{Search, Verdict, check};
use crate::setting::{Rule, Setting};

/// The seed of all random walks.
const SEED: u64 = 1;

/// One configuration, to be checked when its turn comes.
pub type Check = Box<dyn Fn() -> Verdict>;

/// A configuration with S sequence numbers and V views.
fn one<const S: usize, const V: usize>(setting: Setting, search: Search) -> Check {
    Box::new(move || check::<S, V>(setting.clone(), search))
}

/// States along random walks.
const fn walks(states: usize) -> Search {
    Search::Walks { states, seed: SEED }
}

/// Those of every test run: all of one sequence number in three views with four members, and in two
/// views with five and with checkpoints; the rest a little way.
pub fn quick() -> Vec<Check> {
    vec![
        one::<1, 3>(Setting::of(4), Search::Exhaustive),
        one::<1, 2>(Setting::of(5), Search::Exhaustive),
        one::<1, 2>(Setting::of(4).with_checkpoints(), Search::Exhaustive),
        one::<2, 2>(Setting::of(4), Search::Depth(9)),
        one::<2, 2>(Setting::of(4), walks(100_000)),
    ]
}

/// All of them.
pub fn full() -> Vec<Check> {
    vec![
        one::<1, 2>(Setting::of(4), Search::Exhaustive),
        one::<1, 3>(Setting::of(4), Search::Exhaustive),
        one::<1, 3>(Setting::of(5), Search::Exhaustive),
        one::<1, 2>(Setting::of(7), Search::Exhaustive),
        one::<1, 3>(Setting::of(4).with_checkpoints(), Search::Exhaustive),
        one::<1, 4>(Setting::of(4), Search::Exhaustive),
        one::<2, 2>(Setting::of(4), Search::Depth(14)),
        one::<2, 2>(Setting::of(4), walks(2_000_000)),
        one::<2, 2>(Setting::of(5), walks(1_000_000)),
        one::<2, 2>(Setting::of(4).with_checkpoints(), walks(2_000_000)),
        one::<2, 3>(Setting::of(4).with_checkpoints(), walks(2_000_000)),
        one::<1, 3>(Setting::of(7), walks(1_000_000)),
    ]
}

/// What a rule's absence leads to.
pub fn without(rule: Rule) -> Verdict {
    check::<1, 3>(Setting::of(4).without(rule), Search::Counterexample)
}
