//! A transaction in words: the one reading of a call that pages and JSON share.

use contract::{
    Author, Call, LimbasiyaServer, Outcome, Output, PatientRecord, Refused, ServerRecord,
    SignedTransaction,
    identity::{ServerId, SuiteId},
};

use serde_json::{Value as Json, json};

use super::{
    change,
    names::Names,
    parts::{Fact, State, Value},
    patients,
};

/// How sign-in records differ in what they rest on.
pub const SIGNED: &str = "signed by patient and server";
/// Both signed, and it reached the ledger after its window.
pub const LATE: &str = "late, signed by patient and server";
/// The papers' suites: nobody but the server vouches for the sign-in.
pub const LEGACY: &str = "legacy, the server's word alone";

/// A member by name and id.
fn server(names: &Names<'_>, id: &ServerId) -> Value {
    Value::Server(names.of(id), id.to_string())
}

/// A suite by number and name.
pub fn suite(id: SuiteId) -> String {
    let name = match id {
        SuiteId::AIDC_1 => "AIDC-1",
        SuiteId::WU_2021 => "Wu-2021, insecure",
        SuiteId::LIMBASIYA_2020 => "Limbasiya-2020, insecure",
        _ => "unknown",
    };
    format!("{id} ({name})")
}

/// The call in a few words.
pub fn call(transaction: &SignedTransaction) -> String {
    let call = transaction.call();
    match call.result_count() {
        0 => call.name().to_owned(),
        1 => format!("{} (1 sign-in)", call.name()),
        count => format!("{} ({count} sign-ins)", call.name()),
    }
}

/// The author in a few words.
pub fn author_name(names: &Names<'_>, author: &Author) -> String {
    match author {
        Author::Member(id) => names.of(id),
        Author::Patient(_) => "a patient".to_owned(),
    }
}

/// Who sent it, until when it was valid, in which version.
pub fn envelope(names: &Names<'_>, signed: &SignedTransaction) -> Vec<Fact> {
    let transaction = signed.transaction();
    let author = match transaction.author() {
        Author::Member(id) => server(names, id),
        Author::Patient(aid) => Value::Aid(*aid),
    };
    vec![
        Fact::new(
            "Hash",
            Value::Hash("transaction hash", signed.hash().to_string()),
        ),
        Fact::new("Author", author),
        Fact::new(
            "Author's key",
            Value::Hash("key", transaction.key().to_string()),
        ),
        Fact::new(
            "Signature",
            Value::Hash("signature", signed.signature().to_string()),
        ),
        Fact::new("Valid until", Value::Time(transaction.valid_until().get())),
        Fact::text("Size", format!("{} bytes", signed.as_bytes().len())),
    ]
}

/// What is asked, field by field; sign-ins stand in a table of their own.
pub fn fields(names: &Names<'_>, call: &Call) -> Vec<Fact> {
    match call {
        Call::Register(registration) => patient(&registration.record),
        Call::Revoke(aid) | Call::Shred(aid) => vec![Fact::new("Identity", Value::Aid(*aid))],
        Call::WuRegister(record) => vec![
            Fact::new("Identity", Value::Aid(record.aid)),
            Fact::new("ID", Value::ClearId(record.id.as_bytes().len())),
        ],
        Call::LimbasiyaServer(record) => limbasiya_server(names, record),
        Call::LimbasiyaUser(uid) => vec![
            Fact::new("Identity", Value::Aid(*uid)),
            Fact::text("Suite", suite(SuiteId::LIMBASIYA_2020)),
        ],
        Call::SetServer(record) => server_record(names, record),
        Call::Results(_) | Call::LateResults(_) | Call::LegacyResults(_) => Vec::new(),
        Call::RegisterBatch(_)
        | Call::Replace(_)
        | Call::Recovery(_)
        | Call::Claim(_)
        | Call::ServerClaims(_)
        | Call::Disclosure(_) => patients::fields(names, call),
        Call::ProposeChange(_)
        | Call::ApproveChange(_)
        | Call::CancelChange(_)
        | Call::Ready { .. }
        | Call::Rejoin { .. }
        | Call::Evidence(_) => change::fields(names, call),
    }
}

