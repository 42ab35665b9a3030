//! Performs each effect, in order: records first, one flush for all of them, and only then what rests on them.

mod phases;
mod timers;

use std::{sync::Arc, time::Duration};

use consensus::{
    Batch, CheckpointCertificate, Digest, Divergence, Ed25519, Effect, Effects, Record,
    RecoverError, Replica, ReplicaId, Seq, Standing, Time, Timer, ValidBatch, Want,
};
use contract::BlockTime;
use tracing::{debug, error, info, warn};

use crate::{
    accuser::Accuser,
    checkpoints::Checkpoints,
    clock::Clock,
    executor::{Executor, ExecutorError, Gone, Mismatch},
    limits,
    mempool::Mempool,
    metrics::Metrics,
    network::{
        MemberIndex, Network,
        frame::{Frame, Kind},
    },
    roster::Roster,
    sync::{Fetcher, Range, Source},
    term::{Term, TermError},
    votelog::{VoteLog, VoteLogError},
};
use phases::Phases;
use timers::Timers;

/// A primary whose clock is this far off the others' does not propose.
const RESTRAINT_MS: u64 = 2_000;

/// Why a node cannot go on: it could break a promise to the others.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// A record could not be made durable, so nothing that rests on it may leave.
    #[error(
        "the vote log cannot be written, so this node stops before it could forget a vote: {0}"
    )]
    VoteLog(#[from] VoteLogError),
    /// The executor had to end.
    #[error(transparent)]
    Executor(#[from] ExecutorError),
    /// The executor has ended.
    #[error(transparent)]
    ExecutorGone(#[from] Gone),
    /// This node's result of a block is not the certified one.
    #[error("{0}: this node signs nothing more, and its reads are not to be trusted")]
    Diverged(Mismatch),
    /// The ledger's account of the next epoch cannot be used.
    #[error(transparent)]
    Term(#[from] TermError),
    /// The vote log and the store do not fit together.
    #[error(transparent)]
    Recover(#[from] RecoverError),
    /// The driver's thread ended without a word.
    #[error("the driver's thread ended by a fault of this program")]
    Broken,
}

/// What effects are performed with.
#[derive(Debug)]
pub struct Parts {
    /// The vote log; none at a node that lost its votes.
    pub log: Option<VoteLog>,
    /// The other members.
    pub network: Network,
    /// The executor.
    pub executor: Executor,
    /// The pool.
    pub pool: Mempool,
    /// Fetches blocks.
    pub fetcher: Fetcher,
    /// Whom to ask for the certified header when this node's is another one.
    pub source: Source,
    /// Tells the ledger of contradictions.
    pub accuser: Accuser,
    /// Notes who signed which result.
    pub checkpoints: Checkpoints,
    /// The running epoch.
    pub term: Arc<Term>,
    /// What was noticed of members.
    pub roster: Roster,
    /// The clocks.
    pub clock: Clock,
    /// The numbers.
    pub metrics: Metrics,
}

/// What waits for the flush of the records before it.
#[derive(Debug)]
enum Held {
    All(Frame),
    One(MemberIndex, Frame),
    Certified(CheckpointCertificate),
}

/// Performs effects.
#[derive(Debug)]
pub struct Host {
    parts: Parts,
    timers: Timers,
    phases: Phases,
    /// How many records wait for a flush.
    unflushed: usize,
    held: Vec<Held>,
    diverged: Option<Divergence>,
    /// Whether the store is being made durable.
    syncing: bool,
    /// How far this clock is off the others', while that is too far to propose.
    restrained: Option<i64>,
}

impl Host {
    /// Nothing is armed and nothing waits.
    pub fn new(parts: Parts) -> Self {
        Self {
            parts,
            timers: Timers::default(),
            phases: Phases::default(),
            unflushed: 0,
            held: Vec::new(),
            diverged: None,
            syncing: false,
            restrained: None,
        }
    }

    /// Performs the effects of one step, except for what must wait for [`Self::commit`].
    pub fn perform(&mut self, effects: Effects) -> Result<(), HostError> {
        for effect in effects {
            self.one(effect)?;
        }
        Ok(())
    }

    /// Performs one effect, or holds it.
    fn one(&mut self, effect: Effect) -> Result<(), HostError> {
        match effect {
            Effect::Persist(record) => self.persist(&record)?,
            Effect::Broadcast(frame) => {
                if matches!(frame, consensus::Frame::ViewChange(_)) {
                    self.complain();
                }
                if let consensus::Frame::Checkpoint(own) = &frame {
                    let body = own.body;
                    self.note((body.seq, body.header), own.from);
                }
                self.held.push(Held::All(encoded(&frame)));
            }
            Effect::Send(to, frame) => {
                let peer = self.parts.term.peer(to);
                (self.held).extend(peer.map(|peer| Held::One(peer, encoded(&frame))));
            }
            Effect::Certified(proven) => self.held.push(Held::Certified(proven.into_inner())),
            Effect::Execute(committed) => {
                self.parts.executor.execute(committed)?;
            }
            Effect::Fetch { from, to } => self.parts.fetcher.fetch(Range { from, to }),
            Effect::Arm(timer, wait) => self.timers.arm(timer, self.parts.clock.now().after(wait)),
            Effect::Disarm(timer) => self.timers.disarm(timer),
            Effect::Dropped(batch) => self.parts.pool.returned(batch.bytes()),
            Effect::Forward(primary) => self.forward(primary),
            Effect::Evidence(evidence) => {
                warn!(
                    event = "equivocation",
                    ?evidence,
                    "a member contradicted itself"
                );
                self.parts.accuser.accuse(*evidence);
            }
            Effect::Diverged(divergence) => self.diverge(divergence),
        }
        Ok(())
    }

    /// Appends a record to the vote log; it is not durable yet.
    fn persist(&mut self, record: &Record) -> Result<(), HostError> {
        self.phases
            .on_record(record, self.parts.clock.now(), &self.parts.metrics);
        if let Some(log) = &mut self.parts.log {
            log.append(record)?;
            self.unflushed = self.unflushed.saturating_add(1);
        }
        Ok(())
    }

    /// Notes whose result of a block which header is.
    fn note(&self, result: (Seq, Digest), member: ReplicaId) {
        self.parts
            .checkpoints
            .signed(&self.parts.term, result, member);
    }

    /// Makes all records durable with one flush.
    pub fn flush(&mut self) -> Result<(), HostError> {
        if let Some(log) = &mut self.parts.log
            && std::mem::take(&mut self.unflushed) > 0
        {
            let before = self.parts.clock.now();
            log.sync()?;
            let took = self.parts.clock.now().since(before);
            self.parts.metrics.vote_flush.observe(took.as_secs_f64());
        }
        Ok(())
    }

    /// Makes all records durable, then lets go of what rested on them.
    pub fn commit(&mut self) -> Result<(), HostError> {
        self.flush()?;
        for held in std::mem::take(&mut self.held) {
            match held {
                Held::All(frame) => self.parts.network.broadcast(&frame),
                Held::One(to, frame) => self.parts.network.send(to, frame),
                Held::Certified(certificate) => self.certified(certificate)?,
            }
        }
        Ok(())
    }

    /// A block is final.
    fn certified(&mut self, certificate: CheckpointCertificate) -> Result<(), HostError> {
        let height = certificate.seq.get();
        self.parts
            .checkpoints
            .certified(&self.parts.term, &certificate);
        info!(
            event = "block_certified",
            height,
            signers = certificate.checkpoints.len(),
            "block"
        );
        self.phases
            .on_certified(certificate.seq, self.parts.clock.now(), &self.parts.metrics);
        self.parts
            .metrics
            .checkpoint_height
            .set(i64::try_from(height).unwrap_or(i64::MAX));
        Ok(self.parts.executor.certify(certificate)?)
    }

    /// Begins a new file of the vote log when the current one is long, and asks for what lets old ones go.
    pub fn tidy(&mut self, replica: &Replica<Ed25519>) -> Result<(), HostError> {
        let Some(log) = &mut self.parts.log else {
            return Ok(());
        };
        // A log that goes on in a later epoch must keep what stands there.
        let voter = matches!(replica.standing(), Standing::Voter(_));
        if voter && log.wants_roll() {
            log.roll(&replica.carry_over())?;
        }
        if !self.syncing && log.wants_release(replica.settled()) {
            self.parts.executor.sync()?;
            self.syncing = true;
        }
        Ok(())
    }

    /// Drops files of the vote log whose blocks are certified and durable in the store.
    pub fn release(&mut self, stable: Seq, durable: Seq) -> Result<(), HostError> {
        self.syncing = false;
        if let Some(log) = &mut self.parts.log {
            log.release(stable, durable)?;
        }
        Ok(())
    }

    /// A batch of the pool, if the replica should propose one now.
    pub fn cut(&mut self, want: Want) -> Option<ValidBatch> {
        let skew = self.parts.roster.median_skew().unwrap_or(0);
        let off = (skew.unsigned_abs() > RESTRAINT_MS).then_some(skew);
        let before = std::mem::replace(&mut self.restrained, off);
        if off.is_some() {
            if before.is_none() {
                warn!(
                    event = "clock",
                    skew_ms = skew,
                    "this clock is off the others': not proposing"
                );
            }
            return None;
        }
        let time = BlockTime::new(self.parts.clock.wall_ms());
        let bytes = match want {
            Want::Any { bytes_max } => self.parts.pool.cut(bytes_max, time)?,
            Want::Full { bytes_max } => self.parts.pool.cut_full(bytes_max, time)?,
            Want::Heartbeat { bytes_max } => self
                .parts
                .pool
                .cut(bytes_max, time)
                .unwrap_or_else(|| contract::encode_batch(time, [])),
        };
        Some(ValidBatch::checked(Batch::new(bytes)))
    }

    /// Sends the oldest pending transaction to the primary again.
    fn forward(&self, primary: ReplicaId) {
        if let Some(bytes) = self.parts.pool.oldest()
            && let Some(peer) = self.parts.term.peer(primary)
        {
            self.parts
                .network
                .send(peer, Frame::new(Kind::Transaction, bytes));
        }
    }

    /// Tells all what the primary is suspected for: they may not know of it.
    fn complain(&self) {
        if let Some(bytes) = self.parts.pool.oldest() {
            self.parts
                .network
                .broadcast(&Frame::new(Kind::Transaction, bytes));
        }
    }

    /// Goes on to another epoch: what ran for the last one is over, and nothing of it waits to be sent.
    pub fn enter(&mut self, term: Arc<Term>) -> Result<(), HostError> {
        self.commit()?;
        self.timers = Timers::default();
        self.phases = Phases::default();
        self.parts.term = term;
        Ok(())
    }

    /// The vote log, for the next epoch's replica.
    pub const fn log(&mut self) -> &mut Option<VoteLog> {
        &mut self.parts.log
    }

    /// All peers that frames go out to now.
    pub fn reachable(&self) -> Vec<MemberIndex> {
        self.parts.network.reachable()
    }

    /// Sends a peer what it asked for; nothing has to be durable for that.
    pub fn answer(&self, to: MemberIndex, frames: &[consensus::Frame]) {
        for frame in frames {
            self.parts.network.send(to, encoded(frame));
        }
    }

    /// Sends a member that is back what waits here: it may have missed it.
    pub fn greet(&self, member: MemberIndex) {
        for bytes in self.parts.pool.waiting(limits::GREETING) {
            self.parts
                .network
                .send(member, Frame::new(Kind::Transaction, bytes));
        }
    }

    /// The timers that have run out; each is told once.
    pub fn expired(&mut self, now: Time) -> Vec<Timer> {
        self.timers.expired(now)
    }

    /// How long until the next timer runs out.
    pub fn pause(&self, now: Time) -> Duration {
        self.timers.pause(now)
    }

    /// Set when this node's result differs from the certified one.
    pub const fn diverged(&self) -> Option<Divergence> {
        self.diverged
    }

    /// Asks for the certified header and has everything written down; the replica signs nothing more. The executor's
    /// answer ends the node.
    fn diverge(&mut self, divergence: Divergence) {
        let Divergence {
            seq,
            own,
            certified,
        } = divergence;
        error!(
            event = "diverged",
            height = seq.get(),
            ?own,
            ?certified,
            "this node's result differs from the certified one: it signs nothing more"
        );
        self.diverged = Some(divergence);
        let source = self.parts.source.clone();
        let executor = self.parts.executor.clone();
        tokio::spawn(async move {
            let header = source.header(seq, certified).await;
            if executor.diverged(divergence, header).is_err() {
                debug!("the executor has ended");
            }
        });
    }
}

/// A frame of the replicas' talk, encoded once for all receivers.
fn encoded(frame: &consensus::Frame) -> Frame {
    Frame::new(Kind::Consensus, frame.encode())
}
