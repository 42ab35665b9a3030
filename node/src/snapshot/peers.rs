//! Whom to ask next: members by what they did so far.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;

use crate::network::{AskError, MemberIndex, Network};

/// Requests that one member answers at the same time.
const LANES: usize = 2;

/// Members that can be asked.
pub trait Peers: Clone + Send + Sync + 'static {
    /// Those that are connected now.
    fn present(&self) -> Vec<MemberIndex>;

    /// Sends a request to one and waits for its answer.
    fn question(
        &self,
        member: MemberIndex,
        request: Vec<u8>,
    ) -> impl Future<Output = Result<Vec<u8>, AskError>> + Send;
}

impl Peers for Network {
    fn present(&self) -> Vec<MemberIndex> {
        self.reachable()
    }

    async fn question(&self, member: MemberIndex, request: Vec<u8>) -> Result<Vec<u8>, AskError> {
        self.ask(member, request).await
    }
}

/// What is known of one member while a snapshot is taken.
#[derive(Debug, Clone, Copy, Default)]
struct Score {
    /// Requests that it is answering.
    busy: usize,
    /// Answers that did not come, less those that did.
    late: u32,
    /// Whether it sent something false: it is not asked again.
    lied: bool,
}

/// The members' scores.
#[derive(Debug, Default)]
pub struct Scores(BTreeMap<MemberIndex, Score>);

impl Scores {
    /// The member to ask: of those with a free lane that have not lied and are not to be avoided,
    /// the one that was late least often, then the least busy.
    pub fn choose(
        &self,
        connected: &[MemberIndex],
        avoid: &BTreeSet<MemberIndex>,
    ) -> Option<MemberIndex> {
        let fit = connected.iter().filter(|member| {
            let score = self.of(**member);
            !score.lied && score.busy < LANES && !avoid.contains(member)
        });
        fit.min_by_key(|member| {
            let score = self.of(**member);
            (score.late, score.busy)
        })
        .copied()
    }

    /// Whether any member is left to ask, now or later.
    pub fn any_left(&self, connected: &[MemberIndex], avoid: &BTreeSet<MemberIndex>) -> bool {
        let fit = |member: &&MemberIndex| !self.of(**member).lied && !avoid.contains(*member);
        connected.iter().any(|member| fit(&member))
    }

    /// A request goes to a member.
    pub fn asked(&mut self, member: MemberIndex) {
        let score = self.0.entry(member).or_default();
        score.busy = score.busy.saturating_add(1);
    }

    /// It answered with something true.
    pub fn answered(&mut self, member: MemberIndex) {
        let score = self.done(member);
        score.late = score.late.saturating_sub(1);
    }

    /// It did not answer.
    pub fn late(&mut self, member: MemberIndex) {
        let score = self.done(member);
        score.late = score.late.saturating_add(2).min(64);
    }

    /// It answered with something false.
    pub fn lied(&mut self, member: MemberIndex) {
        self.done(member).lied = true;
    }

    /// It has not what was asked for.
    pub fn lacks(&mut self, member: MemberIndex) {
        self.done(member);
    }

    /// A member's lane is free again.
    fn done(&mut self, member: MemberIndex) -> &mut Score {
        let score = self.0.entry(member).or_default();
        score.busy = score.busy.saturating_sub(1);
        score
    }

    /// The score of a member.
    fn of(&self, member: MemberIndex) -> Score {
        self.0.get(&member).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_punctual_are_asked_first_the_late_later_and_liars_never_again() {
        let nobody = BTreeSet::new();
        let mut scores = Scores::default();
        let all = [1, 2, 3];
        for member in all {
            scores.asked(member);
        }
        scores.late(1);
        scores.lied(2);
        scores.answered(3);

        assert_eq!(scores.choose(&all, &nobody), Some(3));
        assert_eq!(scores.choose(&[1, 2], &nobody), Some(1));
        assert_eq!(scores.choose(&[2], &nobody), None);
        assert!(!scores.any_left(&[2], &nobody));

        scores.asked(3);
        scores.asked(3);
        assert_eq!(scores.choose(&all, &nobody), Some(1), "3 has no free lane");
        assert_eq!(scores.choose(&all, &BTreeSet::from([1])), None);
        assert!(scores.any_left(&all, &BTreeSet::from([1])));
    }

    #[test]
    fn who_was_late_is_forgiven_by_answering() {
        let mut scores = Scores::default();
        scores.asked(1);
        scores.late(1);
        assert_eq!(scores.choose(&[1, 2], &BTreeSet::new()), Some(2));
        for _ in 0..2 {
            scores.asked(1);
            scores.answered(1);
        }
        assert_eq!(scores.choose(&[1, 2], &BTreeSet::new()), Some(1));
    }
}
