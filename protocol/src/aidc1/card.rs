//! The card: what a terminal keeps of a credential, and nothing that could be tried
//! without the device's secret and the evaluators.
//!
//! ```text
//! "AIDCCARD" ‖ version 1 ‖ suite 2 ‖ chain_id 32 ‖ AID_0 32 ‖ handle 16 ‖ salt 16 ‖ cost 6
//! ‖ t 1 ‖ n 1 ‖ n × (server_id 32 ‖ pk_j 32) ‖ face 1 [‖ box 336 ‖ V_u 48] ‖ V_c 48
//! ‖ nonce 32 ‖ identity 1,120 ‖ tag 32
//! ```

use core::fmt;

use contract::{ChainId, SuiteId};
use rand_core::CryptoRng;
use thiserror::Error;
use zeroize::Zeroizing;

use super::aead::{OnceKey, Sealed, TAG_BYTES};
use super::identity::{Identity, PADDED_ID_BYTES, SALT_BYTES};
use super::lock::{Binding, Lock, VERSION, read_sealed};
use super::oprf::shares::{EVALUATORS_MAX, Evaluators};
use super::root::{AIDS, AidIndex, DeviceSecret, Root};
use super::rotation::{ROTATION_BYTES, Rotation};
use crate::error::Malformed;
use crate::fields::Fields;
use crate::secret::Secret;
use crate::wu::PatientId;

/// What a card's file begins with.
const MAGIC: &[u8; 8] = b"AIDCCARD";

/// Bytes of the identity part, open and sealed.
const PLAIN_BYTES: usize = PADDED_ID_BYTES + AIDS * SALT_BYTES + ROTATION_BYTES;
const IDENTITY_PART_BYTES: usize = PLAIN_BYTES + TAG_BYTES;

/// Bytes of the tag over the card.
const CARD_TAG_BYTES: usize = 32;

/// Bytes of the longest card.
pub const CARD_BYTES_MAX: usize = 8 + 1 + 2 + 32 + 70 // to the cost
    + 2 + 64 * EVALUATORS_MAX
    + 1 + 336 + 48 + 48
    + 32 + IDENTITY_PART_BYTES + CARD_TAG_BYTES;

/// Why bytes are no card of this device.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum BadCard {
    /// The file is longer than any card.
    #[error("the card's file is longer than a card can be")]
    TooLong,
    /// The tag does not fit: damaged, changed, or of another device.
    #[error("the card was damaged or changed, or belongs to another device: restore it or recover")]
    Tag,
    /// The tag fits and the content is no card: another version wrote it.
    #[error("another version wrote this card: {0}")]
    Malformed(#[from] Malformed),
}

/// The identity part does not open, or is not what its writer promised.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("identity and salts do not open under this root: the card is of another credential")]
pub struct OtherRoot;

/// What is kept of a credential.
#[derive(Clone, PartialEq, Eq)]
pub struct Card {
    chain: ChainId,
    evaluators: Evaluators,
    lock: Lock,
    /// Makes the key of `holder` fresh at each writing.
    nonce: [u8; 32],
    holder: Sealed<PLAIN_BYTES>,
}

/// What only the opened root lets read: who the patient is, and what hides it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Holder {
    /// Her identity, for an identified sign-in.
    id: PatientId,
    /// The salt of each AID's commitment.
    salts: [Secret<SALT_BYTES>; AIDS],
    /// Which AID is shown to whom.
    rotation: Rotation,
}

impl Holder {
    /// The patient, with the salts that the RC answered, in the order of the AIDs. An ID
    /// with a zero byte is refused.
    pub fn new(id: PatientId, salts: [Secret<SALT_BYTES>; AIDS]) -> Result<Self, Malformed> {
        let holder = Self {
            id,
            salts,
            rotation: Rotation::default(),
        };
        holder.identity(AidIndex::FIRST).map(|_| holder)
    }

    /// Her ID, beside the salt of one AID, for an identified sign-in.
    pub fn identity(&self, index: AidIndex) -> Result<Identity, Malformed> {
        let [first, ..] = &self.salts;
        let salt = self.salts.get(usize::from(index.get())).unwrap_or(first);
        Identity::new(salt.clone(), self.id.clone())
    }

    /// Which AID is shown to whom.
    pub const fn rotation(&mut self) -> &mut Rotation {
        &mut self.rotation
    }

    fn write(&self) -> Zeroizing<[u8; PLAIN_BYTES]> {
        let mut rotation = Vec::with_capacity(ROTATION_BYTES);
        self.rotation.write(&mut rotation);
        let mut bytes = Zeroizing::new([0; PLAIN_BYTES]);
        let (padded, rest) = bytes.split_at_mut(PADDED_ID_BYTES);
        for (slot, byte) in padded.iter_mut().zip(self.id.expose().bytes()) {
            *slot = byte;
        }
        let salts = self.salts.iter().flat_map(Secret::expose);
        for (slot, &byte) in rest.iter_mut().zip(salts.chain(&rotation)) {
            *slot = byte;
        }
        bytes
    }

