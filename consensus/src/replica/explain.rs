//! Explain yourself: what a replica waits for, and for whom.

use core::time::Duration;

use crate::committee::ReplicaId;
use crate::digest::Digest;
use crate::io::Timer;
use crate::number::{Epoch, Seq, Time, View};
use crate::replica::{Replica, Standing};
use crate::signed::{Scheme, Verified};
use crate::slot::Slot;

/// A replica's own account of its state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// Whether it signs.
    pub standing: Standing,
    /// The epoch.
    pub epoch: Epoch,
    /// The view it is in, or wants to enter.
    pub view: View,
    /// Whether it is in the view.
    pub active: bool,
    /// The primary of the view.
    pub primary: ReplicaId,
    /// The highest certified block.
    pub stable: Seq,
    /// The highest executed block.
    pub executed: Seq,
    /// min(stable, executed).
    pub base: Seq,
    /// The last sequence number it votes on now.
    pub last: Seq,
    /// E, once it is known.
    pub end: Option<Seq>,
    /// Every open sequence number.
    pub slots: Vec<SlotExplanation>,
    /// Whose VIEW-CHANGEs it lacks for the view it wants to enter; empty while it is in one.
    pub view_changes_missing: Vec<ReplicaId>,
    /// The running timers and how long they have to run.
    pub timers: Vec<(Timer, Duration)>,
    /// Why it last changed the view; none while it is in the epoch's first one.
    pub departure: Option<Departure>,
    /// Why nothing moves, when nothing does.
    pub standstill: Option<Standstill>,
}

/// Why a replica is no longer in the view before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Departure {
    /// The request timer ran out.
    Timeout,
    /// The primary brought less than half of what it could (timer rule 5).
    SlowPrimary,
    /// The new primary did not begin its view in time.
    NoNewView,
    /// f + 1 others had left.
    Others,
    /// The next view had begun before this replica missed anything.
    Begun,
}

/// What is going on at one sequence number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotExplanation {
    /// The sequence number.
    pub seq: Seq,
    /// How far it is.
    pub phase: Phase,
    /// The members whose votes for that phase are here.
    pub present: Vec<ReplicaId>,
    /// The members whose votes for that phase are missing.
    pub missing: Vec<ReplicaId>,
}

/// What a sequence number waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The primary's proposal.
    PrePrepare,
    /// The bytes of a batch that is certified, or that the host has not found valid.
    Batch,
    /// PREPAREs.
    Prepare,
    /// COMMITs.
    Commit,
    /// Its execution, or the blocks below it.
    Execution,
    /// CHECKPOINTs.
    Checkpoint,
}

/// Why a replica does not go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standstill {
    /// Its own result differs from the certified one.
    Diverged {
        /// The block.
        seq: Seq,
    },
    /// Too few members have left the old view.
    NoQuorumForView {
        /// The view it wants to enter.
        view: View,
    },
    /// The primary of the next view has not begun it.
    NoNewView {
        /// The primary that it waits for.
        primary: ReplicaId,
    },
    /// Blocks are certified that it does not have.
    BlocksMissing {
        /// The first one it lacks.
        from: Seq,
        /// The newest one.
        to: Seq,
    },
    /// Results differ: no header of this block is signed by a quorum.
    NoCommonResult {
        /// The block.
        seq: Seq,
        /// Who signed what.
        signed: Vec<(ReplicaId, Digest)>,
    },
    /// A sequence number waits for votes or a batch.
    Waiting {
        /// Which one; the lowest.
        seq: Seq,
        /// What for.
        phase: Phase,
    },
}

impl<S: Scheme> Replica<S> {
    /// View, primary, phase of each open sequence number, votes present and missing, timers,
    /// water marks, and why it does not go on.
    pub fn explanation(&self, now: Time) -> Explanation {
        let slots: Vec<_> = self
            .slots
            .iter()
            .filter_map(|(seq, slot)| self.explain_slot(*seq, slot))
            .collect();
        let left: Vec<ReplicaId> = self.leavers().collect();
        let missing = self
            .committee
            .members()
            .filter(|one| !self.active && !left.contains(one));
        Explanation {
            standing: self.standing,
            epoch: self.committee.epoch(),
            view: self.view,
            active: self.active,
            primary: self.committee.primary(self.view),
            stable: self.stable_seq(),
            executed: self.executed,
            base: self.base(),
            last: self.base().plus(self.parameters.window),
            end: self.end,
            departure: self.departure,
            view_changes_missing: missing.collect(),
            timers: self
                .deadlines
                .iter()
                .map(|(timer, at)| (*timer, at.since(now)))
                .collect(),
            standstill: self.standstill(left.len(), &slots),
            slots,
        }
    }

