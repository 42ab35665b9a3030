//! The user's smart card: made at registration, opened with ID and password, made anew for another password.

use contract::Aid;
use rand_core::CryptoRng;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::centre::change_proof;
use super::hash::{h, mask, xor};
use super::message::{Application, Issued, PasswordChange};
use super::place::{List, Place, Word};
use super::seconds;
use crate::error::{Failed, Malformed, Reason};
use crate::fields::Fields;
use crate::freshness::Timestamp;
use crate::meter::{Meter, Unmetered};
use crate::secret::Secret;
use crate::wu::{Password, PatientId};

/// Bytes of r1 and of r2: together as many as A has (L-2).
const NONCE_BYTES: usize = 16;

/// What the user typed, and r1 and r2: a registration under way.
#[derive(Clone, Debug)]
pub struct Draft {
    id: PatientId,
    password: Password,
    /// r1 ‖ r2.
    nonces: Secret<32>,
}

/// The card (L-5): r1, r2, C, D and the list of servers under masks that ID and PW make, and E to try them against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// `W = (r1 ‖ r2) ⊕ A`.
    w: Secret<32>,
    /// `X = h(r2 ‖ ID) ⊕ h(r1 ‖ PW) ⊕ C`.
    x: Secret<32>,
    /// `Y = B ⊕ D`.
    y: Secret<32>,
    /// `E = h(UID ‖ PW ‖ USK)`.
    e: Secret<32>,
    /// `Z = h(r1 ‖ ID ‖ PW) ⊕ h(ID ‖ PW ‖ r2) ⊕ List_sj`: all of a long list but its end is in clear (B6).
    z: List,
}

/// A card that ID and password opened.
#[derive(Clone, Debug)]
pub struct Unlocked {
    draft: Draft,
    uid: Aid,
    a: Secret<32>,
    usk: Secret<32>,
    c: Secret<32>,
    list: List,
}

/// What a sign-in at one server takes.
#[derive(Clone, Debug)]
pub struct Credential {
    /// UID.
    pub(super) uid: Aid,
    /// C.
    pub(super) c: Secret<32>,
    /// The server, with its secret.
    pub(super) place: Place,
}

impl Draft {
    /// Begins a registration. Draws r1 and r2, 32 bytes (L-2).
    pub fn new(id: PatientId, password: Password, rng: &mut impl CryptoRng) -> Self {
        let mut nonces = Zeroizing::new([0; 32]);
        rng.fill_bytes(&mut *nonces);
        Self {
            id,
            password,
            nonces: Secret::new(*nonces),
        }
    }

    /// What goes to the centre.
    pub fn application(&self) -> Application {
        self.application_metered(&Unmetered)
    }

    /// [`Draft::application`], counted.
    pub fn application_metered(&self, meter: &impl Meter) -> Application {
        Application {
            uid: self.uid(meter),
            a: self.a(meter),
        }
    }

    /// The card, once the centre has answered.
    pub fn card(&self, issued: &Issued) -> Card {
        self.card_metered(issued, &Unmetered)
    }

    /// [`Draft::card`], counted.
    pub fn card_metered(&self, issued: &Issued, meter: &impl Meter) -> Card {
        let a = self.a(meter);
        let usk = sum(meter, &a, &issued.d);
        Card {
            w: sum(meter, &self.nonces, &a),
            x: sum(meter, &self.mask_of_c(meter), &issued.c),
            y: sum(meter, &self.b(meter), &issued.d),
            e: self.verifier(meter, &self.uid(meter), &usk),
            z: self.masked(meter, &issued.list),
        }
    }

    const fn r1(&self) -> &[u8] {
        self.nonces.expose().split_at(NONCE_BYTES).0
    }

    const fn r2(&self) -> &[u8] {
        self.nonces.expose().split_at(NONCE_BYTES).1
    }

    fn typed(&self) -> (&[u8], &[u8]) {
        (
            self.id.expose().as_bytes(),
            self.password.expose().as_bytes(),
        )
    }

    /// `UID = h(r1 ‖ ID ‖ r2)`: the same for as long as she lives (B1).
    fn uid(&self, meter: &impl Meter) -> Aid {
        Aid::new(h(meter, &[self.r1(), self.typed().0, self.r2()]))
    }

    /// `A = h(ID ‖ PW)`.
    fn a(&self, meter: &impl Meter) -> Secret<32> {
        factor(meter, &self.id, &self.password)
    }

    /// `B = h(r1 ‖ PW) ⊕ h(r2 ‖ PW)`.
    fn b(&self, meter: &impl Meter) -> Secret<32> {
        let (_, password) = self.typed();
        let first = secret(meter, &[self.r1(), password]);
        sum(meter, &first, &secret(meter, &[self.r2(), password]))
    }

