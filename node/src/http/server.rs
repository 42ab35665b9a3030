//! What the ledger says of this server and of one AID, each as an excerpt that needs no trust in this node.

use std::net::SocketAddr;

use axum::{
    Json,
    body::Body,
    extract::{ConnectInfo, State},
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use contract::{
    Aid, StateError,
    contracts::{identity, membership, servers},
};
use patient::{code::Code, excerpt::Excerpt};

use super::{app::App, input, problem::Problem, reads};
use crate::ledger::{Asked, LedgerError};

/// Octets of an AID.
const AID_BYTES: usize = 32;

/// `GET /v1/server`: this server's newest record.
pub(super) async fn server(State(app): State<App>) -> Result<Response, Problem> {
    let read = tokio::task::spawn_blocking(move || {
        let id = app.services().server_id();
        let excerpt = app.services().ledger.excerpt(|state| {
            let mut asked: Vec<Asked> = vec![(servers::ID, servers::newest_key(&id))];
            if let Some(record) = servers::newest_record_at(state, &id)? {
                asked.push((servers::ID, servers::record_key(&id, record.key_epoch)));
            }
            Ok::<_, StateError>(asked)
        });
        certified(excerpt)
    });
    answer(read.await)
}

/// `GET /v1/consortium`: who the members are, so that a terminal reaches those that are not in its genesis file.
pub(super) async fn members(State(app): State<App>) -> Result<Response, Problem> {
    let read = tokio::task::spawn_blocking(move || {
        let excerpt = app.services().ledger.excerpt(|state| {
            let committee = membership::committee_at(state)?;
            let records = committee
                .iter()
                .map(|one| (membership::ID, membership::member_key(&one.server_id)));
            let mut asked: Vec<Asked> = vec![(membership::ID, membership::committee_key())];
            asked.extend(records);
            Ok::<_, StateError>(asked)
        });
        certified(excerpt)
    });
    answer(read.await)
}

/// `POST /v1/record`: what the ledger has under an AID, and where that AID came from.
pub(super) async fn record(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let _room = app.admit_handshake(peer)?;
    let bytes = input::octets(&headers, body, AID_BYTES).await?;
    let wrong = |_error| {
        Problem::bad(
            Code::RequestMalformed,
            "this address takes the 32 octets of an AID",
        )
    };
    let aid = Aid::new(<[u8; AID_BYTES]>::try_from(bytes.as_slice()).map_err(wrong)?);
    let read = tokio::task::spawn_blocking(move || {
        let asked = vec![
            (identity::ID, identity::identity_key(&aid)),
            (identity::ID, identity::origin_key(&aid)),
        ];
        certified(app.services().ledger.excerpt(|_state| Ok(asked)))
    });
    answer(read.await)
}

/// An excerpt, or why there is none yet.
pub(super) fn certified(excerpt: Result<Option<Excerpt>, LedgerError>) -> Result<Excerpt, Problem> {
    let excerpt = excerpt.map_err(|error| reads::broken(&error))?;
    excerpt.ok_or_else(|| {
        Problem::busy(
            Code::NodeNotReady,
            "this node has no certified block yet whose committee it can prove",
            1,
        )
    })
}

fn answer(
    read: Result<Result<Excerpt, Problem>, tokio::task::JoinError>,
) -> Result<Response, Problem> {
    let excerpt = read.map_err(|_panicked| Problem::bug())??;
    Ok(Json(excerpt).into_response())
}
