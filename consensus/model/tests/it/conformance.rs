//! Runs of the real replica are runs of the model; a replica that breaks a rule leaves it.

use consensus::{Epoch, Frame, Record, ReplicaId, Signed, ViewChange, ViewChangeBody};
use model::{Conformance, Deviation, Why};
use simulator::{Deed, History, Sabotage, run_witnessed};

/// Seeds of the simulator in every test run; `scripts/model --seeds N` takes more.
const SEEDS: u64 = 300;

/// Within so many seeds a broken rule must be noticed.
const BOUND: u64 = 200;

/// The first deviation within the bound.
fn noticed(sabotage: Sabotage) -> Option<Deviation> {
    (0..BOUND)
        .find_map(|seed| Conformance::of(&run_witnessed(seed, sabotage).1).err())
        .map(|one| *one)
}

/// The first deviation that one change to a run brings, over the runs in which it finds a place.
fn changed(change: impl Fn(&mut History) -> bool) -> Deviation {
    let found = (0..BOUND).find_map(|seed| {
        let (_, mut history) = run_witnessed(seed, Sabotage::None);
        change(&mut history).then(|| Conformance::of(&history).err())
    });
    let noticed = found.flatten().map(|deviation| *deviation);
    noticed.unwrap_or_else(|| unreachable!("a change finds its place and is noticed"))
}

/// Where an honest member's deed is like this.
fn place(history: &History, like: impl Fn(&Deed) -> bool) -> Option<usize> {
    history.deeds.iter().position(|(_, _, deed)| like(deed))
}

#[test]
fn every_deed_of_an_honest_replica_is_a_step_of_the_model() {
    let (mut steps, mut epochs) = (0, 0);
    for seed in 0..SEEDS {
        let (_, history) = run_witnessed(seed, Sabotage::None);
        epochs += history.epochs.len() - 1;
        match Conformance::of(&history) {
            Ok(taken) => steps += taken,
            Err(deviation) => panic!("seed {seed}: {deviation}"),
        }
    }

    println!("{SEEDS} seeds, {steps} steps, {epochs} later epochs");
    assert!(steps > 30_000, "{steps} steps");
    assert!(epochs > 30, "{epochs} later epochs");
}

#[test]
fn replicas_that_send_view_changes_without_their_certificates_leave_the_model() {
    let found = noticed(Sabotage::NoProofs).unwrap();

    assert_eq!(found.why, Why::NotDurable, "{found}");
}

#[test]
fn replicas_that_speak_before_their_disk_does_leave_the_model() {
    let found = noticed(Sabotage::VotesBeforeDisk).unwrap();

    assert_eq!(found.why, Why::NotDurable, "{found}");
}

#[test]
fn replicas_that_forget_their_votes_in_a_crash_leave_the_model() {
    let found = noticed(Sabotage::ForgetsVotes).unwrap();

    assert_ne!(found.why, Why::Beyond, "{found}");
}

#[test]
fn replicas_that_go_on_with_a_full_disk_leave_the_model() {
    let found = noticed(Sabotage::IgnoresFullDisk).unwrap();

    assert_eq!(found.why, Why::NotDurable, "{found}");
}

#[test]
fn a_replica_that_prepares_one_batch_and_then_another_leaves_the_model() {
    let found = changed(|history| {
        let like = |deed: &Deed| {
            matches!(
                deed,
                Deed::Durable(Record::Accepted {
                    prepare: Some(_),
                    ..
                })
            )
        };
        let Some(at) = place(history, like) else {
            return false;
        };
        let (
            epoch,
            member,
            Deed::Durable(Record::Accepted {
                pre_prepare,
                prepare: Some(own),
                batch,
            }),
        ) = history.deeds[at].clone()
        else {
            return false;
        };
        let (mut pre_prepare, mut own) = (pre_prepare, own);
        pre_prepare.body.digest = consensus::Digest::NULL;
        own.body.digest = consensus::Digest::NULL;
        let again = Record::Accepted {
            pre_prepare,
            prepare: Some(own),
            batch,
        };
        let again = (epoch, member, Deed::Durable(again));
        history.deeds.insert(at + 1, again);
        true
    });

    assert_eq!(found.why, Why::NotAllowed, "{found}");
}

#[test]
fn a_replica_that_commits_without_a_quorum_of_prepares_leaves_the_model() {
    let found = changed(|history| {
        let prepared = |deed: &Deed| {
            matches!(
                deed,
                Deed::Durable(Record::Prepared {
                    commit: Some(_),
                    ..
                })
            )
        };
        let Some(at) = place(history, prepared) else {
            return false;
        };
        let accepted = |(_, _, deed): &(Epoch, ReplicaId, Deed)| {
            !matches!(
                deed,
                Deed::Durable(Record::Accepted {
                    prepare: Some(_),
                    ..
                }) | Deed::Sent(Frame::Prepare(_))
            )
        };
        let (before, after) = history.deeds.split_at(at);
        let before = before.iter().filter(|one| accepted(one)).cloned();
        history.deeds = before.chain(after.iter().cloned()).collect();
        true
    });

    assert_eq!(found.why, Why::NotAllowed, "{found}");
}

#[test]
fn a_replica_that_forgets_a_certificate_in_its_view_change_leaves_the_model() {
    let found = changed(|history| {
        let like = |deed: &Deed| matches!(deed, Deed::Durable(Record::ViewChange(own)) if !own.body.body().prepared.is_empty());
        let Some(at) = place(history, like) else {
            return false;
        };
        let (_, _, Deed::Durable(Record::ViewChange(own))) = &mut history.deeds[at] else {
            return false;
        };
        let body = own.body.body().clone();
        *own = Signed {
            body: ViewChange::new(ViewChangeBody {
                prepared: Vec::new(),
                ..body
            }),
            ..own.clone()
        };
        true
    });

    assert_eq!(found.why, Why::NotWhatItKnows, "{found}");
}

#[test]
fn a_primary_that_begins_a_view_with_fewer_than_a_quorum_leaves_the_model() {
    let found = changed(|history| {
        let like = |deed: &Deed| matches!(deed, Deed::Durable(Record::NewView(_)));
        let Some(at) = place(history, like) else {
            return false;
        };
        let (_, _, Deed::Durable(Record::NewView(new_view))) = &mut history.deeds[at] else {
            return false;
        };
        let mut body = new_view.body.body().clone();
        body.view_changes.pop();
        new_view.body = consensus::NewView::new(body);
        true
    });

    assert_eq!(found.why, Why::NotProved, "{found}");
}

#[test]
fn a_member_that_speaks_in_an_epoch_before_the_last_one_is_over_leaves_the_model() {
    let found = changed(|history| {
        let mut all = history.deeds.iter();
        let Some(first) = all.position(|(epoch, _, _)| epoch.get() == 1) else {
            return false;
        };
        let early = history.deeds.remove(first);
        history.deeds.insert(0, early);
        true
    });

    assert_eq!(found.why, Why::NotBegun, "{found}");
}

#[test]
fn a_member_that_votes_beyond_its_epochs_end_leaves_the_model() {
    let found = changed(|history| {
        let Some(end) = history.epochs.get(&Epoch::new(1)).map(|cast| cast.origin) else {
            return false;
        };
        let mut deeds = history.deeds.iter_mut();
        let vote = deeds.find_map(|(_, _, deed)| {
            if let Deed::Sent(Frame::Commit(own)) = deed {
                Some(own)
            } else {
                None
            }
        });
        let Some(vote) = vote else { return false };
        vote.body.seq = end.next();
        true
    });

    assert_eq!(found.why, Why::Over, "{found}");
}
