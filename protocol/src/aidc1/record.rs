//! A server's record as both ends use it, and where every transcript of it begins.

use contract::{ChainId, ServerRecord, SuiteId};
use thiserror::Error;

use super::message::EpochTag;
use super::symmetric::Symmetric;
use crate::curve::Point;
use crate::freshness::Timestamp;

/// Noise's protocol name.
pub(crate) const PROTOCOL_NAME: &[u8] = b"AIDC1_IK_secp256k1x_ChaChaPoly_SHA256";

/// Why nobody can sign in under a server's record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NotUsable {
    /// The server does not answer this suite.
    #[error("the server's record does not name suite 0x0001")]
    Suite,
    /// `B_j` is no public key.
    #[error("the epoch key in the server's record is not on the curve")]
    Key,
    /// The epoch is over by certified time.
    #[error("the server's key epoch is over: fetch its new record")]
    Over,
    /// The record names another key than the one at hand.
    #[error("the server's record names another epoch key than the one at hand")]
    OtherKey,
    /// The record is another server's.
    #[error("the record is another server's")]
    OtherServer,
    /// So many epochs live already; one has to end first.
    #[error("two key epochs are alive already; erase the ended one first")]
    TooMany,
    /// An epoch that is alive has the same low 16 bits.
    #[error("a key epoch that is alive has the same number on the wire")]
    SameEpoch,
}

/// A record that can be used, with what follows from it.
#[derive(Clone, Debug)]
pub(crate) struct Usable {
    /// As stored on the ledger.
    pub(crate) record: ServerRecord,
    /// `B_j`.
    pub(crate) key: Point,
    /// The state after the prologue and `B_j`.
    pub(crate) start: Symmetric,
}

impl Usable {
    /// Checks the record and begins the transcript of its epoch.
    pub(crate) fn new(chain: &ChainId, record: ServerRecord) -> Result<Self, NotUsable> {
        if !record.suites.contains(&SuiteId::AIDC_1) {
            return Err(NotUsable::Suite);
        }
        let key = Point::lift_x(record.dh_epoch_key.as_bytes()).ok_or(NotUsable::Key)?;
        let mut start = Symmetric::new(PROTOCOL_NAME);
        start.mix_hash(&[
            b"aidc1/prologue",
            chain.as_bytes(),
            record.server_id.as_bytes(),
            &record.digest(),
        ]);
        start.mix_hash(&[record.dh_epoch_key.as_bytes()]);
        Ok(Self { record, key, start })
    }

    /// How messages name the epoch.
    pub(crate) const fn epoch(&self) -> EpochTag {
        EpochTag::of(self.record.key_epoch)
    }

    /// Whether the epoch lasts at this time.
    pub(crate) fn covers(&self, time: Timestamp) -> bool {
        self.record.covers(time.to_block_time())
    }
}
