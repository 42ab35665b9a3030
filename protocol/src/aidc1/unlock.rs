//! Opening the lock: one question to the evaluators, then a face or the recovery code.
//!
//! ```text
//! Question::new(password)      blinds it, once for all evaluators
//!   .request(evaluator, now)   signed by the device, one for each
//!   .combine(answers)          r, and who lied
//! TerminalKey::derive(r, d)    Argon2id
//! open(tk, lock, factor, now)  the root, or an error and at most three more tries
//! Root::confirm(..)            tells the evaluators that it was she
//! ```
//!
//! A wrong password and a wrong face end alike: same error, same tries left. What a tk
//! opens is asked without the evaluators, so a tk lives as long as its tries: 60 s.

use core::fmt;

use contract::{ChainId, ServerId};
use ed25519_dalek::Signer as _;
use rand_core::CryptoRng;
use thiserror::Error;

use super::evaluation::{Confirmation, EvaluationId, EvaluationRequest};
use super::lock::{Lock, TerminalKey};
use super::oprf::shares::{Combined, Evaluators, NotEnough};
use super::oprf::{Blinding, Evaluation, InvalidInput};
use super::password::Password;
use super::recovery::RecoveryCode;
use super::root::{DeviceSecret, Handle, Root};
use crate::biometric::Embedding;
use crate::error::{Failed, Reason};
use crate::freshness::Timestamp;
use crate::fuzzy::Auxiliary;

/// Captures or codes that may follow a first one that failed.
pub const MORE_TRIES: u8 = 3;

/// How long after the first failure the last of them may come, in milliseconds.
pub const TRIES_SPAN_MS: u64 = 60_000;

/// A password, blinded and waiting for evaluations.
#[derive(Debug)]
pub struct Question {
    blinding: Blinding,
    handle: Handle,
}

impl Question {
    /// Blinds the password. Draws 64 bytes at a time.
    pub fn new(
        password: &Password,
        handle: Handle,
        rng: &mut impl CryptoRng,
    ) -> Result<Self, InvalidInput> {
        let blinding = Blinding::new(password.input(), rng)?;
        Ok(Self { blinding, handle })
    }

    /// The request to one evaluator.
    pub fn request(
        &self,
        device: &DeviceSecret,
        chain: &ChainId,
        evaluator: ServerId,
        now: Timestamp,
    ) -> EvaluationRequest {
        let element = *self.blinding.element();
        EvaluationRequest::sign((device, chain), self.handle, evaluator, now, element)
    }

    /// r, if enough of the answers hold.
    pub fn combine(
        &self,
        evaluators: &Evaluators,
        answers: &[(ServerId, Evaluation)],
    ) -> Result<Combined, NotEnough> {
        self.blinding.combine(evaluators, answers)
    }
}

/// What opens the lock beside device and password.
#[derive(Clone, Copy, Debug)]
pub enum Factor<'a> {
    /// A capture of her face.
    Face(&'a Embedding),
    /// The code from the paper.
    Code(&'a RecoveryCode),
}

/// The lock did not open. Whether the password, the face or the code was wrong shows in
/// no part of it.
#[derive(Debug, Error)]
#[error("{failed}")]
pub struct NotOpened {
    /// What to tell, the same for every reason.
    pub failed: Failed,
    /// Further tries without a new evaluation, as long as there are any.
    pub retry: Option<Box<Retry>>,
}

/// A tk that waits for another capture or code. Wiped when dropped, taken or refused.
pub struct Retry {
    tk: TerminalKey,
    lock: Lock,
    /// PP; missing if the box did not open, which only the tries to come may feel.
    pp: Option<Auxiliary>,
    /// When the first try failed.
    failed_at: Timestamp,
    left: u8,
}

/// Tries to open the lock with what evaluators and device gave and what the patient
/// shows. `now` is when she showed it.
pub fn open(
    tk: TerminalKey,
    lock: &Lock,
    factor: Factor<'_>,
    now: Timestamp,
) -> Result<Root, NotOpened> {
    let state = Retry {
        pp: lock.open_box(&tk),
        lock: lock.clone(),
        tk,
        failed_at: now,
        left: MORE_TRIES,
    };
    match state.root(factor) {
        Some(root) => Ok(root),
        None => Err(NotOpened::because(Some(Box::new(state)))),
    }
}

impl Retry {
    /// How many tries are left.
    pub const fn left(&self) -> u8 {
        self.left
    }

    /// Tries again, at most 60 s after the first failure.
    pub fn again(self, factor: Factor<'_>, now: Timestamp) -> Result<Root, NotOpened> {
        let since = now.as_millis().saturating_sub(self.failed_at.as_millis());
        if since > TRIES_SPAN_MS {
            return Err(NotOpened::because(None));
        }
        if let Some(root) = self.root(factor) {
            return Ok(root);
        }
        let left = self.left.saturating_sub(1);
        let retry = (left > 0).then(|| Box::new(Self { left, ..self }));
        Err(NotOpened::because(retry))
    }

    fn root(&self, factor: Factor<'_>) -> Option<Root> {
        match factor {
            Factor::Face(capture) => {
                let pp = self.pp.as_ref()?;
                self.lock.open_by_face(&self.tk, pp, capture)
            }
            Factor::Code(code) => self.lock.open_by_code(&self.tk, code),
        }
    }
}

impl fmt::Debug for Retry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Whether there is a PP would tell a wrong password from a wrong face.
        write!(f, "Retry({} left, redacted)", self.left)
    }
}

impl NotOpened {
    const fn because(retry: Option<Box<Retry>>) -> Self {
        Self {
            failed: Failed::because(Reason::Locked),
            retry,
        }
    }
}

impl Root {
    /// Tells an evaluator that its evaluation helped to open the lock.
    pub fn confirm(
        &self,
        chain: &ChainId,
        handle: Handle,
        evaluation: EvaluationId,
    ) -> Confirmation {
        let digest = Confirmation::digest(chain, &handle, &evaluation);
        let signature = self.confirm_key(&handle).sign(&digest).to_bytes();
        Confirmation::new(handle, evaluation, signature)
    }
}
