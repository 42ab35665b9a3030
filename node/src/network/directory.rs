//! Who has which `PeerId`: a growing list in which nobody ever takes another's place.
//!
//! Places in a committee change with the epoch; the places here belong to network keys and
//! stay as long as the process runs. So a frame, a queue or a measured clock of one peer is
//! never taken for another's, whoever votes where.

use std::sync::{Arc, PoisonError, RwLock};

use libp2p::PeerId;
use tokio::sync::Semaphore;

use super::{
    MemberIndex, Peer,
    address::Address,
    behaviour,
    outbound::Pulse,
    queue::{Drain, Queue},
};
use crate::{clock::Clock, limits};

/// What all tasks share of one peer.
#[derive(Clone)]
pub(super) struct Entry {
    /// Its `PeerId`.
    pub(super) id: PeerId,
    /// Its name, for logs.
    pub(super) name: String,
    /// Where it is dialled.
    pub(super) address: Address,
    /// Frames that wait for it.
    pub(super) queue: Queue,
    /// What its reader and writer know of each other.
    pub(super) pulse: Pulse,
    /// Bounds the sync requests of it that are answered at the same time.
    pub(super) share: Arc<Semaphore>,
    /// Whether it may be connected.
    admitted: bool,
}

/// Every peer that was ever admitted, in the order of its first admission.
#[derive(Clone, Default)]
pub(super) struct Directory(Arc<RwLock<Vec<Arc<Entry>>>>);

/// What an admission changed.
pub(super) enum Admission {
    /// It was never here: its frames come out of this end.
    New(MemberIndex, Drain),
    /// It was dismissed before.
    Again(MemberIndex),
    /// It is admitted already.
    Known(MemberIndex),
}

impl Admission {
    /// The peer's place.
    pub(super) const fn member(&self) -> MemberIndex {
        match self {
            Self::New(member, _) | Self::Again(member) | Self::Known(member) => *member,
        }
    }
}

impl Directory {
    /// Runs over the list; it is consistent whoever stopped while changing it.
    fn read<T>(&self, look: impl FnOnce(&[Arc<Entry>]) -> T) -> T {
        look(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// A peer by its place.
    pub(super) fn entry(&self, member: MemberIndex) -> Option<Arc<Entry>> {
        self.read(|entries| entries.get(usize::from(member)).cloned())
    }

    /// The `PeerId` of a place.
    pub(super) fn id(&self, member: MemberIndex) -> Option<PeerId> {
        self.entry(member).map(|entry| entry.id)
    }

    /// The place of an admitted peer.
    pub(super) fn member(&self, id: &PeerId) -> Option<MemberIndex> {
        let is_it = |entry: &Arc<Entry>| entry.admitted && entry.id == *id;
        let place = self.read(|entries| entries.iter().position(is_it))?;
        MemberIndex::try_from(place).ok()
    }

    /// The name at a place, for logs.
    pub(super) fn name(&self, member: MemberIndex) -> String {
        self.entry(member)
            .map_or_else(|| "?".to_owned(), |entry| entry.name.clone())
    }

    /// Whether the peer at a place may be connected.
    pub(super) fn is_admitted(&self, member: MemberIndex) -> bool {
        self.entry(member).is_some_and(|entry| entry.admitted)
    }

    /// The places of all admitted peers.
    pub(super) fn admitted(&self) -> Vec<MemberIndex> {
        self.read(|entries| {
            let places = (0..).zip(entries);
            let admitted = places.filter(|(_, entry)| entry.admitted);
            admitted.map(|(place, _)| place).collect()
        })
    }

    /// Admits a peer, at the place that it had before if it was ever here; `None` when its
    /// key is no Ed25519 point or every place is taken.
    pub(super) fn admit(&self, peer: &Peer, clock: Clock) -> Option<Admission> {
        let id = behaviour::peer_id(&peer.key)?;
        let mut entries = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let known = entries.iter_mut().position(|entry| entry.id == id);
        if let Some((place, entry)) = known.and_then(|place| Some((place, entries.get_mut(place)?)))
        {
            let member = MemberIndex::try_from(place).ok()?;
            let same = entry.admitted && entry.name == peer.name && entry.address == peer.address;
            let again = !entry.admitted;
            if !same {
                let mut changed = Entry::clone(entry);
                changed.admitted = true;
                changed.name.clone_from(&peer.name);
                changed.address = peer.address.clone();
                *entry = Arc::new(changed);
            }
            return Some(if again {
                Admission::Again(member)
            } else {
                Admission::Known(member)
            });
        }
        let member = MemberIndex::try_from(entries.len()).ok()?;
        let (queue, drain) = Queue::new();
        entries.push(Arc::new(Entry {
            id,
            name: peer.name.clone(),
            address: peer.address.clone(),
            queue,
            pulse: Pulse::new(clock),
            share: Arc::new(Semaphore::new(limits::SYNC_STREAMS)),
            admitted: true,
        }));
        Some(Admission::New(member, drain))
    }

    /// Takes the admission back; the place stays the peer's.
    pub(super) fn dismiss(&self, member: MemberIndex) {
        let mut entries = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = entries.get_mut(usize::from(member)) {
            let mut changed = Entry::clone(entry);
            changed.admitted = false;
            *entry = Arc::new(changed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(name: &str, seed: u8) -> Peer {
        let key = ed25519_dalek::SigningKey::from_bytes(&[seed; 32]);
        Peer {
            name: name.to_owned(),
            key: key.verifying_key().to_bytes(),
            address: "127.0.0.1:7100".parse().unwrap(),
        }
    }

    #[test]
    fn a_place_belongs_to_a_key_whoever_comes_and_goes() {
        let (directory, clock) = (Directory::default(), Clock::start());
        let admit = |name, seed| directory.admit(&peer(name, seed), clock).unwrap();
        assert!(matches!(admit("a", 1), Admission::New(0, _)));
        assert!(matches!(admit("b", 2), Admission::New(1, _)));

        let b = directory.id(1).unwrap();
        directory.dismiss(1);
        assert_eq!(directory.member(&b), None, "who was dismissed is nobody");
        assert!(matches!(admit("c", 3), Admission::New(2, _)));

        assert!(matches!(admit("b-again", 2), Admission::Again(1)));
        assert_eq!(directory.member(&b), Some(1));
        assert_eq!(directory.name(1), "b-again");
        assert_eq!(directory.admitted(), [0, 1, 2]);
    }
}
