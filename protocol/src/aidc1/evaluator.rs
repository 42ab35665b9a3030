//! One enrolment at one evaluator: who may ask, how often, and when the share dies.

use contract::{ChainId, ServerId};
use rand_core::CryptoRng;
use thiserror::Error;

use super::deal::{Change, Dealt, Enrolment};
use super::evaluation::{Confirmation, EvaluationRequest};
use super::oprf::{Evaluation, EvaluatorKey};
use super::root::Handle;
use super::throttle::{NotPending, Throttle, Throttled};
use crate::freshness::Timestamp;

/// Why a request is refused. Only [`Refused::Throttled`] tells a stranger anything, and
/// it is behind the device's signature.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum Refused {
    /// It is for another member, for another enrolment, or not signed by its device.
    #[error("no enrolment here has this handle and this device")]
    Unknown,
    /// Not now, or not any more.
    #[error(transparent)]
    Throttled(#[from] Throttled),
    /// The blinded element is none.
    #[error("the blinded element is no element of the group")]
    Element,
}

/// A confirmation does not count.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum NotConfirmed {
    /// It is for another enrolment or was not signed by its confirm key.
    #[error("no enrolment here has this handle and this key")]
    Unknown,
    /// It names no evaluation that waits for one.
    #[error(transparent)]
    NotPending(#[from] NotPending),
}

/// The handle of a deal is in use: a replay, or two patients with one handle.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("handle {0} is enrolled already: draw another")]
pub struct HandleTaken(pub Handle);

/// What an evaluator holds for one handle. [`Enrolled::share`] must be kept where it can
/// be erased, [`Enrolled::throttle`] where it survives a crash.
#[derive(Clone, Debug)]
pub struct Enrolled {
    enrolment: Enrolment,
    share: EvaluatorKey,
    throttle: Throttle,
}

impl Enrolled {
    /// Takes a checked deal, where `holds` looks into what this evaluator has. A handle is
    /// taken once. A change counts only if the old enrolment is here and its confirm key
    /// signed it; otherwise nothing will be destroyed.
    pub fn take<'a>(
        dealt: Dealt,
        holds: impl Fn(&Handle) -> Option<&'a Self>,
        chain: &ChainId,
    ) -> Result<Self, HandleTaken> {
        let mut enrolment = dealt.enrolment;
        if holds(&enrolment.handle).is_some() {
            return Err(HandleTaken(enrolment.handle));
        }
        let old = enrolment
            .change
            .as_ref()
            .and_then(|change| holds(&change.old));
        if !old.is_some_and(|old| enrolment.is_wanted_by(&old.enrolment.confirm, chain)) {
            enrolment.change = None;
        }
        Ok(Self::stored(enrolment, dealt.share, Throttle::default()))
    }

    /// An enrolment as it was stored.
    pub const fn stored(enrolment: Enrolment, share: EvaluatorKey, throttle: Throttle) -> Self {
        Self {
            enrolment,
            share,
            throttle,
        }
    }

    /// Who enrolled.
    pub const fn enrolment(&self) -> &Enrolment {
        &self.enrolment
    }

    /// The share.
    pub const fn share(&self) -> &EvaluatorKey {
        &self.share
    }

    /// The count of evaluations.
    pub const fn throttle(&self) -> &Throttle {
        &self.throttle
    }

    /// Answers a request, or refuses it before any work and without counting it. The
    /// throttle must be durable before the answer leaves. Draws 64 bytes at a time.
    pub fn evaluate(
        &mut self,
        request: &EvaluationRequest,
        (chain, member): (&ChainId, &ServerId),
        now: Timestamp,
        rng: &mut impl CryptoRng,
    ) -> Result<Evaluation, Refused> {
        let meant = *request.handle() == self.enrolment.handle && request.server_id() == member;
        if !meant || !request.is_signed_by(&self.enrolment.device, chain) {
            return Err(Refused::Unknown);
        }
        let blinded = request.blinded().ok_or(Refused::Element)?;
        self.throttle
            .admit(request.evaluation_id(chain), request.time(), now)?;
        Ok(self.share.evaluate(&blinded, rng))
    }

    /// Takes a confirmation. The handle that comes back is the one that this enrolment
    /// replaced: its share is to be destroyed now.
    pub fn confirm(
        &mut self,
        confirmation: &Confirmation,
        chain: &ChainId,
    ) -> Result<Option<Handle>, NotConfirmed> {
        let meant = *confirmation.handle() == self.enrolment.handle;
        if !meant || !confirmation.is_signed_by(&self.enrolment.confirm, chain) {
            return Err(NotConfirmed::Unknown);
        }
        self.throttle.confirm(confirmation.evaluation())?;
        Ok(self.enrolment.change.take().map(|Change { old, .. }| old))
    }
}
