//! What the ledger holds about patients, servers and sign-ins.

mod claim;
mod disclosure;
mod replacement;

use serde::{Deserialize, Serialize};

pub use claim::{RefusalReason, ServerClaim};
pub use disclosure::{DisclosureRequest, Purpose};
pub use replacement::{Consent, Officer, OfficerError, Recovery, Replacement, replace_digest};

use crate::encoding::{self, Blob};
use crate::hash;
use crate::identity::{
    Aid, BlockTime, ChainId, IdCommitment, PublicKey, ServerId, SessionId, SignatureBytes, SuiteId,
};
use crate::outcome::Refused;
use crate::signature::{self, Statement};

/// One [`AuthResult`] on the wire.
pub const AUTH_RESULT_BYTES: usize = 214;

/// Whether an AID may sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It may.
    Active,
    /// It was revoked by the RC or by its own or recovery key; for ever.
    Revoked,
    /// Revoked, and the RC destroyed what could resolve it; for ever.
    Shredded,
    /// Another AID took its place; for ever.
    Replaced,
}

/// AIDC-1: the public half of one patient's credential (PROTOCOL.md §4.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PatientRecord {
    /// Names exactly `pk_dh` and `pk_sig` under AIDC-1.
    pub aid: Aid,
    /// secp256k1, x-coordinate: the key of the handshake.
    pub pk_dh: PublicKey,
    /// Ed25519: signs the sign-in statements.
    pub pk_sig: PublicKey,
    /// Ed25519: the printed recovery code's key.
    pub pk_recovery: PublicKey,
    /// Whether it may sign in.
    pub status: Status,
    /// How many times the patient's credential was replaced before this one.
    pub epoch: u32,
    /// The ID under a data key that never leaves the RC.
    pub c_id: Blob,
    /// Salted commitment to the ID, computed by the RC.
    pub id_commit: IdCommitment,
}

impl PatientRecord {
    /// The AID that its keys have under AIDC-1.
    pub fn aid_of_keys(&self) -> Aid {
        Aid::of_keys(SuiteId::AIDC_1, &self.pk_dh, &self.pk_sig)
    }

    /// What both keys sign at registration, to prove that the patient holds them.
    ///
    /// The recovery key is among what they sign: a Registration Centre that could put its own
    /// key there would hold all that a replacement needs, at once.
    pub fn possession_digest(&self, chain: &ChainId) -> [u8; 32] {
        hash::plain(&[
            b"aidc1/register",
            chain.as_bytes(),
            self.aid.as_bytes(),
            self.pk_recovery.as_bytes(),
            self.c_id.as_bytes(),
            self.id_commit.as_bytes(),
        ])
    }
}

/// A registration under AIDC-1, with both proofs of possession.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    /// The record to store: active, as sealed and committed to by the RC.
    pub record: PatientRecord,
    /// BIP-340 signature of [`PatientRecord::possession_digest`] by `pk_dh`.
    pub proof_dh: SignatureBytes,
    /// Ed25519 signature of the same digest by `pk_sig`.
    pub proof_sig: SignatureBytes,
}

impl Registration {
    /// Whether the keys may be admitted and the patient holds both: what the ledger asks, and the RC
    /// before it sends a registration there.
    pub fn check_possession(&self, chain: &ChainId) -> Result<(), Refused> {
        let record = &self.record;
        let admissible = signature::is_dh_key(&record.pk_dh)
            && signature::is_admissible(&record.pk_sig)
            && signature::is_admissible(&record.pk_recovery);
        if !admissible {
            return Err(Refused::BadKey);
        }
        let digest = record.possession_digest(chain);
        if !signature::is_valid_bip340(&record.pk_dh, &digest, &self.proof_dh) {
            return Err(Refused::NoProofOfDhKey);
        }
        if !signature::is_valid(&record.pk_sig, &digest, &self.proof_sig) {
            return Err(Refused::NoProofOfSigningKey);
        }
        Ok(())
    }
}

