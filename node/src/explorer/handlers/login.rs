//! Signing in to the explorer: a token from `aidchain explorer login` becomes a cookie.

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse as _, Redirect, Response},
};
use maud::{Markup, html};

use crate::{
    access::COOKIE,
    explorer::{
        layout::{self, Place},
        parts::{self, State as Shown},
    },
    http::{app::App, gate, input, limits::FORM_BYTES, problem::Problem},
};

/// `GET /login`
pub(crate) async fn form(State(app): State<App>) -> Html<String> {
    page(&app, None)
}

/// The page with the form.
fn page(app: &App, refused: Option<&str>) -> Html<String> {
    let frame = super::stranger(app);
    Html(layout::page(&frame, Place::Elsewhere, "Sign in", &body(refused)).into_string())
}

/// The form, and why it did not work the last time.
fn body(refused: Option<&str>) -> Markup {
    html! {
        h1 { "Sign in" }
        p { "The ledger is confidential to its members. On the node's machine, make a token:" }
        pre { "aidchain explorer login --role viewer" }
        @if let Some(text) = refused { p role="alert" { (parts::state(&Shown::Bad(text.to_owned()))) } }
        form .card method="post" action="/login" {
            div .row {
                label { span { "Token" } input type="password" name="token" required maxlength="80" autocomplete="off" spellcheck="false"; }
                button type="submit" { "Sign in" }
            }
        }
    }
}

/// `POST /login`
pub(crate) async fn submit(State(app): State<App>, sent: Body) -> Result<Response, Problem> {
    let bytes = input::whole(sent, FORM_BYTES).await?;
    let text = std::str::from_utf8(&bytes).unwrap_or("");
    let token = text.strip_prefix("token=").unwrap_or("");
    let Some(role) = gate::check(&app, token)? else {
        let again = page(&app, Some("this token is not valid, or not any more"));
        return Ok((StatusCode::UNAUTHORIZED, again).into_response());
    };
    let value = app
        .cookies()
        .open(role, app.now_ms())
        .ok_or_else(Problem::bug)?;
    let cookie = format!(
        "{COOKIE}={}; Path=/; Secure; HttpOnly; SameSite=Strict",
        value.as_str()
    );
    let cookie = HeaderValue::from_str(&cookie).map_err(|_error| Problem::bug())?;
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to("/")).into_response())
}

/// `POST /logout`
pub(crate) async fn leave(State(app): State<App>, headers: HeaderMap) -> Response {
    if let Some(value) = gate::cookie(&headers) {
        app.cookies().close(value);
    }
    let gone = format!("{COOKIE}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0");
    ([(header::SET_COOKIE, gone)], Redirect::to("/login")).into_response()
}
