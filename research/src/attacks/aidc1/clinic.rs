//! AIDC-1 in this process: a victim, a fellow patient, two servers, the ledger, and the attacker's place among them.

use core::fmt;
use std::collections::{BTreeMap, BTreeSet};

use chacha20::ChaCha20Rng;
use contract::{
    Aid, AuthResult, ChainId, Height, PatientRecord, PublicKey, ServerId, ServerRecord, SessionId,
    Status, SuiteId,
};
use protocol::Timestamp;
use protocol::aidc1::{
    Aidc1, Certified, Credential, DELTA_MS, EpochSecret, Gate, Me5, Me7, Me9, Patient, Peer,
    Server, Serving,
};
use protocol::suite::{Answered, Directory, Message as _, Opened, Pending as _, Suite as _};
use rand_core::{Rng as _, SeedableRng as _};

use super::Weakness;
use super::hand::{Hand, Public};
use super::noise::{exponent, hkdf};
use super::person::Person;
use crate::attacks::arithmetic::Number;
use crate::attacks::dice::Recorder;
use crate::attacks::world::At;

/// The height of the ledger.
const HEIGHT: Height = Height::new(42);

/// A server with the key of one epoch.
pub(super) struct Station {
    record: ServerRecord,
    pub(super) secret: EpochSecret,
    server: Server,
    gate: Gate,
}

/// What the ledger has about patients.
#[derive(Default)]
struct Records(BTreeMap<Aid, PatientRecord>);

impl Directory<PatientRecord> for Records {
    fn resolve(&self, aid: &Aid) -> Option<PatientRecord> {
        self.0.get(aid).cloned()
    }

    fn height(&self) -> Height {
        HEIGHT
    }
}

/// What travelled in a sign-in, and what only the judge knows of it.
pub(in crate::attacks) struct SignIn {
    pub(in crate::attacks) hello: Vec<u8>,
    pub(in crate::attacks) reply: Vec<u8>,
    pub(in crate::attacks) confirm: Vec<u8>,
    pub(in crate::attacks) key: [u8; 32],
    numbers: [[u8; 32]; 2],
    t3: Timestamp,
}

impl SignIn {
    /// All that travelled, one message after the other.
    pub(in crate::attacks) fn wire(&self) -> Vec<u8> {
        [self.hello.as_slice(), &self.reply, &self.confirm].concat()
    }
}

/// The surroundings of an attempt on AIDC-1.
pub struct Clinic {
    pub(super) rng: ChaCha20Rng,
    pub(in crate::attacks) now: Timestamp,
    pub(super) victim: Person,
    pub(super) fellow: Person,
    pub(super) weakness: Option<Weakness>,
    pub(in crate::attacks) results: Vec<AuthResult>,
    chain: ChainId,
    stations: [Station; 2],
    records: Records,
    sessions: BTreeSet<SessionId>,
    waiting: Option<Patient>,
    serving: Option<Serving>,
}

impl fmt::Debug for Clinic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clinic").finish_non_exhaustive()
    }
}

const fn later(now: Timestamp, millis: u64) -> Timestamp {
    Timestamp::from_millis(now.as_millis().saturating_add(millis))
}

impl Station {
    fn new(number: u8, chain: ChainId, (now, rng): (Timestamp, &mut ChaCha20Rng)) -> Option<Self> {
        let secret = EpochSecret::draw(rng);
        let id = ServerId::new([number; 32]);
        let record = ServerRecord {
            server_id: id,
            node_key: PublicKey::new([number; 32]),
            dh_epoch_key: secret.public(),
            key_epoch: 1,
            not_before: now.to_block_time().minus_ms(3_600_000),
            not_after: later(now, 10_000 * 86_400_000).to_block_time(),
            suites: vec![SuiteId::AIDC_1],
        };
        let mut server = Server::new(chain, id);
        server.install(record.clone(), &secret).ok()?;
        Some(Self {
            record,
            secret,
            server,
            gate: Gate::default(),
        })
    }

