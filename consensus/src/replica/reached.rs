//! Peers that can be reached again, and peers that say nothing (§4.5.2 and the crate
//! documentation).
//!
//! That views failed without a peer says nothing of how long they need with it, so with a new
//! connection what waits for the next view gets T0 again; and a primary that could not be heard
//! gets its time from now on, or who was cut off alone would leave a view that all others stay
//! in. A liar that comes and goes must neither keep patience short on a slow network nor be
//! waited for again and again: while nothing is executed, the returns of one peer count once in a
//! while, and as rarely as lets all f liars together interrupt no climb of patience before an
//! honest primary had the longest T.
//!
//! No time helps a primary that says nothing, and the longest T is longer than a recovery may
//! take. Who is stuck says its STATUS every T0 / 4, on a slow network as well, where it comes late
//! and as often. So a new primary that was not heard for T0 gets T0 and no more.

use core::time::Duration;

use crate::committee::ReplicaId;
use crate::io::Timer;
use crate::number::Time;
use crate::replica::Replica;
use crate::replica::timers::DOUBLINGS_MAX;
use crate::signed::{Scheme, Signable as _};

/// When a peer could be reached.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Reached {
    /// Its latest STATUS.
    heard: Option<Time>,
    /// The latest return that counted, since something that waited was executed.
    returned: Option<Time>,
}

impl<S: Scheme> Replica<S> {
    /// A peer says its STATUS.
    pub(super) fn heard(&mut self, peer: ReplicaId) {
        self.reached.entry(peer).or_default().heard = Some(self.now);
    }

    /// T for the view that a quorum left for, or T0 if nothing is heard of its primary.
    pub(super) fn patience_with_primary(&self) -> Duration {
        let primary = self.committee.primary(self.view);
        let left = self.view_changes.get(&primary);
        let left = left.is_some_and(|change| change.body().view() >= self.view);
        let heard = self.reached.get(&primary).and_then(|one| one.heard);
        let heard = heard.is_some_and(|last| self.now.since(last) <= self.parameters.timeout);
        if left || heard {
            self.patience()
        } else {
            self.parameters.timeout
        }
    }

    /// There is a new connection to a peer.
    pub(super) fn welcome(&mut self, peer: ReplicaId) {
        let unheard =
            self.active && self.waiting_for.is_some() && peer == self.committee.primary(self.view);
        let pause = self.pause_between_returns();
        let returned = &mut self.reached.entry(peer).or_default().returned;
        let again = returned.is_some_and(|last| self.now.since(last) < pause);
        if again || (self.attempts <= 1 && !unheard) {
            return;
        }
        *returned = Some(self.now);
        self.wait_no_longer_than_t0();
        if unheard && self.deadlines.contains_key(&Timer::Request) {
            self.arm(Timer::Request, self.patience());
        }
    }

    /// How long the returns of one peer count once: for each that may be a liar the climb to the
    /// longest T, which takes as long as that T, and this T for f liars and for an honest primary.
    fn pause_between_returns(&self) -> Duration {
        // Where no liar is tolerated, a connection may come and go all the same.
        let liars = self.committee.weak_quorum().saturating_sub(1).max(1);
        let liars = u32::try_from(liars).unwrap_or(u32::MAX);
        let longest = 1_u32.checked_shl(DOUBLINGS_MAX).unwrap_or(1);
        let longest = self.parameters.timeout.saturating_mul(longest);
        longest.saturating_mul(liars.saturating_mul(liars.saturating_add(2)))
    }

    /// Nothing waits longer than T0 from now on.
    fn wait_no_longer_than_t0(&mut self) {
        if self.attempts > 1 {
            self.attempts = 0;
        }
        let patience = self.patience();
        let soon = self.now.after(patience);
        for timer in [Timer::Request, Timer::NewView] {
            if self.deadlines.get(&timer).is_some_and(|at| *at > soon) {
                self.arm(timer, patience);
            }
        }
    }

    /// Something that waited is executed: all returns count again.
    pub(super) fn forget_returns(&mut self) {
        for one in self.reached.values_mut() {
            one.returned = None;
        }
    }
}
