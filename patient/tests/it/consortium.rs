//! Four members in this process: one ledger in memory, their HTTP interfaces over TLS, and what can go wrong with them.
//!
//! What members compute is the real code of `protocol` and `contract`. What is missing of a node is agreement: the ledger
//! here has one executor, who signs for a quorum.

mod centre;
mod chain;
mod evaluators;
mod histories;
mod serve;
mod server;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};

use chacha20::ChaCha20Rng;
use contract::genesis::{Content, Kind, Member, Role};
use contract::identity::{BlockTime, PublicKey, SuiteId};
use contract::record::ServerRecord;
use ed25519_dalek::SigningKey;
use protocol::aidc1::EpochSecret;
use rand_core::SeedableRng as _;

pub(crate) use self::centre::Centre;
pub(crate) use self::chain::{Block, Chain};
pub(crate) use self::evaluators::Evaluator;
pub(crate) use self::server::Desk;

/// The members, the RC first.
pub(crate) const NAMES: [&str; 4] = ["rc", "clinic-a", "clinic-b", "clinic-c"];
const DAY_MS: u64 = 24 * 3_600_000;

/// What goes wrong.
#[derive(Clone, Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a trouble of its own"
)]
pub(crate) struct Trouble {
    /// Members that take connections and drop them.
    pub(crate) down: BTreeSet<usize>,
    /// Evaluators whose answers are false.
    pub(crate) lying: BTreeSet<usize>,
    /// Servers that take a Me9 and never answer.
    pub(crate) mute: BTreeSet<usize>,
    /// Servers that accept and hand nothing in.
    pub(crate) keeps_results: bool,
    /// The next request to this path is dropped, before or after it was worked.
    pub(crate) drop_once: Option<(&'static str, When)>,
    /// How many patients a set takes.
    pub(crate) set_of: u16,
    /// The RC commits to another identity than the applicant's.
    pub(crate) false_identity: bool,
    /// Members leave claims, or events, out of histories.
    pub(crate) hides_claims: bool,
    pub(crate) hides_events: bool,
    /// How far the servers' clocks are ahead.
    pub(crate) ahead_ms: u64,
}

/// When a request is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    Before,
    After,
}

/// Everything behind the four interfaces.
pub(crate) struct World {
    pub(crate) chain: Chain,
    pub(crate) centre: Centre,
    pub(crate) evaluators: Vec<Evaluator>,
    pub(crate) desks: Vec<Desk>,
    pub(crate) trouble: Trouble,
    /// Which member heard which request.
    pub(crate) heard: Vec<(usize, String)>,
    pub(crate) rng: ChaCha20Rng,
}

/// The four members, and a folder with the genesis file.
pub(crate) struct Consortium {
    world: Arc<Mutex<World>>,
    pub(crate) folder: tempfile::TempDir,
}

impl Consortium {
    pub(crate) fn start() -> Self {
        let listeners: Vec<_> = NAMES.iter().map(|_| serve::listener()).collect();
        let secrets: Vec<_> = (0..4).map(secret).collect();
        let mut content = content(&listeners);
        let now = patient::clock::wall_ms();
        content.servers = (0..4)
            .map(|at| record(&content, at, &secrets[at], now))
            .collect();
        let file = content.to_json();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("genesis.json"), &file).unwrap();

        let keys: Vec<_> = (0..4).map(key).collect();
        let chain = Chain::found(&file, keys);
        let desks = (0..4)
            .map(|at| Desk::new(&chain, at, &secrets[at]))
            .collect();
        let world = World {
            centre: Centre::default(),
            evaluators: secrets.iter().map(Evaluator::new).collect(),
            desks,
            chain,
            trouble: Trouble {
                set_of: 1,
                ..Trouble::default()
            },
            heard: Vec::new(),
            rng: ChaCha20Rng::seed_from_u64(7),
        };
        let world = Arc::new(Mutex::new(world));
        for (at, listener) in listeners.into_iter().enumerate() {
            serve::run(at, listener, Arc::clone(&world));
        }
        Self { world, folder }
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// The key of a member.
pub(crate) fn key(at: usize) -> SigningKey {
    SigningKey::from_bytes(&[u8::try_from(at).unwrap() + 1; 32])
}

fn secret(at: usize) -> EpochSecret {
    let seed = u8::try_from(at).unwrap() + 60;
    EpochSecret::new(protocol::Secret::new([seed; 80]))
}

fn content(listeners: &[serve::Listener]) -> Content {
    let members = (0..4).map(|at| Member {
        name: NAMES[at].to_owned(),
        role: if at == 0 { Role::Rc } else { Role::Server },
        key: PublicKey::new(key(at).verifying_key().to_bytes()),
        network_key: PublicKey::new(key(at + 100).verifying_key().to_bytes()),
        tls_spki: listeners[at].pin,
        p2p: format!("/ip4/127.0.0.1/tcp/{}", 7100 + at),
        api: format!("https://127.0.0.1:{}", listeners[at].port),
    });
    let founded = BlockTime::new(patient::clock::wall_ms() - DAY_MS);
    Content::new(Kind::Secure, "here", founded, members.collect())
}

fn record(content: &Content, at: usize, secret: &EpochSecret, now: u64) -> ServerRecord {
    ServerRecord {
        server_id: content.members[at].server_id(),
        node_key: content.members[at].key,
        dh_epoch_key: secret.public(),
        key_epoch: 1,
        not_before: BlockTime::new(now - DAY_MS),
        not_after: BlockTime::new(now + DAY_MS),
        suites: vec![SuiteId::AIDC_1],
    }
}
