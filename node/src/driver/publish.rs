//! From the replica's own account to the status that everyone reads: at once when a block is final or the view changes,
//! otherwise at most twenty times a second, and never when nothing changed.

mod words;

use std::{fmt, sync::Arc, time::Duration};

use consensus::{
    Departure, Divergence, Ed25519, Epoch, Explanation, Lost, Replica, ReplicaId, Seq, Standing,
    Standstill, Time, Timer, View,
};
use contract::Member;
use tokio::sync::watch;
use tracing::{info, warn};

use crate::{
    build::Build,
    clock::Clock,
    metrics::{self, Executed, Metrics, Reason},
    roster::{Noticed, Roster},
    status::{MemberStatus, NodeStatus, RunningTimer, WaterMarks},
    term::{Term, Terms},
};

use words::{
    awaited, departure_name, departure_text, differs, open, phase, phase_name, seconds, timer_name,
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
    me: Member,
    build: Build,
    terms: Terms,
    roster: Roster,
    clock: Clock,
    metrics: Metrics,
    status: watch::Sender<NodeStatus>,
    last: Option<Time>,
    /// Epoch, view and height that were published last.
    milestone: (Epoch, View, Seq),
    waiting: bool,
    still: Option<Still>,
}

impl fmt::Debug for Publisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publisher")
            .field("me", &self.me.name)
            .finish_non_exhaustive()
    }
}

