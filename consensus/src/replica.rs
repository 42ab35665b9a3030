//! The replica: one epoch of one member, as a state machine that does nothing but compute.

mod carry_over;
mod catch_up;
mod checkpoint;
mod explain;
mod normal;
mod pace;
mod propose;
mod reached;
mod recover;
mod replay;
mod retransmit;
mod timers;
mod view_change;

use core::fmt;
use core::time::Duration;
use std::collections::BTreeMap;

use crate::block::Divergence;
use crate::certificate::{CheckpointCertificate, Proven};
use crate::committee::{Committee, ReplicaId};
use crate::digest::Digest;
use crate::error::Rejected;
use crate::frame::Frame;
use crate::io::{Effect, Effects, Input, Message, Pending, Timer};
use crate::message::{NewView, ViewChange, WINDOW_MAX};
use crate::number::{Epoch, Seq, Time, View};
use crate::record::Record;
use crate::signed::{Scheme, Signed, Verified};
use crate::slot::Slot;

use catch_up::Waiting;
use checkpoint::Tally;
use pace::Pace;
use reached::Reached;
use retransmit::Lack;
use timers::Wait;

pub use explain::{Departure, Explanation, Phase, SlotExplanation, Standstill};
pub use recover::{Log, Lost, Standing};

/// What the genesis file says about consensus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameters {
    /// W, at most [`WINDOW_MAX`]: how far above `base` a replica votes.
    pub window: u64,
    /// D: how many of its proposals a primary leaves uncommitted before it waits for full batches.
    pub depth: u64,
    /// The most bytes of uncommitted proposals.
    pub in_flight_bytes_max: usize,
    /// The most bytes of one batch.
    pub batch_bytes_max: usize,
    /// The most bytes that a peer is sent in answer to its STATUS within a second, but for the frame that reaches it.
    pub status_bytes_per_second: u64,
    /// T0: how long a transaction may wait before its primary is suspected.
    pub timeout: Duration,
    /// How long nothing may be ordered before the primary proposes an empty batch with a time.
    pub heartbeat: Duration,
}

impl Parameters {
    /// For members in one building or city.
    pub const LAN: Self = Self {
        window: WINDOW_MAX,
        depth: 2,
        in_flight_bytes_max: 16 * 1024 * 1024,
        batch_bytes_max: 512 * 1024,
        status_bytes_per_second: 4 * 1024 * 1024,
        timeout: Duration::from_millis(600),
        heartbeat: Duration::from_mins(1),
    };
}

/// Everything that a replica needs to know before it can start.
#[derive(Debug)]
pub struct Setup<S: Scheme> {
    /// The members of the epoch.
    pub committee: Committee<S>,
    /// This member's key.
    pub key: S,
    /// What the genesis file says.
    pub parameters: Parameters,
    /// The block before the epoch's first one; 0 in the first epoch.
    pub origin: Seq,
    /// E, when a block in the host's store has decided it already.
    pub end: Option<Seq>,
}

