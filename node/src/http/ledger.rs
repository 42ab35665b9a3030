//! The member API: blocks, transactions, identities and sign-ins as JSON, each answer with the certified height it is from.

use axum::{
    Extension, Json,
    extract::{Path, State},
    http::{HeaderMap, HeaderName, HeaderValue, Uri, header},
    response::{IntoResponse, Response},
};
use contract::{
    Aid, HeaderHash, Height, SignedTransaction, Status, SuiteId, TransactionHash,
    contracts::identity::{Credential, Identity},
};
use patient::code::Code;
use serde_json::{Value, json};

use super::{
    app::App,
    behind::abreast,
    gate,
    input::Query,
    limits::{PAGE, PAGE_MAX},
    problem::Problem,
    reads,
};
use crate::{
    access::Role,
    explorer::{decode, names::Names},
    ledger::{Cursor, Located, ResultForm, ResultQuery, ResultRow, StoredBlock, place_in},
};

/// Names, also where nothing is found, the certified height that an answer is from.
const CERTIFIED_HEIGHT: HeaderName = HeaderName::from_static("aidchain-certified-height");

/// An answer and the height that is certified now: for what never changes once it is there.
fn answer(app: &App, document: Value) -> Response {
    answer_of(app.services().ledger.certified().height, document)
}

/// An answer and the height it is from.
fn answer_of(height: Height, mut document: Value) -> Response {
    if let Some(object) = document.as_object_mut() {
        object.insert("certified_height".to_owned(), json!(height));
    }
    let mut response = Json(document).into_response();
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    with_height(height, response)
}

/// A response that names its height.
fn with_height(height: Height, mut response: Response) -> Response {
    response
        .headers_mut()
        .insert(CERTIFIED_HEIGHT, HeaderValue::from(height.get()));
    response
}

/// `GET /v1/blocks`: the newest first.
pub(super) async fn blocks(State(app): State<App>, address: Uri) -> Result<Response, Problem> {
    let query = Query::read(&address, &["before", "limit"])?;
    let limit = query.limit(PAGE, PAGE_MAX)?;
    let tip = app.services().ledger.certified().height.get();
    let before = query
        .number("before")?
        .unwrap_or(u64::MAX)
        .min(tip.saturating_add(1));
    let mut rows = Vec::new();
    for height in (0..before).rev().take(limit) {
        let block = reads::block_or_none(&app, Height::new(height))?;
        rows.push(json!({
            "height": height, "hash": block.hash, "time_ms": block.header.time, "transactions": block.transactions.len(),
            "signers": block.certificate.map_or(0, |certificate| certificate.checkpoints.len()),
        }));
    }
    let next = before
        .checked_sub(u64::try_from(rows.len()).unwrap_or(u64::MAX))
        .filter(|next| *next > 0);
    Ok(answer(
        &app,
        json!({ "schema": "aidchain.blocks/1", "blocks": rows, "next_before": next }),
    ))
}

/// A height or a hash in an address.
pub(crate) fn find_block(app: &App, text: &str) -> Result<StoredBlock, Problem> {
    if text.len() < 20
        && let Ok(height) = text.parse()
    {
        return reads::block_or_none(app, Height::new(height));
    }
    let hash: HeaderHash = text.parse().map_err(|error: contract::identity::IdError| {
        Problem::bad(Code::NotAHash, error.to_string())
    })?;
    let height = app
        .services()
        .ledger
        .block_by_hash(&hash)
        .map_err(|error| reads::broken(&error))?;
    if let Some(problem) = height.and_then(|height| reads::let_go(app, height)) {
        return Err(problem);
    }
    let found = height
        .map(|height| reads::block(app, height))
        .transpose()?
        .flatten();
    found.ok_or_else(|| Problem::not_found(Code::NoSuchBlock, "no certified block has this hash"))
}

/// `GET /v1/blocks/{height or hash}`.
pub(super) async fn block(
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let block = find_block(&app, &name)?;
    let names = app.names();
    let transactions: Vec<Value> = (0_u32..)
        .zip(block.transactions.iter().zip(&block.outcomes))
        .map(|(index, (signed, outcome))| {
            json!({
                "index": index, "hash": signed.hash(), "call": signed.call().name(), "results": signed.call().result_count(),
                "author": decode::author_name(&names, signed.author()), "outcome": decode::outcome_json(outcome),
            })
        })
        .collect();
    let certifiers = reads::certifiers(&app, block.header.epoch)?;
    let signatures: Vec<Value> = block
        .certificate
        .iter()
        .flat_map(|certificate| reads::signatures(&app, certificate, &certifiers))
        .map(|signed| {
            json!({
                "member": signed.member, "name": signed.name, "key": signed.key, "signature": signed.signature,
                "valid": signed.valid,
            })
        })
        .collect();
    Ok(answer(
        &app,
        json!({
            "schema": "aidchain.block/1", "height": block.header.height, "hash": block.hash, "header": block.header,
            "header_bytes": hex::encode(&block.header_bytes), "size": block.batch.len(), "transactions": transactions,
            "certificate": { "epoch": block.header.epoch, "height": block.header.height, "signatures": signatures },
            "committed_here_in_view": block.committed_in_view,
        }),
    ))
}