impl Publisher {
    /// A publisher and where it publishes.
    pub fn new(
        (me, build): (Member, Build),
        terms: Terms,
        roster: Roster,
        clock: Clock,
        metrics: Metrics,
    ) -> (Self, watch::Receiver<NodeStatus>) {
        let (status, read) = watch::channel(NodeStatus::default());
        let publisher = Self {
            me,
            build,
            terms,
            roster,
            clock,
            metrics,
            status,
            last: None,
            milestone: (Epoch::ZERO, View::ZERO, Seq::ZERO),
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
        let milestone = self.milestone != self.milestone_of(replica);
        self.waiting && (milestone || diverged.is_some()) || self.pause().is_zero()
    }

    /// What readers learn at once.
    fn milestone_of(&self, replica: &Replica<Ed25519>) -> (Epoch, View, Seq) {
        let epoch = self.terms.borrow().epoch();
        (epoch, replica.view(), replica.settled())
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
        self.milestone = self.milestone_of(replica);
        self.waiting = false;
        let told = replica.explanation(now);
        let stalled = self.stalled(&told, now);
        let status = self.status_of(&told, stalled, diverged.map(differs));
        self.measure(&status, told.departure);
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
        let term = self.term();
        NodeStatus {
            name: self.me.name.clone(),
            index: term.place_of(&self.me.key).map(ReplicaId::get),
            standing: Some(told.standing),
            epoch: told.epoch.get(),
            view: told.view.get(),
            primary: term.name(told.primary).to_owned(),
            phase: phase(told),
            executed: told.executed.get(),
            stable: told.stable.get(),
            quorum: u16::try_from(term.committee.quorum()).unwrap_or(u16::MAX),
            members: self.members(told),
            missing: self.missing(told, stalled.as_deref()),
            water_marks: WaterMarks {
                low: told.base.get(),
                high: told.last.get(),
            },
            open: open(told, &term),
            changed_view: told.departure.map(|why| departure_text(why).to_owned()),
            timer: self.timer(told),
            stalled,
            votes_lost: self.silence(told),
            diverged,
        }
    }

    /// The running epoch.
    fn term(&self) -> Arc<Term> {
        Arc::clone(&self.terms.borrow())
    }

    /// Why this node signs nothing, and how that ends.
    fn silence(&self, told: &Explanation) -> Option<String> {
        let Standing::Observer(why) = told.standing else {
            return None;
        };
        let (term, epoch) = (self.term(), told.epoch);
        let way = match why {
            Lost::NotAMember => {
                "it follows what the members certify, and votes from the epoch on in which the ledger names it as one"
            }
            Lost::Over => "it executes again what was ordered then",
            Lost::Later { .. } => "it follows what the others certify until then",
            Lost::Damaged | Lost::Unborn | Lost::OtherKey | Lost::OtherChain => {
                let others = self.others_up(&term);
                if others >= term.committee.quorum() {
                    "it follows what the others certify, and asks them to end this epoch so that it can vote again"
                } else {
                    "too few of the others are here to order its return: until they are, only the lost vote log itself can bring it back"
                }
            }
        };
        Some(format!(
            "{why}; this node signs nothing in epoch {epoch}: {way}"
        ))
    }

    /// How many other members are connected.
    fn others_up(&self, term: &Term) -> usize {
        let seats = term.committee.members();
        let up = seats.filter(|place| self.noticed(term, *place).up);
        up.count()
    }

    /// What was noticed of the member at a place.
    fn noticed(&self, term: &Term, place: ReplicaId) -> Noticed {
        let peer = term.peer(place);
        peer.map(|peer| self.roster.read(peer)).unwrap_or_default()
    }

    /// All members as they look from here.
    fn members(&self, told: &Explanation) -> Vec<MemberStatus> {
        let term = self.term();
        let seats = term.committee.members().zip(&term.members);
        seats
            .map(|(place, record)| {
                let member = &record.member;
                let noticed = self.noticed(&term, place);
                let here = member.key == self.me.key;
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
                    lowest: noticed.lowest,
                    clock_skew_ms: if here { Some(0) } else { noticed.skew_ms },
                    build: if here {
                        Some(self.build.clone())
                    } else {
                        noticed.build
                    },
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
        let term = self.term();
        let seats = term.committee.members().zip(&term.members);
        seats
            .filter(|(place, record)| {
                let away = record.member.key != self.me.key && !self.noticed(&term, *place).up;
                away || awaited.contains(place)
            })
            .map(|(_, record)| record.member.name.clone())
            .collect()
    }

    /// The names of those whose votes are awaited.
    fn awaited(&self, told: &Explanation) -> Vec<String> {
        let term = self.term();
        let names = awaited(told).iter();
        names.map(|place| term.name(*place).to_owned()).collect()
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
            warn!(
                event = "stalled",
                height = progress,
                view = told.view.get(),
                primary = self.term().name(told.primary),
                low = told.base.get(),
                high = told.last.get(),
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
                let primary = self.term().name(*primary).to_owned();
                format!("waiting for {primary} to begin its view")
            }
            Standstill::BlocksMissing { from, to } => {
                format!("catching up: blocks {from} to {to} are certified but not here yet")
            }
            Standstill::NoCommonResult { seq, signed } => {
                let term = self.term();
                let signers: Vec<String> = signed
                    .iter()
                    .map(|(member, header)| format!("{}: {header:?}", term.name(*member)))
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

    /// Whose votes the oldest open block lacks, while nothing moves.
    fn measure_votes(&self, status: &NodeStatus) {
        let open = status.open.first().filter(|_| status.stalled.is_some());
        for member in &status.members {
            let lacking = open.is_some_and(|open| open.missing.contains(&member.name));
            let label = metrics::Member {
                member: member.name.clone(),
            };
            let awaited = self.metrics.vote_awaited.get_or_create(&label);
            awaited.set(i64::from(lacking));
        }
        let mark = |height: u64| i64::try_from(height).unwrap_or(i64::MAX);
        self.metrics
            .low_water_mark
            .set(mark(status.water_marks.low));
        self.metrics
            .high_water_mark
            .set(mark(status.water_marks.high));
    }

    /// The numbers of a status as metrics.
    fn measure(&self, status: &NodeStatus, departure: Option<Departure>) {
        let int = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let metrics = &self.metrics;
        metrics.height.set(int(status.executed));
        metrics.checkpoint_height.set(int(status.stable));
        let view = int(status.view);
        let changes = view.saturating_sub(metrics.view.set(view));
        // A replica that recovered into a view has not changed it.
        if let Some(why) = departure
            && let Ok(changes) = u64::try_from(changes)
            && changes > 0
        {
            metrics
                .view_changes
                .get_or_create(&Reason {
                    reason: departure_name(why),
                })
                .inc_by(changes);
        }
        self.measure_votes(status);
        let short = usize::from(status.quorum).saturating_sub(status.connected());
        metrics
            .quorum_missing
            .set(i64::try_from(short).unwrap_or(i64::MAX));
        for member in &status.members {
            let label = metrics::Member {
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
