//! The surroundings of AIDC-1: a patient, a server, and the ledger that knows both.

use std::cell::Cell;
use std::collections::BTreeMap;

use contract::contracts::identity::id_commitment;
use contract::encoding::Blob;
use contract::{
    Aid, ChainId, Height, PatientRecord, PublicKey, ServerId, ServerRecord, Status, SuiteId,
};
use protocol::aidc1::{
    Admitted, Certified, Credential, EpochSecret, Gate, Identity, Keys, Me5, Me7, Me9, Patient,
    Peer, Seed, Server, Serving, Unanswered,
};
use protocol::suite::{Accepted, Answered, Directory, Finished, Opened, Pending, Suite};
use protocol::wu::PatientId;
use protocol::{Aidc1, Failed, Secret, Timestamp};

use crate::seeded::dice;
use crate::world::{NOW, later};

/// The ledger of the tests.
pub(crate) const CHAIN: ChainId = ChainId::new([0xC4; 32]);
/// The salt of the commitment to her ID.
pub(crate) const SALT: [u8; 32] = [0x5A; 32];
/// Her ID.
pub(crate) const ID: &str = "patient-0001";

/// The records of patients, and how often anybody asked for one.
#[derive(Default)]
pub(crate) struct Patients {
    records: BTreeMap<Aid, PatientRecord>,
    height: u64,
    pub(crate) lookups: Cell<u32>,
}

impl Patients {
    pub(crate) fn at(height: u64) -> Self {
        Self {
            height,
            ..Self::default()
        }
    }

    pub(crate) fn insert(&mut self, record: PatientRecord) {
        self.records.insert(record.aid, record);
    }

    /// From now on, who asks for this AID is given its record as another one's.
    pub(crate) fn misname(&mut self, aid: &Aid, other: Aid) {
        self.records.get_mut(aid).unwrap().aid = other;
    }

    pub(crate) fn set_status(&mut self, aid: &Aid, status: Status) {
        self.records.get_mut(aid).unwrap().status = status;
    }
}

impl Directory<PatientRecord> for Patients {
    fn resolve(&self, aid: &Aid) -> Option<PatientRecord> {
        self.lookups.set(self.lookups.get().saturating_add(1));
        self.records.get(aid).cloned()
    }

    fn height(&self) -> Height {
        Height::new(self.height)
    }
}

/// What the ledger holds about these keys.
pub(crate) fn record_of(keys: &Keys) -> PatientRecord {
    PatientRecord {
        aid: *keys.aid(),
        pk_dh: *keys.pk_dh(),
        pk_sig: *keys.pk_sig(),
        pk_recovery: PublicKey::new([4; 32]),
        status: Status::Active,
        epoch: 0,
        c_id: Blob::new(vec![1; 112]),
        id_commit: id_commitment(keys.aid(), &SALT, ID.as_bytes()),
    }
}

/// The bytes of a seed.
pub(crate) const fn seed(number: u8) -> [u8; 32] {
    [0x60_u8.wrapping_add(number); 32]
}

pub(crate) fn keys(number: u8) -> Keys {
    Seed::new(Secret::new(seed(number))).keys()
}

pub(crate) fn secret(number: u64) -> EpochSecret {
    EpochSecret::draw(&mut dice(number.saturating_add(1_000)))
}

pub(crate) fn server_id(number: u8) -> ServerId {
    ServerId::new([number; 32])
}

/// The record of a server in an epoch that lasts from an hour ago for a day.
pub(crate) fn server_record(server: u8, key_epoch: u32, secret: &EpochSecret) -> ServerRecord {
    ServerRecord {
        server_id: server_id(server),
        node_key: PublicKey::new([server; 32]),
        dh_epoch_key: secret.public(),
        key_epoch,
        not_before: NOW.to_block_time().minus_ms(3_600_000),
        not_after: NOW.to_block_time().plus_ms(82_800_000),
        suites: vec![SuiteId::AIDC_1],
    }
}

/// What the terminal has certified: the ledger's height 41, a second ago.
pub(crate) const CERTIFIED: Certified = Certified {
    height: Height::new(41),
    time: Timestamp::from_millis(1_699_999_999_000),
};

/// A patient, a server with one epoch, and the ledger at height 42.
pub(crate) struct Clinic {
    pub(crate) record: ServerRecord,
    pub(crate) server: Server,
    pub(crate) ledger: Patients,
}

impl Clinic {
    pub(crate) fn new() -> Self {
        Self::numbered(1, 1)
    }

    pub(crate) fn numbered(server: u8, key_epoch: u32) -> Self {
        let secret = secret(u64::from(server));
        let record = server_record(server, key_epoch, &secret);
        let mut ledger = Patients::at(42);
        ledger.insert(record_of(&keys(1)));
        let mut at_work = Server::new(CHAIN, server_id(server));
        at_work.install(record.clone(), &secret).unwrap();
        Self {
            record,
            server: at_work,
            ledger,
        }
    }

    pub(crate) fn peer(&self, certified: Certified) -> Peer {
        Peer::new(CHAIN, self.record.clone(), certified).unwrap()
    }

    /// The registered patient in front of this server.
    pub(crate) fn credential(&self) -> Credential {
        Credential::new(keys(1), self.peer(CERTIFIED))
    }

    /// The same, who says who she is.
    pub(crate) fn identified(&self) -> Credential {
        self.credential().identified(identity(SALT, ID))
    }

    /// Through a new gate and to the server, at this time.
    pub(crate) fn answer(
        &self,
        hello: &Me5,
        now: Timestamp,
    ) -> Result<Opened<Me7, Serving>, Failed> {
        let admitted = admitted(hello, now)?;
        self.answer_admitted(admitted, now)
    }

    pub(crate) fn answer_admitted(
        &self,
        admitted: Admitted,
        now: Timestamp,
    ) -> Result<Opened<Me7, Serving>, Failed> {
        let answer = Aidc1::answer(&self.server, &self.ledger, admitted, now, &mut dice(2))?;
        match answer.state {
            Answered::AwaitConfirm(state) => Ok(Opened {
                message: answer.message,
                state,
            }),
            Answered::Accepted(_) => panic!("the suite has a third message"),
        }
    }

    /// A whole sign-in by this credential, all at one time.
    pub(crate) fn sign_in(&self, credential: &Credential) -> Result<SignedIn, Failed> {
        let opened = open(credential, NOW);
        let served = self.answer(&opened.message, later(20))?;
        let finished = opened.state.finish(&served.message, later(40))?;
        let accepted = served.state.finish(&finished.confirm, later(60))?;
        Ok(SignedIn {
            hello: opened.message,
            reply: served.message,
            finished,
            accepted,
        })
    }
}

/// What both ends have and what travelled.
pub(crate) struct SignedIn {
    pub(crate) hello: Me5,
    pub(crate) reply: Me7,
    pub(crate) finished: Finished<Me9, Unanswered>,
    pub(crate) accepted: Accepted<protocol::aidc1::Evidence>,
}

pub(crate) fn identity(salt: [u8; 32], id: &str) -> Identity {
    let id = PatientId::parse(id.as_bytes()).unwrap();
    Identity::new(Secret::new(salt), id).unwrap()
}

pub(crate) fn open(credential: &Credential, now: Timestamp) -> Opened<Me5, Patient> {
    Aidc1::open(credential, now, &mut dice(now.as_millis()))
}

pub(crate) fn admitted(hello: &Me5, now: Timestamp) -> Result<Admitted, Failed> {
    Aidc1::admit(&mut Gate::default(), hello.clone(), now)
}
