//! What patients may read and say at a member besides signing in.

use axum::{body::Body, http::Request};
use contract::{
    Aid, Author, BlockTime, Call, SuiteId, Transaction,
    contracts::{identity, servers},
};
use patient::{code::Code, excerpt::Excerpt, receipt::Receipt};
use protocol::{
    Message as _, Timestamp,
    aidc1::{Keys, history::HistoryRequest},
};

use super::clinic::{Clinic, entry, keys};
use crate::http::testing::To;

#[tokio::test(flavor = "multi_thread")]
async fn the_certified_state_says_what_an_aid_is_and_that_another_is_not() {
    let clinic = Clinic::start().await;
    let ada = keys(1);
    clinic.register(&ada).await;

    for (aid, is_known) in [(*ada.aid(), true), (Aid::new([9; 32]), false)] {
        let request = Request::post("/v1/record")
            .header("content-type", "application/octet-stream")
            .body(Body::from(aid.as_bytes().to_vec()));
        let answer = clinic.bench.ask(To::Patients, request.unwrap()).await;
        let excerpt: Excerpt = serde_json::from_slice(&answer.body).unwrap();
        let header = contract::Header::decode(&excerpt.header.0).unwrap();

        assert_eq!(excerpt.entries[0].key.0, identity::identity_key(&aid));
        let found = entry(&excerpt, 0, &header.state_root);
        assert_eq!(found.is_some(), is_known);
        assert_eq!(entry(&excerpt, 1, &header.state_root), None);
        assert_eq!(excerpt.certificate.height, header.height.get());
    }
    let excerpt = clinic.excerpt().await;
    let id = clinic.bench.app.services().server_id();
    assert_eq!(excerpt.entries[0].key.0, servers::newest_key(&id));
    assert_eq!(excerpt.entries[1].key.0, servers::record_key(&id, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_is_for_the_aids_key_alone_also_when_it_is_revoked() {
    let clinic = Clinic::start().await;
    let (ada, eve) = (keys(1), keys(2));
    clinic.register(&ada).await;
    clinic.register(&eve).await;
    let mut sids = Vec::new();
    for _ in 0..3 {
        sids.push(clinic.sign_in(&ada).await.to_string());
    }
    clinic.say(Call::Revoke(*ada.aid())).await;
    let (chain, id) = (
        *clinic.bench.app.genesis().chain(),
        clinic.bench.app.services().server_id(),
    );
    let now = Timestamp::from_millis(clinic.bench.app.now_ms());
    let question = |keys: &Keys| HistoryRequest::new(keys, &chain, id, now).encode();
    let ask = async |question: Vec<u8>, query: &str| {
        let request = Request::post(format!("/v1/history{query}"))
            .header("content-type", "application/octet-stream")
            .body(Body::from(question));
        clinic.bench.ask(To::Patients, request.unwrap()).await
    };

    let page = ask(question(&ada), "").await.json();
    let others = ask(question(&eve), "").await.json();
    let mut forged = question(&eve);
    forged[1..33].copy_from_slice(ada.aid().as_bytes());
    let refused = ask(forged, "").await;
    let strange = ask(question(&keys(3)), "").await;

    let rows = page["sign_ins"].as_array().unwrap();
    let listed: Vec<_> = rows
        .iter()
        .map(|row| row["sid"].as_str().unwrap())
        .collect();
    sids.reverse();
    assert_eq!(listed, sids);
    assert!(rows.iter().all(|row| row["standing"] == "recorded"));
    for row in rows {
        Receipt::parse(row["receipt"].to_string().as_bytes()).unwrap();
    }
    assert_eq!(page["next"], serde_json::Value::Null);
    let excerpt: Excerpt = serde_json::from_value(page["excerpt"].clone()).unwrap();
    let events: Vec<_> = excerpt.entries.iter().map(|entry| &entry.key.0).collect();
    assert!(events.contains(&&identity::event_key(ada.aid(), 0)));
    assert_eq!(others["sign_ins"], serde_json::json!([]));
    let refusal = Code::SignInRefused.text();
    let mismatch = Code::AuthenticatorMismatch.text();
    assert_eq!(clinic.refusal(&refused), (refusal.clone(), mismatch));
    assert_eq!(clinic.refusal(&strange), (refusal, Code::UnknownAid.text()));
    let older = format!("?cursor={}.0.0", rows[0]["height"]);
    let older = ask(question(&ada), &older).await.json();
    assert_eq!(older["sign_ins"].as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patient_says_in_her_own_name_what_is_hers_to_say_and_nobody_else_anything() {
    let clinic = Clinic::start().await;
    let ada = keys(1);
    clinic.register(&ada).await;
    let revoke = Call::Revoke(*ada.aid());
    let by_rc = {
        let until = BlockTime::new(clinic.bench.app.now_ms()).plus_ms(60_000);
        let author = Author::Member(clinic.bench.app.services().server_id());
        let chain = *clinic.bench.app.genesis().chain();
        let keys = &clinic.bench.app.services().keys;
        Transaction::new(chain, author, until, [2; 8], revoke.clone()).sign(keys.member())
    };

    let rc = clinic.post_transaction(by_rc.as_bytes().to_vec(), "").await;
    let shred = clinic.as_patient(1, Call::Shred(*ada.aid()), "").await;
    let done = clinic.as_patient(1, revoke, "").await;

    assert_eq!((rc.status.as_u16(), shred.status.as_u16()), (422, 422));
    assert_eq!(done.status, 200, "{}", done.text());
    assert_eq!(done.json()["status"], "committed");
    let hash = done.json()["hash"].as_str().unwrap().to_owned();
    let receipt = clinic
        .bench
        .get(To::Patients, &format!("/v1/registrations/{hash}"))
        .await;
    assert_eq!(receipt.json()["height"], done.json()["height"]);
    let (me5, _) = clinic.open(&clinic.credential(&ada, None).await);
    assert_eq!(clinic.hello(me5).await.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_begins_too_often_is_told_when_to_come_again_before_anything_is_read() {
    let clinic = Clinic::start().await;
    let hellos = (0..64).map(|_| clinic.hello(vec![0; 128]));

    let answers = futures::future::join_all(hellos).await;

    let (told, read): (Vec<_>, Vec<_>) =
        answers.into_iter().partition(|answer| answer.status == 503);
    assert!(!told.is_empty() && read.len() >= 20);
    for answer in told {
        assert_eq!(answer.headers["retry-after"], "1");
        assert_eq!(answer.json()["code"], Code::Overloaded.text());
    }
    assert!(read.iter().all(|answer| answer.status == 403));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_suite_of_the_registration_desk_is_named_where_wus_is_asked_for() {
    let clinic = Clinic::start().await;
    let request = Request::post("/v1/register")
        .header("content-type", "application/octet-stream")
        .header("aidchain-suite", SuiteId::AIDC_1.to_string())
        .body(Body::from(vec![0; 16]));

    let answer = clinic.bench.ask(To::Patients, request.unwrap()).await;

    assert_eq!(answer.status, 409);
    assert!(answer.text().contains("/v1/enrol/apply"));
}
