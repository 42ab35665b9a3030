//! A terminal that holds a newer certificate than this node: the node catches up first, or says that it is behind.
//!
//! Serving from an older state would refuse who enrolled a moment ago, and accept who was revoked.

use axum::http::HeaderMap;
use contract::Height;
use patient::{client::KNOWN_HEIGHT, code::Code};

use super::{app::App, limits, problem::Problem};

/// Waits until this node's certified ledger reaches the height that the terminal names, for [`limits::CATCH_UP`] at most.
pub(super) async fn abreast(app: &App, headers: &HeaderMap) -> Result<(), Problem> {
    let Some(known) = named(headers)? else {
        return Ok(());
    };
    let mut heights = app.services().ledger.subscribe();
    let here = *heights.borrow_and_update();
    if here >= known {
        return Ok(());
    }
    // Beyond the votes' window a height is not reached while somebody waits, if it exists at all.
    let window = app.services().term.borrow().rules.water_mark_window;
    if known.get().saturating_sub(here.get()) <= window {
        let reached = heights.wait_for(|height| *height >= known);
        if let Ok(Ok(_height)) = tokio::time::timeout(limits::CATCH_UP, reached).await {
            return Ok(());
        }
    }
    let here = app.services().ledger.certified().height;
    Err(Problem::busy(
        Code::NodeBehind,
        format!("this node is at block {here}, and the terminal knows block {known}"),
        2,
    ))
}

/// The height that the terminal names, if it names one.
fn named(headers: &HeaderMap) -> Result<Option<Height>, Problem> {
    let Some(value) = headers.get(KNOWN_HEIGHT) else {
        return Ok(None);
    };
    let number = value.to_str().ok().and_then(|text| text.parse().ok());
    let height = number.map(Height::new);
    height.map(Some).ok_or_else(|| {
        Problem::bad(
            Code::Usage,
            format!("the header {KNOWN_HEIGHT} must name a block's height in decimal"),
        )
    })
}
