//! Swarm testing: each seed takes a random subset of all kinds of faults, so that no kind
//! drowns another one.

use core::time::Duration;

use consensus::{Parameters, WINDOW_MAX};

use crate::adversary::Character;
use crate::dice::Dice;
use crate::node::KEYS_APART;
use crate::scenario::{Blackout, Change, Clock, Fate, Load, Network, Outages, Scenario};

/// How often a seed loses its quorum for ten minutes, in 1000.
const BLACKOUTS: u64 = 4;

/// How often a seed changes its committee, in 1000.
const CHANGING: u64 = 150;

/// The largest committee that a change makes.
const LARGEST: usize = 7;

/// How long such a loss lasts.
const BLACKOUT: Duration = Duration::from_mins(10);

/// What a seed draws besides the members' fates; it can be put under any cast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ambient {
    /// How many members there are.
    size: usize,
    /// T0.
    timeout: Duration,
}

impl Scenario {
    /// The plan that follows from a seed.
    pub fn of(seed: u64, dice: &mut Dice) -> Self {
        let size = dice.pick(&[4, 4, 4, 4, 4, 4, 4, 5, 5, 7, 7, 4, 4, 10, 1, 2, 3]);
        let fates = fates(size, dice);
        let mut scenario = Self::among(seed, fates, dice);
        if dice.chance(CHANGING) && scenario.network.blackout.is_none() {
            scenario.changes = changes(&scenario, dice);
        }
        scenario
    }

    /// The plan that follows from a seed for members whose fates are given.
    pub fn among(seed: u64, fates: Vec<Fate>, dice: &mut Dice) -> Self {
        let timeout = Duration::from_millis(dice.pick(&[150, 300, 600]));
        let ambient = Ambient {
            size: fates.len(),
            timeout,
        };
        let blackout = fates.len() > 1 && dice.chance(BLACKOUTS);
        let network = Network {
            blackout: blackout.then_some(Blackout::Dark),
            ..ambient.network(dice)
        };
        let heal = Duration::from_millis(1_000 + dice.below(2_000));
        Self {
            seed,
            changes: Vec::new(),
            twins: Vec::new(),
            turn: Duration::ZERO,
            parameters: Parameters {
                window: dice.pick(&[3, 8, WINDOW_MAX]),
                depth: 1 + dice.below(4),
                timeout,
                heartbeat: Duration::from_secs(20),
                ..Parameters::LAN
            },
            network,
            outages: ambient.outages(dice),
            clocks: ambient.clocks(dice),
            load: Load::Spread(6 + dice.below(20)),
            processor: None,
            heal: if blackout { heal + BLACKOUT } else { heal },
            encoded: dice.chance(60),
            fates,
        }
    }
}

/// Who is faulty and how; at most f are.
fn fates(size: usize, dice: &mut Dice) -> Vec<Fate> {
    let faulty = match dice.below(3) {
        0 => 0,
        1 => consensus::faults(size).min(1),
        _ => consensus::faults(size),
    };
    let mut fates = vec![Fate::Honest; size];
    for _ in 0..faulty {
        let place = dice.place(size);
        fates[place] = match dice.below(16) {
            0..=2 => Fate::Dead,
            3 => Fate::LosesDisk,
            4 => Fate::DamagesLog,
            5 => Fate::LosesStore,
            6 => Fate::WrongClock,
            _ => Fate::Byzantine(Character::of(dice)),
        };
    }
    fates
}

/// One to three changes of the committee, each of which leaves enough honest members.
fn changes(scenario: &Scenario, dice: &mut Dice) -> Vec<Change> {
    let mut keys: Vec<u16> = (0..scenario.fates.len()).map(|key| key as u16).collect();
    let mut newcomer = keys.len() as u16;
    let mut changes = Vec::<Change>::new();
    for _ in 0..=dice.below(3) {
        let mut wanted = keys.clone();
        let place = dice.place(wanted.len());
        match dice.below(5) {
            0 if wanted.len() > 1 => {
                wanted.remove(place);
            }
            1 => {
                wanted[place] = newcomer;
                newcomer += 1;
            }
            2 if wanted[place] < KEYS_APART => wanted[place] += KEYS_APART,
            _ => {
                for _ in 0..=dice.below(3) {
                    wanted.push(newcomer);
                    newcomer += 1;
                }
            }
        }
        let faulty = wanted
            .iter()
            .filter(|key| is_faulty(scenario, **key))
            .count();
        if faulty <= consensus::faults(wanted.len()) && wanted.len() <= LARGEST {
            let before = changes.last().map_or(Duration::ZERO, |last| last.at);
            let at = dice.between(before, scenario.heal);
            keys.clone_from(&wanted);
            changes.push(Change { at, keys: wanted });
        }
    }
    changes
}

/// Whether the owner of a key is not honest or not there.
fn is_faulty(scenario: &Scenario, key: u16) -> bool {
    let fate = scenario.fates.get(usize::from(key % KEYS_APART));
    fate.is_some_and(|fate| *fate != Fate::Honest)
}

impl Ambient {
    /// What the wire does.
    fn network(self, dice: &mut Dice) -> Network {
        Network {
            loss: dice.pick(&[0, 0, 0, 20, 100, 250]),
            commit_loss: dice.pick(&[0, 0, 300, 800]),
            deaf: match dice.below(6) {
                // The primary of the next view, which then knows nothing of its own.
                0 | 1 if self.size > 1 => Some(1),
                2 => Some(dice.place(self.size)),
                _ => None,
            },
            isolated_at: dice.chance(500).then(|| 1 + dice.below(6)),
            duplication: dice.pick(&[0, 0, 50]),
            nearest: Duration::from_micros(100),
            delay: Duration::from_millis(dice.pick(&[1, 5, 40, 150])),
            partition_every: dice.chance(500).then_some(self.timeout * 2),
            blackout: None,
        }
    }

    /// What happens to machines and disks.
    fn outages(self, dice: &mut Dice) -> Outages {
        Outages {
            crash: dice.pick(&[0, 0, 5, 20, 60]),
            kill_every: dice.chance(250).then_some(self.timeout * 2),
            victim: None,
            pause_every: dice.chance(250).then_some(self.timeout * 2),
            full_disk_every: dice.chance(200).then_some(self.timeout * 3),
            power_cut_at: dice.chance(400).then(|| 1 + dice.below(60)),
        }
    }

    /// How wrong the clocks are: two honest ones are less than two seconds apart.
    fn clocks(self, dice: &mut Dice) -> Vec<Clock> {
        let (skewed, drifting) = (dice.chance(300), dice.chance(300));
        let mut clocks = vec![Clock::default(); self.size];
        for clock in clocks.iter_mut().filter(|_| skewed || drifting) {
            *clock = Clock {
                skew_ms: if skewed { dice.around(950) } else { 0 },
                drift_ppm: if drifting { dice.around(50_000) } else { 0 },
            };
        }
        clocks
    }
}
