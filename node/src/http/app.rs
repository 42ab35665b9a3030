//! What the handlers share: the node's parts, and the tables that only the listeners keep.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use contract::{
    Genesis, Role, SuiteId,
    identity::{SessionId, TransactionHash},
};
use protocol::{
    Timestamp,
    aidc1::{
        Gate, Limits,
        limits::{Permit, Source},
    },
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::{authenticate::Conclusion, limits::EVENT_STREAMS, problem::Problem};
use crate::{
    access::{Cookies, Tokens, Trail},
    centre::{
        Office,
        registrar::{self, SetRule},
    },
    evaluators::Evaluators,
    explorer::{glance::Glance, names::Names},
    identified::Identified,
    limbasiya::Limbasiya,
    refusals::Refusals,
    registration::Centre,
    services::Services,
    sessions::{Pending, handshakes::Handshakes},
};
use patient::code::Code;

/// A handle to everything a handler may use; a clone is the same node.
#[derive(Clone, Debug)]
pub(crate) struct App(Arc<Inner>);

/// The parts themselves.
#[derive(Debug)]
struct Inner {
    /// The node's parts.
    services: Services,
    /// Readers' tokens.
    tokens: Tokens,
    /// Signed-in browsers.
    cookies: Mutex<Cookies>,
    /// Who looked at whom.
    trail: Trail,
    /// Why somebody was refused.
    refusals: Refusals,
    /// Who asks how often, and room for handshakes.
    limits: Mutex<Limits>,
    /// First messages of AIDC-1 that could come again.
    gate: Mutex<Gate>,
    /// Sign-ins of AIDC-1 that wait for the patient's last message, or had it.
    handshakes: Mutex<Handshakes<Conclusion>>,
    /// Who said here who she is.
    identified: Identified,
    /// Room for streams of events.
    streams: Arc<Semaphore>,
    /// Sign-ins on their way to the ledger.
    sessions: Mutex<Pending<SessionId>>,
    /// Registrations on their way to the ledger.
    registrations: Mutex<Pending<TransactionHash>>,
    /// The registration centre, when this node is one.
    centre: Option<Mutex<Centre>>,
    /// What this member keeps of the second paper's suite, where the ledger has it.
    limbasiya: Option<Arc<Limbasiya>>,
    /// The registration centre of AIDC-1, when this node is one.
    office: Option<Arc<Office>>,
    /// This member as an evaluator, where the ledger has AIDC-1.
    evaluators: Option<Mutex<Evaluators>>,
    /// The paper's tables, as this node last did them again.
    glance: Glance,
    /// Tells streams that the node stops.
    stop: watch::Receiver<bool>,
}

/// A table behind its lock. A panic elsewhere leaves the tables whole: each change is one call.
fn lock<T>(table: &Mutex<T>) -> MutexGuard<'_, T> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What AIDC-1 keeps in the home of a member, and who talks to the ledger for its RC.
fn aidc1(services: &Services, stop: &watch::Receiver<bool>) -> io::Result<Aidc1Parts> {
    if !services.genesis.suites().contains(&SuiteId::AIDC_1) {
        return Ok((None, None));
    }
    let home = &services.config.home;
    let evaluators = Evaluators::open(home).map_err(io::Error::other)?;
    if services.me.role != Role::Rc {
        return Ok((None, Some(evaluators)));
    }
    let mut rng =
        patient::dice::seeded().map_err(|failure| io::Error::other(failure.code().title()))?;
    let office = Arc::new(Office::open(home, &mut rng).map_err(io::Error::other)?);
    let rule = SetRule {
        size: services.config.registration_set.get(),
        wait_ms: services.config.registration_wait_hours.millis(),
    };
    let work = registrar::run(Arc::clone(&office), services.clone(), rule, stop.clone());
    tokio::spawn(work);
    Ok((Some(office), Some(evaluators)))
}

/// The RC and the evaluator of a home.
type Aidc1Parts = (Option<Arc<Office>>, Option<Evaluators>);

impl App {
    /// Opens the files that the listeners keep in the node's home.
    pub(super) fn open(services: Services, stop: watch::Receiver<bool>) -> io::Result<Self> {
        let home = services.config.home.clone();
        let chain = *services.ledger.genesis().chain();
        let centre = Centre::open(&services)?;
        let (office, evaluators) = aidc1(&services, &stop)?;
        let limbasiya = Limbasiya::open(&services, &stop)?;
        Ok(Self(Arc::new(Inner {
            tokens: Tokens::of(&home),
            cookies: Mutex::default(),
            trail: Trail::open(&home, chain)?,
            refusals: Refusals::open(&home)?,
            limits: Mutex::default(),
            gate: Mutex::default(),
            handshakes: Mutex::default(),
            identified: Identified::of(&home),
            streams: Arc::new(Semaphore::new(EVENT_STREAMS)),
            sessions: Mutex::default(),
            registrations: Mutex::default(),
            centre: centre.map(Mutex::new),
            limbasiya,
            office,
            evaluators: evaluators.map(Mutex::new),
            glance: Glance::default(),
            stop,
            services,
        })))
    }

    /// The node's parts.
    pub(crate) fn services(&self) -> &Services {
        &self.0.services
    }

    /// The ledger's founding file.
    pub(crate) fn genesis(&self) -> &Genesis {
        self.0.services.ledger.genesis()
    }

    /// What the members are called.
    pub(crate) fn names(&self) -> Names<'_> {
        Names::now(self.genesis(), self.0.services.ledger.state())
    }

    /// Wall time in milliseconds.
    pub(crate) fn now_ms(&self) -> u64 {
        self.0.services.clock.wall_ms()
    }

    /// Readers' tokens.
    pub(crate) fn tokens(&self) -> &Tokens {
        &self.0.tokens
    }

    /// Signed-in browsers.
    pub(crate) fn cookies(&self) -> MutexGuard<'_, Cookies> {
        lock(&self.0.cookies)
    }

    /// Who looked at whom.
    pub(crate) fn trail(&self) -> &Trail {
        &self.0.trail
    }

    /// Why somebody was refused.
    pub(crate) fn refusals(&self) -> &Refusals {
        &self.0.refusals
    }

    /// Sign-ins on their way.
    pub(crate) fn sessions(&self) -> MutexGuard<'_, Pending<SessionId>> {
        lock(&self.0.sessions)
    }

    /// Registrations on their way.
    pub(crate) fn registrations(&self) -> MutexGuard<'_, Pending<TransactionHash>> {
        lock(&self.0.registrations)
    }

    /// The registration centre, when this node is one.
    pub(crate) fn centre(&self) -> Option<MutexGuard<'_, Centre>> {
        self.0.centre.as_ref().map(lock)
    }

    /// What this member keeps of the second paper's suite, where the ledger has it.
    pub(crate) fn limbasiya(&self) -> Option<Arc<Limbasiya>> {
        self.0.limbasiya.clone()
    }

    /// The registration centre of AIDC-1, when this node is one.
    pub(crate) fn office(&self) -> Option<&Office> {
        self.0.office.as_deref()
    }

    /// This member as an evaluator, where the ledger has AIDC-1.
    pub(crate) fn evaluators(&self) -> Option<MutexGuard<'_, Evaluators>> {
        self.0.evaluators.as_ref().map(lock)
    }

    /// The paper's tables.
    pub(crate) fn glance(&self) -> &Glance {
        &self.0.glance
    }

    /// Tells when the node stops.
    pub(crate) fn stop(&self) -> watch::Receiver<bool> {
        self.0.stop.clone()
    }

    /// First messages of AIDC-1.
    pub(crate) fn gate(&self) -> MutexGuard<'_, Gate> {
        lock(&self.0.gate)
    }

    /// Sign-ins of AIDC-1 under way.
    pub(crate) fn handshakes(&self) -> MutexGuard<'_, Handshakes<Conclusion>> {
        lock(&self.0.handshakes)
    }

    /// Who said here who she is.
    pub(crate) fn identified(&self) -> &Identified {
        &self.0.identified
    }

    /// Room for one more handshake of this source, or when to come back. Nothing of the request is read before this.
    pub(crate) fn admit_handshake(&self, peer: SocketAddr) -> Result<Room, Problem> {
        let elapsed = self.0.services.clock.elapsed().as_millis();
        let now = Timestamp::from_millis(u64::try_from(elapsed).unwrap_or(u64::MAX));
        let admitted = lock(&self.0.limits).enter(Source::of(peer.ip()), now);
        match admitted {
            Ok(permit) => Ok(Room {
                app: self.clone(),
                permit: Some(permit),
            }),
            Err(busy) => Err(Problem::busy(
                Code::Overloaded,
                busy.to_string(),
                busy.retry_after_s,
            )),
        }
    }

    /// Room for one more stream of events.
    pub(crate) fn admit_stream(&self) -> Result<OwnedSemaphorePermit, Problem> {
        let room = Arc::clone(&self.0.streams).try_acquire_owned();
        room.map_err(|_full| {
            Problem::busy(
                Code::Overloaded,
                "too many streams of events are open; try again in 10 s",
                10,
            )
        })
    }
}

/// Room for one handshake; given back when it goes out of scope.
#[derive(Debug)]
pub(crate) struct Room {
    app: App,
    permit: Option<Permit>,
}

impl Drop for Room {
    fn drop(&mut self) {
        if let Some(permit) = self.permit.take() {
            lock(&self.app.0.limits).leave(permit);
        }
    }
}