    fn parts(&self) -> ([u8; 48], [u8; 32]) {
        let bytes = self.secret.expose();
        let wide = bytes.first_chunk().copied().unwrap_or([0; 48]);
        (wide, bytes.last_chunk().copied().unwrap_or([0; 32]))
    }

    /// b.
    fn number(&self) -> Option<Number> {
        exponent(&self.parts().0)
    }
}

/// An ephemeral number, out of what the dice gave and its owner's hedge.
fn ephemeral(
    (drawn, hedge): (&[u8; 32], &[u8; 32]),
    (role, server): (u8, &ServerId),
    (time, peer): (Timestamp, &[u8]),
) -> Option<Number> {
    let info = [
        b"aidc1/eph".as_slice(),
        &[role],
        server.as_bytes(),
        &time.to_bytes(),
        peer,
    ];
    exponent(&hkdf((hedge, drawn), &info))
}

impl Clinic {
    /// A ledger with two patients and two servers; the seed stands for all dice. `None` if they could not be enrolled,
    /// which says nothing of the suite.
    pub fn new(seed: [u8; 32], now: Timestamp) -> Option<Self> {
        let mut rng = ChaCha20Rng::from_seed(seed);
        let chain = ChainId::new([0xC4; 32]);
        let faces = protocol::synthetic::subjects(1);
        let (hers, rest) = faces.split_first()?;
        let victim = Person::enrol(hers, &chain, &mut rng)?;
        let fellow = Person::enrol(rest.first()?, &chain, &mut rng)?;
        let mut records = Records::default();
        for person in [&victim, &fellow] {
            records.0.insert(*person.aid(), person.record.clone());
        }
        Some(Self {
            stations: [
                Station::new(1, chain, (now, &mut rng))?,
                Station::new(2, chain, (now, &mut rng))?,
            ],
            rng,
            now,
            victim,
            fellow,
            weakness: None,
            results: Vec::new(),
            chain,
            records,
            sessions: BTreeSet::new(),
            waiting: None,
            serving: None,
        })
    }

    /// Plants a weakness, so that a test sees an attempt succeed.
    #[must_use]
    pub fn with(self, weakness: Weakness) -> Self {
        Self {
            weakness: Some(weakness),
            ..self
        }
    }

    pub(in crate::attacks) fn has(&self, weakness: Weakness) -> bool {
        self.weakness == Some(weakness)
    }

    pub(super) const fn station(&mut self, at: At) -> &mut Station {
        let [here, there] = &mut self.stations;
        match at {
            At::Here => here,
            At::There => there,
        }
    }

    /// What every member reads of the victim and a server.
    pub(in crate::attacks) fn public(&mut self, at: At) -> Public {
        Public {
            chain: self.chain,
            server: self.station(at).record.clone(),
            patient: self.victim.record.clone(),
        }
    }

    /// What the planted weakness puts into an attacker's hand; else nothing.
    pub(in crate::attacks) fn hand(&mut self) -> Hand {
        let mut hand = Hand::default();
        if self.has(Weakness::PatientKeys) || self.has(Weakness::AllKeys) {
            hand.patient = self.victim.number();
            hand.sig = Some(self.victim.sig());
        }
        if self.has(Weakness::EpochKey) || self.has(Weakness::AllKeys) {
            hand.server = self.station(At::Here).number();
        }
        hand
    }

    pub(in crate::attacks) fn pass(&mut self, millis: u64) {
        if !self.has(Weakness::StuckDice) {
            self.now = later(self.now, millis);
        }
    }

    pub(in crate::attacks) fn draw(&mut self) -> [u8; 32] {
        let mut drawn = [0; 32];
        self.rng.fill_bytes(&mut drawn);
        drawn
    }

