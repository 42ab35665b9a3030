//! Enrolment under AIDC-1, from application to ledger, at a consortium of four.

mod changes;
mod consortium;
mod desk;
mod evaluators;
mod terminal;

use axum::http::StatusCode;
use contract::Status;
use protocol::aidc1::application::Purpose;
use protocol::aidc1::offer::Taken;

use crate::http::testing::Answer;
use consortium::Consortium;
use terminal::{Terminal, accept, offer_of, taken_of};

/// Whether the ledger has all sixteen with this status.
fn all_are(consortium: &Consortium, terminal: &Terminal, status: Status) -> bool {
    let has = |aid| {
        consortium
            .record(aid)
            .is_some_and(|record| record.status == status)
    };
    terminal.aids().iter().all(has)
}

fn active(consortium: &Consortium, terminal: &Terminal) -> bool {
    all_are(consortium, terminal, Status::Active)
}

/// A refusal without what names it.
fn nameless(answer: &Answer) -> serde_json::Value {
    let mut json = answer.json();
    json["support_code"] = serde_json::Value::Null;
    json
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_new_is_on_the_ledger_with_sixteen_identities_and_evaluated_by_all() {
    let consortium = Consortium::start();
    let mut ada = Terminal::of("Ada Lovelace");

    let taken = ada.enrol(&consortium, None).await;

    assert_eq!(taken, Taken::Submitted);
    consortium.until(|it| active(it, &ada)).await;
    let first = ada.evaluate(&consortium, "tulip").await.output;
    assert_eq!(ada.evaluate(&consortium, "tulip").await.output, first);
    assert_ne!(ada.evaluate(&consortium, "rose").await.output, first);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acceptance_sent_again_is_answered_again_also_after_a_restart() {
    let mut consortium = Consortium::start();
    let mut ada = Terminal::of("Ada");
    let purpose = Purpose::Enrol(ada.person());
    let answer = ada
        .apply(&consortium, (purpose, None), ada.enrolment())
        .await;
    let offer = offer_of(&answer);
    ada.deliver(&consortium, &offer).await;
    let acceptance = ada.acceptance(&consortium, &offer);
    let first = taken_of(&accept(&consortium, &acceptance).await);

    let again = taken_of(&accept(&consortium, &acceptance).await);
    consortium.nodes[0].stop().await;
    consortium.nodes[0].start();
    let later = taken_of(&accept(&consortium, &acceptance).await);

    assert_eq!([first, again, later], [Taken::Submitted; 3]);
    consortium.until(|it| active(it, &ada)).await;
    let queue = consortium.rc().home.path().join("registration/queue");
    let waiting = || std::fs::read_dir(&queue).unwrap().count();
    consortium.until(|_| waiting() == 0).await;
    let last = taken_of(&accept(&consortium, &acceptance).await);
    assert_eq!((last, waiting()), (Taken::Submitted, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_is_enrolled_once_and_everybody_refused_hears_the_same() {
    let consortium = Consortium::start();
    let mut ada = Terminal::of("Ada");
    ada.enrol(&consortium, None).await;
    let again = ada.anew();
    let stranger = Terminal::of("Grace");

    let purpose = Purpose::Enrol(again.person());
    let duplicate = again
        .apply(&consortium, (purpose, None), again.enrolment())
        .await;
    let purpose = Purpose::Renew(stranger.person());
    let forged = stranger.in_place_of(&again, &consortium);
    let unknown = stranger.apply(&consortium, (purpose, None), forged).await;

    assert_eq!(duplicate.status, StatusCode::CONFLICT);
    assert_eq!(duplicate.json()["code"], "AC0310");
    assert!(duplicate.json()["support_code"].is_string());
    assert_eq!(nameless(&duplicate), nameless(&unknown));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_rc_did_not_offer_is_not_accepted() {
    let consortium = Consortium::start();
    let mut ada = Terminal::of("Ada");
    let purpose = Purpose::Enrol(ada.person());
    let answer = ada
        .apply(&consortium, (purpose, None), ada.enrolment())
        .await;
    let offer = offer_of(&answer);
    ada.deliver(&consortium, &offer).await;
    let good = ada.acceptance(&consortium, &offer);
    let other = |change: &dyn Fn(&mut protocol::aidc1::application::Acceptance)| {
        let mut bad = good.clone();
        change(&mut bad);
        bad
    };
    let consent = || contract::Consent::SigningKey(contract::SignatureBytes::new([1; 64]));
    let bad = [
        other(&|bad| bad.registrations[3].record.epoch = 1),
        other(&|bad| bad.registrations[3].record.pk_recovery = contract::PublicKey::new([1; 32])),
        other(&|bad| bad.registrations[3].proof_sig = contract::SignatureBytes::new([1; 64])),
        other(&|bad| bad.registrations.swap(3, 4)),
        other(&|bad| bad.registrations[3].record.id_commit = contract::IdCommitment::new([1; 32])),
        other(&|bad| bad.registrations[3].record.c_id = contract::Blob::new(vec![1; 112])),
        other(&|bad| bad.consents = Some(Box::new([0; 16].map(|_| consent())))),
    ];

    for acceptance in &bad {
        let answer = accept(&consortium, acceptance).await;
        assert_eq!(answer.json()["code"], "AC0322", "{}", answer.text());
    }
    let mut over = good.clone();
    over.ticket = protocol::aidc1::application::Ticket::new(protocol::Secret::new([1; 16]));
    let answer = accept(&consortium, &over).await;
    assert_eq!(answer.json()["code"], "AC0343");
    assert_eq!(
        taken_of(&accept(&consortium, &good).await),
        Taken::Submitted
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_waits_until_it_is_full_and_is_registered_as_one() {
    let consortium = Consortium::with(|config| {
        config.registration_set = "2".parse().unwrap();
    });
    let (mut ada, mut grace) = (Terminal::of("Ada"), Terminal::of("Grace"));

    let first = ada.enrol(&consortium, None).await;
    let height = consortium.rc().services.ledger.certified().height;
    let second = grace.enrol(&consortium, None).await;

    let needed = 2;
    assert_eq!(first, Taken::Queued { waiting: 1, needed });
    assert_eq!(second, Taken::Queued { waiting: 2, needed });
    assert_eq!(height.get(), 0);
    consortium
        .until(|it| active(it, &ada) && active(it, &grace))
        .await;
    // Two calls of sixteen, and in each of them AIDs of both.
    let mut batches = Vec::new();
    let ledger = &consortium.rc().services.ledger;
    for height in 1..=ledger.certified().height.get() {
        let block = ledger
            .block(contract::Height::new(height))
            .unwrap()
            .unwrap();
        for transaction in &block.transactions {
            let contract::Call::RegisterBatch(all) = transaction.call() else {
                continue;
            };
            let of_ada = all
                .iter()
                .filter(|one| ada.aids().contains(&one.record.aid));
            batches.push((all.len(), of_ada.count()));
        }
    }
    assert_eq!(batches.len(), 2);
    assert!(
        batches
            .iter()
            .all(|(all, ada)| *all == 16 && (1..16).contains(ada))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_a_set_survives_a_restart_and_leaves_no_trace_afterwards() {
    let mut consortium = Consortium::with(|config| {
        config.registration_set = "2".parse().unwrap();
    });
    let (mut ada, mut grace) = (Terminal::of("Ada"), Terminal::of("Grace"));
    ada.enrol(&consortium, None).await;
    let queue = consortium.rc().home.path().join("registration/queue");
    let waiting = || std::fs::read_dir(&queue).unwrap().count();
    assert_eq!(waiting(), 1);
    consortium.nodes[0].stop().await;
    consortium.nodes[0].start();

    grace.enrol(&consortium, None).await;

    consortium
        .until(|it| active(it, &ada) && active(it, &grace))
        .await;
    consortium.until(|_| waiting() == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_centre_with_a_desk_enrols_nobody_without_a_code() {
    let consortium = Consortium::with(|config| config.enrolment = crate::config::Enrolling::Desk);
    let mut ada = Terminal::of("Ada");
    let purpose = || Purpose::Enrol(ada.person());

    let without = ada
        .apply(&consortium, (purpose(), None), ada.enrolment())
        .await;
    let guessed = Some(protocol::Secret::new([7; 16]));
    let wrong = ada
        .apply(&consortium, (purpose(), guessed), ada.enrolment())
        .await;
    let for_grace = desk::code(&consortium, "enrol", "Grace").await;
    let others = ada
        .apply(&consortium, (purpose(), Some(for_grace)), ada.enrolment())
        .await;
    let for_recovery = desk::code(&consortium, "recover", "Ada").await;
    let other_purpose = ada
        .apply(
            &consortium,
            (purpose(), Some(for_recovery)),
            ada.enrolment(),
        )
        .await;

    assert_eq!(without.json()["code"], "AC0320");
    assert_eq!(wrong.json()["code"], "AC0310");
    assert_eq!(nameless(&others), nameless(&wrong));
    assert_eq!(nameless(&other_purpose), nameless(&wrong));
    let code = desk::code(&consortium, "enrol", "Ada").await;
    let taken = ada.enrol(&consortium, Some(code.clone())).await;
    assert_eq!(taken, Taken::Submitted);
    let again = ada.anew();
    let spent = again
        .apply(
            &consortium,
            (Purpose::Enrol(again.person()), Some(code)),
            again.enrolment(),
        )
        .await;
    assert_eq!(nameless(&spent), nameless(&wrong));
}
