//! A victim of Limbasiya-2020 on the devnet.

use std::fs;
use std::thread;
use std::time::Duration;

use contract::identity::{Aid, Height, SessionId};
use patient::client::{KNOWN_HEIGHT, Question};
use patient::code::Code;
use patient::dice;
use patient::limbasiya::{SignedIn, register, sign_in};
use patient::output::Failure;
use protocol::Timestamp;
use protocol::limbasiya::login::Patient;
use protocol::limbasiya::{Card, Draft, Limbasiya2020, Place, Reply, Rows, Unlocked, Word};
use protocol::suite::{Message as _, Opened, Pending as _, Suite as _};
use protocol::wu::{Password, PatientId};
use rand_core::Rng as _;
use research::attacks::limbasiya::PASSWORDS;
use research::attacks::story::Stopped;
use research::attacks::world::{At, Fellow, LimbasiyaWorld, Overheard, Table, Truth, World};

use super::{BEHIND_WAIT, Net, Stop, TRIES, answered, now};
use crate::cli::research::attack::broken;
use crate::limbasiya::PREFIX;

/// A stamp of the scheme is a second, and two sign-ins within one are the same to the last bit.
const STAMP: Duration = Duration::from_millis(1_100);
/// What a server's file begins with.
const DISK: &[u8] = b"aidchain-limbasiya-server/1\n";

/// Somebody registered, with what she types.
struct User {
    id: String,
    password: String,
    card: Card,
    uid: Aid,
    places: Vec<Place>,
    known: Height,
}

/// The devnet, with a registered victim.
pub(in super::super) struct Limbasiya {
    net: Net,
    victim: User,
    places: [Place; 2],
    keys: Vec<[u8; 32]>,
    waiting: Option<Patient>,
}

impl User {
    /// Somebody new. Her card has the servers that are registered by now.
    fn register(net: &Net) -> Result<Self, Failure> {
        let mut rng = dice::seeded()?;
        let id = format!("patient-{:08}", rng.next_u32());
        let number = rng.next_u32().checked_rem(PASSWORDS).unwrap_or_default();
        let password = format!("{number:04}");
        let (name, word) = typed(&id, &password)?;
        let draft = Draft::new(name, word, &mut rng);
        let application = draft.application();
        let (issued, transaction) = register(&net.centre, &application)?;
        let listed = net.servers.iter().filter_map(|server| {
            let name = Word::parse(server.name.as_bytes()).ok()?;
            issued.list.find(&name)
        });
        Ok(Self {
            places: listed.collect(),
            known: net.registered(application.uid, transaction)?,
            uid: application.uid,
            card: draft.card(&issued),
            id,
            password,
        })
    }

    fn unlock(&self) -> Result<Unlocked, Failure> {
        let (id, password) = typed(&self.id, &self.password)?;
        self.card.unlock(id, password).map_err(|_failed| broken())
    }
}

fn typed(id: &str, password: &str) -> Result<(PatientId, Password), Failure> {
    let wrong = |error| Failure::new(Code::Bug).because(error);
    let id = PatientId::parse(id.as_bytes()).map_err(wrong)?;
    let password = Password::parse(password.as_bytes()).map_err(wrong)?;
    Ok((id, password))
}

impl Limbasiya {
    /// Registers a victim on the devnet, once its servers are registered.
    pub(in super::super) fn open(net: Net) -> Result<Self, Failure> {
        for _try in 0..TRIES {
            let victim = User::register(&net)?;
            if let [here, there] = victim.places.as_slice() {
                return Ok(Self {
                    places: [here.clone(), there.clone()],
                    net,
                    victim,
                    keys: Vec::new(),
                    waiting: None,
                });
            }
            thread::sleep(STAMP);
        }
        Err(Failure::new(Code::NotReady)
            .message("the servers of the devnet do not register for limbasiya-2020"))
    }

    const fn listed(&self, at: At) -> &Place {
        let [here, there] = &self.places;
        match at {
            At::Here => here,
            At::There => there,
        }
    }

    fn credential(&self, at: At) -> Result<protocol::limbasiya::Credential, Stop> {
        let unlocked = self.victim.unlock().map_err(Stopped::World)?;
        let found = unlocked.credential(&self.listed(at).id);
        found.ok_or_else(|| Stopped::World(broken()))
    }

    fn keep(&mut self, key: [u8; 32]) -> usize {
        self.keys.push(key);
        self.keys.len().saturating_sub(1)
    }

    fn say(&self, at: At, request: &[u8]) -> Result<Vec<u8>, Failure> {
        let question = Question::post(format!("{PREFIX}/authenticate"), request.to_vec())
            .header(KNOWN_HEIGHT, self.victim.known.get().to_string())
            .waits(BEHIND_WAIT);
        let answer = self.net.server(at).patients.ask_patiently(&question)?;
        Ok(answer.body().to_vec())
    }

