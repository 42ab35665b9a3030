//! Sign-in under AIDC-1: Me5 in and Me7 out; then Me9 in, the result to the ledger, and the answer out.

use std::sync::LazyLock;
use std::time::Duration;

use axum::{
    body::Body,
    http::{HeaderMap, StatusCode, Uri},
    response::Response,
};
use contract::{
    Aid, AuthResult, Blob, BlockTime, Height, IdCommitment, PatientRecord, PublicKey,
    RefusalReason, ServerClaim, SessionId, Status as Standing, SuiteId,
    contracts::identity::{Credential, Identity},
    encoding::{decode, encode},
    limits::ENCODED_BYTES_MAX,
};
use patient::code::Code;
use protocol::{
    Aidc1, Answered, Directory, Failed, Message as _, Pending as _, Reason, Suite, Timestamp,
    aidc1::{Evidence, Me5, Me9, Serving, Status, issue::SEALED_ID_BYTES},
};
use tokio::{sync::watch, time::timeout};

use super::{count, octets, refusal, refuse};
use crate::{
    collector::{AGAIN_MS, Fate, SOON_MS},
    http::{
        app::App,
        input::{self, Octets, Query},
        limits::{MESSAGE_BYTES, WAIT},
        problem::Problem,
        reads::Snapshot,
    },
    metrics::Step,
    outbox::key,
    sessions::handshakes::{Found, NoRoom},
};

/// Names the session of a confirmation.
const SESSION: &str = "aidchain-session";

/// What a confirmation brought about: the answer's octets, or why there is none.
pub(in crate::http) type Conclusion = Result<Vec<u8>, Problem>;

/// Me5 in, Me7 out.
pub(super) async fn hello(app: &App, bytes: Octets) -> Result<Response, Problem> {
    let node = app.clone();
    let answered = tokio::task::spawn_blocking(move || answer(&node, &bytes));
    let reply = answered.await.map_err(|_panicked| Problem::bug())??;
    Ok(octets(reply))
}

/// Reads Me5, asks the certified ledger, answers, and waits for Me9.
fn answer(app: &App, bytes: &[u8]) -> Result<Vec<u8>, Problem> {
    let watch = app.services().clock.elapsed();
    let me5 = Me5::parse(bytes).map_err(|why| malformed(app, &why.to_string()))?;
    if !app.handshakes().has_room() {
        forget(app);
        if !app.handshakes().has_room() {
            return Err(full(app));
        }
    }
    let now = Timestamp::from_millis(app.now_ms());
    let admitted = Aidc1::admit(&mut app.gate(), me5, now);
    let directory = Snapshot::of(app);
    let mut rng = patient::dice::seeded().map_err(|_error| Problem::bug())?;
    let answered = admitted.and_then(|admitted| {
        let epochs = &app.services().epochs;
        epochs.with(|server| Aidc1::answer(server, &directory, admitted, now, &mut rng))
    });
    observe(app, "answer", watch);
    let opened = match answered {
        Ok(opened) => opened,
        Err(failed) if failed.reason() == Reason::WrongEpoch => return Err(stale(app)),
        Err(failed) => return Err(refusal(app, failed.reason())),
    };
    let serving = match opened.state {
        Answered::AwaitConfirm(serving) => serving,
        Answered::Accepted(_) => return Err(Problem::bug()),
    };
    let kept = app.handshakes().insert(serving);
    kept.map_err(|NoRoom| full(app))?;
    Ok(opened.message.encode())
}

/// As many sign-ins wait for their patients as may.
fn full(app: &App) -> Problem {
    count(app, "refused", "busy");
    Problem::busy(Code::Overloaded, NoRoom.to_string(), 5)
}

/// Me9 in, the answer out. Nothing is read of a confirmation without a session: so strangers cost nothing here, and the
/// limits are those of the first message.
pub(super) async fn confirm(
    app: &App,
    address: &Uri,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let wait = Query::read(address, &["wait_ms"])?.wait()?.min(WAIT);
    let sid = session(headers)?;
    forget(app);
    if !app.handshakes().knows(&sid) {
        return Err(no_session(app));
    }
    let bytes = input::octets(headers, body, MESSAGE_BYTES).await?;
    let found = app.handshakes().confirm(&sid, &bytes);
    let mut conclusion = match found {
        Found::Nothing => return Err(no_session(app)),
        Found::Again(conclusion) => conclusion,
        Found::First(serving, teller) => {
            let conclusion = teller.subscribe();
            // A task of its own: it goes on when the patient's connection ends.
            tokio::spawn(conclude(app.clone(), serving, (bytes, wait), teller));
            conclusion
        }
    };
    let known = conclusion.wait_for(Option::is_some).await;
    let known = known.map_err(|_panicked| Problem::bug())?.clone();
    known.unwrap_or_else(|| Err(Problem::bug())).map(octets)
}

