//! A patient's question for what the ledger says about one of her AIDs, signed by that AID
//! alone, so that nobody else reads where she signed in (`docs/aidc1-enrolment.md` §11).

use contract::{Aid, ChainId, PublicKey, ServerId, SignatureBytes, signature};
use ed25519_dalek::Signer as _;
use sha2::{Digest as _, Sha256};

use super::WINDOW;
use super::application::{VERSION, version};
use super::seed::Keys;
use crate::error::Malformed;
use crate::fields::Fields;
use crate::freshness::Timestamp;
use crate::suite::Message;

/// Bytes of the question.
pub const HISTORY_BYTES: usize = 137;

/// The question: version 1 ‖ AID 32 ‖ `server_id` 32 ‖ T 8 ‖ σ 64.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HistoryRequest {
    aid: Aid,
    server_id: ServerId,
    time: Timestamp,
    signature: SignatureBytes,
}

impl HistoryRequest {
    /// The question to one member.
    pub fn new(keys: &Keys, chain: &ChainId, server_id: ServerId, now: Timestamp) -> Self {
        let mut request = Self {
            aid: *keys.aid(),
            server_id,
            time: now,
            signature: SignatureBytes::new([0; 64]),
        };
        let signature = keys.sig().sign(&request.digest(chain)).to_bytes();
        request.signature = SignatureBytes::new(signature);
        request
    }

    /// Whose history.
    pub const fn aid(&self) -> &Aid {
        &self.aid
    }

    /// Whether it is for this member, of now, and signed by this key.
    pub fn holds(
        &self,
        pk_sig: &PublicKey,
        (chain, member): (&ChainId, &ServerId),
        now: Timestamp,
    ) -> bool {
        self.server_id == *member
            && WINDOW.admits(self.time, now)
            && signature::is_valid(pk_sig, &self.digest(chain), &self.signature)
    }

    /// H("aidc1/history" ‖ `chain_id` ‖ the 73 bytes before σ).
    fn digest(&self, chain: &ChainId) -> [u8; 32] {
        let mut hash = Sha256::new_with_prefix(b"aidc1/history");
        hash.update(chain.as_bytes());
        hash.update(self.unsigned());
        hash.finalize().into()
    }

    fn unsigned(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HISTORY_BYTES);
        bytes.push(VERSION);
        bytes.extend(self.aid.as_bytes());
        bytes.extend(self.server_id.as_bytes());
        bytes.extend(self.time.to_bytes());
        bytes
    }
}

impl Message for HistoryRequest {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = self.unsigned();
        bytes.extend(self.signature.to_bytes());
        bytes
    }

    fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut fields = Fields::exactly("a question for a history", bytes, HISTORY_BYTES)?;
        version(&mut fields)?;
        let request = Self {
            aid: Aid::new(*fields.take("AID")?),
            server_id: ServerId::new(*fields.take("server_id")?),
            time: Timestamp::from_bytes(*fields.take("T")?),
            signature: SignatureBytes::new(*fields.take("signature")?),
        };
        fields.end()?;
        Ok(request)
    }
}
