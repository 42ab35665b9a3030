//! The patient's end: Me5, and Me9 once Me7 proved the server.

use contract::{AuthResult, ChainId, Height, ServerRecord, SignatureBytes};
use ed25519_dalek::Signer as _;
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::DELTA_MS;
use super::dh::Exponent;
use super::hedge::{self, Purpose, Role};
use super::identity::Identity;
use super::message::{Content, IDENTIFIED_BYTES, Kind, Me5, Me7, Me9, note};
use super::record::{NotUsable, Usable};
use super::schedule::{Schedule, Unanswered};
use super::seed::Keys;
use super::statement;
use super::symmetric::Symmetric;
use crate::curve::Point;
use crate::error::{Failed, Reason};
use crate::freshness::{Timestamp, Window};
use crate::secret::Secret;
use crate::suite::{Finished, Opened, Pending};

/// The newest certified header that a terminal holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Certified {
    /// Its height.
    pub height: Height,
    /// Its time.
    pub time: Timestamp,
}

/// A server as the patient knows it from a certified state.
#[derive(Clone, Debug)]
pub struct Peer {
    chain: ChainId,
    usable: Usable,
    certified: Certified,
}

impl Peer {
    /// The server of this record. The caller has verified the record's proof under the
    /// certified header; a record whose epoch is over by that header's time is refused,
    /// since a stale record is all that a leaked epoch key is good for.
    pub fn new(
        chain: ChainId,
        record: ServerRecord,
        certified: Certified,
    ) -> Result<Self, NotUsable> {
        if record.not_after < certified.time.to_block_time() {
            return Err(NotUsable::Over);
        }
        Ok(Self {
            chain,
            usable: Usable::new(&chain, record)?,
            certified,
        })
    }
}

/// `ss = DH(a, B_j)`, which a terminal may keep while `B_j` is the server's key, as
/// carefully as the seed. It is the same in every handshake with this epoch key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StaticSecret {
    patient: contract::PublicKey,
    server: contract::PublicKey,
    ss: Secret<32>,
}

impl StaticSecret {
    fn of(keys: &Keys, peer: &Peer) -> Self {
        Self {
            patient: *keys.pk_dh(),
            server: peer.usable.record.dh_epoch_key,
            ss: keys.dh().agree(&peer.usable.key),
        }
    }

    fn fits(&self, keys: &Keys, peer: &Peer) -> bool {
        self.patient == *keys.pk_dh() && self.server == peer.usable.record.dh_epoch_key
    }
}

/// An unlocked terminal in front of one server: it can sign in there any number of times.
#[derive(Clone, Debug)]
pub struct Credential {
    keys: Keys,
    peer: Peer,
    kept: StaticSecret,
    identity: Option<Identity>,
}

impl Credential {
    /// These keys in front of this server. Multiplies once, for ss.
    pub fn new(keys: Keys, peer: Peer) -> Self {
        let kept = StaticSecret::of(&keys, &peer);
        Self::with_kept(keys, peer, kept)
    }

    /// The same without the multiplication, with the ss of an earlier credential. One
    /// that belongs to other keys or to another epoch key is of no use and is replaced.
    pub fn with_kept(keys: Keys, peer: Peer, kept: StaticSecret) -> Self {
        let kept = if kept.fits(&keys, &peer) {
            kept
        } else {
            StaticSecret::of(&keys, &peer)
        };
        Self {
            keys,
            peer,
            kept,
            identity: None,
        }
    }

    /// Sign-ins with this credential tell the server who the patient is.
    #[must_use]
    pub fn identified(self, identity: Identity) -> Self {
        Self {
            identity: Some(identity),
            ..self
        }
    }

    /// ss, to be kept for the next credential in front of this server.
    pub const fn kept(&self) -> &StaticSecret {
        &self.kept
    }

