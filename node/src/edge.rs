//! From bytes to inputs: decoding and every signature check happens here, off the replica's thread.
//!
//! Each member's frames come one after the other on a task of their own. A frame that cannot have been sent by an honest
//! node closes the connection; one that is only late or unacceptable is counted and dropped.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use consensus::{
    Checkpoint, Epoch, Frame, Input, Message, Proposed, Rejected, ReplicaId, Seq, Time, ValidBatch,
};
use contract::{
    BlockTime, Genesis, Height, Invalid, Malformed, Parameters, Unacceptable, check_batch_with,
    contracts::membership,
};
use tokio::{sync::mpsc, task::block_in_place};
use tracing::debug;

use crate::{
    build::{self, Build},
    checkpoints::Checkpoints,
    clock::Clock,
    driver::Event,
    ledger::Ledger,
    limits,
    mempool::{SubmitError, Submitter},
    metrics::{Metrics, Reason},
    network::{Inbox, MemberIndex, Refusal, frame::Kind},
    roster::Roster,
    sync,
    term::{Term, Terms},
};

/// A frame this long is checked where the other tasks of its thread do not wait for it.
const HEAVY: usize = 4 * 1024;

/// What the network's bytes are checked with, and where they go.
#[derive(Clone, Debug)]
pub struct Edge(Arc<Shared>);

/// The parts of an [`Edge`].
#[derive(Debug)]
pub struct Parts {
    /// Whose signatures count.
    pub terms: Terms,
    /// The ledger's rules.
    pub genesis: Arc<Genesis>,
    /// The pool, which knows what was checked before.
    pub pool: Submitter,
    /// Answers sync requests.
    pub ledger: Ledger,
    /// The driver.
    pub events: mpsc::Sender<Event>,
    /// What was noticed of members.
    pub roster: Roster,
    /// Who signed which result.
    pub checkpoints: Checkpoints,
    /// The clocks.
    pub clock: Clock,
    /// The counters.
    pub metrics: Metrics,
    /// What this program is.
    pub build: Build,
}

/// The parts, and when each latecomer was last answered.
#[derive(Debug)]
struct Shared {
    parts: Parts,
    answered: Mutex<BTreeMap<MemberIndex, Time>>,
}

