//! Newcomers say that they are ready before their votes are counted on; guests.

use contract::contracts::membership::{
    DEPARTED_GUEST_MS, GuestKind, MembershipChange, READY_LIFE_MS, Replacement, epoch_at, guests_at,
};
use contract::{Author, Call, Outcome, Refused};
use ed25519_dalek::SigningKey;

use crate::consortium::{Consortium, time};
use crate::governance::{Newcomer, WINDOW, WRITTEN, adding, ends, removing, renewal};

#[test]
fn a_change_waits_for_the_last_newcomer() {
    let mut ledger = Consortium::secure();
    let (one, other) = (Newcomer::new(9), Newcomer::new(10));
    let change = adding(&ledger, &[&one, &other]);
    assert_eq!(ledger.agree(&change).1, WRITTEN);

    assert_eq!(ledger.ready(&one), WRITTEN);
    assert_eq!(ledger.ready(&one), WRITTEN, "it may say so again");
    assert_eq!(ledger.ready(&other), ends(6 + WINDOW));
}

#[test]
fn ready_counts_for_ten_minutes_of_block_time() {
    let when_the_other_comes = |after: u64| {
        let mut ledger = Consortium::secure();
        let (one, other) = (Newcomer::new(9), Newcomer::new(10));
        ledger.agree(&adding(&ledger, &[&one, &other]));
        ledger.ready(&one);
        ledger.block(time(after), &[]);
        ledger.ready(&other)
    };

    assert_eq!(when_the_other_comes(READY_LIFE_MS), ends(6 + WINDOW));
    assert_eq!(when_the_other_comes(READY_LIFE_MS + 1), WRITTEN);
}

#[test]
fn only_an_approved_changes_newcomer_is_heard_and_only_when_it_is_ready() {
    let mut ledger = Consortium::secure();
    let newcomer = Newcomer::new(9);
    let (id, _) = ledger.propose(0, &adding(&ledger, &[&newcomer]));
    let unknown = Outcome::Refused(Refused::UnknownAuthor);
    assert_eq!(ledger.ready(&newcomer), unknown, "proposed is not approved");
    ledger.asks(1, Call::ApproveChange(id));
    ledger.asks(2, Call::ApproveChange(id));

    let author = Author::Member(newcomer.id());
    let other_call = Call::ApproveChange(id);
    let theirs = ledger.signed_with(author, &newcomer.signer, time(60_000), other_call);
    assert_eq!(ledger.one(theirs), unknown);
    let thief = SigningKey::from_bytes(&[88; 32]);
    let forged = ledger.ready_as(newcomer.id(), &thief);
    assert_eq!(ledger.one(forged), unknown);

    assert_eq!(ledger.ready(&newcomer), ends(7 + WINDOW));
}

#[test]
fn a_member_is_no_candidate() {
    let mut ledger = Consortium::secure();
    let said = ledger.ready_as(ledger.id(1), &ledger.keys[1].clone());

    assert_eq!(ledger.one(said), Outcome::Refused(Refused::NotACandidate));
}

#[test]
fn nobody_is_ready_at_a_block_that_is_still_to_come() {
    let ready_at = |ahead: u64| {
        let mut ledger = Consortium::secure();
        let newcomer = Newcomer::new(9);
        ledger.agree(&adding(&ledger, &[&newcomer]));
        let call = Call::Ready {
            height: ledger.tip.height().plus(ahead),
            header: *ledger.tip.hash(),
        };
        let author = Author::Member(newcomer.id());
        let said = ledger.signed_with(author, &newcomer.signer, time(60_000), call);
        ledger.one(said)
    };

    assert_eq!(ready_at(0), ends(4 + WINDOW));
    assert_eq!(ready_at(1), Outcome::Refused(Refused::BadRecord));
}

#[test]
fn a_renewed_key_is_ready_first_and_a_renewed_address_needs_no_word() {
    let mut ledger = Consortium::secure();
    let new = SigningKey::from_bytes(&[50; 32]);
    let with_key = MembershipChange {
        renew: vec![renewal(&ledger, 2, &new)],
        ..MembershipChange::default()
    };
    assert_eq!(ledger.agree(&with_key).1, WRITTEN, "it waits");

    let mut ledger = Consortium::secure();
    let old = ledger.keys[2].clone();
    let mut moved = renewal(&ledger, 2, &old);
    moved.to.p2p = "/ip4/10.0.0.7/tcp/7100".to_owned();
    let digest =
        contract::contracts::membership::renewal_digest(ledger.chain(), &moved.id, &moved.to);
    moved.by_old = crate::consortium::sign(&old, &digest);
    moved.by_new = moved.by_old;
    let with_address = MembershipChange {
        renew: vec![moved],
        ..MembershipChange::default()
    };
    assert_eq!(ledger.agree(&with_address).1, ends(3 + WINDOW));
}

