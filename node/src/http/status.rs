//! `GET /v1/status`: which ledger, which node, who is here, who is missing.

use axum::{Json, extract::State};
use serde_json::{Value, json};

use super::app::App;
use crate::status::NodeStatus;

/// The same answer on the patient API and the member API.
pub(super) async fn status(State(app): State<App>) -> Json<Value> {
    let services = app.services();
    let genesis = app.genesis();
    let status = services.status.borrow().clone();
    let tip = services.ledger.certified();
    let timer = timer(&app, &status);
    let suites: Vec<String> = genesis.suites().iter().map(ToString::to_string).collect();
    let role = genesis
        .member_named(&services.config.name)
        .map(|member| member.role.to_string());
    let members: Vec<Value> = status
        .members
        .iter()
        .map(|member| {
            json!({
                "name": member.name, "role": member.role, "up": member.up, "last_seen_ms": member.last_seen_ms,
                "height": member.height, "clock_skew_ms": member.clock_skew_ms,
            })
        })
        .collect();
    Json(json!({
        "schema": "aidchain.status/1",
        "chain": genesis.chain(), "kind": genesis.kind(), "name": genesis.name(),
        "node": { "name": services.config.name, "role": role, "index": status.index },
        "version": env!("CARGO_PKG_VERSION"), "protocol_version": genesis.parameters().protocol_version,
        "height": tip.height, "epoch": status.epoch, "view": status.view, "primary": status.primary,
        "executed": status.executed, "state_root": tip.header.state_root, "quorum": status.quorum,
        "members": members, "missing": status.missing, "phase": status.phase, "timer": timer,
        "stalled": status.stalled, "votes_lost": status.votes_lost, "diverged": status.diverged,
        "suites": suites, "clock_ms": app.now_ms(),
    }))
}

/// The timer that runs out next, as of now.
fn timer(app: &App, status: &NodeStatus) -> Option<String> {
    let now = app.services().clock.elapsed();
    status.timer.as_ref().map(|timer| timer.words(now))
}

/// The line that says who blocks us, for pages and logs.
pub(crate) fn progress(app: &App) -> String {
    let status = app.services().status.borrow().clone();
    let missing = match status.missing.as_slice() {
        [] => String::new(),
        names => format!(", missing {}", names.join(", ")),
    };
    let timer = timer(app, &status).map_or_else(String::new, |timer| format!(", {timer}"));
    format!("View {}, {}{missing}{timer}.", status.view, status.phase)
}
