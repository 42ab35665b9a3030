//! What a seed stands for: how many members, which of them are faulty, and what the world does.

mod swarm;

use core::time::Duration;

use consensus::Parameters;

use crate::adversary::Character;

/// What happens to one member besides crashes that it comes back from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Nothing: it is honest and comes back from every crash.
    Honest,
    /// It is faulty in this way.
    Byzantine(Character),
    /// It crashes during the power cut or at random, and never comes back.
    Dead,
    /// Its disk is lost at its first crash: it comes back without vote log and store.
    LosesDisk,
    /// A record of its vote log before the last is found damaged after its first crash.
    DamagesLog,
    /// It finds its store empty after each crash, and its vote log whole.
    LosesStore,
    /// Its clock is an hour off until everything heals.
    WrongClock,
}

/// What the wire does.
#[derive(Clone, Debug, Default)]
pub struct Network {
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
    /// The shortest delay of a frame.
    pub nearest: Duration,
    /// The longest delay of a frame.
    pub delay: Duration,
    /// Partitions begin this often, about.
    pub partition_every: Option<Duration>,
    /// From the second second on until everything heals a quorum is lost.
    pub blackout: Option<Blackout>,
}

/// How a quorum is lost for long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blackout {
    /// Nobody reaches a quorum.
    Dark,
    /// The network breaks in one way after the other: in halves, in a ring, around the primary or
    /// in some directions only, each for some seconds. At times some reach a quorum.
    Restless,
}

/// What happens to machines and disks.
#[derive(Clone, Debug, Default)]
pub struct Outages {
    /// Crashes while records are written, in 1000 flushes.
    pub crash: u64,
    /// A node is killed this often, about.
    pub kill_every: Option<Duration>,
    /// The node that is killed, when it is always the same.
    pub victim: Option<usize>,
    /// A node is paused this often, about, with its connections open.
    pub pause_every: Option<Duration>,
    /// A node's disk is full for a while this often, about.
    pub full_disk_every: Option<Duration>,
    /// All nodes lose power when this many COMMITs have been sent.
    pub power_cut_at: Option<u64>,
}

/// How wrong one node's clocks are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Clock {
    /// How far ahead its time of day is.
    pub skew_ms: i64,
    /// How much faster its timers run, in millionths.
    pub drift_ppm: i64,
}

/// What clients do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Load {
    /// So many transactions, spread over the time until everything heals.
    Spread(u64),
    /// So many clients, each with one transaction under way until everything heals.
    Clients(u64),
    /// One transaction each time this long has passed, until everything heals.
    Every(Duration),
}

/// What signatures cost; a node has one processor for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Processor {
    /// Checking one.
    pub verify: Duration,
    /// Finding one among those that were checked before.
    pub recall: Duration,
    /// Making one.
    pub sign: Duration,
}

impl Processor {
    /// What Ed25519 costs on the machine that the speed targets are stated for.
    pub const ED25519: Self = Self {
        verify: Duration::from_micros(32),
        recall: Duration::from_micros(1),
        sign: Duration::from_micros(15),
    };
}

/// A change of the committee that clients ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// When it is asked for.
    pub at: Duration,
    /// The keys of the members that are wanted, in order; a person's second key is
    /// 100 above the first.
    pub keys: Vec<u16>,
}

/// The whole plan of a run.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The seed.
    pub seed: u64,
    /// Each member's fate; at most f are not honest.
    pub fates: Vec<Fate>,
    /// Changes of the committee; whoever is named in one has a node from the start.
    pub changes: Vec<Change>,
    /// Members that run twice under one key and on two disks; their fate is Byzantine.
    pub twins: Vec<usize>,
    /// When Byzantine members begin to be so.
    pub turn: Duration,
    /// The replicas' parameters.
    pub parameters: Parameters,
    /// What the wire does.
    pub network: Network,
    /// What happens to machines and disks.
    pub outages: Outages,
    /// Each node's clocks; those of nodes beyond the list are right.
    pub clocks: Vec<Clock>,
    /// What clients do.
    pub load: Load,
    /// What signatures cost, if time is charged for them.
    pub processor: Option<Processor>,
    /// When everything heals.
    pub heal: Duration,
    /// Whether frames and records go through their encoding, and signatures are remembered.
    pub encoded: bool,
}

impl Scenario {
    /// A quiet network of honest members.
    pub fn calm(seed: u64, size: usize) -> Self {
        Self {
            seed,
            fates: vec![Fate::Honest; size],
            changes: Vec::new(),
            twins: Vec::new(),
            turn: Duration::ZERO,
            parameters: Parameters::LAN,
            network: Network {
                nearest: Duration::from_micros(100),
                delay: Duration::from_millis(2),
                ..Network::default()
            },
            outages: Outages::default(),
            clocks: Vec::new(),
            load: Load::Spread(20),
            processor: None,
            heal: Duration::from_secs(1),
            encoded: true,
        }
    }

    /// One member of four misbehaves after ten quiet seconds, for a minute in which eight
    /// clients have a transaction under way each; frames take 5 ms.
    pub fn minute(seed: u64, character: Option<Character>) -> Self {
        let mut fates = vec![Fate::Honest; 4];
        if let Some(character) = character {
            fates[0] = Fate::Byzantine(character);
        }
        Self {
            fates,
            turn: Duration::from_secs(10),
            network: Network {
                nearest: Duration::from_millis(4),
                delay: Duration::from_millis(6),
                ..Network::default()
            },
            load: Load::Clients(8),
            heal: Duration::from_secs(70),
            encoded: false,
            ..Self::calm(seed, 4)
        }
    }

    /// One member of four misbehaves from the start, and soon a quorum is lost for so long.
    pub fn cut_off(seed: u64, character: Character, blackout: Blackout, loss: Duration) -> Self {
        let mut scenario = Self::calm(seed, 4);
        // Each member is the liar in its turn, and so the primary of each view.
        scenario.fates[(seed % 4) as usize] = Fate::Byzantine(character);
        scenario.network.blackout = Some(blackout);
        scenario.load = Load::Every(Duration::from_millis(250));
        scenario.heal = Duration::from_secs(1) + loss;
        scenario.encoded = false;
        scenario
    }

    /// Members at 50 ms from each other and back, that need their time for each signature.
    pub fn far_apart(seed: u64, size: usize) -> Self {
        Self {
            parameters: Parameters {
                depth: 8,
                timeout: Duration::from_secs(2),
                ..Parameters::LAN
            },
            network: Network {
                nearest: Duration::from_millis(25),
                delay: Duration::from_millis(25),
                ..Network::default()
            },
            load: Load::Every(Duration::from_millis(10)),
            processor: Some(Processor::ED25519),
            heal: Duration::from_secs(10),
            encoded: false,
            ..Self::calm(seed, size)
        }
    }

    /// Whether every member is there and honest in the end.
    pub fn all_survive(&self) -> bool {
        self.fates
            .iter()
            .all(|fate| !matches!(fate, Fate::Byzantine(_) | Fate::Dead))
    }
}
