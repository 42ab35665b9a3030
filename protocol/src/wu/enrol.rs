//! Registration at the RC.

use contract::Aid;
use rand_core::CryptoRng;
use thiserror::Error;
use zeroize::Zeroizing;

use super::card::verifier;
use super::costly::generate;
use super::factor::PatientId;
use super::hash::{Hash, xor};
use super::message::{Me1, Me3};
use crate::error::Malformed;
use crate::fields::Fields;
use crate::meter::{Meter, Unmetered};
use crate::secret::Secret;

/// What the RC asks before it registers (W-7): the paper's query for the AID, which
/// is new by construction, and its own table's answer for the ID.
pub trait Registry {
    /// Whether the RC's table has this identity.
    fn has_id(&self, id: &PatientId) -> bool;

    /// Whether the ledger has this AID.
    fn has_aid(&self, aid: &Aid) -> bool;
}

/// The patient is registered: she signs in instead.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("this patient is registered already: sign in instead")]
pub struct AlreadyRegistered;

/// The three things that a registration gives.
#[derive(Debug)]
pub struct Enrolment {
    /// Goes back to the terminal.
    pub answer: Me3,
    /// Stays in the RC's table.
    pub mapping: Mapping,
}

/// A row of the RC's mapping table: (ID, A, AID), and m so that A can be checked
/// at all (W-6). The ledger gets ID and AID of it in one transaction (W-17).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// ID.
    pub id: PatientId,
    /// A = h1(ID ‖ PW ‖ m): with m a password can be tried against it.
    pub a: Secret<32>,
    /// AID.
    pub aid: Aid,
    /// m.
    pub m: Secret<32>,
}

/// Steps 2 and 3 of the registration phase: (SP, PP) = Gen(BIO), A = h1(ID ‖ PW ‖ m),
/// B = h1(A), AID = B ⊕ h(PP), `V_u`. Draws what Gen draws, then 32 bytes for m.
pub fn enrol(
    request: &Me1,
    registry: &impl Registry,
    rng: &mut impl CryptoRng,
) -> Result<Enrolment, AlreadyRegistered> {
    enrol_metered(request, registry, rng, &Unmetered)
}

/// [`enrol`], counted.
pub fn enrol_metered(
    request: &Me1,
    registry: &impl Registry,
    rng: &mut impl CryptoRng,
    meter: &impl Meter,
) -> Result<Enrolment, AlreadyRegistered> {
    if registry.has_id(&request.id) {
        return Err(AlreadyRegistered);
    }
    let (sp, pp) = generate(meter, &request.bio, rng);
    let mut m = Zeroizing::new([0; 32]);
    rng.fill_bytes(&mut *m);
    let (id, password) = (&request.id, &request.password);
    let parts = [id.expose().as_bytes(), password.expose().as_bytes(), &*m];
    let a = Zeroizing::new(Hash::H1.of(meter, &parts));
    let b = Hash::H1.of(meter, &[&*a]);
    let pp_hash = Hash::H.of(meter, &[&pp.to_bytes()]);
    let aid = Aid::new(xor(meter, &b, &pp_hash));
    if registry.has_aid(&aid) {
        return Err(AlreadyRegistered);
    }
    let v_u = Secret::new(verifier(meter, (id, password), &sp));
    Ok(Enrolment {
        answer: Me3 { aid, sp, pp, v_u },
        mapping: Mapping {
            id: request.id.clone(),
            a: Secret::new(*a),
            aid,
            m: Secret::new(*m),
        },
    })
}

impl Mapping {
    /// The bytes to store, wiped after use.
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        let id = self.id.expose().as_bytes();
        let length = u16::try_from(id.len()).unwrap_or(u16::MAX);
        let mut bytes = Zeroizing::new(Vec::new());
        bytes.extend(length.to_be_bytes());
        bytes.extend(id);
        bytes.extend(self.a.expose());
        bytes.extend(self.aid.as_bytes());
        bytes.extend(self.m.expose());
        bytes
    }

    /// The row that was stored as these bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut fields = Fields::of("a row of the mapping table", bytes);
        let row = Self {
            id: PatientId::parse(fields.prefixed("ID")?)?,
            a: Secret::new(*fields.take("A")?),
            aid: Aid::new(*fields.take("AID")?),
            m: Secret::new(*fields.take("m")?),
        };
        fields.end()?;
        Ok(row)
    }
}
