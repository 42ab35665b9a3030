//! For whoever runs the node: is it alive, is it ready, what do its numbers say.

use axum::{
    Router,
    extract::State,
    http::{StatusCode, Uri, header},
    response::{IntoResponse as _, Response},
    routing::get,
};
use contract::SuiteId;
use patient::code::Code;
use serde::Serialize;
use serde_json::json;

use super::{app::App, input::Query, problem::Problem};

/// The node is not ready when it is this many blocks behind the others.
const BEHIND_MAX: u64 = 10;

/// One question and its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Check {
    /// What is asked.
    name: &'static str,
    /// Whether it is as it should be.
    ok: bool,
    /// The answer in words.
    detail: String,
}

/// The routes of the operations listener.
pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/livez", get(live))
        .route("/readyz", get(ready))
        .route("/startupz", get(startup))
        .route("/metrics", get(metrics))
}

/// The process answers, and so does the store's reading side.
async fn live(State(app): State<App>) -> Result<&'static str, Problem> {
    let read = app.services().ledger.block(contract::Height::new(0));
    read.map(|_block| "ok\n")
        .map_err(|error| Problem::busy(Code::NodeNotReady, error.to_string(), 5))
}

/// The node has opened its ledger and serves.
async fn startup(State(app): State<App>) -> String {
    format!(
        "started, certified height {}\n",
        app.services().ledger.certified().height
    )
}

/// Everything a sign-in needs.
async fn ready(State(app): State<App>, address: Uri) -> Result<Response, Problem> {
    let verbose = Query::read(&address, &["verbose"])?;
    let checks = checks(&app);
    let failing: Vec<&Check> = checks.iter().filter(|check| !check.ok).collect();
    if let Some(first) = failing.first() {
        let document = json!({
            "schema": "aidchain.problem/1", "type": format!("urn:aidchain:error:{}", Code::NodeNotReady),
            "title": Code::NodeNotReady.title(), "status": 503, "detail": first.detail, "code": Code::NodeNotReady.text(),
            "help": Code::NodeNotReady.help(), "support_code": null, "retryable": true, "checks": failing,
        });
        let head = [
            (header::CONTENT_TYPE, "application/problem+json"),
            (header::RETRY_AFTER, "1"),
        ];
        return Ok((StatusCode::SERVICE_UNAVAILABLE, head, document.to_string()).into_response());
    }
    if verbose.has("verbose") {
        return Ok(axum::Json(
            json!({ "schema": "aidchain.ready/1", "ready": true, "checks": checks }),
        )
        .into_response());
    }
    Ok("ready\n".into_response())
}

/// The checks, each with its answer.
fn checks(app: &App) -> Vec<Check> {
    let status = app.services().status.borrow().clone();
    let certified = app.services().ledger.certified().height.get();
    let behind = status.behind(certified);
    let check = |name, ok, detail| Check { name, ok, detail };
    let (keys, about_keys) = keys(app);
    let read = app
        .services()
        .ledger
        .block(contract::Height::new(certified));
    vec![
        check(
            "read",
            matches!(read, Ok(Some(_))),
            format!(
                "block {certified} {}",
                if matches!(read, Ok(Some(_))) {
                    "was read"
                } else {
                    "cannot be read"
                }
            ),
        ),
        check(
            "quorum",
            status.has_quorum(),
            format!(
                "{} of {} members connected, need {}",
                status.connected(),
                status.members.len(),
                status.quorum
            ),
        ),
        check(
            "lag",
            behind <= BEHIND_MAX,
            format!("{behind} blocks behind the other members"),
        ),
        check(
            "state",
            status.diverged.is_none(),
            status.diverged.unwrap_or_else(|| "as certified".to_owned()),
        ),
        check("keys", keys, about_keys.to_owned()),
    ]
}

/// Whether this member can answer sign-ins of AIDC-1, where the ledger has the suite.
fn keys(app: &App) -> (bool, &'static str) {
    if !app.genesis().suites().contains(&SuiteId::AIDC_1) {
        return (true, "this ledger has no suite with key epochs");
    }
    if app.services().epochs.is_empty() {
        return (false, "no key epoch of this member is on the ledger yet");
    }
    (true, "a key epoch of this member is on the ledger")
}

/// Prometheus' page.
async fn metrics(State(app): State<App>) -> Result<Response, Problem> {
    let page = app
        .services()
        .metrics
        .render()
        .map_err(|_error| Problem::bug())?;
    Ok((
        [(
            header::CONTENT_TYPE,
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
        )],
        page,
    )
        .into_response())
}
