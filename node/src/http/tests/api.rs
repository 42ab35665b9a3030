//! The JSON API: limits, problems, pages, events, and the operations listener.

use axum::{body::Body, http::Request};
use contract::{Aid, Author, BlockTime, Call, Kind, Transaction};
use http_body_util::BodyExt as _;
use patient::code::Code;
use tower::ServiceExt as _;

use crate::http::{
    limits::{MESSAGE_BYTES, TRANSACTION_BYTES},
    testing::{Answer, Bench, To},
    tests::clinic::Clinic,
};

/// A transaction of the node's own: a revocation of an AID that nobody has.
fn revocation(bench: &Bench, salt: u8) -> Vec<u8> {
    let services = bench.app.services();
    let until = BlockTime::new(bench.app.now_ms()).plus_ms(60_000);
    let author = Author::Member(services.server_id());
    let call = Call::Revoke(Aid::new([3; 32]));
    let transaction =
        Transaction::new(*bench.app.genesis().chain(), author, until, [salt; 8], call);
    transaction.sign(services.keys.member()).as_bytes().to_vec()
}

async fn submit(bench: &Bench, bytes: Vec<u8>, kind: &str) -> Answer {
    let request = Request::post("/v1/transactions")
        .header("host", "localhost")
        .header("content-type", kind);
    bench
        .ask(To::Members, request.body(Body::from(bytes)).unwrap())
        .await
}

const OCTETS: &str = "application/octet-stream";

