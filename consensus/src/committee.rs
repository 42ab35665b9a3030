//! Who may vote in an epoch, how many of them decide, and who is primary.

use core::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::digest::{ChainId, Digest, Domain};
use crate::error::CommitteeError;
use crate::number::{Epoch, View};
use crate::signed::{Ed25519, PublicKey, Scheme, Signature};
use crate::verdicts::{Memory, Stated};

/// The most members a committee may have in this version.
pub const MEMBERS_MAX: usize = 31;

/// The place of a member in its epoch's committee.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ReplicaId(u16);

impl ReplicaId {
    /// The member at this place.
    pub const fn new(place: u16) -> Self {
        Self(place)
    }

    /// The place, from 0.
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl fmt::Display for ReplicaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Debug for ReplicaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "r{}", self.0)
    }
}

/// The members of one epoch of one chain, in order, with their keys ready to check with.
pub struct Committee<S: Scheme = Ed25519> {
    /// The ledger they serve.
    chain: ChainId,
    /// The epoch in which they serve.
    epoch: Epoch,
    /// Their keys as the ledger has them.
    keys: Arc<[PublicKey]>,
    /// The same keys, decoded once.
    ready: Arc<[S::Key]>,
    /// What the host remembers of their signatures, if it does.
    memory: Option<Arc<dyn Memory>>,
}

impl<S: Scheme> Committee<S> {
    /// A committee of these members, in this order.
    pub fn new(chain: ChainId, epoch: Epoch, keys: Vec<PublicKey>) -> Result<Self, CommitteeError> {
        if keys.is_empty() {
            return Err(CommitteeError::Empty);
        }
        if keys.len() > MEMBERS_MAX {
            return Err(CommitteeError::TooMany {
                members: keys.len(),
            });
        }
        let mut sorted = keys.clone();
        sorted.sort_unstable();
        if let Some(pair) = sorted.windows(2).find(|pair| pair.first() == pair.last()) {
            let key = pair.first().copied().unwrap_or(PublicKey::new([0; 32]));
            return Err(CommitteeError::Repeated { key });
        }
        let ready = keys
            .iter()
            .map(|key| S::prepare(key).ok_or(CommitteeError::Unusable { key: *key }))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            chain,
            epoch,
            keys: keys.into(),
            ready: ready.into(),
            memory: None,
        })
    }

    /// The same committee at a host that remembers which of its signatures are valid: they are
    /// not checked again. The memory must be this committee's alone.
    #[must_use]
    pub fn remembering(mut self, memory: Arc<dyn Memory>) -> Self {
        self.memory = Some(memory);
        self
    }

    /// The ledger these members serve.
    pub const fn chain(&self) -> ChainId {
        self.chain
    }

    /// The epoch in which they serve.
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Their keys in committee order.
    pub fn keys(&self) -> &[PublicKey] {
        &self.keys
    }

    /// n, the number of members; never zero.
    pub fn size(&self) -> usize {
        self.keys.len()
    }

    /// f = (n − 1) / 3, how many members may be faulty in any way.
    pub fn faults(&self) -> usize {
        faults(self.size())
    }

    /// ceil((n + f + 1) / 2): any two quorums share an honest member.
    pub fn quorum(&self) -> usize {
        quorum(self.size())
    }

    /// f + 1: at least one of so many is honest.
    pub fn weak_quorum(&self) -> usize {
        self.faults().saturating_add(1)
    }

    /// primary(e, v) = the member at (e + v) mod n; a pure function, or certificates would stop verifying.
    pub fn primary(&self, view: View) -> ReplicaId {
        let turn = u128::from(self.epoch.get()).saturating_add(u128::from(view.get()));
        let size = u128::try_from(self.size()).unwrap_or(1);
        let place = turn.checked_rem(size).unwrap_or(0);
        ReplicaId(u16::try_from(place).unwrap_or(0))
    }

    /// All members in order.
    pub fn members(&self) -> impl Iterator<Item = ReplicaId> + use<S> {
        let size = u16::try_from(self.size()).unwrap_or(u16::MAX);
        (0..size).map(ReplicaId)
    }

    /// The place of the member with this key.
    pub fn member(&self, key: &PublicKey) -> Option<ReplicaId> {
        let place = self.keys.iter().position(|member| member == key)?;
        u16::try_from(place).ok().map(ReplicaId)
    }

    /// Whether there is a member at this place.
    pub fn contains(&self, member: ReplicaId) -> bool {
        usize::from(member.0) < self.size()
    }

    /// The key to check a member's signatures with.
    pub fn key(&self, member: ReplicaId) -> Option<&S::Key> {
        self.ready.get(usize::from(member.0))
    }

    /// Whether this is a member's signature over a statement; it is remembered if it is.
    pub(crate) fn has_signed(
        &self,
        member: ReplicaId,
        stated: &Stated,
        signature: &Signature,
    ) -> bool {
        let known = self.remembers(member, stated, signature);
        let valid = known || self.verifies(member, stated, signature);
        if valid && !known {
            self.remember(member, stated, signature);
        }
        valid
    }

    /// Whether the host remembers that this signature is valid, and whatever it covers.
    pub(crate) fn remembers(
        &self,
        member: ReplicaId,
        stated: &Stated,
        signature: &Signature,
    ) -> bool {
        let memory = self.memory.as_ref();
        memory.is_some_and(|memory| memory.knows(member, stated, signature))
    }

    /// Checks a member's signature over a statement.
    pub(crate) fn verifies(
        &self,
        member: ReplicaId,
        stated: &Stated,
        signature: &Signature,
    ) -> bool {
        let key = self.key(member);
        key.is_some_and(|key| S::verify(key, stated, signature))
    }

    /// Lets the host remember that this signature is valid, and whatever it covers.
    pub(crate) fn remember(&self, member: ReplicaId, stated: &Stated, signature: &Signature) {
        if let Some(memory) = &self.memory {
            memory.learn(member, stated, signature);
        }
    }

    /// What a header names as its next committee: the number of members and their keys in order.
    pub fn digest(&self) -> Digest {
        let size = u16::try_from(self.size()).unwrap_or(u16::MAX);
        let mut bytes = size.to_le_bytes().to_vec();
        for key in self.keys.iter() {
            bytes.extend_from_slice(key.as_bytes());
        }
        Digest::of(Domain::Committee, &bytes)
    }
}

