//! The five addresses of the second paper's program, each with the message of the scheme as its body. Research ledgers
//! whose genesis lists suite Limbasiya-2020 only; the suite is insecure as published.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::{
    body::Body,
    extract::{ConnectInfo, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use contract::{Aid, Call, Height, Member, ServerId, SuiteId, contracts::limbasiya::user_at};
use patient::code::Code;
use protocol::{
    Accepted, Answered, Directory, Message, Reason, Timestamp,
    limbasiya::{Application, Issued, JoinRequest, PasswordChange, Refused, Request, RowsRequest},
};

use super::{
    app::App,
    authenticate::{octets, offered, record, refusal, refuse},
    behind::abreast,
    input,
    limits::MESSAGE_BYTES,
    problem::Problem,
    reads::Snapshot,
    registry::{count, enter},
};
use crate::{
    limbasiya::{Limbasiya, MEMBER, PREFIX, SIGNATURE, centre::NotDone, is_signed, worker},
    metrics::Step,
};

/// `POST register_server`: `ID_j`, `P_j`, `Q_j`, `Loc_j` in, `SSK_j` out; for members.
pub(super) async fn register_server(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let room = app.admit_handshake(peer)?;
    let own = at_the_centre(&app)?;
    let bytes = input::octets(&headers, body, MESSAGE_BYTES).await?;
    let request: JoinRequest = parse(&bytes)?;
    let (id, member) = asking(&app, &headers, ("register_server", &bytes))?;
    if member.name != request.id.as_str() {
        return Err(not_its_name());
    }
    let joined = worker::join(&own, app.services(), (&id, &request)).await;
    drop(room);
    joined
        .map(|joined| octets(joined.encode()))
        .map_err(|why| unserved(&app, &why))
}

/// `POST register_user`: UID and A in, C, D and `List_sj` out.
pub(super) async fn register_user(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let room = app.admit_handshake(peer)?;
    let own = at_the_centre(&app)?;
    let bytes = input::octets(&headers, body, MESSAGE_BYTES).await?;
    let application: Application = parse(&bytes)?;
    let node = app.clone();
    let uid = application.uid;
    let issued = aside(move || {
        let mut rng = patient::dice::seeded().map_err(|_error| Problem::bug())?;
        let mut centre = own.centre().ok_or_else(Problem::bug)?;
        let issued = centre.register_user(&application, &mut rng);
        issued.map_err(|why| not_done(&node, &why))
    });
    let issued: Issued = issued.await?;
    let answer = octets(issued.encode());
    let answer = enter(&app, Call::LimbasiyaUser(uid), answer, refused).await;
    drop(room);
    answer
}

/// `POST update_password`: UID, A, A*, T and their proof in, C*, D* and `List_sj` out.
pub(super) async fn update_password(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let room = app.admit_handshake(peer)?;
    let own = at_the_centre(&app)?;
    let bytes = input::octets(&headers, body, MESSAGE_BYTES).await?;
    let change: PasswordChange = parse(&bytes)?;
    let node = app.clone();
    let issued = aside(move || {
        let now = Timestamp::from_millis(node.now_ms());
        let mut centre = own.centre().ok_or_else(Problem::bug)?;
        let issued = centre.update_password(&change, now);
        issued.map_err(|why| not_done(&node, &why))
    });
    let issued: Issued = issued.await?;
    drop(room);
    Ok(octets(issued.encode()))
}

/// `POST update_server_db`: `ID_j` and T in, (UID, C) of every user out; for members.
pub(super) async fn update_server_db(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let room = app.admit_handshake(peer)?;
    let own = at_the_centre(&app)?;
    let bytes = input::octets(&headers, body, MESSAGE_BYTES).await?;
    let request: RowsRequest = parse(&bytes)?;
    let (_id, member) = asking(&app, &headers, ("update_server_db", &bytes))?;
    if member.name != request.id.as_str() {
        return Err(not_its_name());
    }
    let now = Timestamp::from_millis(app.now_ms());
    let rows = own.centre().ok_or_else(Problem::bug)?.rows(&request, now);
    drop(room);
    rows.map(|rows| octets(rows.encode()))
        .map_err(|why| not_done(&app, &why))
}

/// `POST authenticate`: {`ID_j`, α, β, T1} in, {γ, σ, T2} out, at every member.
pub(super) async fn authenticate(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let room = app.admit_handshake(peer)?;
    let own = here(&app)?;
    let bytes = input::octets(&headers, body, MESSAGE_BYTES).await?;
    abreast(&app, &headers).await?;
    let request = Request::parse(&bytes).map_err(|wrong| {
        refuse(
            &app,
            Code::RequestMalformed,
            "malformed",
            &wrong.to_string(),
        )
    })?;
    let mut answered = answer(&app, &own, &request).await?;
    if let Err(why) = answered
        && let Reason::UnknownAid | Reason::Mismatch = why
        && is_registered(&app, &own, &request)
        && let Some(server) = own.server()
    {
        // She came from the RC a moment ago, or changed her password there (L-12).
        server.refresh().await;
        answered = answer(&app, &own, &request).await?;
    }
    let (reply, accepted) = answered.map_err(|why| refusal(&app, why))?;
    record(&app, SuiteId::LIMBASIYA_2020, &accepted).await?;
    drop(room);
    Ok(octets(reply))
}

/// Answers from the table as it is now; the ledger is read on a thread that may wait.
async fn answer(
    app: &App,
    own: &Arc<Limbasiya>,
    request: &Request,
) -> Result<Result<(Vec<u8>, Accepted<()>), Reason>, Problem> {
    let (app, own, request) = (app.clone(), Arc::clone(own), request.clone());
    aside(move || {
        let watch = app.services().clock.elapsed();
        let server = own.server().ok_or_else(not_yet)?;
        let mut rng = patient::dice::seeded().map_err(|_error| Problem::bug())?;
        let now = Timestamp::from_millis(app.now_ms());
        let answered = server.answer(&Snapshot::of(&app), request, now, &mut rng);
        let spent = app.services().clock.elapsed().saturating_sub(watch);
        app.services()
            .metrics
            .auth_duration
            .get_or_create(&Step { step: "answer" })
            .observe(spent.as_secs_f64());
        match answered.ok_or_else(not_yet)? {
            Ok(opened) => match opened.state {
                Answered::Accepted(accepted) => Ok(Ok((opened.message.encode(), accepted))),
                Answered::AwaitConfirm(never) => match never {},
            },
            Err(failed) => Ok(Err(failed.reason())),
        }
    })
    .await
}

/// Whether the ledger has the UID that a request comes to.
fn is_registered(app: &App, own: &Limbasiya, request: &Request) -> bool {
    let uid = own.server().and_then(|server| server.uid(request));
    uid.is_some_and(|uid| Directory::<()>::resolve(&Snapshot::of(app), &uid).is_some())
}

/// UIDs as the suite asks for them.
impl Directory<()> for Snapshot {
    fn resolve(&self, uid: &Aid) -> Option<()> {
        user_at(self.state(), uid)
            .unwrap_or_else(|error| {
                tracing::error!(event = "read_failed", %error, "the state cannot be read");
                None
            })
            .map(|_since| ())
    }

    fn height(&self) -> Height {
        self.at()
    }
}

/// Work that waits for the disk, on a thread that serves nobody else.
async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_panicked| Problem::bug())?
}