/// The session that a confirmation names.
fn session(headers: &HeaderMap) -> Result<SessionId, Problem> {
    let named = headers.get(SESSION).and_then(|value| value.to_str().ok());
    named.and_then(|text| text.parse().ok()).ok_or_else(|| {
        Problem::bad(
            Code::Usage,
            format!("the header {SESSION} must name the session, as 64 hexadecimal digits"),
        )
    })
}

/// Sees a sign-in to its end and tells everybody who asks.
async fn conclude(
    app: App,
    serving: Box<Serving>,
    (bytes, wait): (Octets, Duration),
    teller: watch::Sender<Option<Conclusion>>,
) {
    let mut stop = app.stop();
    let conclusion = tokio::select! {
        conclusion = reach(&app, serving, bytes, wait) => conclusion,
        _ = stop.wait_for(|stop| *stop) => {
            Err(Problem::busy(Code::NodeNotReady, "this node is stopping", 5))
        }
    };
    teller.send_replace(Some(conclusion));
}

async fn reach(app: &App, serving: Box<Serving>, bytes: Octets, wait: Duration) -> Conclusion {
    let node = app.clone();
    let accepted = tokio::task::spawn_blocking(move || accept(&node, *serving, &bytes));
    let evidence = accepted.await.map_err(|_panicked| Problem::bug())??;
    let watch = app.services().clock.elapsed();
    let sid = evidence.result.sid;
    if let Err(full) = app.sessions().insert(sid, app.now_ms()) {
        tracing::debug!(%full, "the session is not known as pending");
    }
    let status = hand_in(app, evidence.result, wait).await?;
    observe(app, "record", watch);
    count(app, "ok", "none");
    Ok(evidence.answering.answer(status).encode())
}

/// Checks Me9, and keeps the ID if there is one; waits for the disk then.
fn accept(app: &App, serving: Serving, bytes: &[u8]) -> Result<Evidence, Problem> {
    let watch = app.services().clock.elapsed();
    let now_ms = app.now_ms();
    let aid = *serving.aid();
    let me9 = Me9::parse(bytes).map_err(|why| {
        report(app, aid, RefusalReason::NoConfirmation);
        malformed(app, &why.to_string())
    })?;
    let finished = serving.finish(&me9, Timestamp::from_millis(now_ms));
    observe(app, "confirm", watch);
    let refused = |failed: Failed| {
        let reason = if failed.reason() == Reason::Expired {
            RefusalReason::Clock
        } else {
            RefusalReason::NoConfirmation
        };
        report(app, aid, reason);
        refusal(app, failed.reason())
    };
    let evidence = finished.map_err(refused)?.evidence;
    if let Some(id) = &evidence.id {
        let whose = (evidence.result.aid, evidence.result.sid);
        let kept = app.identified().note(now_ms, whose, id);
        kept.map_err(|error| {
            tracing::error!(event = "identity_not_written", %error, "an identified sign-in cannot be kept");
            Problem::busy(
                Code::NodeNotReady,
                "this node cannot write its records; its operator sees why in the log",
                30,
            )
        })?;
    }
    Ok(evidence)
}

/// Sees to it that the result gets onto the ledger: it is there, or on this node's disk, when this returns.
async fn hand_in(app: &App, result: AuthResult, wait: Duration) -> Result<Status, Problem> {
    let collector = &app.services().collector;
    if wait.is_zero() {
        keep(app, &result, AGAIN_MS).await?;
        drop(collector.hand_in(result).await);
        return Ok(accepted(app));
    }
    let mut told = collector.hand_in(result.clone()).await;
    match timeout(wait, &mut told).await {
        Ok(Ok(Fate::Recorded(height))) => Ok(Status::Recorded(height)),
        Ok(Ok(Fate::Never(why))) => Err(refuse(
            app,
            Code::ContractRefused,
            "contract",
            &why.to_string(),
        )),
        Ok(Ok(Fate::Open) | Err(_)) => {
            keep(app, &result, SOON_MS).await?;
            Ok(accepted(app))
        }
        Err(_elapsed) => {
            keep(app, &result, AGAIN_MS).await?;
            // It may have become known between the two: then the ledger has it, and says so when asked again.
            if told.try_recv().is_ok() {
                app.services().outbox.postpone(&key(&result), 0);
            }
            Ok(accepted(app))
        }
    }
}

