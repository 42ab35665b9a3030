//! The suite in this process: one victim, two servers, one ledger.

use core::convert::Infallible;
use std::collections::BTreeMap;

use contract::{Aid, Height, SessionId};
use protocol::suite::{Answered, Directory, Message as _, Opened, Pending as _, Suite as _};
use protocol::wu::login::Patient;
use protocol::wu::{self, Card, Credential, Me1, Me5, Me7, Password, PatientId, Registry, Wu2021};
use protocol::{Template, Timestamp};
use rand_core::CryptoRng;

use super::super::dice::Recorder;
use super::super::story::{Stopped, some};
use super::super::world::{At, Leak, Overheard, Truth, World, WuWorld};
use super::{IDENTITIES, PASSWORDS};

/// A synthetic victim: four captures of a face of nobody, an ID and a password.
#[derive(Debug)]
pub struct Victim {
    /// Her ID.
    pub id: PatientId,
    /// Her password.
    pub password: Password,
    /// Three captures that enrol her, and one that signs her in.
    pub captures: [Template; 4],
}

impl Victim {
    /// Somebody new; `None` if she has no face, which no dice bring about. Draws 16 bytes.
    pub fn draw(rng: &mut impl CryptoRng) -> Option<Self> {
        let mut below = |limit: u32| rng.next_u64().checked_rem(limit.into()).unwrap_or_default();
        let (id, password) = (below(IDENTITIES), below(PASSWORDS));
        Some(Self {
            id: PatientId::parse(format!("{id:05}").as_bytes()).ok()?,
            password: Password::parse(format!("{password:04}").as_bytes()).ok()?,
            captures: face()?,
        })
    }

    /// What she sends to register.
    pub fn me1(&self) -> Me1 {
        let [one, two, three, _fresh] = &self.captures;
        Me1 {
            id: self.id.clone(),
            password: self.password.clone(),
            bio: Template::majority([one, two, three]),
        }
    }

    /// What a judge says of a claim about her.
    pub fn confirms(&self, card: &Card, (what, value): (Truth, &[u8]), keys: &[[u8; 32]]) -> bool {
        match what {
            Truth::Identity => value == self.id.expose().as_bytes(),
            Truth::Password => value == self.password.expose().as_bytes(),
            // SP stands on the card behind AID, as printed.
            Truth::Anchor => card.encode().get(32..64) == Some(value),
            Truth::Key(number) => keys.get(number).is_some_and(|key| value == key),
            Truth::Server(_) => false,
        }
    }

    /// Her card, opened.
    pub fn unlock(&self, card: &Card) -> Option<Credential> {
        let [_one, _two, _three, fresh] = &self.captures;
        card.unlock(self.id.clone(), &self.password, fresh.clone())
            .ok()
    }
}

/// Four captures of the first synthetic subject.
fn face() -> Option<[Template; 4]> {
    let subjects = protocol::synthetic::subjects(1);
    let captures = subjects.first()?.captures.first_chunk()?;
    Some(captures.each_ref().map(|shot| shot.template.clone()))
}

/// Nobody is registered yet.
struct Empty;

impl Registry for Empty {
    fn has_id(&self, _id: &PatientId) -> bool {
        false
    }

    fn has_aid(&self, _aid: &Aid) -> bool {
        false
    }
}

/// The ledger's (ID, AID), of which the victim's is the only one.
#[derive(Debug)]
struct Row {
    aid: Aid,
    id: PatientId,
}

impl Directory<PatientId> for Row {
    fn resolve(&self, aid: &Aid) -> Option<PatientId> {
        (*aid == self.aid).then(|| self.id.clone())
    }

    fn height(&self) -> Height {
        Height::new(1)
    }
}

/// A victim of Wu-2021 and the servers around her.
#[derive(Debug)]
pub struct Process<R> {
    rng: R,
    now: Timestamp,
    victim: Victim,
    card: Card,
    ledger: Row,
    results: BTreeMap<(At, SessionId), Aid>,
    keys: Vec<[u8; 32]>,
    waiting: Option<Patient>,
}

impl<R: CryptoRng> Process<R> {
    /// A ledger with one registered victim at this time; `None` if she could not be registered, which says nothing of
    /// the scheme.
    pub fn new(mut rng: R, now: Timestamp) -> Option<Self> {
        let victim = Victim::draw(&mut rng)?;
        let me1 = victim.me1();
        let enrolment = wu::enrol(&me1, &Empty, &mut rng).ok()?;
        let card = Card::new(enrolment.answer, &victim.id);
        Some(Self {
            ledger: Row {
                aid: card.aid(),
                id: me1.id,
            },
            rng,
            now,
            victim,
            card,
            results: BTreeMap::new(),
            keys: Vec::new(),
            waiting: None,
        })
    }

