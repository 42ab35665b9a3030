//! What a node says of itself: published by the driver, read by every listener, never awaited.

use std::time::Duration;

use serde::Serialize;

use crate::build::Build;

/// One node's view of the consortium at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct NodeStatus {
    /// This member's name.
    pub name: String,
    /// This member's place in the committee, when it has one in this epoch.
    pub index: Option<u16>,
    /// The epoch.
    pub epoch: u32,
    /// The view.
    pub view: u64,
    /// The primary's name in that view.
    pub primary: String,
    /// What the replica is doing, in words.
    pub phase: String,
    /// Newest executed height.
    pub executed: u64,
    /// Newest height with a certificate.
    pub stable: u64,
    /// Members whose votes make a quorum.
    pub quorum: u16,
    /// All members in committee order, this one included.
    pub members: Vec<MemberStatus>,
    /// Members that are not connected, and, while nothing moves, those whose votes are awaited.
    pub missing: Vec<String>,
    /// Between which blocks this replica votes.
    pub water_marks: WaterMarks,
    /// The oldest blocks under way.
    pub open: Vec<OpenBlock>,
    /// Why this replica last changed the view; nothing while it is in the epoch's first one.
    pub changed_view: Option<String>,
    /// The timer that runs out next.
    pub timer: Option<RunningTimer>,
    /// Why nothing progresses, when nothing does.
    pub stalled: Option<String>,
    /// Whether the replica signs; not for display.
    #[serde(skip)]
    pub standing: Option<consensus::Standing>,
    /// Why this node signs nothing, when it does not.
    pub votes_lost: Option<String>,
    /// Why this node's reads are not to be trusted: its state root differs from the certified one.
    pub diverged: Option<String>,
}

/// Between which blocks a replica votes (the low and high water mark of the paper).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct WaterMarks {
    /// No vote is given at or below this block.
    pub low: u64,
    /// Nor above this one.
    pub high: u64,
}

/// A block under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OpenBlock {
    /// Its height.
    pub height: u64,
    /// What it waits for.
    pub phase: &'static str,
    /// Members whose votes of that phase are here.
    pub present: Vec<String>,
    /// Members whose votes of that phase are missing.
    pub missing: Vec<String>,
}

/// A timer as it was set: how long it still runs is known to whoever reads it, not to whoever published it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RunningTimer {
    /// What it is for.
    pub name: &'static str,
    /// When it runs out, by the node's monotonic clock.
    pub due: Duration,
}

impl RunningTimer {
    /// What happens when, as of `now` on the same clock: whole seconds, and tenths when it comes soon.
    pub fn words(&self, now: Duration) -> String {
        let left = self.due.saturating_sub(now);
        let tenths = left.as_millis().div_ceil(100);
        let (seconds, tenth) = (
            tenths.checked_div(10).unwrap_or_default(),
            tenths.checked_rem(10).unwrap_or_default(),
        );
        match (seconds, tenth) {
            (0, 0) => format!("{} now", self.name),
            (10.., _) => format!("{} in {} s", self.name, left.as_secs()),
            (_, _) => format!("{} in {seconds}.{tenth} s", self.name),
        }
    }
}

/// One member as this node sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct MemberStatus {
    /// Its name.
    pub name: String,
    /// `rc` or `server`.
    pub role: String,
    /// Whether it is connected now; this node itself always is.
    pub up: bool,
    /// Wall time of its newest frame, in ms since 1970.
    pub last_seen_ms: Option<u64>,
    /// The newest height it told.
    pub height: Option<u64>,
    /// The lowest block whose body it says it keeps.
    pub lowest: Option<u64>,
    /// Its clock minus this node's, in ms, half a round trip taken off.
    pub clock_skew_ms: Option<i64>,
    /// Which build it says it runs.
    pub build: Option<Build>,
}

impl NodeStatus {
    /// Members that are connected, this one included.
    pub fn connected(&self) -> usize {
        self.members.iter().filter(|member| member.up).count()
    }

    /// Whether enough members are connected for the ledger to move.
    pub fn has_quorum(&self) -> bool {
        self.connected() >= usize::from(self.quorum)
    }

    /// How many blocks behind the others this node is, whose newest certified block is this one: behind a height that
    /// so many members name, or have passed, that one of them is honest. A liar names any.
    pub fn behind(&self, certified: u64) -> u64 {
        let heights = self.members.iter().filter_map(|member| member.height);
        let mut heights: Vec<u64> = heights.collect();
        heights.sort_unstable_by(|a, b| b.cmp(a));
        let liars = self.members.len().saturating_sub(usize::from(self.quorum));
        let reached = heights.get(liars).copied().unwrap_or(certified);
        reached.saturating_sub(certified)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timer_says_in_seconds_how_long_it_still_runs() {
        let timer = RunningTimer {
            name: "heartbeat",
            due: Duration::from_mins(1),
        };
        let words = |now| timer.words(Duration::from_millis(now));
        assert_eq!(words(0), "heartbeat in 60 s");
        assert_eq!(words(15_200), "heartbeat in 44 s");
        assert_eq!(words(50_400), "heartbeat in 9.6 s");
        assert_eq!(words(59_950), "heartbeat in 0.1 s");
        assert_eq!(words(60_000), "heartbeat now");
        assert_eq!(words(99_000), "heartbeat now");
    }

    #[test]
    fn a_quorum_is_counted_with_this_node() {
        let member = |up| MemberStatus {
            up,
            ..MemberStatus::default()
        };
        let mut status = NodeStatus {
            quorum: 3,
            members: vec![member(true), member(true), member(false), member(false)],
            ..NodeStatus::default()
        };
        assert!(!status.has_quorum());
        if let Some(third) = status.members.get_mut(2) {
            third.up = true;
        }
        assert!(status.has_quorum());
    }

    #[test]
    fn no_liar_makes_a_node_believe_that_it_is_behind_and_two_members_do() {
        let told = |heights: &[u64]| {
            let member = |place| MemberStatus {
                height: heights.get(place).copied(),
                ..MemberStatus::default()
            };
            NodeStatus {
                quorum: 3,
                members: (0..4).map(member).collect(),
                ..NodeStatus::default()
            }
        };

        assert_eq!(told(&[4, 4, u64::MAX, 4]).behind(4), 0);
        assert_eq!(told(&[4, 90, 100, 80]).behind(4), 86);
        assert_eq!(told(&[4, 100]).behind(4), 0, "one alone is not believed");
        assert_eq!(NodeStatus::default().behind(4), 0);
    }
}
