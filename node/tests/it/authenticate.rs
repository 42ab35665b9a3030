//! Four nodes, four TLS listeners: one patient registers at the centre and signs in everywhere.

use contract::{Aid, Genesis};
use node::{http, node::Node};
use patient::{
    client::{Answer, Client, Question},
    light::{self, Expect},
    receipt::Receipt,
};
use protocol::{
    Message as _, Pending as _, Suite as _, Template, Timestamp,
    wu::{Card, Me1, Me3, Me7, Password, PatientId, Wu2021},
};
use tokio::sync::watch;

use crate::consortium::Consortium;

fn id() -> PatientId {
    PatientId::parse(b"Ada Lovelace").unwrap()
}

fn password() -> Password {
    Password::parse(b"correct horse").unwrap()
}

/// A face of which each capture differs in a few bits.
fn face(capture: usize) -> Template {
    let mut bytes: [u8; 256] = std::array::from_fn(|at| at.to_le_bytes()[0].wrapping_mul(151));
    for byte in bytes.iter_mut().skip(capture).step_by(32) {
        *byte ^= 1;
    }
    Template::new(bytes)
}

/// Asks a node's patient API, with its key pinned from genesis.
async fn ask(node: &Node, question: Question) -> Answer {
    let services = node.services();
    let url = format!("https://{}", services.config.api_listen)
        .parse()
        .unwrap();
    let client = Client::pinned(url, services.me.tls_spki);
    client.ask_async(question).await.unwrap()
}

/// Sends a suite's message.
async fn send(node: &Node, path: &str, message: Vec<u8>) -> Answer {
    ask(
        node,
        Question::post(path, message).header("aidchain-suite", "0x7f01"),
    )
    .await
}

/// The receipt of a sign-in at this node, judged by the genesis alone.
async fn sign_in(node: &Node, card: &Card, capture: usize) -> light::Verified {
    let now_ms = node.services().clock.wall_ms();
    let now = Timestamp::from_millis(now_ms);
    let credential = card.unlock(id(), &password(), face(capture)).unwrap();
    let opened = Wu2021::open(&credential, now, &mut patient::dice::seeded().unwrap());
    let reply = send(node, "/v1/sign-in/hello", opened.message.encode()).await;
    let me7 = Me7::parse(reply.success().unwrap().body()).unwrap();
    let session = opened.state.finish(&me7, now).unwrap().session;

    let question = Question::get(format!("/v1/sessions/{session}?wait_ms=20000"));
    let committed: serde_json::Value = ask(node, question).await.success().unwrap().json().unwrap();
    let receipt = Receipt::parse(committed["receipt"].to_string().as_bytes()).unwrap();
    let genesis = Genesis::parse(&std::fs::read(node.services().config.genesis_path()).unwrap());
    let expect = Expect {
        aid: Some(card.aid()),
        server: Some(node.services().me.name.clone()),
        session: Some(session),
        ..Expect::default()
    };
    let (_, verdict) = light::verify(&receipt, &genesis.unwrap(), &expect, now_ms);
    verdict.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patient_enrolled_once_signs_in_at_every_member() {
    let consortium = Consortium::start(4).await;
    let (_stop, stopped) = watch::channel(false);
    for index in 0..4 {
        let services = consortium.node(index).services().clone();
        tokio::spawn(http::bind(services, stopped.clone()).await.unwrap().serve());
    }
    let me1 = Me1 {
        id: id(),
        password: password(),
        bio: face(0),
    };
    let answer = send(consortium.node(0), "/v1/register", me1.encode())
        .await
        .success()
        .unwrap();
    let card = Card::new(Me3::parse(answer.body()).unwrap(), &id());
    assert_ne!(card.aid(), Aid::new([0; 32]));

    // A member that lags by a moment does not know her yet, and refuses her as it should.
    let registered = consortium.node(0).services().ledger.certified().height;
    let mut heights = Vec::new();
    for index in 0..4 {
        consortium.certified(index, registered.get()).await;
        let verified = sign_in(consortium.node(index), &card, index + 1).await;
        assert!(verified.signers.len() >= 3, "{:?}", verified.signers);
        heights.push(verified.height);
    }
    let mut ordered = heights.clone();
    ordered.sort();
    ordered.dedup();
    assert_eq!(heights, ordered);
}
