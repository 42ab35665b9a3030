//! The papers on a research ledger.

use std::sync::Arc;

use axum::{
    Extension,
    extract::{Path, State},
    http::{StatusCode, header},
    response::IntoResponse as _,
};
use patient::code::Code;
use research::paper::csv::csv;
use research::paper::grid::{Grid, grids};

use super::{Instead, Page, explain, failed, page};
use crate::{
    access::Role,
    explorer::{attacks, glance::Seen, layout::Place, notice::Notice, paper},
    http::{app::App, problem::Problem},
};

/// `GET /research`
pub(crate) async fn research_page(
    State(app): State<App>,
    Extension(role): Extension<Role>,
) -> Page {
    only_on_research_ledgers(&app, role)?;
    let seen = look(&app, role).await?;
    let body = paper::body(&seen);
    Ok(page(&app, role, Place::Research, "Research", &body))
}

/// `GET /research/tables/{name}.csv`: one table as it stands on the page.
pub(crate) async fn table_csv(
    State(app): State<App>,
    Extension(role): Extension<Role>,
    Path(file): Path<String>,
) -> Page {
    only_on_research_ledgers(&app, role)?;
    let seen = look(&app, role).await?;
    let grids = grids(&seen.report);
    let named = |grid: &&Grid| file.strip_suffix(".csv") == Some(grid.name);
    let Some(grid) = grids.iter().find(named) else {
        let problem = Problem::not_found(Code::NoSuchRoute, "There is no table of this name.");
        return Err(failed(&app, role, &problem));
    };
    let kind = (header::CONTENT_TYPE, "text/csv; charset=utf-8");
    Ok(([kind], csv(grid)).into_response())
}

/// The tables with times not older than a minute.
async fn look(app: &App, role: Role) -> Result<Arc<Seen>, Instead> {
    let (node, now_ms) = (app.clone(), app.now_ms());
    let looked = tokio::task::spawn_blocking(move || node.glance().look(now_ms)).await;
    if let Ok(Ok(seen)) = looked {
        return Ok(seen);
    }
    let problem = Problem::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        Code::Bug,
        "the paper's tables could not be done again",
    );
    Err(failed(app, role, &problem))
}

/// `GET /research/attacks`
pub(crate) async fn attacks_page(State(app): State<App>, Extension(role): Extension<Role>) -> Page {
    only_on_research_ledgers(&app, role)?;
    Ok(page(
        &app,
        role,
        Place::Research,
        "Attacks",
        &attacks::body(),
    ))
}

/// A secure ledger says where the papers are.
fn only_on_research_ledgers(app: &App, role: Role) -> Result<(), Instead> {
    if app.genesis().kind() == contract::Kind::Research {
        return Ok(());
    }
    let notice = Notice::new(
        "No papers on this ledger",
        "It runs AIDC-1 alone. The published suites, which are insecure, run on research ledgers, and their tables and \
         attacks stand there.",
    )
    .link("Back to the overview", "/");
    let page = explain(app, role, StatusCode::NOT_FOUND, &notice);
    Err(Instead(Box::new(page)))
}