    /// Me5. Draws `m_i`.
    pub(super) fn open(&self, now: Timestamp, rng: &mut impl CryptoRng) -> Opened<Me5, Patient> {
        let usable = &self.peer.usable;
        let purpose = Purpose {
            role: Role::Patient,
            server: &usable.record.server_id,
            time: now,
            peer: &usable.record.dh_epoch_key,
        };
        let ephemeral = hedge::ephemeral(self.keys.hedge(), &purpose, rng);
        let epoch = usable.epoch();
        let m1 = *ephemeral.public().as_bytes();

        let mut transcript = usable.start.clone();
        transcript.mix_hash(&[&epoch.header(Kind::Me5), &now.to_bytes()]);
        transcript.mix_hash(&[&m1]);
        let key = transcript.mix_key(&ephemeral.agree(&usable.key));
        let c1 = transcript.seal(key, self.keys.aid().as_bytes());
        transcript.mix_hash(&[self.keys.pk_dh().as_bytes()]);
        let key = transcript.mix_key(&self.kept.ss);
        let m2 = transcript.seal(key, &note(self.peer.certified.height));

        Opened {
            message: Me5 {
                epoch,
                t1: now,
                m1,
                c1,
                m2,
            },
            state: Patient {
                keys: self.keys.clone(),
                identity: self.identity.clone(),
                chain: self.peer.chain,
                record: usable.record.clone(),
                certified: self.peer.certified,
                t1: now,
                ephemeral,
                transcript,
            },
        }
    }
}

/// The patient, waiting for Me7.
#[derive(Debug)]
pub struct Patient {
    keys: Keys,
    identity: Option<Identity>,
    chain: ChainId,
    record: ServerRecord,
    certified: Certified,
    t1: Timestamp,
    ephemeral: Exponent,
    transcript: Symmetric,
}

/// A server that proved itself: M4 opened. Nothing else can sign a statement.
struct Proved {
    patient: Patient,
    t3: Timestamp,
    height: Height,
    schedule: Schedule,
}

impl Pending for Patient {
    type Message = Me7;
    type Next = Finished<Me9, Unanswered>;

    /// Verifies Me7, checks the time that she is about to sign, signs, and seals Me9.
    fn finish(self, me7: &Me7, now: Timestamp) -> Result<Self::Next, Failed> {
        let proved = self.verify(me7)?;
        proved.check_height()?;
        proved.check_time(now)?;
        Ok(proved.release())
    }
}

impl Patient {
    /// Steps 1 to 3 of "What the patient does with Me7".
    fn verify(mut self, me7: &Me7) -> Result<Proved, Failed> {
        let epoch = super::message::EpochTag::of(self.record.key_epoch);
        if me7.epoch != epoch {
            return Err(Failed::because(Reason::WrongEpoch));
        }
        let m3 = Point::lift_x(&me7.m3).ok_or_else(|| Failed::because(Reason::NotOnCurve))?;
        let state = &mut self.transcript;
        state.mix_hash(&[&epoch.header(Kind::Me7), &me7.t3.to_bytes()]);
        state.mix_hash(&[&me7.m3]);
        drop(state.mix_key(&self.ephemeral.agree(&m3)));
        let key = state.mix_key(&self.keys.dh().agree(&m3));
        let opened = state.open(key, &me7.m4);
        let height = opened.ok_or_else(|| Failed::because(Reason::Mismatch))?;
        let schedule = Schedule::of(state.clone());
        Ok(Proved {
            t3: me7.t3,
            height: Height::new(u64::from_be_bytes(*height.expose())),
            schedule,
            patient: self,
        })
    }
}

impl Proved {
    /// A server that lags behind what she knows may not have seen a revocation.
    fn check_height(&self) -> Result<(), Failed> {
        if self.height < self.patient.certified.height {
            return Err(Failed::because(Reason::Behind));
        }
        Ok(())
    }

    /// She does not sign a time that she has not checked.
    fn check_time(&self, now: Timestamp) -> Result<(), Failed> {
        let clock = now.max(self.patient.certified.time);
        let earliest = self.patient.t1.as_millis().saturating_sub(DELTA_MS);
        let fresh = Window::up_to_millis(DELTA_MS).admits(self.t3, clock)
            && self.t3.as_millis() >= earliest
            && self.patient.record.covers(self.t3.to_block_time());
        if fresh {
            Ok(())
        } else {
            Err(Failed::because(Reason::Expired))
        }
    }

