//! The authentication phase: Me5 and Me7, and the key they agree on.

use contract::{SessionId, SuiteId};
use rand_core::CryptoRng;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::WINDOW;
use super::card::Credential;
use super::costly::{agree, draw, lift_x, reproduce};
use super::factor::PatientId;
use super::hash::{Hash, xor};
use super::message::{Me5, Me7, Nothing};
use crate::curve::{Ephemeral, Point};
use crate::error::{Failed, Reason};
use crate::freshness::Timestamp;
use crate::fuzzy::RandomString;
use crate::meter::{Meter, Operation, Unmetered};
use crate::secret::{Secret, SessionKey};
use crate::suite::{
    Accepted, Answer, Answered, Directory, Finished, Message, Opened, Pending, Suite,
};

/// The suite of Wu, Peng, Gao and Chen. Insecure: research ledgers only.
#[derive(Clone, Copy, Debug)]
pub enum Wu2021 {}

/// The patient, waiting for Me7.
#[derive(Debug)]
pub struct Patient {
    /// `m_i`.
    ephemeral: Ephemeral,
    /// SP, which masks `m_j·P`.
    sp: RandomString,
    /// The session id's hash, fed with Me5.
    session: Sha256,
}

/// A server that waits for a third message: there is none (W-18).
#[derive(Clone, Copy, Debug)]
pub enum Serving {}

impl Suite for Wu2021 {
    const ID: SuiteId = SuiteId::WU_2021;

    type Credential = Credential;
    /// A server has no secret: any server is as good as another (A3).
    type Server = ();
    type Record = PatientId;
    /// No set of messages seen (W-20).
    type Gate = ();
    type Hello = Me5;
    type Admitted = Me5;
    type Reply = Me7;
    type Confirm = Nothing;
    type Evidence = ();
    type After = ();
    type Patient = Patient;
    type Serving = Serving;

    /// Step 2: `M1 = SP ⊕ x(m_i·P)`, `M2 = h2(x(m_i·P) ‖ ID ‖ T1)`. Draws `m_i`.
    fn open(
        credential: &Credential,
        now: Timestamp,
        rng: &mut impl CryptoRng,
    ) -> Opened<Me5, Patient> {
        Self::open_metered(credential, now, rng, &Unmetered)
    }

    /// Every message is let through: its time is looked at in step 3.
    fn admit((): &mut (), hello: Me5, _now: Timestamp) -> Result<Me5, Failed> {
        Ok(hello)
    }

    /// Steps 3 and 4: the server takes SP from the message itself, checks M2 with the
    /// ledger's ID, answers, and is content. Draws `m_j`.
    fn answer(
        (): &(),
        directory: &impl Directory<PatientId>,
        me5: Me5,
        now: Timestamp,
        rng: &mut impl CryptoRng,
    ) -> Result<Answer<Self>, Failed> {
        Self::answer_metered(directory, &me5, now, rng, &Unmetered)
    }
}

impl Wu2021 {
    /// [`Suite::open`], counted.
    pub fn open_metered(
        credential: &Credential,
        now: Timestamp,
        rng: &mut impl CryptoRng,
        meter: &impl Meter,
    ) -> Opened<Me5, Patient> {
        let ephemeral = draw(meter, rng);
        let me5 = Me5 {
            aid: credential.aid,
            m1: xor(meter, credential.sp.expose(), ephemeral.x()),
            m2: first_authenticator(meter, ephemeral.x(), (&credential.id, now)),
            pp: credential.pp.clone(),
            bio: credential.bio.clone(),
            t1: now,
        };
        let session = begin_session(&me5);
        Opened {
            message: me5,
            state: Patient {
                ephemeral,
                sp: credential.sp.clone(),
                session,
            },
        }
    }