/// One member's part in one epoch.
#[expect(
    clippy::struct_excessive_bools,
    reason = "four facts that are independent of each other"
)]
pub struct Replica<S: Scheme> {
    /// The members of the epoch.
    committee: Committee<S>,
    /// This member's key.
    key: S,
    /// What the genesis file says.
    parameters: Parameters,
    /// The block before the epoch's first one.
    origin: Seq,
    /// Whether this replica signs, and if not, why.
    standing: Standing,
    /// How a log of its begins: whose it is, and the certificate with which the last epoch ended.
    birth: Vec<Record>,
    /// The view it is in, or wants to enter.
    view: View,
    /// Whether it is in the view; otherwise it has sent a VIEW-CHANGE for it.
    active: bool,
    /// Its VIEW-CHANGE for `view`, while it is not in it.
    leaving: Option<Signed<ViewChange>>,
    /// Why it changed to `view`.
    departure: Option<Departure>,
    /// The NEW-VIEW of `view`, while it is in it.
    entered: Option<Signed<NewView>>,
    /// The VIEW-CHANGE of the highest view from each member, for views not entered.
    view_changes: BTreeMap<ReplicaId, Verified<ViewChange>>,
    /// Everything above `base`.
    slots: BTreeMap<Seq, Slot>,
    /// CHECKPOINTs and certificates of recent blocks.
    tallies: BTreeMap<Seq, Tally>,
    /// Every block up to here is certified, or lies W below the highest that is.
    certified: Seq,
    /// The certificate of the highest certified block; none before the epoch's first.
    stable: Option<Proven<CheckpointCertificate>>,
    /// The highest block executed here.
    executed: Seq,
    /// The highest block handed over for execution.
    dispatched: Seq,
    /// Blocks from peers that wait for their turn.
    fetched: BTreeMap<Seq, Waiting>,
    /// Whether blocks are being fetched.
    fetching: bool,
    /// The next sequence number that it proposes as primary.
    next: Seq,
    /// E, once it is known.
    end: Option<Seq>,
    /// Set when its own result differs from the certified one.
    diverged: Option<Divergence>,
    /// When each running timer runs out.
    deadlines: BTreeMap<Timer, Time>,
    /// What the request timer runs for.
    waiting_for: Option<Wait>,
    /// k: view changes since a transaction that was pending when the view began was executed.
    attempts: u32,
    /// When each peer could be reached.
    reached: BTreeMap<ReplicaId, Reached>,
    /// What waits in the pool.
    pending: Pending,
    /// What waited when the view began.
    pending_at_entry: Pending,
    /// When something was last ordered.
    ordered_at: Time,
    /// Whether nothing was ordered for longer than the heartbeat.
    heartbeat_due: bool,
    /// The primary's pace and the best one seen.
    pace: Pace,
    /// Grows with everything that brings the replica on.
    progress: u64,
    /// `progress` when the status timer last ran out.
    progress_seen: u64,
    /// What was lacking when the status timer last ran out.
    lacked: Lack,
    /// Messages came for sequence numbers far beyond the window.
    behind: bool,
    /// What each peer was sent in answer to its STATUS: since when, how many bytes.
    shares: BTreeMap<ReplicaId, (Time, u64)>,
    /// The time of the running step.
    now: Time,
    /// What the running step has brought about so far.
    effects: Effects,
}

impl<S: Scheme> Replica<S> {
    /// Takes one input to its effects, to be performed in order. On `Err` nothing has changed.
    pub fn step(&mut self, now: Time, input: Input) -> Result<Effects, Rejected> {
        if let Some(divergence) = self.diverged {
            return Err(Rejected::Diverged {
                seq: divergence.seq,
            });
        }
        self.now = now;
        match input {
            Input::Message(message) => self.on_message(message)?,
            Input::Batch(batch) => self.on_batch(batch.into_batch())?,
            Input::Executed {
                seq,
                header,
                epoch_end,
            } => {
                self.on_executed(seq, header, epoch_end)?;
            }
            Input::Status { from, status } => self.on_status(from, &status)?,
            Input::Fetched(block) => self.on_fetched(block)?,
            Input::Expired(timer) => self.on_expired(timer)?,
            Input::Reconnected(peer) => self.on_reconnected(peer)?,
            Input::Pending(pending) => self.on_pending(pending),
            Input::Overtaken => self.behind = true,
        }
        self.settle();
        Ok(core::mem::take(&mut self.effects))
    }

    /// Dispatches a verified message. One that was verified for another epoch may come when
    /// the host has just gone on to this one.
    fn on_message(&mut self, message: Message) -> Result<(), Rejected> {
        message
            .epoch()
            .map_or(Ok(()), |epoch| self.check_epoch(epoch))?;
        match message {
            Message::PrePrepare(proposal, proposed) => self.on_pre_prepare(proposal, &proposed),
            Message::Prepare(vote) => self.on_prepare(vote),
            Message::Commit(vote) => self.on_commit(vote),
            Message::Checkpoint(vote) => self.on_checkpoint(vote),
            Message::ViewChange(change) => self.on_view_change(change),
            Message::NewView(new_view) => self.on_new_view(new_view),
            Message::Prepared(certificate) => self.on_prepared(certificate),
            Message::Committed(certificate) => self.on_committed(certificate),
            Message::Stable(certificate) => self.on_stable(certificate),
            Message::Batch(batch) => self.on_missing_batch(batch),
        }
    }

    /// Refuses what was said in another epoch: no vote of one committee counts for another.
    fn check_epoch(&self, epoch: Epoch) -> Result<(), Rejected> {
        let ours = self.committee.epoch();
        (epoch == ours)
            .then_some(())
            .ok_or(Rejected::WrongEpoch { epoch, ours })
    }

