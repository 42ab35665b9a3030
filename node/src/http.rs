//! The three listeners: patients, members with their explorer, operations.

pub(crate) mod app;
mod authenticate;
mod behind;
mod desk;
mod enrol;
mod evaluate;
mod events;
pub(crate) mod gate;
mod history;
pub(crate) mod input;
pub(crate) mod ledger;
mod legacy;
pub mod limits;
mod listener;
pub(crate) mod members;
mod openapi;
mod operations;
pub mod problem;
pub(crate) mod reads;
mod registry;
mod server;
pub(crate) mod status;
mod submit;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use std::{fmt, io, net::SocketAddr};

use axum::{
    Router,
    extract::{MatchedPath, Request, State},
    http::StatusCode,
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use patient::code::Code;
use thiserror::Error;
use tokio::{sync::watch, time::timeout};

use crate::{explorer::handlers as pages, metrics, services::Services, tls};
use app::App;
use limits::{API_CONNECTIONS, MEMBER_CONNECTIONS, OPERATIONS_CONNECTIONS, REQUEST_TIMEOUT};
use listener::Listener;
use problem::Problem;

/// Why the listeners do not serve.
#[derive(Debug, Error)]
pub enum HttpError {
    /// An address cannot be bound.
    #[error("cannot listen on {address} ({setting} in node.toml): {cause}")]
    Bind {
        /// The key of `node.toml`.
        setting: &'static str,
        /// The address.
        address: SocketAddr,
        /// What the system says.
        #[source]
        cause: io::Error,
    },
    /// The TLS key cannot be used.
    #[error(transparent)]
    Tls(#[from] tls::TlsError),
    /// A file that the listeners keep in the home cannot be opened.
    #[error("cannot open the files of the listeners in the node's home: {0}")]
    Files(#[source] io::Error),
}

/// The listeners, bound and not yet serving.
pub struct Bound {
    /// What the handlers share.
    app: App,
    /// For patients.
    api: Listener,
    /// For members and their explorer.
    member: Listener,
    /// For whoever runs the node.
    operations: Listener,
    /// Turns connections into TLS ones.
    tls: tokio_rustls::TlsAcceptor,
    /// Tells when to stop.
    stop: watch::Receiver<bool>,
}

/// Binds all listeners and serves until `stop` says so.
pub async fn serve(services: Services, stop: watch::Receiver<bool>) -> Result<(), HttpError> {
    bind(services, stop).await?.serve().await;
    Ok(())
}

/// Binds all listeners, so that a taken port is told before the node says that it runs.
pub async fn bind(services: Services, stop: watch::Receiver<bool>) -> Result<Bound, HttpError> {
    let tls = tls::acceptor(services.keys.tls_key_der(), services.keys.tls_cert_der())?;
    let config = std::sync::Arc::clone(&services.config);
    Ok(Bound {
        api: Listener::bind("api_listen", config.api_listen, API_CONNECTIONS).await?,
        member: Listener::bind("member_listen", config.member_listen, MEMBER_CONNECTIONS).await?,
        operations: Listener::bind(
            "operations_listen",
            config.operations_listen,
            OPERATIONS_CONNECTIONS,
        )
        .await?,
        app: App::open(services, stop.clone()).map_err(HttpError::Files)?,
        tls,
        stop,
    })
}

impl fmt::Debug for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bound")
            .field("api", &self.api)
            .field("member", &self.member)
            .finish_non_exhaustive()
    }
}

impl Bound {
    /// Serves until the node stops. The explorer speaks plain HTTP on loopback, where no network can listen, and TLS elsewhere.
    pub async fn serve(self) {
        let plain = self.app.services().config.member_listen.ip().is_loopback();
        let member_tls = (!plain).then(|| self.tls.clone());
        tokio::join!(
            self.api
                .serve(patient_api(&self.app), Some(self.tls), self.stop.clone()),
            self.member
                .serve(member_api(&self.app), member_tls, self.stop.clone()),
            self.operations
                .serve(operations_api(&self.app), None, self.stop.clone()),
        );
    }
}

/// For patients: TLS, no login; the suites are the login.
fn patient_api(app: &App) -> Router {
    let routes = Router::new()
        .route("/v1/status", get(status::status))
        .route("/v1/register", post(registry::register))
        .route("/v1/registrations/{hash}", get(registry::registration))
        .route("/v1/sign-in/hello", post(authenticate::hello))
        .route("/v1/sign-in/confirm", post(authenticate::confirm))
        .route("/v1/sessions/{sid}", get(registry::session))
        .route("/v1/server", get(server::server))
        .route("/v1/consortium", get(server::members))
        .route("/v1/record", post(server::record))
        .route("/v1/history", post(history::history))
        .route("/v1/patient/transactions", post(submit::of_a_patient))
        .route("/v1/deal", post(evaluate::deal))
        .route("/v1/evaluate", post(evaluate::evaluate))
        .route("/v1/evaluate/confirm", post(evaluate::confirm))
        .route("/v1/enrol/apply", post(enrol::apply))
        .route("/v1/enrol/accept", post(enrol::accept))
        .merge(legacy_api())
        .fallback(nowhere)
        .method_not_allowed_fallback(wrong_method);
    routes
        .layer(middleware::from_fn_with_state(app.clone(), watched))
        .with_state(app.clone())
}

/// The second paper's addresses, under the names that its program gives them.
fn legacy_api() -> Router<App> {
    Router::new()
        .route(
            "/v1/legacy/limbasiya/register_server",
            post(legacy::register_server),
        )
        .route(
            "/v1/legacy/limbasiya/register_user",
            post(legacy::register_user),
        )
        .route(
            "/v1/legacy/limbasiya/authenticate",
            post(legacy::authenticate),
        )
        .route(
            "/v1/legacy/limbasiya/update_password",
            post(legacy::update_password),
        )
        .route(
            "/v1/legacy/limbasiya/update_server_db",
            post(legacy::update_server_db),
        )
}

/// For members: the same status, the ledger as JSON, the explorer.
fn member_api(app: &App) -> Router {
    let json = Router::new()
        .route("/v1/status", get(status::status))
        .route("/v1/blocks", get(ledger::blocks))
        .route("/v1/blocks/{height}", get(ledger::block))
        .route("/v1/transactions", post(submit::transactions))
        .route("/v1/transactions/{hash}", get(ledger::transaction))
        .route("/v1/transactions/{hash}/receipt", get(ledger::receipt))
        .route("/v1/identities/{aid}", get(ledger::identity))
        .route("/v1/members", get(members::members))
        .route("/v1/evidence", get(members::evidence))
        .route("/v1/divergences", get(members::divergences))
        .route("/v1/results", get(ledger::results))
        .route("/v1/events", get(events::events))
        .route("/v1/desk/admit", post(desk::admit))
        .route("/v1/desk/waiting", get(desk::waiting))
        .route("/v1/desk/revoke", post(desk::revoke))
        .route("/v1/desk/cancel", post(desk::cancel))
        .route("/v1/desk/shred", post(desk::shred))
        .route("/v1/desk/recovery", post(desk::siblings))
        .route("/v1/desk/disclosures", post(desk::request))
        .route("/v1/desk/disclosures/open", post(desk::open))
        .route("/v1/openapi.json", get(openapi::document));
    let explorer = Router::new()
        .route("/", get(pages::home))
        .route("/b/{name}", get(pages::block_page))
        .route("/t/{hash}", get(pages::transaction_page))
        .route("/a/{aid}", get(pages::identity_page))
        .route("/results", get(pages::results_page))
        .route("/results.csv", get(pages::csv))
        .route("/results.ndjson", get(pages::ndjson))
        .route("/members", get(pages::members_page))
        .route("/research", get(pages::research_page))
        .route("/research/attacks", get(pages::attacks_page))
        .route("/research/tables/{file}", get(pages::table_csv))
        .route("/search", get(pages::search))
        .route("/login", get(pages::login).post(pages::sign_in))
        .route("/logout", post(pages::leave))
        .route("/genesis.json", get(pages::genesis))
        .route("/style.css", get(pages::style))
        .route("/live.js", get(pages::live))
        .route("/verify.html", get(pages::verify));
    let routes = json
        .merge(explorer)
        .fallback(pages::nowhere)
        .method_not_allowed_fallback(wrong_method);
    routes
        .layer(middleware::from_fn_with_state(app.clone(), gate::pass))
        .layer(middleware::from_fn_with_state(app.clone(), watched))
        .with_state(app.clone())
}

/// For whoever runs the node.
fn operations_api(app: &App) -> Router {
    operations::router()
        .fallback(nowhere)
        .method_not_allowed_fallback(wrong_method)
        .with_state(app.clone())
}

/// Bounds a request's time and counts it under its route, never under the path that was asked for.
async fn watched(State(app): State<App>, request: Request, next: Next) -> Response {
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "none".to_owned(), |path| path.as_str().to_owned());
    let clock = app.services().clock;
    let start = clock.elapsed();
    let late = || Problem::busy(Code::TimedOut, "the request took too long", 1).into_response();
    let answer = timeout(REQUEST_TIMEOUT, next.run(request))
        .await
        .unwrap_or_else(|_elapsed| late());
    let labels = metrics::Request {
        route,
        code: answer.status().as_u16(),
    };
    let spent = clock.elapsed().saturating_sub(start);
    app.services()
        .metrics
        .requests
        .get_or_create(&labels)
        .observe(spent.as_secs_f64());
    answer
}

/// Any other address.
async fn nowhere() -> Problem {
    Problem::not_found(Code::NoSuchRoute, Code::NoSuchRoute.title())
}

/// An address under a method it does not know.
async fn wrong_method() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        Code::NoSuchRoute,
        "this address does not take this method",
    )
}
