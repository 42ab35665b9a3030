//! What a member promised a patient it keeps, whatever happens to its node meanwhile.

use contract::{Call, Outcome, PublicKey, ServerRecord};
use ed25519_dalek::SigningKey;
use node::{http, node::Node};
use patient::client::{Answer, Client, Question};
use protocol::{
    Aidc1, Finished, Message as _, Pending as _, Secret, Suite as _, Timestamp,
    aidc1::{
        Answer as Sealed, Certified, Credential, Keys, Me7, Me9, Peer, Seed, Status, Unanswered,
        issue, registration::Applicant,
    },
    wu::PatientId,
};
use tokio::{sync::watch, time::timeout};

use crate::consortium::{Consortium, PATIENCE};

fn keys() -> Keys {
    Seed::new(Secret::new([1; 32])).keys()
}

/// Registers the AID of these keys.
async fn register(consortium: &mut Consortium, keys: &Keys) {
    let mut rng = patient::dice::seeded().unwrap();
    let id = PatientId::parse(b"Ada Lovelace").unwrap();
    let issued = issue::issue(keys.aid(), &id, &mut rng).unwrap();
    let recovery = SigningKey::from_bytes(&[77; 32]);
    let applicant = Applicant {
        keys,
        pk_recovery: PublicKey::new(recovery.verifying_key().to_bytes()),
        id: &id,
        epoch: 0,
    };
    let chain = *consortium.node(0).services().genesis.chain();
    let registration = applicant.prove(&issued.answer, &chain, &mut rng).unwrap();
    let call = Call::Register(Box::new(registration));
    let outcome = consortium.ask(0, call).await;
    assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
}

/// Asks a node's patient API.
async fn ask(node: &Node, question: Question) -> Answer {
    let services = node.services();
    let url = format!("https://{}", services.config.api_listen);
    let client = Client::pinned(url.parse().unwrap(), services.me.tls_spki);
    let question = question.header("aidchain-suite", "0x0001");
    client.ask_async(question).await.unwrap()
}

/// The first two messages of a sign-in.
async fn until_me9(node: &Node, keys: Keys, record: ServerRecord) -> Finished<Me9, Unanswered> {
    let services = node.services();
    let tip = services.ledger.certified();
    let certified = Certified {
        height: tip.height,
        time: Timestamp::from_millis(tip.header.time.get()),
    };
    let peer = Peer::new(*services.genesis.chain(), record, certified).unwrap();
    let now = || Timestamp::from_millis(services.clock.wall_ms());
    let mut rng = patient::dice::seeded().unwrap();
    let opened = Aidc1::open(&Credential::new(keys, peer), now(), &mut rng);
    let hello = Question::post("/v1/sign-in/hello", opened.message.encode());
    let answer = ask(node, hello).await.success().unwrap();
    let me7 = Me7::parse(answer.body()).unwrap();
    opened.state.finish(&me7, now()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_accepted_without_a_quorum_is_on_the_ledger_after_a_crash() {
    let mut consortium = Consortium::start(4).await;
    register(&mut consortium, &keys()).await;
    let record = consortium.record(1, |_record| true).await;
    let height = consortium.submit(0).await;
    consortium.certified(1, height).await;
    let (stop, stopped) = watch::channel(false);
    let services = consortium.node(1).services().clone();
    let listeners = http::bind(services, stopped).await.unwrap();
    let listeners = tokio::spawn(listeners.serve());
    let finished = until_me9(consortium.node(1), keys(), record).await;
    let sid = finished.session;

    consortium.stop_node(2).await;
    consortium.stop_node(3).await;
    let confirm = Question::post("/v1/sign-in/confirm?wait_ms=300", finished.confirm.encode())
        .header("aidchain-session", sid.to_string());
    let answer = ask(consortium.node(1), confirm).await.success().unwrap();
    let status = finished.after.open(&Sealed::parse(answer.body()).unwrap());
    assert!(matches!(status, Ok(Status::Accepted(_))), "{status:?}");
    stop.send_replace(true);
    listeners.await.unwrap();
    consortium.kill_node(1).await;
    consortium.revive_node(1).await;
    let services = consortium.node(1).services().clone();
    let is_kept = services.outbox.holds(&sid);
    consortium.start_node(2);
    consortium.start_node(3);

    assert!(is_kept, "the promise is kept on the disk");
    let settled = async {
        while !services.outbox.is_empty() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, settled).await.unwrap();
    let id = services.server_id();
    let row = services.ledger.session(&sid, Some(&id)).unwrap().unwrap();
    assert_eq!(row.aid, *keys().aid());
}
