//! A victim of Wu-2021 on the devnet.

use contract::identity::{Aid, Height, SessionId, SuiteId, TransactionHash};
use contract::{Call, SignedTransaction};
use patient::client::{Answer, Client, KNOWN_HEIGHT, Question};
use patient::code::Code;
use patient::dice;
use patient::output::Failure;
use patient::receipt::Receipt;
use protocol::Timestamp;
use protocol::suite::{Message as _, Opened, Pending as _, Suite as _};
use protocol::wu::login::Patient;
use protocol::wu::{Card, Me3, Me7, Wu2021};
use rand_core::CryptoRng;
use research::attacks::dice::Recorder;
use research::attacks::story::Stopped;
use research::attacks::world::{At, Leak, Overheard, Truth, World, WuWorld};
use research::attacks::wu::Victim;

use super::{BEHIND_WAIT, LEDGER_WAIT, Net, Stop, TRIES, answered, now};
use crate::cli::research::attack::broken;

/// The devnet, with a registered victim.
pub(in super::super) struct Wu {
    net: Net,
    rng: Box<dyn CryptoRng>,
    victim: Victim,
    card: Card,
    registration: TransactionHash,
    known: Height,
    keys: Vec<[u8; 32]>,
    waiting: Option<Patient>,
}

impl Wu {
    /// Registers a victim on the devnet.
    pub(in super::super) fn open(net: Net) -> Result<Self, Failure> {
        let mut rng = dice::seeded()?;
        let (victim, card, registration) = register(&net.centre, &mut rng)?;
        Ok(Self {
            known: net.registered(card.aid(), registration)?,
            net,
            rng: Box::new(rng),
            victim,
            card,
            registration,
            keys: Vec::new(),
            waiting: None,
        })
    }

    fn begin(&mut self) -> Result<(Vec<u8>, Patient, [u8; 32]), Stop> {
        let credential = self.victim.unlock(&self.card);
        let credential = credential.ok_or_else(|| Stopped::World(broken()))?;
        let mut dice = Recorder::new(&mut *self.rng);
        let Opened { message, state } = Wu2021::open(&credential, now(), &mut dice);
        Ok((message.encode(), state, dice.last()))
    }

    fn end(&mut self, patient: Patient, reply: &[u8]) -> Option<usize> {
        let finished = patient.finish(&Me7::parse(reply).ok()?, now()).ok()?;
        self.keys.push(*finished.key.expose());
        self.keys.len().checked_sub(1)
    }

    /// A whole sign-in of the victim, and her number.
    fn sign_in(&mut self, at: At) -> Result<(Overheard, [u8; 32]), Stop> {
        let (hello, patient, drawn) = self.begin()?;
        let reply = self.say(at, &hello).map_err(Stopped::World)?;
        let number = self.end(patient, &reply).ok_or(Stopped::Withstood)?;
        let overheard = Overheard {
            number,
            hello,
            reply,
        };
        Ok((overheard, drawn))
    }

    /// A first message to a member, and its answer.
    fn say(&self, at: At, hello: &[u8]) -> Result<Vec<u8>, Failure> {
        let question = of_wu("/v1/sign-in/hello", hello.to_vec())
            .header(KNOWN_HEIGHT, self.known.get().to_string())
            .waits(BEHIND_WAIT);
        let answer = self.net.server(at).patients.ask_patiently(&question)?;
        Ok(answer.body().to_vec())
    }

    /// The ID in the registration's transaction, as any member reads it on its own node.
    fn read_row(&self, aid: &Aid) -> Result<Option<String>, Failure> {
        let path = format!("/v1/transactions/{}/receipt", self.registration);
        let members = &self.net.server(At::Here).members;
        let receipt: Receipt = members.ask(Question::get(path))?.success()?.json()?;
        let bytes: Vec<u8> = receipt.transaction.0;
        let transaction = SignedTransaction::decode(bytes)
            .map_err(|error| Failure::new(Code::BadAnswer).because(error))?;
        let Call::WuRegister(record) = transaction.call() else {
            return Ok(None);
        };
        let id = String::from_utf8(record.id.as_bytes().to_vec());
        Ok(id.ok().filter(|_| record.aid == *aid))
    }
}

/// Registers somebody whose ID is free.
fn register(
    centre: &Client,
    rng: &mut impl CryptoRng,
) -> Result<(Victim, Card, TransactionHash), Failure> {
    let mut last = broken();
    for _try in 0..TRIES {
        let victim = Victim::draw(rng).ok_or_else(broken)?;
        let question = of_wu("/v1/register", victim.me1().encode()).waits(LEDGER_WAIT);
        match centre.ask_patiently(&question) {
            Ok(answer) => {
                let me3 = Me3::parse(answer.body())
                    .map_err(|error| Failure::new(Code::BadAnswer).because(error))?;
                let card = Card::new(me3, &victim.id);
                return Ok((victim, card, transaction(&answer)?));
            }
            Err(taken) if taken.code() == Code::CannotEnrol => last = taken,
            Err(failure) => return Err(failure),
        }
    }
    Err(last)
}

fn transaction(answer: &Answer) -> Result<TransactionHash, Failure> {
    let named = answer.header("aidchain-transaction").unwrap_or_default();
    named
        .parse()
        .map_err(|error| Failure::new(Code::BadAnswer).because(error))
}

/// A message of Wu-2021 to a patient interface.
fn of_wu(path: &str, body: Vec<u8>) -> Question {
    Question::post(path, body).header("aidchain-suite", SuiteId::WU_2021.to_string())
}

impl World for Wu {
    type Error = Failure;

    fn now(&self) -> Timestamp {
        now()
    }

    /// The clocks of real nodes are not the attacker's to move.
    fn pass(&mut self, _millis: u64) {}

    fn draw(&mut self) -> [u8; 32] {
        let mut drawn = [0; 32];
        self.rng.fill_bytes(&mut drawn);
        drawn
    }

    fn overhear(&mut self, at: At) -> Result<Overheard, Stop> {
        self.sign_in(at).map(|(overheard, _drawn)| overheard)
    }

    fn hold(&mut self, _at: At) -> Result<Vec<u8>, Stop> {
        let (hello, patient, _drawn) = self.begin()?;
        self.waiting = Some(patient);
        Ok(hello)
    }

    fn give(&mut self, reply: &[u8]) -> Result<Option<usize>, Stop> {
        let patient = self.waiting.take().ok_or(Stopped::Withstood)?;
        Ok(self.end(patient, reply))
    }

    fn send(&mut self, at: At, hello: &[u8]) -> Result<Option<Vec<u8>>, Stop> {
        answered(self.say(at, hello))
    }

    fn recorded(&mut self, at: At, session: &SessionId) -> Result<Option<Aid>, Stop> {
        self.net.recorded(at, session)
    }

    fn confirms(&self, what: Truth, value: &[u8]) -> bool {
        self.victim.confirms(&self.card, (what, value), &self.keys)
    }
}

impl WuWorld for Wu {
    fn card(&self) -> Vec<u8> {
        self.card.encode().to_vec()
    }

    fn row(&mut self, aid: &Aid) -> Result<Option<String>, Stop> {
        self.read_row(aid).map_err(Stopped::World)
    }

    /// A node's numbers are its own; the victim's terminal is ours, and lets one slip.
    fn leaks(&mut self) -> Result<Vec<Leak>, Stop> {
        let (overheard, number) = self.sign_in(At::Here)?;
        Ok(vec![Leak {
            overheard,
            whose: "patient",
            number,
        }])
    }
}
