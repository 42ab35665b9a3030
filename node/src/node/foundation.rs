//! What a node stands on before anything runs: the genesis file, its own place in it, its keys.

use std::sync::Arc;

use consensus::ChainId;
use contract::{Genesis, Member};

use super::NodeError;
use crate::{
    config::Config,
    keys::Keys,
    network::{MemberIndex, Peer},
};

/// The file in a newcomer's home that says who it is: a member as the ledger writes it, in JSON.
pub const MEMBER_FILE: &str = "member.json";

/// Files read and found to fit together.
#[derive(Clone, Debug)]
pub(super) struct Foundation {
    /// The genesis file.
    pub(super) genesis: Arc<Genesis>,
    /// This member's keys.
    pub(super) keys: Arc<Keys>,
    /// This member.
    pub(super) me: Member,
    /// The ledger, in the words of consensus.
    pub(super) chain: ChainId,
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
        let me = match own_member(config)? {
            Some(me) => me,
            None => genesis
                .member_named(&config.name)
                .cloned()
                .ok_or_else(|| not_a_member(config, &genesis))?,
        };
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
        Ok(Self {
            chain: ChainId::new(*genesis.chain().as_bytes()),
            genesis: Arc::new(genesis),
            keys: Arc::new(keys),
            me,
        })
    }

    /// Whom the network admits at its start, the founders in genesis order, and this node's place among them: it is
    /// the last one if it came later.
    pub(super) fn peers(&self) -> Result<(Vec<Peer>, MemberIndex), NodeError> {
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
        let founders = self.genesis.members();
        let peers: Result<Vec<Peer>, NodeError> = founders.iter().map(peer).collect();
        let (mut peers, own) = (peers?, peer(&self.me)?);
        let known = peers.iter().position(|peer| peer.key == own.key);
        let place = known.unwrap_or(peers.len());
        if known.is_none() {
            peers.push(own);
        }
        Ok((
            peers,
            MemberIndex::try_from(place).unwrap_or(MemberIndex::MAX),
        ))
    }

    /// The beginning of the chain id, as protocol names carry it.
    pub(super) fn chain_prefix(&self) -> String {
        hex::encode(self.genesis.chain().as_bytes())
            .chars()
            .take(8)
            .collect()
    }
}

/// Who this node is by `member.json` in its home: what a newcomer has asked the members to admit, or a member with
/// renewed keys. A founder has no such file.
fn own_member(config: &Config) -> Result<Option<Member>, NodeError> {
    let path = config.home.join(MEMBER_FILE);
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(NodeError::NoMember { path, cause }),
    };
    match serde_json::from_slice(&bytes) {
        Ok(member) => Ok(Some(member)),
        Err(cause) => Err(NodeError::BadMember { path, cause }),
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
