//! One client of the registry: chooses an AID and a deed by chance, and writes down what came of it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bench::clock::Moment;
use bench::consortium::Node;
use bench::http::{Connection, Response};
use contract::{Refused, TransactionHash};
use serde_json::Value;

use super::signing::{Registrar, number_in};
use super::{Event, Shared};
use crate::dice::Dice;
use crate::jepsen::linear::Span;
use crate::jepsen::register::{Asked, Deed, Entry, Said};

/// How long an answer may take before the call counts as one whose fate nobody knows.
const PATIENCE: Duration = Duration::from_secs(12);

/// Asks the node to hold the answer until the block is certified.
const PATH: &str = "/v1/transactions?wait_ms=10000";

/// Calls before the clients turn to new AIDs.
const CALLS_PER_GROUP: u64 = 60;

/// AIDs that the clients race for at a time.
const GROUP: u64 = 3;

/// Refusals that a register can give.
const REFUSALS: [Refused; 3] = [
    Refused::AlreadyRegistered,
    Refused::UnknownAid,
    Refused::NotActive,
];

/// A client of one member.
pub(super) struct Client {
    registrar: Registrar,
    connection: Connection,
    shared: Arc<Shared>,
    dice: Dice,
}

/// What became of a call.
enum Fate {
    /// It was answered, from this height.
    Answered(Said, Option<u64>),
    /// It may have happened, or may happen yet.
    Unknown,
    /// It did surely not happen.
    Never,
}

impl Client {
    /// A client.
    pub(super) fn new(node: &Node, registrar: Registrar, shared: Arc<Shared>, seed: u64) -> Self {
        Self {
            registrar,
            connection: node.connection(node.member_api(), PATIENCE),
            shared,
            dice: Dice::new(seed),
        }
    }

    /// Calls until told to stop.
    pub(super) fn run(mut self) {
        while !self.shared.stop.load(Ordering::Relaxed) {
            let event = self.call();
            let failed = event.as_ref().is_none_or(|event| event.height.is_none());
            if let (Some(event), Ok(mut events)) = (event, self.shared.events.lock()) {
                events.push(event);
            }
            let pause = if failed { 200 } else { 60 };
            std::thread::sleep(Duration::from_millis(
                self.dice.below(pause).saturating_add(20),
            ));
        }
    }

    /// One call; nothing when it did surely not happen.
    fn call(&mut self) -> Option<Event> {
        let call = self.shared.calls.fetch_add(1, Ordering::Relaxed);
        let number = u32::try_from(call).ok()?;
        let group = call.checked_div(CALLS_PER_GROUP)?.checked_mul(GROUP)?;
        let key = u32::try_from(group.checked_add(self.dice.below(GROUP))?).ok()?;
        let (deed, fresh) = match self.dice.below(10) {
            0..=3 => (Deed::Register(number), true),
            4 => (Deed::Revoke, true),
            5..=7 => (Deed::Read, true),
            _ => (Deed::Read, false),
        };
        let transaction = match deed {
            Deed::Register(number) => Some(self.registrar.register(key, number).ok()?),
            Deed::Revoke => Some(self.registrar.revoke(key, number)),
            Deed::Read => None,
        };
        let invoked = self.shared.now();
        let fate = match &transaction {
            Some(signed) => self.write(signed.as_bytes(), signed.hash()),
            // A read that must not be older than what any client knows, or one that may be as old as it likes.
            None if fresh => self.read(key, Some(self.shared.known.load(Ordering::SeqCst))),
            None => self.read(key, None),
        };
        let (said, height) = match fate {
            Fate::Answered(said, height) => (Some(said), height),
            Fate::Unknown => (None, None),
            Fate::Never => return None,
        };
        self.shared.told(height);
        let returned = said.map(|_| self.shared.now());
        Some(Event {
            key,
            span: Span {
                call: Asked { deed, said },
                invoked,
                returned,
            },
            height,
            transaction: transaction.map(|signed| *signed.hash()),
            fresh,
        })
    }

