//! Registration at the centre, and the questions a patient may ask about what is on its way.

use std::net::SocketAddr;

use axum::{
    Json,
    body::Body,
    extract::{ConnectInfo, Path, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use contract::{Author, Blob, Call, Outcome, SessionId, TransactionHash, WuRecord};
use patient::code::Code;
use protocol::{
    Message as _,
    wu::{Enrolment, Me1},
};
use serde_json::json;

use super::{
    app::App,
    authenticate::{self, Runs},
    input::{self, Query},
    limits::{MESSAGE_BYTES, WAIT},
    problem::Problem,
    reads::{self, Snapshot},
    submit,
};
use crate::{mempool::Committed, metrics, registration::CannotEnrol};

/// Names the registration's transaction in the answer.
const TRANSACTION: HeaderName = HeaderName::from_static("aidchain-transaction");
/// Names the block it is certified in, when it is.
const HEIGHT: HeaderName = HeaderName::from_static("aidchain-height");

/// `POST /v1/register`: Me1 in, Me3 out.
pub(super) async fn register(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let room = app.admit_handshake(peer)?;
    if app.centre().is_none() {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            Code::NotTheCentre,
            "this node is not the registration centre",
        ));
    }
    if !matches!(
        authenticate::runs(&app, input::suite(&headers)?)?,
        Runs::Wu2021
    ) {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            Code::Usage,
            "this address is for suite wu-2021: under aidc-1 a patient enrols at /v1/enrol/apply, under limbasiya-2020 \
             at /v1/legacy/limbasiya/register_user",
        ));
    }
    let bytes = input::octets(&headers, body, MESSAGE_BYTES).await?;
    let request = Me1::parse(&bytes)
        .map_err(|malformed| Problem::bad(Code::RequestMalformed, malformed.to_string()))?;
    let node = app.clone();
    let enrolled = tokio::task::spawn_blocking(move || enrol(&node, &request));
    let enrolment = enrolled.await.map_err(|_panicked| Problem::bug())??;
    let answer = upload(&app, enrolment).await;
    drop(room);
    answer
}

/// Asks the table, then writes the row; not on a thread that serves others, because it waits for the disk.
fn enrol(app: &App, request: &Me1) -> Result<Enrolment, Problem> {
    let mut rng = patient::dice::seeded().map_err(|_error| Problem::bug())?;
    let snapshot = Snapshot::of(app);
    let Some(mut centre) = app.centre() else {
        return Err(Problem::bug());
    };
    let on_ledger = |aid: &contract::Aid| snapshot.identity(aid).is_some();
    match centre.enrol(request, on_ledger, app.now_ms(), &mut rng) {
        Ok(enrolment) => Ok(enrolment),
        Err(CannotEnrol::Duplicate) => Err(refused(
            app,
            Code::IdentityEnrolled,
            &CannotEnrol::Duplicate.to_string(),
        )),
        Err(CannotEnrol::Disk(error)) => {
            tracing::error!(event = "mapping_not_written", %error, "nobody can be enrolled");
            Err(Problem::busy(
                Code::NodeNotReady,
                "the registration centre cannot write its table; its operator sees why in the log",
                30,
            ))
        }
    }
}

/// The one text for every refusal, so that nobody learns from it who is enrolled.
fn refused(app: &App, code: Code, check: &str) -> Problem {
    count(app, "refused");
    let support = app.refusals().note(app.now_ms(), "register", code, check);
    Problem::refused(StatusCode::CONFLICT, Code::CannotEnrol, support)
}

/// One more registration of that kind.
pub(super) fn count(app: &App, result: &'static str) {
    app.services()
        .metrics
        .registrations
        .get_or_create(&metrics::Outcome { result })
        .inc();
}

/// The paper's upload: (ID, AID) onto the ledger; the answer goes out with it or shortly before.
async fn upload(app: &App, enrolment: Enrolment) -> Result<Response, Problem> {
    let record = WuRecord {
        aid: enrolment.mapping.aid,
        id: Blob::new(enrolment.mapping.id.expose().as_bytes().to_vec()),
    };
    let answer = authenticate::octets(enrolment.answer.encode());
    enter(app, Call::WuRegister(record), answer, refused).await
}

/// Puts a registration onto the ledger, and names it in the answer.
pub(super) async fn enter(
    app: &App,
    call: Call,
    answer: Response,
    refused: fn(&App, Code, &str) -> Problem,
) -> Result<Response, Problem> {
    let transaction = authenticate::sign(app, call)?;
    let hash = *transaction.hash();
    let full = |_full| {
        Problem::busy(
            Code::Overloaded,
            "too many registrations wait for the ledger; try again in 30 s",
            30,
        )
    };
    app.registrations()
        .insert(hash, app.now_ms())
        .map_err(full)?;
    let ticket = submit::submit(app, transaction.as_bytes()).await?;
    let committed = submit::settle(ticket, WAIT).await?;
    if let Some(committed) = &committed
        && let Outcome::Refused(why) = &committed.outcome
    {
        return Err(refused(app, Code::ContractRefused, &why.to_string()));
    }
    count(app, "ok");
    named(answer, &hash, committed.as_ref())
}

