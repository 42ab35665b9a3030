//! What this node has noticed of each member: noted by the edge, read for status and metrics.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{build::Build, network::MemberIndex};

/// One table for all peers, shared by those who write and those who read. Numbers only: none depends on another.
#[derive(Clone, Debug, Default)]
pub struct Roster(Arc<Mutex<BTreeMap<MemberIndex, Noticed>>>);

/// What was noticed of one peer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Noticed {
    /// Whether frames to it go out.
    pub up: bool,
    /// Wall time of its newest frame.
    pub last_seen_ms: Option<u64>,
    /// The newest height it told.
    pub height: Option<u64>,
    /// The lowest block whose body it says it keeps.
    pub lowest: Option<u64>,
    /// Its clock minus ours.
    pub skew_ms: Option<i64>,
    /// What it says of its program, since it was connected last.
    pub build: Option<Build>,
}

impl Roster {
    /// The table; whoever stopped while writing has left whole entries.
    fn table(&self) -> MutexGuard<'_, BTreeMap<MemberIndex, Noticed>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something came from a peer.
    pub fn heard(&self, member: MemberIndex, wall_ms: u64) {
        self.table().entry(member).or_default().last_seen_ms = Some(wall_ms);
    }

    /// A peer said how high it is; it is believed for display only.
    pub fn told_height(&self, member: MemberIndex, height: u64) {
        let mut table = self.table();
        let noticed = table.entry(member).or_default();
        noticed.height = noticed.height.max(Some(height));
    }

    /// A peer said from which block on it keeps everything; it is believed for display only.
    pub fn told_lowest(&self, member: MemberIndex, lowest: u64) {
        self.table().entry(member).or_default().lowest = Some(lowest);
    }

    /// A peer said which build it runs; it is believed for display only.
    pub fn told_build(&self, member: MemberIndex, build: Build) {
        self.table().entry(member).or_default().build = Some(build);
    }

    /// A peer is connected.
    pub fn connected(&self, member: MemberIndex) {
        self.table().entry(member).or_default().up = true;
    }

    /// A peer is connected no longer.
    pub fn lost(&self, member: MemberIndex) {
        let mut table = self.table();
        let noticed = table.entry(member).or_default();
        noticed.up = false;
        // It may come back as another program.
        noticed.build = None;
    }

    /// A peer's clock was measured.
    pub fn measured(&self, member: MemberIndex, skew_ms: i64) {
        self.table().entry(member).or_default().skew_ms = Some(skew_ms);
    }

    /// What was noticed of a peer.
    pub fn read(&self, member: MemberIndex) -> Noticed {
        self.table().get(&member).cloned().unwrap_or_default()
    }

    /// The middle one of the measured skews: how far this clock is off the others' common opinion.
    pub fn median_skew(&self) -> Option<i64> {
        let table = self.table();
        let connected = table.values().filter(|noticed| noticed.up);
        let mut skews: Vec<i64> = connected.filter_map(|noticed| noticed.skew_ms).collect();
        skews.sort_unstable();
        skews.get(skews.len().checked_div(2)?).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_noticed_is_read_back_and_heights_never_fall() {
        let roster = Roster::default();
        assert_eq!(roster.read(1), Noticed::default());
        roster.connected(1);
        roster.heard(1, 77);
        roster.told_height(1, 9);
        roster.told_height(1, 8);
        roster.told_lowest(1, 4);
        roster.measured(1, -5);
        let noticed = Noticed {
            up: true,
            last_seen_ms: Some(77),
            height: Some(9),
            lowest: Some(4),
            skew_ms: Some(-5),
            build: None,
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
    fn who_was_away_may_come_back_as_another_program() {
        let roster = Roster::default();
        roster.connected(1);
        roster.told_build(1, Build::own(1));
        assert_eq!(roster.read(1).build, Some(Build::own(1)));

        roster.lost(1);
        roster.connected(1);

        assert_eq!(roster.read(1).build, None);
    }

    #[test]
    fn one_wrong_clock_does_not_move_the_median() {
        let roster = Roster::default();
        assert_eq!(roster.median_skew(), None);
        for (member, skew) in [(1, 3), (2, 90_000), (3, -2)] {
            roster.connected(member);
            roster.measured(member, skew);
        }
        assert_eq!(roster.median_skew(), Some(3));
    }
}
