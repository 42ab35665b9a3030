//! Another lock, more identities, another device, and the ways back after a loss.

use axum::http::StatusCode;
use contract::{Aid, Call, Consent, RecoveryCall, Status};
use protocol::aidc1::AidIndex;
use protocol::aidc1::application::Purpose;
use protocol::aidc1::offer::Taken;

use super::consortium::{Consortium, Node};
use super::terminal::{Terminal, accept, offer_of};
use super::{active, all_are, desk, nameless};
use crate::centre::Ledger as _;

async fn enrolled(consortium: &Consortium) -> Terminal {
    let mut ada = Terminal::of("Ada");
    ada.enrol(consortium, None).await;
    consortium.until(|it| active(it, &ada)).await;
    ada
}

/// Consents of an old terminal's signing keys to a new one's AIDs.
fn by_signing_keys(
    old: &Terminal,
    new: &Terminal,
    consortium: &Consortium,
) -> impl Fn(usize, &Aid) -> Option<Consent> + use<> {
    let (old, aids, chain) = (old.clone(), new.aids(), *consortium.chain());
    move |at, _| {
        let index = AidIndex::new(u8::try_from(at).unwrap())?;
        Some(old.root.seed(index).keys().consent(&chain, &aids[at]))
    }
}

/// Consents by the code that the old terminal printed.
fn by_code(
    old: &Terminal,
    new: &Terminal,
    consortium: &Consortium,
) -> impl Fn(usize, &Aid) -> Option<Consent> + use<> {
    let (code, aids, chain) = (old.code.clone(), new.aids(), *consortium.chain());
    move |at, replaced| {
        let index = AidIndex::new(u8::try_from(at).unwrap())?;
        Some(code.consent(&chain, (index, replaced), &aids[at]))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_lock_destroys_the_old_share_at_every_member() {
    let consortium = Consortium::start();
    let ada = enrolled(&consortium).await;
    let mut changed = ada.relocked();
    let handle = *ada.handle.as_bytes();

    let enrolment = changed.in_place_of(&ada, &consortium);
    let answer = changed
        .apply(&consortium, (Purpose::Relock, None), enrolment)
        .await;
    let offer = offer_of(&answer);
    assert_eq!(offer.identities, None);
    changed.deliver(&consortium, &offer).await;
    let before: Vec<Vec<u8>> = consortium
        .nodes
        .iter()
        .map(|node| share_of(node.home.path(), &handle).unwrap())
        .collect();
    let evaluated = changed.evaluate(&consortium, "rose").await;
    changed.confirm(&consortium, &evaluated).await;

    for (node, share) in consortium.nodes.iter().zip(before) {
        assert!(!node.holds(&share), "{}", node.services.me.name);
        let question = ada.question("tulip");
        let (_, answer) = ada.ask(&consortium, node, &question).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        assert_eq!(answer.json()["code"], "AC0332");
    }
    let again = changed.evaluate(&consortium, "rose").await;
    assert_eq!(again.output, evaluated.output);
    // The last confirmation may come again.
    changed.confirm(&consortium, &again).await;
    changed.confirm(&consortium, &again).await;
}

/// The 32 bytes of the share that a vault holds under a handle: behind the change and what was confirmed.
fn share_of(home: &std::path::Path, handle: &[u8]) -> Option<Vec<u8>> {
    let bytes = std::fs::read(home.join("vault/evaluators")).unwrap();
    let slots = bytes.chunks(2_048).skip(1);
    // length 2, CRC 4, kind 1, age 8, epoch 4, deal 32, then the handle.
    let mut hers = slots.filter(|slot| slot.get(51..67) == Some(handle) && slot[6] == 1);
    let slot = hers.next()?;
    let (_keys, rest) = slot.get(67..)?.split_at(64);
    let (_change, rest) = rest.split_at(if rest[0] == 1 { 81 } else { 1 });
    let (_old, rest) = rest.split_at(if rest[0] == 1 { 33 } else { 1 });
    rest.get(..32).map(<[u8]>::to_vec)
}

#[tokio::test(flavor = "multi_thread")]
async fn either_of_the_two_latest_locks_may_change_it_again_and_no_older_one() {
    let consortium = Consortium::start();
    let first = enrolled(&consortium).await;
    let (second, third, fourth) = (first.relocked(), first.relocked(), first.relocked());
    let relock = async |new: &Terminal, old: &Terminal| {
        let enrolment = new.in_place_of(old, &consortium);
        new.apply(&consortium, (Purpose::Relock, None), enrolment)
            .await
            .status
    };

    // She did not finish with the second, so the first asks again; then the second is none any more.
    assert_eq!(relock(&second, &first).await, StatusCode::OK);
    assert_eq!(relock(&third, &first).await, StatusCode::OK);
    assert_eq!(relock(&fourth, &second).await, StatusCode::CONFLICT);
    assert_eq!(relock(&fourth, &third).await, StatusCode::OK);
    assert_eq!(
        relock(&first.relocked(), &first).await,
        StatusCode::CONFLICT
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn renewing_adds_sixteen_and_the_old_ones_stay() {
    let consortium = Consortium::start();
    let ada = enrolled(&consortium).await;
    let mut new = ada.anew();

    let enrolment = new.in_place_of(&ada, &consortium);
    let purpose = Purpose::Renew(new.person());
    let answer = new.apply(&consortium, (purpose, None), enrolment).await;
    let taken = new
        .finish(&consortium, offer_of(&answer), |_, _| None)
        .await;

    assert_eq!(taken, Taken::Submitted);
    consortium.until(|it| active(it, &new)).await;
    assert!(active(&consortium, &ada));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_renews_with_another_persons_lock() {
    let consortium = Consortium::start();
    let ada = enrolled(&consortium).await;
    let mut grace = Terminal::of("Grace");
    grace.enrol(&consortium, None).await;
    let new = grace.anew();

    let enrolment = new.in_place_of(&ada, &consortium);
    let purpose = Purpose::Renew(new.person());
    let answer = new.apply(&consortium, (purpose, None), enrolment).await;

    assert_eq!(answer.json()["code"], "AC0310");
}

#[tokio::test(flavor = "multi_thread")]
async fn moving_replaces_all_sixteen_by_the_old_keys() {
    let consortium = Consortium::start();
    let ada = enrolled(&consortium).await;
    let mut new = ada.anew();

    let enrolment = new.in_place_of(&ada, &consortium);
    let purpose = Purpose::Move(new.person());
    let answer = new.apply(&consortium, (purpose, None), enrolment).await;
    let offer = offer_of(&answer);
    let consents = by_signing_keys(&ada, &new, &consortium);
    let taken = new.finish(&consortium, offer, consents).await;

    assert_eq!(taken, Taken::Submitted);
    consortium.until(|it| active(it, &new)).await;
    assert!(all_are(&consortium, &ada, Status::Replaced));
    let epochs = new.aids().map(|aid| consortium.record(&aid).unwrap().epoch);
    assert_eq!(epochs, [1; 16]);
    // Her old lock asks for nothing any more.
    let other = ada.relocked();
    let enrolment = other.in_place_of(&ada, &consortium);
    let answer = other
        .apply(&consortium, (Purpose::Relock, None), enrolment)
        .await;
    assert_eq!(answer.json()["code"], "AC0310");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_recovery_code_and_the_desk_replace_all_sixteen_at_once() {
    let consortium = Consortium::start();
    let ada = enrolled(&consortium).await;
    let mut new = ada.anew();
    let code = desk::code(&consortium, "recover", "Ada").await;

    let purpose = Purpose::Recover(new.person());
    let application = (purpose, Some(code));
    let answer = new.apply(&consortium, application, new.enrolment()).await;
    let consents = by_code(&ada, &new, &consortium);
    let taken = new.finish(&consortium, offer_of(&answer), consents).await;

    assert_eq!(taken, Taken::Submitted);
    consortium.until(|it| active(it, &new)).await;
    assert!(all_are(&consortium, &ada, Status::Replaced));
}

#[tokio::test(flavor = "multi_thread")]
async fn five_acceptances_with_false_consents_spend_a_desk_code() {
    let consortium = Consortium::start();
    let ada = enrolled(&consortium).await;
    let thief = ada.anew();
    let code = desk::code(&consortium, "recover", "Ada").await;
    let apply = || (Purpose::Recover(thief.person()), Some(code.clone()));
    let answer = thief.apply(&consortium, apply(), thief.enrolment()).await;
    let offer = offer_of(&answer);
    let mut acceptance = thief.acceptance(&consortium, &offer);
    let consents = by_code(&thief, &thief, &consortium);
    let old = offer.identities.as_ref().unwrap().replaced.clone().unwrap();
    let guessed: Vec<Consent> = (0..16)
        .filter_map(|at| consents(at, &old[at].aid))
        .collect();
    acceptance.consents = <Box<[Consent; 16]>>::try_from(guessed).ok();

    for _ in 0..5 {
        let answer = accept(&consortium, &acceptance).await;
        assert_eq!(answer.json()["code"], "AC0322");
    }
    let sixth = accept(&consortium, &acceptance).await;

    assert_eq!(sixth.json()["code"], "AC0343");
    let again = thief.apply(&consortium, apply(), thief.enrolment()).await;
    assert_eq!(again.json()["code"], "AC0310");
    assert!(active(&consortium, &ada));
}

/// Whether all sixteen are asked for, as every member has it: the next step may be another member's.
fn asked(consortium: &Consortium, ada: &Terminal) -> bool {
    let asked_at = |node: &Node| {
        let state = node.services.ledger.state();
        let open = |aid: &Aid| state.recovery(aid).unwrap().is_some();
        ada.aids().iter().all(open)
    };
    consortium.nodes.iter().all(asked_at)
}

/// Somebody without device and code, as far as the officer's requests.
async fn lost(consortium: &Consortium, ada: &Terminal) -> Terminal {
    let mut new = ada.anew();
    let code = desk::code(consortium, "recover", "Ada").await;
    let application = (Purpose::Recover(new.person()), Some(code));
    let answer = new.apply(consortium, application, new.enrolment()).await;
    let taken = new.finish(consortium, offer_of(&answer), |_, _| None).await;
    assert_eq!(taken, Taken::AwaitsApproval);
    consortium.until(|it| asked(it, ada)).await;
    new
}

#[tokio::test(flavor = "multi_thread")]
async fn without_any_key_an_officer_asks_another_member_approves_and_the_centre_finishes() {
    let consortium = Consortium::start();
    let ada = enrolled(&consortium).await;
    let new = lost(&consortium, &ada).await;
    let whose = serde_json::json!({ "aid": ada.aids()[5] });
    let shown = desk::ask(&consortium, 1, "recovery", &whose).await;
    assert_eq!(shown["identities"].as_array().unwrap().len(), 16);
    // Until it is finished her old lock counts, and the new one does not.
    let other = new.relocked();
    let enrolment = other.in_place_of(&new, &consortium);
    let early = other
        .apply(&consortium, (Purpose::Relock, None), enrolment.clone())
        .await;
    assert_eq!(early.json()["code"], "AC0310");

    for (old, new) in ada.aids().into_iter().zip(new.aids()) {
        let approve = RecoveryCall::Approve { old, new };
        consortium.submit(1, Call::Recovery(approve)).await;
    }
    consortium.until(|it| active(it, &new)).await;

    assert!(all_are(&consortium, &ada, Status::Replaced));
    let late = other
        .apply(&consortium, (Purpose::Relock, None), enrolment)
        .await;
    assert_eq!(late.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recovery_that_is_cancelled_leaves_nothing_of_the_new_lock() {
    let consortium = Consortium::start();
    let ada = enrolled(&consortium).await;
    let new = lost(&consortium, &ada).await;
    let aid = new.aids()[0];
    assert!(consortium.rc().holds(aid.as_bytes()));

    let done = desk::ask(
        &consortium,
        0,
        "cancel",
        &serde_json::json!({ "id": "Ada" }),
    )
    .await;

    assert_eq!(done["now"], 16);
    let vault = || consortium.rc().home.path().join("vault/patients");
    let gone = |_: &Consortium| {
        let bytes = std::fs::read(vault()).unwrap();
        !bytes.windows(32).any(|window| window == aid.as_bytes())
    };
    consortium.until(gone).await;
    assert!(active(&consortium, &ada));
    let again = ada.relocked();
    let enrolment = again.in_place_of(&ada, &consortium);
    let answer = again
        .apply(&consortium, (Purpose::Relock, None), enrolment)
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{}", nameless(&answer));
}