impl Edge {
    /// An edge of these parts.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(Shared {
            parts,
            answered: Mutex::default(),
        }))
    }

    /// A frame of the replicas' talk as an event.
    fn check(&self, from: MemberIndex, bytes: &[u8]) -> Result<Option<Event>, Refusal> {
        let parts = &self.0.parts;
        let frame = Frame::decode(bytes).map_err(|_shape| Refusal("malformed"))?;
        let term = Arc::clone(&parts.terms.borrow());
        let epoch = frame.epoch().unwrap_or_else(|| term.epoch());
        let place = match term.place(from).filter(|_| epoch == term.epoch()) {
            Some(place) => place,
            None if epoch > term.epoch() => return Ok(Some(Event::of(Input::Overtaken))),
            None => return Ok(self.answer_latecomer(from, epoch, &frame)),
        };
        let input = match frame.verify(place, &term.committee) {
            Ok(input) => input,
            Err(rejected) => return self.refuse(from, &rejected),
        };
        self.notice(from, place, &input, &term);
        if let Input::Message(Message::PrePrepare(proposal, Proposed::Unchecked(batch))) = input {
            let proposed = self.judge(batch, &term.rules);
            let message = Message::PrePrepare(proposal, proposed);
            return Ok(Some(Event::of(Input::Message(message))));
        }
        Ok(Some(Event::of(input)))
    }

    /// Separates what no honest member sends from what is only late.
    fn refuse(&self, from: MemberIndex, rejected: &Rejected) -> Result<Option<Event>, Refusal> {
        debug!(member = from, %rejected, "frame refused");
        if let Some(reason) = fault(rejected) {
            return Err(Refusal(reason));
        }
        let late = Reason { reason: "late" };
        self.0
            .parts
            .metrics
            .refused_frames
            .get_or_create(&late)
            .inc();
        Ok(None)
    }

    /// The vote-time check: pure, apart from this node's clock.
    fn judge(&self, batch: consensus::Batch, rules: &Parameters) -> Proposed {
        let parts = &self.0.parts;
        let now = BlockTime::new(parts.clock.wall_ms());
        let chain = parts.genesis.chain();
        match check_batch_with(batch.bytes(), chain, rules, now, &parts.pool) {
            Ok(checked) => {
                parts.pool.passed(checked);
                Proposed::Valid(ValidBatch::checked(batch))
            }
            Err(why) => {
                debug!(%why, "a proposed batch is not acceptable");
                let reason = Reason {
                    reason: unacceptable(&why),
                };
                parts.metrics.refused_frames.get_or_create(&reason).inc();
                Proposed::Unchecked(batch)
            }
        }
    }

    /// Notes how high a member says it is, and which results it and others signed.
    fn notice(&self, from: MemberIndex, place: ReplicaId, input: &Input, term: &Term) {
        let parts = &self.0.parts;
        let told = |height: Seq| parts.roster.told_height(from, height.get());
        if let Input::Status { status, .. } = input {
            told(status.stable);
        }
        if let Input::Message(Message::Stable(certificate)) = input {
            told(certificate.seq);
            parts.checkpoints.certified(term, certificate);
        }
        if let Input::Message(Message::Checkpoint(vote)) = input {
            let Checkpoint { seq, header } = *vote.body();
            if vote.from() == place {
                told(seq);
            }
            parts.checkpoints.signed(term, (seq, header), vote.from());
        }
    }

    /// Brings somebody on who is still in an ended epoch, or follows without a seat; now and then, whatever it sends.
    fn answer_latecomer(&self, from: MemberIndex, epoch: Epoch, frame: &Frame) -> Option<Event> {
        let parts = &self.0.parts;
        let asks = matches!(frame, Frame::Status(_) | Frame::ViewChange(_));
        if !asks || !self.spare(from) {
            return None;
        }
        let epoch = contract::Epoch::new(epoch.get());
        let past = membership::committee_of(&parts.ledger.state(), epoch).ok()??;
        let certified = parts.ledger.certified().height;
        let last = past.last.unwrap_or(certified).min(certified);
        let certificate = |seq: Seq| {
            let height = Height::new(seq.get());
            parts.ledger.certificate(height).ok().flatten()
        };
        let answers = frame.answer_to_latecomer(Seq::new(last.get()), certificate);
        Some(Event::Answer(from, answers))
    }

    /// Whether it is time to answer this one again.
    fn spare(&self, from: MemberIndex) -> bool {
        let now = self.0.parts.clock.now();
        let mut answered = (self.0.answered)
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let due = answered
            .get(&from)
            .is_none_or(|last| now.since(*last) >= limits::LATECOMER_PAUSE);
        if due {
            answered.insert(from, now);
        }
        due
    }

    /// A transaction that was submitted at another member.
    fn gossip(&self, payload: Vec<u8>) -> Result<(), Refusal> {
        match self.0.parts.pool.gossiped(payload) {
            Ok(_new) => Ok(()),
            Err(SubmitError::Malformed(_)) => Err(Refusal("transaction_malformed")),
            Err(SubmitError::Invalid(why)) if !is_limit(&why) => {
                Err(Refusal("transaction_invalid"))
            }
            Err(why) => {
                debug!(%why, "a member's transaction is not taken");
                Ok(())
            }
        }
    }

    /// Hands an event to the driver; waits while it has too much to do.
    async fn tell(&self, event: Event) {
        if self.0.parts.events.send(event).await.is_err() {
            debug!("the driver has stopped");
        }
    }

    /// Tells the driver that its status has changed, if it has room.
    fn nudge(&self) {
        if self.0.parts.events.try_send(Event::Noticed).is_err() {
            debug!("the driver is busy and will publish its status anyway");
        }
    }
}

