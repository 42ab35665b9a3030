//! The members as evaluators: who is answered, how often, and while whom is down.

use axum::http::StatusCode;
use protocol::aidc1::application::Purpose;
use protocol::suite::Message as _;

use super::active;
use super::consortium::{Consortium, Node};
use super::terminal::{Terminal, offer_of};

async fn enrolled(consortium: &Consortium) -> Terminal {
    let mut ada = Terminal::of("Ada");
    ada.enrol(consortium, None).await;
    consortium.until(|it| active(it, &ada)).await;
    ada
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unlock_needs_neither_the_centre_nor_more_than_t_members() {
    let mut consortium = Consortium::start();
    let ada = enrolled(&consortium).await;
    let all = ada.evaluate(&consortium, "tulip").await.output;

    // The centre, and one more than the ledger bears.
    consortium.nodes[0].stop().await;
    consortium.nodes[2].stop().await;
    let some = ada.evaluate(&consortium, "tulip").await;

    assert_eq!(some.output, all);
    assert_eq!(some.ids.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_count_of_tries_survives_a_restart_and_a_confirmation_ends_it() {
    let mut consortium = Consortium::start();
    let ada = enrolled(&consortium).await;
    let question = ada.question("guess");
    let mut last = None;
    for _ in 0..5 {
        let (id, answer) = ada.ask(&consortium, &consortium.nodes[1], &question).await;
        assert_eq!(answer.status, StatusCode::OK);
        last = Some(id);
    }

    consortium.nodes[1].stop().await;
    consortium.nodes[1].start();
    let (_, sixth) = ada.ask(&consortium, &consortium.nodes[1], &question).await;

    assert_eq!(sixth.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(sixth.json()["code"], "AC0471");
    let after: u64 = sixth.headers["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=30).contains(&after), "{after}");
    let confirmation = ada
        .root
        .confirm(consortium.chain(), ada.handle, last.unwrap());
    let confirmed = consortium.nodes[1]
        .post("/v1/evaluate/confirm", confirmation.encode())
        .await;
    assert_eq!(confirmed.status, StatusCode::NO_CONTENT);
    let (_, seventh) = ada.ask(&consortium, &consortium.nodes[1], &question).await;
    assert_eq!(seventh.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_and_other_devices_hear_one_text() {
    let consortium = Consortium::start();
    let ada = enrolled(&consortium).await;
    let stranger = Terminal::of("Mallory");
    let mut thief = ada.clone();
    thief.device = stranger.device.clone();
    let node: &Node = &consortium.nodes[1];

    let (_, unknown) = stranger
        .ask(&consortium, node, &stranger.question("x"))
        .await;
    let (_, device) = thief.ask(&consortium, node, &thief.question("x")).await;
    let forged = stranger.root.confirm(
        consortium.chain(),
        ada.handle,
        protocol::aidc1::EvaluationId::new([1; 32]),
    );
    let forged = node.post("/v1/evaluate/confirm", forged.encode()).await;

    for answer in [&unknown, &device, &forged] {
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        assert_eq!(super::nameless(answer), super::nameless(&unknown));
    }
    let long = node.post("/v1/evaluate", vec![1; 154]).await;
    assert_eq!(long.status, StatusCode::PAYLOAD_TOO_LARGE);
    let short = node.post("/v1/evaluate", vec![1; 152]).await;
    assert_eq!(short.json()["code"], "AC0425");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deal_is_taken_once_and_again_if_it_is_the_same() {
    let consortium = Consortium::start();
    let ada = Terminal::of("Ada");
    let purpose = || Purpose::Enrol(ada.person());
    let offer = async || {
        let application = (purpose(), None);
        offer_of(&ada.apply(&consortium, application, ada.enrolment()).await)
    };
    let (first, second) = (offer().await, offer().await);
    let node = &consortium.nodes[1];
    let deal = async |bytes: &[u8]| {
        let answer = node.post("/v1/deal", bytes.to_vec()).await;
        let code = (!answer.body.is_empty()).then(|| answer.json()["code"].clone());
        (answer.status, code)
    };

    assert_eq!(deal(&first.deals[1]).await.0, StatusCode::NO_CONTENT);
    assert_eq!(deal(&first.deals[1]).await.0, StatusCode::NO_CONTENT);
    assert_eq!(deal(&second.deals[1]).await.0, StatusCode::CONFLICT);
    assert_eq!(deal(&first.deals[2]).await.0, StatusCode::FORBIDDEN);
    let mut bent = second.deals[1].clone();
    bent[40] ^= 1;
    assert_eq!(deal(&bent).await.1, Some("AC0330".into()));
    assert_eq!(deal(&[0; 10]).await.0, StatusCode::BAD_REQUEST);
    node.end_epochs();
    assert_eq!(
        deal(&second.deals[1]).await.0,
        StatusCode::SERVICE_UNAVAILABLE
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destroyed_handle_is_remembered_as_long_as_its_deal_opens() {
    let mut consortium = Consortium::start();
    let ada = Terminal::of("Ada");
    let application = (Purpose::Enrol(ada.person()), None);
    let answer = ada.apply(&consortium, application, ada.enrolment()).await;
    let first = offer_of(&answer);
    let mut ada = ada;
    let taken = ada.finish(&consortium, first.clone(), |_, _| None).await;
    assert_eq!(taken, protocol::aidc1::offer::Taken::Submitted);
    let mut new = ada.relocked();
    let enrolment = new.in_place_of(&ada, &consortium);
    let answer = new
        .apply(&consortium, (Purpose::Relock, None), enrolment)
        .await;
    new.deliver(&consortium, &offer_of(&answer)).await;
    let evaluated = new.evaluate(&consortium, "rose").await;
    new.confirm(&consortium, &evaluated).await;

    consortium.nodes[1].stop().await;
    consortium.nodes[1].start();
    let again = consortium.nodes[1]
        .post("/v1/deal", first.deals[1].clone())
        .await;

    assert_eq!(again.status, StatusCode::CONFLICT);
    assert!(consortium.nodes[1].holds(ada.handle.as_bytes()));
    // Another epoch begins and the old one is over: its deals do not open any more.
    consortium.nodes[1].end_epochs();
    consortium.nodes[1].begin_epoch(1);
    let late = consortium.nodes[1]
        .post("/v1/deal", first.deals[1].clone())
        .await;
    assert_eq!(late.json()["code"], "AC0330");
    assert!(!consortium.nodes[1].holds(ada.handle.as_bytes()));
}
