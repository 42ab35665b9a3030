//! From the replica's own account to the status that everyone reads: at once when a block is final or the view changes,
//! otherwise at most twenty times a second, and never when nothing changed.

use std::{fmt, sync::Arc, time::Duration};

use consensus::{
    Divergence, Ed25519, Explanation, Phase, Replica, ReplicaId, Seq, Standing, Standstill, Time,
    Timer, View,
};
use contract::Genesis;
use tokio::sync::watch;
use tracing::{info, warn};

use crate::{
    clock::Clock,
    metrics::{Executed, Member, Metrics, Reason},
    network::MemberIndex,
    roster::Roster,
    status::{MemberStatus, NodeStatus, RunningTimer},
};

/// Pause between two publications while no block is final and the view stays.
const PAUSE: Duration = Duration::from_millis(50);

/// A standstill this long is worth a warning: twice the longest first timeout of a LAN.
const STALLED: Duration = Duration::from_millis(1_200);

/// A standstill that goes on.
struct Still {
    since: Time,
    height: u64,
    warned: bool,
}

/// Publishes the status.
pub struct Publisher {
    genesis: Arc<Genesis>,
    me: MemberIndex,
    roster: Roster,
    clock: Clock,
    metrics: Metrics,
    status: watch::Sender<NodeStatus>,
    last: Option<Time>,
    /// View and height that were published last.
    milestone: (View, Seq),
    waiting: bool,
    still: Option<Still>,
}

impl fmt::Debug for Publisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publisher")
            .field("me", &self.me)
            .finish_non_exhaustive()
    }
}

impl Publisher {
    /// A publisher and where it publishes.
    pub fn new(
        genesis: Arc<Genesis>,
        me: MemberIndex,
        roster: Roster,
        clock: Clock,
        metrics: Metrics,
    ) -> (Self, watch::Receiver<NodeStatus>) {
        let (status, read) = watch::channel(NodeStatus::default());
        let publisher = Self {
            genesis,
            me,
            roster,
            clock,
            metrics,
            status,
            last: None,
            milestone: (View::ZERO, Seq::ZERO),
            waiting: true,
            still: None,
        };
        (publisher, read)
    }

    /// Something changed.
    pub const fn touch(&mut self) {
        self.waiting = true;
    }

    /// A block was executed.
    pub fn executed(&self, transactions: usize, results: usize) {
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let family = &self.metrics.transactions;
        let all = Executed {
            kind: "transaction",
            result: "executed",
        };
        family.get_or_create(&all).inc_by(count(transactions));
        let recorded = Executed {
            kind: "sign_in",
            result: "recorded",
        };
        family.get_or_create(&recorded).inc_by(count(results));
    }

    /// How long until something that changed, or a standstill that goes on, is to be published.
    pub fn pause(&self) -> Duration {
        let now = self.clock.now();
        let changed = match (self.waiting, self.last) {
            (false, _) => Duration::MAX,
            (true, None) => Duration::ZERO,
            (true, Some(last)) => last.after(PAUSE).since(now),
        };
        let quiet = self.still.as_ref().filter(|still| !still.warned);
        let stalled = quiet.map_or(Duration::MAX, |still| still.since.after(STALLED).since(now));
        changed.min(stalled)
    }

    /// Whether readers must learn at once what changed: whoever was told that his block is final finds it in the status.
    fn is_due(&self, replica: &Replica<Ed25519>, diverged: Option<Divergence>) -> bool {
        let milestone = self.milestone != (replica.view(), replica.settled());
        self.waiting && (milestone || diverged.is_some()) || self.pause().is_zero()
    }

    /// Publishes if something changed that cannot wait, or the last time is long enough ago.
    pub fn publish(
        &mut self,
        replica: &Replica<Ed25519>,
        diverged: Option<Divergence>,
        pool: (usize, usize),
    ) {
        if !self.is_due(replica, diverged) {
            return;
        }
        let now = self.clock.now();
        self.last = Some(now);
        self.milestone = (replica.view(), replica.settled());
        self.waiting = false;
        let told = replica.explanation(now);
        let stalled = self.stalled(&told, now);
        let status = self.status_of(&told, stalled, diverged.map(differs));
        self.measure(&status);
        let gauge = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        self.metrics.mempool_transactions.set(gauge(pool.0));
        self.metrics.mempool_bytes.set(gauge(pool.1));
        self.status.send_if_modified(|old| {
            let changed = *old != status;
            *old = status;
            changed
        });
    }
}

