//! This member as an evaluator: the shares that the RC dealt to it, one for each handle, and how often each was used
//! (`docs/aidc1-enrolment.md` §4, §5).
//!
//! What an answer rests on is on the disk before the answer leaves. A share that dies is overwritten where it stands.

mod slot;

use std::collections::BTreeMap;
use std::path::Path;

use contract::{ChainId, PublicKey, ServerId};
use protocol::aidc1::deal::{self, BadDeal, Dealt};
use protocol::aidc1::evaluator::{NotConfirmed, Refused};
use protocol::aidc1::oprf::Evaluation;
use protocol::aidc1::{Confirmation, Enrolled, EpochSecret, EvaluationRequest, Handle};
use protocol::{Message as _, Timestamp};
use rand_core::CryptoRng;
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::vault::{Slot, Vault, VaultError};
use slot::{Content, Kept};

/// The vault's name in a home.
pub const VAULT: &str = "evaluators";
/// Handles that one evaluator holds at most, the destroyed ones of living key epochs included.
pub const HANDLES_MAX: usize = 100_000;

/// Who evaluates, on which ledger, and who deals.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The ledger.
    pub chain: ChainId,
    /// This member.
    pub member: ServerId,
    /// The RC's member key, as the running epoch has it.
    pub rc: PublicKey,
}

