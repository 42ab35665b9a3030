//! The RC's part of an enrolment: for each AID of an applicant whom it proofed, a data
//! key, a salt, the sealed ID and the commitment to it.

use contract::contracts::identity::id_commitment;
use contract::{Aid, Blob, IdCommitment};
use rand_core::CryptoRng;

use super::aead::{OnceKey, Sealed, TAG_BYTES};
use super::identity::{IDENTITY_BYTES, Identity, SALT_BYTES};
use super::root::draw;
use crate::error::Malformed;
use crate::fuzzy::hmac;
use crate::secret::Secret;
use crate::wu::PatientId;

/// Bytes of `C_ID`.
pub const SEALED_ID_BYTES: usize = IDENTITY_BYTES + TAG_BYTES;

/// `k_i`: the data key of one AID, which never leaves the RC. Destroying it shreds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DataKey(Secret<32>);

impl DataKey {
    /// The key of these bytes.
    pub const fn new(bytes: Secret<32>) -> Self {
        Self(bytes)
    }

    /// The bytes, for the vault.
    pub const fn expose(&self) -> &[u8; 32] {
        self.0.expose()
    }

    /// Salt and ID of an AID, if this key sealed them.
    pub fn open(&self, aid: &Aid, c_id: &Blob) -> Option<Identity> {
        let (body, tag) = c_id.as_bytes().split_last_chunk::<TAG_BYTES>()?;
        let sealed = Sealed::<IDENTITY_BYTES>::new(body.try_into().ok()?, *tag);
        let plain = OnceKey::new(self.0.clone()).open(aid.as_bytes(), &sealed)?;
        Identity::from_bytes(&plain).ok()
    }

    /// `C_ID`: salt ‖ padded ID under this key, beside the AID. A key seals once.
    fn seal(&self, aid: &Aid, identity: &Identity) -> Blob {
        let plain = identity.to_bytes();
        let sealed = OnceKey::new(self.0.clone()).seal(aid.as_bytes(), plain.expose());
        Blob::new(sealed.parts().concat())
    }
}

/// What the RC draws and computes for one AID.
#[derive(Clone, Debug)]
pub struct Issued {
    /// Stays at the RC.
    pub data_key: DataKey,
    /// Goes to the patient.
    pub answer: Answer,
}

/// What the RC answers about one AID.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// Goes onto the card, and stays at the RC beside the data key.
    pub salt: Secret<SALT_BYTES>,
    /// Goes onto the ledger.
    pub c_id: Blob,
    /// Goes onto the ledger.
    pub id_commit: IdCommitment,
}

/// The RC's part for one AID; an ID with a zero byte is refused. Draws 32 bytes for the
/// key and 32 for the salt.
pub fn issue(aid: &Aid, id: &PatientId, rng: &mut impl CryptoRng) -> Result<Issued, Malformed> {
    let data_key = DataKey(draw(rng));
    let salt = draw(rng);
    let identity = Identity::new(salt.clone(), id.clone())?;
    let answer = Answer {
        c_id: data_key.seal(aid, &identity),
        id_commit: id_commitment(aid, salt.expose(), id.expose().as_bytes()),
        salt,
    };
    Ok(Issued { data_key, answer })
}

/// The RC's own index of IDs, against a second enrolment: HMAC-SHA-256(k_rc, ID).
pub fn duplicate_index(k_rc: &Secret<32>, id: &PatientId) -> [u8; 32] {
    *hmac(k_rc.expose(), &[id.expose().as_bytes()])
}

#[cfg(test)]
mod tests {
    use chacha20::ChaCha20Rng;
    use rand_core::SeedableRng as _;

    use super::*;

    fn ada() -> PatientId {
        PatientId::parse("Ada Lovelace é".as_bytes()).unwrap()
    }

    #[test]
    fn the_rc_opens_what_it_sealed_for_this_aid_only() {
        let (aid, other) = (Aid::new([1; 32]), Aid::new([2; 32]));
        let issued = issue(&aid, &ada(), &mut ChaCha20Rng::seed_from_u64(1)).unwrap();
        let Answer {
            salt,
            c_id,
            id_commit,
        } = issued.answer;
        let identity = Identity::new(salt, ada()).unwrap();

        assert_eq!(c_id.as_bytes().len(), SEALED_ID_BYTES);
        assert_eq!(issued.data_key.open(&aid, &c_id), Some(identity.clone()));
        assert_eq!(issued.data_key.open(&other, &c_id), None);
        assert!(identity.is_committed(&aid, &id_commit));
        assert!(!identity.is_committed(&other, &id_commit));
    }

    #[test]
    fn the_index_finds_an_id_again_under_one_key_only() {
        let (one, other) = (Secret::new([1; 32]), Secret::new([2; 32]));

        assert_eq!(duplicate_index(&one, &ada()), duplicate_index(&one, &ada()));
        assert_ne!(
            duplicate_index(&one, &ada()),
            duplicate_index(&other, &ada())
        );
    }
}