/// Accepted, and handed in with this as the last certified block.
fn accepted(app: &App) -> Status {
    Status::Accepted(app.services().ledger.certified().height)
}

/// Writes a result to this node's disk.
async fn keep(app: &App, result: &AuthResult, again_in_ms: u64) -> Result<(), Problem> {
    let (node, result) = (app.clone(), result.clone());
    let again_ms = app.now_ms().saturating_add(again_in_ms);
    let kept =
        tokio::task::spawn_blocking(move || node.services().outbox.put(&result, again_ms)).await;
    kept.map_err(|_panicked| Problem::bug())?.map_err(|error| {
        tracing::error!(event = "result_not_kept", %error, "an accepted sign-in is not kept");
        Problem::busy(
            Code::ResultPending,
            "this node cannot promise that the sign-in reaches the ledger; ask for its session in a minute",
            30,
        )
    })
}

/// Forgets sign-ins whose time is over.
fn forget(app: &App) {
    let silent = app.handshakes().expire(app.now_ms());
    for aid in silent {
        count(app, "refused", "confirmation");
        report(app, aid, RefusalReason::NoConfirmation);
    }
}

/// Tells the ledger, if the operator wants it told, of a refusal after this AID's key made the first message.
fn report(app: &App, aid: Aid, reason: RefusalReason) {
    let services = app.services();
    services.reports.tell(|| ServerClaim {
        suite: SuiteId::AIDC_1,
        server_id: services.server_id(),
        at: BlockTime::new(app.now_ms()),
        reason,
        aid: Some(aid),
    });
}

/// How long a step took.
fn observe(app: &App, step: &'static str, since: Duration) {
    let services = app.services();
    let spent = services.clock.elapsed().saturating_sub(since);
    let durations = &services.metrics.auth_duration;
    durations
        .get_or_create(&Step { step })
        .observe(spent.as_secs_f64());
}

/// The neutral refusal of octets that are no message.
fn malformed(app: &App, check: &str) -> Problem {
    refuse(app, Code::RequestMalformed, "malformed", check)
}

/// The neutral refusal of a confirmation that finds no session.
fn no_session(app: &App) -> Problem {
    refuse(
        app,
        Code::NoSuchSession,
        "session",
        "no sign-in waits for this message",
    )
}

/// The message was made for a key that this node does not have; it tells nothing about anybody.
fn stale(app: &App) -> Problem {
    count(app, "refused", "epoch");
    Problem::new(
        StatusCode::CONFLICT,
        Code::StaleServerRecord,
        Code::StaleServerRecord.title(),
    )
}

/// Certified reads as the suite asks for them.
impl Directory<PatientRecord> for Snapshot {
    /// An AID that is missing costs what one that is there costs: in its place, a record of no AID is read.
    fn resolve(&self, aid: &Aid) -> Option<PatientRecord> {
        let bytes = self.encoded(aid).unwrap_or_else(|| STAND_IN.clone());
        let identity: Option<Identity> = decode(&bytes, ENCODED_BYTES_MAX).ok();
        match identity?.credential {
            Credential::Aidc1(record) => Some(record),
            Credential::Wu2021 { .. } => None,
        }
    }

    fn height(&self) -> Height {
        self.at()
    }
}

/// A record of the usual size under no AID.
static STAND_IN: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let credential = Credential::Aidc1(PatientRecord {
        aid: Aid::new([0; 32]),
        pk_dh: PublicKey::new([0; 32]),
        pk_sig: PublicKey::new([0; 32]),
        pk_recovery: PublicKey::new([0; 32]),
        status: Standing::Revoked,
        epoch: 0,
        c_id: Blob::new(vec![0; SEALED_ID_BYTES]),
        id_commit: IdCommitment::new([0; 32]),
    });
    encode(&Identity {
        credential,
        since: Height::new(0),
        changed: Height::new(0),
    })
});