    fn begin(&mut self, (at, of_victim): (At, bool)) -> Option<(Vec<u8>, Patient, [u8; 32])> {
        let certified = Certified {
            height: HEIGHT,
            time: self.now,
        };
        let peer = Peer::new(self.chain, self.station(at).record.clone(), certified).ok()?;
        let person = if of_victim {
            &self.victim
        } else {
            &self.fellow
        };
        let credential = Credential::new(person.keys(), peer);
        let mut dice = Recorder::new(&mut self.rng);
        let Opened { message, state } = Aidc1::open(&credential, self.now, &mut dice);
        Some((message.encode(), state, dice.last()))
    }

    /// A server's answer to a first message, if it gives one; it waits for the confirmation then.
    fn serve(&mut self, at: At, hello: &[u8]) -> Option<(Vec<u8>, [u8; 32])> {
        let me5 = Me5::parse(hello).ok()?;
        let at = if self.has(Weakness::SharedKey) {
            At::Here
        } else {
            at
        };
        let [here, there] = &mut self.stations;
        let station = match at {
            At::Here => here,
            At::There => there,
        };
        let admitted = Aidc1::admit(&mut station.gate, me5, self.now).ok()?;
        let mut dice = Recorder::new(&mut self.rng);
        let answer = Aidc1::answer(
            &station.server,
            &self.records,
            admitted,
            self.now,
            &mut dice,
        );
        let (answer, drawn) = (answer.ok()?, dice.last());
        match answer.state {
            Answered::AwaitConfirm(serving) => self.serving = Some(serving),
            Answered::Accepted(_) => return None,
        }
        Some((answer.message.encode(), drawn))
    }

    /// The server takes a confirmation; the ledger takes the result.
    pub(in crate::attacks) fn confirm(&mut self, me9: &[u8]) -> bool {
        let taken = Me9::parse(me9).ok().zip(self.serving.take());
        let accepted = taken.and_then(|(me9, serving)| serving.finish(&me9, self.now).ok());
        accepted.is_some_and(|accepted| self.submit(accepted.evidence.result))
    }

    /// The ledger's check of a result (`docs/aidc1-ledger.md`), and its record of it.
    pub(in crate::attacks) fn submit(&mut self, result: AuthResult) -> bool {
        let servers = self.stations.iter();
        let mut servers = servers.filter(|station| station.record.server_id == result.server_id);
        let covered = servers.next().is_some_and(|station| {
            station.record.key_epoch == result.key_epoch && station.record.covers(result.t3)
        });
        let patient = self.records.resolve(&result.aid);
        let is_hers = patient.is_some_and(|patient| {
            patient.status == Status::Active && patient.pk_sig == result.pk_sig
        });
        let fresh = result.t3.get().abs_diff(self.now.as_millis()) <= DELTA_MS;
        let holds = result.statement(&self.chain).holds();
        let taken = covered && is_hers && fresh && holds && self.sessions.insert(result.sid);
        if taken {
            self.results.push(result);
        }
        taken
    }

    /// A whole sign-in of the victim.
    pub(in crate::attacks) fn overhear(&mut self, at: At) -> Option<SignIn> {
        self.sign_in((at, true))
    }

    /// A whole sign-in of the fellow patient, who is the attacker.
    pub(in crate::attacks) fn own(&mut self, at: At) -> Option<SignIn> {
        self.sign_in((at, false))
    }

    fn sign_in(&mut self, (at, of_victim): (At, bool)) -> Option<SignIn> {
        if self.has(Weakness::StuckDice) {
            self.rng = ChaCha20Rng::from_seed([7; 32]);
            self.station(at).gate = Gate::default();
            self.sessions.clear();
        }
        let (hello, patient, hers) = self.begin((at, of_victim))?;
        let (reply, servers) = self.serve(at, &hello)?;
        let finished = patient.finish(&Me7::parse(&reply).ok()?, self.now).ok()?;
        let confirm = finished.confirm.encode();
        self.confirm(&confirm).then_some(())?;
        let mut sign_in = SignIn {
            hello,
            reply,
            confirm,
            key: *finished.key.expose(),
            numbers: [hers, servers],
            t3: self.now,
        };
        if of_victim {
            let beside = self.beside(&sign_in.hello)?;
            sign_in.confirm.extend(beside);
        }
        Some(sign_in)
    }

