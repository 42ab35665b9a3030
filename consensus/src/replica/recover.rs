//! Starting from the vote log: the same view, slots, certificates and own votes as before a crash.

use std::collections::BTreeMap;

use crate::committee::{Committee, ReplicaId};
use crate::digest::{ChainId, Digest};
use crate::error::RecoverError;
use crate::frame::Frame;
use crate::io::{Effect, Effects, Pending, Timer};
use crate::message::WINDOW_MAX;
use crate::number::{Epoch, Seq, Time, View};
use crate::record::Record;
use crate::replica::pace::Pace;
use crate::replica::replay::certified;
use crate::replica::retransmit::Lack;
use crate::replica::{Parameters, Replica, Setup};
use crate::signed::{PublicKey, Scheme};

/// What the host found of the vote log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Log {
    /// All its records in order; a torn last one is cut off, it never left the node.
    Whole(Vec<Record>),
    /// There is none, a record before the last is bad, or it comes from a backup.
    Damaged,
}

/// Whether a replica signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It does, as this member.
    Voter(ReplicaId),
    /// It signs nothing in this epoch: it follows what the others certify.
    Observer(Lost),
}

impl Standing {
    /// Whether it signs.
    const fn votes(self) -> bool {
        matches!(self, Self::Voter(_))
    }
}

/// Why a replica signs nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Lost {
    /// Its key is not in the committee.
    #[error("this key is not a member's in this epoch")]
    NotAMember,
    /// The log is gone or damaged: it may have signed what it no longer knows of.
    #[error("the vote log is missing or damaged, so what this node has signed is not known")]
    Damaged,
    /// The log was never begun by the command that admits a member.
    #[error("the vote log has no birth record, so what this node has signed is not known")]
    Unborn,
    /// The log belongs to another key.
    #[error("the vote log belongs to another key")]
    OtherKey,
    /// The log belongs to another ledger.
    #[error("the vote log belongs to another ledger")]
    OtherChain,
    /// The log is whole only from a later epoch on.
    #[error("the vote log is whole only from epoch {first} on")]
    Later {
        /// The first epoch in which it may sign.
        first: Epoch,
    },
    /// The log goes on in a later epoch: this one is over, and what was signed in it may have
    /// been dropped. Its batches are executed again from what is left, and from peers.
    #[error("this epoch is over: the vote log goes on in a later one")]
    Over,
}

impl<S: Scheme> Replica<S> {
    /// Starts a replica from its vote log; there is no other way to start one.
    ///
    /// `store` holds height and header hash of the newest blocks in the host's store, in
    /// ascending order: the last W of them, or all if there are fewer. None means none above
    /// the origin.
    pub fn recover(
        setup: Setup<S>,
        log: Log,
        store: &[(Seq, Digest)],
        now: Time,
    ) -> Result<(Self, Effects), RecoverError> {
        let executed = store.last().map_or(setup.origin, |(seq, _)| *seq);
        if executed < setup.origin {
            return Err(RecoverError::BeforeEpoch { executed });
        }
        let records = match log {
            Log::Whole(records) => Some(records),
            Log::Damaged => None,
        };
        let standing = standing(&setup, records.as_deref());
        let mut replica = Self::blank(setup, standing, executed, now);
        if let Some(records) = records {
            replica.birth = birth(&replica.committee, &records);
            if matches!(
                standing,
                Standing::Voter(_) | Standing::Observer(Lost::Over)
            ) {
                replica.replay(&records)?;
            }
        }
        replica.arm(Timer::Heartbeat, replica.parameters.heartbeat);
        // Whoever does not sign in this epoch asks for no view of it either, old words included.
        replica.leaving = replica.leaving.filter(|_| replica.standing.votes());
        replica.compare_stored(store);
        if replica.diverged.is_none() {
            if let Some(own) = replica.leaving.clone() {
                replica
                    .effects
                    .push(Effect::Broadcast(Frame::ViewChange(own)));
                // A member alone has its quorum already, and nobody who sends it anything.
                replica.await_new_view();
                replica.begin_view();
            }
            replica.attest_stored(store);
            replica.dispatch();
        }
        replica.settle();
        let effects = core::mem::take(&mut replica.effects);
        Ok((replica, effects))
    }

