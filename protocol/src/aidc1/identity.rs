//! Who the patient is, as far as an identified sign-in tells it: her ID, and the salt of
//! the ledger's commitment to it.

use contract::contracts::identity::id_commitment;
use contract::{Aid, IdCommitment};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::error::Malformed;
use crate::secret::Secret;
use crate::wu::PatientId;

/// Bytes of the commitment's salt.
pub const SALT_BYTES: usize = 32;
/// Bytes of an ID, padded with zeros.
pub const PADDED_ID_BYTES: usize = 64;
/// Bytes of both.
pub(crate) const IDENTITY_BYTES: usize = SALT_BYTES + PADDED_ID_BYTES;

/// An ID and the salt under which the ledger commits to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Identity {
    /// Drawn by the RC.
    salt: Secret<SALT_BYTES>,
    /// 1 to 64 bytes of UTF-8 without a zero byte.
    id: PatientId,
}

impl Identity {
    /// An identity. An ID that holds a zero byte is refused: padded with zeros it could
    /// not be told from a shorter one.
    pub fn new(salt: Secret<SALT_BYTES>, id: PatientId) -> Result<Self, Malformed> {
        if id.expose().contains('\0') {
            return Err(malformed("holds a zero byte"));
        }
        Ok(Self { salt, id })
    }

    /// salt ‖ ID ‖ zeros.
    pub(crate) fn to_bytes(&self) -> Secret<IDENTITY_BYTES> {
        let mut bytes = Zeroizing::new([0; IDENTITY_BYTES]);
        let content = self.salt.expose().iter().chain(self.id.expose().as_bytes());
        for (to, from) in bytes.iter_mut().zip(content) {
            *to = *from;
        }
        Secret::new(*bytes)
    }

    /// The identity that these bytes stand for.
    pub(crate) fn from_bytes(bytes: &Secret<IDENTITY_BYTES>) -> Result<Self, Malformed> {
        let (salt, padded) = bytes
            .expose()
            .split_first_chunk::<SALT_BYTES>()
            .ok_or_else(|| malformed("is cut"))?;
        let length = padded
            .iter()
            .rposition(|byte| *byte != 0)
            .map_or(0, |last| last.saturating_add(1));
        let id = padded.get(..length).unwrap_or_default();
        Self::new(Secret::new(*salt), PatientId::parse(id)?)
    }

    /// Whether the ledger's commitment for this AID is to this identity.
    pub(crate) fn is_committed(&self, aid: &Aid, commitment: &IdCommitment) -> bool {
        let computed = id_commitment(aid, self.salt.expose(), self.id.expose().as_bytes());
        computed.as_bytes().ct_eq(commitment.as_bytes()).into()
    }

    /// The ID. The salt is wiped: who keeps it can prove to others whose AID it is.
    pub fn into_id(self) -> PatientId {
        self.id
    }
}

/// The error of an ID that cannot be.
const fn malformed(why: &'static str) -> Malformed {
    Malformed::Field {
        message: "an identity",
        field: "ID",
        why,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(id: &str) -> Result<Identity, Malformed> {
        let id = PatientId::parse(id.as_bytes())?;
        Identity::new(Secret::new([5; 32]), id)
    }

    #[test]
    fn an_identity_reads_back_at_every_length() {
        for length in 1..=PADDED_ID_BYTES {
            let one = identity(&"x".repeat(length)).unwrap();

            assert_eq!(Identity::from_bytes(&one.to_bytes()), Ok(one));
        }
    }

    #[test]
    fn a_zero_byte_is_in_no_identity() {
        let one = identity("ab").unwrap();
        let mut inside = *one.to_bytes().expose();
        inside[SALT_BYTES + 3] = b'c';
        let mut none = *one.to_bytes().expose();
        none[SALT_BYTES..].fill(0);

        assert_eq!(identity("a\0b"), Err(malformed("holds a zero byte")));
        assert_eq!(
            Identity::from_bytes(&Secret::new(inside)),
            Err(malformed("holds a zero byte"))
        );
        assert_eq!(
            Identity::from_bytes(&Secret::new(none)).err(),
            identity("").err()
        );
    }

    #[test]
    fn a_commitment_is_to_one_aid_salt_and_id() {
        let aid = Aid::new([1; 32]);
        let commitment = id_commitment(&aid, &[5; 32], b"ab");
        let other_salt = Identity {
            salt: Secret::new([6; 32]),
            ..identity("ab").unwrap()
        };

        assert!(identity("ab").unwrap().is_committed(&aid, &commitment));
        assert!(!identity("ac").unwrap().is_committed(&aid, &commitment));
        assert!(!other_salt.is_committed(&aid, &commitment));
        let stranger = Aid::new([2; 32]);
        assert!(!identity("ab").unwrap().is_committed(&stranger, &commitment));
    }
}
