//! The suite in this process: a centre, two servers, one victim.

use core::convert::Infallible;
use std::collections::{BTreeMap, BTreeSet};

use contract::{Aid, Height, SessionId};
use protocol::limbasiya::login::Patient;
use protocol::limbasiya::{
    Applicant, Card, Centre, Draft, Limbasiya2020, Reply, Request, Rows, RowsRequest, Station, Word,
};
use protocol::suite::{Answered, Directory, Message as _, Opened, Pending as _, Suite as _};
use protocol::wu::{Password, PatientId};
use protocol::{Malformed, Secret, Timestamp};
use rand_core::CryptoRng;

use super::super::story::{Stopped, some};
use super::super::world::{At, Fellow, LimbasiyaWorld, Overheard, Table, Truth, World};
use super::PASSWORDS;

/// Names and places of the two servers.
const SERVERS: [(At, &str, &str); 2] = [
    (At::Here, "hospital2", "Goa"),
    (At::There, "hospital3", "Surat"),
];

/// What the victim is called.
const VICTIM: &str = "patient-0001";

fn word<T>(parse: fn(&[u8]) -> Result<T, Malformed>, text: &str) -> Option<T> {
    parse(text.as_bytes()).ok()
}

/// The UIDs on the ledger.
#[derive(Debug, Default)]
struct Uids(BTreeSet<Aid>);

impl Directory<()> for Uids {
    fn resolve(&self, aid: &Aid) -> Option<()> {
        self.0.contains(aid).then_some(())
    }

    fn height(&self) -> Height {
        Height::new(1)
    }
}

/// A victim of Limbasiya-2020, and the centre and the servers around her.
#[derive(Debug)]
pub struct Process<R> {
    rng: R,
    now: Timestamp,
    centre: Centre,
    ledger: Uids,
    card: Card,
    password: String,
    results: BTreeMap<(At, SessionId), Aid>,
    keys: Vec<[u8; 32]>,
    waiting: Option<Patient>,
}

impl<R: CryptoRng> Process<R> {
    /// Two registered servers and one registered victim at this time; `None` if she could not be registered, which says
    /// nothing of the scheme.
    pub fn new(mut rng: R, now: Timestamp) -> Option<Self> {
        let mut key = [0; 32];
        rng.fill_bytes(&mut key);
        let mut centre = Centre::new(Secret::new(key), [], []);
        for (_at, name, place) in SERVERS {
            let mut nonce = [0; 16];
            rng.fill_bytes(&mut nonce);
            let applicant = Applicant {
                id: word(Word::parse, name)?,
                loc: word(Word::parse, place)?,
                password: word(Password::parse, "of a hospital")?,
                nonce: Secret::new(nonce),
            };
            let joined = centre.register_server(&applicant.request(), now);
            joined.ok()?;
        }
        let number = rng.next_u64().checked_rem(PASSWORDS.into());
        let password = format!("{:04}", number.unwrap_or_default());
        let mut ledger = Uids::default();
        let card = enrol((&mut centre, &mut ledger), (VICTIM, &password), &mut rng)?;
        Some(Self {
            rng,
            now,
            centre,
            ledger,
            card,
            password,
            results: BTreeMap::new(),
            keys: Vec::new(),
            waiting: None,
        })
    }

    /// UID and C of the victim: what her terminal and the centre know.
    pub(super) fn truth(&self) -> Option<[[u8; 32]; 2]> {
        let unlocked = self.unlock()?;
        let row = self.centre.user(unlocked.uid())?;
        Some([*unlocked.uid().as_bytes(), *row.c.expose()])
    }

    /// A server's name and place.
    pub(super) fn place_of(at: At) -> (String, String) {
        let [(_here, name, place), other] = SERVERS;
        match at {
            At::Here => (name.to_owned(), place.to_owned()),
            At::There => (other.1.to_owned(), other.2.to_owned()),
        }
    }

    fn unlock(&self) -> Option<protocol::limbasiya::Unlocked> {
        let id = word(PatientId::parse, VICTIM)?;
        let password = word(Password::parse, &self.password)?;
        self.card.unlock(id, password).ok()
    }

    fn name(at: At) -> Option<Word> {
        word(Word::parse, &Self::place_of(at).0)
    }

    /// What a server has on its disk.
    fn disk(&self, at: At) -> Option<(protocol::limbasiya::Place, Rows)> {
        let id = Self::name(at)?;
        let place = self.centre.server(&id)?.place.clone();
        let t = self.now.as_millis().checked_div(1_000)?;
        let rows = self.centre.rows(&RowsRequest { id, t }, self.now).ok()?;
        Some((place, rows))
    }

