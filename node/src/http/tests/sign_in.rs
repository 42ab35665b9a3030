//! Registration and sign-in under the suite of the paper, from first message to receipt.

use std::time::Duration;

use axum::http::StatusCode;
use contract::{
    Author, BlockTime, Call, Genesis, Height, Kind, LegacyResult, SessionId, SuiteId, Transaction,
};
use patient::{
    code::Code,
    light::{self, Expect},
    receipt::Receipt,
};
use protocol::{
    Finished, Message as _, Pending as _, Suite, Template, Timestamp,
    wu::{Card, Me1, Me3, Me7, Password, PatientId, Wu2021},
};

use crate::http::testing::{Answer, Bench, To};

const PASSWORD: &[u8] = b"correct horse";

fn id() -> PatientId {
    PatientId::parse(b"Ada Lovelace").unwrap()
}

/// A face, or the same face under noise in its first bytes.
fn face(seed: u8, noise: usize) -> Template {
    let mut state = u32::from(seed);
    let mut bytes = [0; 256];
    for byte in &mut bytes {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *byte = state.to_be_bytes()[0];
    }
    for byte in bytes.iter_mut().step_by(16).take(noise) {
        *byte ^= 1;
    }
    Template::new(bytes)
}

async fn register(bench: &Bench) -> (Answer, Option<Card>) {
    let me1 = Me1 {
        id: id(),
        password: Password::parse(PASSWORD).unwrap(),
        bio: face(1, 0),
    };
    let answer = bench.post("/v1/register", me1.encode()).await;
    let card = Me3::parse(&answer.body)
        .ok()
        .map(|me3| Card::new(me3, &id()));
    (answer, card)
}

/// A first message at `now_ms` and what waits for its answer.
fn open(card: &Card, now_ms: u64) -> (Vec<u8>, <Wu2021 as Suite>::Patient) {
    let credential = card
        .unlock(id(), &Password::parse(PASSWORD).unwrap(), face(1, 8))
        .unwrap();
    let mut rng = patient::dice::seeded().unwrap();
    let opened = Wu2021::open(&credential, Timestamp::from_millis(now_ms), &mut rng);
    (opened.message.encode(), opened.state)
}

/// The session that an answer agrees on.
fn session(state: <Wu2021 as Suite>::Patient, answer: &Answer, now_ms: u64) -> SessionId {
    let me7 = Me7::parse(&answer.body).unwrap();
    let Finished { session, .. } = state.finish(&me7, Timestamp::from_millis(now_ms)).unwrap();
    session
}

/// The problem of an answer: its code, and the check that the operator finds under its support code.
fn refusal(bench: &Bench, answer: &Answer) -> (String, String) {
    let problem = answer.json();
    let support = problem["support_code"].as_str().unwrap().parse().unwrap();
    loop {
        let found = crate::refusals::find(bench.home.path(), support).unwrap();
        if let Some(refusal) = found.first() {
            return (
                problem["code"].as_str().unwrap().to_owned(),
                refusal.code.clone(),
            );
        }
        std::thread::yield_now();
    }
}