    /// `h(r2 ‖ ID) ⊕ h(r1 ‖ PW)`.
    fn mask_of_c(&self, meter: &impl Meter) -> Secret<32> {
        let (id, password) = self.typed();
        let first = secret(meter, &[self.r2(), id]);
        sum(meter, &first, &secret(meter, &[self.r1(), password]))
    }

    /// `E = h(UID ‖ PW ‖ USK)`.
    fn verifier(&self, meter: &impl Meter, uid: &Aid, usk: &Secret<32>) -> Secret<32> {
        secret(meter, &[uid.as_bytes(), self.typed().1, usk.expose()])
    }

    /// A list under its mask, or out of it.
    fn masked(&self, meter: &impl Meter, list: &List) -> List {
        let (id, password) = self.typed();
        let one = secret(meter, &[self.r1(), id, password]);
        let other = secret(meter, &[id, password, self.r2()]);
        let pad = sum(meter, &one, &other);
        List::new(&mask(meter, list.expose(), pad.expose()))
    }
}

impl Card {
    /// E' = E (L-6), or nobody learns which of ID and password was wrong.
    pub fn unlock(&self, id: PatientId, password: Password) -> Result<Unlocked, Failed> {
        self.unlock_metered(id, password, &Unmetered)
    }

    /// [`Card::unlock`], counted.
    pub fn unlock_metered(
        &self,
        id: PatientId,
        password: Password,
        meter: &impl Meter,
    ) -> Result<Unlocked, Failed> {
        let a = factor(meter, &id, &password);
        let draft = Draft {
            id,
            password,
            nonces: sum(meter, &self.w, &a),
        };
        let d = sum(meter, &self.y, &draft.b(meter));
        let usk = sum(meter, &a, &d);
        let uid = draft.uid(meter);
        let verifier = draft.verifier(meter, &uid, &usk);
        if !bool::from(verifier.expose().ct_eq(self.e.expose())) {
            return Err(Failed::because(Reason::Locked));
        }
        Ok(Unlocked {
            uid,
            c: sum(meter, &self.x, &draft.mask_of_c(meter)),
            list: draft.masked(meter, &self.z),
            draft,
            a,
            usk,
        })
    }

    /// The bytes to store, wiped after use.
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::new());
        for part in [&self.w, &self.x, &self.y, &self.e] {
            bytes.extend(part.expose());
        }
        bytes.extend(self.z.expose());
        bytes
    }

    /// The card that was stored as these bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut fields = Fields::of("a card of Limbasiya-2020", bytes);
        let mut part = |name| fields.take(name).map(|bytes| Secret::new(*bytes));
        let card = Self {
            w: part("W")?,
            x: part("X")?,
            y: part("Y")?,
            e: part("E")?,
            z: List::new(fields.rest()),
        };
        if card.z.fits() {
            Ok(card)
        } else {
            Err(fields.wrong("Z", "is longer than 8192 bytes"))
        }
    }
}

impl Unlocked {
    /// The UID she signs in under.
    pub const fn uid(&self) -> &Aid {
        &self.uid
    }

    /// What it takes to sign in at this server, if the card's list has it.
    pub fn credential(&self, server: &Word) -> Option<Credential> {
        Some(Credential {
            uid: self.uid,
            c: self.c.clone(),
            place: self.list.find(server)?,
        })
    }

    /// Begins a password update (L-11): what goes to the centre, and the draft whose card replaces this one. r1, r2 and
    /// so UID stay.
    pub fn change(&self, password: Password, now: Timestamp) -> (PasswordChange, Draft) {
        let draft = Draft {
            password,
            ..self.draft.clone()
        };
        let (next, t) = (draft.a(&Unmetered), seconds(now));
        let proof = change_proof(&self.uid, &self.usk, (&next, t));
        let change = PasswordChange {
            uid: self.uid,
            a: self.a.clone(),
            next,
            t,
            proof,
        };
        (change, draft)
    }
}

/// `A = h(ID ‖ PW)`: of 2^20 passwords of an ID one fits, and nothing slows down who tries (B5).
fn factor(meter: &impl Meter, id: &PatientId, password: &Password) -> Secret<32> {
    secret(
        meter,
        &[id.expose().as_bytes(), password.expose().as_bytes()],
    )
}

fn secret(meter: &impl Meter, fields: &[&[u8]]) -> Secret<32> {
    Secret::new(*Zeroizing::new(h(meter, fields)))
}

/// ⊕ of two secrets.
fn sum(meter: &impl Meter, one: &Secret<32>, other: &Secret<32>) -> Secret<32> {
    Secret::new(*Zeroizing::new(xor(meter, one.expose(), other.expose())))
}
