//! Sign-ins as a file: exactly the rows of the filter, page after page, with the height they were taken at.

use axum::{
    Extension,
    body::Body,
    extract::State,
    http::{HeaderName, HeaderValue, Uri, header},
    response::{IntoResponse as _, Response},
};
use futures::{StreamExt as _, stream};

use super::{Instead, failed};
use crate::{
    access::Role,
    explorer::{names::Names, results, views},
    http::{
        app::App,
        gate,
        input::Query,
        ledger::{self, RESULT_PARAMETERS},
        limits::EXPORT_MAX,
        problem::Problem,
        reads,
    },
    ledger::{PAGE_ROWS_MAX, ResultQuery, ResultRow},
};

/// The height that an export was taken at.
const AT: HeaderName = HeaderName::from_static("aidchain-at-height");

/// How far an export has come.
struct Progress {
    /// The node.
    app: App,
    /// What is asked for next; nothing when all was given.
    query: Option<ResultQuery>,
    /// Rows given.
    given: usize,
}

/// A kind of file: its type, its first line, and how a row is written.
struct Format {
    /// The media type.
    kind: &'static str,
    /// What stands above the rows.
    head: &'static str,
    /// One row.
    line: fn(&Names<'_>, &ResultRow) -> String,
}

/// `GET /results.csv`
pub(crate) async fn csv(
    State(app): State<App>,
    Extension(role): Extension<Role>,
    address: Uri,
) -> Result<Response, Instead> {
    let format = Format {
        kind: "text/csv; charset=utf-8",
        head: results::CSV_HEADER,
        line: |names, row| results::csv(&views::sign_in(names, row)),
    };
    export(app, role, &address, &format)
}

/// `GET /results.ndjson`
pub(crate) async fn ndjson(
    State(app): State<App>,
    Extension(role): Extension<Role>,
    address: Uri,
) -> Result<Response, Instead> {
    let format = Format {
        kind: "application/x-ndjson",
        head: "",
        line: |names, row| format!("{}\n", ledger::result(names, row)),
    };
    export(app, role, &address, &format)
}

/// The file, made while it is sent.
fn export(app: App, role: Role, address: &Uri, format: &Format) -> Result<Response, Instead> {
    let fail = |problem: Problem| failed(&app, role, &problem);
    let query = Query::read(address, &RESULT_PARAMETERS).map_err(fail)?;
    let mut asked = ledger::result_query(&app, &query).map_err(fail)?;
    gate::identities(&app, role, "export", asked.aid.as_ref()).map_err(fail)?;
    let at = asked
        .at_height
        .unwrap_or(app.services().ledger.certified().height);
    asked.at_height = Some(at);
    asked.limit = PAGE_ROWS_MAX;
    let progress = Progress {
        app,
        query: Some(asked),
        given: 0,
    };
    let (head, line) = (format.head, format.line);
    let pages = stream::unfold(progress, move |progress| async move {
        next_page(progress, line)
    });
    let first = stream::once(async move { Ok::<_, std::io::Error>(head.to_owned()) });
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(format.kind)),
        (AT, HeaderValue::from(at.get())),
        (
            header::CONTENT_DISPOSITION,
            HeaderValue::from_static("attachment"),
        ),
    ];
    Ok((headers, Body::from_stream(first.chain(pages))).into_response())
}

/// The next rows. A failing store breaks the file off, so that nobody takes a part for the whole.
fn next_page(
    mut progress: Progress,
    line: fn(&Names<'_>, &ResultRow) -> String,
) -> Option<(Result<String, std::io::Error>, Progress)> {
    let query = progress.query.take()?;
    let page = match reads::results(&progress.app, &query) {
        Ok(page) => page,
        Err(problem) => {
            return Some((
                Err(std::io::Error::other(problem.detail().to_owned())),
                progress,
            ));
        }
    };
    let names = progress.app.names();
    let lines: String = page.rows.iter().map(|row| line(&names, row)).collect();
    progress.given = progress.given.saturating_add(page.rows.len());
    let more = page.next.filter(|_| progress.given < EXPORT_MAX);
    progress.query = more.map(|cursor| ResultQuery {
        cursor: Some(cursor),
        ..query
    });
    Some((Ok(lines), progress))
}
