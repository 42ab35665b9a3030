//! The suite of Wu, Peng, Gao and Chen from Me5 to Me7, its fuzzy extractor included.

use chacha20::ChaCha20Rng;
use contract::{Aid, Height};
use protocol::meter::{Meter, Unmetered};
use protocol::suite::{Directory, Message as _, Opened, Pending as _, Suite as _};
use protocol::wu::{
    Card, Credential, Me1, Me3, Me5, Me7, Password, PatientId, Registry, enrol, enrol_metered,
};
use protocol::{Template, Timestamp, Wu2021};

use super::{Clock, Contestant, Failure, Sent, Sides, timed};

/// Her identity.
const ID: &[u8] = b"patient-0001";
/// Her password.
const PASSWORD: &[u8] = b"correct horse";
/// Nobody's face.
const FACE: [u8; 256] = [0x5A; 256];
/// When the first handshake takes place.
const BEGIN_MS: u64 = 1_700_000_000_000;

/// A patient and a ledger that has her ID in clear, as printed.
#[derive(Debug)]
pub struct Pair {
    card: Card,
    credential: Option<Credential>,
    ledger: Ledger,
    now_ms: u64,
    rng: ChaCha20Rng,
}

/// A ledger with one patient.
#[derive(Debug)]
struct Ledger(Aid, PatientId);

impl Directory<PatientId> for Ledger {
    fn resolve(&self, aid: &Aid) -> Option<PatientId> {
        (self.0 == *aid).then(|| self.1.clone())
    }

    fn height(&self) -> Height {
        Height::new(8)
    }
}

/// An RC that has enrolled nobody.
struct Nobody;

impl Registry for Nobody {
    fn has_id(&self, _id: &PatientId) -> bool {
        false
    }

    fn has_aid(&self, _aid: &Aid) -> bool {
        false
    }
}

impl Pair {
    /// Enrols a patient.
    pub fn new(rng: ChaCha20Rng) -> Result<Self, Failure> {
        Self::enrolled(rng, (&Unmetered, &Unmetered)).map(|(pair, _sent)| pair)
    }

    /// The same with the terminal's and the RC's operations counted, and the messages of the registration.
    pub(crate) fn enrolled<M: Meter>(
        mut rng: ChaCha20Rng,
        (hers, centres): (&M, &M),
    ) -> Result<(Self, Vec<Sent>), Failure> {
        let me1 = me1()?;
        let id = me1.id.clone();
        let enrolled = enrol_metered(&me1, &Nobody, &mut rng, centres)?;
        let me3 = enrolled.answer;
        let sent = vec![
            Sent::new(
                "Me1",
                &me1.encode(),
                &[
                    ("ID", id.expose().len()),
                    ("PW", me1.password.expose().len()),
                    ("BIO", me1.bio.expose().len()),
                ],
            ),
            Sent::new(
                "Me3",
                &me3.encode(),
                &[
                    ("AID", me3.aid.as_bytes().len()),
                    ("SP", me3.sp.expose().len()),
                    ("PP", me3.pp.to_bytes().len()),
                    ("V_u", me3.v_u.expose().len()),
                ],
            ),
        ];
        let card = Card::new_metered(me3, &id, hers);
        let mut pair = Self {
            ledger: Ledger(card.aid(), id),
            card,
            credential: None,
            now_ms: BEGIN_MS,
            rng,
        };
        pair.unlock(&Unmetered)?;
        Ok((pair, sent))
    }

    /// Opens the card: once before any number of sign-ins.
    fn unlock(&mut self, meter: &impl Meter) -> Result<(), Failure> {
        let (id, password) = (PatientId::parse(ID)?, Password::parse(PASSWORD)?);
        let bio = Template::new(FACE);
        self.credential = Some(self.card.unlock_metered(id, &password, bio, meter)?);
        Ok(())
    }

    fn credential(&self) -> Result<&Credential, Failure> {
        self.credential
            .as_ref()
            .ok_or_else(|| "the card is closed".into())
    }

    /// Opens the card and signs in once, counted, and gives the messages.
    pub(crate) fn counted<M: Meter>(
        &mut self,
        (hers, servers): (&M, &M),
    ) -> Result<Vec<Sent>, Failure> {
        self.unlock(hers)?;
        let now = Timestamp::from_millis(self.now_ms);
        let credential = self.credential()?.clone();
        let opened = Wu2021::open_metered(&credential, now, &mut self.rng, hers);
        let me5 = opened.message;
        let answered = Wu2021::answer_metered(&self.ledger, &me5, now, &mut self.rng, servers)?;
        let me7 = answered.message;
        opened.state.finish_metered(&me7, now, hers)?;
        Ok(vec![
            Sent::new(
                "Me5",
                &me5.encode(),
                &[
                    ("AID", me5.aid.as_bytes().len()),
                    ("M1", me5.m1.len()),
                    ("M2", me5.m2.len()),
                    ("PP", me5.pp.to_bytes().len()),
                    ("BIO", me5.bio.expose().len()),
                    ("T1", me5.t1.to_bytes().len()),
                ],
            ),
            Sent::new(
                "Me7",
                &me7.encode(),
                &[
                    ("M3", me7.m3.len()),
                    ("M4", me7.m4.len()),
                    ("T3", me7.t3.to_bytes().len()),
                ],
            ),
        ])
    }
}

/// What a new patient sends to the RC.
fn me1() -> Result<Me1, Failure> {
    Ok(Me1 {
        id: PatientId::parse(ID)?,
        password: Password::parse(PASSWORD)?,
        bio: Template::new(FACE),
    })
}

/// Registrations, one after the other; the second side is the RC.
#[derive(Debug)]
pub(crate) struct Registration(pub(crate) ChaCha20Rng);

impl Contestant for Registration {
    fn shake(&mut self, clock: Clock<'_>) -> Result<Sides, Failure> {
        let mut sides = Sides::default();
        let Me1 { id, .. } = me1()?;
        let me1 = timed(clock, &mut sides.first, || me1().map(|me1| me1.encode()))?;
        let me3 = timed(clock, &mut sides.second, || {
            let enrolled = enrol(&Me1::parse(&me1)?, &Nobody, &mut self.0)?;
            Ok::<_, Failure>(enrolled.answer.encode())
        })?;
        timed(clock, &mut sides.first, || {
            Me3::parse(&me3).map(|me3| Card::new(me3, &id))
        })?;
        Ok(sides)
    }
}

impl Contestant for Pair {
    fn shake(&mut self, clock: Clock<'_>) -> Result<Sides, Failure> {
        self.now_ms = self.now_ms.saturating_add(1);
        let now = Timestamp::from_millis(self.now_ms);
        let mut sides = Sides::default();
        let credential = self.credential()?.clone();

        let (me5, waiting) = timed(clock, &mut sides.first, || {
            let Opened { message, state } = Wu2021::open(&credential, now, &mut self.rng);
            (message.encode(), state)
        });
        let me7 = timed(clock, &mut sides.second, || {
            let hello = Me5::parse(&me5)?;
            let answered = Wu2021::answer(&(), &self.ledger, hello, now, &mut self.rng);
            Ok::<_, Failure>(answered?.message.encode())
        })?;
        timed(clock, &mut sides.first, || {
            let reply = Me7::parse(&me7)?;
            waiting.finish(&reply, now)?;
            Ok::<_, Failure>(())
        })?;
        Ok(sides)
    }
}
