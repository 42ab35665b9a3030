//! Members that do not keep to the protocol: an honest replica behind a filter on what it sends.

mod censor;
mod equivocator;
pub(crate) mod forgetful;
mod silent;

use consensus::{Committee, Frame, ReplicaId, Scheme};

use crate::dice::Dice;

/// How a Byzantine member behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Character {
    /// Says nothing at all.
    Silent,
    /// Proposes and votes one thing to some and another to the others.
    Equivocator,
    /// Leaves the prepared certificates out of its VIEW-CHANGEs.
    Forgetful,
    /// Never proposes certain transactions.
    Censor,
}

/// What a filter knows.
#[derive(Debug)]
pub struct Liar<'a, S: Scheme> {
    /// The member.
    pub me: ReplicaId,
    /// Its own key and no other.
    pub key: &'a S,
    /// The members.
    pub committee: &'a Committee<S>,
}

impl Character {
    /// A character by chance.
    pub fn of(dice: &mut Dice) -> Self {
        dice.pick(&[
            Self::Silent,
            Self::Equivocator,
            Self::Equivocator,
            Self::Forgetful,
            Self::Censor,
        ])
    }

    /// What the member sends to one peer instead of a frame.
    pub fn sends<S: Scheme>(self, liar: &Liar<'_, S>, to: ReplicaId, frame: &Frame) -> Vec<Frame> {
        match self {
            Self::Silent => silent::sends(),
            Self::Equivocator => equivocator::sends(liar, to, frame),
            Self::Forgetful => forgetful::sends(liar, frame),
            Self::Censor => vec![frame.clone()],
        }
    }

    /// Whether the member, as primary, proposes a transaction.
    pub const fn proposes(self, transaction: u64) -> bool {
        match self {
            Self::Censor => censor::proposes(transaction),
            Self::Silent | Self::Equivocator | Self::Forgetful => true,
        }
    }
}
