//! The catalogue of pitfalls that others have met: one test for each, named by its id.
//!
//! `docs/pitfalls.md` says for each id what goes wrong elsewhere and which rule prevents it here.

mod checkpoints;
mod messages;
mod new_view;
mod persistence;
mod view_change;

pub(crate) use checkpoints::boast;

use core::time::Duration;

use consensus::{
    Explanation, Frame, Input, ReplicaId, Seq, Signable, Signed, StableProof, View, ViewChange,
    ViewChangeBody,
};
use simulator::{KeyedHash, SimulatedScheme as _};

use crate::stage::Stage;

/// Replicas on a stage, and directions for them.
pub(crate) struct Play(Stage);

impl Play {
    /// So many replicas, all started.
    pub(crate) fn of(size: u16) -> Self {
        Self::started(Stage::new(size), size)
    }

    /// The same with a window of so many blocks.
    pub(crate) fn with_window(size: u16, window: u64) -> Self {
        let mut stage = Stage::new(size);
        stage.narrow(window);
        Self::started(stage, size)
    }

    /// All replicas of a stage are started.
    fn started(mut stage: Stage, size: u16) -> Self {
        for member in 0..size {
            stage.play(&format!("start r{member}"));
        }
        Self(stage)
    }

    /// Follows directions, one a line or with a `;` between; gives what came of them.
    pub(crate) fn go(&mut self, directions: &str) -> Said {
        let directions = directions.split([';', '\n']).map(str::trim);
        let lines = directions.filter(|line| !line.is_empty());
        let said: Vec<String> = lines.flat_map(|line| self.0.play(line)).collect();
        let nothing = said
            .iter()
            .find(|line| line.starts_with("nothing is on its way"));
        assert_eq!(nothing, None, "a direction that does nothing");
        Said(said)
    }

    /// These replicas suspect their primary.
    pub(crate) fn leave(&mut self, who: &str) -> Said {
        let each = who.split_whitespace();
        let directions =
            each.map(|who| format!("{who} waits for transaction 1;{who} runs out of request"));
        self.go(&directions.collect::<Vec<_>>().join(";"))
    }

    /// An input of the test's making arrives.
    pub(crate) fn input(&mut self, who: u16, input: Input) -> Said {
        Said(self.0.input(usize::from(who), input))
    }

    /// Whether a batch is under way at a replica.
    pub(crate) fn is_under_way(&self, who: u16, batch: &str) -> bool {
        self.0.is_under_way(usize::from(who), batch)
    }

    /// What a replica says of itself.
    pub(crate) fn explanation(&self, who: u16) -> Explanation {
        self.0.explanation(usize::from(who))
    }

    /// A frame of this sender's making arrives.
    pub(crate) fn arrives(&mut self, from: u16, to: u16, frame: &Frame) -> Said {
        Said(self.0.take(usize::from(from), usize::from(to), frame))
    }

    /// A member asks for a view, with nothing stable or prepared.
    pub(crate) fn asks(&mut self, member: u16, view: u64, to: u16) -> Said {
        let body = ViewChangeBody {
            view: View::new(view),
            stable: StableProof::Origin(Seq::ZERO),
            prepared: Vec::new(),
        };
        let change = Frame::ViewChange(self.sign(member, ViewChange::new(body)));
        self.arrives(member, to, &change)
    }

    /// Of four members, the primary of a view and another one ask r3 for it, and so r3 asks as
    /// well; what r3 then waits for the new primary.
    pub(crate) fn two_ask(&mut self, view: u64) -> Vec<String> {
        let members = if view % 4 == 2 { [2, 0] } else { [0, 1] };
        let mut waits = Vec::new();
        for member in members {
            let said = self.asks(member, view, 3).0;
            let armed = said
                .iter()
                .filter_map(|line| line.strip_prefix("r3 arm new-view "));
            waits.extend(armed.map(str::to_owned));
        }
        waits
    }

    /// Time goes by.
    pub(crate) fn pass(&mut self, time: Duration) {
        self.0.pass(time);
    }

    /// A body signed by a member.
    pub(crate) fn sign<T: Signable>(&self, member: u16, body: T) -> Signed<T> {
        let key = KeyedHash::of_member(member);
        Signed::sign(body, ReplicaId::new(member), &self.0.committee(), &key)
    }
}

/// What came of some directions: one effect a line.
pub(crate) struct Said(pub(crate) Vec<String>);

impl Said {
    /// Asserts that exactly this came of them.
    #[track_caller]
    pub(crate) fn shows(&self, line: &str) -> &Self {
        let found = self.0.iter().any(|said| said == line);
        assert!(found, "missing: {line}\n{}", self.0.join("\n"));
        self
    }

    /// Asserts that nothing with these words came of them.
    #[track_caller]
    pub(crate) fn lacks(&self, words: &str) -> &Self {
        assert_eq!(self.count(words), 0, "{words}:\n{}", self.0.join("\n"));
        self
    }

    /// How many lines have these words.
    pub(crate) fn count(&self, words: &str) -> usize {
        self.0.iter().filter(|said| said.contains(words)).count()
    }

    /// Asserts that the first line comes before the second.
    #[track_caller]
    fn in_order(&self, first: &str, second: &str) -> &Self {
        let place = |line: &str| self.0.iter().position(|said| said == line);
        let (one, two) = (place(first), place(second));
        assert!(
            one.is_some() && one < two,
            "{first} / {second}\n{}",
            self.0.join("\n")
        );
        self
    }
}
