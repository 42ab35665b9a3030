//! `GET /search`: reads what was typed, says what it was taken for, and leads there.

use axum::{
    Extension,
    extract::State,
    http::{StatusCode, Uri},
    response::{IntoResponse as _, Redirect, Response},
};
use contract::{HeaderHash, SessionId, TransactionHash};
use patient::code::Code;

use super::{explain, failed};
use crate::{
    access::Role,
    explorer::{notice::Notice, search::Query as Typed},
    http::{app::App, input::Query, problem::Problem, reads},
};

/// The search.
pub(crate) async fn search(
    State(app): State<App>,
    Extension(role): Extension<Role>,
    address: Uri,
) -> Response {
    let query = match Query::read(&address, &["q"]) {
        Ok(query) => query,
        Err(problem) => return failed(&app, role, &problem).into_response(),
    };
    let text = query.text("q").unwrap_or("");
    let miss = |status, notice: Notice| {
        explain(
            &app,
            role,
            status,
            &notice.link("Back to the overview", "/"),
        )
    };
    match Typed::read(text) {
        Typed::Empty => Redirect::to("/").into_response(),
        Typed::Height(height) => Redirect::to(&format!("/b/{height}")).into_response(),
        Typed::Aid(aid) => Redirect::to(&format!("/a/{aid}")).into_response(),
        Typed::Hash(hash) => match by_hash(&app, role, &hash) {
            Ok(Some(path)) => Redirect::to(&path).into_response(),
            Ok(None) => {
                let why = format!(
                    "{hash} was taken for a hash. No certified block, transaction, session or member of this ledger has it."
                );
                miss(
                    StatusCode::NOT_FOUND,
                    Notice::new("Nothing has this hash", why).code(Code::NoSuchTransaction.text()),
                )
            }
            Err(problem) => failed(&app, role, &problem).into_response(),
        },
        Typed::BrokenAid(error) => miss(
            StatusCode::BAD_REQUEST,
            Notice::new(
                "Not an AID",
                format!("The text begins like an AID, but {error}."),
            )
            .code(Code::NotAnAid.text()),
        ),
        Typed::BrokenHash(found) => {
            let why = format!("{found} hex digits, need 64. Did the copy lose or gain some?");
            miss(
                StatusCode::BAD_REQUEST,
                Notice::new("Not a hash", why).code(Code::NotAHash.text()),
            )
        }
        Typed::Name(name) => by_name(&app, &name).map_or_else(
            || miss(StatusCode::NOT_FOUND, nobody(&app, &name)),
            |path| Redirect::to(&path).into_response(),
        ),
    }
}

/// What has this hash: a block, a transaction, a session or a member.
fn by_hash(app: &App, role: Role, text: &str) -> Result<Option<String>, Problem> {
    let ledger = &app.services().ledger;
    let broken = |error| reads::broken(&error);
    if let Ok(hash) = text.parse::<HeaderHash>()
        && let Some(height) = ledger.block_by_hash(&hash).map_err(broken)?
    {
        return Ok(Some(format!("/b/{height}")));
    }
    if let Ok(hash) = text.parse::<TransactionHash>()
        && reads::transaction(app, &hash)?.is_some()
    {
        return Ok(Some(format!("/t/{hash}")));
    }
    if role.sees_identities()
        && let Ok(sid) = text.parse::<SessionId>()
        && let Some(row) = ledger.session(&sid, None).map_err(broken)?
    {
        return Ok(Some(format!("/t/{}", row.transaction)));
    }
    let known = app
        .genesis()
        .members()
        .iter()
        .any(|member| member.server_id().to_string() == text || member.key.to_string() == text);
    Ok(known.then(|| "/members".to_owned()))
}

/// A member by name.
fn by_name(app: &App, name: &str) -> Option<String> {
    app.names().id_of(name).map(|_member| "/members".to_owned())
}

/// Nothing has this name: what was tried, and what comes nearest.
fn nobody(app: &App, name: &str) -> Notice {
    let names = app.names();
    let start: String = name.chars().take(2).collect();
    let nearest = names
        .all()
        .into_iter()
        .find(|(known, _)| known.starts_with(&start))
        .map(|(known, _)| format!(" Did you mean {known}?"));
    let why = format!(
        "{name:?} is neither a height, a hash, an AID nor a member's name.{} The members are {}.",
        nearest.unwrap_or_default(),
        names.list()
    );
    Notice::new("Nothing found", why).code(Code::BadQuery.text())
}
