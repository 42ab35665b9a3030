//! What the ledger says of one epoch: who votes, where each of them is reached, by which rules, and until when.
//!
//! The members' places in a committee change from epoch to epoch, their places in the network never do. This is the only
//! translation between the two, and it is made anew for each epoch.

use std::{sync::Arc, time::Duration};

use consensus::{
    ChainId, Committee, CommitteeError, Ed25519, Epoch, PublicKey, ReplicaId, Seq, Setup,
};
use contract::{
    Height, Member, Parameters, Snapshot, StateError, StateReader,
    contracts::membership::{self, MemberRecord},
};

use crate::{
    keys::Keys,
    network::{MemberIndex, Network, Peer},
    verdicts,
};

/// One epoch as the ledger describes it.
#[derive(Clone, Debug)]
pub struct Term {
    /// Whose votes count.
    pub committee: Committee,
    /// The same members in the same order, with their names and addresses.
    pub members: Vec<MemberRecord>,
    /// The block before the epoch's first.
    pub origin: Seq,
    /// The epoch's last block, if it was fixed when this was read.
    pub end: Option<Seq>,
    /// The ledger's numbers in this epoch.
    pub rules: Parameters,
    /// Where the network reaches the member at each place.
    pub seats: Vec<Option<MemberIndex>>,
}

/// Why the ledger's account of an epoch cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TermError {
    /// The state cannot be read.
    #[error(transparent)]
    State(#[from] StateError),
    /// The members decided on rules that this software lacks.
    #[error(
        "block {first} is made by version {version} of the ledger's rules, this software knows {known}: upgrade it"
    )]
    Rules {
        /// The first block under them.
        first: Height,
        /// Their version.
        version: u64,
        /// The newest version that this software knows.
        known: u64,
    },
    /// The members' keys do not make a committee.
    #[error("the members of epoch {epoch} do not make a committee: {cause}")]
    Committee {
        /// The epoch.
        epoch: u32,
        /// What is wrong.
        #[source]
        cause: CommitteeError,
    },
}

impl Term {
    /// The epoch of the block after a snapshot's.
    pub fn after<R: StateReader>(
        chain: ChainId,
        snapshot: &Snapshot<R>,
    ) -> Result<Self, TermError> {
        let state = membership::epoch_at(snapshot)?;
        let epoch = state.number.get();
        let keys = membership::keys(&state.committee);
        let keys = keys.iter().map(|key| PublicKey::new(*key.as_bytes()));
        let committee = Committee::new(chain, Epoch::new(epoch), keys.collect())
            .map_err(|cause| TermError::Committee { epoch, cause })?;
        Ok(Self {
            committee: committee.remembering(Arc::<verdicts::Shared>::default()),
            seats: vec![None; state.committee.len()],
            members: state.committee,
            origin: Seq::new(state.first.get().saturating_sub(1)),
            end: state.end.map(|end| seq(end.last)),
            rules: membership::parameters_at(snapshot)?,
        })
    }

    /// The same with the network's places; everybody named in it is admitted.
    #[must_use]
    pub fn seated(mut self, network: &Network) -> Self {
        let peers = self.members.iter().map(|record| peer(&record.member));
        self.seats = peers
            .map(|peer| peer.and_then(|peer| network.admit(&peer)))
            .collect();
        self
    }

    /// The same, if software that knows the ledger's rules up to this version can take part: it votes on no block that it
    /// cannot execute.
    pub fn known_to(self, known: u64) -> Result<Self, TermError> {
        let version = self.rules.protocol_version;
        if version <= known {
            return Ok(self);
        }
        let first = Height::new(self.origin.get()).next();
        Err(TermError::Rules {
            first,
            version,
            known,
        })
    }

    /// The epoch's number.
    pub const fn epoch(&self) -> Epoch {
        self.committee.epoch()
    }

    /// The place in the committee of a peer, if it has one.
    pub fn place(&self, peer: MemberIndex) -> Option<ReplicaId> {
        let place = self.seats.iter().position(|seat| *seat == Some(peer))?;
        u16::try_from(place).ok().map(ReplicaId::new)
    }

    /// Where the network reaches the member at a place.
    pub fn peer(&self, place: ReplicaId) -> Option<MemberIndex> {
        self.seats.get(usize::from(place.get())).copied().flatten()
    }

    /// The name of the member at a place.
    pub fn name(&self, place: ReplicaId) -> &str {
        let record = self.members.get(usize::from(place.get()));
        record.map_or("?", |record| record.member.name.as_str())
    }

    /// The place of the member with this key.
    pub fn place_of(&self, key: &contract::PublicKey) -> Option<ReplicaId> {
        self.committee.member(&PublicKey::new(*key.as_bytes()))
    }

    /// What a replica is told of the ledger's numbers.
    pub fn parameters(&self) -> consensus::Parameters {
        let size = |octets: u64| usize::try_from(octets).unwrap_or(usize::MAX);
        consensus::Parameters {
            window: self.rules.water_mark_window.min(consensus::WINDOW_MAX),
            depth: self.rules.depth,
            in_flight_bytes_max: size(self.rules.frame_bytes_max),
            batch_bytes_max: size(self.rules.batch_bytes_max),
            status_bytes_per_second: self.rules.status_bytes_per_second,
            timeout: Duration::from_millis(self.rules.request_timeout_ms),
            heartbeat: Duration::from_millis(self.rules.heartbeat_ms),
        }
    }

    /// What a replica of this epoch needs to know before it starts.
    pub fn setup(&self, keys: &Keys) -> Setup<Ed25519> {
        Setup {
            committee: self.committee.clone(),
            key: Ed25519::from_seed(&keys.member().to_bytes()),
            parameters: self.parameters(),
            origin: self.origin,
            end: self.end,
        }
    }

    /// Whether enough of the other members are among these peers to order something without this node.
    pub fn is_quorum(&self, peers: &[MemberIndex]) -> bool {
        let voters = peers.iter().filter(|peer| self.place(**peer).is_some());
        voters.count() >= self.committee.quorum()
    }
}

/// A member as the network dials it; `None` when its address cannot be read.
pub fn peer(member: &Member) -> Option<Peer> {
    Some(Peer {
        name: member.name.clone(),
        key: *member.network_key.as_bytes(),
        address: member.p2p.parse().ok()?,
    })
}

/// The running epoch, for everybody who is not the driver.
pub type Terms = tokio::sync::watch::Receiver<Arc<Term>>;

/// A height in the words of consensus.
const fn seq(height: Height) -> Seq {
    Seq::new(height.get())
}
