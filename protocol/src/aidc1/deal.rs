//! The deal: how an evaluator gets its share of an enrolment's key from the RC.
//!
//! ```text
//! body  = version 1 ‖ handle 16 ‖ j 1 ‖ pk_dev 32 ‖ pk_confirm 32
//!         ‖ t 1 ‖ n 1 ‖ n × (server_id 32 ‖ pk_j 32) ‖ change 1 [‖ old handle 16 ‖ σ_change 64]
//! share = e 32 ‖ AEAD(k_j) 48       sealed under the member's epoch key
//! deal  = body ‖ share ‖ σ_RC 64
//! ```

use contract::{ChainId, PublicKey, ServerId, SignatureBytes, signature};
use ed25519_dalek::{Signer as _, SigningKey};
use rand_core::CryptoRng;
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use super::aead::{Sealed, TAG_BYTES};
use super::oprf::EvaluatorKey;
use super::oprf::shares::Evaluators;
use super::root::{Handle, Root};
use super::server::EpochSecret;
use super::symmetric::Symmetric;
use crate::curve::{Ephemeral, Point};
use crate::error::Malformed;
use crate::fields::Fields;

/// The version of a deal.
const VERSION: u8 = 1;

/// The Noise protocol of the sealed share: pattern N.
const NOISE: &[u8] = b"AIDC1_N_secp256k1x_ChaChaPoly_SHA256";

/// Bytes of a sealed share.
const SHARE_BYTES: usize = 32 + 32 + TAG_BYTES;

/// What the terminal tells the RC about a new lock, for the evaluators.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Enrolment {
    /// Names the enrolment.
    pub handle: Handle,
    /// Checks the device's requests.
    pub device: PublicKey,
    /// Checks the confirmations.
    pub confirm: PublicKey,
    /// The lock that it takes the place of, if the patient changes one.
    pub change: Option<Change>,
}

/// Proof that whoever opened the old lock wants the new one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// The old enrolment.
    pub old: Handle,
    /// By its confirm key.
    pub signature: SignatureBytes,
}

impl Enrolment {
    /// The first lock of a root, or one on a new device.
    pub fn new(handle: Handle, device: PublicKey, root: &Root) -> Self {
        Self {
            handle,
            device,
            confirm: root.confirm_public(&handle),
            change: None,
        }
    }

    /// A lock that takes the place of `old`: another password, face or device secret.
    #[must_use]
    pub fn in_place_of(mut self, old: Handle, root: &Root, chain: &ChainId) -> Self {
        let digest = self.change_digest(&old, chain);
        let signature = root.confirm_key(&old).sign(&digest).to_bytes();
        self.change = Some(Change {
            old,
            signature: SignatureBytes::new(signature),
        });
        self
    }

    /// Whether the confirm key of the old enrolment signed the change.
    pub(super) fn is_wanted_by(&self, old_confirm: &PublicKey, chain: &ChainId) -> bool {
        self.change.as_ref().is_some_and(|change| {
            let digest = self.change_digest(&change.old, chain);
            signature::is_valid(old_confirm, &digest, &change.signature)
        })
    }

    fn change_digest(&self, old: &Handle, chain: &ChainId) -> [u8; 32] {
        let mut hash = Sha256::new_with_prefix(b"aidc1/change");
        hash.update(chain.as_bytes());
        hash.update(old.as_bytes());
        hash.update(self.handle.as_bytes());
        hash.update(self.device.as_bytes());
        hash.update(self.confirm.as_bytes());
        hash.finalize().into()
    }
}

/// Why a member does not take a deal.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum BadDeal {
    /// The bytes are no deal.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// The RC did not sign it.
    #[error("the deal is not signed by the RC")]
    NotByRc,
    /// It is for another member.
    #[error("the deal is for another member")]
    OtherMember,
    /// The share does not open, or is not the one that the list promises.
    #[error("the share does not open under this epoch key, or does not fit its public key")]
    Share,
}

/// A deal that a member checked: who enrolled, and the member's share.
#[derive(Clone, Debug)]
pub struct Dealt {
    /// What the terminal said.
    pub enrolment: Enrolment,
    /// Who else evaluates.
    pub evaluators: Evaluators,
    /// The member's share.
    pub share: EvaluatorKey,
}

/// Seals one member's share and signs the deal, at the RC. `epoch_key` is the member's
/// current `B_j`. Draws 32 bytes at a time.
pub fn seal(
    dealt: &Dealt,
    member: ServerId,
    epoch_key: &PublicKey,
    (chain, rc): (&ChainId, &SigningKey),
    rng: &mut impl CryptoRng,
) -> Result<Vec<u8>, BadDeal> {
    let number = dealt.evaluators.number_of(&member);
    let number = number.ok_or(BadDeal::OtherMember)?;
    let mut bytes = write_body(dealt, number);
    let point = Point::lift_x(epoch_key.as_bytes()).ok_or(BadDeal::Share)?;
    let ephemeral = Ephemeral::draw(rng);
    let mut state = noise(chain, (&member, epoch_key), &bytes);
    state.mix_hash(&[ephemeral.x()]);
    let key = state.mix_key(&ephemeral.agree(&point));
    let sealed = state.seal(key, dealt.share.to_secret().expose());
    bytes.extend(ephemeral.x());
    bytes.extend(sealed.parts().concat());
    let signature = rc.sign(&digest(chain, &bytes)).to_bytes();
    bytes.extend(signature);
    Ok(bytes)
}