/// An answer to a registration, which names its transaction, and its block when there is one.
fn named(
    mut answer: Response,
    hash: &TransactionHash,
    committed: Option<&Committed>,
) -> Result<Response, Problem> {
    let head = answer.headers_mut();
    head.insert(
        TRANSACTION,
        HeaderValue::from_str(&hash.to_string()).map_err(|_error| Problem::bug())?,
    );
    if let Some(committed) = committed {
        head.insert(HEIGHT, HeaderValue::from(committed.height.get()));
    }
    Ok(answer)
}

/// `GET /v1/registrations/{hash}`: is it on the ledger, and its receipt.
pub(super) async fn registration(
    State(app): State<App>,
    Path(hash): Path<String>,
    address: Uri,
) -> Result<Response, Problem> {
    let hash: TransactionHash = hash.parse().map_err(|error: contract::identity::IdError| {
        Problem::bad(Code::NotAHash, error.to_string())
    })?;
    let wait = Query::read(&address, &["wait_ms"])?.wait()?;
    let pending = app.registrations().contains(&hash, app.now_ms());
    let wait = if pending {
        wait
    } else {
        std::time::Duration::ZERO
    };
    match reads::within(&app, wait, |app| receipt(app, &hash)).await? {
        Some(found) => Ok(found),
        None if pending => Ok(still_pending()),
        None => Err(Problem::not_found(
            Code::NoSuchTransaction,
            "no registration with this hash is on the ledger or on its way",
        )),
    }
}

/// `GET /v1/sessions/{sid}`: is the sign-in on the ledger, and its receipt.
pub(super) async fn session(
    State(app): State<App>,
    Path(sid): Path<String>,
    address: Uri,
) -> Result<Response, Problem> {
    let sid: SessionId = sid.parse().map_err(|error: contract::identity::IdError| {
        Problem::bad(Code::NotAHash, error.to_string())
    })?;
    let wait = Query::read(&address, &["wait_ms"])?.wait()?;
    let services = app.services();
    let pending = app.sessions().contains(&sid, app.now_ms()) || services.outbox.holds(&sid);
    // Another member may have recorded the same number: only this one's own sign-ins are told here.
    let own = services.server_id();
    let wait = if pending {
        wait
    } else {
        std::time::Duration::ZERO
    };
    let found = reads::within(&app, wait, |app| {
        let row = app
            .services()
            .ledger
            .session(&sid, Some(&own))
            .map_err(|error| reads::broken(&error))?;
        row.map_or(Ok(None), |row| {
            committed(app, &row.transaction, row.entry.into())
        })
    });
    match found.await? {
        Some(found) => Ok(found),
        None if pending => Ok(still_pending()),
        None => Err(Problem::not_found(
            Code::NoSuchSession,
            "no sign-in with this session number is on the ledger or on its way",
        )),
    }
}

/// The answer while the ledger has not decided.
fn still_pending() -> Response {
    (
        StatusCode::ACCEPTED,
        Json(json!({ "schema": "aidchain.session/1", "status": "pending" })),
    )
        .into_response()
}

/// The receipt of what happened to a patient's AID, or of her claim; of nothing else, since this
/// listener is for patients.
fn receipt(app: &App, hash: &TransactionHash) -> Result<Option<Response>, Problem> {
    let Some(located) = reads::transaction(app, hash)? else {
        return Ok(None);
    };
    let signed = contract::SignedTransaction::decode(located.bytes)
        .map_err(|error| reads::broken(&error))?;
    match signed.call() {
        Call::Register(_)
        | Call::WuRegister(_)
        | Call::LimbasiyaServer(_)
        | Call::LimbasiyaUser(_)
        | Call::RegisterBatch(_)
        | Call::Replace(_)
        | Call::Recovery(_)
        | Call::Claim(_) => committed(app, hash, 0),
        Call::Revoke(_) if matches!(signed.author(), Author::Patient(_)) => committed(app, hash, 0),
        Call::Revoke(_)
        | Call::Shred(_)
        | Call::Results(_)
        | Call::LateResults(_)
        | Call::ServerClaims(_)
        | Call::Disclosure(_)
        | Call::LegacyResults(_)
        | Call::SetServer(_)
        | Call::ProposeChange(_)
        | Call::ApproveChange(_)
        | Call::CancelChange(_)
        | Call::Ready { .. }
        | Call::Rejoin { .. }
        | Call::Evidence(_) => Ok(None),
    }
}

/// A transaction's place and receipt; of a bundle of results that of the one at `entry`.
fn committed(app: &App, hash: &TransactionHash, entry: u32) -> Result<Option<Response>, Problem> {
    let Some(receipt) = app
        .services()
        .ledger
        .receipt(hash, entry)
        .map_err(|error| reads::broken(&error))?
    else {
        return Ok(None);
    };
    let (height, index) = (receipt.certificate.height, receipt.index);
    let document = json!({
        "schema": "aidchain.session/1", "status": "committed", "height": height, "index": index, "receipt": receipt,
    });
    Ok(Some(Json(document).into_response()))
}
