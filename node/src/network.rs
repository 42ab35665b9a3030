//! The network between members; with the files below it the only one that names libp2p.
//!
//! One connection a pair of members, one long-lived stream of frames in each direction on it, and one short stream a
//! sync request. A stranger is refused at the handshake. Nothing here is trusted: bytes go to an [`Inbox`], which
//! decodes and checks them. What cannot be sent now is dropped, and the protocol's STATUS makes it good.

pub mod address;
mod behaviour;
mod dial;
mod directory;
pub mod frame;
mod inbound;
mod links;
mod outbound;
mod queue;
mod swarm;
mod sync;
mod tasks;
mod voice;

use std::{fmt, future::Future, net::SocketAddr, sync::Arc};

use tokio::sync::{mpsc, watch};
use tracing::debug;
use zeroize::Zeroizing;

use crate::{
    clock::Clock,
    metrics::{Metrics, Reason},
};
use address::Address;
use directory::{Admission, Directory};
use frame::{Frame, Kind};
use swarm::Change;

pub use sync::AskError;
pub use voice::Voice;

/// A peer's place in this process's network: the founding members in genesis order, then the others in the order in which
/// they were first admitted. It is no place in a committee, and nobody else ever gets it.
pub type MemberIndex = u16;

/// One member as the network sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its name, for logs and metrics.
    pub name: String,
    /// Its network key.
    pub key: [u8; 32],
    /// Where it is dialled.
    pub address: Address,
}

/// What the network is told at its start.
pub struct Settings {
    /// Those who are admitted from the start, this node included; they get the first places in this order.
    pub members: Vec<Peer>,
    /// This node's place among them.
    pub me: MemberIndex,
    /// The seed of this node's network key.
    pub seed: Zeroizing<[u8; 32]>,
    /// Where to listen.
    pub listen: SocketAddr,
    /// The first 8 hex digits of the chain id.
    pub chain_prefix: String,
    /// The node's clock.
    pub clock: Clock,
    /// The node's metrics.
    pub metrics: Metrics,
    /// Speaks in this node's place; a test's Byzantine member has one.
    pub voice: Option<Arc<dyn Voice>>,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("me", &self.me)
            .field("listen", &self.listen)
            .finish_non_exhaustive()
    }
}

/// Who takes what the network brings. Calls for one member come one after the other.
pub trait Inbox: Clone + Send + Sync + 'static {
    /// A frame of member `from`. While this waits, nothing more is read from that member. An error closes the connection.
    fn frame(
        &self,
        from: MemberIndex,
        kind: Kind,
        payload: Vec<u8>,
    ) -> impl Future<Output = Result<(), Refusal>> + Send;

    /// A new connection to `member` can be written to: told once for each.
    fn reconnected(&self, member: MemberIndex) -> impl Future<Output = ()> + Send;

    /// The last connection to `member` is gone.
    fn lost(&self, member: MemberIndex);

    /// The clock of `member` minus ours, in milliseconds, half a round trip taken off.
    fn skew(&self, member: MemberIndex, skew_ms: i64);

    /// Answers a sync request; runs where blocking is allowed.
    fn answer(&self, from: MemberIndex, request: &[u8]) -> Vec<u8>;
}

/// Why a frame of a member is not accepted: a name for metrics, from a fixed list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal(pub &'static str);

/// Why the network cannot start.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// The port cannot be had.
    #[error("cannot listen on {address}: {cause}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        #[source]
        cause: std::io::Error,
    },
    /// A member's network key is no Ed25519 point.
    #[error("the network key of member `{name}` is not an Ed25519 key")]
    BadKey {
        /// The member.
        name: String,
    },
    /// This node's network key is not the one of the genesis file.
    #[error("keys/network.key is not the network key of member `{name}` in genesis.json")]
    WrongKey {
        /// This member.
        name: String,
    },
    /// The chain id's prefix is no part of a protocol name.
    #[error("`{chain}` is not the beginning of a chain id")]
    BadChain {
        /// The prefix.
        chain: String,
    },
    /// libp2p could not be put together.
    #[error("the libp2p stack could not be built: {message}")]
    Stack {
        /// Why.
        message: String,
    },
}

/// A handle to the network: sends without waiting. Clones share the queues.
#[derive(Clone)]
pub struct Network {
    me: MemberIndex,
    directory: Directory,
    changes: mpsc::UnboundedSender<Change>,
    asker: sync::Asker,
    clock: Clock,
    metrics: Metrics,
    voice: Option<Arc<dyn Voice>>,
}

