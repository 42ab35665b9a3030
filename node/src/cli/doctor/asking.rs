//! Asks this node and the other members now, over the interface that patients use.

use std::net::SocketAddr;
use std::thread;

use contract::SpkiHash;
use patient::client::{Client, Question, Url};
use patient::clock::{self, Stopwatch};
use patient::code::Code;
use patient::output::Failure;
use serde::Deserialize;

/// What doctor reads of `/v1/status`.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Status {
    pub(super) chain: String,
    pub(super) version: String,
    pub(super) protocol_version: u64,
    pub(super) height: u64,
    pub(super) epoch: u32,
    pub(super) state_root: String,
    pub(super) clock_ms: u64,
    pub(super) quorum: usize,
    pub(super) members: Vec<Seen>,
    pub(super) stalled: Option<String>,
    pub(super) votes_lost: Option<String>,
    pub(super) diverged: Option<String>,
}

/// A member as the asked node sees it.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Seen {
    pub(super) name: String,
    pub(super) up: bool,
    pub(super) clock_skew_ms: Option<i64>,
}

/// Whom to ask.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) name: String,
    pub(super) url: Url,
    pub(super) pin: SpkiHash,
}

/// What somebody said.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) name: String,
    pub(super) status: Result<Status, Failure>,
    /// How long the answer took.
    pub(super) took_ms: u64,
    /// The answerer's clock minus this machine's.
    pub(super) skew_ms: i64,
}

/// Asks all at once.
pub(super) fn ask(all: &[Asked]) -> Vec<Told> {
    thread::scope(|scope| {
        let asking: Vec<_> = all.iter().map(|one| scope.spawn(|| ask_one(one))).collect();
        asking
            .into_iter()
            .filter_map(|one| one.join().ok())
            .collect()
    })
}

fn ask_one(asked: &Asked) -> Told {
    let client = Client::pinned(asked.url.clone(), asked.pin);
    let (sent_ms, watch) = (clock::wall_ms(), Stopwatch::start());
    let answer = client.ask(Question::get("/v1/status"));
    let took = u64::try_from(watch.elapsed().as_millis()).unwrap_or(u64::MAX);
    let status = answer.and_then(|answer| answer.success()?.json::<Status>());
    let skew_ms = status
        .as_ref()
        .map_or(0, |status| skew(status.clock_ms, sent_ms, took));
    Told {
        name: asked.name.clone(),
        status,
        took_ms: took,
        skew_ms,
    }
}

/// How far another clock is off at least, when it was read somewhere in the time that an answer took.
fn skew(theirs_ms: u64, sent_ms: u64, took_ms: u64) -> i64 {
    let signed = |ms: u64| i64::try_from(ms).unwrap_or(i64::MAX);
    let (earliest, latest) = (signed(sent_ms), signed(sent_ms.saturating_add(took_ms)));
    let theirs = signed(theirs_ms);
    let ahead = theirs.saturating_sub(latest).max(0);
    let behind = theirs.saturating_sub(earliest).min(0);
    ahead.saturating_add(behind)
}

/// The address of this machine's own patient interface.
pub(super) fn own(listener: SocketAddr) -> Result<Url, Failure> {
    format!("https://{listener}")
        .parse()
        .map_err(|error| Failure::new(Code::BadSetting).because(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_answer_makes_no_clock_wrong() {
        assert_eq!(skew(10_900, 10_000, 1_000), 0);
        assert_eq!(skew(10_000, 10_000, 1_000), 0);
        assert_eq!(skew(11_200, 10_000, 1_000), 200);
        assert_eq!(skew(9_700, 10_000, 1_000), -300);
    }
}
