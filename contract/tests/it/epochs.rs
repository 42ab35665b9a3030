//! Where one epoch ends and the next begins, in headers and in the state.

use contract::contracts::membership::{committee_of, epoch_at, parameters_at};
use contract::genesis::committee_digest;
use contract::{
    Call, CannotExecute, EpochEnd, Execution, Height, Outcome, PublicKey, Refused, Role,
    check_batch, execute,
};

use crate::consortium::Consortium;
use crate::governance::{Newcomer, WINDOW, WRITTEN, adding, ends, removing, setting};

fn end_of(execution: &Execution) -> Option<(u64, Vec<PublicKey>)> {
    let end: &EpochEnd = execution.epoch_end()?;
    Some((end.last.get(), end.committee.clone()))
}

#[test]
fn the_first_epoch_begins_with_block_1_and_has_the_founders() {
    let ledger = Consortium::secure();

    let epoch = epoch_at(&ledger.snapshot()).unwrap();

    assert_eq!((epoch.number.get(), epoch.first.get()), (0, 1));
    let names: Vec<_> = epoch.committee.iter().map(|one| &one.member.name).collect();
    assert_eq!(names, ["rc", "clinic-a", "clinic-b", "clinic-c"]);
    assert_eq!(epoch.end, None);
}

#[test]
fn a_change_in_block_s_ends_the_epoch_with_block_s_and_w() {
    let mut ledger = Consortium::secure();
    let newcomer = Newcomer::new(9);
    let before = ledger.genesis.committee();
    let mut after = before.clone();
    after.push(newcomer.member.key);
    let (_id, waits) = ledger.agree(&adding(&ledger, &[&newcomer]));
    assert_eq!(waits, WRITTEN);
    assert_eq!(end_of(&ledger.null()), None);

    let ready = ledger.ready_as(newcomer.id(), &newcomer.signer);
    let batch = ledger.checked(ledger.tip.header().time, &[ready]);
    let s = ledger.apply(&batch);
    let last = s.header().height.get() + WINDOW;
    assert_eq!(s.outcomes(), [ends(last)]);

    let mut execution = s;
    while execution.header().height.get() < last {
        assert_eq!(end_of(&execution), Some((last, after.clone())));
        assert_eq!(execution.header().epoch.get(), 0);
        assert_eq!(execution.header().next_committee, committee_digest(&before));
        execution = ledger.null();
    }
    assert_eq!(end_of(&execution), Some((last, after.clone())));
    assert_eq!(execution.header().epoch.get(), 0, "E is of the old epoch");
    assert_eq!(execution.header().next_committee, committee_digest(&after));

    let first = ledger.null();
    assert_eq!(end_of(&first), None);
    assert_eq!(first.header().epoch.get(), 1);
    assert_eq!(first.header().next_committee, committee_digest(&after));
}

#[test]
fn the_state_after_the_last_block_is_the_next_epochs() {
    let mut ledger = Consortium::secure();
    let newcomer = Newcomer::new(9);
    ledger.agree(&adding(&ledger, &[&newcomer]));
    ledger.ready(&newcomer);
    let pending = epoch_at(&ledger.snapshot()).unwrap();
    let end = pending.end.unwrap();
    assert_eq!((pending.number.get(), pending.committee.len()), (0, 4));
    assert_eq!(end.committee.len(), 5);

    let last = ledger.end_the_epoch().header().height;

    let epoch = epoch_at(&ledger.snapshot()).unwrap();
    assert_eq!(end.last, last);
    assert_eq!(epoch.number.get(), 1);
    assert_eq!(epoch.first, last.next());
    assert_eq!(epoch.committee, end.committee);
    assert_eq!(epoch.end, None);
    let newest = epoch.committee.last().unwrap();
    assert_eq!(
        (&newest.member, newest.since),
        (&newcomer.member, last.next())
    );
}

