//! Who is connected by what, which of two connections stays, and when a missing member is dialled.
//!
//! Pure: times and jitter come in as arguments.

use std::time::Duration;

use consensus::Time;

use crate::limits;

/// One of the two ends of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// This node.
    Here,
    /// The other member.
    There,
}

/// One established connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Link<Id> {
    /// libp2p's name for it.
    pub(super) id: Id,
    /// Who dialled.
    pub(super) dialler: Side,
    /// When it was established.
    pub(super) since: Time,
}

/// The state of one member.
#[derive(Debug)]
pub(super) struct Member<Id> {
    /// The side with the smaller `PeerId`, whose dial stays.
    winner: Side,
    links: Vec<Link<Id>>,
    dialling: bool,
    next_dial: Time,
}

impl<Id: Copy + PartialEq> Member<Id> {
    /// A member that was never seen. The larger `PeerId` lets the other side dial first.
    pub(super) fn new(winner: Side, now: Time) -> Self {
        let wait = if winner == Side::Here {
            Duration::ZERO
        } else {
            limits::REDIAL
        };
        Self {
            winner,
            links: Vec::new(),
            dialling: false,
            next_dial: now.after(wait),
        }
    }

    /// Whether there is any connection.
    pub(super) const fn connected(&self) -> bool {
        !self.links.is_empty()
    }

    /// When to dial, if at all.
    pub(super) fn due(&self) -> Option<Time> {
        (!self.connected() && !self.dialling).then_some(self.next_dial)
    }

    /// A dial began.
    pub(super) const fn dial_began(&mut self) {
        self.dialling = true;
    }

    /// A dial ended without a connection. The pause never grows: TCP's own back-off would keep a healed link silent.
    pub(super) fn dial_failed(&mut self, now: Time, jitter: Duration) {
        self.dialling = false;
        self.next_dial = now.after(pause(jitter));
    }

    /// A connection was established; tells those that must be closed.
    pub(super) fn established(&mut self, link: Link<Id>) -> Vec<Id> {
        self.dialling &= link.dialler == Side::There;
        if self.links.iter().any(|old| self.stays(*old, link)) {
            return vec![link.id];
        }
        let closing = self.links.iter().map(|old| old.id).collect();
        self.links = vec![link];
        closing
    }

    /// A connection was closed; tells whether it was the last one that counted.
    pub(super) fn closed(&mut self, id: Id, now: Time, jitter: Duration) -> bool {
        let before = self.links.len();
        self.links.retain(|link| link.id != id);
        let last = before > 0 && self.links.is_empty();
        if last {
            self.next_dial = now.after(pause(jitter));
        }
        last
    }

    /// Whether an old connection outlives a new one: only when both sides dialled in the same moment and the old one is
    /// the smaller `PeerId`'s. Otherwise a member that connects anew has lost the old one, whatever we still believe.
    fn stays(&self, old: Link<Id>, new: Link<Id>) -> bool {
        let race = new.since.since(old.since) <= limits::DIAL_TIMEOUT.saturating_mul(2);
        let crossed = old.dialler != new.dialler;
        race && crossed && old.dialler == self.winner
    }
}

/// The pause before the next dial: 500 ms, less the deviation allowed, plus the jitter drawn.
const fn pause(jitter: Duration) -> Duration {
    limits::REDIAL
        .saturating_sub(limits::REDIAL_JITTER)
        .saturating_add(jitter)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Side::{Here, There};

    const NOW: Time = Time::from_micros(60_000_000);

    fn link(id: u8, dialler: Side, since: Time) -> Link<u8> {
        Link { id, dialler, since }
    }

    #[test]
    fn when_both_dialled_at_once_both_ends_keep_the_smaller_peers_dial() {
        let soon = NOW.after(Duration::from_millis(10));
        for (first, second, kept) in [(Here, There, 1), (There, Here, 2)] {
            let mut smaller = Member::new(Here, NOW);
            assert!(smaller.established(link(1, first, NOW)).is_empty());
            assert_eq!(smaller.established(link(2, second, soon)), [3 - kept]);

            let mut larger = Member::new(There, NOW);
            assert!(larger.established(link(1, second, NOW)).is_empty());
            assert_eq!(larger.established(link(2, first, soon)), [3 - kept]);

            for member in [smaller, larger] {
                assert_eq!(
                    member.links.iter().map(|link| link.id).collect::<Vec<_>>(),
                    [kept]
                );
            }
        }
    }

    #[test]
    fn a_member_that_connects_anew_later_replaces_its_old_connection() {
        let later = NOW.after(Duration::from_secs(30));
        for dialler in [Here, There] {
            let mut member = Member::new(Here, NOW);
            member.established(link(1, Here, NOW));
            assert_eq!(member.established(link(2, dialler, later)), [1]);
            assert!(
                !member.closed(1, later, Duration::ZERO),
                "the old one no longer counted"
            );
            assert!(member.closed(2, later, Duration::ZERO));
        }
    }

    #[test]
    fn a_missing_member_is_redialled_every_half_second_without_growth() {
        let mut member = Member::<u8>::new(Here, NOW);
        let mut now = NOW;
        for _ in 0..50 {
            assert_eq!(member.due(), Some(now));
            member.dial_began();
            assert_eq!(member.due(), None);
            member.dial_failed(now, limits::REDIAL_JITTER);
            let due = member.due().unwrap();
            assert_eq!(due.since(now), limits::REDIAL);
            now = due;
        }
        member.established(link(1, There, now));
        assert_eq!(member.due(), None);
    }

    #[test]
    fn an_inbound_connection_does_not_end_our_own_dial() {
        let mut member = Member::new(There, NOW);
        member.dial_began();
        member.established(link(1, There, NOW));
        assert!(member.dialling);
        member.established(link(2, Here, NOW));
        assert!(!member.dialling);
    }
}