    /// A server answers and records: its message, and what its dice gave.
    fn serve(&mut self, at: At, me5: &[u8]) -> Option<(Vec<u8>, [u8; 32])> {
        let me5 = Me5::parse(me5).ok()?;
        let mut dice = Recorder::new(&mut self.rng);
        let answer = Wu2021::answer(&(), &self.ledger, me5, self.now, &mut dice).ok()?;
        let drawn = dice.last();
        let accepted = match answer.state {
            Answered::Accepted(accepted) => accepted,
            Answered::AwaitConfirm(never) => match never {},
        };
        self.results.insert((at, accepted.session), accepted.aid);
        Some((answer.message.encode(), drawn))
    }

    /// The victim begins: her message, her terminal, and what its dice gave.
    fn begin(&mut self) -> Option<(Vec<u8>, Patient, [u8; 32])> {
        let credential = self.victim.unlock(&self.card)?;
        let mut dice = Recorder::new(&mut self.rng);
        let Opened { message, state } = Wu2021::open(&credential, self.now, &mut dice);
        Some((message.encode(), state, dice.last()))
    }

    /// The victim ends: the number of her sign-in, if she is content.
    fn end(&mut self, patient: Patient, reply: &[u8]) -> Option<usize> {
        let me7 = Me7::parse(reply).ok()?;
        let finished = patient.finish(&me7, self.now).ok()?;
        self.keys.push(*finished.key.expose());
        self.keys.len().checked_sub(1)
    }

    /// A whole sign-in, and both sides' numbers.
    fn sign_in(&mut self, at: At) -> Option<(Overheard, [[u8; 32]; 2])> {
        let (hello, patient, hers) = self.begin()?;
        let (reply, servers) = self.serve(at, &hello)?;
        let number = self.end(patient, &reply)?;
        let overheard = Overheard {
            number,
            hello,
            reply,
        };
        Some((overheard, [hers, servers]))
    }
}

impl<R: CryptoRng> World for Process<R> {
    type Error = Infallible;

    fn now(&self) -> Timestamp {
        self.now
    }

    fn pass(&mut self, millis: u64) {
        self.now = Timestamp::from_millis(self.now.as_millis().saturating_add(millis));
    }

    fn draw(&mut self) -> [u8; 32] {
        let mut drawn = [0; 32];
        self.rng.fill_bytes(&mut drawn);
        drawn
    }

    fn overhear(&mut self, at: At) -> Result<Overheard, Stopped<Infallible>> {
        some(self.sign_in(at)).map(|(overheard, _numbers)| overheard)
    }

    fn hold(&mut self, _at: At) -> Result<Vec<u8>, Stopped<Infallible>> {
        let (hello, patient, _drawn) = some(self.begin())?;
        self.waiting = Some(patient);
        Ok(hello)
    }

    fn give(&mut self, reply: &[u8]) -> Result<Option<usize>, Stopped<Infallible>> {
        let patient = some(self.waiting.take())?;
        Ok(self.end(patient, reply))
    }

    fn send(&mut self, at: At, hello: &[u8]) -> Result<Option<Vec<u8>>, Stopped<Infallible>> {
        Ok(self.serve(at, hello).map(|(reply, _drawn)| reply))
    }

    fn recorded(
        &mut self,
        at: At,
        session: &SessionId,
    ) -> Result<Option<Aid>, Stopped<Infallible>> {
        Ok(self.results.get(&(at, *session)).copied())
    }

    fn confirms(&self, what: Truth, value: &[u8]) -> bool {
        self.victim.confirms(&self.card, (what, value), &self.keys)
    }
}

impl<R: CryptoRng> WuWorld for Process<R> {
    fn card(&self) -> Vec<u8> {
        self.card.encode().to_vec()
    }

    fn row(&mut self, aid: &Aid) -> Result<Option<String>, Stopped<Infallible>> {
        let found = self.ledger.resolve(aid);
        Ok(found.map(|id| id.expose().to_owned()))
    }

    fn leaks(&mut self) -> Result<Vec<Leak>, Stopped<Infallible>> {
        let (overheard, [hers, servers]) = some(self.sign_in(At::Here))?;
        let leak = |whose, number| Leak {
            overheard: overheard.clone(),
            whose,
            number,
        };
        Ok(vec![leak("patient", hers), leak("server", servers)])
    }
}