    /// What one sequence number waits for.
    fn explain_slot(&self, seq: Seq, slot: &Slot) -> Option<SlotExplanation> {
        let view = self.view;
        let phase = self.phase(slot)?;
        let prepares = slot
            .prepares
            .values()
            .filter(|vote| vote.body().view == view);
        let commits = slot
            .commits
            .values()
            .filter(|vote| vote.body().view == view);
        let present: Vec<ReplicaId> = match phase {
            Phase::Prepare => prepares.map(Verified::from).collect(),
            Phase::Commit => commits.map(Verified::from).collect(),
            Phase::Checkpoint => {
                let tally = self.tallies.get(&seq);
                tally
                    .map(|tally| tally.votes.keys().copied().collect())
                    .unwrap_or_default()
            }
            Phase::PrePrepare | Phase::Batch | Phase::Execution => Vec::new(),
        };
        let primary = self.committee.primary(view);
        let expected = self.committee.members().filter(|one| match phase {
            Phase::PrePrepare => *one == primary,
            Phase::Prepare => *one != primary,
            Phase::Commit | Phase::Checkpoint => true,
            Phase::Batch | Phase::Execution => false,
        });
        let missing = expected.filter(|one| !present.contains(one)).collect();
        Some(SlotExplanation {
            seq,
            phase,
            present,
            missing,
        })
    }

    /// The phase of a slot in which something has happened.
    fn phase(&self, slot: &Slot) -> Option<Phase> {
        if slot.executed.is_some() {
            return Some(Phase::Checkpoint);
        }
        if slot.lacks_batch().is_some() {
            return Some(Phase::Batch);
        }
        if slot.committed.is_some() {
            return Some(Phase::Execution);
        }
        let Some(digest) = slot.proposed(self.view) else {
            let voted = !slot.prepares.is_empty() || !slot.commits.is_empty();
            return voted.then_some(Phase::PrePrepare);
        };
        let phase = if slot.is_prepared(self.view) {
            Phase::Commit
        } else if slot.is_valid(digest) {
            Phase::Prepare
        } else {
            Phase::Batch
        };
        Some(phase)
    }

    /// Why nothing moves; `left` members have left the old view.
    fn standstill(&self, left: usize, slots: &[SlotExplanation]) -> Option<Standstill> {
        if let Some(divergence) = self.diverged {
            return Some(Standstill::Diverged {
                seq: divergence.seq,
            });
        }
        if !self.active && left < self.committee.quorum() {
            return Some(Standstill::NoQuorumForView { view: self.view });
        }
        if !self.active {
            return Some(Standstill::NoNewView {
                primary: self.committee.primary(self.view),
            });
        }
        if self.stable_seq() > self.dispatched {
            let (from, to) = (self.dispatched.next(), self.stable_seq());
            return Some(Standstill::BlocksMissing { from, to });
        }
        if let Some((seq, signed)) = self.split_result() {
            return Some(Standstill::NoCommonResult { seq, signed });
        }
        let lowest = slots.first()?;
        Some(Standstill::Waiting {
            seq: lowest.seq,
            phase: lowest.phase,
        })
    }

    /// A block whose CHECKPOINTs can no longer come to a quorum, and who signed what.
    fn split_result(&self) -> Option<(Seq, Vec<(ReplicaId, Digest)>)> {
        let open = self.tallies.range(self.stable_seq().next()..);
        let split = open.map(|(seq, tally)| {
            let signed: Vec<_> = tally
                .votes
                .values()
                .map(|vote| (vote.from(), vote.body().header))
                .collect();
            (*seq, signed)
        });
        let mut split = split.filter(|(_, signed)| {
            let most = signed
                .iter()
                .map(|(_, header)| signed.iter().filter(|(_, other)| other == header).count());
            let unsigned = self.committee.size().saturating_sub(signed.len());
            most.max().unwrap_or(0).saturating_add(unsigned) < self.committee.quorum()
        });
        split.next()
    }
}