/// A transaction in a certified block and its block, by the hash in an address.
pub(crate) fn find_transaction(
    app: &App,
    text: &str,
) -> Result<(Located, SignedTransaction, StoredBlock), Problem> {
    let hash: TransactionHash = text.parse().map_err(|error: contract::identity::IdError| {
        Problem::bad(Code::NotAHash, error.to_string())
    })?;
    let located = reads::transaction(app, &hash)?;
    let located = located.ok_or_else(|| {
        let lowest = app.services().ledger.lowest();
        if lowest > Height::new(0) {
            let text = format!(
                "no block from {lowest} on holds a transaction with this hash, and older ones are not kept here; {}",
                reads::keepers(app, Height::new(0))
            );
            return Problem::not_found(Code::BlockPruned, text);
        }
        Problem::not_found(
            Code::NoSuchTransaction,
            "no certified block holds a transaction with this hash",
        )
    })?;
    let signed =
        SignedTransaction::decode(located.bytes.clone()).map_err(|error| reads::broken(&error))?;
    let block = reads::block_or_none(app, located.height)?;
    Ok((located, signed, block))
}

/// `GET /v1/transactions/{hash}`.
pub(super) async fn transaction(
    State(app): State<App>,
    Extension(role): Extension<Role>,
    Path(hash): Path<String>,
) -> Result<Response, Problem> {
    gate::identities(&app, role, "transaction", None)?;
    let (located, signed, block) = find_transaction(&app, &hash)?;
    let (genesis, names) = (app.genesis(), app.names());
    let proof = place_in(genesis, &block, (located.index, 0)).map(|receipt| {
        json!({ "leaf": hex::encode(signed.leaf_hash()), "index": receipt.index, "count": receipt.count, "path": receipt.path, "root": block.header.transactions_root })
    });
    let results: Vec<Value> = contract::recorded(std::slice::from_ref(&signed), std::slice::from_ref(&located.outcome))
        .map(|result| {
            json!({
                "entry": result.entry, "suite": result.suite(), "aid": result.aid(), "sid": result.sid(),
                "server": { "name": names.of(result.server_id()), "id": result.server_id() },
                "t1_ms": result.t1(), "t3_ms": result.t3(),
            })
        })
        .collect();
    Ok(answer(
        &app,
        json!({
            "schema": "aidchain.transaction/1", "hash": signed.hash(), "height": located.height, "index": located.index,
            "time_ms": block.header.time, "call": signed.call().name(),
            "envelope": decode::fields_json(&decode::envelope(&names, &signed)),
            "fields": decode::fields_json(&decode::fields(&names, signed.call())),
            "results": results, "outcome": decode::outcome_json(&located.outcome),
            "bytes": hex::encode(&located.bytes), "proof": proof,
        }),
    ))
}

/// `GET /v1/transactions/{hash}/receipt`: the file itself; of a bundle of results that of one, the first unless `entry`
/// says which.
pub(super) async fn receipt(
    State(app): State<App>,
    Extension(role): Extension<Role>,
    Path(hash): Path<String>,
    address: Uri,
) -> Result<Response, Problem> {
    gate::identities(&app, role, "receipt", None)?;
    let entry = Query::read(&address, &["entry"])?
        .number("entry")?
        .unwrap_or(0);
    let (located, signed, block) = find_transaction(&app, &hash)?;
    let place = u32::try_from(entry).ok().filter(|_| {
        let count = u64::try_from(signed.call().result_count()).unwrap_or(u64::MAX);
        entry == 0 || entry < count
    });
    let place = place.ok_or_else(|| {
        Problem::not_found(
            Code::NoSuchTransaction,
            format!("the transaction has no result {entry}; they are counted from 0"),
        )
    })?;
    let ledger = &app.services().ledger;
    let receipt = ledger.receipt_in(&block, (located.index, place));
    let receipt = receipt.map_err(|error| reads::broken(&error))?;
    let receipt = receipt.ok_or_else(|| {
        Problem::busy(
            Code::NodeNotReady,
            "this node has no certificate of its own for that block; ask another member",
            5,
        )
    })?;
    let text = serde_json::to_string_pretty(&receipt).map_err(|error| reads::broken(&error))?;
    let head = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((head, text).into_response())
}

