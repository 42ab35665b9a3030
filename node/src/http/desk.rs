//! The Registration Centre's desk, for its officers: codes, ends of identities, disclosures. IDs travel in bodies alone.

mod disclosures;

use axum::{
    Extension, Json,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use contract::{
    Aid, Call, Officer, Outcome, RecoveryCall, Status,
    contracts::{
        disclosure,
        identity::{PendingRecovery, recovery_at},
    },
};
use futures::future::join_all;
use patient::code::Code;
use protocol::wu::PatientId;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use zeroize::Zeroize as _;

use super::{
    app::App,
    authenticate::sign,
    gate::role_needed,
    input,
    limits::{DESK_BYTES, WAIT_MAX},
    problem::Problem,
    reads, submit,
};
use crate::{
    access::Role,
    centre::{
        CentreError, Ledger as _, Office,
        desk::{Admits, NotDone, Waiting, Whom},
    },
};

pub(super) use disclosures::{open, request};

/// An ID in a body; wiped when it was read.
#[derive(Deserialize)]
struct Typed(String);

impl Drop for Typed {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// Who may come in.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Admit {
    officer: String,
    #[serde(rename = "for")]
    purpose: String,
    id: Typed,
}

/// Whom an officer means: exactly one of the two.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Meant {
    id: Option<Typed>,
    aid: Option<String>,
}

/// Whom an officer means, and her identities.
async fn meant(
    office: &Office,
    headers: &HeaderMap,
    body: Body,
) -> Result<(Whom, Vec<Aid>), Problem> {
    let whom = json_of::<Meant>(headers, body).await?.read()?;
    let aids = office.centre().aids_of(&whom);
    Ok((whom, aids.map_err(|why| not_done(&why))?))
}

/// `POST /v1/desk/admit`: a code for somebody whose identity was proofed.
pub(super) async fn admit(
    State(app): State<App>,
    Extension(role): Extension<Role>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let office = office(&app, role)?;
    let asked: Admit = json_of(&headers, body).await?;
    let admits = match asked.purpose.as_str() {
        "enrol" => Admits::Enrol,
        "recover" => Admits::Recover,
        _ => return Err(Problem::bad(Code::Usage, "a code is for enrol or recover")),
    };
    let (id, officer) = (id_of(&asked.id)?, officer_of(&asked.officer)?);
    let mut rng = patient::dice::seeded().map_err(|_failure| Problem::bug())?;
    let admitted = office
        .centre()
        .admit((&id, admits), officer, app.now_ms(), &mut rng);
    let (code, until_ms) = admitted.map_err(|why| not_done(&why))?;
    let answer = json!({
        "schema": "aidchain.desk-code/1", "for": asked.purpose, "code": code.to_text().as_str(),
        "until_ms": until_ms,
    });
    Ok(Json(answer).into_response())
}

/// `POST /v1/desk/revoke`: no identity of a person signs in any more.
pub(super) async fn revoke(
    State(app): State<App>,
    Extension(role): Extension<Role>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let office = office(&app, role)?;
    let (_whom, aids) = meant(office, &headers, body).await?;
    if office.centre().is_on_its_way(&aids) {
        return Err(not_done(&NotDone::OnItsWay));
    }
    let active = with_status(&app, &aids, |status| status == Status::Active)?;
    let done = end_all(&app, &active, Call::Revoke).await?;
    Ok(ended("revoked", aids.len(), done))
}

/// `POST /v1/desk/cancel`: a recovery is taken back.
pub(super) async fn cancel(
    State(app): State<App>,
    Extension(role): Extension<Role>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let office = office(&app, role)?;
    let (_whom, aids) = meant(office, &headers, body).await?;
    let mut open = Vec::new();
    for aid in &aids {
        if recovery(&app, aid)?.is_some() {
            open.push(*aid);
        }
    }
    let cancel = |aid| Call::Recovery(RecoveryCall::Cancel(aid));
    let done = end_all(&app, &open, cancel).await?;
    office.wake();
    Ok(ended("cancelled", open.len(), done))
}

/// `POST /v1/desk/shred`: what resolves a person's identities is destroyed, once the ledger says so.
pub(super) async fn shred(
    State(app): State<App>,
    Extension(role): Extension<Role>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let office = office(&app, role)?;
    let (whom, aids) = meant(office, &headers, body).await?;
    office
        .centre()
        .withdraw(&aids)
        .map_err(|why| not_done(&why))?;
    let left = with_status(&app, &aids, |status| status != Status::Shredded)?;
    let done = end_all(&app, &left, Call::Shred).await?;
    let state = app.services().ledger.state();
    let shredded = office.centre().shred(&whom, &state);
    shredded.map_err(|why| not_done(&why))?;
    Ok(ended("shredded", aids.len(), done))
}