/// Why a deal is not taken.
#[derive(Debug, Error)]
pub enum NotTaken {
    /// This member has no key epoch yet.
    #[error("this member has published no epoch key yet")]
    NoEpoch,
    /// It does not hold.
    #[error(transparent)]
    Bad(#[from] BadDeal),
    /// The handle is in use, or was destroyed while its key epoch lives.
    #[error("this handle was dealt before: apply again, with another")]
    HandleTaken,
    /// No room.
    #[error("this evaluator holds {HANDLES_MAX} handles already")]
    Full,
    /// The share cannot be kept.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

/// Why there is no evaluation.
#[derive(Debug, Error)]
pub enum NotEvaluated {
    /// The request is refused.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The count cannot be kept.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

/// Why a confirmation does not count.
#[derive(Debug, Error)]
pub enum ConfirmationLost {
    /// It is refused.
    #[error(transparent)]
    Refused(#[from] NotConfirmed),
    /// What it changes cannot be kept.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

/// The evaluator at work.
#[derive(Debug)]
pub struct Evaluators {
    vault: Vault,
    handles: BTreeMap<Handle, Held>,
}

/// A handle, and where its secret stands.
#[derive(Debug)]
struct Held {
    slot: Slot,
    content: Content,
}

impl Evaluators {
    /// Opens the vault of a home, or makes it.
    pub fn open(home: &Path) -> Result<Self, VaultError> {
        let (vault, found) = Vault::open(home, VAULT)?;
        let mut evaluators = Self {
            vault,
            handles: BTreeMap::new(),
        };
        for (slot, bytes) in found {
            let Some(content) = Content::parse(&bytes) else {
                return Err(evaluators.vault.damaged(slot));
            };
            evaluators.admit(Held { slot, content })?;
        }
        Ok(evaluators)
    }

    /// Of two slots with one handle, as a crash leaves them, the newer one counts.
    fn admit(&mut self, held: Held) -> Result<(), VaultError> {
        let handle = *held.content.handle();
        let older = match self.handles.get(&handle) {
            Some(known) if known.content.age() > held.content.age() => Some(held.slot),
            _ => self.handles.insert(handle, held).map(|known| known.slot),
        };
        older.map_or(Ok(()), |slot| self.vault.erase(slot))
    }

    /// How many handles are held.
    pub fn len(&self) -> usize {
        self.handles.len()
    }

    /// Whether nobody is enrolled here.
    pub fn is_empty(&self) -> bool {
        self.handles.is_empty()
    }

    /// Takes a deal; the share is on the disk when this returns. One that is held already is taken again.
    pub fn take(
        &mut self,
        bytes: &[u8],
        place: &Place,
        living: &[(u32, EpochSecret)],
    ) -> Result<(), NotTaken> {
        self.forget(living)?;
        let digest: [u8; 32] = Sha256::digest(bytes).into();
        let (epoch, dealt) = open(bytes, place, living)?;
        match self.handles.get(&dealt.enrolment.handle) {
            Some(held) if held.content.is_of(&digest) => return Ok(()),
            Some(_) => return Err(NotTaken::HandleTaken),
            None if self.handles.len() >= HANDLES_MAX => return Err(NotTaken::Full),
            None => {}
        }
        let handle = dealt.enrolment.handle;
        let enrolled = Enrolled::take(dealt, |handle| self.enrolled(handle), &place.chain)
            .map_err(|_taken| NotTaken::HandleTaken)?;
        let content = Content::Enrolled(Box::new(Kept::new(enrolled, epoch, digest)));
        let slot = self.vault.put(&content.encode())?;
        self.handles.insert(handle, Held { slot, content });
        Ok(())
    }

    /// Answers a request. The count is on the disk when this returns.
    pub fn evaluate(
        &mut self,
        request: &EvaluationRequest,
        place: &Place,
        now: Timestamp,
        rng: &mut impl CryptoRng,
    ) -> Result<Evaluation, NotEvaluated> {
        let mut next = self.kept(request.handle()).ok_or(Refused::Unknown)?.clone();
        let member = (&place.chain, &place.member);
        let evaluation = next.enrolled.evaluate(request, member, now, rng)?;
        self.keep(next)?;
        Ok(evaluation)
    }

    /// Takes a confirmation. If it confirms a new lock, the old one's share is destroyed when this returns. The last
    /// confirmation may come again.
    pub fn confirm(
        &mut self,
        confirmation: &Confirmation,
        chain: &ChainId,
    ) -> Result<(), ConfirmationLost> {
        let unknown = NotConfirmed::Unknown;
        let mut next = self.kept(confirmation.handle()).ok_or(unknown)?.clone();
        let digest: [u8; 32] = Sha256::digest(confirmation.encode()).into();
        let old = match next.enrolled.confirm(confirmation, chain) {
            Ok(old) => old,
            Err(NotConfirmed::NotPending(_)) if next.confirmed == Some(digest) => return Ok(()),
            Err(refused) => return Err(refused.into()),
        };
        next.confirmed = Some(digest);
        // The old share first: after a crash in between the confirmation may come again.
        if let Some(old) = old {
            self.destroy(&old)?;
        }
        self.keep(next)?;
        Ok(())
    }

    /// Overwrites a share. Its handle is remembered as long as its deal could be opened again.
    fn destroy(&mut self, handle: &Handle) -> Result<(), VaultError> {
        let Some(kept) = self.kept(handle) else {
            return Ok(());
        };
        let content = Content::Destroyed {
            handle: *handle,
            epoch: kept.epoch,
        };
        self.exchange(content)
    }

    /// Forgets destroyed handles whose key epoch is over: their deals do not open any more.
    fn forget(&mut self, living: &[(u32, EpochSecret)]) -> Result<(), VaultError> {
        let over = |content: &Content| match content {
            Content::Destroyed { epoch, .. } => !living.iter().any(|(one, _)| one == epoch),
            Content::Enrolled(_) => false,
        };
        let ended: Vec<Handle> = self
            .handles
            .iter()
            .filter(|(_, held)| over(&held.content))
            .map(|(handle, _)| *handle)
            .collect();
        for handle in ended {
            if let Some(held) = self.handles.remove(&handle) {
                self.vault.erase(held.slot)?;
            }
        }
        Ok(())
    }

    fn keep(&mut self, kept: Kept) -> Result<(), VaultError> {
        self.exchange(Content::Enrolled(Box::new(kept.grown())))
    }

    /// Puts new content in the place of what is held under its handle.
    fn exchange(&mut self, content: Content) -> Result<(), VaultError> {
        let Some(held) = self.handles.get_mut(content.handle()) else {
            return Ok(());
        };
        let slot = self.vault.put(&content.encode())?;
        let before = std::mem::replace(held, Held { slot, content });
        self.vault.erase(before.slot)
    }

    fn kept(&self, handle: &Handle) -> Option<&Kept> {
        match &self.handles.get(handle)?.content {
            Content::Enrolled(kept) => Some(kept),
            Content::Destroyed { .. } => None,
        }
    }

    fn enrolled(&self, handle: &Handle) -> Option<&Enrolled> {
        self.kept(handle).map(|kept| &kept.enrolled)
    }
}

/// Opens a deal under the key epoch that it was sealed for.
fn open(
    bytes: &[u8],
    place: &Place,
    living: &[(u32, EpochSecret)],
) -> Result<(u32, Dealt), NotTaken> {
    let mut last = NotTaken::NoEpoch;
    for (number, secret) in living {
        match deal::open(bytes, place.member, secret, &place.chain, &place.rc) {
            Ok(dealt) => return Ok((*number, dealt)),
            Err(BadDeal::Share) => last = BadDeal::Share.into(),
            Err(bad) => return Err(bad.into()),
        }
    }
    Err(last)
}
