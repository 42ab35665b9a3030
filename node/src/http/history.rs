//! What the ledger says about an AID, for whoever holds its key (`docs/aidc1-enrolment.md` §11).

use std::net::SocketAddr;

use axum::{
    Json,
    body::Body,
    extract::{ConnectInfo, State},
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use contract::{Aid, Standing, contracts::identity::Credential};
use patient::{code::Code, excerpt::ENTRIES_MAX};
use protocol::{
    Message as _, Timestamp,
    aidc1::history::{HISTORY_BYTES as QUESTION_BYTES, HistoryRequest},
};
use serde_json::{Value, json};

use super::{
    app::App,
    input::{self, Query},
    limits::{HISTORY_BYTES, HISTORY_MAX},
    problem::Problem,
    reads::{self, Snapshot},
    server::certified,
};
use crate::ledger::{
    Cursor, Ledger,
    histories::{PageSize, claim_key, keys_of},
};

/// `POST /v1/history`: a signed question in, `aidchain.history/1` out.
pub(super) async fn history(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    address: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let _room = app.admit_handshake(peer)?;
    let query = Query::read(&address, &["cursor"])?;
    let cursor: Option<Cursor> = query.parse("cursor", Code::BadQuery)?;
    let bytes = input::octets(&headers, body, QUESTION_BYTES).await?;
    let read = tokio::task::spawn_blocking(move || {
        let aid = asked_by(&app, &bytes)?;
        document(&app.services().ledger, &aid, cursor)
    });
    let document = read.await.map_err(|_panicked| Problem::bug())??;
    Ok(Json(document).into_response())
}

/// Whose question this is, if its AID's key signed it, for this member, now.
fn asked_by(app: &App, bytes: &[u8]) -> Result<Aid, Problem> {
    let refused = |code, check: &str| {
        let support = app.refusals().note(app.now_ms(), "history", code, check);
        Problem::refused(StatusCode::FORBIDDEN, Code::SignInRefused, support)
    };
    let request = HistoryRequest::parse(bytes)
        .map_err(|error| refused(Code::RequestMalformed, &error.to_string()))?;
    let aid = *request.aid();
    let found = Snapshot::of(app)
        .identity(&aid)
        .and_then(|found| match found.credential {
            Credential::Aidc1(record) => Some(record.pk_sig),
            Credential::Wu2021 { .. } => None,
        });
    let Some(key) = found else {
        return Err(refused(Code::UnknownAid, "the AID is not on this ledger"));
    };
    let for_whom = (app.genesis().chain(), &app.services().server_id());
    let now = Timestamp::from_millis(app.now_ms());
    if request.holds(&key, for_whom, now) {
        return Ok(aid);
    }
    Err(refused(
        Code::AuthenticatorMismatch,
        "the question is not of this AID, for this member, of now",
    ))
}

/// What happened to the AID, and one page of its sign-ins.
fn document(ledger: &Ledger, aid: &Aid, cursor: Option<Cursor>) -> Result<Value, Problem> {
    let size = PageSize {
        rows: HISTORY_MAX,
        bytes: HISTORY_BYTES,
    };
    let page = ledger
        .accounts(aid, cursor, size)
        .map_err(|error| reads::broken(&error))?;
    let excerpt = ledger.excerpt(|state| {
        let claims = page
            .rows
            .iter()
            .filter_map(|(account, _)| claim_key(aid, account));
        let claims: Vec<_> = claims.collect();
        let mut keys = keys_of(state, aid, ENTRIES_MAX.saturating_sub(claims.len()))?;
        for claim in claims {
            if !keys.contains(&claim) {
                keys.push(claim);
            }
        }
        Ok(keys)
    });
    let excerpt = certified(excerpt)?;
    let rows: Vec<Value> = page
        .rows
        .into_iter()
        .map(|(account, receipt)| {
            json!({
                "standing": standing(account.standing),
                "height": account.place.height, "index": account.place.index, "entry": account.place.entry,
                "server_id": account.server_id, "sid": account.sid, "receipt": receipt,
            })
        })
        .collect();
    Ok(json!({
        "schema": "aidchain.history/1", "version": 1, "excerpt": excerpt, "sign_ins": rows,
        "next": page.next.map(|cursor| cursor.to_string()), "kept_from": ledger.lowest(),
    }))
}

/// How far an account reaches, in a word.
const fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Claimed => "claimed",
        Standing::Late => "late",
        Standing::Recorded => "recorded",
    }
}