impl Publisher {
    /// The whole status.
    fn status_of(
        &self,
        told: &Explanation,
        stalled: Option<String>,
        diverged: Option<String>,
    ) -> NodeStatus {
        let votes_lost = match told.standing {
            Standing::Voter(_) => None,
            Standing::Observer(why) => Some(format!(
                "{why}; this node signs nothing in epoch {} and follows what the others certify",
                told.epoch
            )),
        };
        NodeStatus {
            name: self.name(self.me).to_owned(),
            index: Some(self.me),
            epoch: told.epoch.get(),
            view: told.view.get(),
            primary: self.name(told.primary.get()).to_owned(),
            phase: phase(told),
            executed: told.executed.get(),
            stable: told.stable.get(),
            quorum: u16::try_from(consensus::quorum(self.genesis.members().len()))
                .unwrap_or(u16::MAX),
            members: self.members(told),
            missing: self.missing(told, stalled.as_deref()),
            timer: self.timer(told),
            stalled,
            votes_lost,
            diverged,
        }
    }

    /// A member's name.
    fn name(&self, member: MemberIndex) -> &str {
        self.genesis
            .members()
            .get(usize::from(member))
            .map_or("?", |member| member.name.as_str())
    }

    /// All members as they look from here.
    fn members(&self, told: &Explanation) -> Vec<MemberStatus> {
        (0..)
            .zip(self.genesis.members())
            .map(|(index, member)| {
                let noticed = self.roster.read(index);
                let here = index == self.me;
                MemberStatus {
                    name: member.name.clone(),
                    role: member.role.to_string(),
                    up: here || noticed.up,
                    last_seen_ms: if here {
                        Some(self.clock.wall_ms())
                    } else {
                        noticed.last_seen_ms
                    },
                    height: if here {
                        Some(told.stable.get())
                    } else {
                        noticed.height
                    },
                    clock_skew_ms: if here { Some(0) } else { noticed.skew_ms },
                }
            })
            .collect()
    }

    /// The timer that runs out next. That for asking again may outlast what it was set for, and then says nothing.
    fn timer(&self, told: &Explanation) -> Option<RunningTimer> {
        let meant = |timer: Timer| timer != Timer::Status || told.standstill.is_some();
        let timers = told.timers.iter().filter(|(timer, _)| meant(*timer));
        let (timer, left) = timers.min_by_key(|(_, left)| *left)?;
        Some(RunningTimer {
            name: timer_name(*timer),
            due: self.clock.elapsed().saturating_add(*left),
        })
    }

    /// Members that are not connected and, if nothing moves, those whose votes are awaited.
    fn missing(&self, told: &Explanation, stalled: Option<&str>) -> Vec<String> {
        let awaited = stalled.map_or(&[][..], |_| awaited(told));
        (0..)
            .zip(self.genesis.members())
            .filter(|(index, _)| {
                let away = *index != self.me && !self.roster.read(*index).up;
                away || awaited.contains(&ReplicaId::new(*index))
            })
            .map(|(_, member)| member.name.clone())
            .collect()
    }

    /// The names of those whose votes are awaited.
    fn awaited(&self, told: &Explanation) -> Vec<String> {
        let names = awaited(told).iter();
        names
            .map(|member| self.name(member.get()).to_owned())
            .collect()
    }

    /// Why nothing moves, when nothing has moved for a while; said once in the log as it begins and as it ends.
    fn stalled(&mut self, told: &Explanation, now: Time) -> Option<String> {
        let progress = told.stable.get();
        let Some(standstill) = &told.standstill else {
            self.moving();
            return None;
        };
        if self
            .still
            .as_ref()
            .is_some_and(|still| still.height != progress)
        {
            self.moving();
        }
        let begun = Still {
            since: now,
            height: progress,
            warned: false,
        };
        let still = self.still.get_or_insert(begun);
        let diverged = matches!(standstill, Standstill::Diverged { .. });
        if now.since(still.since) < STALLED && !diverged {
            return None;
        }
        let warned = std::mem::replace(&mut still.warned, true);
        let missing = self.awaited(told);
        let text = self.text(standstill, &missing);
        if !warned {
            let view = told.view.get();
            warn!(
                event = "stalled",
                height = progress,
                view,
                ?missing,
                "{text}"
            );
        }
        Some(text)
    }

