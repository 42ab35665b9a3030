//! Rules taken out from the outside: what honest nodes would do if a rule were missing. The
//! checkers must notice every one of them.

use consensus::{Effect, Frame, Record, Scheme, Timer};

use crate::adversary::Liar;
use crate::adversary::forgetful::emptied;

/// A rule that is broken at every node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sabotage {
    /// Nothing is broken.
    None,
    /// VIEW-CHANGEs carry no prepared certificates.
    NoProofs,
    /// Votes leave before they are durable.
    VotesBeforeDisk,
    /// A PREPARE is made durable without the batch it is for.
    PreparesWithoutBatch,
    /// A vote leaves though its record could not be written.
    IgnoresFullDisk,
    /// Whoever crashes comes back as if it had signed nothing.
    ForgetsVotes,
    /// Batches are voted for that the vote-time check would refuse.
    VotesForAnything,
    /// Nobody says what it lacks.
    NeverAsks,
    /// Nobody loses patience with a primary.
    NeverSuspects,
}

impl Sabotage {
    /// What is performed in place of a step's effects.
    pub fn applied<S: Scheme>(self, node: &Liar<'_, S>, effects: Vec<Effect>) -> Vec<Effect> {
        match self {
            Self::None | Self::IgnoresFullDisk | Self::ForgetsVotes | Self::VotesForAnything => {
                effects
            }
            Self::NeverAsks => without(effects, |effect| {
                matches!(
                    effect,
                    Effect::Broadcast(Frame::Status(_)) | Effect::Send(_, Frame::Status(_))
                )
            }),
            Self::NeverSuspects => without(effects, |effect| {
                matches!(effect, Effect::Arm(Timer::Request, _))
            }),
            Self::NoProofs => effects
                .into_iter()
                .map(|effect| without_proofs(node, effect))
                .collect(),
            Self::VotesBeforeDisk => {
                let (late, early): (Vec<_>, Vec<_>) = effects
                    .into_iter()
                    .partition(|effect| matches!(effect, Effect::Persist(_)));
                early.into_iter().chain(late).collect()
            }
            Self::PreparesWithoutBatch => effects.into_iter().map(without_batch).collect(),
        }
    }
}

/// All effects but some.
fn without(effects: Vec<Effect>, some: impl Fn(&Effect) -> bool) -> Vec<Effect> {
    effects.into_iter().filter(|effect| !some(effect)).collect()
}

/// A VIEW-CHANGE leaves with nothing prepared in it.
fn without_proofs<S: Scheme>(node: &Liar<'_, S>, effect: Effect) -> Effect {
    match effect {
        Effect::Broadcast(Frame::ViewChange(own)) if own.from == node.me => {
            Effect::Broadcast(Frame::ViewChange(emptied(node, &own)))
        }
        Effect::Send(to, Frame::ViewChange(own)) if own.from == node.me => {
            Effect::Send(to, Frame::ViewChange(emptied(node, &own)))
        }
        other => other,
    }
}

/// A PREPARE's record loses its batch.
fn without_batch(effect: Effect) -> Effect {
    match effect {
        Effect::Persist(Record::Accepted {
            pre_prepare,
            prepare: Some(own),
            ..
        }) => Effect::Persist(Record::Accepted {
            pre_prepare,
            batch: None,
            prepare: Some(own),
        }),
        Effect::Persist(Record::Committed { certificate, .. }) => {
            Effect::Persist(Record::Committed {
                certificate,
                batch: None,
            })
        }
        other => other,
    }
}
