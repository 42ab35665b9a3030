//! From an address to a page: reads the certified ledger, fills the page's view, draws it.

mod export;
mod login;
mod lookup;
mod research;

use axum::{
    Extension,
    extract::{Path, Request, State},
    http::{HeaderValue, StatusCode, Uri, header},
    response::{Html, IntoResponse, Response},
};
use contract::{Aid, Height, Status, SuiteId, contracts::identity::Identity};
use maud::{Markup, html};
use patient::code::Code;

use super::{
    assets, block,
    chart::Bar,
    consortium, decode, identity,
    layout::{self, Frame, Place},
    members, notice,
    notice::Notice,
    overview,
    parts::{Fact, State as Shown, Value},
    results, time, transaction, views,
};
use crate::{
    access::Role,
    http::{
        app::App,
        gate,
        input::Query,
        ledger::{self, RESULT_PARAMETERS},
        members as members_of,
        problem::Problem,
        reads, status,
    },
    ledger::{ResultQuery, place_in},
};

pub(crate) use export::{csv, ndjson};
pub(crate) use login::{form as login, leave, submit as sign_in};
pub(crate) use lookup::search;
pub(crate) use research::{attacks_page, research_page, table_csv};

/// Blocks and sign-ins on the overview.
const NEWEST: usize = 20;
/// Sign-ins on the page of an identity, and in its chart.
const HISTORY: usize = 200;
/// Rows shown of those.
const HISTORY_SHOWN: usize = 50;

/// The notice that stands where a page was asked for.
pub(crate) struct Instead(Box<Response>);

impl IntoResponse for Instead {
    fn into_response(self) -> Response {
        *self.0
    }
}

/// A page, or the notice that says why not.
type Page = Result<Response, Instead>;

/// A page in its frame.
fn page(app: &App, role: Role, place: Place, title: &str, body: &Markup) -> Response {
    Html(layout::page(&views::frame(app, role), place, title, body).into_string()).into_response()
}

/// A notice in its frame, under its status line.
pub(super) fn explain(app: &App, role: Role, status: StatusCode, notice: &Notice) -> Response {
    let page = layout::page(
        &views::frame(app, role),
        Place::Elsewhere,
        &notice.title,
        &notice::body(notice),
    );
    (status, Html(page.into_string())).into_response()
}

/// A problem as a page.
fn failed(app: &App, role: Role, problem: &Problem) -> Instead {
    let notice = if problem.code() == Code::RoleNeeded {
        notice::not_allowed(role.name(), Role::Auditor.name())
    } else {
        Notice::new(problem.code().title(), problem.detail())
            .step(problem.code().help())
            .link("Back to the overview", "/")
            .code(problem.code().text())
    };
    Instead(Box::new(explain(app, role, problem.status(), &notice)))
}

/// `GET /`
pub(crate) async fn home(State(app): State<App>, Extension(role): Extension<Role>) -> Page {
    let fail = |problem: Problem| failed(&app, role, &problem);
    let tip = app.services().ledger.certified().height.get();
    let mut blocks = Vec::new();
    for height in (0..=tip).rev().take(NEWEST) {
        blocks.push(views::block_line(
            &reads::block_or_none(&app, Height::new(height)).map_err(fail)?,
        ));
    }
    let sign_ins = if role.sees_identities() {
        gate::identities(&app, role, "overview", None).map_err(fail)?;
        let query = ResultQuery {
            limit: NEWEST,
            ..ResultQuery::default()
        };
        let rows = reads::results(&app, &query).map_err(fail)?.rows;
        let names = app.names();
        Some(rows.iter().map(|row| views::sign_in(&names, row)).collect())
    } else {
        None
    };
    let status = app.services().status.borrow().clone();
    let view = overview::Overview {
        view: status.view,
        up: status.connected(),
        quorum: status.quorum,
        progress: status::progress(&app),
        members: views::members(&app),
        primary: status.primary,
        blocks,
        sign_ins,
    };
    Ok(page(
        &app,
        role,
        Place::Overview,
        "Overview",
        &overview::body(&view, tip, app.now_ms()),
    ))
}

/// `GET /b/{height or hash}`
pub(crate) async fn block_page(
    State(app): State<App>,
    Extension(role): Extension<Role>,
    Path(name): Path<String>,
    address: Uri,
) -> Page {
    let fail = |problem: Problem| failed(&app, role, &problem);
    let tip = app.services().ledger.certified().height.get();
    if let Ok(asked) = name.parse::<u64>()
        && asked > tip
    {
        return Err(Instead(Box::new(explain(
            &app,
            role,
            StatusCode::NOT_FOUND,
            &notice::future_block(asked, tip),
        ))));
    }
    let query = Query::read(&address, &["from"]).map_err(fail)?;
    let from = query.number("from").map_err(fail)?.unwrap_or(0);
    let stored = ledger::find_block(&app, &name).map_err(fail)?;
    let certifiers = reads::certifiers(&app, stored.header.epoch).map_err(fail)?;
    let from = usize::try_from(from).unwrap_or(usize::MAX);
    let view = views::block(&app, &stored, &certifiers, from);
    let title = format!("Block {}", view.height);
    Ok(page(
        &app,
        role,
        Place::Elsewhere,
        &title,
        &block::body(&view),
    ))
}