/// AIDC-1: what a server publishes for one key epoch (PROTOCOL.md §4.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerRecord {
    /// Whose record it is.
    pub server_id: ServerId,
    /// The member's admitted key.
    pub node_key: PublicKey,
    /// secp256k1, x-coordinate: the key of the handshake in this epoch.
    pub dh_epoch_key: PublicKey,
    /// Counts the server's key epochs; a record never changes within one.
    pub key_epoch: u32,
    /// First time at which results of this epoch count.
    pub not_before: BlockTime,
    /// Last time at which results of this epoch count.
    pub not_after: BlockTime,
    /// Suites that the server answers.
    pub suites: Vec<SuiteId>,
}

impl ServerRecord {
    /// Hash of the record as stored; it enters the prologue of every handshake.
    pub fn digest(&self) -> [u8; 32] {
        hash::plain(&[&encoding::encode(self)])
    }

    /// Whether a sign-in at `time` falls into this epoch.
    pub fn covers(&self, time: BlockTime) -> bool {
        self.not_before <= time && time <= self.not_after
    }
}

/// One sign-in with the patient's signed statement: 214 bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthResult {
    /// The suite that was run.
    pub suite: SuiteId,
    /// Where she signed in.
    pub server_id: ServerId,
    /// The server's key epoch.
    pub key_epoch: u32,
    /// Who signed in.
    pub aid: Aid,
    /// The patient's time in her first message.
    pub t1: BlockTime,
    /// The server's time in its answer.
    pub t3: BlockTime,
    /// The session.
    pub sid: SessionId,
    /// The key that signed the statement; the AID's, or the result is refused.
    pub pk_sig: PublicKey,
    /// σ, the patient's signature of [`AuthResult::statement_digest`].
    pub sigma: SignatureBytes,
}

impl AuthResult {
    /// What σ signs (PROTOCOL.md §4.5; big-endian, as in the handshake).
    pub fn statement_digest(&self, chain: &ChainId) -> [u8; 32] {
        hash::plain(&[
            b"aidc1/statement",
            chain.as_bytes(),
            self.server_id.as_bytes(),
            &self.key_epoch.to_be_bytes(),
            &self.suite.get().to_be_bytes(),
            self.aid.as_bytes(),
            &self.t1.get().to_be_bytes(),
            &self.t3.get().to_be_bytes(),
            self.sid.as_bytes(),
        ])
    }

    /// σ beside what it signs and the key under which it must count.
    pub fn statement(&self, chain: &ChainId) -> Statement {
        Statement {
            key: self.pk_sig,
            digest: self.statement_digest(chain),
            signature: self.sigma,
        }
    }
}

/// One sign-in under a suite of the papers: the server's word alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegacyResult {
    /// The suite that was run.
    pub suite: SuiteId,
    /// Where she signed in.
    pub server_id: ServerId,
    /// Who signed in.
    pub aid: Aid,
    /// The patient's time in her first message.
    pub t1: BlockTime,
    /// The server's time in its answer.
    pub t3: BlockTime,
    /// The session.
    pub sid: SessionId,
}

/// Wu-2021: (ID, AID) in clear, as printed; on research ledgers only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WuRecord {
    /// The AID that the RC computed.
    pub aid: Aid,
    /// The ID in clear.
    pub id: Blob,
}

/// Limbasiya-2020: a server as everybody may know it (L-13); on research ledgers only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimbasiyaServer {
    /// The member that it is.
    pub server_id: ServerId,
    /// `ID_j`: the member's name.
    pub id: String,
    /// `Loc_j`.
    pub place: String,
}

/// Wu-2021 phase 1: the published parameters (W-11); on research ledgers only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WuParameters {
    /// Name of the group.
    pub curve: String,
    /// Coefficient a of the curve.
    pub a: u64,
    /// Coefficient b of the curve.
    pub b: u64,
    /// q, the order of the group, big-endian.
    pub q: [u8; 32],
    /// The labels of h1 to h4.
    pub hashes: Vec<String>,
}

impl WuParameters {
    /// The parameters that the Wu-2021 suite uses.
    pub fn published() -> Self {
        Self {
            curve: "secp256k1".to_owned(),
            a: 0,
            b: 7,
            q: SECP256K1_ORDER,
            hashes: ["wu2021/h1", "wu2021/h2", "wu2021/h3", "wu2021/h4"]
                .map(str::to_owned)
                .to_vec(),
        }
    }
}

/// The order of secp256k1 (SEC 2), big-endian.
const SECP256K1_ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe,
    0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41,
];
