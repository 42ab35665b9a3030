//! How an evaluator's handle lies in its slot.
//!
//! ```text
//! enrolled   kind 1 ‖ age 8 ‖ key epoch 4 ‖ hash of the deal 32 ‖ handle 16 ‖ pk_dev 32 ‖ pk_confirm 32
//!            ‖ change 1 [‖ old handle 16 ‖ σ 64] ‖ confirmed 1 [‖ hash 32] ‖ share 32 ‖ throttle     1,888 bytes at most
//! destroyed  kind 2 ‖ handle 16 ‖ key epoch 4
//! ```

use contract::{PublicKey, SignatureBytes};
use protocol::Secret;
use protocol::aidc1::deal::{Change, Enrolment};
use protocol::aidc1::oprf::EvaluatorKey;
use protocol::aidc1::{Enrolled, Handle, Throttle};
use zeroize::Zeroizing;

use crate::vault::PAYLOAD_BYTES_MAX;

/// What a slot holds.
#[derive(Debug)]
pub(super) enum Content {
    /// A share and its use.
    Enrolled(Box<Kept>),
    /// There was one; its deal could still be opened.
    Destroyed {
        /// Whose.
        handle: Handle,
        /// Under which key epoch it was dealt.
        epoch: u32,
    },
}

/// An enrolment as it is kept.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    /// Who may ask, and the share.
    pub(super) enrolled: Enrolled,
    /// The key epoch under which it was dealt.
    pub(super) epoch: u32,
    /// Names the deal.
    deal: [u8; 32],
    /// Names the last confirmation.
    pub(super) confirmed: Option<[u8; 32]>,
    /// Counts its writings.
    age: u64,
}

impl Kept {
    /// An enrolment that was just dealt.
    pub(super) const fn new(enrolled: Enrolled, epoch: u32, deal: [u8; 32]) -> Self {
        Self {
            enrolled,
            epoch,
            deal,
            confirmed: None,
            age: 0,
        }
    }

    /// The same, at its next writing.
    pub(super) fn grown(self) -> Self {
        Self {
            age: self.age.saturating_add(1),
            ..self
        }
    }
}

impl Content {
    /// Whose.
    pub(super) const fn handle(&self) -> &Handle {
        match self {
            Self::Enrolled(kept) => &kept.enrolled.enrolment().handle,
            Self::Destroyed { handle, .. } => handle,
        }
    }

    /// The greater, the newer: nothing follows a destruction.
    pub(super) const fn age(&self) -> u64 {
        match self {
            Self::Enrolled(kept) => kept.age,
            Self::Destroyed { .. } => u64::MAX,
        }
    }

    /// Whether this deal made it.
    pub(super) fn is_of(&self, deal: &[u8; 32]) -> bool {
        matches!(self, Self::Enrolled(kept) if kept.deal == *deal)
    }

    /// The slot's payload.
    pub(super) fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(PAYLOAD_BYTES_MAX));
        match self {
            Self::Enrolled(kept) => write(kept, &mut bytes),
            Self::Destroyed { handle, epoch } => {
                bytes.push(2);
                bytes.extend(handle.as_bytes());
                bytes.extend(epoch.to_be_bytes());
            }
        }
        bytes
    }

    /// What [`Content::encode`] wrote.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes;
        match take(&mut rest)? {
            [1] => read(&mut rest).map(|kept| Self::Enrolled(Box::new(kept))),
            [2] => {
                let handle = Handle::new(take(&mut rest)?);
                let epoch = u32::from_be_bytes(take(&mut rest)?);
                rest.is_empty().then_some(Self::Destroyed { handle, epoch })
            }
            _ => None,
        }
    }
}

fn write(kept: &Kept, bytes: &mut Vec<u8>) {
    let enrolment = kept.enrolled.enrolment();
    bytes.push(1);
    bytes.extend(kept.age.to_be_bytes());
    bytes.extend(kept.epoch.to_be_bytes());
    bytes.extend(kept.deal);
    bytes.extend(enrolment.handle.as_bytes());
    bytes.extend(enrolment.device.as_bytes());
    bytes.extend(enrolment.confirm.as_bytes());
    bytes.push(u8::from(enrolment.change.is_some()));
    if let Some(change) = &enrolment.change {
        bytes.extend(change.old.as_bytes());
        bytes.extend(change.signature.to_bytes());
    }
    bytes.push(u8::from(kept.confirmed.is_some()));
    bytes.extend(kept.confirmed.iter().flatten());
    bytes.extend(kept.enrolled.share().to_secret().expose());
    bytes.extend(kept.enrolled.throttle().encode());
}

fn read(rest: &mut &[u8]) -> Option<Kept> {
    let age = u64::from_be_bytes(take(rest)?);
    let epoch = u32::from_be_bytes(take(rest)?);
    let deal = take(rest)?;
    let handle = Handle::new(take(rest)?);
    let device = PublicKey::new(take(rest)?);
    let confirm = PublicKey::new(take(rest)?);
    let change = match take(rest)? {
        [0] => None,
        [1] => Some(Change {
            old: Handle::new(take(rest)?),
            signature: SignatureBytes::new(take(rest)?),
        }),
        _ => return None,
    };
    let confirmed = match take(rest)? {
        [0] => None,
        [1] => Some(take(rest)?),
        _ => return None,
    };
    let share = EvaluatorKey::from_bytes(&Secret::new(take(rest)?))?;
    let throttle = Throttle::parse(rest).ok()?;
    let enrolment = Enrolment {
        handle,
        device,
        confirm,
        change,
    };
    Some(Kept {
        enrolled: Enrolled::stored(enrolment, share, throttle),
        epoch,
        deal,
        confirmed,
        age,
    })
}

/// The next bytes of a payload.
fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(*taken)
}
