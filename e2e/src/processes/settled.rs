//! What must be true of a consortium whenever it has come to rest.

use std::time::Duration;

use bench::clock::wait_for;
use bench::consortium::{Consortium, Node};
use bench::load::Sample;
use serde_json::Value;

use crate::claims::{Verdict, ensure, ensure_equal};

/// How long catching up may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// A field of a status as text.
fn field(status: &Value, name: &str) -> String {
    status.get(name).map(Value::to_string).unwrap_or_default()
}

/// Every member tells the same height and the same state root.
pub(super) fn same_state(consortium: &Consortium) -> Verdict {
    let told = || -> Option<Vec<(String, String)>> {
        let one = |node: &Node| {
            let status = node.status()?;
            Some((field(&status, "height"), field(&status, "state_root")))
        };
        consortium.nodes.iter().map(one).collect()
    };
    let agreed = wait_for(PATIENCE, || {
        let told = told()?;
        let first = told.first()?.clone();
        told.iter().all(|other| *other == first).then_some(first)
    });
    let root_is_there = agreed.as_ref().is_some_and(|(_, root)| root.len() > 60);
    ensure(root_is_there, || {
        format!("heights and state roots did not become equal: {:?}", told())
    })
}

/// Every acknowledged transaction stands on every member's ledger, where the answer said.
pub(super) fn nothing_lost(consortium: &Consortium, samples: &[Sample]) -> Verdict {
    for node in &consortium.nodes {
        let mut connection = node.connection(node.member_api(), Duration::from_secs(10));
        for sample in samples {
            let Some(height) = sample.height else {
                continue;
            };
            let path = format!("/v1/transactions/{}", sample.hash);
            // A busy node asks to come back later; that is no loss.
            let answer = wait_for(Duration::from_secs(20), || {
                connection
                    .get(&path)
                    .ok()
                    .filter(|response| !matches!(response.status, 429 | 503))
            });
            let response = answer.ok_or_else(|| format!("{} does not answer {path}", node.name))?;
            let what = format!(
                "{} at {} (status {}: {})",
                sample.hash,
                node.name,
                response.status,
                String::from_utf8_lossy(&response.body)
            );
            let found = response.json().get("height").and_then(Value::as_u64);
            ensure_equal(&what, &found, &Some(height))?;
        }
    }
    Ok(())
}

/// Waits until every running member tells at least this height.
pub(super) fn reaches(consortium: &Consortium, height: u64, limit: Duration) -> Verdict {
    let running = || consortium.nodes.iter().filter(|node| node.child.is_some());
    let there = wait_for(limit, || {
        running()
            .all(|node| node.height() >= Some(height))
            .then_some(())
    });
    let heights = || {
        consortium
            .nodes
            .iter()
            .map(Node::height)
            .collect::<Vec<_>>()
    };
    ensure(there.is_some(), || {
        format!(
            "height {height} was not reached in {limit:?}: {:?}",
            heights()
        )
    })
}