impl Network {
    /// Listens, and keeps one connection to every admitted peer from now on until `stop` turns true.
    pub fn start(
        settings: Settings,
        inbox: impl Inbox,
        stop: watch::Receiver<bool>,
    ) -> Result<Self, NetworkError> {
        probe(settings.listen)?;
        let (mut swarm, protocols) = behaviour::build(&settings)?;
        let (changes, told) = mpsc::unbounded_channel();
        let control = swarm.behaviour().streams.new_control();
        let directory = Directory::default();
        let network = Self {
            me: settings.me,
            directory: directory.clone(),
            changes,
            asker: sync::Asker::new(control, directory, protocols.sync.clone()),
            clock: settings.clock,
            metrics: settings.metrics,
            voice: settings.voice,
        };
        for peer in &settings.members {
            let bad = || NetworkError::BadKey {
                name: peer.name.clone(),
            };
            network.admit(peer).ok_or_else(bad)?;
        }
        if network.directory.id(settings.me) != Some(*swarm.local_peer_id()) {
            let name = network.directory.name(settings.me);
            return Err(NetworkError::WrongKey { name });
        }
        swarm::listen(&mut swarm, settings.listen)?;
        tasks::spawn(swarm, &network, protocols, told, (inbox, stop))?;
        Ok(network)
    }

    /// Lets a peer in and tells its place; `None` when its network key is not one.
    pub fn admit(&self, peer: &Peer) -> Option<MemberIndex> {
        let admission = self.directory.admit(peer, self.clock)?;
        let member = admission.member();
        match admission {
            Admission::New(member, drain) => self.change(Change::New(member, drain)),
            Admission::Again(member) => self.change(Change::Again(member)),
            Admission::Known(_) => {}
        }
        Some(member)
    }

    /// Lets nobody in any more but these and this node; others are disconnected.
    pub fn restrict(&self, admitted: &[MemberIndex]) {
        for member in self.directory.admitted() {
            if member != self.me && !admitted.contains(&member) {
                self.directory.dismiss(member);
                self.change(Change::Dismissed(member));
            }
        }
    }

    /// Tells the task that owns the swarm.
    fn change(&self, change: Change) {
        if self.changes.send(change).is_err() {
            debug!("the network has stopped");
        }
    }

    /// All peers but this node that frames go out to now.
    pub fn reachable(&self) -> Vec<MemberIndex> {
        let mut members = self.directory.admitted();
        members.retain(|member| self.connected(*member));
        members
    }

    /// Queues a frame for one member; dropped when it is absent or its queue is full.
    pub fn send(&self, to: MemberIndex, frame: Frame) {
        match &self.voice {
            None => self.put(to, frame),
            Some(voice) => voice
                .says(to, frame)
                .into_iter()
                .for_each(|said| self.put(to, said)),
        }
    }

    /// Queues a frame as it is.
    fn put(&self, to: MemberIndex, frame: Frame) {
        let Some(entry) = self.directory.entry(to).filter(|_| to != self.me) else {
            return;
        };
        if let Err(dropped) = entry.queue.push(frame) {
            self.metrics
                .dropped_frames
                .get_or_create(&Reason {
                    reason: dropped.reason(),
                })
                .inc();
        }
    }

    /// Queues a frame for all other admitted peers.
    pub fn broadcast(&self, frame: &Frame) {
        for to in self.directory.admitted() {
            self.send(to, frame.clone());
        }
    }

    /// Whether frames to this member go out now.
    pub fn connected(&self, member: MemberIndex) -> bool {
        let entry = self.directory.entry(member);
        entry.is_some_and(|entry| entry.queue.is_open())
    }

    /// Asks one member for blocks.
    pub async fn ask(&self, member: MemberIndex, request: Vec<u8>) -> Result<Vec<u8>, AskError> {
        self.asker.ask(member, request).await
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network")
            .field("me", &self.me)
            .finish_non_exhaustive()
    }
}

/// Finds out whether the port is free: libp2p sets `SO_REUSEPORT`, with which two nodes of one user would share a port
/// without noticing.
fn probe(address: SocketAddr) -> Result<(), NetworkError> {
    std::net::TcpListener::bind(address)
        .map(drop)
        .map_err(|cause| NetworkError::Listen { address, cause })
}