/// `GET /v1/identities/{aid}`: from a state as new as the one that the reader knows, if it names one.
pub(super) async fn identity(
    State(app): State<App>,
    Extension(role): Extension<Role>,
    Path(aid): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let aid: Aid = aid.parse().map_err(|error: contract::identity::AidError| {
        Problem::bad(Code::NotAnAid, error.to_string())
    })?;
    gate::identities(&app, role, "identity", Some(&aid))?;
    abreast(&app, &headers).await?;
    let (height, found) = reads::identity(&app, &aid)?;
    if found.is_none()
        && let Some(since) = reads::limbasiya_user(&app, &aid)?
    {
        return Ok(answer_of(
            height,
            json!({
                "schema": "aidchain.identity/1", "aid": aid, "suite": SuiteId::LIMBASIYA_2020, "status": Status::Active,
                "since_height": since, "changed_height": since, "fields": { "identity": aid },
            }),
        ));
    }
    let Some(found) = found else {
        let problem = Problem::not_found(
            Code::NoSuchIdentity,
            "the certified state holds no identity with this AID",
        );
        return Ok(with_height(height, problem.into_response()));
    };
    Ok(answer_of(
        height,
        json!({
            "schema": "aidchain.identity/1", "aid": aid, "suite": found.suite(), "status": found.status(),
            "since_height": found.since, "changed_height": found.changed,
            "fields": decode::fields_json(&facts(&found)),
        }),
    ))
}

/// What the state holds, without the ID.
pub(crate) fn facts(identity: &Identity) -> Vec<crate::explorer::parts::Fact> {
    use crate::explorer::parts::{Fact, Value as Shown};
    match &identity.credential {
        Credential::Aidc1(record) => decode::patient(record),
        Credential::Wu2021 { record, .. } => vec![
            Fact::new("Identity", Shown::Aid(record.aid)),
            Fact::new("ID", Shown::ClearId(record.id.as_bytes().len())),
        ],
    }
}

/// The parameters of a list of sign-ins.
pub(crate) const RESULT_PARAMETERS: [&str; 6] =
    ["aid", "server", "since", "at_height", "cursor", "limit"];

/// What a list of sign-ins asks for.
pub(crate) fn result_query(app: &App, query: &Query) -> Result<ResultQuery, Problem> {
    let server = query
        .text("server")
        .map(|text| server(app, text))
        .transpose()?;
    let at_height = query.number("at_height")?.map(Height::new);
    let tip = app.services().ledger.certified().height;
    if let Some(asked) = at_height.filter(|asked| *asked > tip) {
        return Err(Problem::not_found(
            Code::NoSuchBlock,
            format!("there is no block {asked} yet; the newest certified one is {tip}"),
        ));
    }
    Ok(ResultQuery {
        aid: query.parse::<Aid>("aid", Code::NotAnAid)?,
        server,
        since_ms: query.moment("since")?,
        at_height,
        cursor: query.parse::<Cursor>("cursor", Code::BadQuery)?,
        limit: query.limit(PAGE, PAGE_MAX)?,
    })
}

/// A member by name or id.
fn server(app: &App, text: &str) -> Result<contract::ServerId, Problem> {
    let names = app.names();
    if let Some(id) = names.id_of(text) {
        return Ok(id);
    }
    text.parse().map_err(|_error: contract::identity::IdError| {
        Problem::bad(
            Code::BadQuery,
            format!(
                "server: {text:?} is no member; the members are {}",
                names.list()
            ),
        )
    })
}

/// `GET /v1/results`.
pub(super) async fn results(
    State(app): State<App>,
    Extension(role): Extension<Role>,
    address: Uri,
) -> Result<Response, Problem> {
    let mut query = result_query(&app, &Query::read(&address, &RESULT_PARAMETERS)?)?;
    gate::identities(&app, role, "results", query.aid.as_ref())?;
    // Fixed before anything is read: a block certified meanwhile is not in the rows.
    let at = *query
        .at_height
        .get_or_insert_with(|| app.services().ledger.certified().height);
    let page = reads::results(&app, &query)?;
    let names = app.names();
    let rows: Vec<Value> = page.rows.iter().map(|row| result(&names, row)).collect();
    let header = reads::block_or_none(&app, at)?.header;
    Ok(answer(
        &app,
        json!({
            "schema": "aidchain.results/1", "at_height": at, "state_root": header.state_root, "results": rows,
            "next_cursor": page.next.map(|cursor| cursor.to_string()),
        }),
    ))
}

/// One sign-in.
pub(crate) fn result(names: &Names<'_>, row: &ResultRow) -> Value {
    json!({
        "height": row.height, "index": row.index, "entry": row.entry, "time_ms": row.time, "transaction": row.transaction,
        "suite": row.suite, "server": { "name": names.of(&row.server_id), "id": row.server_id },
        "aid": row.aid, "sid": row.sid, "t1_ms": row.t1, "t3_ms": row.t3, "form": form(row.form),
    })
}

/// A form in one word.
pub(crate) const fn form(form: ResultForm) -> &'static str {
    match form {
        ResultForm::Statement => "signed",
        ResultForm::Late => "late",
        ResultForm::Legacy => "legacy",
    }
}