/// `GET /v1/desk/waiting`: what waits at the RC.
pub(super) async fn waiting(
    State(app): State<App>,
    Extension(role): Extension<Role>,
) -> Result<Response, Problem> {
    let office = office(&app, role)?;
    let Waiting {
        set_since_ms,
        recoveries,
        codes,
    } = office.centre().waiting();
    let mut shown = Vec::new();
    for one in recoveries {
        let mut pairs = Vec::new();
        for (old, new) in &one.pairs {
            let pending = recovery(&app, old)?;
            pairs.push(recovery_json((old, new), pending.as_ref()));
        }
        shown.push(json!({ "since_ms": one.since_ms, "identities": pairs }));
    }
    let state = app.services().ledger.state();
    let time = app.services().ledger.certified().header.time;
    let open = disclosure::waiting_at(&state, time).map_err(|error| reads::broken(&error))?;
    let disclosures: Vec<Value> = open
        .iter()
        .map(|entry| {
            json!({
                "number": entry.number, "aid": entry.request.aid, "officer": entry.request.officer,
                "purpose": entry.request.purpose, "note": entry.request.note,
                "time_ms": entry.time, "lapses_ms": entry.lapses(),
            })
        })
        .collect();
    Ok(Json(json!({
        "schema": "aidchain.desk-waiting/1",
        "set": {
            "patients": set_since_ms.len(), "needed": app.services().config.registration_set.get(),
            "first_since_ms": set_since_ms.iter().min(),
        },
        "recoveries": shown, "disclosures": disclosures, "codes": codes,
    }))
    .into_response())
}

/// `POST /v1/desk/recovery`: the open recovery of an AID, and those that were asked for beside it. At every member,
/// for who approves.
pub(super) async fn siblings(
    State(app): State<App>,
    Extension(role): Extension<Role>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    if !role.keeps_desk() {
        return Err(role_needed(role, Role::RcOfficer));
    }
    let Meant {
        aid: Some(aid),
        id: None,
    } = json_of(&headers, body).await?
    else {
        return Err(Problem::bad(Code::Usage, "a recovery is named by an AID"));
    };
    let aid = aid_of(&aid)?;
    let none = || Problem::not_found(Code::NoRecovery, Code::NoRecovery.title());
    let pending = recovery(&app, &aid)?.ok_or_else(none)?;
    let beside = asked_beside(&app, &pending)?;
    let mut all = Vec::new();
    for (old, new) in beside {
        let open = recovery(&app, &old)?.filter(|open| open.record.aid == new);
        if let Some(open) = open {
            all.push(recovery_json((&old, &new), Some(&open)));
        }
    }
    Ok(Json(json!({
        "schema": "aidchain.recovery/1", "officer": pending.officer, "identities": all,
    }))
    .into_response())
}

/// Blocks before and after a request, over which the requests of one recovery may be spread.
const BESIDE: u64 = 8;

/// What the same RC asked for in the name of the same officer, around the same block.
fn asked_beside(app: &App, pending: &PendingRecovery) -> Result<Vec<(Aid, Aid)>, Problem> {
    let middle = pending.height.get();
    let mut all = Vec::new();
    for height in middle.saturating_sub(BESIDE)..=middle.saturating_add(BESIDE) {
        let Some(block) = reads::block(app, contract::Height::new(height))? else {
            continue;
        };
        for transaction in &block.transactions {
            let Call::Recovery(RecoveryCall::Request(one)) = transaction.call() else {
                continue;
            };
            if one.officer == pending.officer {
                all.push((one.old, one.registration.record.aid));
            }
        }
    }
    all.sort_unstable();
    all.dedup();
    Ok(all)
}

fn recovery_json((old, new): (&Aid, &Aid), pending: Option<&PendingRecovery>) -> Value {
    let pending = pending.filter(|pending| pending.record.aid == *new);
    let approval = pending.and_then(|pending| pending.approval);
    json!({
        "old": old, "new": new, "officer": pending.map(|pending| &pending.officer),
        "requested_ms": pending.map(|pending| pending.requested),
        "lapses_ms": pending.map(PendingRecovery::lapses),
        "approved_by": approval.map(|approval| approval.by),
        "effective_ms": approval.map(|approval| approval.effective),
    })
}

/// The recovery of an AID that can still take its next step.
fn recovery(app: &App, aid: &Aid) -> Result<Option<PendingRecovery>, Problem> {
    let time = app.services().ledger.certified().header.time;
    let found = recovery_at(&app.services().ledger.state(), aid);
    let found = found.map_err(|error| reads::broken(&error))?;
    Ok(found.filter(|pending| time <= pending.lapses()))
}