#[test]
fn every_epochs_committee_stays_known() {
    let mut ledger = Consortium::secure();
    let founders = ledger.genesis.committee();
    assert_eq!(ledger.agree(&removing(&ledger, &[3])).1, ends(3 + WINDOW));
    ledger.end_the_epoch();

    let snapshot = ledger.snapshot();
    let known = |number| committee_of(&snapshot, contract::Epoch::new(number)).unwrap();

    let first = known(0).unwrap();
    assert_eq!((first.first.get(), first.last), (1, Some(Height::new(67))));
    assert_eq!(first.keys, founders);
    let second = known(1).unwrap();
    assert_eq!((second.first.get(), second.last), (68, None));
    assert_eq!(second.keys, founders[..3]);
    assert_eq!(
        second.members,
        (0..3).map(|i| ledger.id(i)).collect::<Vec<_>>()
    );
    assert_eq!(known(2), None);
}

#[test]
fn a_parameter_changes_with_the_epoch_and_rules_its_first_block() {
    let mut ledger = Consortium::secure();
    ledger.agree(&setting(&[("max_per_author", 1)]));
    let before = ledger.end_the_epoch();
    assert_eq!(before.header().epoch.get(), 0);
    assert_eq!(parameters_at(&ledger.snapshot()).unwrap().max_per_author, 1);

    let two: Vec<_> = (0..2)
        .map(|_| {
            let change = setting(&[("depth", 3)]).id(ledger.chain());
            ledger.by_member(3, Call::ApproveChange(change))
        })
        .collect();
    let outcomes = ledger.block(ledger.tip.header().time, &two);

    let refused = [Refused::UnknownChange, Refused::OverQuota];
    assert_eq!(outcomes, refused.map(Outcome::Refused));
}

#[test]
fn the_window_of_the_ending_epoch_counts_for_its_end() {
    let mut ledger = Consortium::secure();
    let (_id, ended) = ledger.agree(&setting(&[("water_mark_window", 8)]));
    assert_eq!(ended, ends(3 + 64));
    ledger.end_the_epoch();

    let (_id, ended) = ledger.agree(&setting(&[("water_mark_window", 64)]));

    assert_eq!(ended, ends(70 + 8));
}

#[test]
fn software_that_lacks_the_rules_stops_before_the_first_block_under_them() {
    let mut ledger = Consortium::secure();
    ledger.agree(&setting(&[("protocol_version", 2)]));
    ledger.end_the_epoch();
    let now = ledger.tip.header().time;
    let limits = ledger.genesis.parameters();
    let null = check_batch(&[], ledger.chain(), limits, now, |_| false).unwrap();

    let error = execute(&ledger.state, &ledger.tip, &null).unwrap_err();
    let newer = execute(&ledger.state, &ledger.tip.clone().knowing(2), &null);

    assert_eq!(newer.unwrap().header().height.get(), 68);
    assert!(matches!(
        error,
        CannotExecute::ProtocolMissing { version: 2, known: 1, height } if height.get() == 68
    ));
    assert_eq!(
        error.to_string(),
        "block 68 is made by version 2 of the ledger's rules, this software knows 1: upgrade it"
    );
}

#[test]
fn a_founding_member_alone_decides_alone() {
    let mut content = crate::consortium::content(contract::Kind::Secure);
    content.members.truncate(1);
    assert_eq!(content.members[0].role, Role::Rc);
    let mut ledger = Consortium::founded(&content);
    let newcomers: Vec<_> = (9..12).map(Newcomer::new).collect();

    let change = adding(&ledger, &newcomers.iter().collect::<Vec<_>>());
    assert_eq!(ledger.propose(0, &change).1, WRITTEN);
    let said: Vec<_> = newcomers.iter().map(|one| ledger.ready(one)).collect();

    assert_eq!(said, [WRITTEN, WRITTEN, ends(4 + WINDOW)]);
    ledger.end_the_epoch();
    assert_eq!(epoch_at(&ledger.snapshot()).unwrap().committee.len(), 4);
}
