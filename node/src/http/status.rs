//! `GET /v1/status`: which ledger, which node, who is here, who is missing.

use axum::{Json, extract::State};
use serde_json::{Value, json};

use super::app::App;
use crate::status::{NodeStatus, WaterMarks};

/// The same answer on the patient API and the member API.
pub(super) async fn status(State(app): State<App>) -> Json<Value> {
    let services = app.services();
    let genesis = app.genesis();
    let status = services.status.borrow().clone();
    let tip = services.ledger.certified();
    let timer = timer(&app, &status);
    let rules = services.term.borrow().rules.protocol_version;
    let suites: Vec<String> = genesis.suites().iter().map(ToString::to_string).collect();
    let role = services.me.role.to_string();
    let members: Vec<Value> = status
        .members
        .iter()
        .map(|member| {
            json!({
                "name": member.name, "role": member.role, "up": member.up, "last_seen_ms": member.last_seen_ms,
                "height": member.height, "clock_skew_ms": member.clock_skew_ms,
                "lowest_block": member.lowest, "build": member.build,
            })
        })
        .collect();
    Json(json!({
        "schema": "aidchain.status/1",
        "chain": genesis.chain(), "kind": genesis.kind(), "name": genesis.name(),
        "node": { "name": services.config.name, "role": role, "index": status.index },
        "version": env!("CARGO_PKG_VERSION"), "protocol_version": rules,
        "height": tip.height, "epoch": status.epoch, "view": status.view, "primary": status.primary,
        "lowest_block": services.ledger.lowest(), "disk_bytes": services.metrics.storage_size.get(),
        "executed": status.executed, "state_root": tip.header.state_root, "quorum": status.quorum,
        "members": members, "missing": status.missing, "phase": status.phase, "timer": timer,
        "water_marks": status.water_marks, "open": status.open, "changed_view": status.changed_view,
        "stalled": status.stalled, "votes_lost": status.votes_lost, "diverged": status.diverged,
        "suites": suites, "clock_ms": app.now_ms(),
    }))
}

/// The timer that runs out next, as of now.
fn timer(app: &App, status: &NodeStatus) -> Option<String> {
    let now = app.services().clock.elapsed();
    status.timer.as_ref().map(|timer| timer.words(now))
}

/// The line that says how it stands and who blocks us, for pages.
pub(crate) fn progress(app: &App) -> String {
    let status = app.services().status.borrow().clone();
    let names = |names: &[String]| match names {
        [] => "nobody".to_owned(),
        names => names.join(", "),
    };
    let mut parts = vec![
        format!("View {}", status.view),
        format!("primary {}", status.primary),
        status.phase.clone(),
    ];
    if let Some(open) = status.open.first() {
        let (here, missing) = (names(&open.present), names(&open.missing));
        parts.push(format!("here of {here}, not of {missing}"));
    }
    if !status.missing.is_empty() {
        parts.push(format!("missing {}", names(&status.missing)));
    }
    parts.extend(timer(app, &status));
    let WaterMarks { low, high } = status.water_marks;
    parts.push(format!("votes above block {low}, up to {high}"));
    let line = parts.join(", ");
    match &status.changed_view {
        Some(why) => format!("{line}. The view was changed: {why}."),
        None => format!("{line}."),
    }
}