/// What this member keeps of the suite, on a ledger that has it.
fn here(app: &App) -> Result<Arc<Limbasiya>, Problem> {
    offered(app, SuiteId::LIMBASIYA_2020)?;
    app.limbasiya().ok_or_else(Problem::bug)
}

/// The same, at the RC.
fn at_the_centre(app: &App) -> Result<Arc<Limbasiya>, Problem> {
    let own = here(app)?;
    if own.centre().is_none() {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            Code::NotTheCentre,
            "this node is not the registration centre",
        ));
    }
    Ok(own)
}

fn parse<M: Message>(bytes: &[u8]) -> Result<M, Problem> {
    M::parse(bytes).map_err(|malformed| Problem::bad(Code::RequestMalformed, malformed.to_string()))
}

/// The member of the running epoch that signed this question.
fn asking(
    app: &App,
    headers: &HeaderMap,
    (what, body): (&str, &[u8]),
) -> Result<(ServerId, Member), Problem> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let id: Option<ServerId> = text(MEMBER).and_then(|text| text.parse().ok());
    let term = app.services().term.borrow().clone();
    let mut members = term.members.iter();
    let found = members.find(|record| Some(record.server_id) == id);
    let path = format!("{PREFIX}/{what}");
    let signature = text(SIGNATURE).unwrap_or_default();
    let signed = found.filter(|record| {
        is_signed(
            &record.member,
            app.genesis().chain(),
            (&path, body),
            signature,
        )
    });
    let signed = signed.ok_or_else(|| {
        Problem::new(
            StatusCode::FORBIDDEN,
            Code::RoleNeeded,
            "this address is for members: aidchain-member and aidchain-signature must name one and be its own",
        )
    })?;
    Ok((signed.server_id, signed.member.clone()))
}

