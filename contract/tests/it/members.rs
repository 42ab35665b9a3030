//! Who may propose, approve and take back, and what becomes of proposals.

use contract::contracts::membership::{
    PROPOSAL_LIFE_MS, ProposalStatus, REJOIN_INTERVAL_MS, epoch_at, proposal_at, proposals_at,
};
use contract::identity::ChangeId;
use contract::{Author, Call, Height, Outcome, Refused};

use crate::consortium::{Consortium, time};
use crate::governance::{Newcomer, WINDOW, WRITTEN, adding, ends, removing, setting};

const fn no(reason: Refused) -> Outcome {
    Outcome::Refused(reason)
}

const REJOIN: Call = Call::Rejoin { random: [7; 16] };

#[test]
fn a_quorum_decides_and_one_less_does_not() {
    let mut ledger = Consortium::secure();
    let change = setting(&[("depth", 4)]);

    let (id, first) = ledger.propose(0, &change);
    let second = ledger.asks(1, Call::ApproveChange(id));
    let pending = epoch_at(&ledger.snapshot()).unwrap().end;
    let third = ledger.asks(2, Call::ApproveChange(id));

    assert_eq!((first, second, pending), (WRITTEN, WRITTEN, None));
    assert_eq!(third, ends(3 + WINDOW));
}

#[test]
fn a_member_counts_once_however_often_it_approves() {
    let mut ledger = Consortium::secure();
    let (id, _) = ledger.propose(0, &setting(&[("depth", 4)]));

    let again = [0, 0, 0].map(|member| ledger.asks(member, Call::ApproveChange(id)));

    assert_eq!(again, [(); 3].map(|()| no(Refused::AlreadyApproved)));
    let proposal = proposal_at(&ledger.snapshot(), &id).unwrap().unwrap();
    assert_eq!(proposal.approvals, [ledger.id(0)]);
}

#[test]
fn nobody_but_a_member_proposes_or_approves() {
    let mut ledger = Consortium::secure();
    let newcomer = Newcomer::new(9);
    let change = adding(&ledger, &[&newcomer]);
    let (id, _) = ledger.propose(0, &change);

    for call in [
        Call::ProposeChange(Box::new(change)),
        Call::ApproveChange(id),
        Call::CancelChange(id),
        REJOIN,
    ] {
        let author = Author::Member(newcomer.id());
        let theirs = ledger.signed_with(author, &newcomer.signer, time(60_000), call);
        assert_eq!(ledger.one(theirs), no(Refused::UnknownAuthor));
    }
}

#[test]
fn the_proposer_closes_its_proposal_and_others_take_their_approval_back() {
    let mut ledger = Consortium::secure();
    let (id, _) = ledger.propose(0, &setting(&[("depth", 4)]));
    assert_eq!(ledger.asks(1, Call::ApproveChange(id)), WRITTEN);

    assert_eq!(
        ledger.asks(2, Call::CancelChange(id)),
        no(Refused::NotPermitted)
    );
    assert_eq!(ledger.asks(1, Call::CancelChange(id)), WRITTEN);
    assert_eq!(ledger.asks(2, Call::ApproveChange(id)), WRITTEN);
    assert_eq!(epoch_at(&ledger.snapshot()).unwrap().end, None);

    assert_eq!(ledger.asks(0, Call::CancelChange(id)), WRITTEN);
    let closed = proposal_at(&ledger.snapshot(), &id).unwrap().unwrap();
    assert_eq!(closed.status, ProposalStatus::Cancelled);
    for member in 1..4 {
        let outcome = ledger.asks(member, Call::ApproveChange(id));
        assert_eq!(outcome, no(Refused::UnknownChange));
    }
}

#[test]
fn a_member_has_one_open_proposal_and_a_change_is_open_once() {
    let mut ledger = Consortium::secure();
    let change = setting(&[("depth", 4)]);
    let (id, _) = ledger.propose(0, &change);

    assert_eq!(ledger.propose(1, &change).1, no(Refused::AlreadyProposed));
    let other = setting(&[("depth", 5)]);
    assert_eq!(ledger.propose(0, &other).1, no(Refused::ProposalOpen));
    assert_eq!(ledger.propose(1, &other).1, WRITTEN);

    assert_eq!(ledger.asks(0, Call::CancelChange(id)), WRITTEN);
    assert_eq!(ledger.propose(0, &change).1, WRITTEN, "it may come again");
    assert_eq!(proposals_at(&ledger.snapshot()).unwrap().len(), 2);
}

#[test]
fn a_proposal_lapses_after_a_week_of_block_time() {
    let at_the_end = |late: u64| {
        let mut ledger = Consortium::secure();
        let (id, _) = ledger.propose(0, &setting(&[("depth", 4)]));
        ledger.block(time(PROPOSAL_LIFE_MS + late), &[]);
        ledger.asks(1, Call::ApproveChange(id))
    };

    assert_eq!(at_the_end(0), WRITTEN);
    assert_eq!(at_the_end(1), no(Refused::UnknownChange));
}

#[test]
fn a_lapsed_proposal_is_in_nobodys_way() {
    let mut ledger = Consortium::secure();
    let change = setting(&[("depth", 4)]);
    let (id, _) = ledger.propose(0, &change);
    ledger.block(time(PROPOSAL_LIFE_MS + 1), &[]);

    assert_eq!(ledger.propose(0, &setting(&[("depth", 5)])).1, WRITTEN);

    let lapsed = proposal_at(&ledger.snapshot(), &id).unwrap().unwrap();
    assert_eq!(lapsed.status, ProposalStatus::Lapsed);
    assert_eq!(ledger.propose(1, &change).1, WRITTEN);
}

