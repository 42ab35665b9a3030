//! Transactions from outside: taken into the pool, answered when certified.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Extension, Json,
    body::Body,
    extract::{ConnectInfo, State},
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use contract::{Author, Call, RecoveryCall, SignedTransaction};
use patient::code::Code;
use serde_json::json;

use super::{
    app::App,
    input::{self, Query},
    limits::{TRANSACTION_BYTES, WAIT},
    problem::Problem,
};
use crate::{
    access::Role,
    explorer::decode,
    mempool::{Committed, SubmitError, Ticket, Unsettled},
};

/// `POST /v1/transactions`: one signed transaction; the author's signature, not the caller's role, is what the ledger believes.
pub(super) async fn transactions(
    State(app): State<App>,
    Extension(role): Extension<Role>,
    address: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    if !role.submits() {
        return Err(super::gate::role_needed(role, Role::Operator));
    }
    let wait = Query::read(&address, &["wait_ms"])?.wait()?;
    let bytes = input::octets(&headers, body, TRANSACTION_BYTES).await?;
    let ticket = submit(&app, &bytes).await?;
    told(ticket, wait).await
}

/// `POST /v1/patient/transactions`: what a patient may say in her own name.
pub(super) async fn of_a_patient(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    address: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let room = app.admit_handshake(peer)?;
    let wait = Query::read(&address, &["wait_ms"])?.wait()?.min(WAIT);
    let bytes = input::octets(&headers, body, TRANSACTION_BYTES).await?;
    let signed = SignedTransaction::decode(bytes.as_ref())
        .map_err(|error| Problem::bad(Code::BadTransaction, error.to_string()))?;
    let by_patient = matches!(signed.author(), Author::Patient(_));
    let taken = matches!(
        signed.call(),
        Call::Claim(_) | Call::Revoke(_) | Call::Recovery(RecoveryCall::Cancel(_))
    );
    if !by_patient || !taken {
        return Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            Code::BadTransaction,
            "this address takes a claim, a revocation or the cancellation of a recovery, signed by the AID itself",
        ));
    }
    let ticket = submit(&app, &bytes).await?;
    // Her receipt is under the transaction's hash; that the table is full costs her only the word "pending" there.
    if let Err(full) = app.registrations().insert(*ticket.hash(), app.now_ms()) {
        tracing::debug!(%full, "the transaction is not known as pending");
    }
    drop(room);
    told(ticket, wait).await
}

/// What became of a transaction, as far as it is known in time.
async fn told(ticket: Ticket, wait: Duration) -> Result<Response, Problem> {
    let hash = *ticket.hash();
    match settle(ticket, wait).await? {
        Some(committed) => Ok(Json(json!({
            "schema": "aidchain.submitted/1", "status": "committed", "hash": hash, "height": committed.height,
            "index": committed.index, "outcome": decode::outcome_json(&committed.outcome),
        }))
        .into_response()),
        None => Ok((
            StatusCode::ACCEPTED,
            Json(json!({ "schema": "aidchain.submitted/1", "status": "pending", "hash": hash })),
        )
            .into_response()),
    }
}

/// Takes a transaction into the pool, or says why not.
pub(super) async fn submit(app: &App, bytes: &[u8]) -> Result<Ticket, Problem> {
    app.services()
        .submitter
        .submit(Arc::from(bytes))
        .await
        .map_err(|error| refused(&error))
}

/// Waits for the certificate; nothing when it takes longer.
pub(super) async fn settle(ticket: Ticket, wait: Duration) -> Result<Option<Committed>, Problem> {
    match ticket.wait(wait).await {
        Ok(committed) => Ok(Some(committed)),
        Err(Unsettled::StillPending) => Ok(None),
        Err(Unsettled::Expired) => Err(Problem::new(
            StatusCode::CONFLICT,
            Code::TransactionExpired,
            Unsettled::Expired.to_string(),
        )),
    }
}

/// Why the pool did not take it.
fn refused(error: &SubmitError) -> Problem {
    let text = error.to_string();
    let seconds = |ms: u64| ms.div_ceil(1_000);
    match error {
        SubmitError::Malformed(_) => Problem::bad(Code::BadTransaction, text),
        SubmitError::Invalid(invalid) => match invalid {
            contract::Invalid::OtherLedger(_) => {
                Problem::new(StatusCode::UNPROCESSABLE_ENTITY, Code::OtherChain, text)
            }
            contract::Invalid::Signature | contract::Invalid::Statement(_) => Problem::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                Code::TransactionSignature,
                text,
            ),
            contract::Invalid::Malformed(_)
            | contract::Invalid::Version(_)
            | contract::Invalid::EmptyBundle
            | contract::Invalid::TooManyEntries { .. } => Problem::bad(Code::BadTransaction, text),
        },
        SubmitError::Expired { .. } | SubmitError::TooFarAhead { .. } => Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            Code::TransactionExpired,
            text,
        ),
        SubmitError::AlreadyKnown { .. } => {
            Problem::new(StatusCode::CONFLICT, Code::AlreadyRecorded, text)
        }
        SubmitError::OverShare { retry_after_ms } => {
            Problem::busy(Code::OverShare, text, seconds(*retry_after_ms))
                .with_status(StatusCode::TOO_MANY_REQUESTS)
        }
        SubmitError::Full { retry_after_ms } => {
            Problem::busy(Code::PoolFull, text, seconds(*retry_after_ms))
        }
        SubmitError::Stopping => Problem::busy(Code::NodeNotReady, text, 5),
    }
}