    /// What a planted weakness makes travel beside a first message of the victim; else nothing.
    pub(in crate::attacks) fn beside(&mut self, hello: &[u8]) -> Option<Vec<u8>> {
        match self.weakness {
            Some(weakness) => weakness.travels((self, hello)),
            None => Some(Vec::new()),
        }
    }

    /// The victim's first message, which gets no further than the attacker.
    pub(in crate::attacks) fn hold(&mut self, at: At) -> Option<Vec<u8>> {
        let (hello, patient, _drawn) = self.begin((at, true))?;
        self.waiting = Some(patient);
        Some(hello)
    }

    /// An answer to the victim who waits: her Me9 and her key, if she is content.
    pub(in crate::attacks) fn give(&mut self, reply: &[u8]) -> Option<[u8; 32]> {
        let finished = self
            .waiting
            .take()?
            .finish(&Me7::parse(reply).ok()?, self.now);
        Some(*finished.ok()?.key.expose())
    }

    /// A first message to a server: its answer, unless it refuses.
    pub(in crate::attacks) fn send(&mut self, at: At, hello: &[u8]) -> Option<Vec<u8>> {
        let (reply, _drawn) = self.serve(at, hello)?;
        if self.has(Weakness::RecordsAtOnce)
            && let Some(last) = self.results.last().cloned()
        {
            self.results.push(last);
        }
        Some(reply)
    }

    /// A server restarts: what it remembered of first messages is gone.
    pub(in crate::attacks) fn restart(&mut self, at: At) {
        self.station(at).gate = Gate::default();
    }

    /// `m_i` and `m_j` of a sign-in, which leaked.
    pub(in crate::attacks) fn numbers(&mut self, at: At, sign_in: &SignIn) -> Option<[Number; 2]> {
        let hedge = self.victim.hedge();
        self.numbers_of(at, (sign_in, &hedge))
    }

    fn numbers_of(
        &mut self,
        at: At,
        (sign_in, hedge): (&SignIn, &[u8; 32]),
    ) -> Option<[Number; 2]> {
        let Station { record, .. } = self.station(at);
        let (id, epoch_key) = (record.server_id, record.dh_epoch_key);
        let (_wide, servers) = self.station(at).parts();
        let m1 = sign_in.hello.get(16..48)?;
        let [hers, drawn] = &sign_in.numbers;
        let time = sign_in.t3;
        let m_i = ephemeral((hers, hedge), (1, &id), (time, epoch_key.as_bytes()))?;
        let m_j = ephemeral((drawn, &servers), (2, &id), (time, m1))?;
        let is_it = m_i.x() == *m1 && Some(m_j.x().as_slice()) == sign_in.reply.get(16..48);
        is_it.then_some([m_i, m_j])
    }

    /// b of a server.
    pub(in crate::attacks) fn epoch_number(&mut self, at: At) -> Option<Number> {
        self.station(at).number()
    }

    /// b of an epoch that began after all this.
    pub(in crate::attacks) fn next_epoch_key(&mut self) -> Option<Number> {
        let mut wide = [0; 48];
        self.rng.fill_bytes(&mut wide);
        exponent(&wide)
    }

    /// The numbers of the fellow patient: his static one and one of a sign-in of his own.
    pub(in crate::attacks) fn fellows_numbers(&mut self, at: At) -> Option<Vec<Number>> {
        let own = self.own(at)?;
        let hedge = self.fellow.hedge();
        let [m_i, _m_j] = self.numbers_of(at, (&own, &hedge))?;
        Some(vec![self.fellow.number()?, m_i])
    }

    /// The patient's static secrets, which leak later.
    pub(in crate::attacks) fn statics(&mut self) -> Option<Hand> {
        Some(Hand {
            patient: Some(self.victim.number()?),
            sig: Some(self.victim.sig()),
            ..Hand::default()
        })
    }
}
