//! What a seed stands for: how many members, how bad the network, which faults, when.

use core::time::Duration;

use consensus::{Parameters, WINDOW_MAX};

use crate::adversary::Character;
use crate::dice::Dice;

/// What happens to one member besides crashes that it comes back from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Nothing: it is honest and comes back from every crash.
    Honest,
    /// It is faulty in this way from the start.
    Byzantine(Character),
    /// It crashes during the power cut or at random, and never comes back.
    Dead,
    /// Its disk is lost once: it comes back without its vote log.
    LosesDisk,
}

/// The whole plan of a run.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The seed.
    pub seed: u64,
    /// Each member's fate; at most f are not honest.
    pub fates: Vec<Fate>,
    /// The replicas' parameters.
    pub parameters: Parameters,
    /// Frames lost, in 1000.
    pub loss: u64,
    /// COMMITs lost on top of that, in 1000.
    pub commit_loss: u64,
    /// A member that hears no proposals and no PREPAREs until everything heals.
    pub deaf: Option<usize>,
    /// Whoever hands over this many batches for execution is cut off at once: often a member
    /// that alone knows that a batch is ordered.
    pub isolated_at: Option<u64>,
    /// Frames sent twice, in 1000.
    pub duplication: u64,
    /// The longest delay of a frame.
    pub delay: Duration,
    /// Crashes at a persist, in 1000.
    pub crash: u64,
    /// Partitions begin this often, about.
    pub partition_every: Option<Duration>,
    /// All nodes lose power when this many COMMITs have been sent.
    pub power_cut_at: Option<u64>,
    /// How many transactions come before everything heals.
    pub transactions: u64,
    /// When everything heals.
    pub heal: Duration,
    /// Whether frames and records go through their encoding.
    pub encoded: bool,
}

impl Scenario {
    /// The plan that follows from a seed.
    pub fn of(seed: u64, dice: &mut Dice) -> Self {
        let size = dice.pick(&[4_usize, 4, 4, 5, 7]);
        let faulty = match dice.below(3) {
            0 => 0,
            1 => 1,
            _ => consensus::faults(size),
        };
        let mut fates = vec![Fate::Honest; size];
        for _ in 0..faulty {
            let place = dice.place(size);
            fates[place] = match dice.below(8) {
                0 | 1 => Fate::Dead,
                2 => Fate::LosesDisk,
                _ => Fate::Byzantine(Character::of(dice)),
            };
        }
        let timeout = dice.pick(&[150, 300, 600]);
        Self {
            seed,
            fates,
            parameters: Parameters {
                window: dice.pick(&[3, 8, WINDOW_MAX]),
                depth: 1 + dice.below(4),
                timeout: Duration::from_millis(timeout),
                heartbeat: Duration::from_secs(20),
                ..Parameters::LAN
            },
            loss: dice.pick(&[0, 0, 20, 100, 250]),
            commit_loss: dice.pick(&[0, 0, 300, 800]),
            deaf: match dice.below(6) {
                // The primary of the next view, which then knows nothing of its own.
                0 | 1 => Some(1),
                2 => Some(dice.place(size)),
                _ => None,
            },
            isolated_at: dice.chance(500).then(|| 1 + dice.below(6)),
            duplication: dice.pick(&[0, 50]),
            delay: Duration::from_millis(dice.pick(&[1, 5, 40, 150])),
            crash: dice.pick(&[0, 5, 20, 60]),
            partition_every: dice.chance(500).then(|| Duration::from_millis(timeout * 2)),
            power_cut_at: dice.chance(400).then(|| 1 + dice.below(60)),
            transactions: 6 + dice.below(20),
            heal: Duration::from_millis(1_000 + dice.below(2_000)),
            encoded: dice.chance(60),
        }
    }

    /// A quiet network of honest members.
    pub fn calm(seed: u64, size: usize) -> Self {
        Self {
            seed,
            fates: vec![Fate::Honest; size],
            parameters: Parameters::LAN,
            loss: 0,
            commit_loss: 0,
            deaf: None,
            isolated_at: None,
            duplication: 0,
            delay: Duration::from_millis(2),
            crash: 0,
            partition_every: None,
            power_cut_at: None,
            transactions: 20,
            heal: Duration::from_secs(1),
            encoded: true,
        }
    }
}