    /// Signs the statement and seals it: the one Me9 of this session.
    fn release(self) -> Finished<Me9, Unanswered> {
        let Patient {
            keys,
            identity,
            chain,
            record,
            t1,
            ..
        } = self.patient;
        let sid = self.schedule.sid();
        let mut signed = statement::unsigned(&record, &keys.public(), (t1, self.t3), sid);
        let sigma = sign(&keys, &chain, &signed);
        signed.sigma = SignatureBytes::new(sigma);
        let epoch = super::message::EpochTag::of(record.key_epoch);
        let content = match identity {
            None => {
                let (key, ad) = self.schedule.statement_key(epoch.header(Kind::Me9));
                Content::Statement(key.seal(&ad, &sigma))
            }
            Some(identity) => {
                let header = epoch.header(Kind::Me9Identified);
                let (key, ad) = self.schedule.statement_key(header);
                let mut plain = Zeroizing::new([0; IDENTIFIED_BYTES]);
                let identity = identity.to_bytes();
                for (to, from) in plain.iter_mut().zip(sigma.iter().chain(identity.expose())) {
                    *to = *from;
                }
                Content::Identified(Box::new(key.seal(&ad, &plain)))
            }
        };
        Finished {
            confirm: Me9 { epoch, content },
            session: sid,
            key: self.schedule.session_key(),
            after: Unanswered::new(epoch, signed, self.schedule.exporter()),
        }
    }
}

/// σ.
fn sign(keys: &Keys, chain: &ChainId, result: &AuthResult) -> [u8; 64] {
    keys.sig().sign(&result.statement_digest(chain)).to_bytes()
}

#[cfg(test)]
mod tests {
    use chacha20::ChaCha20Rng;
    use contract::{BlockTime, PublicKey, ServerId, SuiteId};
    use rand_core::SeedableRng as _;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn waiting() -> Patient {
        let server = Exponent::from_seed(&Secret::new([3; 48]));
        let record = ServerRecord {
            server_id: ServerId::new([1; 32]),
            node_key: PublicKey::new([2; 32]),
            dh_epoch_key: *server.public(),
            key_epoch: 1,
            not_before: BlockTime::new(0),
            not_after: BlockTime::new(u64::MAX),
            suites: vec![SuiteId::AIDC_1],
        };
        let certified = Certified {
            height: Height::new(41),
            time: NOW,
        };
        let peer = Peer::new(ChainId::new([4; 32]), record, certified).unwrap();
        let keys = super::super::seed::Seed::new(Secret::new([5; 32])).keys();
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        Credential::new(keys, peer).open(NOW, &mut rng).state
    }

    /// What a server that holds the right keys said, whatever it said.
    fn proved(patient: Patient, height: u64, t3: u64) -> Proved {
        Proved {
            schedule: Schedule::of(patient.transcript.clone()),
            patient,
            t3: Timestamp::from_millis(t3),
            height: Height::new(height),
        }
    }

    #[test]
    fn a_server_that_answers_from_an_older_ledger_gets_no_signature() {
        let why = |height| proved(waiting(), height, 0).check_height().err();

        assert_eq!(why(41), None);
        assert_eq!(why(40).map(Failed::reason), Some(Reason::Behind));
    }

    #[test]
    fn a_time_outside_the_key_epoch_gets_no_signature() {
        let now = NOW.as_millis();
        let why = |first, last| {
            let mut patient = waiting();
            patient.record.not_before = BlockTime::new(first);
            patient.record.not_after = BlockTime::new(last);
            let checked = proved(patient, 41, now).check_time(NOW);
            checked.err().map(Failed::reason)
        };

        assert_eq!(why(now, now), None);
        assert_eq!(why(now + 1, u64::MAX), Some(Reason::Expired));
        assert_eq!(why(0, now - 1), Some(Reason::Expired));
    }
}
