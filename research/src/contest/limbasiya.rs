//! The suite of Limbasiya, Sahay and Sridharan from request to reply: SHA-256 and ⊕, and nothing else.

use chacha20::ChaCha20Rng;
use contract::{Aid, Height};
use protocol::limbasiya::{
    Applicant, Application, Card, Centre, Credential, Draft, Issued, Reply, Request, RowsRequest,
    Station, Word,
};
use protocol::meter::{Meter, Unmetered};
use protocol::suite::{Directory, Message as _, Opened, Pending as _, Suite as _};
use protocol::wu::{Password, PatientId};
use protocol::{Limbasiya2020, Secret, Timestamp};

use super::{Clock, Contestant, Failure, Sent, Sides, timed};

/// The server.
const SERVER: &[u8] = b"clinic-a";
/// When everything takes place.
const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// A user and a server that one centre registered.
#[derive(Debug)]
pub struct Pair {
    card: Card,
    credential: Option<Credential>,
    station: Station,
    ledger: Ledger,
    rng: ChaCha20Rng,
}

/// A ledger with one user.
#[derive(Debug)]
struct Ledger(Aid);

impl Directory<()> for Ledger {
    fn resolve(&self, aid: &Aid) -> Option<()> {
        (self.0 == *aid).then_some(())
    }

    fn height(&self) -> Height {
        Height::new(8)
    }
}

impl Pair {
    /// Registers a server and a user.
    pub fn new(rng: ChaCha20Rng) -> Result<Self, Failure> {
        Self::enrolled(rng, (&Unmetered, &Unmetered)).map(|(pair, _sent)| pair)
    }

    /// The same with the user's and the centre's operations counted, and the messages of her registration.
    pub(crate) fn enrolled<M: Meter>(
        mut rng: ChaCha20Rng,
        (hers, centres): (&M, &M),
    ) -> Result<(Self, Vec<Sent>), Failure> {
        let mut centre = centre()?;
        let id = Word::parse(SERVER)?;
        let (name, password) = typed()?;
        let draft = Draft::new(name, password, &mut rng);
        let application = draft.application_metered(hers);
        let issued = centre.register_user_metered(&application, &mut rng, centres)?;
        let card = draft.card_metered(&issued, hers);
        let sent = vec![
            Sent::new("UID, A", &application.encode(), &[("UID", 32), ("A", 32)]),
            Sent::new(
                "C, D, List",
                &issued.encode(),
                &[("C", 32), ("D", 32), ("List", issued.list.expose().len())],
            ),
        ];

        let row = centre.server(&id).ok_or("no server")?;
        let mut station = Station::new(row.place.clone());
        let t = NOW.as_millis() / 1_000;
        let rows = centre.rows(&RowsRequest { id, t }, NOW)?;
        station.update(rows);
        let mut pair = Self {
            card,
            credential: None,
            station,
            ledger: Ledger(application.uid),
            rng,
        };
        pair.unlock(&Unmetered)?;
        Ok((pair, sent))
    }

    /// Opens the card: once before any number of sign-ins.
    fn unlock(&mut self, meter: &impl Meter) -> Result<(), Failure> {
        let (name, password) = typed()?;
        let unlocked = self.card.unlock_metered(name, password, meter)?;
        let credential = unlocked.credential(&Word::parse(SERVER)?);
        self.credential = Some(credential.ok_or("no server in the list")?);
        Ok(())
    }

    fn credential(&self) -> Result<&Credential, Failure> {
        self.credential
            .as_ref()
            .ok_or_else(|| "the card is closed".into())
    }

    /// Opens the card and signs in once, counted, and gives the messages.
    pub(crate) fn counted<M: Meter>(
        &mut self,
        (hers, servers): (&M, &M),
    ) -> Result<Vec<Sent>, Failure> {
        self.unlock(hers)?;
        let opened = Limbasiya2020::open_metered(self.credential()?, NOW, hers);
        let (station, ledger) = (&self.station, &self.ledger);
        let request = opened.message;
        let answered = Limbasiya2020::answer_metered(station, ledger, &request, NOW, servers)?;
        let reply = answered.message;
        opened.state.finish_metered(&reply, NOW, hers)?;
        Ok(vec![
            Sent::new(
                "ID_j, α, β, T1",
                &request.encode(),
                &[
                    ("ID_j", request.server.as_bytes().len()),
                    ("α", request.alpha.len()),
                    ("β", request.beta.len()),
                    ("T1", request.t1.to_be_bytes().len()),
                ],
            ),
            Sent::new(
                "γ, σ, T2",
                &reply.encode(),
                &[
                    ("γ", reply.gamma.len()),
                    ("σ", reply.sigma.len()),
                    ("T2", reply.t2.to_be_bytes().len()),
                ],
            ),
        ])
    }
}

/// What the user types.
fn typed() -> Result<(PatientId, Password), Failure> {
    let id = PatientId::parse(b"patient-0001")?;
    Ok((id, Password::parse(b"correct horse")?))
}

/// A centre with one server.
fn centre() -> Result<Centre, Failure> {
    let mut centre = Centre::new(Secret::new([9; 32]), [], []);
    let applicant = Applicant {
        id: Word::parse(SERVER)?,
        loc: Word::parse(b"Goa")?,
        password: Password::parse(b"of a server")?,
        nonce: Secret::new([5; 16]),
    };
    centre.register_server(&applicant.request(), NOW)?;
    Ok(centre)
}

/// Registrations of users, one after the other; the second side is the centre.
#[derive(Debug)]
pub(crate) struct Registration {
    centre: Centre,
    rng: ChaCha20Rng,
}

impl Registration {
    /// With a centre that has one server.
    pub(crate) fn new(rng: ChaCha20Rng) -> Result<Self, Failure> {
        Ok(Self {
            centre: centre()?,
            rng,
        })
    }
}

impl Contestant for Registration {
    fn shake(&mut self, clock: Clock<'_>) -> Result<Sides, Failure> {
        let mut sides = Sides::default();
        let (name, password) = typed()?;
        let (draft, application) = timed(clock, &mut sides.first, || {
            let draft = Draft::new(name, password, &mut self.rng);
            let application = draft.application().encode();
            (draft, application)
        });
        let issued = timed(clock, &mut sides.second, || {
            let application = Application::parse(&application)?;
            let issued = self.centre.register_user(&application, &mut self.rng)?;
            Ok::<_, Failure>(issued.encode())
        })?;
        timed(clock, &mut sides.first, || {
            Issued::parse(&issued).map(|issued| draft.card(&issued))
        })?;
        Ok(sides)
    }
}

impl Contestant for Pair {
    fn shake(&mut self, clock: Clock<'_>) -> Result<Sides, Failure> {
        let mut sides = Sides::default();
        let credential = self.credential()?.clone();

        let (request, waiting) = timed(clock, &mut sides.first, || {
            let Opened { message, state } = Limbasiya2020::open(&credential, NOW, &mut self.rng);
            (message.encode(), state)
        });
        let reply = timed(clock, &mut sides.second, || {
            let request = Request::parse(&request)?;
            let (station, ledger) = (&self.station, &self.ledger);
            let answered = Limbasiya2020::answer(station, ledger, request, NOW, &mut self.rng);
            Ok::<_, Failure>(answered?.message.encode())
        })?;
        timed(clock, &mut sides.first, || {
            let reply = Reply::parse(&reply)?;
            waiting.finish(&reply, NOW)?;
            Ok::<_, Failure>(())
        })?;
        Ok(sides)
    }
}
