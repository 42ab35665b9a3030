//! The server's end: Me7 for whom the ledger knows, and a result once Me9 proved her.

use contract::encoding::Blob;
use contract::{
    Aid, AuthResult, ChainId, Height, IdCommitment, PatientRecord, PublicKey, SessionId,
    SignatureBytes, Status,
};
use rand_core::CryptoRng;
use subtle::{Choice, ConditionallySelectable as _};

use super::DELTA_MS;
use super::gate::Admitted;
use super::hedge::{self, Purpose, Role};
use super::identity::{IDENTITY_BYTES, Identity};
use super::message::{Content, EpochTag, IDENTIFIED_BYTES, Kind, Me5, Me7, Me9, read_note};
use super::schedule::{Answering, Exporter, Schedule};
use super::server::{EpochKey, Server};
use super::statement::{self, Signer};
use super::symmetric::Symmetric;
use crate::curve::Point;
use crate::error::{Failed, Reason};
use crate::freshness::{Timestamp, Window};
use crate::secret::Secret;
use crate::suite::{Accepted, Directory, Opened, Pending};
use crate::wu::PatientId;

/// H("aidc1/dummy" ‖ 0x00), an x-coordinate whose exponent nobody knows: the key of
/// whoever the ledger does not know.
pub(crate) const DUMMY_KEY: [u8; 32] = [
    0xe1, 0x86, 0xd6, 0xdc, 0x13, 0xf5, 0xd0, 0x4c, 0xd5, 0x25, 0x87, 0xad, 0x3c, 0x00, 0xf3, 0x3e,
    0x8b, 0x17, 0x37, 0x79, 0xa9, 0x11, 0x44, 0x04, 0xf1, 0x19, 0x51, 0xb0, 0xf3, 0x22, 0x76, 0x04,
];

/// Salt, padded ID and authenticator: the sealed ID of most records.
const STAND_IN_SEALED_BYTES: usize = 112;

/// What a sign-in gives the server, beside the key.
#[derive(Debug)]
pub struct Evidence {
    /// The statement with σ, ready for the ledger.
    pub result: AuthResult,
    /// Who she is, if she said so.
    pub id: Option<PatientId>,
    /// The right to tell her what became of it.
    pub answering: Answering,
    /// Further keys of the session.
    pub exporter: Exporter,
}

/// The server, waiting for Me9.
#[derive(Debug)]
pub struct Serving {
    chain: ChainId,
    epoch: EpochTag,
    /// The result, but for σ.
    unsigned: AuthResult,
    id_commit: IdCommitment,
    schedule: Schedule,
}

/// A first message that a registered, active patient made.
struct Recognised {
    patient: PatientRecord,
    key: Point,
    m1: Point,
    height: Height,
    transcript: Symmetric,
}

/// Steps 5 to 10 of "What the server does"; the gate did those before.
pub(super) fn answer(
    server: &Server,
    directory: &impl Directory<PatientRecord>,
    admitted: Admitted,
    now: Timestamp,
    rng: &mut impl CryptoRng,
) -> Result<Opened<Me7, Serving>, Failed> {
    let me5 = admitted.into_message();
    let epoch = server.epoch(me5.epoch).filter(|key| key.usable.covers(now));
    let epoch = epoch.ok_or_else(|| Failed::because(Reason::WrongEpoch))?;
    let recognised = recognise(epoch, directory, &me5)?;
    Ok(respond(server.chain(), epoch, recognised, (&me5, now), rng))
}

/// Steps 6 to 9. Whoever the ledger does not know takes the same way with a dummy key.
fn recognise(
    epoch: &EpochKey,
    directory: &impl Directory<PatientRecord>,
    me5: &Me5,
) -> Result<Recognised, Failed> {
    let refused = |reason| move || Failed::because(reason);
    let m1 = Point::lift_x(&me5.m1).ok_or_else(refused(Reason::NotOnCurve))?;
    let mut state = epoch.usable.start.clone();
    state.mix_hash(&[&me5.epoch.header(Kind::Me5), &me5.t1.to_bytes()]);
    state.mix_hash(&[&me5.m1]);
    let key = state.mix_key(&epoch.exponent.agree(&m1));
    let aid = state.open(key, &me5.c1);
    let aid = Aid::new(*aid.ok_or_else(refused(Reason::Mismatch))?.expose());

    // Made for everybody alike: another record for who was revoked would tell, in a million refusals.
    let patient = directory.resolve(&aid);
    let patient = patient.unwrap_or_else(|| epoch.stand_in.clone());
    // So would a branch that the processor guesses wrong.
    let is_there = Choice::from(u8::from(patient.aid == aid));
    let known = is_there & Choice::from(u8::from(patient.status == Status::Active));
    let pk_dh = <[u8; 32]>::conditional_select(&DUMMY_KEY, patient.pk_dh.as_bytes(), known);
    // No record is registered with a key that is no point.
    let key = Point::lift_x(&pk_dh).ok_or_else(refused(Reason::NotOnCurve))?;

    state.mix_hash(&[&pk_dh]);
    let once = state.mix_key(&epoch.exponent.agree(&key));
    let note = state.open(once, &me5.m2);
    let known = bool::from(known);
    let why = if known {
        Reason::Mismatch
    } else {
        Reason::UnknownAid
    };
    let note = note.filter(|_| known).ok_or_else(refused(why))?;

    let hers = read_note(note.expose()).ok_or_else(refused(Reason::Reserved))?;
    let height = directory.height();
    if height < hers {
        return Err(Failed::because(Reason::Behind));
    }
    Ok(Recognised {
        patient,
        key,
        m1,
        height,
        transcript: state,
    })
}