impl<S: Scheme> Clone for Committee<S> {
    fn clone(&self) -> Self {
        Self {
            chain: self.chain,
            epoch: self.epoch,
            keys: Arc::clone(&self.keys),
            ready: Arc::clone(&self.ready),
            memory: self.memory.clone(),
        }
    }
}

impl<S: Scheme> PartialEq for Committee<S> {
    fn eq(&self, other: &Self) -> bool {
        (self.chain, self.epoch, &self.keys) == (other.chain, other.epoch, &other.keys)
    }
}

impl<S: Scheme> Eq for Committee<S> {}

impl<S: Scheme> fmt::Debug for Committee<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "committee({:?}, {} members)", self.epoch, self.size())
    }
}

/// f for n members.
pub const fn faults(size: usize) -> usize {
    size.saturating_sub(1) / 3
}

/// ceil((n + f + 1) / 2) for n members.
pub const fn quorum(size: usize) -> usize {
    size.saturating_add(faults(size))
        .saturating_add(1)
        .div_ceil(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A committee of `size` members with keys 1, 2, 3 …
    fn committee(size: u8, epoch: u32) -> Committee {
        let keys = (1..=size).map(|seed| Ed25519::from_seed(&[seed; 32]).public());
        Committee::new(ChainId::new([7; 32]), Epoch::new(epoch), keys.collect()).unwrap()
    }

    #[test]
    fn v13_two_quorums_share_an_honest_member_and_the_honest_alone_make_one_for_every_size() {
        for n in 1..=MEMBERS_MAX {
            let (f, q) = (faults(n), quorum(n));

            assert!(3 * f < n, "n = {n}");
            assert!(2 * q - n > f, "two quorums of {n} share more than {f}");
            assert!(n - f >= q, "the honest members of {n} make a quorum");
            assert!(
                q == 1 || 2 * (q - 1) - n.min(2 * (q - 1)) <= f,
                "quorum of {n} is the least"
            );
        }
    }

    #[test]
    fn quorums_of_small_committees() {
        let sizes: Vec<_> = (1..=10).map(|n| (faults(n), quorum(n))).collect();

        let expected = [
            (0, 1),
            (0, 2),
            (0, 2),
            (1, 3),
            (1, 4),
            (1, 4),
            (2, 5),
            (2, 6),
            (2, 6),
            (3, 7),
        ];
        assert_eq!(sizes, expected);
    }

    #[test]
    fn the_primary_goes_round_the_committee_and_starts_one_further_in_each_epoch() {
        let first = committee(4, 0);
        let second = committee(4, 1);

        let turns: Vec<_> = (0..6).map(|v| first.primary(View::new(v)).get()).collect();

        assert_eq!(turns, [0, 1, 2, 3, 0, 1]);
        assert_eq!(second.primary(View::ZERO), ReplicaId::new(1));
        assert_eq!(second.primary(View::new(u64::MAX)), ReplicaId::new(0));
    }

    #[test]
    fn a_committee_refuses_no_members_repeated_members_and_weak_keys() {
        let chain = ChainId::new([7; 32]);
        let key = Ed25519::from_seed(&[1; 32]).public();
        let mut identity = [0; 32];
        identity[0] = 1;
        let weak = PublicKey::new(identity);

        let make = |keys| Committee::<Ed25519>::new(chain, Epoch::ZERO, keys).unwrap_err();

        assert_eq!(make(vec![]), CommitteeError::Empty);
        assert_eq!(make(vec![key, key]), CommitteeError::Repeated { key });
        assert_eq!(
            make(vec![key, weak]),
            CommitteeError::Unusable { key: weak }
        );
        assert_eq!(make(vec![key; 32]), CommitteeError::TooMany { members: 32 });
    }

    #[test]
    fn a_committee_counts_its_members_and_knows_no_others() {
        let (four, seven) = (committee(4, 0), committee(7, 0));

        assert_eq!((four.faults(), seven.faults()), (1, 2));
        assert_eq!(four.members().count(), 4);
        assert!(four.contains(ReplicaId::new(3)) && !four.contains(ReplicaId::new(4)));
        assert_eq!(
            format!("{seven:?}"),
            format!("committee({:?}, 7 members)", Epoch::ZERO)
        );
    }

    #[test]
    fn two_committees_are_one_if_ledger_epoch_and_keys_are() {
        let here = committee(4, 0);

        assert_eq!(here, committee(4, 0));
        assert_ne!(here, committee(4, 1));
        assert_ne!(here, committee(5, 0));
    }

    #[test]
    fn the_digest_of_a_committee_is_of_its_size_and_keys_and_not_of_its_epoch() {
        let here = committee(4, 0);

        let mut bytes = vec![4, 0];
        here.keys()
            .iter()
            .for_each(|key| bytes.extend_from_slice(key.as_bytes()));

        assert_eq!(here.digest(), Digest::of(Domain::Committee, &bytes));
        assert_eq!(here.digest(), committee(4, 9).digest());
        assert_ne!(here.digest(), committee(5, 0).digest());
    }
}
