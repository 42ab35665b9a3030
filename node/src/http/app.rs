//! What the handlers share: the node's parts, and the tables that only the listeners keep.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use contract::{
    Genesis,
    identity::{SessionId, TransactionHash},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::{
    limits::{EVENT_STREAMS, HANDSHAKES},
    problem::Problem,
    rate::{Source, Sources},
};
use crate::{
    access::{Cookies, Tokens, Trail},
    refusals::Refusals,
    registration::Centre,
    services::Services,
    sessions::Pending,
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
    /// Who asks how often.
    sources: Mutex<Sources>,
    /// Room for handshakes.
    handshakes: Arc<Semaphore>,
    /// Room for streams of events.
    streams: Arc<Semaphore>,
    /// Sign-ins on their way to the ledger.
    sessions: Mutex<Pending<SessionId>>,
    /// Registrations on their way to the ledger.
    registrations: Mutex<Pending<TransactionHash>>,
    /// The registration centre, when this node is one.
    centre: Option<Mutex<Centre>>,
    /// Tells streams that the node stops.
    stop: watch::Receiver<bool>,
}

/// A table behind its lock. A panic elsewhere leaves the tables whole: each change is one call.
fn lock<T>(table: &Mutex<T>) -> MutexGuard<'_, T> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

impl App {
    /// Opens the files that the listeners keep in the node's home.
    pub(super) fn open(services: Services, stop: watch::Receiver<bool>) -> io::Result<Self> {
        let home = services.config.home.clone();
        let chain = *services.ledger.genesis().chain();
        let centre = Centre::open(&services)?;
        Ok(Self(Arc::new(Inner {
            tokens: Tokens::of(&home),
            cookies: Mutex::default(),
            trail: Trail::open(&home, chain)?,
            refusals: Refusals::open(&home)?,
            sources: Mutex::default(),
            handshakes: Arc::new(Semaphore::new(HANDSHAKES)),
            streams: Arc::new(Semaphore::new(EVENT_STREAMS)),
            sessions: Mutex::default(),
            registrations: Mutex::default(),
            centre: centre.map(Mutex::new),
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

    /// Tells when the node stops.
    pub(crate) fn stop(&self) -> watch::Receiver<bool> {
        self.0.stop.clone()
    }

    /// Room for one more handshake of this source, or when to come back. Nothing of the request is read before this.
    pub(crate) fn admit_handshake(
        &self,
        peer: SocketAddr,
    ) -> Result<OwnedSemaphorePermit, Problem> {
        let busy = |after| {
            Problem::busy(
                Code::Overloaded,
                format!("too many sign-ins at once; try again in {after} s"),
                after,
            )
        };
        let elapsed =
            u64::try_from(self.0.services.clock.elapsed().as_millis()).unwrap_or(u64::MAX);
        lock(&self.0.sources)
            .admit(Source::of(peer.ip()), elapsed)
            .map_err(busy)?;
        Arc::clone(&self.0.handshakes)
            .try_acquire_owned()
            .map_err(|_full| busy(1))
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