    fn serve(&mut self, at: At, request: &[u8]) -> Option<Vec<u8>> {
        let request = Request::parse(request).ok()?;
        let (place, rows) = self.disk(at)?;
        let mut station = Station::new(place);
        station.update(rows);
        let answer =
            Limbasiya2020::answer(&station, &self.ledger, request, self.now, &mut self.rng);
        let answer = answer.ok()?;
        let accepted = match answer.state {
            Answered::Accepted(accepted) => accepted,
            Answered::AwaitConfirm(never) => match never {},
        };
        self.results.insert((at, accepted.session), accepted.aid);
        Some(answer.message.encode())
    }

    fn begin(&mut self, at: At) -> Option<(Vec<u8>, Patient)> {
        let credential = self.unlock()?.credential(&Self::name(at)?)?;
        let Opened { message, state } = Limbasiya2020::open(&credential, self.now, &mut self.rng);
        Some((message.encode(), state))
    }

    fn end(&mut self, patient: Patient, reply: &[u8]) -> Option<usize> {
        let reply = Reply::parse(reply).ok()?;
        let finished = patient.finish(&reply, self.now).ok()?;
        self.keys.push(*finished.key.expose());
        self.keys.len().checked_sub(1)
    }
}

/// Registers somebody at the centre and on the ledger.
fn enrol(
    (centre, ledger): (&mut Centre, &mut Uids),
    (name, password): (&str, &str),
    rng: &mut impl CryptoRng,
) -> Option<Card> {
    let id = word(PatientId::parse, name)?;
    let draft = Draft::new(id, word(Password::parse, password)?, rng);
    let application = draft.application();
    let issued = centre.register_user(&application, rng);
    ledger.0.insert(application.uid);
    Some(draft.card(&issued.ok()?))
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
        let (hello, patient) = some(self.begin(at))?;
        let reply = some(self.serve(at, &hello))?;
        let number = some(self.end(patient, &reply))?;
        Ok(Overheard {
            number,
            hello,
            reply,
        })
    }

    fn hold(&mut self, at: At) -> Result<Vec<u8>, Stopped<Infallible>> {
        let (hello, patient) = some(self.begin(at))?;
        self.waiting = Some(patient);
        Ok(hello)
    }

    fn give(&mut self, reply: &[u8]) -> Result<Option<usize>, Stopped<Infallible>> {
        let patient = some(self.waiting.take())?;
        Ok(self.end(patient, reply))
    }

    fn send(&mut self, at: At, hello: &[u8]) -> Result<Option<Vec<u8>>, Stopped<Infallible>> {
        Ok(self.serve(at, hello))
    }

    fn recorded(
        &mut self,
        at: At,
        session: &SessionId,
    ) -> Result<Option<Aid>, Stopped<Infallible>> {
        Ok(self.results.get(&(at, *session)).copied())
    }

    fn confirms(&self, what: Truth, value: &[u8]) -> bool {
        match what {
            Truth::Identity => value == VICTIM.as_bytes(),
            Truth::Password => value == self.password.as_bytes(),
            Truth::Anchor => self.truth().is_some_and(|[uid, _c]| value == uid),
            Truth::Key(number) => self.keys.get(number).is_some_and(|key| value == key),
            Truth::Server(at) => {
                let row = Self::name(at).and_then(|name| self.centre.server(&name));
                row.is_some_and(|row| value == row.place.ssk.expose())
            }
        }
    }
}

impl<R: CryptoRng> LimbasiyaWorld for Process<R> {
    fn card(&self) -> Vec<u8> {
        self.card.encode().to_vec()
    }

    fn id(&self) -> String {
        VICTIM.to_owned()
    }

    fn fellow(&mut self) -> Result<Fellow, Stopped<Infallible>> {
        let (id, password) = ("eve", "correct horse");
        let card = enrol(
            (&mut self.centre, &mut self.ledger),
            (id, password),
            &mut self.rng,
        );
        let card = some(card)?;
        Ok(Fellow {
            card: card.encode().to_vec(),
            id: id.to_owned(),
            password: password.to_owned(),
        })
    }

    fn table(&mut self, at: At) -> Result<Table, Stopped<Infallible>> {
        let (place, Rows(rows)) = some(self.disk(at))?;
        let rows = rows.iter();
        Ok(Table {
            ssk: *place.ssk.expose(),
            rows: rows
                .map(|(uid, c)| (*uid.as_bytes(), *c.expose()))
                .collect(),
        })
    }

    fn place(&self, at: At) -> (String, String) {
        Self::place_of(at)
    }

    fn leaked_key(&self, number: usize) -> Option<[u8; 32]> {
        self.keys.get(number).copied()
    }
}