/// `GET /t/{hash}`
pub(crate) async fn transaction_page(
    State(app): State<App>,
    Extension(role): Extension<Role>,
    Path(hash): Path<String>,
) -> Page {
    let fail = |problem: Problem| failed(&app, role, &problem);
    gate::identities(&app, role, "transaction", None).map_err(fail)?;
    let (located, signed, stored) = ledger::find_transaction(&app, &hash).map_err(fail)?;
    let (genesis, names) = (app.genesis(), app.names());
    let mut facts = vec![
        Fact::new("Block", Value::Height(located.height.get())),
        Fact::text(
            "Position",
            format!(
                "{} of {}",
                located.index.saturating_add(1),
                stored.transactions.len()
            ),
        ),
        Fact::new("Block time", Value::Time(stored.header.time.get())),
    ];
    facts.extend(decode::envelope(&names, &signed));
    let sign_ins: Vec<results::SignIn> = views::sign_ins_of(&app, &stored, &located, &signed);
    let view = transaction::Transaction {
        hash: signed.hash().to_string(),
        call: decode::call(&signed),
        facts,
        decoded: decode::fields(&names, signed.call()),
        sign_in_count: signed.call().result_count(),
        sign_ins: sign_ins
            .into_iter()
            .take(transaction::RESULTS_SHOWN)
            .collect(),
        outcome: decode::outcome(&located.outcome, signed.call()),
        raw: located.bytes,
        proof: place_in(genesis, &stored, (located.index, 0)).map(|receipt| transaction::Proof {
            leaf: hex::encode(signed.leaf_hash()),
            index: usize::try_from(receipt.index).unwrap_or(usize::MAX),
            count: usize::try_from(receipt.count).unwrap_or(usize::MAX),
            path: receipt.path.iter().map(ToString::to_string).collect(),
            root: stored.header.transactions_root.to_string(),
        }),
    };
    Ok(page(
        &app,
        role,
        Place::Elsewhere,
        "Transaction",
        &transaction::body(&view),
    ))
}

/// `GET /a/{aid}`
pub(crate) async fn identity_page(
    State(app): State<App>,
    Extension(role): Extension<Role>,
    Path(text): Path<String>,
) -> Page {
    let fail = |problem: Problem| failed(&app, role, &problem);
    let not_an_aid =
        |error: contract::identity::AidError| fail(Problem::bad(Code::NotAnAid, error.to_string()));
    let aid: Aid = text.parse().map_err(not_an_aid)?;
    gate::identities(&app, role, "identity", Some(&aid)).map_err(fail)?;
    let (_height, found) = reads::identity(&app, &aid).map_err(fail)?;
    let (facts, status) = match found {
        Some(found) => of_identity(&found),
        None => of_user(&app, &aid).map_err(fail)?,
    };
    let query = ResultQuery {
        aid: Some(aid),
        limit: HISTORY,
        ..ResultQuery::default()
    };
    let history = reads::results(&app, &query).map_err(fail)?;
    let names = app.names();
    let sign_ins: Vec<results::SignIn> = history
        .rows
        .iter()
        .map(|row| views::sign_in(&names, row))
        .collect();
    let view = identity::Identity {
        aid,
        status,
        facts,
        past: views::past(&app, &aid).map_err(fail)?,
        days: by_day(&sign_ins),
        more: history.next.is_some() || sign_ins.len() > HISTORY_SHOWN,
        sign_ins: sign_ins.into_iter().take(HISTORY_SHOWN).collect(),
    };
    Ok(page(
        &app,
        role,
        Place::Elsewhere,
        "Identity",
        &identity::body(&view),
    ))
}

/// What the state holds of an identity, and whether it may sign in.
fn of_identity(found: &Identity) -> (Vec<Fact>, Shown) {
    let mut facts = vec![
        Fact::new("Registered at height", Value::Height(found.since.get())),
        Fact::new("Status since height", Value::Height(found.changed.get())),
        Fact::text("Suite", decode::suite(found.suite())),
    ];
    let known = ledger::facts(found).into_iter();
    facts.extend(known.filter(|fact| fact.label != "Identity"));
    let status = match found.status() {
        Status::Active => Shown::Good("active".to_owned()),
        Status::Revoked => Shown::Bad("revoked: it can no more sign in".to_owned()),
        Status::Shredded => {
            Shown::Bad("revoked, and the centre destroyed what could resolve it".to_owned())
        }
        Status::Replaced => Shown::Bad("replaced: another identity took its place".to_owned()),
    };
    (facts, status)
}