    fn read(bytes: &[u8; PLAIN_BYTES]) -> Result<Self, Malformed> {
        let mut fields = Fields::of("the identity part of a card", bytes);
        let padded = fields.take::<PADDED_ID_BYTES>("ID")?;
        let end = padded.iter().rposition(|byte| *byte != 0);
        let id = end.and_then(|end| padded.get(..=end)).unwrap_or_default();
        let mut salts = [const { Secret::new([0; SALT_BYTES]) }; AIDS];
        for slot in &mut salts {
            *slot = Secret::new(*fields.take("salt")?);
        }
        let mut holder = Self::new(PatientId::parse(id)?, salts)?;
        holder.rotation = Rotation::read(&mut fields)?;
        fields.end()?;
        Ok(holder)
    }
}

impl Card {
    /// The card of a lock, for a root that is open. Draws 32 bytes.
    pub fn new(
        (chain, evaluators): (ChainId, Evaluators),
        lock: Lock,
        root: &Root,
        holder: &Holder,
        rng: &mut impl CryptoRng,
    ) -> Self {
        let mut card = Self {
            chain,
            evaluators,
            lock,
            nonce: [0; 32],
            holder: Sealed::new([0; PLAIN_BYTES], [0; TAG_BYTES]),
        };
        card.set_holder(root, holder, rng);
        card
    }

    /// The ledger it is for.
    pub const fn chain(&self) -> &ChainId {
        &self.chain
    }

    /// Who evaluates.
    pub const fn evaluators(&self) -> &Evaluators {
        &self.evaluators
    }

    /// What is to be opened.
    pub const fn lock(&self) -> &Lock {
        &self.lock
    }

    /// Identity, salts and rotation, for an open root.
    pub fn holder(&self, root: &Root) -> Result<Holder, OtherRoot> {
        let key = OnceKey::new(root.identity_key(&self.nonce));
        let aid = self.lock.binding().aid;
        let plain = key.open(aid.as_bytes(), &self.holder).ok_or(OtherRoot)?;
        Holder::read(plain.expose()).map_err(|_error| OtherRoot)
    }

    /// Writes identity, salts and rotation anew. Draws 32 bytes.
    pub fn set_holder(&mut self, root: &Root, holder: &Holder, rng: &mut impl CryptoRng) {
        rng.fill_bytes(&mut self.nonce);
        let key = OnceKey::new(root.identity_key(&self.nonce));
        let aid = self.lock.binding().aid;
        self.holder = key.seal(aid.as_bytes(), &holder.write());
    }

    /// The bytes to store, with the device's tag.
    pub fn encode(&self, device: &DeviceSecret) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(CARD_BYTES_MAX);
        bytes.extend(MAGIC);
        bytes.push(VERSION);
        bytes.extend(SuiteId::AIDC_1.get().to_be_bytes());
        bytes.extend(self.chain.as_bytes());
        self.lock.binding().write(&mut bytes);
        self.evaluators.write(&mut bytes);
        self.lock.write_seals(&mut bytes);
        bytes.extend(self.nonce);
        bytes.extend(self.holder.parts().concat());
        let tag = device.card_tag(&bytes);
        bytes.extend(tag.expose());
        bytes
    }

    /// The card that was stored as these bytes on this device. The tag is checked before
    /// anything is read.
    pub fn parse(bytes: &[u8], device: &DeviceSecret) -> Result<Self, BadCard> {
        if bytes.len() > CARD_BYTES_MAX {
            return Err(BadCard::TooLong);
        }
        let parts = bytes.split_last_chunk::<CARD_TAG_BYTES>();
        let (body, tag) = parts.ok_or(BadCard::Tag)?;
        if device.card_tag(body) != Secret::new(*tag) {
            return Err(BadCard::Tag);
        }
        Ok(Self::read(body)?)
    }

    fn read(body: &[u8]) -> Result<Self, Malformed> {
        let mut fields = Fields::of("a card", body);
        if fields.take("file type")? != MAGIC {
            return Err(fields.wrong("file type", "is not AIDCCARD"));
        }
        if fields.take("version")? != &[VERSION] {
            return Err(fields.wrong("version", "is not 1"));
        }
        if u16::from_be_bytes(*fields.take("suite")?) != SuiteId::AIDC_1.get() {
            return Err(fields.wrong("suite", "is not AIDC-1"));
        }
        let chain = ChainId::new(*fields.take("chain id")?);
        let binding = Binding::read(&mut fields)?;
        let evaluators = Evaluators::read(&mut fields)?;
        let lock = Lock::read_seals(binding, &mut fields)?;
        let card = Self {
            chain,
            evaluators,
            lock,
            nonce: *fields.take("nonce")?,
            holder: read_sealed(&mut fields, "identity part")?,
        };
        fields.end()?;
        Ok(card)
    }
}

impl fmt::Debug for Card {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Card({}, {:?})", self.chain, self.lock)
    }
}