#[test]
fn while_an_end_is_pending_nothing_further_is_decided() {
    let mut ledger = Consortium::secure();
    let (open, _) = ledger.propose(3, &setting(&[("depth", 5)]));
    let (decided, _) = ledger.agree(&setting(&[("depth", 4)]));
    let pending = no(Refused::ChangePending {
        ends_at: Height::new(4 + WINDOW),
    });

    assert_eq!(ledger.propose(1, &setting(&[("depth", 6)])).1, pending);
    assert_eq!(ledger.asks(1, Call::ApproveChange(open)), pending);
    assert_eq!(ledger.asks(1, REJOIN), pending);
    assert_eq!(
        ledger.asks(0, Call::CancelChange(decided)),
        no(Refused::UnknownChange),
        "what is decided cannot be taken back"
    );
    assert_eq!(ledger.asks(3, Call::CancelChange(open)), WRITTEN);

    while ledger.tip.height() < Height::new(3 + WINDOW) {
        ledger.null();
    }
    let in_the_last_block = ledger.asks(1, Call::ApproveChange(open));
    assert_eq!(in_the_last_block, pending);
    assert_eq!(ledger.propose(1, &setting(&[("depth", 6)])).1, WRITTEN);
}

#[test]
fn a_proposal_outlives_an_epoch_and_is_counted_by_the_new_committee() {
    let mut ledger = Consortium::secure();
    let (id, _) = ledger.propose(0, &setting(&[("depth", 4)]));
    assert_eq!(ledger.asks(3, Call::ApproveChange(id)), WRITTEN);
    let (_, removed) = {
        let change = removing(&ledger, &[3]);
        let (removal, _) = ledger.propose(1, &change);
        ledger.asks(2, Call::ApproveChange(removal));
        (removal, ledger.asks(0, Call::ApproveChange(removal)))
    };
    assert_eq!(removed, ends(5 + WINDOW));
    ledger.end_the_epoch();

    // Of three members two decide; the approval of the one who left counts no more.
    assert_eq!(epoch_at(&ledger.snapshot()).unwrap().end, None);
    let outcome = ledger.asks(1, Call::ApproveChange(id));
    assert_eq!(outcome, ends(70 + WINDOW));
}

#[test]
fn a_proposal_goes_with_its_proposer() {
    let mut ledger = Consortium::secure();
    let (id, _) = ledger.propose(3, &setting(&[("depth", 4)]));
    ledger.agree(&removing(&ledger, &[3]));
    ledger.end_the_epoch();

    let gone = proposal_at(&ledger.snapshot(), &id).unwrap().unwrap();
    assert_eq!(gone.status, ProposalStatus::Lapsed);
    let outcome = ledger.asks(0, Call::ApproveChange(id));
    assert_eq!(outcome, no(Refused::UnknownChange));
}

#[test]
fn what_became_unlawful_cannot_be_approved() {
    let mut ledger = Consortium::secure();
    let (id, _) = ledger.propose(0, &removing(&ledger, &[3]));
    let (other, _) = {
        let mut change = removing(&ledger, &[3]);
        change.parameters = setting(&[("depth", 4)]).parameters;
        let (other, _) = ledger.propose(1, &change);
        ledger.asks(2, Call::ApproveChange(other));
        (other, ledger.asks(0, Call::ApproveChange(other)))
    };
    assert_ne!(id, other);
    ledger.end_the_epoch();

    let outcome = ledger.asks(1, Call::ApproveChange(id));

    assert_eq!(outcome, no(Refused::UnknownMember));
}

#[test]
fn approvals_that_a_smaller_committee_makes_enough_are_claimed_by_any_approver() {
    let mut ledger = Consortium::secure();
    let (id, _) = ledger.propose(0, &setting(&[("depth", 4)]));
    assert_eq!(ledger.asks(1, Call::ApproveChange(id)), WRITTEN);
    let removal = removing(&ledger, &[3]);
    let (removal_id, _) = ledger.propose(2, &removal);
    ledger.asks(1, Call::ApproveChange(removal_id));
    ledger.asks(0, Call::ApproveChange(removal_id));
    ledger.end_the_epoch();

    assert_eq!(ledger.asks(1, Call::ApproveChange(id)), ends(70 + WINDOW));
}

#[test]
fn a_member_rejoins_at_most_once_an_hour() {
    let again = |after: u64| {
        let mut ledger = Consortium::secure();
        assert_eq!(ledger.asks(1, REJOIN), ends(1 + WINDOW));
        ledger.end_the_epoch();
        ledger.block(time(after), &[]);
        ledger.asks(1, Call::Rejoin { random: [8; 16] })
    };

    let again_at = time(REJOIN_INTERVAL_MS);
    let too_soon = no(Refused::RejoinTooSoon { again_at });
    assert_eq!(again(REJOIN_INTERVAL_MS - 1), too_soon);
    assert_eq!(again(REJOIN_INTERVAL_MS), ends(67 + WINDOW));
}

#[test]
fn after_a_rejoin_the_same_committee_serves_in_the_next_epoch() {
    let mut ledger = Consortium::secure();
    let before = epoch_at(&ledger.snapshot()).unwrap();
    ledger.asks(1, REJOIN);
    ledger.end_the_epoch();

    let after = epoch_at(&ledger.snapshot()).unwrap();
    assert_eq!(
        (after.number.get(), &after.committee),
        (1, &before.committee)
    );
    assert_eq!(
        ledger.asks(2, REJOIN),
        ends(66 + WINDOW),
        "another member may at once"
    );
}

#[test]
fn an_unknown_change_is_refused() {
    let mut ledger = Consortium::secure();
    let id = ChangeId::new([1; 32]);

    for call in [Call::ApproveChange(id), Call::CancelChange(id)] {
        assert_eq!(ledger.asks(0, call), no(Refused::UnknownChange));
    }
}
