//! What a node stands on before anything runs: the genesis file, its own place in it, its keys.

use std::sync::Arc;

use consensus::{ChainId, Committee, Epoch, Parameters, PublicKey};
use contract::{Genesis, Member};

use super::NodeError;
use crate::{
    config::Config,
    keys::Keys,
    network::{MemberIndex, Peer},
};

/// Files read and found to fit together.
#[derive(Clone, Debug)]
pub(super) struct Foundation {
    /// The genesis file.
    pub(super) genesis: Arc<Genesis>,
    /// This member's keys.
    pub(super) keys: Arc<Keys>,
    /// This member.
    pub(super) me: Member,
    /// Its place in genesis order.
    pub(super) index: MemberIndex,
    /// The committee of the first epoch.
    pub(super) committee: Committee,
}

impl Foundation {
    /// Reads genesis and keys of a home.
    pub(super) fn read(config: &Config) -> Result<Self, NodeError> {
        let path = config.genesis_path();
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(cause) => return Err(NodeError::NoGenesis { path, cause }),
        };
        let genesis = match Genesis::parse(&bytes) {
            Ok(genesis) => genesis,
            Err(cause) => return Err(NodeError::BadGenesis { path, cause }),
        };
        let (index, me) = (0..)
            .zip(genesis.members())
            .find(|(_, member)| member.name == config.name)
            .map(|(index, member)| (index, member.clone()))
            .ok_or_else(|| not_a_member(config, &genesis))?;
        let keys = Keys::load(&config.home)?;
        let foreign = |file| NodeError::ForeignKey {
            file,
            name: me.name.clone(),
        };
        if keys.member_public() != me.key {
            return Err(foreign("member.key"));
        }
        if keys.network_public() != me.network_key {
            return Err(foreign("network.key"));
        }
        if *keys.tls_spki_sha256() != me.tls_spki {
            return Err(foreign("tls.key"));
        }
        let members = genesis.committee();
        let voters = members
            .iter()
            .map(|key| PublicKey::new(*key.as_bytes()))
            .collect();
        let chain = ChainId::new(*genesis.chain().as_bytes());
        let committee = Committee::new(chain, Epoch::ZERO, voters)?;
        Ok(Self {
            genesis: Arc::new(genesis),
            keys: Arc::new(keys),
            me,
            index,
            committee,
        })
    }

    /// All members as the network dials them.
    pub(super) fn peers(&self) -> Result<Vec<Peer>, NodeError> {
        let peer = |member: &Member| {
            let address = member.p2p.parse().map_err(|cause| NodeError::Address {
                name: member.name.clone(),
                cause,
            })?;
            Ok(Peer {
                name: member.name.clone(),
                key: *member.network_key.as_bytes(),
                address,
            })
        };
        self.genesis.members().iter().map(peer).collect()
    }

    /// The consensus parameters of the genesis file.
    pub(super) fn parameters(&self) -> Parameters {
        let ledger = self.genesis.parameters();
        let size = |octets: u64| usize::try_from(octets).unwrap_or(usize::MAX);
        Parameters {
            window: ledger.water_mark_window.min(consensus::WINDOW_MAX),
            depth: ledger.depth,
            in_flight_bytes_max: size(ledger.frame_bytes_max),
            batch_bytes_max: size(ledger.batch_bytes_max),
            timeout: std::time::Duration::from_millis(ledger.request_timeout_ms),
            heartbeat: std::time::Duration::from_millis(ledger.heartbeat_ms),
        }
    }

    /// The beginning of the chain id, as protocol names carry it.
    pub(super) fn chain_prefix(&self) -> String {
        hex::encode(self.genesis.chain().as_bytes())
            .chars()
            .take(8)
            .collect()
    }
}

/// The error that names those who are members.
fn not_a_member(config: &Config, genesis: &Genesis) -> NodeError {
    let names: Vec<&str> = genesis
        .members()
        .iter()
        .map(|member| member.name.as_str())
        .collect();
    NodeError::NotAMember {
        name: config.name.clone(),
        known: names.join(", "),
    }
}
