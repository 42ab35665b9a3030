//! The libp2p stack of a node: TCP, Noise, Yamux; allow list, connection limits, identify, ping, streams.

use std::time::Duration;

use libp2p::{
    StreamProtocol, Swarm, SwarmBuilder, identify, identity, noise, ping, swarm::NetworkBehaviour,
    tcp, yamux,
};
use libp2p_allow_block_list as allow_list;
use libp2p_connection_limits as connection_limits;
use libp2p_stream as stream;

use super::{NetworkError, Settings};
use crate::limits;

/// What a connection does beside carrying our streams.
#[derive(NetworkBehaviour)]
pub(super) struct Behaviour {
    /// Refuses everyone who is not a member, right after the Noise handshake told who it is.
    pub(super) allowed: allow_list::Behaviour<allow_list::AllowedPeers>,
    /// Bounds connections before and after their handshakes.
    limits: connection_limits::Behaviour,
    /// Tells versions.
    identify: identify::Behaviour,
    /// Notices a dead connection that nobody uses.
    ping: ping::Behaviour,
    /// Our streams.
    pub(super) streams: stream::Behaviour,
}

/// The names of the protocols of one ledger.
#[derive(Clone, Debug)]
pub(super) struct Protocols {
    /// Long-lived streams of frames.
    pub(super) consensus: StreamProtocol,
    /// One request, one answer.
    pub(super) sync: StreamProtocol,
}

impl Protocols {
    /// The protocols of the ledger whose chain id begins with `prefix`.
    fn new(prefix: &str) -> Result<Self, NetworkError> {
        let name = |what: &str| {
            StreamProtocol::try_from_owned(format!("/aidchain/{prefix}/{what}/1"))
                .ok()
                .ok_or_else(|| NetworkError::BadChain {
                    chain: prefix.to_owned(),
                })
        };
        Ok(Self {
            consensus: name("consensus")?,
            sync: name("sync")?,
        })
    }
}

/// A member's key as libp2p knows it.
pub(super) fn peer_id(key: &[u8; 32]) -> Option<libp2p::PeerId> {
    let key = identity::ed25519::PublicKey::try_from_bytes(key).ok()?;
    Some(identity::PublicKey::from(key).to_peer_id())
}

/// Builds the stack; nothing listens or dials yet.
pub(super) fn build(settings: &Settings) -> Result<(Swarm<Behaviour>, Protocols), NetworkError> {
    let protocols = Protocols::new(&settings.chain_prefix)?;
    let mut seed = *settings.seed;
    let keypair =
        identity::Keypair::ed25519_from_bytes(&mut seed).map_err(|cause| NetworkError::Stack {
            message: cause.to_string(),
        })?;
    let agent = format!("/aidchain/{}/1", settings.chain_prefix);
    let swarm = SwarmBuilder::with_existing_identity(keypair)
        .with_tokio()
        .with_tcp(
            tcp::Config::default().nodelay(true),
            noise::Config::new,
            yamux_config,
        )
        .map_err(|cause| NetworkError::Stack {
            message: cause.to_string(),
        })?
        .with_behaviour(|key| behaviour(agent, key))
        .map_err(|cause| NetworkError::Stack {
            message: cause.to_string(),
        })?
        .with_swarm_config(|config| config.with_idle_connection_timeout(IDLE))
        .with_connection_timeout(limits::DIAL_TIMEOUT)
        .build();
    Ok((swarm, protocols))
}

/// How long a connection may stay without a stream before libp2p closes it.
const IDLE: Duration = Duration::from_secs(20);

/// Yamux with few streams: two for consensus, a handful for sync, identify and ping.
fn yamux_config() -> yamux::Config {
    let mut config = yamux::Config::default();
    config.set_max_num_streams(64);
    config
}

/// The behaviours, all refusing until members are named.
fn behaviour(agent: String, key: &identity::Keypair) -> Behaviour {
    let connections = connection_limits::ConnectionLimits::default()
        .with_max_pending_incoming(Some(limits::PENDING_INCOMING))
        .with_max_established_incoming(Some(limits::ESTABLISHED_INCOMING))
        .with_max_established_per_peer(Some(limits::CONNECTIONS_PER_PEER));
    let identify = identify::Config::new(agent, key.public())
        .with_agent_version(format!("aidchain/{}", env!("CARGO_PKG_VERSION")))
        .with_interval(Duration::from_hours(1))
        .with_cache_size(0);
    let ping = ping::Config::new()
        .with_interval(limits::PING_IDLE)
        .with_timeout(limits::SILENCE);
    Behaviour {
        allowed: allow_list::Behaviour::default(),
        limits: connection_limits::Behaviour::new(connections),
        identify: identify::Behaviour::new(identify),
        ping: ping::Behaviour::new(ping),
        streams: stream::Behaviour::new(),
    }
}
