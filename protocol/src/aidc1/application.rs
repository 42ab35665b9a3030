//! What a terminal asks the RC for, and what the RC hears at the end: the first and the
//! third message of every enrolment, inside TLS to the RC (`docs/aidc1-enrolment.md` §10).
//!
//! ```text
//! application  terminal → RC   who, what for, the new lock's public keys, sixteen AIDs
//! offer        RC → terminal   salts, sealed IDs and commitments; the deals     (offer.rs)
//! acceptance   terminal → RC   sixteen registrations, and consents where one is replaced
//! ```
//!
//! The terminal takes the deals to the members and seals its card between the second and
//! the third, so that nobody is enrolled who could not open her card.

use contract::record::Consent;
use contract::{Aid, ChainId, PublicKey, Registration, SignatureBytes, encoding};
use zeroize::Zeroizing;

use super::deal::{Change, Enrolment};
use super::recovery::CODE_BYTES;
use super::root::{AIDS, Handle};
use crate::error::Malformed;
use crate::fields::Fields;
use crate::secret::Secret;
use crate::suite::Message;
use crate::wu::PatientId;

/// The version of these messages.
pub(super) const VERSION: u8 = 1;

/// Bytes of the longest acceptance.
pub const ACCEPTANCE_BYTES_MAX: usize = 16 << 10;

/// Bytes of one registration in the ledger's encoding, at most.
const REGISTRATION_BYTES_MAX: usize = 1_024;

/// Names an enrolment at the RC from offer to acceptance. Whoever knows it may accept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ticket(Secret<16>);

impl Ticket {
    /// The ticket of these bytes.
    pub const fn new(bytes: Secret<16>) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn expose(&self) -> &[u8; 16] {
        self.0.expose()
    }
}

/// What an officer of the RC gives to somebody whose identity was proofed at the desk.
pub type DeskCode = Secret<CODE_BYTES>;

/// What a terminal asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// Sixteen AIDs for somebody who has none.
    Enrol(Person),
    /// Sixteen more AIDs, when the old ones are used up; proved by the old lock.
    Renew(Person),
    /// Sixteen AIDs in place of the old ones, which the terminal still opens.
    Move(Person),
    /// Sixteen AIDs in place of the old ones, by the desk and the recovery code or an approver.
    Recover(Person),
    /// Another lock for the same AIDs; proved by the old lock.
    Relock,
}

/// Who wants AIDs, and which.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Person {
    /// Her identity.
    pub id: PatientId,
    /// AID 0 to 15 of her new root.
    pub aids: [Aid; AIDS],
}

/// The first message of an enrolment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Application {
    /// What for.
    pub purpose: Purpose,
    /// Where the RC enrols nobody who was not at its desk, and for every recovery.
    pub desk: Option<DeskCode>,
    /// The new lock's public half. It names the lock whose place it takes, where the purpose
    /// is proved by one.
    pub enrolment: Enrolment,
}

/// The third message of an enrolment. Sent again it changes nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Acceptance {
    /// The offer that is accepted.
    pub ticket: Ticket,
    /// In the order of the AIDs.
    pub registrations: Box<[Registration; AIDS]>,
    /// In the same order, each to the AID that is replaced.
    pub consents: Option<Box<[Consent; AIDS]>>,
}

impl Enrolment {
    /// Whether a lock with this confirm key asks for this one in its place: how the RC
    /// knows again whom it enrolled.
    pub fn replaces(&self, old: &Handle, confirm: &PublicKey, chain: &ChainId) -> bool {
        self.change
            .as_ref()
            .is_some_and(|change| change.old == *old)
            && self.is_wanted_by(confirm, chain)
    }
}

impl Purpose {
    /// The byte in the message.
    const fn code(&self) -> u8 {
        match self {
            Self::Enrol(_) => 0,
            Self::Renew(_) => 1,
            Self::Move(_) => 2,
            Self::Recover(_) => 3,
            Self::Relock => 4,
        }
    }

    /// Who wants AIDs.
    pub const fn person(&self) -> Option<&Person> {
        match self {
            Self::Enrol(person)
            | Self::Renew(person)
            | Self::Move(person)
            | Self::Recover(person) => Some(person),
            Self::Relock => None,
        }
    }

    /// Whether an old lock has to prove it.
    pub const fn needs_old_lock(&self) -> bool {
        matches!(self, Self::Renew(_) | Self::Move(_) | Self::Relock)
    }
}

impl Application {
    /// The bytes that travel. They hold the ID.
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(1_024));
        bytes.extend([VERSION, self.purpose.code(), u8::from(self.desk.is_some())]);
        if let Some(code) = &self.desk {
            bytes.extend(code.expose());
        }
        write_enrolment(&self.enrolment, &mut bytes);
        if let Some(Person { id, aids }) = self.purpose.person() {
            let length = u16::try_from(id.expose().len()).unwrap_or(u16::MAX);
            bytes.extend(length.to_be_bytes());
            bytes.extend(id.expose().as_bytes());
            bytes.extend(aids.iter().flat_map(Aid::as_bytes));
        }
        bytes
    }

    /// The application that these bytes are, all of them.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut fields = Fields::of("an application", bytes);
        version(&mut fields)?;
        let [purpose] = *fields.take("purpose")?;
        let desk = match fields.take("desk")? {
            [0] => None,
            [1] => Some(Secret::new(*fields.take("desk code")?)),
            _ => return Err(fields.wrong("desk", "is neither 0 nor 1")),
        };
        let enrolment = read_enrolment(&mut fields)?;
        let purpose = match purpose {
            0 => Purpose::Enrol(person(&mut fields)?),
            1 => Purpose::Renew(person(&mut fields)?),
            2 => Purpose::Move(person(&mut fields)?),
            3 => Purpose::Recover(person(&mut fields)?),
            4 => Purpose::Relock,
            _ => return Err(fields.wrong("purpose", "is none of 0 to 4")),
        };
        if purpose.needs_old_lock() != enrolment.change.is_some() {
            return Err(fields.wrong("change", "does not go with the purpose"));
        }
        fields.end()?;
        Ok(Self {
            purpose,
            desk,
            enrolment,
        })
    }
}