fn not_its_name() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        Code::RoleNeeded,
        "a member asks under its own name only",
    )
}

fn not_yet() -> Problem {
    Problem::busy(
        Code::NodeNotReady,
        "this member is not registered as a server of limbasiya-2020 yet",
        2,
    )
}

/// What the ledger or the RC's own rows say no to, in the one text for patients.
fn refused(app: &App, code: Code, check: &str) -> Problem {
    count(app, "refused");
    let support = app
        .refusals()
        .note(app.now_ms(), "limbasiya-2020", code, check);
    Problem::refused(StatusCode::CONFLICT, Code::CannotEnrol, support)
}

fn not_done(app: &App, why: &NotDone) -> Problem {
    let check = why.to_string();
    match why {
        NotDone::Refused(Refused::Stale) => {
            let support =
                app.refusals()
                    .note(app.now_ms(), "limbasiya-2020", Code::ClockSkew, &check);
            Problem::refused(StatusCode::FORBIDDEN, Code::ClockSkew, support)
        }
        NotDone::Refused(Refused::Full | Refused::TooManyUsers) => {
            Problem::busy(Code::Overloaded, check, 3_600)
        }
        NotDone::Refused(Refused::UnknownServer) => {
            Problem::new(StatusCode::CONFLICT, Code::CannotEnrol, check)
        }
        NotDone::Refused(Refused::UnknownUser | Refused::NotProved) => {
            let support = app.refusals().note(
                app.now_ms(),
                "limbasiya-2020",
                Code::AuthenticatorMismatch,
                &check,
            );
            Problem::refused(StatusCode::FORBIDDEN, Code::SignInRefused, support)
        }
        NotDone::Refused(Refused::Taken) => refused(app, Code::IdentityEnrolled, &check),
        NotDone::Vault(error) => {
            tracing::error!(event = "limbasiya_not_written", %error, "nothing can be registered");
            Problem::busy(
                Code::NodeNotReady,
                "the registration centre cannot write its rows; its operator sees why in the log",
                30,
            )
        }
    }
}

fn unserved(app: &App, why: &worker::Unserved) -> Problem {
    match why {
        worker::Unserved::Own(why) => not_done(app, why),
        worker::Unserved::Refused(why) => {
            Problem::new(StatusCode::CONFLICT, Code::ContractRefused, why.to_string())
        }
        worker::Unserved::Asked(_)
        | worker::Unserved::Malformed(_)
        | worker::Unserved::Disk(_)
        | worker::Unserved::State(_)
        | worker::Unserved::NotSaid(_)
        | worker::Unserved::Unsettled(_)
        | worker::Unserved::NoCentre => {
            tracing::warn!(event = "limbasiya_waits", cause = %why, "a server is not registered");
            Problem::busy(
                Code::TimedOut,
                "the registration is not on the ledger yet; ask again",
                5,
            )
        }
    }
}