    /// [`Suite::answer`], counted.
    pub fn answer_metered(
        directory: &impl Directory<PatientId>,
        me5: &Me5,
        now: Timestamp,
        rng: &mut impl CryptoRng,
        meter: &impl Meter,
    ) -> Result<Answer<Self>, Failed> {
        if !WINDOW.admits(me5.t1, now) {
            return Err(Failed::because(Reason::Expired));
        }
        let sp = reproduce(meter, &me5.bio, &me5.pp)
            .ok_or_else(|| Failed::because(Reason::NotReproduced))?;
        let point = unmask(meter, &me5.m1, &sp)?;
        let id = directory
            .resolve(&me5.aid)
            .ok_or_else(|| Failed::because(Reason::UnknownAid))?;
        let m2 = first_authenticator(meter, &point.x(), (&id, me5.t1));
        if !bool::from(m2.ct_eq(&me5.m2)) {
            return Err(Failed::because(Reason::Mismatch));
        }
        let ephemeral = draw(meter, rng);
        let key = agree(meter, &ephemeral, &point);
        let me7 = Me7 {
            m3: xor(meter, sp.expose(), ephemeral.x()),
            m4: second_authenticator(meter, &key, (&point.x(), now)),
            t3: now,
        };
        let session = end_session(meter, begin_session(me5), &me7);
        Ok(Opened {
            message: me7,
            state: Answered::Accepted(Accepted {
                aid: me5.aid,
                session,
                key: SessionKey::new(key),
                started: me5.t1,
                answered: now,
                evidence: (),
            }),
        })
    }
}

impl Pending for Patient {
    type Message = Me7;
    type Next = Finished<Nothing>;

    /// Step 5, with the check of M4 that the paper forgot (W-8).
    fn finish(self, me7: &Me7, now: Timestamp) -> Result<Finished<Nothing>, Failed> {
        self.finish_metered(me7, now, &Unmetered)
    }
}

impl Patient {
    /// [`Pending::finish`], counted.
    pub fn finish_metered(
        self,
        me7: &Me7,
        now: Timestamp,
        meter: &impl Meter,
    ) -> Result<Finished<Nothing>, Failed> {
        if !WINDOW.admits(me7.t3, now) {
            return Err(Failed::because(Reason::Expired));
        }
        let point = unmask(meter, &me7.m3, &self.sp)?;
        let key = agree(meter, &self.ephemeral, &point);
        let m4 = second_authenticator(meter, &key, (self.ephemeral.x(), me7.t3));
        if !bool::from(m4.ct_eq(&me7.m4)) {
            return Err(Failed::because(Reason::Mismatch));
        }
        Ok(Finished {
            confirm: Nothing,
            session: end_session(meter, self.session, me7),
            key: SessionKey::new(key),
            after: (),
        })
    }
}

impl Pending for Serving {
    type Message = Nothing;
    type Next = Accepted<()>;

    fn finish(self, _message: &Nothing, _now: Timestamp) -> Result<Accepted<()>, Failed> {
        match self {}
    }
}

/// The point under SP's mask.
fn unmask(meter: &impl Meter, masked: &[u8; 32], sp: &RandomString) -> Result<Point, Failed> {
    let point = lift_x(meter, &xor(meter, masked, sp.expose()));
    point.ok_or_else(|| Failed::because(Reason::NotOnCurve))
}

/// `M2 = h2(x(m_i·P) ‖ ID ‖ T1)`.
fn first_authenticator(
    meter: &impl Meter,
    x: &[u8; 32],
    (id, t1): (&PatientId, Timestamp),
) -> [u8; 32] {
    Hash::H2.of(meter, &[x, id.expose().as_bytes(), &t1.to_bytes()])
}

/// `M4 = h3(x(K) ‖ x(m_i·P) ‖ T3)`.
fn second_authenticator(
    meter: &impl Meter,
    key: &Secret<32>,
    (x, t3): (&[u8; 32], Timestamp),
) -> [u8; 32] {
    Hash::H3.of(meter, &[key.expose(), x, &t3.to_bytes()])
}

/// The session id SHA-256("wu2021/sid" ‖ Me5 ‖ Me7), as far as Me5 (W-20).
fn begin_session(me5: &Me5) -> Sha256 {
    Sha256::new_with_prefix("wu2021/sid").chain_update(me5.encode())
}

/// The session id, once Me7 is known.
fn end_session(meter: &impl Meter, session: Sha256, me7: &Me7) -> SessionId {
    meter.count(Operation::SessionId);
    SessionId::new(session.chain_update(me7.encode()).finalize().into())
}
