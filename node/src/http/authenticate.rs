//! Sign-in: a patient's first message, the server's answer, and the result on its way to the ledger.
//!
//! The order is the protocol's (§4.4): limits before anything is read, then length and suite, then time, then the ledger.

use std::net::SocketAddr;

use axum::{
    body::Body,
    extract::{ConnectInfo, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use contract::{
    Author, BlockTime, Call, Height, LegacyResult, SignedTransaction, SuiteId, Transaction,
};
use patient::code::Code;
use protocol::{
    Accepted, Answered, Directory, Message as _, Reason, Suite, Timestamp,
    wu::{Me5, PatientId, Wu2021},
};

use super::{
    app::App,
    input,
    limits::{MESSAGE_BYTES, VALID_FOR_MS},
    problem::Problem,
    reads::Snapshot,
};
use crate::metrics::{Attempt, Step};

/// `POST /v1/sign-in/hello`: Me5 in, Me7 out.
pub(super) async fn hello(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let room = app.admit_handshake(peer)?;
    let suite = input::suite(&headers)?;
    runnable(&app, suite)?;
    let bytes = input::octets(&headers, body, MESSAGE_BYTES).await?;
    // Rep and two multiplications: a few hundred microseconds that would hold up every other connection here.
    let node = app.clone();
    let answered = tokio::task::spawn_blocking(move || answer(&node, &bytes));
    let (reply, accepted) = answered.await.map_err(|_panicked| Problem::bug())??;
    record(&app, &accepted).await?;
    drop(room);
    Ok(octets(reply))
}

/// `POST /v1/sign-in/confirm`: for suites with a third message, of which this version runs none.
pub(super) async fn confirm(headers: HeaderMap) -> Problem {
    match input::suite(&headers) {
        Err(problem) => problem,
        Ok(suite) => Problem::new(
            StatusCode::CONFLICT,
            Code::Usage,
            format!(
                "suite {suite} has no third message: the answer to the first one ends the sign-in"
            ),
        ),
    }
}

/// A suite that this ledger offers and this version runs.
pub(super) fn runnable(app: &App, suite: SuiteId) -> Result<(), Problem> {
    if !app.genesis().suites().contains(&suite) {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            Code::SuiteNotOffered,
            format!("this ledger does not offer suite {suite}"),
        ));
    }
    if suite != SuiteId::WU_2021 {
        return Err(Problem::new(
            StatusCode::NOT_IMPLEMENTED,
            Code::SuiteNotBuilt,
            Code::SuiteNotBuilt.title(),
        ));
    }
    Ok(())
}

/// A message of a suite, as it leaves.
pub(super) fn octets(bytes: Vec<u8>) -> Response {
    let head = [
        (header::CONTENT_TYPE, "application/octet-stream"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (head, bytes).into_response()
}

/// Reads Me5, asks the certified ledger, answers.
fn answer(app: &App, bytes: &[u8]) -> Result<(Vec<u8>, Accepted<()>), Problem> {
    let watch = app.services().clock.elapsed();
    let hello = Me5::parse(bytes).map_err(|malformed| {
        refuse(
            app,
            Code::RequestMalformed,
            "malformed",
            &malformed.to_string(),
        )
    })?;
    let now = Timestamp::from_millis(app.now_ms());
    let directory = Snapshot::of(app);
    let mut rng = patient::dice::seeded().map_err(|_error| Problem::bug())?;
    let answered = Wu2021::answer(&(), &directory, &hello, now, &mut rng);
    let spent = app.services().clock.elapsed().saturating_sub(watch);
    app.services()
        .metrics
        .auth_duration
        .get_or_create(&Step { step: "answer" })
        .observe(spent.as_secs_f64());
    match answered {
        Ok(opened) => match opened.state {
            Answered::Accepted(accepted) => Ok((opened.message.encode(), accepted)),
            Answered::AwaitConfirm(never) => match never {},
        },
        Err(failed) => Err(refusal(app, failed.reason())),
    }
}

/// The one text for the patient, the reason for the operator. Only a wrong clock is told, because it helps and betrays nothing.
fn refusal(app: &App, reason: Reason) -> Problem {
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
        Reason::UnknownAid => (Code::UnknownAid, "unknown"),
        Reason::NotReproduced | Reason::Locked => (Code::CaptureMismatch, "capture"),
        Reason::NotOnCurve => (Code::RequestMalformed, "malformed"),
        Reason::Mismatch => (Code::AuthenticatorMismatch, "authenticator"),
    };
    refuse(app, code, label, &reason.to_string())
}

/// The neutral refusal.
fn refuse(app: &App, code: Code, label: &'static str, check: &str) -> Problem {
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

/// Submits the server's own result, as the suite of the paper does right after Me7.
async fn record(app: &App, accepted: &Accepted<()>) -> Result<(), Problem> {
    let result = LegacyResult {
        suite: SuiteId::WU_2021,
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
    drop(super::submit::submit(app, transaction.as_bytes()).await?);
    count(app, "ok", "none");
    Ok(())
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

/// Certified reads as the suite asks for them.
impl Directory<PatientId> for Snapshot {
    fn resolve(&self, aid: &contract::Aid) -> Option<PatientId> {
        let record = self.wu_record(aid)?;
        PatientId::parse(record.id.as_bytes()).ok()
    }

    fn height(&self) -> Height {
        self.at()
    }
}
