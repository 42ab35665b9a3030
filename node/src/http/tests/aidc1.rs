//! Sign-in under the default suite, from the server's record to the receipt, over a real ledger.

use std::collections::BTreeSet;
use std::time::Duration;

use contract::{Call, Genesis, Height};
use patient::{
    code::Code,
    excerpt::Excerpt,
    light::{self, Expect, Shown},
    receipt::Receipt,
};
use protocol::{
    Message as _, Pending as _, Timestamp,
    aidc1::{Answer as Sealed, Identity, Me7, Status},
};

use super::clinic::{Clinic, id, keys};
use crate::http::testing::To;

#[tokio::test(flavor = "multi_thread")]
async fn a_patient_signs_in_and_holds_a_receipt_of_it() {
    let clinic = Clinic::start().await;
    let ada = keys(1);
    clinic.register(&ada).await;

    let sid = clinic.sign_in(&ada).await;

    let session = clinic
        .bench
        .get(To::Patients, &format!("/v1/sessions/{sid}"))
        .await;
    let receipt = session.json()["receipt"].to_string();
    let receipt = Receipt::parse(receipt.as_bytes()).unwrap();
    let genesis = std::fs::read(clinic.bench.file("genesis.json")).unwrap();
    let expect = Expect {
        aid: Some(*ada.aid()),
        server: Some("rc".to_owned()),
        session: Some(sid),
        ..Expect::default()
    };
    let genesis = Genesis::parse(&genesis).unwrap();
    let (_, verdict) = light::verify(&receipt, &genesis, &expect, clinic.bench.app.now_ms());
    assert_eq!(verdict.unwrap().signers, ["rc", "clinic-a", "clinic-b"]);
    assert!(!clinic.bench.file("sign-ins/identified.jsonl").exists());
    assert!(clinic.bench.app.services().outbox.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_ins_that_come_together_share_a_transaction_and_each_receipt_shows_one_of_them() {
    let clinic = Clinic::start().await;
    let patients: Vec<_> = (1..=8).map(keys).collect();
    let mut waiting = Vec::new();
    for patient in &patients {
        clinic.register(patient).await;
        let credential = clinic.credential(patient, None).await;
        waiting.push(clinic.until_me9(&credential).await);
    }

    let confirmed = waiting.iter().map(|finished| {
        let sid = finished.session.to_string();
        let me9 = finished.confirm.encode();
        let clinic = &clinic;
        async move { clinic.confirm(&sid, "", me9).await.status }
    });
    let confirmed = futures::future::join_all(confirmed).await;

    assert!(
        confirmed.iter().all(|status| *status == 200),
        "{confirmed:?}"
    );
    let mut transactions = BTreeSet::new();
    for (patient, finished) in patients.iter().zip(&waiting) {
        let path = format!("/v1/sessions/{}", finished.session);
        let told = clinic.bench.get(To::Patients, &path).await.json()["receipt"].to_string();
        let receipt = Receipt::parse(told.as_bytes()).unwrap();
        let expect = Expect {
            aid: Some(*patient.aid()),
            session: Some(finished.session),
            ..Expect::default()
        };
        let app = &clinic.bench.app;
        let (_, verdict) = light::verify(&receipt, app.genesis(), &expect, app.now_ms());
        transactions.insert(verdict.unwrap().transaction);
        for other in patients.iter().filter(|other| other.aid() != patient.aid()) {
            assert!(!told.contains(&hex::encode(other.aid().as_bytes())));
        }
    }
    assert!(
        transactions.len() < patients.len(),
        "{}",
        transactions.len()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_is_shown_who_the_members_are() {
    let clinic = Clinic::start().await;

    let answer = clinic.bench.get(To::Patients, "/v1/consortium").await;

    assert_eq!(answer.status, 200, "{}", answer.text());
    let (excerpt, app) = (Excerpt::parse(&answer.body).unwrap(), &clinic.bench.app);
    let shown = Shown::verify(&excerpt, app.genesis(), Height::new(0), app.now_ms()).unwrap();
    let members = shown.members().unwrap();
    assert!(
        members
            .iter()
            .map(|one| &one.member)
            .eq(app.genesis().members())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identified_sign_in_is_written_down_with_its_id_and_without_its_salt() {
    let clinic = Clinic::start().await;
    let ada = keys(1);
    let issued = clinic.register(&ada).await;
    let salt = issued.answer.salt;
    let identity = Identity::new(salt.clone(), id()).unwrap();
    let credential = clinic.credential(&ada, None).await.identified(identity);

    let finished = clinic.until_me9(&credential).await;
    let sid = finished.session;
    let answer = clinic
        .confirm(&sid.to_string(), "", finished.confirm.encode())
        .await;

    assert_eq!(answer.status, 200, "{}", answer.text());
    let text = std::fs::read_to_string(clinic.bench.file("sign-ins/identified.jsonl")).unwrap();
    let line: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(line["id"], "Ada Lovelace");
    assert_eq!(line["aid"], ada.aid().to_string());
    assert_eq!(line["sid"], sid.to_string());
    assert!(!text.contains(&hex::encode(salt.expose())));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_message_that_comes_again_is_refused_like_any_other() {
    let clinic = Clinic::start().await;
    let ada = keys(1);
    clinic.register(&ada).await;
    let (me5, _) = clinic.open(&clinic.credential(&ada, None).await);

    let first = clinic.hello(me5.clone()).await;
    let again = clinic.hello(me5).await;

    assert_eq!((first.status.as_u16(), again.status.as_u16()), (200, 403));
    let told = (
        Code::SignInRefused.text(),
        Code::AuthenticatorMismatch.text(),
    );
    assert_eq!(clinic.refusal(&again), told);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_a_revoked_and_a_wrong_key_and_a_changed_message_get_one_and_the_same_answer() {
    let clinic = Clinic::start().await;
    let (ada, eve) = (keys(1), keys(2));
    clinic.register(&ada).await;
    clinic.register(&eve).await;
    let known = clinic.credential(&ada, None).await;
    let changed = |at: usize| {
        let (mut bytes, _) = clinic.open(&known);
        bytes[at] ^= 1;
        bytes
    };
    clinic.say(Call::Revoke(*eve.aid())).await;
    let unknown = clinic.open(&clinic.credential(&keys(3), None).await).0;
    let revoked = clinic.open(&clinic.credential(&eve, None).await).0;
    // C1 is hers, M2 is another's: a key that is not the AID's.
    let wrong = changed(100);

    let mut answers = Vec::new();
    for (message, reason) in [
        (unknown, Code::UnknownAid),
        (revoked, Code::UnknownAid),
        (wrong, Code::AuthenticatorMismatch),
        (changed(60), Code::AuthenticatorMismatch),
        (changed(0)[..127].to_vec(), Code::RequestMalformed),
    ] {
        let answer = clinic.hello(message).await;
        assert_eq!(answer.status, 403);
        let told = (Code::SignInRefused.text(), reason.text());
        assert_eq!(clinic.refusal(&answer), told);
        let support = answer.json()["support_code"].as_str().unwrap().to_owned();
        let text = answer.text().replace(&support, "AC-0000");
        answers.push((answer.headers, text));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1);
    let log = std::fs::read_to_string(clinic.bench.file("refusals.log")).unwrap();
    assert!(!log.contains(&eve.aid().to_string()));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_knows_a_newer_block_than_the_server_is_told_that_it_is_behind() {
    let clinic = Clinic::start().await;
    let ada = keys(1);
    clinic.register(&ada).await;
    let (me5, _) = clinic.open(&clinic.credential(&ada, Some(1_000)).await);

    let answer = clinic.hello(me5).await;

    assert_eq!(answer.status, 503);
    assert_eq!(answer.json()["code"], Code::NodeBehind.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_for_a_key_that_the_server_does_not_have_sends_the_terminal_to_the_record() {
    let clinic = Clinic::start().await;
    let ada = keys(1);
    clinic.register(&ada).await;
    let (mut me5, _) = clinic.open(&clinic.credential(&ada, None).await);
    me5[7] ^= 2;

    let answer = clinic.hello(me5).await;

    assert_eq!(answer.status, 409);
    assert_eq!(answer.json()["code"], Code::StaleServerRecord.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_confirmation_that_comes_again_gets_the_same_answer_and_another_one_gets_none() {
    let clinic = Clinic::start().await;
    let ada = keys(1);
    let issued = clinic.register(&ada).await;
    let identity = Identity::new(issued.answer.salt, id()).unwrap();
    let credential = clinic.credential(&ada, None).await;
    let (me5, state) = clinic.open(&credential);
    let me7 = Me7::parse(&clinic.hello(me5).await.body).unwrap();
    let now = Timestamp::from_millis(clinic.bench.app.now_ms());
    let finished = state.finish(&me7, now).unwrap();
    let (sid, me9) = (finished.session.to_string(), finished.confirm.encode());
    let other_type = clinic
        .until_me9(&credential.identified(identity))
        .await
        .confirm
        .encode();

    let wrong_session = clinic.confirm(&"ab".repeat(32), "", me9.clone()).await;
    let (first, beside) = tokio::join!(
        clinic.confirm(&sid, "", me9.clone()),
        clinic.confirm(&sid, "", me9.clone())
    );
    let again = clinic.confirm(&sid, "?wait_ms=0", me9.clone()).await;
    let other = clinic.confirm(&sid, "", other_type).await;
    let still = clinic.confirm(&sid, "", me9).await;

    assert_eq!(first.status, 200, "{}", first.text());
    for answer in [&beside, &again, &still] {
        assert_eq!((answer.status.as_u16(), &answer.body), (200, &first.body));
    }
    for refused in [&wrong_session, &other] {
        let told = (Code::SignInRefused.text(), Code::NoSuchSession.text());
        assert_eq!(clinic.refusal(refused), told);
    }
    let recorded = clinic.bench.app.services().ledger.certified().height;
    assert_eq!(recorded.get(), 3, "the session is recorded once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_confirmation_that_does_not_hold_ends_its_session() {
    let clinic = Clinic::start().await;
    let ada = keys(1);
    clinic.register(&ada).await;
    let finished = clinic.until_me9(&clinic.credential(&ada, None).await).await;
    let (sid, me9) = (finished.session.to_string(), finished.confirm.encode());
    let mut changed = me9.clone();
    changed[40] ^= 1;

    let bad = clinic.confirm(&sid, "", changed).await;
    let good = clinic.confirm(&sid, "", me9).await;

    let refused = Code::SignInRefused.text();
    let (told, seen) = (clinic.refusal(&bad), clinic.refusal(&good));
    assert_eq!(told, (refused.clone(), Code::AuthenticatorMismatch.text()));
    assert_eq!(seen, (refused, Code::NoSuchSession.text()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_confirmation_names_its_session() {
    let clinic = Clinic::start().await;

    let answer = clinic.confirm("none", "", vec![0; 88]).await;

    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("aidchain-session"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_wait_is_promised_her_result_and_the_outbox_keeps_the_promise() {
    let clinic = Clinic::start().await;
    let ada = keys(1);
    clinic.register(&ada).await;
    let finished = clinic.until_me9(&clinic.credential(&ada, None).await).await;
    let sid = finished.session;

    let answer = clinic
        .confirm(&sid.to_string(), "?wait_ms=0", finished.confirm.encode())
        .await;
    let status = finished.after.open(&Sealed::parse(&answer.body).unwrap());

    assert!(matches!(status, Ok(Status::Accepted(_))), "{status:?}");
    let session = format!("/v1/sessions/{sid}?wait_ms=20000");
    let found = clinic.bench.get(To::Patients, &session).await;
    assert_eq!(found.json()["status"], "committed");
    while !clinic.bench.app.services().outbox.is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_whose_aid_was_revoked_meanwhile_is_refused_and_nothing_waits_for_it() {
    let clinic = Clinic::start().await;
    let ada = keys(1);
    clinic.register(&ada).await;
    let credential = clinic.credential(&ada, None).await;
    let waits = clinic.until_me9(&credential).await;
    let waits_not = clinic.until_me9(&credential).await;
    clinic.say(Call::Revoke(*ada.aid())).await;

    let (sid, me9) = (waits.session.to_string(), waits.confirm.encode());
    let refused = clinic.confirm(&sid, "", me9).await;
    let (sid, me9) = (waits_not.session.to_string(), waits_not.confirm.encode());
    let accepted = clinic.confirm(&sid, "?wait_ms=0", me9).await;

    let told = (Code::SignInRefused.text(), Code::ContractRefused.text());
    assert_eq!(clinic.refusal(&refused), told);
    assert_eq!(accepted.status, 200);
    while !clinic.bench.app.services().outbox.is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
