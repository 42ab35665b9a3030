//! AIDC-1 from Me5 to the answer to Me9, with ss kept at the patient and nowhere else.

use chacha20::ChaCha20Rng;
use contract::{
    Aid, Blob, BlockTime, ChainId, Height, IdCommitment, PatientRecord, PublicKey, ServerId,
    ServerRecord, SuiteId,
};
use protocol::aidc1::{
    Answer, Certified, Content, Credential, EpochSecret, Gate, Me5, Me7, Me9, Peer, Seed, Server,
    Serving, Status,
};
use protocol::suite::{Answered, Directory, Message as _, Opened, Pending as _, Suite as _};
use protocol::{Aidc1, Secret, Timestamp};

use super::{Clock, Contestant, Failure, Sent, Sides, timed};

/// What a server keeps between Me5 and Me9.
pub const STATE_BYTES: usize = size_of::<Serving>();

pub(crate) const CHAIN: ChainId = ChainId::new([0xC4; 32]);
pub(crate) const SERVER: ServerId = ServerId::new([0x51; 32]);
/// When the first handshake takes place.
pub(crate) const BEGIN_MS: u64 = 1_700_000_000_000;

/// A patient and a server that know each other from the ledger.
#[derive(Debug)]
pub struct Pair {
    credential: Credential,
    server: Server,
    gate: Gate,
    ledger: Ledger,
    now_ms: u64,
    rng: ChaCha20Rng,
    /// Me5, Me7, Me9 and the answer of the last handshake.
    last: [Vec<u8>; 4],
}

/// A ledger with one patient.
#[derive(Debug)]
pub(crate) struct Ledger(pub(crate) PatientRecord);

impl Directory<PatientRecord> for Ledger {
    fn resolve(&self, aid: &Aid) -> Option<PatientRecord> {
        (self.0.aid == *aid).then(|| self.0.clone())
    }

    fn height(&self) -> Height {
        Height::new(8)
    }
}

/// The server's record under this epoch key.
pub(crate) fn server_record(dh_epoch_key: PublicKey) -> ServerRecord {
    ServerRecord {
        server_id: SERVER,
        node_key: PublicKey::new([7; 32]),
        dh_epoch_key,
        key_epoch: 1,
        not_before: BlockTime::new(BEGIN_MS),
        not_after: BlockTime::new(u64::MAX),
        suites: vec![SuiteId::AIDC_1],
    }
}

/// The record of the patient with these keys.
pub(crate) fn patient_record(aid: Aid, (pk_dh, pk_sig): (PublicKey, PublicKey)) -> PatientRecord {
    PatientRecord {
        aid,
        pk_dh,
        pk_sig,
        pk_recovery: PublicKey::new([4; 32]),
        status: contract::Status::Active,
        epoch: 0,
        c_id: Blob::new(vec![1; 112]),
        id_commit: IdCommitment::new([2; 32]),
    }
}

/// The newest header that the terminal holds.
pub(crate) const fn certified() -> Certified {
    Certified {
        height: Height::new(7),
        time: Timestamp::from_millis(BEGIN_MS),
    }
}

impl Pair {
    /// A server in its first key epoch, and a patient in front of it.
    pub fn new(mut rng: ChaCha20Rng) -> Result<Self, Failure> {
        let keys = Seed::new(Secret::new([0x60; 32])).keys();
        let secret = EpochSecret::draw(&mut rng);
        let record = server_record(secret.public());
        let patient = patient_record(*keys.aid(), (*keys.pk_dh(), *keys.pk_sig()));
        let mut server = Server::new(CHAIN, SERVER);
        server.install(record.clone(), &secret)?;
        let peer = Peer::new(CHAIN, record, certified())?;
        Ok(Self {
            credential: Credential::new(keys, peer),
            server,
            gate: Gate::default(),
            ledger: Ledger(patient),
            now_ms: BEGIN_MS,
            rng,
            last: [const { Vec::new() }; 4],
        })
    }

    /// Bytes of the last handshake to the key, and with Me9.
    pub fn wire_bytes(&self) -> (usize, usize) {
        let [me5, me7, me9, _answer] = self.last.each_ref().map(Vec::len);
        let to_key = me5.saturating_add(me7);
        (to_key, to_key.saturating_add(me9))
    }

    /// The messages of the last handshake.
    pub(crate) fn sent(&self) -> Result<Vec<Sent>, Failure> {
        let [first, second, third, fourth] = &self.last;
        let (me5, me7) = (Me5::parse(first)?, Me7::parse(second)?);
        let whole = |parts: [&[u8]; 2]| parts.concat().len();
        let answer = whole(Answer::parse(fourth)?.status.parts());
        let Content::Statement(statement) = Me9::parse(third)?.content else {
            return Err("the statement came with an identity".into());
        };
        let time = BEGIN_MS.to_be_bytes().len();
        let hello = [
            ("T1", time),
            ("M1", me5.m1.len()),
            ("C1", whole(me5.c1.parts())),
            ("M2", whole(me5.m2.parts())),
        ];
        let reply = [
            ("T3", time),
            ("M3", me7.m3.len()),
            ("M4", whole(me7.m4.parts())),
        ];
        Ok(vec![
            Sent::new("Me5", first, &hello),
            Sent::new("Me7", second, &reply),
            Sent::new("Me9", third, &[("statement", whole(statement.parts()))]),
            Sent::new("answer", fourth, &[("status", answer)]),
        ])
    }
}

impl Contestant for Pair {
    fn shake(&mut self, clock: Clock<'_>) -> Result<Sides, Failure> {
        self.now_ms = self.now_ms.saturating_add(1);
        let now = Timestamp::from_millis(self.now_ms);
        let mut sides = Sides::default();

        let (me5, waiting) = timed(clock, &mut sides.first, || {
            let Opened { message, state } = Aidc1::open(&self.credential, now, &mut self.rng);
            (message.encode(), state)
        });
        let (me7, serving) = timed(clock, &mut sides.second, || -> Result<_, Failure> {
            let hello = Me5::parse(&me5)?;
            let admitted = Aidc1::admit(&mut self.gate, hello, now)?;
            let (server, ledger) = (&self.server, &self.ledger);
            let answered = Aidc1::answer(server, ledger, admitted, now, &mut self.rng)?;
            match answered.state {
                Answered::AwaitConfirm(serving) => Ok((answered.message.encode(), serving)),
                Answered::Accepted(_) => Err("accepted without a confirmation".into()),
            }
        })?;
        let (me9, finished) = timed(clock, &mut sides.first, || {
            let reply = Me7::parse(&me7)?;
            let finished = waiting.finish(&reply, now)?;
            Ok::<_, Failure>((finished.confirm.encode(), finished))
        })?;
        let answer = timed(clock, &mut sides.second, || -> Result<_, Failure> {
            let confirm = Me9::parse(&me9)?;
            let accepted = serving.finish(&confirm, now)?;
            if accepted.key != finished.key {
                return Err("the two sides have different keys".into());
            }
            let status = Status::Accepted(Height::new(8));
            Ok(accepted.evidence.answering.answer(status))
        })?;
        timed(clock, &mut sides.first, || finished.after.open(&answer))?;
        self.last = [me5, me7, me9, answer.encode()];
        Ok(sides)
    }
}
