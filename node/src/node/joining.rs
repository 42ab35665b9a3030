//! Taking a snapshot before the node's parts start, when the start before this one asked for it.

use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use contract::{Genesis, Height};
use tokio::sync::watch;
use tracing::{info, warn};
use zeroize::Zeroizing;

use super::{Lock, NodeError, foundation::Foundation};
use crate::{
    clock::Clock,
    config::Config,
    executor::ExecutorError,
    keys::rotation,
    limits,
    metrics::Metrics,
    network::{self, Inbox, MemberIndex, Network, Refusal, frame::Kind},
    snapshot::{
        decide,
        fetch::{self, NotTaken},
        install,
        proof::Proved,
        staging::{Staged, Staging},
    },
    store::StoreError,
};

/// How long members are waited for.
const CONNECTING: Duration = Duration::from_secs(15);

/// How long more members than the first are waited for.
const GATHERING: Duration = Duration::from_secs(1);

/// How long between two looks at what is waited for.
const POLL: Duration = Duration::from_millis(20);

/// How often a snapshot that went away under the taking is replaced by a newer one.
const TRIES: usize = 5;

/// A node that takes a snapshot listens to nobody and has nothing to give.
#[derive(Clone)]
struct Mute;

impl Inbox for Mute {
    async fn frame(&self, _: MemberIndex, _: Kind, _: Vec<u8>) -> Result<(), Refusal> {
        Ok(())
    }

    async fn reconnected(&self, _: MemberIndex) {}

    fn lost(&self, _: MemberIndex) {}

    fn skew(&self, _: MemberIndex, _: i64) {}

    fn answer(&self, _: MemberIndex, _: &[u8]) -> Vec<u8> {
        Vec::new()
    }
}

/// Takes a snapshot of the other members, if the home asks for one. Without one the node starts
/// with what it has.
pub(super) async fn join(config: &Config) -> Result<(), NodeError> {
    let lock = Lock::take(&config.home)?;
    rotation::finish(&config.home)?;
    install::settle(&config.home).map_err(failed)?;
    let Some(above) = decide::wished(&config.home) else {
        return Ok(());
    };
    let base = Foundation::read(config)?;
    let (stop, stopped) = watch::channel(false);
    let (peers, me) = base.peers()?;
    let settings = network::Settings {
        members: peers,
        me,
        seed: Zeroizing::new(*base.keys.network_seed()),
        listen: config.p2p_listen,
        chain_prefix: base.chain_prefix(),
        clock: Clock::start(),
        metrics: Metrics::new(1),
        voice: None,
    };
    let others = settings.members.len().saturating_sub(1);
    let network = Network::start(settings, Mute, stopped)?;
    gather(&network, others).await;
    let taken = take(&network, config, &base.genesis, above).await;
    stop.send_replace(true);
    drop(network);
    free(config).await;
    drop(lock);
    taken
}

/// Takes the snapshot and makes the ledger of it.
async fn take(
    members: &Network,
    config: &Config,
    genesis: &Arc<Genesis>,
    above: Height,
) -> Result<(), NodeError> {
    let staging = Staging::open(&config.home).map_err(failed)?;
    for _ in 0..TRIES {
        match fetch::take(members, &staging, genesis, above).await {
            Ok(proved) => {
                let home = config.home.clone();
                let made = tokio::task::spawn_blocking(move || make(&home, &staging, &proved));
                return made
                    .await
                    .map_err(|broken| NodeError::Thread(broken.into()))?;
            }
            Err(NotTaken::Gone) => info!(
                event = "snapshot",
                "the others have moved on to a newer snapshot"
            ),
            Err(NotTaken::Store(error)) => return Err(failed(error)),
            Err(why) => {
                warn!(event = "no_snapshot", %why, "this node starts with what it has");
                break;
            }
        }
    }
    decide::unwish(&config.home).map_err(failed)
}

/// Makes the ledger of a snapshot that was taken whole.
fn make(home: &Path, staging: &Staging, proved: &Proved) -> Result<(), NodeError> {
    let mut parts = Staged::new(staging, proved).map_err(failed)?;
    let planted = install::plant(proved, &mut parts, &home.join(install::DRAFT));
    match planted {
        Ok(height) => {
            install::replace(home).map_err(failed)?;
            info!(
                event = "joined",
                height = height.get(),
                "the ledger begins at a snapshot of the others, whose every hash was checked"
            );
        }
        Err(install::NotPlanted::Store(error)) => return Err(failed(error)),
        // The disk gave back something else than was written to it.
        Err(why) => warn!(event = "no_snapshot", %why, "this node starts with what it has"),
    }
    staging.clear().map_err(failed)?;
    decide::unwish(home).map_err(failed)
}

/// Waits until members are connected: all of them, or those that came soon after the first.
async fn gather(members: &Network, others: usize) {
    let first = async {
        while members.reachable().is_empty() {
            tokio::time::sleep(POLL).await;
        }
    };
    let all = async {
        while members.reachable().len() < others {
            tokio::time::sleep(POLL).await;
        }
    };
    if tokio::time::timeout(CONNECTING, first).await.is_ok()
        && tokio::time::timeout(GATHERING, all).await.is_err()
    {
        info!(
            connected = members.reachable().len(),
            others, "not all members are there"
        );
    }
}

/// Waits until the network has let go of its port.
async fn free(config: &Config) {
    let freed = async {
        while TcpListener::bind(config.p2p_listen).is_err() {
            tokio::time::sleep(POLL).await;
        }
    };
    if tokio::time::timeout(limits::SHUTDOWN, freed).await.is_err() {
        warn!("the port of the network is still taken");
    }
}

/// A failure of the store while a snapshot is taken.
fn failed(error: StoreError) -> NodeError {
    ExecutorError::from(error).into()
}
