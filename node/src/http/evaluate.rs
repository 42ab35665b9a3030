//! This member as an evaluator: deals, evaluations, confirmations (`docs/aidc1-api.md`).

use std::net::SocketAddr;

use axum::{
    body::Body,
    extract::{ConnectInfo, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
};
use contract::Role;
use patient::code::Code;
use protocol::{
    Message as _, Timestamp,
    aidc1::{
        Confirmation, EvaluationRequest,
        deal::BadDeal,
        evaluation::{CONFIRMATION_BYTES, REQUEST_BYTES},
        evaluator::Refused,
        throttle::Throttled,
    },
};

use super::{
    app::App,
    authenticate::octets,
    input::{self, Octets},
    limits::DEAL_BYTES,
    problem::Problem,
};
use crate::{
    evaluators::{ConfirmationLost, Evaluators, NotEvaluated, NotTaken, Place},
    vault::VaultError,
};

/// `POST /v1/deal`: a share of a patient's key.
pub(super) async fn deal(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let room = app.admit_handshake(peer)?;
    let bytes = input::octets(&headers, body, DEAL_BYTES).await?;
    at_work(&app, bytes, take).await?;
    drop(room);
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `POST /v1/evaluate`: one blinded password.
pub(super) async fn evaluate(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let room = app.admit_handshake(peer)?;
    let bytes = input::octets(&headers, body, REQUEST_BYTES).await?;
    let answer = at_work(&app, bytes, answer).await?;
    drop(room);
    Ok(octets(answer))
}

/// `POST /v1/evaluate/confirm`: an evaluation opened the lock.
pub(super) async fn confirm(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let room = app.admit_handshake(peer)?;
    let bytes = input::octets(&headers, body, CONFIRMATION_BYTES).await?;
    at_work(&app, bytes, acknowledge).await?;
    drop(room);
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// On a thread that may wait for the disk.
async fn at_work<T: Send + 'static>(
    app: &App,
    bytes: Octets,
    work: impl FnOnce(&App, &mut Evaluators, &[u8]) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let node = app.clone();
    let done = tokio::task::spawn_blocking(move || {
        let evaluators = node.evaluators();
        let mut evaluators = evaluators.ok_or_else(not_offered)?;
        work(&node, &mut evaluators, &bytes)
    });
    done.await.map_err(|_panicked| Problem::bug())?
}

fn take(app: &App, evaluators: &mut Evaluators, bytes: &[u8]) -> Result<(), Problem> {
    let living = app.services().epochs.living();
    let taken = evaluators.take(bytes, &place(app)?, &living);
    taken.map_err(|why| match &why {
        NotTaken::NoEpoch => Problem::busy(Code::NodeNotReady, why.to_string(), 1),
        NotTaken::Full => Problem::busy(Code::EvaluatorFull, why.to_string(), 3_600),
        NotTaken::HandleTaken => {
            Problem::new(StatusCode::CONFLICT, Code::DealRefused, why.to_string())
        }
        NotTaken::Bad(BadDeal::Malformed(_)) => Problem::bad(Code::DealRefused, why.to_string()),
        NotTaken::Bad(_) => Problem::new(StatusCode::FORBIDDEN, Code::DealRefused, why.to_string()),
        NotTaken::Vault(cause) => broken(cause),
    })
}

fn answer(app: &App, evaluators: &mut Evaluators, bytes: &[u8]) -> Result<Vec<u8>, Problem> {
    let request = EvaluationRequest::parse(bytes)
        .map_err(|malformed| Problem::bad(Code::RequestMalformed, malformed.to_string()))?;
    let now = Timestamp::from_millis(app.now_ms());
    let mut rng = patient::dice::seeded().map_err(|_failure| Problem::bug())?;
    match evaluators.evaluate(&request, &place(app)?, now, &mut rng) {
        Ok(evaluation) => Ok(evaluation.encode()),
        Err(NotEvaluated::Vault(cause)) => Err(broken(&cause)),
        Err(NotEvaluated::Refused(why)) => Err(refusal(app, why)),
    }
}

/// What is told: nothing to strangers, and to the device how long it has to wait.
fn refusal(app: &App, why: Refused) -> Problem {
    let text = why.to_string();
    match why {
        Refused::Throttled(Throttled::Wait { wait_ms }) => {
            Problem::busy(Code::LockThrottled, text, wait_ms.div_ceil(1_000))
                .with_status(StatusCode::TOO_MANY_REQUESTS)
        }
        Refused::Throttled(Throttled::Locked) => {
            Problem::new(StatusCode::FORBIDDEN, Code::LockLocked, text)
        }
        Refused::Throttled(Throttled::Stale) => {
            Problem::new(StatusCode::FORBIDDEN, Code::ClockSkew, text)
        }
        Refused::Unknown | Refused::Element => neutral(app, &text),
    }
}

fn acknowledge(app: &App, evaluators: &mut Evaluators, bytes: &[u8]) -> Result<(), Problem> {
    let confirmation = Confirmation::parse(bytes)
        .map_err(|malformed| Problem::bad(Code::RequestMalformed, malformed.to_string()))?;
    match evaluators.confirm(&confirmation, app.genesis().chain()) {
        Ok(()) => Ok(()),
        Err(ConfirmationLost::Refused(why)) => Err(neutral(app, &why.to_string())),
        Err(ConfirmationLost::Vault(cause)) => Err(broken(&cause)),
    }
}

/// The one text for whoever does not hold the device.
fn neutral(app: &App, check: &str) -> Problem {
    let code = Code::EvaluationRefused;
    let support = app.refusals().note(app.now_ms(), "evaluate", code, check);
    Problem::refused(StatusCode::FORBIDDEN, code, support)
}

/// Who evaluates here, and who deals: the RC of the running epoch.
fn place(app: &App) -> Result<Place, Problem> {
    let term = app.services().term.borrow();
    let mut members = term.members.iter();
    let rc = members.find(|record| record.member.role == Role::Rc);
    let rc = rc
        .map(|record| record.member.key)
        .ok_or_else(Problem::bug)?;
    drop(term);
    Ok(Place {
        chain: *app.genesis().chain(),
        member: app.services().server_id(),
        rc,
    })
}

fn not_offered() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        Code::SuiteNotOffered,
        "this ledger does not offer suite 0x0001",
    )
}

/// The vault fails: the client hears that, the log hears why.
pub(super) fn broken(cause: &VaultError) -> Problem {
    tracing::error!(event = "vault_failed", %cause, "secrets cannot be kept");
    Problem::busy(
        Code::NodeNotReady,
        "this node cannot keep its secrets; its operator sees why in the log",
        30,
    )
}