/// Checks a deal and opens the share, at the member, with the secret of its key epoch.
pub fn open(
    bytes: &[u8],
    member: ServerId,
    epoch: &EpochSecret,
    chain: &ChainId,
    rc: &PublicKey,
) -> Result<Dealt, BadDeal> {
    let too_short = Malformed::Truncated {
        message: "a deal",
        field: "signature",
    };
    let (signed, signature) = bytes.split_last_chunk::<64>().ok_or(too_short)?;
    if !signature::is_valid(rc, &digest(chain, signed), &SignatureBytes::new(*signature)) {
        return Err(BadDeal::NotByRc);
    }
    let (body, share) = signed.split_last_chunk::<SHARE_BYTES>().ok_or(too_short)?;
    let (enrolment, evaluators, number) = read_body(body)?;
    if evaluators.number_of(&member) != Some(number) {
        return Err(BadDeal::OtherMember);
    }
    let share = open_share(body, share, (&member, epoch), chain).ok_or(BadDeal::Share)?;
    let mine = evaluators
        .members()
        .get(usize::from(number).saturating_sub(1));
    if mine.map(|one| one.public) != Some(share.public()) {
        return Err(BadDeal::Share);
    }
    Ok(Dealt {
        enrolment,
        evaluators,
        share,
    })
}

fn open_share(
    body: &[u8],
    share: &[u8; SHARE_BYTES],
    (member, epoch): (&ServerId, &EpochSecret),
    chain: &ChainId,
) -> Option<EvaluatorKey> {
    let (e, sealed) = share.split_first_chunk::<32>()?;
    let (body_sealed, tag) = sealed.split_last_chunk::<TAG_BYTES>()?;
    let sealed = Sealed::<32>::new(body_sealed.try_into().ok()?, *tag);
    let (exponent, _) = epoch.parts();
    let mut state = noise(chain, (member, exponent.public()), body);
    state.mix_hash(&[e]);
    let key = state.mix_key(&exponent.agree(&Point::lift_x(e)?));
    EvaluatorKey::from_bytes(&state.open(key, &sealed)?)
}

/// The Noise state in which a share is sealed: bound to ledger, member and body, and
/// under the member's key (pattern N, Noise rev. 34).
fn noise(chain: &ChainId, (member, epoch_key): (&ServerId, &PublicKey), body: &[u8]) -> Symmetric {
    let mut state = Symmetric::new(NOISE);
    state.mix_hash(&[
        b"aidc1/share",
        chain.as_bytes(),
        member.as_bytes(),
        &Sha256::digest(body),
    ]);
    state.mix_hash(&[epoch_key.as_bytes()]);
    state
}

/// What the RC signs.
fn digest(chain: &ChainId, bytes: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new_with_prefix(b"aidc1/deal");
    hash.update(chain.as_bytes());
    hash.update(bytes);
    hash.finalize().into()
}

fn write_body(dealt: &Dealt, number: u8) -> Vec<u8> {
    let enrolment = &dealt.enrolment;
    let mut bytes = vec![VERSION];
    bytes.extend(enrolment.handle.as_bytes());
    bytes.push(number);
    bytes.extend(enrolment.device.as_bytes());
    bytes.extend(enrolment.confirm.as_bytes());
    dealt.evaluators.write(&mut bytes);
    bytes.push(u8::from(enrolment.change.is_some()));
    if let Some(Change { old, signature }) = &enrolment.change {
        bytes.extend(old.as_bytes());
        bytes.extend(signature.to_bytes());
    }
    bytes
}

fn read_body(bytes: &[u8]) -> Result<(Enrolment, Evaluators, u8), Malformed> {
    let mut fields = Fields::of("a deal", bytes);
    if fields.take("version")? != &[VERSION] {
        return Err(fields.wrong("version", "is not 1: update one of the two sides"));
    }
    let handle = Handle::new(*fields.take("handle")?);
    let [number] = *fields.take("j")?;
    let device = PublicKey::new(*fields.take("pk_dev")?);
    let confirm = PublicKey::new(*fields.take("pk_confirm")?);
    for (name, key) in [("pk_dev", &device), ("pk_confirm", &confirm)] {
        if !signature::is_admissible(key) {
            return Err(fields.wrong(name, "is no key that may sign"));
        }
    }
    let evaluators = Evaluators::read(&mut fields)?;
    let change = match fields.take("change")? {
        [0] => None,
        [1] => Some(Change {
            old: Handle::new(*fields.take("old handle")?),
            signature: SignatureBytes::new(*fields.take("signature of the change")?),
        }),
        _ => return Err(fields.wrong("change", "is neither 0 nor 1")),
    };
    fields.end()?;
    let enrolment = Enrolment {
        handle,
        device,
        confirm,
        change,
    };
    Ok((enrolment, evaluators, number))
}
