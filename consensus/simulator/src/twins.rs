//! Twins (Bano et al., *Twins: BFT Systems Made Robust*, OPODIS 2021): a member that runs twice
//! under one key is every Byzantine member that does nothing but forget, repeat and contradict
//! itself. A script says for each of a few views who leads and who reaches whom.
//!
//! Here the primary of a view is fixed, so a script's view is the next view of ours whose primary
//! is the leader that it wants. In the views between, no NEW-VIEW gets through.

mod generator;
mod json;
mod stage;

use core::time::Duration;

use crate::adversary::Character;
use crate::cluster::{Cluster, Outcome};
use crate::dice::Dice;
use crate::sabotage::Sabotage;
use crate::scenario::{Fate, Load, Scenario};
use crate::scheme::KeyedHash;

pub use generator::Generator;
pub use json::{BadScript, read, write};
pub use stage::Stage;

/// How long a tick is.
const TICK: Duration = Duration::from_millis(10);

/// How long a view of a script may take to come up, for each view of ours on the way.
const PATIENCE: Duration = Duration::from_millis(1_600);

/// One view of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Round {
    /// The member that leads.
    pub leader: usize,
    /// Which nodes reach each other; a node in none reaches nobody. Members come first, then
    /// the twins of the first ones.
    pub partitions: Vec<Vec<usize>>,
}

/// What happens on the stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// How many members there are.
    pub members: usize,
    /// How many of them, the first ones, run twice.
    pub twins: usize,
    /// How many ticks each view lasts.
    pub ticks: u64,
    /// The views.
    pub rounds: Vec<Round>,
}

impl Script {
    /// Runs the script, then lets everybody reach everybody: what was safe must also go on.
    pub fn run(&self, seed: u64, sabotage: Sabotage, traced: bool) -> Outcome {
        let scenario = self.scenario(seed);
        let stage = Stage::new(self);
        let dice = Dice::new(seed);
        let cluster = Cluster::<KeyedHash>::new(scenario, sabotage, dice, traced);
        cluster.with_stage(stage).run()
    }

    /// The plan of the run.
    fn scenario(&self, seed: u64) -> Scenario {
        let mut scenario = Scenario::calm(seed, self.members);
        for fate in scenario.fates.iter_mut().take(self.twins) {
            *fate = Fate::Byzantine(Character::Twin);
        }
        scenario.twins = (0..self.twins).collect();
        scenario.parameters.timeout = Duration::from_millis(150);
        scenario.load = Load::Spread(self.rounds.len() as u64 * 3);
        let ours = self.views().last().copied().unwrap_or(0) as u32 + 2;
        scenario.heal = self.length() * self.rounds.len() as u32 + PATIENCE * ours;
        scenario.encoded = false;
        scenario
    }

    /// How long each view lasts.
    fn length(&self) -> Duration {
        TICK * u32::try_from(self.ticks).unwrap_or(u32::MAX)
    }

    /// The view of ours that each of the script's is.
    fn views(&self) -> Vec<u64> {
        let size = self.members as u64;
        let mut next = 0;
        let views = self.rounds.iter().map(|round| {
            let ahead = (round.leader as u64 + size - next % size) % size;
            let view = next + ahead;
            next = view + 1;
            view
        });
        views.collect()
    }
}