#[tokio::test(flavor = "multi_thread")]
async fn a_submitted_transaction_is_answered_with_its_place_and_its_outcome() {
    let bench = Bench::start("rc", Kind::Research);
    let bytes = revocation(&bench, 1);

    let answer = submit(&bench, bytes.clone(), OCTETS).await;
    assert_eq!(answer.status, 200);
    let document = answer.json();
    assert_eq!(
        (document["status"].as_str(), document["height"].as_u64()),
        (Some("committed"), Some(1))
    );
    assert_eq!(document["outcome"]["status"], "refused");

    let again = submit(&bench, bytes, OCTETS).await;
    assert_eq!(
        (again.status.as_u16(), again.json()["code"].clone()),
        (409, Code::AlreadyRecorded.text().into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_submitted_is_named() {
    let bench = Bench::start("rc", Kind::Research);
    let mut forged = revocation(&bench, 1);
    *forged.last_mut().unwrap() ^= 1;

    for (bytes, kind, status, code) in [
        (b"rubbish".to_vec(), OCTETS, 400, Code::BadTransaction),
        (forged, OCTETS, 422, Code::TransactionSignature),
        (revocation(&bench, 2), "text/plain", 415, Code::BadMediaType),
        (vec![0; TRANSACTION_BYTES + 1], OCTETS, 413, Code::TooLarge),
    ] {
        let answer = submit(&bench, bytes, kind).await;
        assert_eq!(
            (answer.status.as_u16(), answer.json()["code"].clone()),
            (status, code.text().into())
        );
        assert_eq!(answer.headers["content-type"], "application/problem+json");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_read_up_to_its_limit_and_not_beyond() {
    let bench = Bench::start("rc", Kind::Research);

    let at = bench
        .post("/v1/sign-in/hello", vec![0; MESSAGE_BYTES])
        .await;
    let beyond = bench
        .post("/v1/sign-in/hello", vec![0; MESSAGE_BYTES + 1])
        .await;

    assert_eq!(at.json()["code"], Code::SignInRefused.text());
    assert_eq!(beyond.json()["code"], Code::TooLarge.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_asks_too_often_is_sent_away_before_anything_is_read() {
    let bench = Bench::start("rc", Kind::Research);
    for _ in 0..protocol::aidc1::limits::BURST {
        assert_eq!(
            bench.post("/v1/sign-in/hello", Vec::new()).await.status,
            403
        );
    }

    // On a slow machine the share grows a little while it is used up.
    let too_long = || bench.post("/v1/sign-in/hello", vec![0; MESSAGE_BYTES * 4]);
    let mut answer = too_long().await;
    for _ in 0..protocol::aidc1::limits::BURST {
        if answer.status == 503 {
            break;
        }
        answer = too_long().await;
    }

    assert_eq!(
        (answer.status.as_u16(), answer.json()["code"].clone()),
        (503, Code::Overloaded.text().into())
    );
    assert_eq!(answer.headers["retry-after"], "1");
    assert_eq!(answer.json()["retryable"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_are_paged_from_the_newest() {
    let bench = Bench::start("rc", Kind::Research);
    for salt in 0..3 {
        submit(&bench, revocation(&bench, salt), OCTETS).await;
    }

    let first = bench.get(To::Members, "/v1/blocks?limit=2").await.json();
    let next = first["next_before"].as_u64().unwrap();
    let second = bench
        .get(To::Members, &format!("/v1/blocks?limit=2&before={next}"))
        .await
        .json();

    let heights = |page: &serde_json::Value| -> Vec<u64> {
        page["blocks"]
            .as_array()
            .unwrap()
            .iter()
            .map(|block| block["height"].as_u64().unwrap())
            .collect()
    };
    assert_eq!(
        (heights(&first), heights(&second)),
        (vec![3, 2], vec![1, 0])
    );
    assert_eq!(second["next_before"], serde_json::Value::Null);
    assert_eq!(first["certified_height"], 3);
}

/// Asks for an identity as a reader who knows of a block.
async fn identity_knowing(bench: &Bench, known: &str) -> Answer {
    let aid = Aid::new([3; 32]);
    let request = Request::get(format!("/v1/identities/{aid}"))
        .header("host", "localhost")
        .header("aidchain-known-height", known);
    bench
        .ask(To::Members, request.body(Body::empty()).unwrap())
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_is_read_from_a_state_as_new_as_the_reader_knows_and_names_its_height() {
    let bench = Bench::start("rc", Kind::Research);
    submit(&bench, revocation(&bench, 1), OCTETS).await;

    let absent = identity_knowing(&bench, "1").await;
    assert_eq!(absent.status, 404);
    assert_eq!(absent.headers["aidchain-certified-height"], "1");

    let behind = identity_knowing(&bench, "2").await;
    assert_eq!(
        (behind.status.as_u16(), behind.json()["code"].clone()),
        (503, Code::NodeBehind.text().into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_of_events_resumes_behind_the_last_one_it_saw() {
    let bench = Bench::start("rc", Kind::Research);
    for salt in 0..3 {
        submit(&bench, revocation(&bench, salt), OCTETS).await;
    }
    let request = Request::get("/v1/events")
        .header("host", "localhost")
        .header("last-event-id", "1");

    let answer = bench
        .router(To::Members)
        .oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap();
    let mut body = answer.into_body();
    let mut text = String::new();
    while text.matches("\n\n").count() < 2 {
        let frame = body.frame().await.unwrap().unwrap();
        text.push_str(std::str::from_utf8(frame.data_ref().unwrap()).unwrap());
    }
    bench.stop.send(true).unwrap();

    let ids: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("id: "))
        .collect();
    assert_eq!(ids, ["2", "3"]);
    assert!(text.contains("event: block"));
    assert!(!text.contains("aid1"));
    assert!(
        body.frame().await.is_none(),
        "the stream ends with the node"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn both_listeners_say_which_ledger_and_who_is_here() {
    let bench = Bench::start("clinic-a", Kind::Research);

    for to in [To::Patients, To::Members] {
        let status = bench.get(to, "/v1/status").await.json();
        assert_eq!(status["schema"], "aidchain.status/1");
        assert_eq!(status["chain"], bench.app.genesis().chain().to_string());
        assert_eq!(status["kind"], "research");
        assert_eq!(status["node"]["name"], "clinic-a");
        assert_eq!(status["node"]["role"], "server");
        assert_eq!(status["members"].as_array().unwrap().len(), 4);
        assert_eq!(status["quorum"], 3);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_patients_listener_has_nothing_of_the_ledger() {
    let bench = Bench::start("rc", Kind::Research);

    for path in [
        "/",
        "/v1/blocks",
        "/v1/results",
        "/v1/transactions/x",
        "/metrics",
        "/genesis.json",
    ] {
        let answer = bench.get(To::Patients, path).await;
        assert_eq!(
            (answer.status.as_u16(), answer.json()["code"].clone()),
            (404, Code::NoSuchRoute.text().into()),
            "{path}"
        );
    }
    let wrong = bench.get(To::Patients, "/v1/sign-in/hello").await;
    assert_eq!(wrong.status, 405);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_without_a_key_epoch_on_the_ledger_is_not_ready_for_sign_ins() {
    let bench = Bench::start("rc", Kind::Secure);

    let ready = bench.get(To::Operations, "/readyz").await;

    assert_eq!(ready.status, 503);
    assert_eq!(ready.json()["checks"][0]["name"], "keys");
}

#[tokio::test(flavor = "multi_thread")]
async fn readiness_names_each_check_and_metrics_count_routes_and_no_paths() {
    let Clinic { bench, .. } = Clinic::start().await;
    bench.get(To::Members, "/v1/blocks/0").await;

    let ready = bench.get(To::Operations, "/readyz?verbose").await.json();
    let metrics = bench.get(To::Operations, "/metrics").await.text();

    let names: Vec<&str> = ready["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|check| check["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["read", "quorum", "lag", "state", "keys"]);
    assert_eq!(bench.get(To::Operations, "/livez").await.text(), "ok\n");
    assert!(metrics.contains("route=\"/v1/blocks/{height}\",code=\"200\""));
    assert!(!metrics.contains("/v1/blocks/0"));
    bench.status.send_modify(|status| status.members.clear());
    let problem = bench.get(To::Operations, "/readyz").await.json();
    assert_eq!(
        (
            problem["code"].clone(),
            problem["checks"][0]["name"].clone()
        ),
        (Code::NodeNotReady.text().into(), "quorum".into())
    );
}