    /// What a thief finds in the server's file: `SSK_j` and the table, in clear as the scheme needs them.
    fn disk(&self, at: At) -> Result<Option<Table>, Failure> {
        let path = self.net.server(at).home.join("sign-ins/limbasiya-2020");
        let bytes = fs::read(&path).map_err(|error| {
            Failure::new(Code::CannotRead)
                .message(format!("cannot read {}", path.display()))
                .because(error)
        })?;
        Ok(table(&bytes))
    }
}

/// head ‖ checksum 4 ‖ 1 ‖ `SSK_j` ‖ rows.
fn table(bytes: &[u8]) -> Option<Table> {
    let (_checksum, rest) = bytes.strip_prefix(DISK)?.split_first_chunk::<4>()?;
    let (ssk, rows) = rest.strip_prefix(&[1])?.split_first_chunk()?;
    let Rows(rows) = Rows::parse(rows).ok()?;
    let rows = rows.iter();
    Some(Table {
        ssk: *ssk,
        rows: rows
            .map(|(uid, c)| (*uid.as_bytes(), *c.expose()))
            .collect(),
    })
}

impl World for Limbasiya {
    type Error = Failure;

    fn now(&self) -> Timestamp {
        now()
    }

    /// The clocks of real nodes are not the attacker's to move: no longer than it takes for another stamp.
    fn pass(&mut self, millis: u64) {
        thread::sleep(Duration::from_millis(millis).min(STAMP));
    }

    fn draw(&mut self) -> [u8; 32] {
        dice::random().unwrap_or_default()
    }

    fn overhear(&mut self, at: At) -> Result<Overheard, Stop> {
        let credential = self.credential(at)?;
        let client = &self.net.server(at).patients;
        let done = sign_in(client, &credential, self.victim.known).map_err(Stopped::World)?;
        let SignedIn { key, travelled, .. } = done;
        Ok(Overheard {
            number: self.keep(*key.expose()),
            hello: travelled.request,
            reply: travelled.reply,
        })
    }

    fn hold(&mut self, at: At) -> Result<Vec<u8>, Stop> {
        let credential = self.credential(at)?;
        let mut rng = dice::seeded().map_err(Stopped::World)?;
        let Opened { message, state } = Limbasiya2020::open(&credential, now(), &mut rng);
        self.waiting = Some(state);
        Ok(message.encode())
    }

    fn give(&mut self, reply: &[u8]) -> Result<Option<usize>, Stop> {
        let patient = self.waiting.take().ok_or(Stopped::Withstood)?;
        let finished = Reply::parse(reply)
            .ok()
            .map(|reply| patient.finish(&reply, now()));
        let key = finished
            .and_then(Result::ok)
            .map(|finished| *finished.key.expose());
        Ok(key.map(|key| self.keep(key)))
    }

    fn send(&mut self, at: At, hello: &[u8]) -> Result<Option<Vec<u8>>, Stop> {
        answered(self.say(at, hello))
    }

    fn recorded(&mut self, at: At, session: &SessionId) -> Result<Option<Aid>, Stop> {
        self.net.recorded(at, session)
    }

    fn confirms(&self, what: Truth, value: &[u8]) -> bool {
        match what {
            Truth::Identity => value == self.victim.id.as_bytes(),
            Truth::Password => value == self.victim.password.as_bytes(),
            Truth::Anchor => value == self.victim.uid.as_bytes(),
            Truth::Key(number) => self.keys.get(number).is_some_and(|key| value == key),
            Truth::Server(at) => value == self.listed(at).ssk.expose(),
        }
    }
}

impl LimbasiyaWorld for Limbasiya {
    fn card(&self) -> Vec<u8> {
        self.victim.card.encode().to_vec()
    }

    fn id(&self) -> String {
        self.victim.id.clone()
    }

    fn fellow(&mut self) -> Result<Fellow, Stop> {
        let own = User::register(&self.net).map_err(Stopped::World)?;
        Ok(Fellow {
            card: own.card.encode().to_vec(),
            id: own.id,
            password: own.password,
        })
    }

    fn table(&mut self, at: At) -> Result<Table, Stop> {
        let found = self.disk(at).map_err(Stopped::World)?;
        found.ok_or_else(|| Stopped::World(broken()))
    }

    fn place(&self, at: At) -> (String, String) {
        let place = self.listed(at);
        (place.id.as_str().to_owned(), place.loc.as_str().to_owned())
    }

    fn leaked_key(&self, number: usize) -> Option<[u8; 32]> {
        self.keys.get(number).copied()
    }
}
