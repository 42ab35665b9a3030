//! A deterministic simulator for the consensus crate: a whole cluster from one seed.
//!
//! A seed stands for a number of members, faults, a network and a workload. The run is a
//! function of the seed alone: network, disks, clock and executors are simulated, frames may
//! be lost, delayed, reordered and duplicated, nodes may crash at every persist or all at
//! once, and up to f members are Byzantine. Then everything heals. [`Checkers`] say what must
//! hold; [`Sabotage`] takes rules out from outside, to see that the checkers notice.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    reason = "a simulator stops at its own mistakes; nothing comes in from outside"
)]
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a filter passes on everything that it does not change"
)]
#![expect(
    clippy::fn_params_excessive_bools,
    reason = "whether a run is traced, and whether a member is an observer"
)]

mod adversary;
mod checkers;
mod checks;
mod clock;
mod cluster;
mod dice;
mod disk;
mod history;
mod ledger;
mod node;
mod sabotage;
mod scenario;
mod scheme;
mod trace;
pub mod twins;
mod words;

pub use adversary::mutation::{Phase, Step};
pub use adversary::{Character, Liar, Memory, Mutation, Sent};
pub use checkers::{Checkers, Violation};
pub use checks::Checks;
pub use clock::Stopwatch;
pub use cluster::{Cluster, Outcome};
pub use dice::Dice;
pub use disk::Disk;
pub use history::{Cast, Deed, History};
pub use ledger::{Block, Ending, Plan, Store, Term, batch, transactions};
pub use node::Node;
pub use sabotage::Sabotage;
pub use scenario::{Blackout, Change, Clock, Fate, Load, Network, Outages, Processor, Scenario};
pub use scheme::{KeyedHash, SimulatedScheme};
pub use words::Names;

use consensus::Ed25519;

/// Every so many seeds, signatures are real.
const REAL_SIGNATURES_EVERY: u64 = 100;

/// Runs a seed.
pub fn run(seed: u64, sabotage: Sabotage) -> Outcome {
    run_scenario(seed, sabotage, false, Scenario::of)
}

/// Runs a seed and keeps what happened.
pub fn run_traced(seed: u64, sabotage: Sabotage) -> Outcome {
    run_scenario(seed, sabotage, true, Scenario::of)
}

/// Runs a scenario of one's own.
pub fn run_scenario(
    seed: u64,
    sabotage: Sabotage,
    traced: bool,
    scenario: impl FnOnce(u64, &mut Dice) -> Scenario,
) -> Outcome {
    let mut dice = Dice::new(seed);
    let scenario = scenario(seed, &mut dice);
    if seed.is_multiple_of(REAL_SIGNATURES_EVERY) {
        Cluster::<Ed25519>::new(scenario, sabotage, dice, traced).run()
    } else {
        Cluster::<KeyedHash>::new(scenario, sabotage, dice, traced).run()
    }
}

/// Runs a seed and keeps what its honest members wrote and said.
pub fn run_witnessed(seed: u64, sabotage: Sabotage) -> (Outcome, History) {
    let mut dice = Dice::new(seed);
    let scenario = Scenario::of(seed, &mut dice);
    if seed.is_multiple_of(REAL_SIGNATURES_EVERY) {
        Cluster::<Ed25519>::new(scenario, sabotage, dice, false).run_witnessed()
    } else {
        Cluster::<KeyedHash>::new(scenario, sabotage, dice, false).run_witnessed()
    }
}