#[test]
fn a_new_key_is_a_guest_under_its_member_s_id_and_a_namesake_s_under_its_own() {
    let mut ledger = Consortium::secure();
    let renewed = renewal(&ledger, 1, &SigningKey::from_bytes(&[50; 32]));
    let mut again = Newcomer::new(10);
    again.member.name = "clinic-c".to_owned();
    ledger.agree(&MembershipChange {
        renew: vec![renewed.clone()],
        replace: vec![Replacement {
            leaver: ledger.id(3),
            candidate: again.candidate(ledger.chain()),
        }],
        ..MembershipChange::default()
    });

    let guests = guests_at(&ledger.snapshot()).unwrap();

    let id_of = |key| guests.iter().find(|one| one.member.key == key).unwrap().id;
    assert_eq!(id_of(renewed.to.key), ledger.id(1));
    assert_eq!(id_of(again.member.key), again.id());
    assert_ne!(again.id(), ledger.id(3));
}

#[test]
fn an_approval_taken_back_silences_the_newcomer() {
    let mut ledger = Consortium::secure();
    let newcomer = Newcomer::new(9);
    let (id, _) = ledger.agree(&adding(&ledger, &[&newcomer]));
    assert_eq!(ledger.asks(1, Call::CancelChange(id)), WRITTEN);

    let unknown = Outcome::Refused(Refused::UnknownAuthor);
    assert_eq!(ledger.ready(&newcomer), unknown);
    assert_eq!(guests_at(&ledger.snapshot()).unwrap(), []);
    assert_eq!(ledger.asks(3, Call::ApproveChange(id)), WRITTEN);
    assert_eq!(ledger.ready(&newcomer), ends(7 + WINDOW));
}

#[test]
fn an_approved_candidate_is_a_guest_until_it_is_a_member() {
    let mut ledger = Consortium::secure();
    let newcomer = Newcomer::new(9);
    let (id, _) = ledger.propose(0, &adding(&ledger, &[&newcomer]));
    assert_eq!(guests_at(&ledger.snapshot()).unwrap(), []);
    ledger.asks(1, Call::ApproveChange(id));
    ledger.asks(2, Call::ApproveChange(id));

    let guests = guests_at(&ledger.snapshot()).unwrap();
    assert_eq!(guests.len(), 1);
    assert_eq!(guests[0].member, newcomer.member);
    assert_eq!(guests[0].id, newcomer.id());
    assert_eq!(guests[0].why, GuestKind::Candidate);

    ledger.ready(&newcomer);
    ledger.end_the_epoch();
    assert_eq!(guests_at(&ledger.snapshot()).unwrap(), []);
    assert_eq!(epoch_at(&ledger.snapshot()).unwrap().committee.len(), 5);
}

#[test]
fn who_left_is_a_guest_for_a_day() {
    let mut ledger = Consortium::secure();
    ledger.agree(&removing(&ledger, &[3]));
    ledger.end_the_epoch();

    let guests = guests_at(&ledger.snapshot()).unwrap();

    assert_eq!(guests.len(), 1);
    assert_eq!(guests[0].id, ledger.id(3));
    assert_eq!(guests[0].member.name, "clinic-c");
    assert_eq!(guests[0].why, GuestKind::Departed);
    assert_eq!(guests[0].until, time(DEPARTED_GUEST_MS));
}

#[test]
fn a_newcomer_whose_change_became_unlawful_hinders_nobody() {
    let mut ledger = Consortium::secure();
    let newcomer = Newcomer::new(9);
    let mut with_removal = adding(&ledger, &[&newcomer]);
    with_removal.remove = vec![ledger.id(3)];
    assert_eq!(ledger.agree(&with_removal).1, WRITTEN);
    let removal = removing(&ledger, &[3]);
    let (id, _) = ledger.propose(1, &removal);
    ledger.asks(0, Call::ApproveChange(id));
    ledger.asks(2, Call::ApproveChange(id));
    ledger.end_the_epoch();

    // It names a member who has left: ready or not, it cannot take effect.
    assert_eq!(ledger.ready(&newcomer), WRITTEN);
    assert_eq!(epoch_at(&ledger.snapshot()).unwrap().end, None);
}
