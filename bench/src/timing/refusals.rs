//! Sign-ins that a server refuses, for one reason or another.

use std::collections::BTreeMap;
use std::io;

use chacha20::ChaCha20Rng;
use contract::{
    Aid, Blob, BlockTime, ChainId, Height, IdCommitment, PatientRecord, PublicKey, ServerId,
    ServerRecord, Status, SuiteId,
};
use protocol::aidc1::{Certified, Credential, EpochSecret, Gate, Keys, Me5, Peer, Seed, Server};
use protocol::suite::{Directory, Message as _, Suite as _};
use protocol::{Aidc1, Secret, Timestamp};

use crate::clock::Moment;

const CHAIN: ChainId = ChainId::new([0xC4; 32]);
const SERVER: ServerId = ServerId::new([0x51; 32]);
const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// First messages of each kind, one for each value of a byte: seldom are two calls in a row for the same points.
const EACH: usize = 256;

/// Where C1, the sealed AID, begins in Me5.
const C1_AT: usize = 48;

/// Why a sign-in is refused.
#[derive(Debug, Clone, Copy)]
pub(super) enum Why {
    /// The ledger has no such AID.
    Unknown,
    /// Its record is revoked.
    Revoked,
    /// Somebody who knows her AID does not have her key.
    WrongKey,
    /// C1 does not open: it ends after the first multiplication, as a server would that looked the AID
    /// up and returned.
    EndsEarly,
}

impl Why {
    /// One of the four by the two lowest bits.
    pub(super) const fn by_chance(bits: u8) -> Self {
        match bits & 3 {
            0 => Self::Unknown,
            1 => Self::Revoked,
            2 => Self::WrongKey,
            _ => Self::EndsEarly,
        }
    }
}

/// One thing for each reason.
#[derive(Debug, Default)]
pub(super) struct Each<T> {
    unknown: T,
    revoked: T,
    wrong_key: T,
    ends_early: T,
}

impl<T> Each<T> {
    /// What belongs to a reason.
    pub(super) const fn of(&self, why: Why) -> &T {
        match why {
            Why::Unknown => &self.unknown,
            Why::Revoked => &self.revoked,
            Why::WrongKey => &self.wrong_key,
            Why::EndsEarly => &self.ends_early,
        }
    }

    /// The same, to change it.
    pub(super) const fn of_mut(&mut self, why: Why) -> &mut T {
        match why {
            Why::Unknown => &mut self.unknown,
            Why::Revoked => &mut self.revoked,
            Why::WrongKey => &mut self.wrong_key,
            Why::EndsEarly => &mut self.ends_early,
        }
    }
}

/// A ledger of three patients, one of them unknown to it.
struct Ledger {
    records: BTreeMap<Aid, PatientRecord>,
    /// A record of no AID.
    stand_in: PatientRecord,
}

impl Directory<PatientRecord> for Ledger {
    /// Like a node: something is read for everybody.
    fn resolve(&self, aid: &Aid) -> Option<PatientRecord> {
        Some(self.records.get(aid).unwrap_or(&self.stand_in).clone())
    }

    fn height(&self) -> Height {
        Height::new(8)
    }
}

/// A server, and first messages that it refuses.
pub(super) struct Clinic {
    server: Server,
    ledger: Ledger,
    messages: Each<Vec<Me5>>,
}

impl Clinic {
    /// All messages are made before anything is measured.
    pub(super) fn new(rng: &mut ChaCha20Rng) -> io::Result<Self> {
        let secret = EpochSecret::draw(rng);
        let record = ServerRecord {
            server_id: SERVER,
            node_key: PublicKey::new([7; 32]),
            dh_epoch_key: secret.public(),
            key_epoch: 1,
            not_before: NOW.to_block_time(),
            not_after: BlockTime::new(u64::MAX),
            suites: vec![SuiteId::AIDC_1],
        };
        let mut server = Server::new(CHAIN, SERVER);
        server.install(record.clone(), &secret).map_err(failed)?;

        let [revoked, robbed] = [2, 3].map(keys);
        let records = [
            patient(&revoked, *revoked.pk_dh(), Status::Revoked),
            patient(&robbed, *keys(4).pk_dh(), Status::Active),
        ];
        let ledger = Ledger {
            records: records.map(|record| (record.aid, record)).into(),
            stand_in: patient(&keys(5), *keys(5).pk_dh(), Status::Revoked),
        };
        let mut make = |number| first_messages(number, &record, rng);
        let early = make(1)?.into_iter().map(|message| with_broken_c1(&message));
        let early: Vec<Me5> = early.collect::<Result<_, _>>()?;
        let messages = Each {
            unknown: make(1)?,
            revoked: make(2)?,
            wrong_key: make(3)?,
            ends_early: early,
        };
        Ok(Self {
            server,
            ledger,
            messages,
        })
    }

    /// How long one refusal takes, in nanoseconds. The gate before it looks at nothing that is secret
    /// and is not measured.
    pub(super) fn refuses(&self, why: Why, which: u8, rng: &mut ChaCha20Rng) -> io::Result<f64> {
        let message = self.messages.of(why).get(usize::from(which)).cloned();
        let message = message.ok_or_else(|| failed("too few messages were made"))?;
        let admitted = Aidc1::admit(&mut Gate::with_room_for(1), message, NOW).map_err(failed)?;
        let start = Moment::now();
        let answered = Aidc1::answer(&self.server, &self.ledger, admitted, NOW, rng);
        let took = start.elapsed();
        match answered {
            Ok(_) => Err(failed("a sign-in that must be refused was answered")),
            Err(_refused) => Ok(took.as_secs_f64() * 1e9),
        }
    }
}

/// What a terminal with these keys sends.
fn first_messages(
    number: u8,
    record: &ServerRecord,
    rng: &mut ChaCha20Rng,
) -> io::Result<Vec<Me5>> {
    let certified = Certified {
        height: Height::new(7),
        time: NOW,
    };
    let peer = Peer::new(CHAIN, record.clone(), certified).map_err(failed)?;
    let credential = Credential::new(keys(number), peer);
    let opened = (0..EACH).map(|_| Aidc1::open(&credential, NOW, rng).message);
    Ok(opened.collect())
}

/// The same message with one bit of C1 turned.
fn with_broken_c1(message: &Me5) -> io::Result<Me5> {
    let mut bytes = message.encode();
    if let Some(octet) = bytes.get_mut(C1_AT) {
        *octet ^= 1;
    }
    Me5::parse(&bytes).map_err(failed)
}

fn keys(number: u8) -> Keys {
    Seed::new(Secret::new([number; 32])).keys()
}

fn patient(keys: &Keys, pk_dh: PublicKey, status: Status) -> PatientRecord {
    PatientRecord {
        aid: *keys.aid(),
        pk_dh,
        pk_sig: *keys.pk_sig(),
        pk_recovery: PublicKey::new([4; 32]),
        status,
        epoch: 0,
        c_id: Blob::new(vec![1; 112]),
        id_commit: IdCommitment::new([2; 32]),
    }
}

fn failed(error: impl std::fmt::Display) -> io::Error {
    io::Error::other(error.to_string())
}
