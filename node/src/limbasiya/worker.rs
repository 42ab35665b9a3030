//! Registers this member at the RC and fetches its table: at the start, when somebody is met whom it does not have, and
//! once a minute (L-12). At the RC the centre is asked without a connection.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use contract::contracts::limbasiya::server_at;
use contract::{Call, LimbasiyaServer, Outcome, Refused, Role, ServerId, StateError};
use patient::client::{Client, Question};
use patient::output::Failure;
use protocol::limbasiya::{Joined, Rows, RowsRequest};
use protocol::{Malformed, Message, Timestamp};
use thiserror::Error;
use tokio::sync::watch;

use super::centre::NotDone;
use super::server::Server;
use super::{Limbasiya, MEMBER, PREFIX, SIGNATURE, sign};
use crate::clerk::{Clerk, NotSaid};
use crate::mempool::Unsettled;
use crate::services::Services;

/// How old a table gets.
const PERIOD: Duration = Duration::from_mins(1);
/// The least pause between two questions.
const BREATH: Duration = Duration::from_millis(250);
/// The pause after the first failure, which doubles up to the longest.
const PAUSE: Duration = Duration::from_millis(500);
const PAUSE_MAX: Duration = Duration::from_secs(30);
/// How long a registration may take to become final.
const FINAL: Duration = Duration::from_secs(20);

/// Why the RC could not be asked, or did not do it.
#[derive(Debug, Error)]
pub(crate) enum Unserved {
    /// The RC's answer, or that there is none.
    #[error("{}{}", .0.what(), .0.why().map(|why| format!(": {why}")).unwrap_or_default())]
    Asked(Failure),
    /// The RC of this home says no.
    #[error(transparent)]
    Own(#[from] NotDone),
    /// The answer is none.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// Nothing can be kept.
    #[error("cannot keep what the registration centre answered: {0}")]
    Disk(#[from] io::Error),
    /// The ledger cannot be read.
    #[error(transparent)]
    State(#[from] StateError),
    /// The ledger was not told.
    #[error(transparent)]
    NotSaid(#[from] NotSaid),
    /// The ledger did not decide in time.
    #[error(transparent)]
    Unsettled(#[from] Unsettled),
    /// The ledger refuses it.
    #[error("the ledger refused it: {0}")]
    Refused(Refused),
    /// Nobody is the RC of this epoch.
    #[error("no member of this epoch is the registration centre")]
    NoCentre,
}

/// Works until the node stops.
pub(super) async fn run(
    own: Arc<Limbasiya>,
    services: Services,
    mut stopped: watch::Receiver<bool>,
) {
    let Some(server) = own.server() else { return };
    tokio::select! {
        () = follow(&own, server, &services) => {}
        _ = stopped.wait_for(|stop| *stop) => {}
    }
}

async fn follow(own: &Limbasiya, server: &Server, services: &Services) {
    let mut pause = PAUSE;
    loop {
        let number = server.begin();
        let done = look(own, server, services).await;
        server.end(number);
        if let Err(cause) = done {
            tracing::warn!(event = "limbasiya_waits", %cause, "the table of limbasiya-2020 is not up to date");
            tokio::time::sleep(pause).await;
            pause = pause.saturating_mul(2).min(PAUSE_MAX);
            continue;
        }
        pause = PAUSE;
        tokio::time::sleep(BREATH).await;
        tokio::select! {
            () = server.missed() => {}
            () = tokio::time::sleep(PERIOD) => {}
        }
    }
}

/// Registers if that is still to be done, then fetches the table.
async fn look(own: &Limbasiya, server: &Server, services: &Services) -> Result<(), Unserved> {
    if let Some(request) = server.application() {
        let joined = if own.centre.is_some() {
            let id = services.server_id();
            join(own, services, (&id, &request)).await?
        } else {
            Joined::parse(&ask(services, "register_server", request.encode()).await?)?
        };
        server.join(joined)?;
        tracing::info!(
            event = "limbasiya_registered",
            "registered as a server of limbasiya-2020"
        );
    }
    let now = Timestamp::from_millis(services.clock.wall_ms());
    let request = RowsRequest {
        id: server.id(),
        t: now.as_millis().checked_div(1_000).unwrap_or(0),
    };
    let own_rows = own.centre().map(|centre| centre.rows(&request, now));
    let rows = match own_rows {
        Some(rows) => rows?,
        None => Rows::parse(&ask(services, "update_server_db", request.encode()).await?)?,
    };
    Ok(server.update(rows)?)
}

/// The RC registers a server: in its rows, then on the ledger, unless it is there.
pub(crate) async fn join(
    own: &Limbasiya,
    services: &Services,
    (id, request): (&ServerId, &protocol::limbasiya::JoinRequest),
) -> Result<Joined, Unserved> {
    let now = Timestamp::from_millis(services.clock.wall_ms());
    let joined = match own.centre() {
        Some(mut centre) => centre.register_server(request, now)?,
        None => return Err(Unserved::NoCentre),
    };
    if server_at(&services.ledger.state(), id)?.is_some() {
        return Ok(joined);
    }
    let call = Call::LimbasiyaServer(LimbasiyaServer {
        server_id: *id,
        id: request.id.as_str().to_owned(),
        place: request.loc.as_str().to_owned(),
    });
    let clerk = Clerk {
        ledger: services.ledger.clone(),
        submitter: services.submitter.clone(),
        keys: Arc::clone(&services.keys),
        clock: services.clock,
    };
    let ticket = clerk.say(services.server_id(), call).await?;
    match ticket.wait(FINAL).await?.outcome {
        Outcome::Done(_) | Outcome::Refused(Refused::AlreadyRegistered) => Ok(joined),
        Outcome::Refused(why) => Err(Unserved::Refused(why)),
    }
}

/// Asks the RC of the running epoch, under its pinned key.
async fn ask(services: &Services, what: &str, body: Vec<u8>) -> Result<Vec<u8>, Unserved> {
    let centre = {
        let term = services.term.borrow();
        let mut members = term.members.iter().map(|record| &record.member);
        members.find(|member| member.role == Role::Rc).cloned()
    };
    let centre = centre.ok_or(Unserved::NoCentre)?;
    let client = Client::of_member(&centre, None).map_err(Unserved::Asked)?;
    let path = format!("{PREFIX}/{what}");
    let chain = services.genesis.chain();
    let signature = sign(services.keys.member(), chain, (&path, &body));
    let question = Question::post(path, body)
        .header(MEMBER, services.server_id().to_string())
        .header(SIGNATURE, signature)
        .waits(FINAL);
    let answer = client.ask_async(question).await.map_err(Unserved::Asked)?;
    let answer = answer.success().map_err(Unserved::Asked)?;
    Ok(answer.body().to_vec())
}
