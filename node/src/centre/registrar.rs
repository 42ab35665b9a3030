//! Puts what was accepted onto the ledger, and looks until all of it is there.
//!
//! Registrations of several patients go together and shuffled, so that the ledger does not show which AIDs belong to
//! one of them; replacements go at once. A call that is lost is made again: what the certified state holds decides, not
//! what was sent.

use std::collections::BTreeSet;
use std::time::Duration;

use contract::{
    Aid, Author, BlockTime, Call, ChainId, Outcome, Output, RecoveryCall, Refused, Registration,
    StateError, Transaction, contracts::identity::PendingRecovery, limits::REGISTRATIONS_MAX,
};
use futures::future::join_all;
use rand_core::CryptoRng;
use tokio::sync::watch;

use super::queue::{Job, Name, Work};
use super::{Centre, CentreError, Ledger, Office};
use crate::mempool::Ticket;
use crate::services::Services;

/// For how long a call is valid.
const VALID_MS: u64 = 60_000;
/// How long a call may take to become final: it has expired by then.
const PATIENCE: Duration = Duration::from_secs(70);
/// The longest pause between two looks.
const PAUSE: Duration = Duration::from_secs(1);
/// The pause after something failed.
const BREATH: Duration = Duration::from_millis(200);

/// When a set is registered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SetRule {
    /// With how many patients.
    pub(crate) size: u16,
    /// Or once the first has waited for this long.
    pub(crate) wait_ms: u64,
}

/// Works until the node stops.
pub(crate) async fn run(
    office: std::sync::Arc<Office>,
    services: Services,
    rule: SetRule,
    mut stopped: watch::Receiver<bool>,
) {
    tokio::select! {
        () = follow(&office, &services, rule) => {}
        _ = stopped.wait_for(|stop| *stop) => {}
    }
}

async fn follow(office: &Office, services: &Services, rule: SetRule) {
    if let Err(cause) = office.centre().shred_again(&services.ledger.state()) {
        tracing::error!(event = "registrar_failed", %cause, "rows that were to be shredded stay");
    }
    let mut heights = services.ledger.subscribe();
    loop {
        heights.mark_unchanged();
        if let Err(cause) = look(office, services, rule).await {
            tracing::error!(event = "registrar_failed", %cause, "registrations wait");
            tokio::time::sleep(BREATH).await;
        }
        let changed = tokio::select! {
            () = office.accepted.notified() => Ok(()),
            changed = heights.changed() => changed,
            () = tokio::time::sleep(PAUSE) => Ok(()),
        };
        if changed.is_err() {
            return;
        }
    }
}