/// The same of a UID of the second paper's suite, which knows no end of one.
fn of_user(app: &App, uid: &Aid) -> Result<(Vec<Fact>, Shown), Problem> {
    let since = reads::limbasiya_user(app, uid)?.ok_or_else(|| {
        Problem::not_found(
            Code::NoSuchIdentity,
            "The certified state holds no identity with this AID.",
        )
    })?;
    let facts = vec![
        Fact::new("Registered at height", Value::Height(since.get())),
        Fact::text("Suite", decode::suite(SuiteId::LIMBASIYA_2020)),
        Fact::text(
            "Linkable",
            "it is the same at every server and in every session".to_owned(),
        ),
    ];
    Ok((
        facts,
        Shown::Warn("active, under an insecure suite".to_owned()),
    ))
}

/// Sign-ins by day, from old to new.
fn by_day(rows: &[results::SignIn]) -> Vec<Bar> {
    let mut days: Vec<Bar> = Vec::new();
    for row in rows.iter().rev() {
        let label = time::day(row.time_ms);
        match days.last_mut().filter(|bar| bar.label == label) {
            Some(bar) => bar.count = bar.count.saturating_add(1),
            None => days.push(Bar { label, count: 1 }),
        }
    }
    days
}

/// `GET /results`
pub(crate) async fn results_page(
    State(app): State<App>,
    Extension(role): Extension<Role>,
    address: Uri,
) -> Page {
    let fail = |problem: Problem| failed(&app, role, &problem);
    let query = Query::read(&address, &RESULT_PARAMETERS).map_err(fail)?;
    let asked = ledger::result_query(&app, &query).map_err(fail)?;
    gate::identities(&app, role, "results", asked.aid.as_ref()).map_err(fail)?;
    let found = reads::results(&app, &asked).map_err(fail)?;
    let names = app.names();
    let text = |name| query.text(name).unwrap_or_default().to_owned();
    let view = results::Results {
        filter: results::Filter {
            aid: text("aid"),
            server: text("server"),
            since: text("since"),
            at_height: text("at_height"),
        },
        servers: names.all().into_iter().map(|(name, _)| name).collect(),
        rows: found
            .rows
            .iter()
            .map(|row| views::sign_in(&names, row))
            .collect(),
        next: found.next.map(|cursor| cursor.to_string()),
        height: asked
            .at_height
            .unwrap_or(app.services().ledger.certified().height)
            .get(),
    };
    Ok(page(
        &app,
        role,
        Place::Results,
        "Sign-ins",
        &results::body(&view),
    ))
}

/// `GET /members`
pub(crate) async fn members_page(State(app): State<App>, Extension(role): Extension<Role>) -> Page {
    let fail = |problem: Problem| failed(&app, role, &problem);
    let quorum = app.services().status.borrow().quorum;
    let consortium = members_of::consortium(&app).map_err(fail)?;
    let contradictions = members_of::contradictions(&app).map_err(fail)?;
    let body = html! {
        (members::body(&views::members(&app), quorum, &status::progress(&app), app.now_ms()))
        (consortium::body(&app.names(), &consortium, &contradictions, &app.services().checkpoints.reports()))
    };
    Ok(page(&app, role, Place::Members, "Members", &body))
}

/// Any other address.
pub(crate) async fn nowhere(
    State(app): State<App>,
    Extension(role): Extension<Role>,
    request: Request,
) -> Response {
    let problem = Problem::not_found(Code::NoSuchRoute, "There is no page at this address.");
    if request.uri().path().starts_with("/v1/") {
        return problem.into_response();
    }
    failed(&app, role, &problem).into_response()
}

/// The bytes whose hash is the ledger's name.
pub(crate) async fn genesis(State(app): State<App>) -> Result<Response, Problem> {
    let path = app.services().config.genesis_path();
    let bytes = tokio::fs::read(path)
        .await
        .map_err(|error| reads::broken(&error))?;
    Ok(([(header::CONTENT_TYPE, "application/json")], bytes).into_response())
}

/// `GET /style.css`
pub(crate) async fn style() -> Response {
    asset("text/css; charset=utf-8", assets::STYLE)
}

/// `GET /live.js`
pub(crate) async fn live() -> Response {
    asset("text/javascript; charset=utf-8", assets::LIVE)
}

/// `GET /verify.html`, whose own policy stands in the file: it must hold from a disk too.
pub(crate) async fn verify() -> Response {
    let mut answer = asset("text/html; charset=utf-8", assets::VERIFY);
    let policy = HeaderValue::from_static("frame-ancestors 'none'");
    answer
        .headers_mut()
        .insert(header::CONTENT_SECURITY_POLICY, policy);
    answer
}

/// A file that belongs to the binary.
fn asset(kind: &'static str, text: &'static str) -> Response {
    (
        [
            (header::CONTENT_TYPE, kind),
            (header::CACHE_CONTROL, "no-cache"),
        ],
        text,
    )
        .into_response()
}

/// The frame of a page that is shown before anybody is known.
pub(super) fn stranger(app: &App) -> Frame {
    views::frame(app, Role::Viewer)
}