    /// Something moves.
    fn moving(&mut self) {
        if let Some(Still {
            since,
            height,
            warned: true,
        }) = self.still.take()
        {
            let still_ms = self.clock.now().since(since).as_millis();
            info!(event = "moving", height, %still_ms, "the ledger moves again");
        }
    }

    /// A standstill in words that name members.
    fn text(&self, standstill: &Standstill, missing: &[String]) -> String {
        let names = missing.join(", ");
        match standstill {
            Standstill::Diverged { seq } => {
                format!("stopped: this node's result of block {seq} differs from the certified one")
            }
            Standstill::NoQuorumForView { view } => {
                format!("waiting for a quorum to enter view {view}; missing: {names}")
            }
            Standstill::NoNewView { primary } => {
                format!("waiting for {} to begin its view", self.name(primary.get()))
            }
            Standstill::BlocksMissing { from, to } => {
                format!("catching up: blocks {from} to {to} are certified but not here yet")
            }
            Standstill::NoCommonResult { seq, signed } => {
                let signers: Vec<String> = signed
                    .iter()
                    .map(|(member, header)| format!("{}: {header:?}", self.name(member.get())))
                    .collect();
                format!("results of block {seq} differ: {}", signers.join(", "))
            }
            Standstill::Waiting { seq, phase } => {
                format!(
                    "block {seq} waits for {}; missing: {names}",
                    phase_name(*phase)
                )
            }
        }
    }

    /// The numbers of a status as metrics.
    fn measure(&self, status: &NodeStatus) {
        let int = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let metrics = &self.metrics;
        metrics.height.set(int(status.executed));
        metrics.checkpoint_height.set(int(status.stable));
        let view = int(status.view);
        let changes = view.saturating_sub(metrics.view.set(view));
        if let Ok(changes) = u64::try_from(changes)
            && changes > 0
        {
            metrics
                .view_changes
                .get_or_create(&Reason { reason: "timer" })
                .inc_by(changes);
        }
        let short = usize::from(status.quorum).saturating_sub(status.connected());
        metrics
            .quorum_missing
            .set(i64::try_from(short).unwrap_or(i64::MAX));
        for member in &status.members {
            let label = Member {
                member: member.name.clone(),
            };
            if let Some(skew) = member.clock_skew_ms {
                metrics.clock_skew.get_or_create(&label).set(seconds(skew));
            }
            if let Some(seen) = member
                .last_seen_ms
                .and_then(|seen| i64::try_from(seen).ok())
            {
                metrics.last_vote.get_or_create(&label).set(seconds(seen));
            }
        }
    }
}

/// Whose votes the oldest open slot, or the next view, still lacks.
fn awaited(told: &Explanation) -> &[ReplicaId] {
    if !told.active {
        return &told.view_changes_missing;
    }
    told.slots
        .first()
        .map(|slot| slot.missing.as_slice())
        .unwrap_or_default()
}

/// A timer by what happens when it runs out.
const fn timer_name(timer: Timer) -> &'static str {
    match timer {
        Timer::Request => "change of the primary",
        Timer::Forward => "reminder to the primary",
        Timer::NewView => "next change of the primary",
        Timer::Status => "asking again",
        Timer::Heartbeat => "heartbeat",
    }
}

/// A divergence in words.
fn differs(divergence: Divergence) -> String {
    format!(
        "this node's header of block {} is {:?}, the certified one is {:?}: its reads are not trusted",
        divergence.seq, divergence.own, divergence.certified
    )
}

/// Milliseconds as seconds with fractions.
fn seconds(ms: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a metric; exact up to 2^53 ms")]
    let ms = ms as f64;
    ms / 1000.0
}

/// What the replica is doing, in words.
fn phase(told: &Explanation) -> String {
    if !told.active {
        return format!("changing to view {}", told.view);
    }
    match told.slots.first() {
        None => "idle".to_owned(),
        Some(slot) => format!("block {}: {}", slot.seq, phase_name(slot.phase)),
    }
}

/// A phase in the words of the paper.
const fn phase_name(phase: Phase) -> &'static str {
    match phase {
        Phase::PrePrepare => "PRE-PREPARE",
        Phase::Batch => "its batch",
        Phase::Prepare => "PREPAREs",
        Phase::Commit => "COMMITs",
        Phase::Execution => "execution",
        Phase::Checkpoint => "CHECKPOINTs",
    }
}
