//! What an attack shows while it runs, and how it ends early.

use core::convert::Infallible;

/// A value that the attacker holds after a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// What it is called.
    pub label: &'static str,
    /// The value, for people.
    pub value: String,
}

/// What came of each step, in the order of the catalogue's steps.
#[derive(Clone, Debug, Default)]
pub struct Story(Vec<Vec<Shown>>);

impl Story {
    /// Ends a step, with what it gave.
    pub(super) fn step<const N: usize>(&mut self, shown: [(&'static str, String); N]) {
        let shown = shown.map(|(label, value)| Shown { label, value });
        self.0.push(shown.into());
    }

    /// The steps that were done.
    pub fn steps(&self) -> &[Vec<Shown>] {
        &self.0
    }
}

/// An attack does not go on.
#[derive(Debug)]
pub enum Stopped<E> {
    /// The scheme withstood it.
    Withstood,
    /// Its surroundings failed, which says nothing of the scheme.
    World(E),
}

/// A condition without which an attack does not go on.
pub(super) trait Must {
    /// Goes on if it holds.
    fn must<E>(self) -> Result<(), Stopped<E>>;
}

impl Must for bool {
    fn must<E>(self) -> Result<(), Stopped<E>> {
        some(self.then_some(()))
    }
}

/// Goes on with what there is.
pub(super) fn some<T, E>(found: Option<T>) -> Result<T, Stopped<E>> {
    found.ok_or(Stopped::Withstood)
}

/// How an attack ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Whether the attacker reached his aim.
    pub succeeded: bool,
    /// What each step gave, as far as he came.
    pub story: Story,
}

impl Outcome {
    /// Of an attack that ran until it was done or withstood.
    pub(super) fn of<E>(ended: Result<(), Stopped<E>>, story: Story) -> Result<Self, E> {
        let succeeded = match ended {
            Ok(()) => true,
            Err(Stopped::Withstood) => false,
            Err(Stopped::World(error)) => return Err(error),
        };
        Ok(Self { succeeded, story })
    }

    /// Of one in a world that cannot fail.
    pub(super) fn sure(ended: Result<(), Stopped<Infallible>>, story: Story) -> Self {
        match Self::of(ended, story) {
            Ok(outcome) => outcome,
            Err(never) => match never {},
        }
    }
}
