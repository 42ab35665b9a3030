//! Sign-in: one entrance for the suites that this version runs.
//!
//! The order is the protocol's (`docs/aidc1.md`, "What the server does"): limits before anything is read, then length and
//! suite, then a ledger as new as the terminal's, then the suite.

mod aidc1;
mod wu;

use std::net::SocketAddr;

use axum::{
    body::Body,
    extract::{ConnectInfo, State},
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use contract::{Author, BlockTime, Call, LegacyResult, SignedTransaction, SuiteId, Transaction};
use patient::code::Code;
use protocol::{Accepted, Reason};

use super::{
    app::App,
    behind::abreast,
    input,
    limits::{MESSAGE_BYTES, VALID_FOR_MS},
    problem::Problem,
    submit,
};
use crate::{limbasiya::PREFIX, metrics::Attempt};

pub(super) use aidc1::Conclusion;

/// `POST /v1/sign-in/hello`: a suite's first message in, its answer out.
pub(super) async fn hello(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let room = app.admit_handshake(peer)?;
    let suite = runs(&app, input::suite(&headers)?)?;
    let bytes = input::octets(&headers, body, MESSAGE_BYTES).await?;
    abreast(&app, &headers).await?;
    let answer = match suite {
        Runs::Aidc1 => aidc1::hello(&app, bytes).await,
        Runs::Wu2021 => wu::hello(&app, bytes).await,
        Runs::Limbasiya2020 => Err(elsewhere()),
    };
    drop(room);
    answer
}

/// `POST /v1/sign-in/confirm`: the third message, for suites that have one.
pub(super) async fn confirm(
    State(app): State<App>,
    address: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let suite = input::suite(&headers)?;
    match runs(&app, suite)? {
        Runs::Aidc1 => aidc1::confirm(&app, &address, &headers, body).await,
        Runs::Limbasiya2020 => Err(elsewhere()),
        Runs::Wu2021 => Err(Problem::new(
            StatusCode::CONFLICT,
            Code::Usage,
            format!(
                "suite {suite} has no third message: the answer to the first one ends the sign-in"
            ),
        )),
    }
}

/// The suites that this version runs.
#[derive(Clone, Copy, Debug)]
pub(super) enum Runs {
    /// The default.
    Aidc1,
    /// The first paper's.
    Wu2021,
    /// The second paper's, at addresses of its own.
    Limbasiya2020,
}

/// The second paper's program has its own addresses.
fn elsewhere() -> Problem {
    Problem::new(
        StatusCode::CONFLICT,
        Code::Usage,
        format!("under this suite a patient signs in at {PREFIX}/authenticate"),
    )
}

/// A suite that this ledger offers and this version runs.
pub(super) fn runs(app: &App, suite: SuiteId) -> Result<Runs, Problem> {
    offered(app, suite)?;
    match suite {
        SuiteId::AIDC_1 => Ok(Runs::Aidc1),
        SuiteId::WU_2021 => Ok(Runs::Wu2021),
        SuiteId::LIMBASIYA_2020 => Ok(Runs::Limbasiya2020),
        _ => Err(Problem::new(
            StatusCode::NOT_IMPLEMENTED,
            Code::SuiteNotBuilt,
            Code::SuiteNotBuilt.title(),
        )),
    }
}

/// Refuses a suite that this ledger does not have.
pub(super) fn offered(app: &App, suite: SuiteId) -> Result<(), Problem> {
    if app.genesis().suites().contains(&suite) {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::FORBIDDEN,
        Code::SuiteNotOffered,
        format!("this ledger does not offer suite {suite}"),
    ))
}

/// A message of a suite, as it leaves.
pub(super) fn octets(bytes: Vec<u8>) -> Response {
    let head = [
        (header::CONTENT_TYPE, "application/octet-stream"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (head, bytes).into_response()
}

/// The one text for the patient, the reason for the operator. Only a wrong clock is told, because it helps and betrays nothing.
pub(super) fn refusal(app: &App, reason: Reason) -> Problem {
    let (code, label) = match reason {
        Reason::Expired => {
            count(app, "refused", "clock");
            let support = app.refusals().note(
                app.now_ms(),
                "sign-in",
                Code::ClockSkew,
                &reason.to_string(),
            );
            return Problem::refused(StatusCode::FORBIDDEN, Code::ClockSkew, support);
        }
        Reason::Full => {
            count(app, "refused", "busy");
            return Problem::busy(Code::Overloaded, reason.to_string(), 120);
        }
        Reason::Behind => {
            count(app, "refused", "behind");
            return Problem::busy(Code::NodeBehind, reason.to_string(), 2);
        }
        Reason::UnknownAid => (Code::UnknownAid, "unknown"),
        Reason::NotReproduced | Reason::Locked => (Code::CaptureMismatch, "capture"),
        Reason::NotOnCurve | Reason::Reserved => (Code::RequestMalformed, "malformed"),
        Reason::Mismatch | Reason::Replayed | Reason::WrongEpoch | Reason::NotProved => {
            (Code::AuthenticatorMismatch, "authenticator")
        }
    };
    refuse(app, code, label, &reason.to_string())
}

/// The neutral refusal.
pub(super) fn refuse(app: &App, code: Code, label: &'static str, check: &str) -> Problem {
    count(app, "refused", label);
    let support = app.refusals().note(app.now_ms(), "sign-in", code, check);
    Problem::refused(StatusCode::FORBIDDEN, Code::SignInRefused, support)
}

/// One more sign-in of that kind.
fn count(app: &App, result: &'static str, reason: &'static str) {
    app.services()
        .metrics
        .auth_attempts
        .get_or_create(&Attempt { result, reason })
        .inc();
}

/// A transaction of this member, valid for a minute.
pub(super) fn sign(app: &App, call: Call) -> Result<SignedTransaction, Problem> {
    let services = app.services();
    let mut salt = [0; 8];
    getrandom::fill(&mut salt).map_err(|_error| Problem::bug())?;
    let author = Author::Member(services.server_id());
    let valid_until = BlockTime::new(app.now_ms()).plus_ms(VALID_FOR_MS);
    let transaction = Transaction::new(*app.genesis().chain(), author, valid_until, salt, call);
    Ok(transaction.sign(services.keys.member()))
}

/// Submits the server's own result, as the papers' suites do right after their answer.
pub(super) async fn record(
    app: &App,
    suite: SuiteId,
    accepted: &Accepted<()>,
) -> Result<(), Problem> {
    let result = LegacyResult {
        suite,
        server_id: app.services().server_id(),
        aid: accepted.aid,
        t1: BlockTime::new(accepted.started.as_millis()),
        t3: BlockTime::new(accepted.answered.as_millis()),
        sid: accepted.session,
    };
    let transaction = sign(app, Call::LegacyResults(vec![result]))?;
    let full = |_full| {
        Problem::busy(
            Code::Overloaded,
            "too many sign-ins wait for the ledger; try again in 5 s",
            5,
        )
    };
    app.sessions()
        .insert(accepted.session, app.now_ms())
        .map_err(full)?;
    // The ticket is not awaited here: the patient asks for her receipt at /v1/sessions.
    drop(submit::submit(app, transaction.as_bytes()).await?);
    count(app, "ok", "none");
    Ok(())
}
