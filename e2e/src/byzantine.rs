//! A member that does not keep to the protocol: a whole node on the real network, whose frames pass through a voice
//! that lies in its name. It has its own keys and nobody else's.
//!
//! `e2e byzantine CHARACTER --home DIR` is started by the Jepsen runs.

mod two_faced;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bench::consortium::member_seed;
use consensus::{ChainId, Committee, Ed25519, Epoch, PublicKey, ReplicaId};
use contract::Genesis;
use node::config::{Config, Overrides};
use node::network::frame::{Frame, Kind};
use node::network::{MemberIndex, Voice};
use node::node::Variant;
use simulator::{Character, Memory, Sent};

use crate::claims::Broken;

/// Tells two stories that this ledger accepts; the simulator's characters know the simulator's batches only.
pub(crate) const TWO_FACED: &str = "two-faced";

/// The simulator's characters that show in what a member sends.
const CHARACTERS: [(&str, Character); 12] = [
    ("silent", Character::Silent),
    ("equivocator", Character::Equivocator),
    ("double-voter", Character::DoubleVoter),
    ("impersonator", Character::Impersonator),
    ("replayer", Character::Replayer),
    ("forgetful", Character::Forgetful),
    ("slow-primary", Character::SlowPrimary),
    ("frozen-primary", Character::FrozenPrimary),
    ("invalid-proposer", Character::InvalidProposer),
    ("flooder", Character::Flooder),
    ("liar", Character::Liar),
    ("view-spammer", Character::ViewSpammer),
];

/// All characters by name.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    std::iter::once(TWO_FACED).chain(CHARACTERS.iter().map(|(name, _)| *name))
}

/// How a liar lies, and what it remembers for it.
enum Manner {
    /// Two valid stories.
    TwoFaced(two_faced::Stories),
    /// As one of the simulator's adversaries.
    Simulated(Character, Memory),
}

/// What a liar knows.
struct Liar {
    me: ReplicaId,
    key: Ed25519,
    committee: Committee,
    timeout: Duration,
    manner: Mutex<Manner>,
}

impl Liar {
    /// What goes to a member instead of a frame, and after how long.
    fn lie(&self, to: ReplicaId, meant: &consensus::Frame) -> Vec<Sent> {
        // A lie that panicked halfway is told again from where it was.
        let mut manner = self.manner.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *manner {
            Manner::TwoFaced(stories) => {
                let said = stories.tell(self, to, meant);
                said.into_iter().map(Sent::from).collect()
            }
            Manner::Simulated(character, memory) => {
                character.hears(memory, meant);
                let knows = simulator::Liar {
                    me: self.me,
                    key: &self.key,
                    committee: &self.committee,
                    timeout: self.timeout,
                };
                character.sends(&knows, memory, to, meant)
            }
        }
    }
}

impl Voice for Liar {
    fn says(&self, to: MemberIndex, frame: Frame) -> Vec<Frame> {
        if frame.kind != Kind::Consensus {
            return vec![frame];
        }
        let Ok(meant) = consensus::Frame::decode(&frame.payload) else {
            return vec![frame];
        };
        let said = self.lie(ReplicaId::new(to), &meant);
        let late = said.iter().map(|sent| sent.after).max().unwrap_or_default();
        // Whoever holds one frame back here holds everything back: the slow are slow in all they do.
        std::thread::sleep(late);
        said.iter()
            .map(|sent| Frame::new(Kind::Consensus, sent.frame.encode()))
            .collect()
    }
}

/// Runs a member with this character until it is killed.
pub(crate) fn run(arguments: &[String]) -> Result<(), Broken> {
    let [character, flag, home] = arguments else {
        return Err("usage: e2e byzantine CHARACTER --home DIR".into());
    };
    let manner = manner(character).filter(|_| flag == "--home");
    let manner = manner.ok_or_else(|| {
        let names: Vec<&str> = names().collect();
        format!("the characters are {}", names.join(", "))
    })?;
    let home = PathBuf::from(home);
    let config = Config::load(&home, &Overrides::default()).map_err(|error| error.to_string())?;
    let liar = liar(&home, &config.name, manner)?;
    let variant = Variant {
        voice: Some(Arc::new(liar)),
        ..Variant::default()
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let ended = node::node::run_variant(config, variant, std::future::pending());
    runtime
        .block_on(ended)
        .map_err(|error| error.to_string().into())
}

/// A manner by its name.
fn manner(name: &str) -> Option<Manner> {
    if name == TWO_FACED {
        return Some(Manner::TwoFaced(two_faced::Stories::default()));
    }
    let (_, character) = CHARACTERS.iter().find(|(known, _)| *known == name)?;
    Some(Manner::Simulated(*character, Memory::default()))
}

/// The liar of a home.
fn liar(home: &Path, name: &str, manner: Manner) -> Result<Liar, Broken> {
    let genesis = Genesis::parse(&std::fs::read(home.join("genesis.json"))?)
        .map_err(|error| error.to_string())?;
    let place = genesis
        .members()
        .iter()
        .position(|member| member.name == name);
    let place = place.ok_or_else(|| format!("{name} is no member"))?;
    let keys = genesis.committee();
    let keys = keys.iter().map(|key| PublicKey::new(*key.as_bytes()));
    let chain = ChainId::new(*genesis.chain().as_bytes());
    let committee = Committee::new(chain, Epoch::ZERO, keys.collect());
    Ok(Liar {
        me: ReplicaId::new(u16::try_from(place).unwrap_or(u16::MAX)),
        key: Ed25519::from_seed(&member_seed(home)?),
        committee: committee.map_err(|error| error.to_string())?,
        timeout: Duration::from_millis(genesis.parameters().request_timeout_ms),
        manner: Mutex::new(manner),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_stands_for_a_character_and_no_other_does() {
        assert!(names().all(|name| manner(name).is_some()));
        assert!(manner("honest").is_none());
    }
}