    /// Submits a transaction and waits for its block.
    fn write(&mut self, bytes: &[u8], hash: &TransactionHash) -> Fate {
        let headers = [("content-type", "application/octet-stream")];
        let answer = self.connection.request("POST", PATH, &headers, bytes);
        let Ok(response) = answer else {
            return Fate::Unknown;
        };
        let document = response.json();
        if response.status == 200 && document.get("hash") == Some(&Value::from(hash.to_string())) {
            let height = document.get("height").and_then(Value::as_u64);
            return outcome(&document).map_or(Fate::Unknown, |said| Fate::Answered(said, height));
        }
        // A pool that did not take it, for its own sake, has kept nothing of it.
        if matches!(response.status, 429 | 503) {
            return Fate::Never;
        }
        Fate::Unknown
    }

    /// Reads what is under an AID; where a height is known, until it is answered from there or later.
    fn read(&mut self, key: u32, known: Option<u64>) -> Fate {
        let path = format!("/v1/identities/{}", self.registrar.aid(key));
        let named = known.map(|known| ("aidchain-known-height", known.to_string()));
        let headers: Vec<(&str, &str)> = named
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let began = Moment::now();
        while began.elapsed() < PATIENCE {
            let answer = self.connection.request("GET", &path, &headers, &[]);
            let seen = answer.ok().and_then(|response| entry(&response));
            if let Some((entry, height)) = seen {
                return Fate::Answered(Said::Saw(entry), Some(height));
            }
            if known.is_none() {
                return Fate::Never;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Fate::Never
    }
}

/// What the contract said; nothing when it was not asked, such as for a transaction that came too late.
pub(super) fn outcome(document: &Value) -> Option<Said> {
    let outcome = document.get("outcome")?;
    if outcome.get("status")? == "done" {
        return Some(Said::Done);
    }
    let reason = outcome.get("reason")?.as_str()?;
    let refused = REFUSALS
        .into_iter()
        .find(|refused| refused.to_string() == reason)?;
    Some(Said::Refused(refused))
}

/// What stands under an AID, and the height that says so.
fn entry(response: &Response) -> Option<(Entry, u64)> {
    let height = response.header("aidchain-certified-height")?.parse().ok()?;
    if response.status == 404 {
        return Some((Entry::Absent, height));
    }
    let document = response.json();
    let number = number_in(document.pointer("/fields/commitment_to_the_id")?.as_str()?)?;
    let entry = match document.get("status")?.as_str()? {
        "active" => Entry::Active(number),
        "revoked" => Entry::Revoked(number),
        _ => return None,
    };
    Some((entry, height))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn response(status: u16, body: &Value) -> Response {
        Response {
            status,
            headers: vec![("aidchain-certified-height".to_owned(), "9".to_owned())],
            body: body.to_string().into_bytes(),
        }
    }

    #[test]
    fn an_identity_that_is_absent_is_read_at_its_height_too() {
        assert_eq!(entry(&response(404, &json!({}))), Some((Entry::Absent, 9)));
    }

    #[test]
    fn the_record_and_its_status_are_read() {
        let commitment = format!("05000000{}", "00".repeat(28));
        let body = json!({ "status": "revoked", "fields": { "commitment_to_the_id": commitment } });

        assert_eq!(entry(&response(200, &body)), Some((Entry::Revoked(5), 9)));
    }

    #[test]
    fn a_refusal_is_told_from_one_that_the_contract_never_saw() {
        let refused = |why: Refused| {
            outcome(&json!({ "outcome": { "status": "refused", "reason": why.to_string() } }))
        };

        assert_eq!(
            refused(Refused::AlreadyRegistered),
            Some(Said::Refused(Refused::AlreadyRegistered))
        );
        assert_eq!(refused(Refused::Expired), None);
    }
}
