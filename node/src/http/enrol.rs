//! The Registration Centre of AIDC-1: applications and acceptances (`docs/aidc1-enrolment.md` §10).

use std::net::SocketAddr;

use axum::{
    body::Body,
    extract::{ConnectInfo, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use contract::BlockTime;
use patient::code::Code;
use protocol::{
    Message as _,
    aidc1::{
        application::{ACCEPTANCE_BYTES_MAX, Acceptance, Application},
        limits::Source,
        offer::Taken,
    },
};
use zeroize::Zeroizing;

use super::{
    app::App, authenticate::octets, input, limits::APPLICATION_BYTES, problem::Problem, reads,
};
use crate::{
    centre::{
        CentreError, NotAccepted, NotOffered, Office, Request,
        dealing::{CannotDeal, Dealer},
    },
    metrics,
};

/// `POST /v1/enrol/apply`: application in, offer out.
pub(super) async fn apply(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let room = app.admit_handshake(peer)?;
    office(&app)?;
    let bytes = input::octets(&headers, body, APPLICATION_BYTES).await?;
    let application = Application::parse(&bytes)
        .map_err(|malformed| Problem::bad(Code::RequestMalformed, malformed.to_string()))?;
    drop(bytes);
    let node = app.clone();
    let source = Source::of(peer.ip());
    let offered = tokio::task::spawn_blocking(move || offer(&node, &application, source));
    let offer = offered.await.map_err(|_panicked| Problem::bug())??;
    drop(room);
    Ok(octets(offer.to_vec()))
}

/// `POST /v1/enrol/accept`: acceptance in, what becomes of it out.
pub(super) async fn accept(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let room = app.admit_handshake(peer)?;
    office(&app)?;
    let bytes = input::octets(&headers, body, ACCEPTANCE_BYTES_MAX).await?;
    let node = app.clone();
    let taken = tokio::task::spawn_blocking(move || {
        let acceptance = Acceptance::parse(&bytes)
            .map_err(|malformed| Problem::bad(Code::RequestMalformed, malformed.to_string()))?;
        take(&node, &acceptance)
    });
    let taken = taken.await.map_err(|_panicked| Problem::bug())??;
    drop(room);
    Ok(octets(taken.encode()))
}

/// The RC, if this is its node and the ledger has the suite.
fn office(app: &App) -> Result<&Office, Problem> {
    app.office().ok_or_else(|| {
        Problem::new(
            StatusCode::FORBIDDEN,
            Code::NotTheCentre,
            "this node is not the registration centre of a ledger with suite 0x0001",
        )
    })
}

fn offer(
    app: &App,
    application: &Application,
    source: Source,
) -> Result<Zeroizing<Vec<u8>>, Problem> {
    let services = app.services();
    let state = services.ledger.state();
    let term = std::sync::Arc::clone(&services.term.borrow());
    let now_ms = app.now_ms();
    let chain = *app.genesis().chain();
    let dealer = Dealer::of(&term, chain, &state, BlockTime::new(now_ms)).map_err(no_deal)?;
    let request = Request {
        ledger: &state,
        dealer: &dealer,
        rc: services.keys.member(),
        chain: &chain,
        enrolling: services.config.enrolment,
        source,
        now_ms,
    };
    let mut rng = patient::dice::seeded().map_err(|_failure| Problem::bug())?;
    let offer = office(app)?.centre().apply(application, &request, &mut rng);
    match offer {
        Ok(offer) => Ok(offer.encode()),
        Err(NotOffered::Refused(check)) => Err(refused(app, check)),
        Err(NotOffered::NeedsDesk) => Err(Problem::new(
            StatusCode::FORBIDDEN,
            Code::DeskCodeNeeded,
            Code::DeskCodeNeeded.title(),
        )),
        Err(why @ NotOffered::OnItsWay) => Err(Problem::busy(
            Code::RegistrationPending,
            why.to_string(),
            60,
        )),
        Err(why @ NotOffered::NoRoom) => Err(Problem::busy(Code::Overloaded, why.to_string(), 60)),
        Err(NotOffered::Deal(cause)) => Err(no_deal(cause)),
        Err(NotOffered::State(cause)) => Err(reads::broken(&cause)),
        Err(NotOffered::Centre(cause)) => Err(unkept(&cause)),
    }
}

fn take(app: &App, acceptance: &Acceptance) -> Result<Taken, Problem> {
    let state = app.services().ledger.state();
    let chain = app.genesis().chain();
    let set = app.services().config.registration_set.get();
    let mut rng = patient::dice::seeded().map_err(|_failure| Problem::bug())?;
    let office = office(app)?;
    let taken = office
        .centre()
        .accept(acceptance, (&state, chain), (set, app.now_ms()), &mut rng);
    match taken {
        Ok(taken) => {
            office.wake();
            count(app, "ok");
            Ok(taken)
        }
        Err(NotAccepted::Refused(check)) => Err(refused(app, check)),
        Err(NotAccepted::NoOffer) => Err(Problem::not_found(
            Code::EnrolmentLapsed,
            "no offer waits under this ticket",
        )),
        Err(why @ (NotAccepted::Registration(_) | NotAccepted::Consent(_))) => {
            count(app, "refused");
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            Err(Problem::new(
                status,
                Code::RegistrationsFalse,
                why.to_string(),
            ))
        }
        Err(NotAccepted::State(cause)) => Err(reads::broken(&cause)),
        Err(NotAccepted::Centre(cause)) => Err(unkept(&cause)),
    }
}

/// The one text for everybody who is not enrolled, so that nobody learns from it who is.
fn refused(app: &App, check: &str) -> Problem {
    count(app, "refused");
    let code = Code::CannotEnrol;
    let support = app.refusals().note(app.now_ms(), "enrol", code, check);
    Problem::refused(StatusCode::CONFLICT, code, support)
}

fn no_deal(cause: CannotDeal) -> Problem {
    match cause {
        CannotDeal::State(cause) => reads::broken(&cause),
        CannotDeal::NoKey(_) | CannotDeal::Members(_) => {
            Problem::busy(Code::NodeNotReady, cause.to_string(), 5)
        }
    }
}

/// The disk fails: the client hears that, the log hears why.
pub(super) fn unkept(cause: &CentreError) -> Problem {
    tracing::error!(event = "centre_failed", %cause, "nobody can be enrolled");
    Problem::busy(
        Code::NodeNotReady,
        "the registration centre cannot write its tables; its operator sees why in the log",
        30,
    )
}

/// One more enrolment of that kind.
fn count(app: &App, result: &'static str) {
    app.services()
        .metrics
        .registrations
        .get_or_create(&metrics::Outcome { result })
        .inc();
}
