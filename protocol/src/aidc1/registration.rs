//! The terminal's part of a registration: checks what the RC answered, proves that it
//! holds the keys, checks what the ledger then says, and later consents to a replacement.

use contract::record::{Consent, replace_digest};
use contract::{
    Aid, ChainId, IdCommitment, PatientRecord, PublicKey, Registration, SignatureBytes, Status,
};
use ed25519_dalek::Signer as _;
use k256::elliptic_curve::NonZeroScalar;
use k256::schnorr;
use rand_core::CryptoRng;
use thiserror::Error;
use zeroize::Zeroizing;

use super::identity::Identity;
use super::issue::Answer;
use super::recovery::RecoveryCode;
use super::root::AidIndex;
use super::seed::Keys;
use crate::wu::PatientId;

/// The RC committed to another identity than the applicant's.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error(
    "the RC answered with a commitment to another identity: nothing was signed; ask the RC why"
)]
pub struct OtherIdentity(pub IdCommitment);

/// Why a committed record is not the one that was applied for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum NotAsMade {
    /// A key, or the AID, is not the terminal's.
    #[error("the ledger holds another {0} than this terminal made: this AID must not be used")]
    Other(&'static str),
    /// It is not active.
    #[error("the ledger does not hold this AID as active")]
    NotActive,
}

/// What the applicant makes and the RC does not choose.
#[derive(Clone, Copy, Debug)]
pub struct Applicant<'a> {
    /// The keys of one AID.
    pub keys: &'a Keys,
    /// Its recovery key.
    pub pk_recovery: PublicKey,
    /// Her identity.
    pub id: &'a PatientId,
    /// 0, or one more than the record's that is replaced.
    pub epoch: u32,
}

impl Applicant<'_> {
    /// The record with both proofs of possession, if the RC's answer is about this
    /// identity. Draws 32 bytes for BIP-340.
    pub fn prove(
        &self,
        answer: &Answer,
        chain: &ChainId,
        rng: &mut impl CryptoRng,
    ) -> Result<Registration, OtherIdentity> {
        let aid = *self.keys.aid();
        let identity = Identity::new(answer.salt.clone(), self.id.clone());
        if !identity.is_ok_and(|one| one.is_committed(&aid, &answer.id_commit)) {
            return Err(OtherIdentity(answer.id_commit));
        }
        let record = self.record(answer);
        let digest = record.possession_digest(chain);
        Ok(Registration {
            proof_dh: sign_bip340(self.keys, &digest, rng),
            proof_sig: SignatureBytes::new(self.keys.sig().sign(&digest).to_bytes()),
            record,
        })
    }

    /// Whether the ledger holds what was applied for, and nothing that the RC put there.
    pub fn check(&self, record: &PatientRecord, answer: &Answer) -> Result<(), NotAsMade> {
        is_as_made(&self.record(answer), record)
    }

    /// The record that is applied for.
    fn record(&self, answer: &Answer) -> PatientRecord {
        PatientRecord {
            aid: *self.keys.aid(),
            pk_dh: *self.keys.pk_dh(),
            pk_sig: *self.keys.pk_sig(),
            pk_recovery: self.pk_recovery,
            status: Status::Active,
            epoch: self.epoch,
            c_id: answer.c_id.clone(),
            id_commit: answer.id_commit,
        }
    }
}

/// Whether a record that was found on the ledger is the one that a terminal made.
pub fn is_as_made(made: &PatientRecord, found: &PatientRecord) -> Result<(), NotAsMade> {
    let same = [
        ("AID", found.aid == made.aid),
        ("pk_dh", found.pk_dh == made.pk_dh),
        ("pk_sig", found.pk_sig == made.pk_sig),
        ("pk_recovery", found.pk_recovery == made.pk_recovery),
        ("epoch", found.epoch == made.epoch),
        ("sealed identity", found.c_id == made.c_id),
        ("id commitment", found.id_commit == made.id_commit),
    ];
    if let Some((name, _)) = same.into_iter().find(|(_, same)| !same) {
        return Err(NotAsMade::Other(name));
    }
    if found.status == Status::Active {
        Ok(())
    } else {
        Err(NotAsMade::NotActive)
    }
}

impl Keys {
    /// The patient's consent to a replacement of this AID, by her old key.
    pub fn consent(&self, chain: &ChainId, new: &Aid) -> Consent {
        let digest = replace_digest(chain, self.aid(), new);
        Consent::SigningKey(SignatureBytes::new(self.sig().sign(&digest).to_bytes()))
    }
}

impl RecoveryCode {
    /// The patient's consent to a replacement of AID `index`, by the code alone.
    pub fn consent(&self, chain: &ChainId, (index, old): (AidIndex, &Aid), new: &Aid) -> Consent {
        let digest = replace_digest(chain, old, new);
        Consent::RecoveryKey(SignatureBytes::new(
            self.key(index).sign(&digest).to_bytes(),
        ))
    }
}

/// The BIP-340 signature of a digest by `pk_dh`.
#[expect(
    clippy::expect_used,
    reason = "an exponent is in [1, q − 1], and then nothing of BIP-340 can fail but by a \
              hash that is zero"
)]
fn sign_bip340(keys: &Keys, digest: &[u8; 32], rng: &mut impl CryptoRng) -> SignatureBytes {
    let mut auxiliary = Zeroizing::new([0; 32]);
    rng.fill_bytes(&mut *auxiliary);
    let number = NonZeroScalar::new(*keys.dh().scalar());
    let key = schnorr::SigningKey::from(number.expect("an exponent is not zero"));
    let signature = key.sign_raw(digest, &auxiliary);
    SignatureBytes::new(signature.expect("no hash is zero").to_bytes())
}
