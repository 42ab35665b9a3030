//! The network between members; with the files below it the only one that names libp2p.
//!
//! One connection a pair of members, one long-lived stream of frames in each direction on it, and one short stream a
//! sync request. A stranger is refused at the handshake. Nothing here is trusted: bytes go to an [`Inbox`], which
//! decodes and checks them. What cannot be sent now is dropped, and the protocol's STATUS makes it good.

pub mod address;
mod behaviour;
pub mod frame;
mod inbound;
mod links;
mod outbound;
mod queue;
mod swarm;
mod sync;

use std::{fmt, future::Future, net::SocketAddr, sync::Arc};

use tokio::sync::watch;
use zeroize::Zeroizing;

use crate::{
    clock::Clock,
    metrics::{Metrics, Reason},
};
use address::Address;
use frame::{Frame, Kind};
use queue::Queue;

pub use sync::AskError;

/// Index of a member in genesis order.
pub type MemberIndex = u16;

/// One member as the network sees it.
#[derive(Clone, Debug)]
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
    /// All members in genesis order, this node included.
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
    queues: Arc<[Queue]>,
    asker: sync::Asker,
    metrics: Metrics,
}

impl Network {
    /// Listens, and keeps one connection to every other member from now on until `stop` turns true.
    pub fn start(
        settings: Settings,
        inbox: impl Inbox,
        stop: watch::Receiver<bool>,
    ) -> Result<Self, NetworkError> {
        probe(settings.listen)?;
        let directory = Directory::new(&settings)?;
        let (mut swarm, protocols) = behaviour::build(&settings)?;
        swarm::listen(&mut swarm, settings.listen)?;
        let control = swarm.behaviour().streams.new_control();
        let (queues, drains): (Vec<_>, Vec<_>) =
            settings.members.iter().map(|_| Queue::new()).unzip();
        let network = Self {
            me: settings.me,
            queues: queues.into(),
            asker: sync::Asker::new(control, directory.clone(), protocols.sync.clone()),
            metrics: settings.metrics.clone(),
        };
        let parts = swarm::Parts {
            settings,
            directory,
            protocols,
            network: network.clone(),
        };
        swarm::spawn(swarm, parts, drains, inbox, stop)?;
        Ok(network)
    }

    /// Queues a frame for one member; dropped when it is absent or its queue is full.
    pub fn send(&self, to: MemberIndex, frame: Frame) {
        let Some(queue) = self.queues.get(usize::from(to)) else {
            return;
        };
        if to == self.me {
            return;
        }
        if let Err(dropped) = queue.push(frame) {
            self.metrics
                .dropped_frames
                .get_or_create(&Reason {
                    reason: dropped.reason(),
                })
                .inc();
        }
    }

    /// Queues a frame for all other members.
    pub fn broadcast(&self, frame: &Frame) {
        for to in (0..).take(self.queues.len()) {
            self.send(to, frame.clone());
        }
    }

    /// Whether frames to this member go out now.
    pub fn connected(&self, member: MemberIndex) -> bool {
        self.queues
            .get(usize::from(member))
            .is_some_and(Queue::is_open)
    }

    /// Asks one member for blocks.
    pub async fn ask(&self, member: MemberIndex, request: Vec<u8>) -> Result<Vec<u8>, AskError> {
        self.asker.ask(member, request).await
    }

    /// The queue of one member.
    fn queue(&self, member: MemberIndex) -> Option<&Queue> {
        self.queues.get(usize::from(member))
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network")
            .field("me", &self.me)
            .finish_non_exhaustive()
    }
}

/// Who has which `PeerId`.
#[derive(Clone, Debug)]
struct Directory(Arc<[libp2p::PeerId]>);

impl Directory {
    /// From the members' keys; this node's own key must be the one of its entry.
    fn new(settings: &Settings) -> Result<Self, NetworkError> {
        let ids: Result<Vec<_>, _> = settings
            .members
            .iter()
            .map(|member| {
                behaviour::peer_id(&member.key).ok_or_else(|| NetworkError::BadKey {
                    name: member.name.clone(),
                })
            })
            .collect();
        Ok(Self(ids?.into()))
    }

    /// The `PeerId` of a member.
    fn id(&self, member: MemberIndex) -> Option<libp2p::PeerId> {
        self.0.get(usize::from(member)).copied()
    }

    /// The member with a `PeerId`.
    fn member(&self, id: &libp2p::PeerId) -> Option<MemberIndex> {
        let place = self.0.iter().position(|known| known == id)?;
        MemberIndex::try_from(place).ok()
    }
}

/// Finds out whether the port is free: libp2p sets `SO_REUSEPORT`, with which two nodes of one user would share a port
/// without noticing.
fn probe(address: SocketAddr) -> Result<(), NetworkError> {
    std::net::TcpListener::bind(address)
        .map(drop)
        .map_err(|cause| NetworkError::Listen { address, cause })
}
