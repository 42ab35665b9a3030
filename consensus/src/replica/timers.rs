//! The timer rules (§4.5.2 and the crate documentation).

use core::time::Duration;

use crate::error::Rejected;
use crate::io::{Effect, Pending, Timer};
use crate::number::Seq;
use crate::replica::{Departure, Replica};
use crate::signed::Scheme;

/// T = T0 · 2^k with k no higher than this.
pub(super) const DOUBLINGS_MAX: u32 = 3;

/// In how many parts the way to an epoch's end is waited for.
const QUARTERS: u64 = 4;

/// What the request timer runs for; it starts from zero when this changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    /// The oldest pending transaction, by its arrival number.
    Transaction(u64),
    /// A proposal that is not committed.
    Proposal(Seq),
    /// The end of the epoch; how many quarters of a window are executed on the way there.
    End(u64),
    /// A heartbeat that is overdue.
    Heartbeat,
}

impl<S: Scheme> Replica<S> {
    /// T, for requests and for a new primary: T0 for the first view after one that failed as well,
    /// as in §4.5.2, for one primary may be faulty on a network that is fast enough.
    pub(super) fn patience(&self) -> Duration {
        let doublings = self.attempts.saturating_sub(1).min(DOUBLINGS_MAX);
        let factor = 1_u32.checked_shl(doublings).unwrap_or(1);
        self.parameters.timeout.saturating_mul(factor)
    }

    /// Starts a timer, or starts it anew.
    pub(super) fn arm(&mut self, timer: Timer, wait: Duration) {
        self.deadlines.insert(timer, self.now.after(wait));
        self.effects.push(Effect::Arm(timer, wait));
    }

    /// Stops a timer that runs.
    pub(super) fn disarm(&mut self, timer: Timer) {
        if self.deadlines.remove(&timer).is_some() {
            self.effects.push(Effect::Disarm(timer));
        }
    }

    /// A timer ran out.
    pub(super) fn on_expired(&mut self, timer: Timer) -> Result<(), Rejected> {
        let deadline = *self.deadlines.get(&timer).ok_or(Rejected::StaleTimer)?;
        if self.now < deadline {
            // The host's timer was set before this one was, or is not as fine as its clock.
            self.effects
                .push(Effect::Arm(timer, deadline.since(self.now)));
            return Ok(());
        }
        self.deadlines.remove(&timer);
        match timer {
            Timer::Request => self.suspect(Departure::Timeout),
            Timer::NewView => self.suspect(Departure::NoNewView),
            Timer::Forward => {
                self.effects
                    .push(Effect::Forward(self.committee.primary(self.view)));
            }
            Timer::Status => self.on_status_timer(),
            Timer::Heartbeat => self.on_heartbeat_timer(),
        }
        Ok(())
    }

    /// Asks for the next view, and goes with the others if they are further.
    fn suspect(&mut self, why: Departure) {
        self.leave(self.view.next(), why);
        self.join_others();
        self.await_new_view();
        self.begin_view();
    }

    /// The pool's oldest transaction changed.
    pub(super) fn on_pending(&mut self, pending: Pending) {
        self.pending = pending;
        let entry = self.pending_at_entry;
        let served = pending.executed > entry.executed
            && entry
                .oldest
                .is_none_or(|then| pending.oldest.is_none_or(|now| now > then));
        if self.active && served {
            self.attempts = 0;
            self.forget_returns();
        }
        let slow = self.pace.is_slow(self.now, pending);
        if slow && self.active && self.voter().is_some() && !self.is_primary() {
            self.pace.blamed(self.now);
            self.suspect(Departure::SlowPrimary);
        }
    }

    /// Runs the request timer while something waits, from zero for each thing it waits for.
    pub(super) fn watch_requests(&mut self) {
        self.watch_requests_for(self.patience());
    }

    /// The same with this patience.
    pub(super) fn watch_requests_for(&mut self, patience: Duration) {
        let wait = self.waits_for();
        if wait == self.waiting_for {
            return;
        }
        self.waiting_for = wait;
        match wait {
            None => {
                self.disarm(Timer::Request);
                self.disarm(Timer::Forward);
            }
            Some(what) => {
                self.arm(Timer::Request, patience);
                if matches!(what, Wait::Transaction(_)) {
                    self.arm(Timer::Forward, patience.checked_div(2).unwrap_or(patience));
                } else {
                    self.disarm(Timer::Forward);
                }
            }
        }
    }

    /// What the request timer has to run for.
    fn waits_for(&self) -> Option<Wait> {
        let over = self.end.is_some_and(|end| self.stable_seq() >= end);
        if !self.active || over || self.voter().is_none() {
            return None;
        }
        if let Some(oldest) = self.pending.oldest {
            return Some(Wait::Transaction(oldest));
        }
        if self.end.is_some() {
            // Not anew for every block: a primary that proposes one in each T0 would take W of them.
            let quarter = self.parameters.window.div_ceil(QUARTERS).max(1);
            return Some(Wait::End(self.executed.get().div_euclid(quarter)));
        }
        let open = |slot: &crate::slot::Slot| slot.proposal.is_some() && slot.committed.is_none();
        let proposal = self
            .slots
            .iter()
            .find(|(_, slot)| open(slot) && slot.executed.is_none());
        if let Some((seq, _)) = proposal {
            return Some(Wait::Proposal(*seq));
        }
        self.heartbeat_due.then_some(Wait::Heartbeat)
    }

    /// Something was ordered: the heartbeat is not due.
    pub(super) fn ordered(&mut self) {
        self.ordered_at = self.now;
        self.heartbeat_due = false;
        self.pace.executed(self.now, self.executed);
        if !self.deadlines.contains_key(&Timer::Heartbeat) {
            self.arm(Timer::Heartbeat, self.parameters.heartbeat);
        }
    }

    /// Either something was ordered meanwhile, or the primary owes a heartbeat.
    fn on_heartbeat_timer(&mut self) {
        let quiet = self.now.since(self.ordered_at);
        let heartbeat = self.parameters.heartbeat;
        if quiet < heartbeat {
            self.arm(Timer::Heartbeat, heartbeat.saturating_sub(quiet));
        } else {
            self.heartbeat_due = true;
        }
    }

    /// How often a replica that is stuck says so: T0 / 4.
    pub(super) fn status_interval(&self) -> Duration {
        let interval = self.parameters.timeout.checked_div(4);
        interval.unwrap_or(self.parameters.timeout)
    }
}
