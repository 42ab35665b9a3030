//! `GET /v1/events`: one event a certified block, with the height as its id, so that a reader resumes where it stopped.

use std::{convert::Infallible, time::Duration};

use axum::{
    extract::State,
    http::HeaderMap,
    response::sse::{Event, KeepAlive, Sse},
};
use contract::Height;
use futures::{Stream, stream};
use serde_json::json;
use tokio::sync::OwnedSemaphorePermit;

use super::{app::App, listener::stopped, problem::Problem, reads, status};

/// Blocks that a reader is told about after a pause; earlier ones it reads as pages.
const CATCH_UP: u64 = 200;
/// When a browser should come back after a broken stream.
const RETRY: Duration = Duration::from_secs(3);
/// How often a quiet stream says that it is alive.
const ALIVE: Duration = Duration::from_secs(15);

/// One reader of the stream.
struct Reader {
    /// The node.
    app: App,
    /// Newest certified heights.
    heights: tokio::sync::watch::Receiver<Height>,
    /// The next height to tell.
    next: Height,
    /// Its place among the streams.
    _room: OwnedSemaphorePermit,
}

/// The stream.
pub(super) async fn events(
    State(app): State<App>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let room = app.admit_stream()?;
    let mut heights = app.services().ledger.subscribe();
    let tip = heights.borrow_and_update().get();
    let seen = headers
        .get("last-event-id")
        .and_then(|id| id.to_str().ok()?.parse::<u64>().ok());
    let next = seen
        .map_or(tip, |seen| seen.saturating_add(1))
        .max(tip.saturating_sub(CATCH_UP));
    let reader = Reader {
        app,
        heights,
        next: Height::new(next),
        _room: room,
    };
    let alive = KeepAlive::new().interval(ALIVE);
    Ok(Sse::new(stream::unfold(reader, next_event)).keep_alive(alive))
}

/// The next block's event, once it is certified; the end when the node stops.
async fn next_event(mut reader: Reader) -> Option<(Result<Event, Infallible>, Reader)> {
    let mut stop = reader.app.stop();
    while *reader.heights.borrow_and_update() < reader.next {
        tokio::select! {
            changed = reader.heights.changed() => changed.ok()?,
            () = stopped(&mut stop) => return None,
        }
    }
    let event = event(&reader.app, reader.next)?;
    reader.next = reader.next.next();
    Some((Ok(event), reader))
}

/// What a reader learns of a block: counts and no identities, since any role may listen.
fn event(app: &App, height: Height) -> Option<Event> {
    let block = reads::block(app, height).ok()??;
    let status = app.services().status.borrow().clone();
    let document = json!({
        "schema": "aidchain.event/1", "height": height, "hash": block.header.hash(), "time_ms": block.header.time,
        "transactions": block.outcomes.len(),
        "counters": {
            "height": height.to_string(),
            "view": format!("{}, primary {}", status.view, status.primary),
            "progress": status::progress(app),
        },
    });
    Some(
        Event::default()
            .id(height.to_string())
            .event("block")
            .retry(RETRY)
            .data(document.to_string()),
    )
}