/// A patient's record.
pub fn patient(record: &PatientRecord) -> Vec<Fact> {
    vec![
        Fact::new("Identity", Value::Aid(record.aid)),
        Fact::new(
            "Handshake key",
            Value::Hash("handshake key", record.pk_dh.to_string()),
        ),
        Fact::new(
            "Signing key",
            Value::Hash("signing key", record.pk_sig.to_string()),
        ),
        Fact::new(
            "Recovery key",
            Value::Hash("recovery key", record.pk_recovery.to_string()),
        ),
        Fact::text("Replaced before", format!("{} times", record.epoch)),
        Fact::new("Sealed ID", Value::Bytes(record.c_id.as_bytes().to_vec())),
        Fact::new(
            "Commitment to the ID",
            Value::Hash("commitment", record.id_commit.to_string()),
        ),
    ]
}

/// A server's record.
fn server_record(names: &Names<'_>, record: &ServerRecord) -> Vec<Fact> {
    let suites: Vec<String> = record.suites.iter().map(|id| suite(*id)).collect();
    vec![
        Fact::new("Server", server(names, &record.server_id)),
        Fact::new(
            "Member key",
            Value::Hash("key", record.node_key.to_string()),
        ),
        Fact::new(
            "Handshake key",
            Value::Hash("handshake key", record.dh_epoch_key.to_string()),
        ),
        Fact::text("Key epoch", record.key_epoch.to_string()),
        Fact::new("Valid from", Value::Time(record.not_before.get())),
        Fact::new("Valid until", Value::Time(record.not_after.get())),
        Fact::text("Suites", suites.join(", ")),
    ]
}

/// A server of the second paper, as the RC registered it.
fn limbasiya_server(names: &Names<'_>, record: &LimbasiyaServer) -> Vec<Fact> {
    vec![
        Fact::new("Server", server(names, &record.server_id)),
        Fact::text("Name in the scheme", record.id.clone()),
        Fact::text("Place", record.place.clone()),
        Fact::text("Suite", suite(SuiteId::LIMBASIYA_2020)),
    ]
}

/// What came of it.
pub fn outcome(outcome: &Outcome, call: &Call) -> State {
    match outcome {
        Outcome::Done(Output::Written) => State::Good("executed".to_owned()),
        Outcome::Done(Output::EpochEnds { last }) => {
            State::Good(format!("executed: the epoch ends with block {last}"))
        }
        Outcome::Done(Output::Recorded { refused }) if refused.is_empty() => {
            State::Good("recorded".to_owned())
        }
        Outcome::Done(Output::Recorded { refused }) => {
            let all = call.entry_count().unwrap_or(0);
            let text = format!(
                "{} of {all} recorded; the first refused: {}",
                all.saturating_sub(refused.len()),
                first(refused)
            );
            if refused.len() >= all {
                State::Bad(text)
            } else {
                State::Warn(text)
            }
        }
        Outcome::Refused(why) => State::Bad(format!("refused: {why}")),
    }
}

/// What came of it, for JSON.
pub fn outcome_json(outcome: &Outcome) -> Json {
    match outcome {
        Outcome::Done(Output::Written) => json!({ "status": "done" }),
        Outcome::Done(Output::EpochEnds { last }) => {
            json!({ "status": "done", "epoch_ends_at": last.get() })
        }
        Outcome::Done(Output::Recorded { refused }) => {
            let refused: Vec<Json> = refused
                .iter()
                .map(|(at, why)| json!({ "entry": at, "reason": why.to_string() }))
                .collect();
            json!({ "status": "done", "refused": refused })
        }
        Outcome::Refused(why) => json!({ "status": "refused", "reason": why.to_string() }),
    }
}

