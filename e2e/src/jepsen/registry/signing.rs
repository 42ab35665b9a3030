//! Registrations and revocations as a registration centre signs them, for patients made from numbers.

use bench::clock::wall_ms;
use bench::consortium::{Consortium, member_seed};
use contract::identity::{ChainId, PublicKey, ServerId, SignatureBytes, SuiteId};
use contract::record::{PatientRecord, Status};
use contract::{
    Aid, Author, Blob, BlockTime, Call, IdCommitment, Registration, SignedTransaction, Transaction,
};
use ed25519_dalek::{Signer as _, SigningKey};
use k256::schnorr;

use crate::claims::Broken;

/// How long a transaction may wait.
const VALID_MS: u64 = 60_000;

/// The handshake key of all patients here: nobody runs the handshake.
const DH_SECRET: [u8; 32] = [3; 32];

/// Signs in the registration centre's name.
#[derive(Debug, Clone)]
pub(in crate::jepsen) struct Registrar {
    chain: ChainId,
    id: ServerId,
    signer: SigningKey,
    dh: schnorr::SigningKey,
}

impl Registrar {
    /// The one of a consortium.
    pub(in crate::jepsen) fn of(consortium: &Consortium) -> Result<Self, Broken> {
        let node = consortium.nodes.first().ok_or("no member")?;
        let member = consortium.genesis.members().first().ok_or("no member")?;
        let dh = schnorr::SigningKey::from_slice(&DH_SECRET);
        Ok(Self {
            chain: *consortium.genesis.chain(),
            id: member.server_id(),
            signer: SigningKey::from_bytes(&member_seed(&node.home)?),
            dh: dh.map_err(|error| format!("handshake key: {error}"))?,
        })
    }

    /// The AID of a patient by her number.
    pub(in crate::jepsen) fn aid(&self, key: u32) -> Aid {
        Aid::of_keys(SuiteId::AIDC_1, &self.pk_dh(), &public(&patient(key)))
    }

    /// Her registration; records that compete for one AID differ in their number.
    pub(super) fn register(&self, key: u32, number: u32) -> Result<SignedTransaction, Broken> {
        let signer = patient(key);
        let pk_sig = public(&signer);
        let record = PatientRecord {
            aid: self.aid(key),
            pk_dh: self.pk_dh(),
            pk_sig,
            pk_recovery: pk_sig,
            status: Status::Active,
            epoch: 0,
            c_id: Blob::new(Vec::new()),
            id_commit: IdCommitment::new(commitment(number)),
        };
        let digest = record.possession_digest(&self.chain);
        let proof_dh = self.dh.sign_raw(&digest, &[7; 32]);
        let proof_dh = proof_dh.map_err(|error| format!("proof of possession: {error}"))?;
        let registration = Registration {
            record,
            proof_dh: SignatureBytes::new(proof_dh.to_bytes()),
            proof_sig: SignatureBytes::new(signer.sign(&digest).to_bytes()),
        };
        Ok(self.signed(number, Call::Register(Box::new(registration))))
    }

    /// Her revocation; the number makes it unlike every other.
    pub(super) fn revoke(&self, key: u32, number: u32) -> SignedTransaction {
        self.signed(number, Call::Revoke(self.aid(key)))
    }

    /// A transaction of the centre.
    fn signed(&self, number: u32, call: Call) -> SignedTransaction {
        let until = BlockTime::new(wall_ms().saturating_add(VALID_MS));
        let salt = u64::from(number).to_le_bytes();
        Transaction::new(self.chain, Author::Member(self.id), until, salt, call).sign(&self.signer)
    }

    /// The patients' handshake key.
    fn pk_dh(&self) -> PublicKey {
        PublicKey::new(self.dh.verifying_key().to_bytes().into())
    }
}

/// A patient's signing key.
fn patient(key: u32) -> SigningKey {
    let mut seed = [0x5a; 32];
    for (to, from) in seed.iter_mut().zip(key.to_le_bytes()) {
        *to = from;
    }
    SigningKey::from_bytes(&seed)
}

/// The public half.
fn public(signer: &SigningKey) -> PublicKey {
    PublicKey::new(signer.verifying_key().to_bytes())
}

/// The commitment that carries a record's number.
fn commitment(number: u32) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (to, from) in bytes.iter_mut().zip(number.to_le_bytes()) {
        *to = from;
    }
    bytes
}

/// The number in a commitment as the API shows it, in hex.
pub(super) fn number_in(commitment: &str) -> Option<u32> {
    let mut bytes = [0; 4];
    hex::decode_to_slice(commitment.get(..8)?, &mut bytes).ok()?;
    Some(u32::from_le_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_a_record_comes_back_from_its_commitment() {
        for number in [0, 1, 77_000, u32::MAX] {
            let shown = hex::encode(commitment(number));
            assert_eq!(number_in(&shown), Some(number));
        }
    }
}