    /// A replica that knows of nothing but its store.
    fn blank(setup: Setup<S>, standing: Standing, executed: Seq, now: Time) -> Self {
        let Setup {
            committee,
            key,
            mut parameters,
            origin,
            end,
        } = setup;
        parameters.window = parameters.window.clamp(1, WINDOW_MAX);
        Self {
            birth: Vec::new(),
            committee,
            key,
            parameters: Parameters {
                depth: parameters.depth.max(1),
                ..parameters
            },
            origin,
            standing,
            view: View::ZERO,
            active: true,
            leaving: None,
            departure: None,
            entered: None,
            view_changes: BTreeMap::new(),
            slots: BTreeMap::new(),
            tallies: BTreeMap::new(),
            certified: origin,
            stable: None,
            executed,
            dispatched: executed,
            fetched: BTreeMap::new(),
            fetching: false,
            next: origin.next(),
            end,
            diverged: None,
            deadlines: BTreeMap::new(),
            waiting_for: None,
            attempts: 0,
            reached: BTreeMap::new(),
            pending: Pending::default(),
            pending_at_entry: Pending::default(),
            ordered_at: now,
            heartbeat_due: false,
            pace: Pace::default(),
            progress: 0,
            progress_seen: 0,
            lacked: Lack::default(),
            behind: false,
            shares: BTreeMap::new(),
            now,
            effects: Vec::new(),
        }
    }
}

/// Whether the owner of this log may sign in this epoch.
fn standing<S: Scheme>(setup: &Setup<S>, records: Option<&[Record]>) -> Standing {
    let ours = setup.key.public();
    let Some(me) = setup.committee.member(&ours) else {
        return Standing::Observer(Lost::NotAMember);
    };
    let Some(records) = records else {
        return Standing::Observer(Lost::Damaged);
    };
    let Some((chain, key, first)) = records.iter().rev().find_map(born) else {
        return Standing::Observer(Lost::Unborn);
    };
    if key != ours
        || records
            .iter()
            .any(|one| matches!(one, Record::Key { key } if *key != ours))
    {
        return Standing::Observer(Lost::OtherKey);
    }
    if chain != setup.committee.chain() {
        return Standing::Observer(Lost::OtherChain);
    }
    let epoch = setup.committee.epoch();
    if first > epoch {
        return Standing::Observer(Lost::Later { first });
    }
    if records.iter().any(|one| one.epoch() > Some(epoch)) {
        return Standing::Observer(Lost::Over);
    }
    Standing::Voter(me)
}

/// What a birth record says.
const fn born(record: &Record) -> Option<(ChainId, PublicKey, Epoch)> {
    if let Record::Birth {
        chain,
        key,
        first_epoch,
    } = record
    {
        Some((*chain, *key, *first_epoch))
    } else {
        None
    }
}

/// What every file of this log begins with: whose it is, and the newest certificate of an earlier
/// epoch. Even if the store and all older files are gone, that one says which epochs are over.
fn birth<S: Scheme>(committee: &Committee<S>, records: &[Record]) -> Vec<Record> {
    let first = |wanted: fn(&Record) -> bool| records.iter().find(|one| wanted(one)).cloned();
    let key = first(|one| matches!(one, Record::Key { .. }));
    let born = records
        .iter()
        .rev()
        .find(|one| born(one).is_some())
        .cloned();
    let earlier = records
        .iter()
        .filter_map(certified)
        .filter(|certificate| certificate.epoch < committee.epoch());
    let ended = earlier.max_by_key(|certificate| certificate.seq).cloned();
    let ended = ended.map(|certificate| Record::Stable { certificate });
    key.into_iter().chain(born).chain(ended).collect()
}