/// The record of whoever the ledger does not know, as large as a registered one.
pub(super) fn stand_in() -> PatientRecord {
    PatientRecord {
        aid: Aid::new([0; 32]),
        pk_dh: PublicKey::new(DUMMY_KEY),
        pk_sig: PublicKey::new([0; 32]),
        pk_recovery: PublicKey::new([0; 32]),
        status: Status::Revoked,
        epoch: 0,
        c_id: Blob::new(vec![0; STAND_IN_SEALED_BYTES]),
        id_commit: IdCommitment::new([0; 32]),
    }
}

/// Step 10: the server's ephemeral, Me7, and what waits for Me9.
fn respond(
    chain: &ChainId,
    epoch: &EpochKey,
    recognised: Recognised,
    (me5, now): (&Me5, Timestamp),
    rng: &mut impl CryptoRng,
) -> Opened<Me7, Serving> {
    let record = &epoch.usable.record;
    let purpose = Purpose {
        role: Role::Server,
        server: &record.server_id,
        time: now,
        peer: &PublicKey::new(me5.m1),
    };
    let ephemeral = hedge::ephemeral(&epoch.hedge, &purpose, rng);
    let m3 = *ephemeral.public().as_bytes();

    let mut state = recognised.transcript;
    state.mix_hash(&[&me5.epoch.header(Kind::Me7), &now.to_bytes()]);
    state.mix_hash(&[&m3]);
    drop(state.mix_key(&ephemeral.agree(&recognised.m1)));
    let key = state.mix_key(&ephemeral.agree(&recognised.key));
    let m4 = state.seal(key, &recognised.height.get().to_be_bytes());
    let schedule = Schedule::of(state);

    let patient = recognised.patient;
    let signer = Signer {
        aid: patient.aid,
        pk_sig: patient.pk_sig,
    };
    let unsigned = statement::unsigned(record, &signer, (me5.t1, now), schedule.sid());
    Opened {
        message: Me7 {
            epoch: me5.epoch,
            t3: now,
            m3,
            m4,
        },
        state: Serving {
            chain: *chain,
            epoch: me5.epoch,
            unsigned,
            id_commit: patient.id_commit,
            schedule,
        },
    }
}

impl Pending for Serving {
    type Message = Me9;
    type Next = Accepted<Evidence>;

    /// Takes the one Me9 of this session; the session is over, whatever comes of it.
    fn finish(self, me9: &Me9, now: Timestamp) -> Result<Self::Next, Failed> {
        let refused = |reason| move || Failed::because(reason);
        if !Window::up_to_millis(DELTA_MS).admits(self.answered(), now) {
            return Err(Failed::because(Reason::Expired));
        }
        if me9.epoch != self.epoch {
            return Err(Failed::because(Reason::WrongEpoch));
        }
        let (key, ad) = self.schedule.statement_key(self.epoch.header(me9.kind()));
        let (sigma, identity) = match &me9.content {
            Content::Statement(sealed) => {
                let sigma = key.open(&ad, sealed);
                (sigma.ok_or_else(refused(Reason::Mismatch))?, None)
            }
            Content::Identified(sealed) => {
                let opened = key.open(&ad, sealed);
                let (sigma, identity) = split(&opened.ok_or_else(refused(Reason::Mismatch))?);
                (sigma, Some(identity))
            }
        };
        self.accept(&sigma, identity.as_ref())
    }
}

impl Serving {
    /// The session that Me9 is to confirm.
    pub const fn session(&self) -> SessionId {
        self.unsigned.sid
    }

    /// Whose key made the Me5 that was answered.
    pub const fn aid(&self) -> &Aid {
        &self.unsigned.aid
    }

    /// T3; Δ later, no Me9 counts any more.
    pub const fn answered(&self) -> Timestamp {
        Timestamp::from_millis(self.unsigned.t3.get())
    }

    /// Checks what came out of Me9 against the ledger's record.
    fn accept(
        self,
        sigma: &Secret<64>,
        identity: Option<&Secret<IDENTITY_BYTES>>,
    ) -> Result<Accepted<Evidence>, Failed> {
        let refused = || Failed::because(Reason::NotProved);
        let result = AuthResult {
            sigma: SignatureBytes::new(*sigma.expose()),
            ..self.unsigned
        };
        if !result.statement(&self.chain).holds() {
            return Err(refused());
        }
        let id = match identity {
            None => None,
            Some(bytes) => {
                let identity = Identity::from_bytes(bytes).map_err(|_malformed| refused())?;
                if !identity.is_committed(&result.aid, &self.id_commit) {
                    return Err(refused());
                }
                Some(identity.into_id())
            }
        };
        let exporter = self.schedule.exporter();
        Ok(Accepted {
            aid: result.aid,
            session: result.sid,
            key: self.schedule.session_key(),
            started: Timestamp::from_millis(result.t1.get()),
            answered: Timestamp::from_millis(result.t3.get()),
            evidence: Evidence {
                result,
                id,
                answering: Answering::new(self.epoch, self.schedule.sid(), exporter.clone()),
                exporter,
            },
        })
    }
}

/// σ and the identity.
fn split(bytes: &Secret<IDENTIFIED_BYTES>) -> (Secret<64>, Secret<IDENTITY_BYTES>) {
    let mut sigma = zeroize::Zeroizing::new([0; 64]);
    let mut identity = zeroize::Zeroizing::new([0; IDENTITY_BYTES]);
    for (to, from) in sigma
        .iter_mut()
        .chain(identity.iter_mut())
        .zip(bytes.expose())
    {
        *to = *from;
    }
    (Secret::new(*sigma), Secret::new(*identity))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pending_sign_in_takes_less_than_two_kilobytes() {
        // Nothing in it lies on the heap.
        assert!(size_of::<Serving>() <= 2_048, "{}", size_of::<Serving>());
    }
}
