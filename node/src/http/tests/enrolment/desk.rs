//! The desk: codes, shredding, disclosures.

use std::time::Duration;

use axum::http::StatusCode;
use contract::contracts::disclosure::disclosure_at;
use contract::{Call, DisclosureCall, Status};
use protocol::Secret;
use protocol::aidc1::RecoveryCode;
use protocol::aidc1::application::DeskCode;
use serde_json::{Value, json};

use super::consortium::Consortium;
use super::terminal::Terminal;
use super::{active, all_are};

/// Asks the desk of a member, and again as an officer would: the centre sees its own registrations on the ledger a moment
/// after the ledger has them.
pub(super) async fn ask(consortium: &Consortium, at: usize, what: &str, body: &Value) -> Value {
    let path = format!("/v1/desk/{what}");
    let mut answer = consortium.nodes[at].desk(&path, body).await;
    for _ in 0..200 {
        if answer.status != StatusCode::SERVICE_UNAVAILABLE {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
        answer = consortium.nodes[at].desk(&path, body).await;
    }
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    answer.json()
}

/// A code for somebody.
pub(super) async fn code(consortium: &Consortium, purpose: &str, id: &str) -> DeskCode {
    let body = json!({ "officer": "desk-7", "for": purpose, "id": id });
    let answer = ask(consortium, 0, "admit", &body).await;
    let text = answer["code"].as_str().unwrap();
    let code = RecoveryCode::parse(text.as_bytes()).unwrap();
    Secret::new(*code.expose())
}

async fn enrolled(consortium: &Consortium) -> Terminal {
    let mut ada = Terminal::of("Ada Lovelace");
    ada.enrol(consortium, None).await;
    consortium.until(|it| active(it, &ada)).await;
    ada
}

/// Every key and salt in the slots of the RC's vault that hold these AIDs.
fn secrets_of(consortium: &Consortium, ada: &Terminal) -> Vec<Vec<u8>> {
    let path = consortium.rc().home.path().join("vault/patients");
    let bytes = std::fs::read(path).unwrap();
    let of = |aid: &[u8]| {
        let at = bytes.windows(32).position(|window| window == aid).unwrap();
        let behind = &bytes[at..];
        [behind[32..64].to_vec(), behind[64..96].to_vec()]
    };
    ada.aids()
        .iter()
        .flat_map(|aid| of(aid.as_bytes()))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_shredded_is_in_no_home_any_more_and_the_ledger_says_so() {
    let consortium = Consortium::start();
    let ada = enrolled(&consortium).await;
    let secrets = secrets_of(&consortium, &ada);
    assert_eq!(secrets.len(), 32);

    let done = ask(&consortium, 0, "shred", &json!({ "id": "Ada Lovelace" })).await;

    assert_eq!(
        (&done["identities"], &done["now"]),
        (&json!(16), &json!(16))
    );
    assert!(all_are(&consortium, &ada, Status::Shredded));
    for secret in &secrets {
        for node in &consortium.nodes {
            assert!(!node.holds(secret), "{}", node.services.me.name);
        }
    }
    for node in &consortium.nodes {
        assert!(!node.holds(b"Ada Lovelace"), "{}", node.services.me.name);
    }
    let again = consortium.rc();
    let again = again
        .desk("/v1/desk/shred", &json!({ "id": "Ada Lovelace" }))
        .await;
    assert_eq!(again.json()["code"], "AC0350");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_for_a_set_is_shredded_before_anything_is_on_the_ledger() {
    let consortium = Consortium::with(|config| {
        config.registration_set = "8".parse().unwrap();
    });
    let mut ada = Terminal::of("Ada Lovelace");
    ada.enrol(&consortium, None).await;
    let first = ada.aids()[0];

    let done = ask(&consortium, 0, "shred", &json!({ "aid": first })).await;

    assert_eq!(done["now"], 0);
    assert!(!consortium.rc().holds(first.as_bytes()));
    assert_eq!(ask_waiting(&consortium).await["set"]["patients"], 0);
    assert_eq!(consortium.record(&first), None);
}

async fn ask_waiting(consortium: &Consortium) -> Value {
    let request = axum::http::Request::get("/v1/desk/waiting")
        .header("host", "localhost:8200")
        .body(axum::body::Body::empty());
    let to = crate::http::testing::To::Members;
    let answer = consortium.rc().ask(to, request.unwrap()).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    answer.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_revoked_signs_in_nowhere_and_changes_no_lock() {
    let consortium = Consortium::start();
    let ada = enrolled(&consortium).await;

    let done = ask(&consortium, 0, "revoke", &json!({ "aid": ada.aids()[9] })).await;

    assert_eq!(done["now"], 16);
    assert!(all_are(&consortium, &ada, Status::Revoked));
    let other = ada.relocked();
    let enrolment = other.in_place_of(&ada, &consortium);
    let relock = protocol::aidc1::application::Purpose::Relock;
    let answer = other.apply(&consortium, (relock, None), enrolment).await;
    assert_eq!(answer.json()["code"], "AC0310");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_is_told_with_a_certified_approval_and_not_before() {
    let consortium = Consortium::start();
    let ada = enrolled(&consortium).await;
    let aid = ada.aids()[2];
    let wish = json!({ "aid": aid, "officer": "desk-7", "purpose": "BTG", "note": "unconscious" });
    let asked = ask(&consortium, 0, "disclosures", &wish).await;
    let number = asked["number"].as_u64().unwrap();
    let open = json!({ "number": number });
    let early = consortium
        .rc()
        .desk("/v1/desk/disclosures/open", &open)
        .await;
    assert_eq!(early.json()["code"], "AC0353");
    assert_eq!(
        ask_waiting(&consortium).await["disclosures"][0]["number"],
        number
    );
    assert!(consortium.rc().holds(b"unconscious"));

    let approve = DisclosureCall::Approve { number, aid };
    consortium.submit(1, Call::Disclosure(approve)).await;
    let approved = |it: &Consortium| {
        let state = it.rc().services.ledger.state();
        let entry = disclosure_at(&state, number).unwrap();
        entry.is_some_and(|entry| entry.approval.is_some())
    };
    consortium.until(approved).await;
    let told = ask(&consortium, 0, "disclosures/open", &open).await;

    assert_eq!(told["id"], "Ada Lovelace");
    let none = consortium
        .rc()
        .desk("/v1/desk/disclosures/open", &json!({ "number": 9 }))
        .await;
    assert_eq!(none.json()["code"], "AC0352");
    ask(&consortium, 0, "shred", &json!({ "aid": aid })).await;
    assert!(!consortium.rc().holds(b"unconscious"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_is_not_the_centre_has_no_desk_and_bad_wishes_are_told() {
    let consortium = Consortium::start();
    let admit = json!({ "officer": "desk-7", "for": "enrol", "id": "Ada" });

    let elsewhere = consortium.nodes[1].desk("/v1/desk/admit", &admit).await;

    assert_eq!(elsewhere.json()["code"], "AC0301");
    for (path, body, code) in [
        (
            "admit",
            json!({ "officer": "Dr. Who", "for": "enrol", "id": "Ada" }),
            "AC0002",
        ),
        (
            "admit",
            json!({ "officer": "desk-7", "for": "fun", "id": "Ada" }),
            "AC0002",
        ),
        (
            "admit",
            json!({ "officer": "desk-7", "for": "enrol", "id": "" }),
            "AC0307",
        ),
        ("admit", json!({ "officer": "desk-7" }), "AC0002"),
        ("revoke", json!({}), "AC0002"),
        ("revoke", json!({ "id": "Grace" }), "AC0350"),
        ("revoke", json!({ "aid": "aid1" }), "AC0602"),
        ("recovery", json!({ "id": "Ada" }), "AC0002"),
    ] {
        let answer = consortium
            .rc()
            .desk(&format!("/v1/desk/{path}"), &body)
            .await;
        assert_eq!(answer.json()["code"], code, "{path} {body}");
        assert!(!answer.text().contains("Ada"), "{}", answer.text());
    }
}