impl Message for Acceptance {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(ACCEPTANCE_BYTES_MAX);
        bytes.push(VERSION);
        bytes.extend(self.ticket.expose());
        for registration in self.registrations.iter() {
            let encoded = encoding::encode(registration);
            let length = u16::try_from(encoded.len()).unwrap_or(u16::MAX);
            bytes.extend(length.to_be_bytes());
            bytes.extend(encoded);
        }
        bytes.push(u8::from(self.consents.is_some()));
        for consent in self.consents.iter().flat_map(|all| all.iter()) {
            let (key, signature) = match consent {
                Consent::SigningKey(signature) => (0, signature),
                Consent::RecoveryKey(signature) => (1, signature),
            };
            bytes.push(key);
            bytes.extend(signature.to_bytes());
        }
        bytes
    }

    fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut fields = Fields::of("an acceptance", bytes);
        version(&mut fields)?;
        let ticket = Ticket(Secret::new(*fields.take("ticket")?));
        let registrations = sixteen(|| {
            let encoded = fields.prefixed("registration")?;
            encoding::decode(encoded, REGISTRATION_BYTES_MAX)
                .map_err(|_why| fields.wrong("registration", "is not the ledger's encoding of one"))
        })?;
        let consents = match fields.take("consents")? {
            [0] => None,
            [1] => Some(sixteen(|| consent(&mut fields))?),
            _ => return Err(fields.wrong("consents", "is neither 0 nor 1")),
        };
        fields.end()?;
        Ok(Self {
            ticket,
            registrations,
            consents,
        })
    }
}

/// One value for each AID, in order.
pub(super) fn sixteen<T>(
    mut next: impl FnMut() -> Result<T, Malformed>,
) -> Result<Box<[T; AIDS]>, Malformed> {
    let mut values = Vec::with_capacity(AIDS);
    for _ in 0..AIDS {
        values.push(next()?);
    }
    let other = Malformed::Length {
        message: "a list of sixteen",
        expected: AIDS,
        found: values.len(),
    };
    // The vector has just that length.
    <Box<[T; AIDS]>>::try_from(values).map_err(|_values| other)
}

/// The version that every message begins with.
pub(super) const fn version(fields: &mut Fields<'_>) -> Result<(), Malformed> {
    match fields.take("version") {
        Ok([VERSION]) => Ok(()),
        Ok(_) => Err(fields.wrong("version", "is not 1: update one of the two sides")),
        Err(short) => Err(short),
    }
}

/// handle 16 ‖ `pk_dev` 32 ‖ `pk_confirm` 32 ‖ change 1 [‖ old handle 16 ‖ σ 64].
fn write_enrolment(enrolment: &Enrolment, bytes: &mut Vec<u8>) {
    bytes.extend(enrolment.handle.as_bytes());
    bytes.extend(enrolment.device.as_bytes());
    bytes.extend(enrolment.confirm.as_bytes());
    bytes.push(u8::from(enrolment.change.is_some()));
    if let Some(Change { old, signature }) = &enrolment.change {
        bytes.extend(old.as_bytes());
        bytes.extend(signature.to_bytes());
    }
}

fn read_enrolment(fields: &mut Fields<'_>) -> Result<Enrolment, Malformed> {
    let handle = Handle::new(*fields.take("handle")?);
    let device = PublicKey::new(*fields.take("pk_dev")?);
    let confirm = PublicKey::new(*fields.take("pk_confirm")?);
    for (name, key) in [("pk_dev", &device), ("pk_confirm", &confirm)] {
        if !contract::signature::is_admissible(key) {
            return Err(fields.wrong(name, "is no key that may sign"));
        }
    }
    let change = match fields.take("change")? {
        [0] => None,
        [1] => Some(Change {
            old: Handle::new(*fields.take("old handle")?),
            signature: SignatureBytes::new(*fields.take("signature of the change")?),
        }),
        _ => return Err(fields.wrong("change", "is neither 0 nor 1")),
    };
    Ok(Enrolment {
        handle,
        device,
        confirm,
        change,
    })
}

fn person(fields: &mut Fields<'_>) -> Result<Person, Malformed> {
    let id = PatientId::parse(fields.prefixed("ID")?)?;
    if id.expose().contains('\0') {
        return Err(fields.wrong("ID", "holds a zero byte"));
    }
    let aids = *sixteen(|| Ok(Aid::new(*fields.take("AID")?)))?;
    let twice = (1..)
        .zip(&aids)
        .any(|(next, aid)| aids.iter().skip(next).any(|other| other == aid));
    if twice {
        return Err(fields.wrong("AID", "stands twice"));
    }
    Ok(Person { id, aids })
}

fn consent(fields: &mut Fields<'_>) -> Result<Consent, Malformed> {
    let [key] = *fields.take("key of the consent")?;
    let signature = SignatureBytes::new(*fields.take("consent")?);
    match key {
        0 => Ok(Consent::SigningKey(signature)),
        1 => Ok(Consent::RecoveryKey(signature)),
        _ => Err(fields.wrong("key of the consent", "is neither 0 nor 1")),
    }
}
