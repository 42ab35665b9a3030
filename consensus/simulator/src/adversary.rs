//! Members that do not keep to the protocol: an honest replica behind a filter on what it sends.
//!
//! A filter has the member's own key and no other. It sees every frame that the replica would
//! send and every frame that comes in, and says what leaves in its place, and when.

pub(crate) mod amnesiac;
mod censor;
mod double_voter;
mod equivocator;
mod flooder;
pub(crate) mod forgetful;
mod frozen_primary;
mod impersonator;
mod invalid_proposer;
mod liar;
mod memory;
pub(crate) mod mutation;
mod replayer;
mod silent;
mod slow_primary;
mod staller;
mod time_traveller;
mod view_spammer;
mod votes;

use core::time::Duration;

use consensus::{Batch, Committee, Frame, ReplicaId, Scheme};

use crate::dice::Dice;
use crate::ledger;

pub use memory::Memory;
pub use mutation::Mutation;

/// How a Byzantine member behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Character {
    /// Says nothing at all.
    Silent,
    /// Proposes and votes one thing to some and another to the others.
    Equivocator,
    /// Proposes honestly and votes for two things each time.
    DoubleVoter,
    /// Speaks in the names of others.
    Impersonator,
    /// Sends again what it and others said long ago.
    Replayer,
    /// Leaves the prepared certificates out of its VIEW-CHANGEs.
    Forgetful,
    /// Loses its disk at each crash and votes on as if it had signed nothing.
    Amnesiac,
    /// Never proposes certain transactions.
    Censor,
    /// Proposes just before the others lose patience.
    SlowPrimary,
    /// Proposes nothing, and does everything else.
    FrozenPrimary,
    /// Proposes what nobody may vote for.
    InvalidProposer,
    /// Proposes batches with wrong times.
    TimeTraveller,
    /// Sends twenty frames where one is due.
    Flooder,
    /// Lies in STATUS and serves blocks that were never certified.
    Liar,
    /// Asks for ever higher views.
    ViewSpammer,
    /// Takes part in view changes and orders nothing.
    Staller,
    /// Keeps to the protocol, twice under one key: see [`crate::twins`].
    Twin,
    /// Changes one field of one type of message.
    Mutator(Mutation),
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
    /// T0.
    pub timeout: Duration,
}

/// A frame that leaves after a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// How long it is held back.
    pub after: Duration,
    /// What leaves.
    pub frame: Frame,
}

impl From<Frame> for Sent {
    fn from(frame: Frame) -> Self {
        Self {
            after: Duration::ZERO,
            frame,
        }
    }
}

impl Character {
    /// Every way to misbehave but the mutations, which have a list of their own.
    pub const ALL: [Self; 16] = [
        Self::Silent,
        Self::Equivocator,
        Self::DoubleVoter,
        Self::Impersonator,
        Self::Replayer,
        Self::Forgetful,
        Self::Amnesiac,
        Self::Censor,
        Self::SlowPrimary,
        Self::FrozenPrimary,
        Self::InvalidProposer,
        Self::TimeTraveller,
        Self::Flooder,
        Self::Liar,
        Self::ViewSpammer,
        Self::Staller,
    ];

    /// A character by chance.
    pub fn of(dice: &mut Dice) -> Self {
        match dice.below(8) {
            0 => Self::Equivocator,
            1 => Self::Forgetful,
            2 => Self::Mutator(dice.pick(&Mutation::ALL)),
            _ => dice.pick(&Self::ALL),
        }
    }

    /// Whether it deals honestly with accomplices. Two that send more than they must answer what the other added with
    /// more, for ever: the wire here has no bound, and nobody honest would notice.
    pub const fn spares_accomplices(self) -> bool {
        matches!(self, Self::Flooder | Self::Replayer)
    }

    /// What the member sends to one peer instead of a frame.
    pub fn sends<S: Scheme>(
        self,
        liar: &Liar<'_, S>,
        memory: &mut Memory,
        to: ReplicaId,
        frame: &Frame,
    ) -> Vec<Sent> {
        memory.turn();
        let frames = match self {
            Self::Silent => silent::sends(),
            Self::Equivocator => equivocator::sends(liar, memory, to, frame),
            Self::DoubleVoter => double_voter::sends(liar, to, frame),
            Self::Impersonator => impersonator::sends(liar, frame),
            Self::Replayer => replayer::sends(memory, frame),
            Self::Forgetful => forgetful::sends(liar, frame),
            Self::SlowPrimary => return vec![slow_primary::sends(liar, frame)],
            Self::Staller => return staller::sends(liar, frame),
            Self::FrozenPrimary => frozen_primary::sends(liar, frame),
            Self::InvalidProposer => invalid_proposer::sends(liar, memory, frame),
            Self::Flooder => flooder::sends(liar, memory, frame),
            Self::Liar => liar::sends(memory, frame),
            Self::ViewSpammer => view_spammer::sends(liar, memory, frame),
            Self::Mutator(mutation) => vec![mutation.applied(liar, frame)],
            Self::Amnesiac | Self::Censor | Self::TimeTraveller | Self::Twin => {
                vec![frame.clone()]
            }
        };
        frames.into_iter().map(Sent::from).collect()
    }

    /// A frame comes in.
    pub fn hears(self, memory: &mut Memory, frame: &Frame) {
        if self == Self::Replayer {
            memory.keep(frame);
        }
    }

    /// Whether the member, as primary, proposes a transaction.
    pub const fn proposes(self, transaction: u64) -> bool {
        !matches!(self, Self::Censor) || censor::proposes(transaction)
    }

    /// The batch that the member, as primary, makes of these transactions at this time of day
    /// in milliseconds.
    pub fn cuts(self, memory: &mut Memory, time_ms: u64, transactions: &[u64]) -> Batch {
        match self {
            Self::InvalidProposer => invalid_proposer::cuts(memory, time_ms, transactions),
            Self::TimeTraveller => time_traveller::cuts(memory, time_ms, transactions),
            _ => ledger::batch(time_ms, transactions),
        }
    }

    /// The batch of a block that the member serves to a peer that catches up.
    pub fn serves(self, batch: &Batch) -> Batch {
        match self {
            Self::Liar => liar::serves(batch),
            _ => batch.clone(),
        }
    }

    /// Whether there are two statements of it that no honest member signs both.
    pub const fn contradicts_itself(self) -> bool {
        matches!(self, Self::Equivocator | Self::DoubleVoter)
    }
}
