//! What the patient signs and the server submits.

use contract::{Aid, AuthResult, PublicKey, ServerRecord, SessionId, SignatureBytes, SuiteId};

use crate::freshness::Timestamp;

/// The names of a patient that stand in a statement.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Signer {
    /// AID.
    pub(crate) aid: Aid,
    /// The key under which σ must count.
    pub(crate) pk_sig: PublicKey,
}

/// The result of a sign-in at this server, with zeros where σ will stand. Times are
/// (T1, T3).
pub(crate) fn unsigned(
    record: &ServerRecord,
    signer: &Signer,
    (t1, t3): (Timestamp, Timestamp),
    sid: SessionId,
) -> AuthResult {
    AuthResult {
        suite: SuiteId::AIDC_1,
        server_id: record.server_id,
        key_epoch: record.key_epoch,
        aid: signer.aid,
        t1: t1.to_block_time(),
        t3: t3.to_block_time(),
        sid,
        pk_sig: signer.pk_sig,
        sigma: SignatureBytes::new([0; 64]),
    }
}
