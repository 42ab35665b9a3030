//! What this node has noticed of each member: noted by the edge, read for status and metrics.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
};

use crate::network::MemberIndex;

/// A skew that was never measured.
const UNMEASURED: i64 = i64::MIN;

/// One table for all members, shared by those who write and those who read. Numbers only: none depends on another.
#[derive(Clone, Debug)]
pub struct Roster(Arc<[Entry]>);

/// What was noticed of one member.
#[derive(Debug)]
struct Entry {
    up: AtomicBool,
    last_seen_ms: AtomicU64,
    height: AtomicU64,
    skew_ms: AtomicI64,
}

/// A reading of an entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Noticed {
    /// Whether frames to it go out.
    pub up: bool,
    /// Wall time of its newest frame.
    pub last_seen_ms: Option<u64>,
    /// The newest height it told.
    pub height: Option<u64>,
    /// Its clock minus ours.
    pub skew_ms: Option<i64>,
}

impl Roster {
    /// Nothing was noticed of `count` members.
    pub fn new(count: usize) -> Self {
        let entry = || Entry {
            up: AtomicBool::new(false),
            last_seen_ms: AtomicU64::new(0),
            height: AtomicU64::new(0),
            skew_ms: AtomicI64::new(UNMEASURED),
        };
        Self(std::iter::repeat_with(entry).take(count).collect())
    }

    /// The entry of a member.
    fn entry(&self, member: MemberIndex) -> Option<&Entry> {
        self.0.get(usize::from(member))
    }

    /// Something came from a member.
    pub fn heard(&self, member: MemberIndex, wall_ms: u64) {
        if let Some(entry) = self.entry(member) {
            entry.last_seen_ms.store(wall_ms, Ordering::Relaxed);
        }
    }

    /// A member said how high it is; it is believed for display only.
    pub fn told_height(&self, member: MemberIndex, height: u64) {
        if let Some(entry) = self.entry(member) {
            entry.height.fetch_max(height, Ordering::Relaxed);
        }
    }

    /// A member is connected.
    pub fn connected(&self, member: MemberIndex) {
        if let Some(entry) = self.entry(member) {
            entry.up.store(true, Ordering::Relaxed);
        }
    }

    /// A member is connected no longer.
    pub fn lost(&self, member: MemberIndex) {
        if let Some(entry) = self.entry(member) {
            entry.up.store(false, Ordering::Relaxed);
        }
    }

    /// A member's clock was measured.
    pub fn measured(&self, member: MemberIndex, skew_ms: i64) {
        if let Some(entry) = self.entry(member) {
            entry.skew_ms.store(skew_ms, Ordering::Relaxed);
        }
    }

    /// What was noticed of a member.
    pub fn read(&self, member: MemberIndex) -> Noticed {
        let Some(entry) = self.entry(member) else {
            return Noticed::default();
        };
        let some = |number: u64| (number != 0).then_some(number);
        let skew = entry.skew_ms.load(Ordering::Relaxed);
        Noticed {
            up: entry.up.load(Ordering::Relaxed),
            last_seen_ms: some(entry.last_seen_ms.load(Ordering::Relaxed)),
            height: some(entry.height.load(Ordering::Relaxed)),
            skew_ms: (skew != UNMEASURED).then_some(skew),
        }
    }

    /// The middle one of the measured skews: how far this clock is off the others' common opinion.
    pub fn median_skew(&self) -> Option<i64> {
        let mut skews: Vec<i64> = (0..)
            .take(self.0.len())
            .map(|member| self.read(member))
            .filter(|noticed| noticed.up)
            .filter_map(|noticed| noticed.skew_ms)
            .collect();
        skews.sort_unstable();
        skews.get(skews.len().checked_div(2)?).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_noticed_is_read_back_and_heights_never_fall() {
        let roster = Roster::new(2);
        assert_eq!(roster.read(1), Noticed::default());
        roster.connected(1);
        roster.heard(1, 77);
        roster.told_height(1, 9);
        roster.told_height(1, 8);
        roster.measured(1, -5);
        let noticed = Noticed {
            up: true,
            last_seen_ms: Some(77),
            height: Some(9),
            skew_ms: Some(-5),
        };
        assert_eq!(roster.read(1), noticed);
        assert_eq!(roster.read(0), Noticed::default());
        assert_eq!(
            roster.read(2),
            Noticed::default(),
            "there is no such member"
        );
    }

    #[test]
    fn one_wrong_clock_does_not_move_the_median() {
        let roster = Roster::new(4);
        assert_eq!(roster.median_skew(), None);
        for (member, skew) in [(1, 3), (2, 90_000), (3, -2)] {
            roster.connected(member);
            roster.measured(member, skew);
        }
        assert_eq!(roster.median_skew(), Some(3));
    }
}
