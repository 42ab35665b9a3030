//! The second paper's five addresses: from a registration to a receipt, over a new password, and who is refused.

use std::time::Duration;

use axum::{body::Body, http::Request};
use contract::{Aid, Genesis, Kind, SessionId};
use ed25519_dalek::{Signer as _, SigningKey};
use patient::{
    code::Code,
    light::{self, Expect},
    receipt::Receipt,
};
use protocol::limbasiya::{
    Applicant, Card, Draft, Issued, JoinRequest, Reply, Rows, RowsRequest, Unlocked, Word,
};
use protocol::wu::{Password, PatientId};
use protocol::{Limbasiya2020, Message as _, Pending as _, Secret, Suite as _, Timestamp};

use crate::http::testing::{Answer, Bench, To};

const PASSWORD: &str = "correct horse";
const PREFIX: &str = "/v1/legacy/limbasiya";

fn id() -> PatientId {
    PatientId::parse(b"Ada Lovelace").unwrap()
}

fn password(text: &str) -> Password {
    Password::parse(text.as_bytes()).unwrap()
}

fn word(text: &str) -> Word {
    Word::parse(text.as_bytes()).unwrap()
}

/// Asks one of the addresses, again as long as the RC is not registered as a server yet.
async fn ask(bench: &Bench, what: &str, message: Vec<u8>) -> Answer {
    loop {
        let answer = bench
            .post(&format!("{PREFIX}/{what}"), message.clone())
            .await;
        if answer.status != 503 {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until the RC is a server of its own, as the lists on cards say.
async fn registered(bench: &Bench) {
    let own = bench.app.limbasiya().unwrap();
    while own.server().unwrap().application().is_some() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The RC with one user and her card.
async fn enrolled() -> (Bench, Card) {
    let bench = Bench::limbasiya("rc");
    registered(&bench).await;
    let draft = Draft::new(
        id(),
        password(PASSWORD),
        &mut patient::dice::seeded().unwrap(),
    );
    let answer = ask(&bench, "register_user", draft.application().encode()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let issued = Issued::parse(&answer.body).unwrap();
    (bench, draft.card(&issued))
}

fn unlocked(card: &Card, typed: &str) -> Unlocked {
    card.unlock(id(), password(typed)).unwrap()
}

/// A sign-in at the RC: the session, or the answer that refused it.
async fn sign_in(bench: &Bench, unlocked: &Unlocked) -> Result<SessionId, Answer> {
    let credential = unlocked.credential(&word("rc")).unwrap();
    let now = Timestamp::from_millis(bench.app.now_ms());
    let opened = Limbasiya2020::open(&credential, now, &mut patient::dice::seeded().unwrap());
    let answer = ask(bench, "authenticate", opened.message.encode()).await;
    if answer.status != 200 {
        return Err(answer);
    }
    let reply = Reply::parse(&answer.body).unwrap();
    let now = Timestamp::from_millis(bench.app.now_ms());
    Ok(opened.state.finish(&reply, now).unwrap().session)
}

fn code(answer: &Answer) -> String {
    answer.json()["code"].as_str().unwrap().to_owned()
}

/// A question that a member signed, or somebody with this key.
async fn member_asks(
    bench: &Bench,
    (member, key): (usize, &SigningKey),
    (what, message): (&str, Vec<u8>),
) -> Answer {
    let path = format!("{PREFIX}/{what}");
    let chain = bench.app.genesis().chain();
    let signed = [
        b"aidchain/limbasiya-2020/member\0".as_slice(),
        chain.as_bytes(),
        path.as_bytes(),
        b"\0",
        &message,
    ]
    .concat();
    let id = bench.app.genesis().members()[member].server_id();
    let request = Request::post(&path)
        .header("content-type", "application/octet-stream")
        .header("aidchain-member", id.to_string())
        .header(
            "aidchain-signature",
            hex::encode(key.sign(&signed).to_bytes()),
        )
        .body(Body::from(message));
    bench.ask(To::Patients, request.unwrap()).await
}

fn join(name: &str) -> JoinRequest {
    Applicant {
        id: word(name),
        loc: word("Goa"),
        password: password("of a clinic"),
        nonce: Secret::new([5; 16]),
    }
    .request()
}

fn rows(bench: &Bench, name: &str) -> RowsRequest {
    RowsRequest {
        id: word(name),
        t: bench.app.now_ms() / 1_000,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_registers_signs_in_and_holds_a_receipt_that_needs_no_node() {
    let (bench, card) = enrolled().await;
    let unlocked = unlocked(&card, PASSWORD);

    let sid = sign_in(&bench, &unlocked)
        .await
        .map_err(|answer| answer.text());
    let sid = sid.unwrap();
    let path = format!("/v1/sessions/{sid}?wait_ms=5000");
    let document = bench.get(To::Patients, &path).await.json();

    assert_eq!(document["status"], "committed");
    let receipt = Receipt::parse(document["receipt"].to_string().as_bytes()).unwrap();
    let genesis = Genesis::parse(&std::fs::read(bench.file("genesis.json")).unwrap()).unwrap();
    let expect = Expect {
        aid: Some(*unlocked.uid()),
        server: Some("rc".to_owned()),
        session: Some(sid),
        ..Expect::default()
    };
    let (_, verdict) = light::verify(&receipt, &genesis, &expect, bench.app.now_ms());
    assert_eq!(verdict.unwrap().signers, ["rc", "clinic-a", "clinic-b"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_serves_at_once_since_the_server_asks_for_its_table_again() {
    let (bench, card) = enrolled().await;
    let before = unlocked(&card, PASSWORD);
    sign_in(&bench, &before)
        .await
        .map_err(|answer| answer.text())
        .unwrap();
    let now = Timestamp::from_millis(bench.app.now_ms());

    let (change, draft) = before.change(password("battery staple"), now);
    let answer = ask(&bench, "update_password", change.encode()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let card = draft.card(&Issued::parse(&answer.body).unwrap());

    let after = unlocked(&card, "battery staple");
    assert_eq!(after.uid(), before.uid());
    let signed_in = sign_in(&bench, &after).await;
    signed_in.map_err(|answer| answer.text()).unwrap();
    let old = sign_in(&bench, &before).await.unwrap_err();
    assert_eq!(
        (old.status.as_u16(), code(&old)),
        (403, Code::SignInRefused.text())
    );
    let again = ask(&bench, "update_password", change.encode()).await;
    assert_eq!(
        again.body, answer.body,
        "the first answer may have been lost"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_uid_is_registered_once_and_nobody_hears_whose_it_is() {
    let (bench, card) = enrolled().await;
    let application = protocol::limbasiya::Application {
        uid: *unlocked(&card, PASSWORD).uid(),
        a: Secret::new([1; 32]),
    };

    let again = ask(&bench, "register_user", application.encode()).await;

    assert_eq!(
        (again.status.as_u16(), code(&again)),
        (409, Code::CannotEnrol.text())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_is_registered_under_its_own_name_and_gets_the_table() {
    let (bench, card) = enrolled().await;
    let clinic = SigningKey::from_bytes(&[2; 32]);

    let joined = member_asks(
        &bench,
        (1, &clinic),
        ("register_server", join("clinic-a").encode()),
    )
    .await;
    assert_eq!(joined.status, 200, "{}", joined.text());
    let again = member_asks(
        &bench,
        (1, &clinic),
        ("register_server", join("clinic-a").encode()),
    )
    .await;
    assert_eq!(
        again.body, joined.body,
        "the first answer may have been lost"
    );
    let request = rows(&bench, "clinic-a").encode();
    let table = member_asks(&bench, (1, &clinic), ("update_server_db", request)).await;

    let Rows(table) = Rows::parse(&table.body).unwrap();
    let uids: Vec<Aid> = table.iter().map(|(uid, _)| *uid).collect();
    assert_eq!(uids, [*unlocked(&card, PASSWORD).uid()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_member_itself_speaks_under_its_name() {
    let (bench, _card) = enrolled().await;
    let clinic = SigningKey::from_bytes(&[2; 32]);
    let stranger = SigningKey::from_bytes(&[9; 32]);

    let refused = [
        member_asks(
            &bench,
            (1, &stranger),
            ("register_server", join("clinic-a").encode()),
        )
        .await,
        member_asks(
            &bench,
            (1, &clinic),
            ("register_server", join("clinic-b").encode()),
        )
        .await,
        member_asks(
            &bench,
            (1, &stranger),
            ("update_server_db", rows(&bench, "clinic-a").encode()),
        )
        .await,
        member_asks(
            &bench,
            (1, &clinic),
            ("update_server_db", rows(&bench, "rc").encode()),
        )
        .await,
        bench
            .post(
                &format!("{PREFIX}/update_server_db"),
                rows(&bench, "rc").encode(),
            )
            .await,
    ];

    for answer in refused {
        assert_eq!(
            (answer.status.as_u16(), code(&answer)),
            (403, Code::RoleNeeded.text())
        );
    }
    let early = member_asks(
        &bench,
        (1, &clinic),
        ("update_server_db", rows(&bench, "clinic-a").encode()),
    )
    .await;
    assert_eq!(early.status, 409, "it is not registered");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clinic_registers_nobody_and_answers_once_it_is_registered_itself() {
    let bench = Bench::limbasiya("clinic-a");

    for what in [
        "register_server",
        "register_user",
        "update_password",
        "update_server_db",
    ] {
        let answer = bench.post(&format!("{PREFIX}/{what}"), vec![0; 64]).await;
        assert_eq!(code(&answer), Code::NotTheCentre.text(), "{what}");
    }
    let request = protocol::limbasiya::Request {
        server: word("clinic-a"),
        alpha: [1; 32],
        beta: [2; 32],
        t1: bench.app.now_ms() / 1_000,
    };
    let answer = bench
        .post(&format!("{PREFIX}/authenticate"), request.encode())
        .await;
    assert_eq!(
        (answer.status.as_u16(), code(&answer)),
        (503, Code::NodeNotReady.text())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secure_ledger_refuses_all_five_before_it_reads_anything() {
    let bench = Bench::start("rc", Kind::Secure);

    for what in [
        "register_server",
        "register_user",
        "authenticate",
        "update_password",
        "update_server_db",
    ] {
        let answer = bench.post(&format!("{PREFIX}/{what}"), Vec::new()).await;
        assert_eq!(
            (answer.status.as_u16(), code(&answer)),
            (403, Code::SuiteNotOffered.text()),
            "{what}"
        );
    }
    assert!(!bench.file("vault/limbasiya-2020").exists());
    assert!(!bench.file("sign-ins/limbasiya-2020").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_no_message_are_refused_at_each_address() {
    let (bench, _card) = enrolled().await;

    for what in [
        "register_server",
        "register_user",
        "update_password",
        "update_server_db",
    ] {
        let answer = ask(&bench, what, vec![1, 2, 3]).await;
        assert_eq!(
            (answer.status.as_u16(), code(&answer)),
            (400, Code::RequestMalformed.text()),
            "{what}"
        );
    }
    let answer = ask(&bench, "authenticate", vec![1, 2, 3]).await;
    assert_eq!(code(&answer), Code::SignInRefused.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn explorer_and_registry_show_servers_users_and_results_as_insecure() {
    let (bench, card) = enrolled().await;
    let unlocked = unlocked(&card, PASSWORD);
    let signed_in = sign_in(&bench, &unlocked).await;
    let sid = signed_in.map_err(|answer| answer.text()).unwrap();
    let path = format!("/v1/sessions/{sid}?wait_ms=5000");
    assert_eq!(bench.get(To::Patients, &path).await.status, 200);

    let members = bench.get(To::Members, "/v1/members").await.json();
    assert_eq!(members["members"][0]["limbasiya_place"], "rc");
    let members = bench.get(To::Members, "/members").await.text();
    assert!(members.contains("Place (Limbasiya-2020, insecure)"));
    let uid = unlocked.uid();
    let user = bench
        .get(To::Members, &format!("/v1/identities/{uid}"))
        .await;
    assert_eq!(user.json()["suite"], "0x7f02");
    let page = bench.get(To::Members, &format!("/a/{uid}")).await.text();
    assert!(page.contains("active, under an insecure suite"));
    let results = bench.get(To::Members, "/results").await.text();
    assert!(results.contains("Limbasiya-2020, insecure"), "{results}");
    assert!(results.contains("Research ledger, insecure by purpose."));
    let results = bench.get(To::Members, "/v1/results").await.text();
    for secret in ["ssk", "\"c\":", "\"a\":"] {
        assert!(!results.to_lowercase().contains(secret));
    }
}
