//! From bytes to inputs: decoding and every signature check happens here, off the replica's thread.
//!
//! Each member's frames come one after the other on a task of their own. A frame that cannot have been sent by an honest
//! node closes the connection; one that is only late or unacceptable is counted and dropped.

use std::sync::Arc;

use consensus::{Committee, Frame, Input, Message, Proposed, Rejected, ReplicaId, ValidBatch};
use contract::{BlockTime, Genesis, Unacceptable, check_batch};
use tokio::{sync::mpsc, task::block_in_place};
use tracing::debug;

use crate::{
    clock::Clock,
    driver::Event,
    ledger::Ledger,
    mempool::{SubmitError, Submitter},
    metrics::{Metrics, Reason},
    network::{Inbox, MemberIndex, Refusal, frame::Kind},
    roster::Roster,
    sync,
};

/// A frame this long is checked where the other tasks of its thread do not wait for it.
const HEAVY: usize = 4 * 1024;

/// What the network's bytes are checked with, and where they go.
#[derive(Clone, Debug)]
pub struct Edge(Arc<Parts>);

/// The parts of an [`Edge`].
#[derive(Debug)]
pub struct Parts {
    /// Whose signatures count.
    pub committee: Committee,
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
    /// The clocks.
    pub clock: Clock,
    /// The counters.
    pub metrics: Metrics,
}

impl Edge {
    /// An edge of these parts.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// A frame of the replicas' talk as an input.
    fn check(&self, from: MemberIndex, bytes: &[u8]) -> Result<Option<Input>, Refusal> {
        let parts = &self.0;
        let frame = Frame::decode(bytes).map_err(|_shape| Refusal("malformed"))?;
        let input = match frame.verify(ReplicaId::new(from), &parts.committee) {
            Ok(input) => input,
            Err(rejected) => return self.refuse(from, &rejected),
        };
        self.notice(from, &input);
        if let Input::Message(Message::PrePrepare(proposal, Proposed::Unchecked(batch))) = input {
            let proposed = self.judge(batch);
            return Ok(Some(Input::Message(Message::PrePrepare(
                proposal, proposed,
            ))));
        }
        Ok(Some(input))
    }

    /// Separates what no honest member sends from what is only late.
    fn refuse(&self, from: MemberIndex, rejected: &Rejected) -> Result<Option<Input>, Refusal> {
        debug!(member = from, %rejected, "frame refused");
        if let Some(reason) = fault(rejected) {
            return Err(Refusal(reason));
        }
        let late = Reason { reason: "late" };
        self.0.metrics.refused_frames.get_or_create(&late).inc();
        Ok(None)
    }

    /// The vote-time check: pure, apart from this node's clock.
    fn judge(&self, batch: consensus::Batch) -> Proposed {
        let parts = &self.0;
        let now = BlockTime::new(parts.clock.wall_ms());
        let known = |hash: &contract::TransactionHash| parts.pool.is_verified(hash);
        match check_batch(batch.bytes(), &parts.genesis, now, known) {
            Ok(checked) => {
                parts.pool.proposed(&checked);
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

    /// Notes how high a member says it is.
    fn notice(&self, from: MemberIndex, input: &Input) {
        if let Input::Status { status, .. } = input {
            self.0.roster.told_height(from, status.stable.get());
        }
        if let Input::Message(Message::Checkpoint(vote)) = input
            && vote.from().get() == from
        {
            self.0.roster.told_height(from, vote.body().seq.get());
        }
    }

    /// A transaction that was submitted at another member.
    fn gossip(&self, payload: Vec<u8>) -> Result<(), Refusal> {
        match self.0.pool.gossiped(payload) {
            Ok(_new) => Ok(()),
            Err(SubmitError::Malformed(_)) => Err(Refusal("transaction_malformed")),
            Err(SubmitError::Invalid(_)) => Err(Refusal("transaction_invalid")),
            Err(why) => {
                debug!(%why, "a member's transaction is not taken");
                Ok(())
            }
        }
    }

    /// Hands an event to the driver; waits while it has too much to do.
    async fn tell(&self, event: Event) {
        if self.0.events.send(event).await.is_err() {
            debug!("the driver has stopped");
        }
    }

    /// Tells the driver that its status has changed, if it has room.
    fn nudge(&self) {
        if self.0.events.try_send(Event::Noticed).is_err() {
            debug!("the driver is busy and will publish its status anyway");
        }
    }
}

impl Inbox for Edge {
    async fn frame(&self, from: MemberIndex, kind: Kind, payload: Vec<u8>) -> Result<(), Refusal> {
        self.0.roster.heard(from, self.0.clock.wall_ms());
        match kind {
            Kind::Consensus => {
                let check = || self.check(from, &payload);
                let input = if payload.len() > HEAVY {
                    block_in_place(check)
                } else {
                    check()
                };
                if let Some(input) = input? {
                    self.tell(Event::Input(Box::new(input))).await;
                }
                Ok(())
            }
            Kind::Transaction if payload.len() > HEAVY => block_in_place(|| self.gossip(payload)),
            Kind::Transaction => self.gossip(payload),
            Kind::Ping | Kind::Pong => Ok(()),
        }
    }

    async fn reconnected(&self, member: MemberIndex) {
        self.0.roster.connected(member);
        self.tell(Event::Input(Box::new(Input::Reconnected(ReplicaId::new(
            member,
        )))))
        .await;
    }

    fn lost(&self, member: MemberIndex) {
        self.0.roster.lost(member);
        self.nudge();
    }

    fn skew(&self, member: MemberIndex, skew_ms: i64) {
        self.0.roster.heard(member, self.0.clock.wall_ms());
        self.0.roster.measured(member, skew_ms);
        self.nudge();
    }

    fn answer(&self, _from: MemberIndex, request: &[u8]) -> Vec<u8> {
        sync::answer(request, |height| {
            let found = self
                .0
                .ledger
                .certified_block(contract::Height::new(height))
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