/// The desk, for whom it is there.
fn office(app: &App, role: Role) -> Result<&Office, Problem> {
    if !role.keeps_desk() {
        return Err(role_needed(role, Role::RcOfficer));
    }
    app.office().ok_or_else(|| {
        Problem::new(
            StatusCode::FORBIDDEN,
            Code::NotTheCentre,
            "this node is not the registration centre of a ledger with suite 0x0001",
        )
    })
}

impl Meant {
    fn read(&self) -> Result<Whom, Problem> {
        match (&self.id, &self.aid) {
            (Some(id), None) => id_of(id).map(Whom::Id),
            (None, Some(aid)) => aid_of(aid).map(Whom::Aid),
            _ => Err(Problem::bad(
                Code::Usage,
                "name one person, by id or by aid",
            )),
        }
    }
}

fn id_of(typed: &Typed) -> Result<PatientId, Problem> {
    // What was typed stays out of the text.
    PatientId::parse(typed.0.as_bytes())
        .map_err(|_malformed| Problem::bad(Code::BadIdentityText, Code::BadIdentityText.title()))
}

fn aid_of(text: &str) -> Result<Aid, Problem> {
    text.parse().map_err(|error: contract::identity::AidError| {
        Problem::bad(Code::NotAnAid, error.to_string())
    })
}

fn officer_of(name: &str) -> Result<Officer, Problem> {
    name.parse()
        .map_err(|error: contract::record::OfficerError| {
            Problem::bad(Code::Usage, error.to_string())
        })
}

/// A body of JSON. What is wrong with it is told by its place, since it may hold an ID.
async fn json_of<T: DeserializeOwned>(headers: &HeaderMap, body: Body) -> Result<T, Problem> {
    let kind = headers.get(header::CONTENT_TYPE);
    if kind.and_then(|value| value.to_str().ok()) != Some("application/json") {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Code::BadMediaType,
            "this address takes application/json",
        ));
    }
    let bytes = input::whole(body, DESK_BYTES).await?;
    serde_json::from_slice(&bytes).map_err(|error| {
        let text = format!(
            "the body is not what is asked for here, from column {}",
            error.column()
        );
        Problem::bad(Code::Usage, text)
    })
}

/// Those of a person's AIDs that the ledger holds with such a status.
fn with_status(
    app: &App,
    aids: &[Aid],
    wanted: impl Fn(Status) -> bool,
) -> Result<Vec<Aid>, Problem> {
    let state = app.services().ledger.state();
    let mut all = Vec::new();
    for aid in aids {
        let record = state.record(aid).map_err(|error| reads::broken(&error))?;
        if record.is_some_and(|record| wanted(record.status)) {
            all.push(*aid);
        }
    }
    Ok(all)
}

/// One call for each AID, all certified when this returns; how many the ledger took.
async fn end_all(app: &App, aids: &[Aid], call: impl Fn(Aid) -> Call) -> Result<usize, Problem> {
    let calls = aids.iter().map(|aid| certified(app, call(*aid)));
    let done: Result<Vec<u64>, Problem> = join_all(calls).await.into_iter().collect();
    done.map(|heights| heights.len())
}

/// Submits a call and waits for its certificate; the height.
async fn certified(app: &App, call: Call) -> Result<u64, Problem> {
    let transaction = sign(app, call)?;
    let ticket = submit::submit(app, transaction.as_bytes()).await?;
    let committed = submit::settle(ticket, WAIT_MAX).await?;
    let committed = committed.ok_or_else(|| {
        Problem::busy(
            Code::TimedOut,
            "the members have not certified it yet; ask again",
            5,
        )
    })?;
    match committed.outcome {
        Outcome::Done(_) => Ok(committed.height.get()),
        Outcome::Refused(why) => Err(Problem::new(
            StatusCode::CONFLICT,
            Code::ContractRefused,
            why.to_string(),
        )),
    }
}

fn ended(what: &str, identities: usize, done: usize) -> Response {
    Json(json!({
        "schema": "aidchain.desk/1", "action": what, "identities": identities, "now": done,
    }))
    .into_response()
}

fn not_done(why: &NotDone) -> Problem {
    let text = why.to_string();
    match why {
        NotDone::NoSuchPatient => Problem::not_found(Code::NoSuchPatient, text),
        NotDone::OnItsWay | NotDone::NotShredded => {
            Problem::busy(Code::RegistrationPending, text, 60)
        }
        NotDone::TooManyCodes => Problem::busy(Code::Overloaded, text, 3_600),
        NotDone::NoteTooLong => Problem::bad(Code::TooLarge, text),
        NotDone::State(cause) => reads::broken(cause),
        NotDone::Centre(cause) => unkept(cause),
    }
}

fn unkept(cause: &CentreError) -> Problem {
    super::enrol::unkept(cause)
}