impl Inbox for Edge {
    async fn frame(&self, from: MemberIndex, kind: Kind, payload: Vec<u8>) -> Result<(), Refusal> {
        self.0
            .parts
            .roster
            .heard(from, self.0.parts.clock.wall_ms());
        match kind {
            Kind::Consensus => {
                let check = || self.check(from, &payload);
                let event = if payload.len() > HEAVY {
                    block_in_place(check)
                } else {
                    check()
                };
                if let Some(event) = event? {
                    self.tell(event).await;
                }
                Ok(())
            }
            Kind::Transaction if payload.len() > HEAVY => block_in_place(|| self.gossip(payload)),
            Kind::Transaction => self.gossip(payload),
            Kind::Ping | Kind::Pong => Ok(()),
        }
    }

    async fn reconnected(&self, member: MemberIndex) {
        self.0.parts.roster.connected(member);
        self.tell(Event::Reconnected(member)).await;
    }

    fn lost(&self, member: MemberIndex) {
        self.0.parts.roster.lost(member);
        self.nudge();
    }

    fn skew(&self, member: MemberIndex, skew_ms: i64) {
        self.0
            .parts
            .roster
            .heard(member, self.0.parts.clock.wall_ms());
        self.0.parts.roster.measured(member, skew_ms);
        self.nudge();
    }

    fn answer(&self, _from: MemberIndex, request: &[u8]) -> Vec<u8> {
        if request == build::QUESTION {
            return self.0.parts.build.encode();
        }
        if let Some(answer) = self.0.parts.ledger.snapshot_answer(request) {
            return answer;
        }
        sync::answer(request, |height| {
            let found = self
                .0
                .parts
                .ledger
                .certified_block(Height::new(height))
                .ok()??;
            let (header, batch, certificate) = found;
            Some(sync::RawBlock {
                header,
                batch,
                certificate,
            })
        })
    }
}

/// The name of a rejection that no honest member causes.
const fn fault(rejected: &Rejected) -> Option<&'static str> {
    match rejected {
        Rejected::NotAMember { .. } => Some("not_a_member"),
        Rejected::BadSignature { .. } => Some("bad_signature"),
        Rejected::BadCertificate { .. } => Some("bad_certificate"),
        Rejected::BadNewView { .. } => Some("bad_new_view"),
        Rejected::OtherBatch { .. } => Some("other_batch"),
        Rejected::OtherHeader { .. } => Some("other_header"),
        Rejected::NotPrimary { .. } => Some("not_primary"),
        Rejected::PrepareOfPrimary { .. } => Some("prepare_of_primary"),
        Rejected::Oversized { .. } => Some("oversized_status"),
        Rejected::WrongEpoch { .. }
        | Rejected::OldView { .. }
        | Rejected::NotInView { .. }
        | Rejected::OutsideWindow { .. }
        | Rejected::Known
        | Rejected::Unwanted
        | Rejected::NotProposing
        | Rejected::NotExecuting { .. }
        | Rejected::StaleTimer
        | Rejected::Diverged { .. } => None,
    }
}

/// Whether a transaction exceeds a limit of this node's epoch: an honest member in another epoch may have a higher one.
const fn is_limit(why: &Invalid) -> bool {
    matches!(
        why,
        Invalid::Malformed(Malformed::TooLong { .. }) | Invalid::TooManyEntries { .. }
    )
}

/// The name of a batch's fault.
const fn unacceptable(why: &Unacceptable) -> &'static str {
    match why {
        Unacceptable::Malformed(_) => "batch_malformed",
        Unacceptable::TooManyResults { .. } => "batch_too_many_results",
        Unacceptable::Transaction { .. } => "batch_transaction",
        Unacceptable::Repeated(_) => "batch_repeated",
        Unacceptable::TooOld(_) => "batch_too_old",
        Unacceptable::TooNew(_) => "batch_too_new",
    }
}
