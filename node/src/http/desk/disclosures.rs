//! Break-glass: who an AID is. Asked for on the ledger, approved by another member there, and only then told.

use axum::{
    Extension, Json,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
};
use contract::{Call, DisclosureCall, DisclosureRequest, Purpose, contracts::disclosure};
use patient::code::Code;
use serde::Deserialize;
use serde_json::json;

use super::{aid_of, certified, json_of, not_done, office, officer_of};
use crate::{
    access::Role,
    centre::{
        Ledger as _,
        desk::{NotDone, Whom},
    },
    http::{app::App, problem::Problem, reads},
};

/// Why somebody wants to know whose an AID is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    officer: String,
    aid: String,
    purpose: String,
    note: Option<String>,
}

/// Which request.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Numbered {
    number: u64,
}

/// `POST /v1/desk/disclosures`: asks another member to let this RC say who an AID is.
pub(in crate::http) async fn request(
    State(app): State<App>,
    Extension(role): Extension<Role>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let office = office(&app, role)?;
    let wish: Wish = json_of(&headers, body).await?;
    let aid = aid_of(&wish.aid)?;
    let purpose = Purpose::of_code(&wish.purpose).ok_or_else(|| {
        let known = Purpose::ALL.map(Purpose::code).join(", ");
        Problem::bad(Code::Usage, format!("the purpose is one of {known}"))
    })?;
    let officer = officer_of(&wish.officer)?;
    let whose = office.centre().aids_of(&Whom::Aid(aid));
    whose.map_err(|why| not_done(&why))?;
    let mut rng = patient::dice::seeded().map_err(|_failure| Problem::bug())?;
    let note = match &wish.note {
        None => None,
        Some(text) => {
            let kept = office.centre().note(aid, text, &mut rng);
            Some(kept.map_err(|why| not_done(&why))?)
        }
    };
    let call = Call::Disclosure(DisclosureCall::Request(Box::new(DisclosureRequest {
        aid,
        officer,
        purpose,
        note,
    })));
    let height = certified(&app, call).await?;
    let state = app.services().ledger.state();
    let all = disclosure::disclosures_of(&state, &aid).map_err(|error| reads::broken(&error))?;
    let mine = all.iter().rev().find(|entry| entry.request.note == note);
    Ok(Json(json!({
        "schema": "aidchain.disclosure/1", "height": height, "aid": aid,
        "number": mine.map(|entry| entry.number), "lapses_ms": mine.map(disclosure::Disclosure::lapses),
    }))
    .into_response())
}

/// `POST /v1/desk/disclosures/open`: who an AID is, with another member's certified approval.
pub(in crate::http) async fn open(
    State(app): State<App>,
    Extension(role): Extension<Role>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let office = office(&app, role)?;
    let Numbered { number } = json_of(&headers, body).await?;
    let state = app.services().ledger.state();
    let entry = disclosure::disclosure_at(&state, number).map_err(|error| reads::broken(&error))?;
    let entry = entry.ok_or_else(|| {
        Problem::not_found(Code::NoSuchDisclosure, Code::NoSuchDisclosure.title())
    })?;
    if entry.approval.is_none() || entry.rc != app.services().server_id() {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            Code::NotApproved,
            Code::NotApproved.title(),
        ));
    }
    let aid = entry.request.aid;
    let written = app
        .trail()
        .record(app.now_ms(), role, "disclosure", Some(&aid));
    written.map_err(|error| Problem::busy(Code::NodeNotReady, error.to_string(), 5))?;
    let record = state.record(&aid).map_err(|error| reads::broken(&error))?;
    let record = record.ok_or_else(|| not_done(&NotDone::NoSuchPatient))?;
    let id = office
        .centre()
        .resolve(&record)
        .map_err(|why| not_done(&why))?;
    let answer = json!({
        "schema": "aidchain.disclosed/1", "number": number, "aid": aid, "id": id.expose(),
    });
    Ok(Json(answer).into_response())
}