/// Facts for JSON: the same values under the same labels, in snake case. An ID in clear stays a number of bytes here too.
pub fn fields_json(facts: &[Fact]) -> Json {
    let entry = |fact: &Fact| {
        (
            fact.label
                .to_lowercase()
                .replace("'s", "")
                .replace(' ', "_"),
            value_json(&fact.value),
        )
    };
    Json::Object(facts.iter().map(entry).collect())
}

/// One value for JSON.
fn value_json(value: &Value) -> Json {
    match value {
        Value::Text(text) | Value::Hash(_, text) | Value::Transaction(text) => json!(text),
        Value::Aid(aid) => json!(aid),
        Value::Time(ms) => json!(ms),
        Value::Height(height) => json!(height),
        Value::Server(name, id) => json!({ "name": name, "id": id }),
        Value::ClearId(bytes) => json!({ "in_clear_bytes": bytes }),
        Value::Bytes(bytes) => json!(hex::encode(bytes)),
    }
}

/// The first reason of a bundle.
fn first(refused: &[(u32, Refused)]) -> String {
    refused
        .first()
        .map_or_else(String::new, |(_, why)| why.to_string())
}

#[cfg(test)]
mod tests {
    use contract::{
        Blob, LegacyResult, Transaction, WuRecord,
        identity::{Aid, BlockTime, ChainId, SessionId},
    };
    use ed25519_dalek::SigningKey;

    use super::*;

    fn sent(call: Call) -> SignedTransaction {
        let author = Author::Member(ServerId::new([3; 32]));
        let chain = ChainId::new([1; 32]);
        Transaction::new(chain, author, BlockTime::new(60_000), [0; 8], call)
            .sign(&SigningKey::from_bytes(&[7; 32]))
    }

    fn legacy() -> LegacyResult {
        LegacyResult {
            suite: SuiteId::WU_2021,
            server_id: ServerId::new([3; 32]),
            aid: Aid::new([4; 32]),
            t1: BlockTime::new(1),
            t3: BlockTime::new(2),
            sid: SessionId::new([5; 32]),
        }
    }

    #[test]
    fn the_id_of_a_research_registration_is_counted_and_not_quoted() {
        let record = WuRecord {
            aid: Aid::new([4; 32]),
            id: Blob::new(b"Ada Lovelace".to_vec()),
        };
        let genesis = crate::http::testing::genesis(contract::Kind::Research);
        let facts = fields(&Names::of_founders(&genesis), &Call::WuRegister(record));

        assert_eq!(facts[1], Fact::new("ID", Value::ClearId(12)));
        assert!(!format!("{facts:?}").contains("Lovelace"));
    }

    #[test]
    fn a_call_says_how_many_sign_ins_it_carries() {
        assert_eq!(
            call(&sent(Call::LegacyResults(vec![legacy()]))),
            "legacy-results (1 sign-in)"
        );
        assert_eq!(
            call(&sent(Call::LegacyResults(vec![legacy(); 3]))),
            "legacy-results (3 sign-ins)"
        );
        assert_eq!(call(&sent(Call::Revoke(Aid::new([4; 32])))), "revoke");
    }

    #[test]
    fn a_partly_refused_bundle_is_neither_good_nor_bad() {
        let bundle = Call::LegacyResults(vec![legacy(); 2]);
        let some = Outcome::Done(Output::Recorded {
            refused: vec![(1, Refused::SessionSeen)],
        });
        let all = Outcome::Done(Output::Recorded {
            refused: vec![(0, Refused::TooLate), (1, Refused::TooLate)],
        });

        assert!(
            matches!(outcome(&some, &bundle), State::Warn(text) if text.starts_with("1 of 2 recorded"))
        );
        assert!(matches!(outcome(&all, &bundle), State::Bad(_)));
        assert!(matches!(
            outcome(&Outcome::Refused(Refused::OverQuota), &bundle),
            State::Bad(_)
        ));
    }
}
