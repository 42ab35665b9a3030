//! Scripts: every way to divide the nodes, with every leader, in every view.

use crate::dice::Dice;
use crate::twins::{Round, Script};

/// How many ticks a generated view lasts.
const TICKS: u64 = 60;

/// Makes scripts for a number of members, twins, partitions and views.
#[derive(Clone, Debug)]
pub struct Generator {
    /// How many members there are.
    members: usize,
    /// How many of them run twice.
    twins: usize,
    /// How many views a script has.
    views: usize,
    /// Everything that one view may be.
    rounds: Vec<Round>,
}

impl Generator {
    /// All divisions into at most so many sides of which one has a quorum of members, each
    /// with each leader.
    pub fn new(members: usize, twins: usize, partitions: usize, views: usize) -> Self {
        let mut divisions = Vec::new();
        divide(
            &mut Vec::new(),
            0,
            members + twins,
            partitions,
            &mut divisions,
        );
        let divisions = divisions
            .into_iter()
            .map(|sides| sides_of(&sides))
            .filter(|sides| has_quorum(sides, members));
        let with_leaders = divisions.flat_map(|partitions| {
            (0..members).map(move |leader| Round {
                leader,
                partitions: partitions.clone(),
            })
        });
        Self {
            members,
            twins,
            views,
            rounds: with_leaders.collect(),
        }
    }

    /// How many scripts there are; the highest number when there are more than it counts.
    pub const fn count(&self) -> u64 {
        (self.rounds.len() as u64).saturating_pow(self.views as u32)
    }

    /// The script with this number.
    pub fn script(&self, number: u64) -> Script {
        let base = self.rounds.len() as u64;
        let mut rest = number;
        let rounds = (0..self.views).map(|_| {
            let place = rest % base;
            rest /= base;
            self.rounds[place as usize].clone()
        });
        self.of(rounds.collect())
    }

    /// A script by chance.
    pub fn any(&self, dice: &mut Dice) -> Script {
        let rounds = (0..self.views).map(|_| self.rounds[dice.place(self.rounds.len())].clone());
        self.of(rounds.collect())
    }

    /// A script of these views.
    const fn of(&self, rounds: Vec<Round>) -> Script {
        Script {
            members: self.members,
            twins: self.twins,
            ticks: TICKS,
            rounds,
        }
    }
}

/// All ways to divide nodes: a side's number for each node, each new side with the next number.
fn divide(
    so_far: &mut Vec<usize>,
    sides: usize,
    nodes: usize,
    most: usize,
    all: &mut Vec<Vec<usize>>,
) {
    if so_far.len() == nodes {
        all.push(so_far.clone());
        return;
    }
    for side in 0..=sides.min(most - 1) {
        so_far.push(side);
        divide(so_far, sides.max(side + 1), nodes, most, all);
        so_far.pop();
    }
}

/// The nodes on each side.
fn sides_of(numbers: &[usize]) -> Vec<Vec<usize>> {
    let most = numbers.iter().max().map_or(0, |most| most + 1);
    let side = |side: usize| {
        let all = numbers.iter().enumerate();
        all.filter(move |(_, one)| **one == side)
            .map(|(node, _)| node)
            .collect()
    };
    (0..most).map(side).collect()
}

/// Whether a side has nodes of a quorum of members; twins count once.
fn has_quorum(sides: &[Vec<usize>], members: usize) -> bool {
    let present = |side: &Vec<usize>| {
        let here = |member: &usize| side.contains(member) || side.contains(&(members + member));
        (0..members).filter(here).count()
    };
    let most = sides.iter().map(present).max().unwrap_or(0);
    most >= consensus::quorum(members)
}