/// A centre with one patient; the centre is a member like the others and signs patients in too.
async fn enrolled() -> (Bench, Card) {
    let bench = Bench::start("rc", Kind::Research);
    let (answer, card) = register(&bench).await;
    assert_eq!(
        answer.status,
        200,
        "{}",
        String::from_utf8_lossy(&answer.body)
    );
    (bench, card.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patient_registers_signs_in_and_holds_a_receipt_that_needs_no_node() {
    let (bench, card) = enrolled().await;
    let now_ms = bench.app.now_ms();
    let (me5, state) = open(&card, now_ms);

    let answer = bench.post("/v1/sign-in/hello", me5).await;
    assert_eq!(answer.status, 200);
    let sid = session(state, &answer, now_ms);
    let committed = bench
        .get(To::Patients, &format!("/v1/sessions/{sid}?wait_ms=5000"))
        .await;

    assert_eq!(committed.status, 200);
    let document = committed.json();
    assert_eq!(document["status"], "committed");
    assert_eq!(document["height"], 2);
    let receipt = Receipt::parse(document["receipt"].to_string().as_bytes()).unwrap();
    let genesis = Genesis::parse(&std::fs::read(bench.file("genesis.json")).unwrap()).unwrap();
    let expect = Expect {
        aid: Some(card.aid()),
        server: Some("rc".to_owned()),
        session: Some(sid),
        ..Expect::default()
    };
    let (_, verdict) = light::verify(&receipt, &genesis, &expect, now_ms);
    assert_eq!(verdict.unwrap().signers, ["rc", "clinic-a", "clinic-b"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registration_names_its_transaction_its_height_and_has_a_receipt() {
    let bench = Bench::start("rc", Kind::Research);
    let (answer, card) = register(&bench).await;

    assert_eq!(answer.headers["aidchain-height"], "1");
    let hash = answer.headers["aidchain-transaction"]
        .to_str()
        .unwrap()
        .to_owned();
    let receipt = bench
        .get(To::Patients, &format!("/v1/registrations/{hash}"))
        .await
        .json();
    assert_eq!(receipt["height"], 1);
    let shown = bench
        .get(
            To::Members,
            &format!("/v1/identities/{}", card.unwrap().aid()),
        )
        .await
        .json();
    assert_eq!(shown["status"], "active");
    assert_eq!(shown["fields"]["id"]["in_clear_bytes"], 12);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_that_knows_a_newer_block_is_answered_once_the_node_has_it() {
    let (bench, card) = enrolled().await;
    let now_ms = bench.app.now_ms();
    let [(ahead, _), (other, _)] = [open(&card, now_ms), open(&card, now_ms)];

    let waiting = bench.hello_knowing("2", ahead);
    let ordering = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(
            *bench.app.services().ledger.subscribe().borrow(),
            Height::new(1)
        );
        bench.post("/v1/sign-in/hello", other).await
    };
    let (answer, ordered) = tokio::join!(waiting, ordering);

    assert_eq!(
        (answer.status, ordered.status),
        (StatusCode::OK, StatusCode::OK)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_stays_behind_the_terminal_says_so_and_does_not_refuse_the_patient() {
    let (bench, card) = enrolled().await;
    let me5 = || open(&card, bench.app.now_ms()).0;

    for known in ["2", "18446744073709551615"] {
        let answer = bench.hello_knowing(known, me5()).await;

        assert_eq!(answer.status, 503);
        assert_eq!(answer.json()["code"], Code::NodeBehind.text());
    }
    assert_eq!(bench.hello_knowing("1", me5()).await.status, 200);
    assert_eq!(bench.hello_knowing("one", me5()).await.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_registration_gets_the_neutral_text_and_no_aid() {
    let (bench, _card) = enrolled().await;
    let (answer, card) = register(&bench).await;

    assert_eq!(answer.status, 409);
    assert!(card.is_none());
    assert_eq!(
        refusal(&bench, &answer),
        (Code::CannotEnrol.text(), Code::IdentityEnrolled.text())
    );
    assert_eq!(answer.json()["detail"], Code::CannotEnrol.title());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_a_changed_message_and_an_unknown_aid_get_one_and_the_same_text() {
    let (bench, card) = enrolled().await;
    let (me5, _) = open(&card, bench.app.now_ms());
    let changed = |at: usize| {
        let mut bytes = me5.clone();
        bytes[at] ^= 1;
        bytes
    };
    let mut strange = me5.clone();
    strange.splice(416..672, *face(9, 0).expose());

    let mut texts = Vec::new();
    for (message, reason) in [
        (strange, Code::CaptureMismatch),
        (changed(70), Code::AuthenticatorMismatch),
        (changed(0), Code::UnknownAid),
        (me5[..679].to_vec(), Code::RequestMalformed),
    ] {
        let answer = bench.post("/v1/sign-in/hello", message).await;
        assert_eq!(answer.status, 403);
        assert_eq!(
            refusal(&bench, &answer),
            (Code::SignInRefused.text(), reason.text())
        );
        let mut problem = answer.json();
        problem["support_code"] = serde_json::Value::Null;
        texts.push(problem.to_string());
    }
    texts.dedup();
    assert_eq!(texts.len(), 1);
    let log = std::fs::read_to_string(bench.file("refusals.log")).unwrap();
    assert!(!log.contains(&card.aid().to_string()));
    assert!(!log.contains("Lovelace"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_message_is_told_to_be_a_matter_of_clocks() {
    let (bench, card) = enrolled().await;
    let (me5, _) = open(&card, bench.app.now_ms() - 120_000);

    let answer = bench.post("/v1/sign-in/hello", me5).await;

    assert_eq!(answer.status, 403);
    assert_eq!(answer.json()["code"], Code::ClockSkew.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replayed_first_message_is_accepted_as_printed_and_makes_another_session() {
    let (bench, card) = enrolled().await;
    let now_ms = bench.app.now_ms();
    let (me5, _) = open(&card, now_ms);

    let first = bench.post("/v1/sign-in/hello", me5.clone()).await;
    let again = bench.post("/v1/sign-in/hello", me5).await;

    assert_eq!((first.status.as_u16(), again.status.as_u16()), (200, 200));
    assert_ne!(first.body, again.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clinic_enrols_nobody_and_a_secure_ledger_runs_no_suite_of_a_paper() {
    let clinic = Bench::start("clinic-a", Kind::Research);
    let (answer, _) = register(&clinic).await;
    assert_eq!(
        (answer.status.as_u16(), answer.json()["code"].clone()),
        (403, Code::NotTheCentre.text().into())
    );

    let secure = Bench::start("rc", Kind::Secure);
    let (answer, _) = register(&secure).await;
    assert_eq!(answer.json()["code"], Code::SuiteNotOffered.text());
    assert!(
        !secure.file("registration/wu-2021.table").exists()
            || std::fs::metadata(secure.file("registration/wu-2021.table"))
                .unwrap()
                .len()
                < 32
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_never_was_is_not_found_and_a_suite_without_third_message_says_so() {
    let bench = Bench::start("clinic-a", Kind::Research);

    let session = bench
        .get(To::Patients, &format!("/v1/sessions/{}", "ab".repeat(32)))
        .await;
    let confirm = bench.post("/v1/sign-in/confirm", Vec::new()).await;

    assert_eq!(
        (session.status.as_u16(), session.json()["code"].clone()),
        (404, Code::NoSuchSession.text().into())
    );
    assert_eq!(confirm.status, 409);
    assert!(
        confirm.json()["detail"]
            .as_str()
            .unwrap()
            .contains("no third message")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_number_that_another_member_recorded_first_does_not_hide_this_members_own() {
    let (bench, card) = enrolled().await;
    let sid = SessionId::new([5; 32]);
    let result = |server_id| LegacyResult {
        suite: SuiteId::WU_2021,
        server_id,
        aid: card.aid(),
        t1: BlockTime::new(bench.app.now_ms()),
        t3: BlockTime::new(bench.app.now_ms()),
        sid,
    };
    let other = bench
        .app
        .genesis()
        .member_named("clinic-b")
        .unwrap()
        .server_id();
    let own = bench.app.services().server_id();
    let until = BlockTime::new(bench.app.now_ms()).plus_ms(60_000);
    let call = Call::LegacyResults(vec![result(other)]);
    let theirs = Transaction::new(
        *bench.app.genesis().chain(),
        Author::Member(other),
        until,
        [0; 8],
        call,
    );
    // The third member's key comes from the seed 3.
    let theirs = theirs.sign(&ed25519_dalek::SigningKey::from_bytes(&[3; 32]));
    let submitter = &bench.app.services().submitter;
    let path = format!("/v1/sessions/{sid}");

    let ticket = submitter.submit(theirs.as_bytes().into()).await.unwrap();
    ticket.wait(Duration::from_secs(20)).await.unwrap();
    let before = bench.get(To::Patients, &path).await;
    let call = Call::LegacyResults(vec![result(own)]);
    let ticket = bench.clerk.say(own, call).await.unwrap();
    let ours = ticket.wait(Duration::from_secs(20)).await.unwrap();
    let after = bench.get(To::Patients, &path).await;

    assert_eq!(before.status, 404);
    assert_eq!(after.status, 200);
    assert_eq!(after.json()["height"], ours.height.get());
    let ledger = &bench.app.services().ledger;
    let row = |server| ledger.session(&sid, server).unwrap().unwrap();
    assert_eq!(row(Some(&other)).server_id, other);
    assert_eq!(row(Some(&own)).server_id, own);
    assert_eq!(row(None).server_id, other, "the first one");
}
