//! Who passes to the member API and the explorer, and with which role.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use contract::Aid;
use patient::code::Code;

use super::{app::App, problem::Problem};
use crate::access::{COOKIE, Role, Token};

/// Pages that everybody may load: they show nothing of the ledger.
const OPEN: [&str; 5] = [
    "/login",
    "/style.css",
    "/live.js",
    "/verify.html",
    "/v1/openapi.json",
];

/// What every answer of the listener carries.
const HEADERS: [(HeaderName, &str); 5] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    ),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
];

/// Lets a request through with its role, or says what is missing.
pub(super) async fn pass(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let answer = match role(&app, request.headers()) {
        Ok(Some(role)) => {
            request.extensions_mut().insert(role);
            next.run(request).await
        }
        Ok(None) if OPEN.contains(&path.as_str()) => {
            request.extensions_mut().insert(Role::Viewer);
            next.run(request).await
        }
        Ok(None) if path.starts_with("/v1/") || path == "/genesis.json" => Problem::new(
            StatusCode::UNAUTHORIZED,
            Code::LoginNeeded,
            Code::LoginNeeded.title(),
        )
        .into_response(),
        Ok(None) => Redirect::to("/login").into_response(),
        Err(problem) => problem.into_response(),
    };
    with_headers(answer)
}

/// Adds what every answer carries, where the answer does not say otherwise.
fn with_headers(mut answer: Response) -> Response {
    for (name, value) in HEADERS {
        answer
            .headers_mut()
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    answer
        .headers_mut()
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    answer
}

/// Whether this listener asks for a login: always when it can be reached from other machines.
pub(crate) fn asks_for_login(app: &App) -> bool {
    let config = &app.services().config;
    config.explorer_login || !config.member_listen.ip().is_loopback()
}

/// The reader's role; nothing when a login is needed and there is none.
fn role(app: &App, headers: &HeaderMap) -> Result<Option<Role>, Problem> {
    if !asks_for_login(app) {
        return local(app, headers).map(Some);
    }
    let now_ms = app.now_ms();
    if let Some(cookie) = cookie(headers) {
        return Ok(app.cookies().role(cookie, now_ms));
    }
    let bearer = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let Some(text) = bearer else { return Ok(None) };
    let refused = || {
        Problem::new(
            StatusCode::UNAUTHORIZED,
            Code::TokenRefused,
            Code::TokenRefused.title(),
        )
    };
    check(app, text)?.map(Some).ok_or_else(refused)
}

/// What a token entitles to.
pub(crate) fn check(app: &App, text: &str) -> Result<Option<Role>, Problem> {
    let Some(token) = Token::read(text) else {
        return Ok(None);
    };
    app.tokens().role(&token, app.now_ms()).map_err(|error| {
        tracing::error!(event = "tokens_unreadable", %error, "nobody can sign in");
        Problem::busy(
            Code::NodeNotReady,
            "this node cannot read its tokens; its operator sees why in the log",
            5,
        )
    })
}

/// On loopback without a login, the browser must mean this machine: a foreign name that resolves here is a trick.
fn local(app: &App, headers: &HeaderMap) -> Result<Role, Problem> {
    let host = headers
        .get(header::HOST)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("");
    let name = host
        .rsplit_once(':')
        .filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()))
        .map_or(host, |(name, _)| name);
    let names = &app.services().config.api_names;
    if ["localhost", "127.0.0.1", "[::1]"].contains(&name)
        || names.iter().any(|known| known == name)
    {
        return Ok(Role::Local);
    }
    Err(Problem::new(
        StatusCode::MISDIRECTED_REQUEST,
        Code::LoginNeeded,
        format!(
            "{name:?} is not a name of this node; open it as localhost, or add the name to api_names in node.toml"
        ),
    ))
}

/// The explorer's cookie.
pub(crate) fn cookie(headers: &HeaderMap) -> Option<&str> {
    let all = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok());
    all.flat_map(|line| line.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}

/// Lets a reader see who signed in where, once that is written down.
pub(crate) fn identities(
    app: &App,
    role: Role,
    what: &str,
    aid: Option<&Aid>,
) -> Result<(), Problem> {
    if !role.sees_identities() {
        return Err(role_needed(role, Role::Auditor));
    }
    let written = app.trail().record(app.now_ms(), role, what, aid);
    written.map_err(|error| Problem::busy(Code::NodeNotReady, error.to_string(), 5))
}

/// The refusal that names the role.
pub(super) fn role_needed(role: Role, need: Role) -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        Code::RoleNeeded,
        format!("your role is {role}; this needs the role {need}"),
    )
}