    /// What follows every step, whatever it was.
    fn settle(&mut self) {
        if self.diverged.is_none() {
            self.fill_to_end();
            self.watch_requests();
            self.watch_status();
        }
    }

    /// Whether this batch is kept as a proposal that may still be ordered: a host cuts its
    /// transactions no second time until they are executed or [`Effect::Dropped`] gives them back.
    pub fn is_under_way(&self, digest: Digest) -> bool {
        let held = |slot: &Slot| slot.batches.get(&digest).is_some_and(|held| !held.dropped);
        self.slots.values().any(held)
    }

    /// This replica's place in the committee, if it may sign.
    const fn voter(&self) -> Option<ReplicaId> {
        match self.standing {
            Standing::Voter(me) => Some(me),
            Standing::Observer(_) => None,
        }
    }

    /// Whether this replica may sign and is the primary of its view.
    fn is_primary(&self) -> bool {
        self.voter() == Some(self.committee.primary(self.view))
    }

    /// The highest certified block.
    fn stable_seq(&self) -> Seq {
        self.stable
            .as_ref()
            .map_or(self.origin, |certificate| certificate.seq)
    }

    /// min(certified, executed): nothing at or below it is voted on or kept.
    fn base(&self) -> Seq {
        self.certified.min(self.executed)
    }

    /// Whether this replica votes at this sequence number: stable < seq ≤ base + W, not beyond
    /// E. What is certified needs no vote, and the log may have dropped what was voted there.
    fn votes_at(&self, seq: Seq) -> bool {
        let last = self.base().plus(self.parameters.window);
        self.stable_seq() < seq && seq <= last && self.end.is_none_or(|end| seq <= end)
    }

    /// Whether messages of this sequence number are kept: base < seq ≤ stable + 2W, and no more
    /// than 3W of them while this replica is so far behind that it fetches blocks.
    fn keeps(&self, seq: Seq) -> Result<(), Rejected> {
        let window = self.parameters.window;
        let last = self.stable_seq().plus(window.saturating_mul(2));
        let last = last.min(self.base().plus(window.saturating_mul(3)));
        let inside = self.base() < seq && seq <= last && self.end.is_none_or(|end| seq <= end);
        if inside {
            Ok(())
        } else {
            Err(Rejected::OutsideWindow { seq })
        }
    }

    /// Appends to the vote log. A node that lost its votes has no log to write to.
    fn persist(&mut self, record: Record) {
        if self.voter().is_some() {
            self.effects.push(Effect::Persist(record));
        }
    }

    /// Sends a message of its own to all, behind the record that it rests on.
    fn vote(&mut self, record: Record, frame: Frame) {
        debug_assert!(self.voter().is_some(), "only a voter signs");
        self.effects.push(Effect::Persist(record));
        self.effects.push(Effect::Broadcast(frame));
        self.moved();
    }

    /// Notes that something has brought the replica on.
    const fn moved(&mut self) {
        self.progress = self.progress.wrapping_add(1);
    }

    /// Whether this replica may sign, and if not, why.
    pub const fn standing(&self) -> Standing {
        self.standing
    }

    /// The highest block that has a certificate here.
    pub fn stable(&self) -> Seq {
        self.stable_seq()
    }

    /// The highest block below which nothing is voted on or kept: a segment of the vote log may
    /// go when everything in it is at or below this, and in the store.
    pub fn settled(&self) -> Seq {
        self.base()
    }

    /// E's certificate, once E and every block below it are executed here and certified: nothing
    /// is left to do in this epoch, and the host starts the next one's replica with origin E.
    pub fn ended(&self) -> Option<&CheckpointCertificate> {
        let end = self.end?;
        let stable = self.stable.as_deref()?;
        let whole = stable.seq == end && self.base() == end && self.diverged.is_none();
        whole.then_some(stable)
    }

    /// The highest block executed here.
    pub const fn executed(&self) -> Seq {
        self.executed
    }

    /// The view it is in, or wants to enter.
    pub const fn view(&self) -> View {
        self.view
    }
}

impl<S: Scheme> fmt::Debug for Replica<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let who = (self.standing, self.view, self.active);
        write!(
            f,
            "replica({who:?}, stable {}, executed {})",
            self.stable_seq(),
            self.executed
        )
    }
}
