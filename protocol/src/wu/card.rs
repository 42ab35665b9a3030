//! The terminal's side between registration and sign-in: the card that is kept,
//! and the local check that opens it.

use contract::Aid;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::costly::reproduce;
use super::factor::{Password, PatientId};
use super::hash::{Hash, xor};
use super::message::{ME3_BYTES, Me3};
use crate::biometric::Template;
use crate::error::{Failed, Malformed, Reason};
use crate::fields::Fields;
use crate::fuzzy::{Auxiliary, RandomString};
use crate::meter::{Meter, Unmetered};
use crate::suite::Message;

/// Bytes of a card.
pub const CARD_BYTES: usize = 448;

/// What the terminal keeps: Me3, and h(ID) to compare with (W-5). SP is stored in
/// clear, as printed (A11).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// What the RC answered.
    me3: Me3,
    /// h(ID).
    id_hash: [u8; 32],
}

impl Card {
    /// The card of the patient whom the RC sent this answer.
    pub fn new(me3: Me3, id: &PatientId) -> Self {
        Self::new_metered(me3, id, &Unmetered)
    }

    /// [`Card::new`], counted.
    pub fn new_metered(me3: Me3, id: &PatientId, meter: &impl Meter) -> Self {
        Self {
            me3,
            id_hash: Hash::H.of(meter, &[id.expose().as_bytes()]),
        }
    }

    /// The AID the card signs in under.
    pub const fn aid(&self) -> Aid {
        self.me3.aid
    }

    /// Step 1 of the authentication phase: h(ID) =? h(ID') ⊕ `V_u` ⊕ `V'_u`, where
    /// `V'_u` takes SP' = Rep(BIO', PP) in the place of the biometric itself (W-3).
    ///
    /// A wrong identity, password and face all fail alike, and nothing is sent.
    pub fn unlock(
        &self,
        id: PatientId,
        password: &Password,
        bio: Template,
    ) -> Result<Credential, Failed> {
        self.unlock_metered(id, password, bio, &Unmetered)
    }

    /// [`Card::unlock`], counted.
    pub fn unlock_metered(
        &self,
        id: PatientId,
        password: &Password,
        bio: Template,
        meter: &impl Meter,
    ) -> Result<Credential, Failed> {
        let locked = Failed::because(Reason::Locked);
        let sp = reproduce(meter, &bio, &self.me3.pp).ok_or(locked)?;
        let v_u = Zeroizing::new(verifier(meter, (&id, password), &sp));
        let expected = xor(
            meter,
            &Hash::H.of(meter, &[id.expose().as_bytes()]),
            &xor(meter, self.me3.v_u.expose(), &v_u),
        );
        if !bool::from(expected.ct_eq(&self.id_hash)) {
            return Err(locked);
        }
        Ok(Credential {
            aid: self.me3.aid,
            id,
            sp: self.me3.sp.clone(),
            pp: self.me3.pp.clone(),
            bio,
        })
    }

    /// The bytes to store, wiped after use.
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(CARD_BYTES));
        bytes.extend(Zeroizing::new(self.me3.encode()).iter());
        bytes.extend(self.id_hash);
        bytes
    }

    /// The card that was stored as these bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut fields = Fields::exactly("a card of Wu-2021", bytes, CARD_BYTES)?;
        let me3 = Me3::parse(fields.take::<ME3_BYTES>("Me3")?)?;
        let id_hash = *fields.take("h(ID)")?;
        fields.end()?;
        Ok(Self { me3, id_hash })
    }
}

/// `V_u` = h1(h(ID ‖ PW) ⊕ SP) (W-3).
pub(super) fn verifier(
    meter: &impl Meter,
    (id, password): (&PatientId, &Password),
    sp: &RandomString,
) -> [u8; 32] {
    let typed = [id.expose().as_bytes(), password.expose().as_bytes()];
    let typed = Zeroizing::new(Hash::H.of(meter, &typed));
    let masked = Zeroizing::new(xor(meter, &typed, sp.expose()));
    Hash::H1.of(meter, &[&*masked])
}

/// A card that was opened, with the capture that opened it: enough to sign in once
/// or, since nothing in it changes, for ever (A5).
#[derive(Clone, Debug)]
pub struct Credential {
    /// AID.
    pub(super) aid: Aid,
    /// ID.
    pub(super) id: PatientId,
    /// SP as the RC sent it (W-14).
    pub(super) sp: RandomString,
    /// PP.
    pub(super) pp: Auxiliary,
    /// BIO', which travels.
    pub(super) bio: Template,
}