/// Why a look came to nothing.
#[derive(Debug, thiserror::Error)]
enum Unseen {
    #[error(transparent)]
    State(#[from] StateError),
    #[error(transparent)]
    Centre(#[from] CentreError),
    #[error("the system gives no random numbers")]
    NoRandomness,
}

/// Ends what is done, then asks the ledger for what is due.
async fn look(office: &Office, services: &Services, rule: SetRule) -> Result<(), Unseen> {
    let state = services.ledger.state();
    let time = services.ledger.certified().header.time;
    let mut rng = patient::dice::seeded().map_err(|_failure| Unseen::NoRandomness)?;
    let calls = {
        let mut centre = office.centre();
        centre.settle((&state, time), &mut rng)?;
        centre.due((&state, time), (rule, services.clock.wall_ms()), &mut rng)?
    };
    if calls.is_empty() {
        return Ok(());
    }
    let sent = join_all(calls.into_iter().map(|call| send(services, call))).await;
    let failed = sent.iter().any(|sent| !matches!(sent, Sent::Done));
    let refused = sent.into_iter().flat_map(|sent| match sent {
        Sent::Refused(aids) => aids,
        Sent::Done | Sent::Later => Vec::new(),
    });
    office.centre().heard(refused);
    if failed {
        tokio::time::sleep(BREATH).await;
    }
    Ok(())
}

/// What came of a call.
enum Sent {
    /// The state tells.
    Done,
    /// It was lost; it is made again.
    Later,
    /// The ledger will never take these AIDs so.
    Refused(Vec<Aid>),
}

/// Submits a call and waits for what becomes of it.
async fn send(services: &Services, call: Call) -> Sent {
    let (name, aids) = (call.name(), made_by(&call));
    let Some(signed) = sign(services, call) else {
        return Sent::Later;
    };
    let ticket: Ticket = match services.submitter.submit(signed.as_bytes().into()).await {
        Ok(ticket) => ticket,
        Err(why) => {
            tracing::warn!(event = "registration_waits", call = name, %why, "the call was not taken");
            return Sent::Later;
        }
    };
    match ticket.wait(PATIENCE).await {
        Ok(done) => told(name, &aids, &done.outcome),
        Err(why) => {
            tracing::warn!(event = "registration_waits", call = name, %why, "the call is not final");
            Sent::Later
        }
    }
}

/// The AIDs that a call would make.
fn made_by(call: &Call) -> Vec<Aid> {
    match call {
        Call::RegisterBatch(all) => all.iter().map(|one| one.record.aid).collect(),
        Call::Replace(one) => vec![one.registration.record.aid],
        Call::Recovery(RecoveryCall::Request(one)) => vec![one.registration.record.aid],
        Call::Register(_)
        | Call::Revoke(_)
        | Call::Shred(_)
        | Call::WuRegister(_)
        | Call::LimbasiyaServer(_)
        | Call::LimbasiyaUser(_)
        | Call::Results(_)
        | Call::LegacyResults(_)
        | Call::SetServer(_)
        | Call::ProposeChange(_)
        | Call::ApproveChange(_)
        | Call::CancelChange(_)
        | Call::Ready { .. }
        | Call::Rejoin { .. }
        | Call::Evidence(_)
        | Call::Recovery(_)
        | Call::Claim(_)
        | Call::LateResults(_)
        | Call::ServerClaims(_)
        | Call::Disclosure(_) => Vec::new(),
    }
}

/// A transaction of this member.
fn sign(services: &Services, call: Call) -> Option<contract::SignedTransaction> {
    let mut salt = [0; 8];
    getrandom::fill(&mut salt).ok()?;
    let tip = services.ledger.certified();
    let now = BlockTime::new(services.clock.wall_ms()).max(tip.header.time);
    let author = Author::Member(services.server_id());
    let chain: ChainId = *services.ledger.genesis().chain();
    let transaction = Transaction::new(chain, author, now.plus_ms(VALID_MS), salt, call);
    Some(transaction.sign(services.keys.member()))
}

/// What the ledger says. What comes twice, or too early by its clock, is judged by the state.
fn told(name: &'static str, aids: &[Aid], outcome: &Outcome) -> Sent {
    let known = |why: &Refused| {
        matches!(
            why,
            Refused::AlreadyRegistered
                | Refused::Replayed
                | Refused::Expired
                | Refused::TooEarly { .. }
        )
    };
    let (refused, why): (Vec<Aid>, Option<Refused>) = match outcome {
        Outcome::Done(Output::Recorded { refused }) => {
            let refused: Vec<_> = refused.iter().filter(|(_, why)| !known(why)).collect();
            let at = |at: u32| aids.get(usize::try_from(at).ok()?).copied();
            let all = refused.iter().filter_map(|(place, _)| at(*place));
            (all.collect(), refused.first().map(|(_, why)| *why))
        }
        Outcome::Refused(why) if !known(why) => (aids.to_vec(), Some(*why)),
        Outcome::Done(_) | Outcome::Refused(_) => (Vec::new(), None),
    };
    let Some(why) = why else { return Sent::Done };
    tracing::error!(event = "registration_refused", call = name, %why, "the ledger refused it");
    Sent::Refused(refused)
}

impl Centre {
    /// Ends jobs of which the ledger has everything, and recoveries that ended otherwise.
    fn settle(
        &mut self,
        (ledger, time): (&impl Ledger, BlockTime),
        rng: &mut impl CryptoRng,
    ) -> Result<(), Unseen> {
        let jobs: Vec<(Name, Job)> = self.queue.jobs().map(|(n, j)| (*n, j.clone())).collect();
        for (name, job) in jobs {
            match &job.work {
                Work::Register(_) | Work::Replace(_) => {
                    let over =
                        |aid: &Aid| Ok(self.refused.contains(aid) || ledger.record(aid)?.is_some());
                    if all(&job.work.aids(), over)? {
                        self.queue.erase(&name).map_err(CentreError::from)?;
                    }
                }
                Work::Recover(asked) => {
                    let open = |one: &contract::Recovery| {
                        let new = one.registration.record.aid;
                        let pending = ledger.recovery(&one.old)?;
                        let asked = pending.is_some_and(|pending| pending.record.aid == new);
                        let over = asked || self.refused.contains(&new);
                        Ok(over || ledger.record(&new)?.is_some())
                    };
                    if all(asked, open)? {
                        let pairs = asked
                            .iter()
                            .map(|one| (one.old, one.registration.record.aid));
                        let work = Work::Await(pairs.collect());
                        let mut next = Name::default();
                        rng.fill_bytes(&mut next);
                        let since_ms = job.since_ms;
                        let put = self.queue.put(next, Job { since_ms, work });
                        put.map_err(CentreError::from)?;
                        self.queue.erase(&name).map_err(CentreError::from)?;
                    }
                }
                Work::Await(pairs) => {
                    let over = |(old, new): &(Aid, Aid)| {
                        let pending = waiting(ledger, (old, new), time)?;
                        Ok(pending.is_none())
                    };
                    if all(pairs, over)? {
                        self.end_recovery(&name, &job, ledger)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// A recovery is over. If it made nothing, what was drawn for it is destroyed.
    fn end_recovery(&mut self, name: &Name, job: &Job, ledger: &impl Ledger) -> Result<(), Unseen> {
        let aids = job.work.aids();
        let nothing = all(&aids, |aid| Ok(ledger.record(aid)?.is_none()))?;
        let row = aids.first().and_then(|aid| self.table.of_aid(aid)).cloned();
        if let Some(row) = row.filter(|_| nothing) {
            tracing::warn!(
                event = "recovery_ended",
                "a recovery was cancelled or has lapsed"
            );
            self.table.erase(&row).map_err(CentreError::from)?;
        }
        self.queue.erase(name).map_err(CentreError::from)?;
        Ok(())
    }

    /// The calls that are to be made now.
    fn due(
        &mut self,
        (ledger, time): (&impl Ledger, BlockTime),
        (rule, now_ms): (SetRule, u64),
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<Call>, Unseen> {
        let mut calls = self.set(ledger, (rule, now_ms), rng)?;
        let registers = !calls.is_empty();
        let mut sent = BTreeSet::new();
        for (name, job) in self.queue.jobs() {
            let before = calls.len();
            match &job.work {
                Work::Register(_) => {}
                Work::Replace(all) => {
                    for one in all {
                        if self.lacks(ledger, &one.registration.record.aid)? {
                            calls.push(Call::Replace(Box::new(one.clone())));
                        }
                    }
                }
                Work::Recover(all) => {
                    for one in all {
                        let new = one.registration.record.aid;
                        let asked = waiting(ledger, (&one.old, &new), time)?.is_some();
                        if !asked && self.lacks(ledger, &new)? {
                            let call = RecoveryCall::Request(Box::new(one.clone()));
                            calls.push(Call::Recovery(call));
                        }
                    }
                }
                Work::Await(pairs) => {
                    for (old, new) in pairs {
                        let pending = waiting(ledger, (old, new), time)?;
                        let approval = pending.and_then(|pending| pending.approval);
                        // Without traffic the ledger's time stands still until somebody moves it.
                        let now = time.max(BlockTime::new(now_ms));
                        if approval.is_some_and(|approval| now >= approval.effective) {
                            calls.push(Call::Recovery(RecoveryCall::Finish(*old)));
                        }
                    }
                }
            }
            let in_set = registers && matches!(job.work, Work::Register(_));
            if in_set || calls.len() > before {
                sent.insert(*name);
            }
        }
        self.sent = sent;
        Ok(calls)
    }

    /// The calls came back, and the ledger will never take these AIDs so.
    fn heard(&mut self, refused: impl IntoIterator<Item = Aid>) {
        self.sent.clear();
        self.refused.extend(refused);
    }

    /// Whether an AID is still to be made.
    fn lacks(&self, ledger: &impl Ledger, aid: &Aid) -> Result<bool, StateError> {
        Ok(!self.refused.contains(aid) && ledger.record(aid)?.is_none())
    }

    /// The shuffled registrations of a set that is full, or whose first patient has waited long enough.
    fn set(
        &self,
        ledger: &impl Ledger,
        (rule, now_ms): (SetRule, u64),
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<Call>, Unseen> {
        let mut registrations: Vec<Registration> = Vec::new();
        let (mut patients, mut first_ms, mut begun) = (0_usize, now_ms, false);
        for (_, job) in self.queue.jobs() {
            if let Work::Register(all) = &job.work {
                patients = patients.saturating_add(1);
                first_ms = first_ms.min(job.since_ms);
                for one in all {
                    match ledger.record(&one.record.aid)? {
                        None if self.refused.contains(&one.record.aid) => {}
                        None => registrations.push(one.clone()),
                        // A crash in the middle of a set: what is left of it does not wait for another.
                        Some(_) => begun = true,
                    }
                }
            }
        }
        let full = patients >= usize::from(rule.size);
        let waited = now_ms.saturating_sub(first_ms) >= rule.wait_ms;
        if patients == 0 || !(full || waited || begun) {
            return Ok(Vec::new());
        }
        if patients < SMALL_SET {
            tracing::warn!(
                event = "small_set",
                patients,
                "so few patients are registered together that the ledger shows which AIDs are one's"
            );
        }
        shuffle(&mut registrations, rng);
        let batches = registrations.chunks(REGISTRATIONS_MAX);
        Ok(batches
            .map(|batch| Call::RegisterBatch(batch.to_vec()))
            .collect())
    }
}

/// Patients in a set, below which the log says that it is small.
const SMALL_SET: usize = 8;

/// The recovery from one AID to another that can still take its next step.
fn waiting(
    ledger: &impl Ledger,
    (old, new): (&Aid, &Aid),
    time: BlockTime,
) -> Result<Option<PendingRecovery>, StateError> {
    let pending = ledger.recovery(old)?;
    Ok(pending.filter(|pending| pending.record.aid == *new && time <= pending.lapses()))
}

/// Whether something holds of each.
fn all<T>(ones: &[T], holds: impl Fn(&T) -> Result<bool, StateError>) -> Result<bool, StateError> {
    for one in ones {
        if !holds(one)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Fisher and Yates; each order is as likely as any other, up to 2^-32.
fn shuffle<T>(values: &mut [T], rng: &mut impl CryptoRng) {
    for left in (1..values.len()).rev() {
        let places = u64::try_from(left).unwrap_or(u64::MAX).saturating_add(1);
        let drawn = rng.next_u64().checked_rem(places).unwrap_or(0);
        values.swap(left, usize::try_from(drawn).unwrap_or(left));
    }
}
