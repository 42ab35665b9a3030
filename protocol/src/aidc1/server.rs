//! What a server holds: the keys of its living epochs.

use core::fmt;

use contract::{ChainId, PatientRecord, PublicKey, ServerId, ServerRecord};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::DELTA_MS;
use super::dh::{EXPONENT_SEED_BYTES, Exponent};
use super::message::EpochTag;
use super::record::{NotUsable, Usable};
use super::serving::stand_in;
use crate::freshness::Timestamp;
use crate::secret::Secret;

/// Epochs whose keys live at once: the one that ends and the one that begins.
pub const EPOCHS_MAX: usize = 2;
/// Bytes of an epoch's secret: what `b_j` is made of, and the hedge.
pub const EPOCH_SECRET_BYTES: usize = EXPONENT_SEED_BYTES + 32;

/// The secret of one key epoch. Wiped when dropped; its file is to be erased with it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EpochSecret(Secret<EPOCH_SECRET_BYTES>);

impl EpochSecret {
    /// A secret for a new epoch.
    pub fn draw(rng: &mut impl CryptoRng) -> Self {
        let mut bytes = Zeroizing::new([0; EPOCH_SECRET_BYTES]);
        rng.fill_bytes(&mut *bytes);
        Self(Secret::new(*bytes))
    }

    /// The secret that was kept as these bytes.
    pub const fn new(bytes: Secret<EPOCH_SECRET_BYTES>) -> Self {
        Self(bytes)
    }

    /// The bytes, for keeping them until the epoch ends.
    pub const fn expose(&self) -> &[u8; EPOCH_SECRET_BYTES] {
        self.0.expose()
    }

    /// `B_j`, for the record on the ledger.
    pub fn public(&self) -> PublicKey {
        *self.parts().0.public()
    }

    /// `b_j` and the hedge.
    pub(super) fn parts(&self) -> (Exponent, Secret<32>) {
        let mut wide = Zeroizing::new([0; EXPONENT_SEED_BYTES]);
        let mut hedge = Zeroizing::new([0; 32]);
        for (to, from) in wide.iter_mut().chain(hedge.iter_mut()).zip(self.0.expose()) {
            *to = *from;
        }
        (
            Exponent::from_seed(&Secret::new(*wide)),
            Secret::new(*hedge),
        )
    }
}

/// One epoch: its record, its key, its hedge.
pub(crate) struct EpochKey {
    /// The record on the ledger, and where its transcripts begin.
    pub(crate) usable: Usable,
    /// `b_j`.
    pub(crate) exponent: Exponent,
    /// Enters every `m_j`.
    pub(crate) hedge: Secret<32>,
    /// The record of whoever the ledger does not know: copied, as the ledger's are.
    pub(crate) stand_in: PatientRecord,
}

impl fmt::Debug for EpochKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EpochKey({}, redacted)", self.usable.record.key_epoch)
    }
}

/// A server and the keys of its living epochs.
#[derive(Debug)]
pub struct Server {
    chain: ChainId,
    id: ServerId,
    live: Vec<EpochKey>,
}

impl Server {
    /// A server without a key, which refuses everybody.
    pub const fn new(chain: ChainId, id: ServerId) -> Self {
        Self {
            chain,
            id,
            live: Vec::new(),
        }
    }

    /// Takes the key of an epoch into use, once the ledger holds its record.
    pub fn install(&mut self, record: ServerRecord, secret: &EpochSecret) -> Result<(), NotUsable> {
        if record.server_id != self.id {
            return Err(NotUsable::OtherServer);
        }
        let usable = Usable::new(&self.chain, record)?;
        let (exponent, hedge) = secret.parts();
        if *exponent.public() != usable.record.dh_epoch_key {
            return Err(NotUsable::OtherKey);
        }
        if self.epoch(usable.epoch()).is_some() {
            return Err(NotUsable::SameEpoch);
        }
        if self.live.len() >= EPOCHS_MAX {
            return Err(NotUsable::TooMany);
        }
        self.live.push(EpochKey {
            usable,
            exponent,
            hedge,
            stand_in: stand_in(),
        });
        Ok(())
    }

    /// Wipes the keys of the epochs that ended 2Δ ago, and says which: their files have
    /// to go as well.
    pub fn erase_ended(&mut self, now: Timestamp) -> Vec<u32> {
        let over = |key: &EpochKey| {
            let end = key.usable.record.not_after;
            end.plus_ms(DELTA_MS.saturating_mul(2)) < now.to_block_time()
        };
        let ended = self.live.iter().filter(|key| over(key));
        let ended = ended.map(|key| key.usable.record.key_epoch).collect();
        self.live.retain(|key| !over(key));
        ended
    }

    /// The ledger that this server is on.
    pub(crate) const fn chain(&self) -> &ChainId {
        &self.chain
    }

    /// The living epoch that messages name so.
    pub(crate) fn epoch(&self, tag: EpochTag) -> Option<&EpochKey> {
        self.live.iter().find(|key| key.usable.epoch() == tag)
    }
}
