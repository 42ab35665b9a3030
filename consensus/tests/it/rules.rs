//! Small rules of the replica, each by itself.

use consensus::{
    Commit, CommitCertificate, Digest, Epoch, Frame, Input, NewView, NewViewBody, Phase,
    PrePrepare, Prepare, PreparedCertificate, ReplicaId, Seq, StableProof, Standstill, Status,
    View, ViewChange, ViewChangeBody,
};

use crate::pitfalls::Play;
use crate::stage::Stage;

/// A STATUS of somebody who has nothing.
fn status(epoch: u32) -> Status {
    Status {
        epoch: Epoch::new(epoch),
        view: View::ZERO,
        active: true,
        stable: Seq::ZERO,
        executed: Seq::ZERO,
        open: Vec::new(),
        checkpoints: Vec::new(),
        view_changes: std::iter::empty().collect(),
    }
}

#[test]
fn only_the_primary_proposes_and_it_alone_sends_no_prepare() {
    let mut play = Play::of(4);

    let said = play.go("r1 forges PRE-PREPARE a v0 s1 -> r3; r0 forges PREPARE a v0 s1 -> r3");

    said.shows("r3 rejects: member 1 is not the primary of view 0");
    said.shows("r3 rejects: the primary of view 0 sent a PREPARE");
    said.lacks("persist");
}

/// A prepared certificate for a batch of this name by the primary and two others.
fn prepared(play: &Play, view: u64, seq: u64, name: &str) -> Frame {
    let (epoch, view, seq) = (Epoch::ZERO, View::new(view), Seq::new(seq));
    let digest = Stage::batch(name).digest();
    let primary = view.get() as u16 % 4;
    let prepare = |member: u16| {
        let body = Prepare { view, seq, digest };
        (ReplicaId::new(member), play.sign(member, body).signature)
    };
    let others = (0..4).filter(|member| *member != primary).take(2);
    Frame::Prepared(PreparedCertificate {
        epoch,
        view,
        seq,
        digest,
        pre_prepare: play
            .sign(primary, PrePrepare { view, seq, digest })
            .signature,
        prepares: others.map(prepare).collect(),
    })
}

#[test]
fn a_certificate_in_place_of_prepares_counts_in_its_view_and_window_only() {
    let mut play = Play::of(4);
    let give = |play: &mut Play, view, seq| {
        let frame = prepared(play, view, seq, "a");
        play.arrives(1, 3, &frame)
    };

    give(&mut play, 1, 1).shows("r3 rejects: of view 1, which this replica is not in");
    give(&mut play, 0, 100).shows("r3 rejects: sequence number 100 is outside the window");
    give(&mut play, 0, 200).shows("r3 rejects: sequence number 200 is outside the window");
    give(&mut play, 0, 1).shows("r3 broadcast COMMIT v0 s1 a of r3");
    give(&mut play, 0, 1).shows("r3 rejects: already known");
    play.leave("r3");
    give(&mut play, 1, 2).shows("r3 rejects: of view 1, which this replica is not in");
    play.leave("r1 r2");
    play.go("deliver among r1 r2 r3");
    give(&mut play, 0, 2).shows("r3 rejects: of view 0, which is over or has begun");
}

#[test]
fn a_certificate_in_place_of_commits_orders_a_batch_that_is_here_at_once() {
    let mut play = Play::of(4);
    play.go("r0 forges PRE-PREPARE a v0 s1 -> r3");
    let (epoch, view) = (Epoch::ZERO, View::ZERO);
    let digest = Stage::batch("a").digest();
    let committed = |play: &Play, seq| {
        let vote = |member: u16| {
            let body = Commit { view, seq, digest };
            (ReplicaId::new(member), play.sign(member, body).signature)
        };
        let commits = (0..3).map(vote).collect();
        Frame::Committed(CommitCertificate {
            epoch,
            view,
            seq,
            digest,
            commits,
        })
    };
    let (near, far) = (
        committed(&play, Seq::new(1)),
        committed(&play, Seq::new(200)),
    );

    let far = play.arrives(1, 3, &far);
    let near = play.arrives(1, 3, &near);

    far.shows("r3 rejects: sequence number 200 is outside the window");
    near.shows("r3 execute s1 a, committed in v0");
}

#[test]
fn every_pair_of_contradicting_votes_is_evidence() {
    let pairs = [
        ("r1", "PREPARE a", "PREPARE b", "Prepare a and Prepare b"),
        ("r1", "COMMIT a", "COMMIT b", "Commit a and Commit b"),
        ("r1", "PREPARE a", "COMMIT b", "Prepare a and Commit b"),
        ("r1", "COMMIT a", "PREPARE b", "Commit a and Prepare b"),
        (
            "r0",
            "PRE-PREPARE a",
            "COMMIT b",
            "PrePrepare a and Commit b",
        ),
        (
            "r0",
            "COMMIT a",
            "PRE-PREPARE b",
            "Commit a and PrePrepare b",
        ),
    ];
    for (who, one, other, evidence) in pairs {
        let mut play = Play::of(4);

        let first = play.go(&format!("{who} forges {one} v0 s1 -> r3"));
        let second = play.go(&format!("{who} forges {other} v0 s1 -> r3"));
        let elsewhere = play.go(&format!("{who} forges {one} v0 s2 -> r3"));

        first.lacks("evidence");
        second.shows(&format!("r3 evidence against {who}: {evidence} at v0 s1"));
        elsewhere.lacks("evidence");
    }
}

#[test]
fn strangers_and_other_epochs_are_not_answered() {
    let mut play = Play::of(4);
    play.go("r0 proposes a");
    let from = |from, epoch| Input::Status {
        from: ReplicaId::new(from),
        status: status(epoch),
    };

    let member = play.input(0, from(3, 0));
    let stranger = play.input(0, from(9, 0));
    let later = play.input(0, from(3, 1));
    let connected = play.input(0, Input::Reconnected(ReplicaId::new(9)));

    member.shows("r0 send r3 PRE-PREPARE v0 s1 a");
    stranger.shows("r0 rejects: there is no member 9");
    later.shows("r0 rejects: said in epoch 1, this is epoch 0");
    connected.shows("r0 rejects: there is no member 9");
}

#[test]
fn a_peer_that_asks_again_and_again_gets_its_share_of_each_second() {
    let mut play = Play::of(4);
    for number in 1..=9 {
        let name = number.to_string().repeat(600_000);
        play.go(&format!("r0 proposes {name}"));
    }
    let ask = |play: &mut Play| {
        let from = ReplicaId::new(3);
        let asked = play.input(
            0,
            Input::Status {
                from,
                status: status(0),
            },
        );
        asked.count("r0 send r3 PRE-PREPARE")
    };

    let (first, second) = (ask(&mut play), ask(&mut play));
    play.go("r0 runs out of status; r0 runs out of status; r0 runs out of status");
    let within = ask(&mut play);
    play.go("r0 runs out of status; r0 runs out of status; r0 runs out of status");
    play.go("r0 runs out of status; r0 runs out of status");
    let later = ask(&mut play);

    assert_eq!((first, second, within, later), (7, 0, 0, 7));
}

#[test]
fn a_result_that_nobody_ordered_is_not_taken() {
    let mut play = Play::of(4);
    let (header, epoch_end) = (Digest::new([1; 32]), None);
    let seq = Seq::new(1);

    let early = play.input(
        0,
        Input::Executed {
            seq,
            header,
            epoch_end,
        },
    );
    play.go("r0 proposes a; deliver everything");
    let (seq, epoch_end) = (Seq::new(2), None);
    let beyond = play.input(
        0,
        Input::Executed {
            seq,
            header,
            epoch_end,
        },
    );

    early.shows("r0 rejects: block 1 was not the next to be executed");
    beyond.shows("r0 rejects: block 2 was not the next to be executed");
}

#[test]
fn a_replica_asks_for_the_view_after_a_new_primary_that_does_nothing() {
    let mut play = Play::of(4);
    play.go("crash r0; crash r1");
    play.leave("r2 r3");

    let said = play.go("start r0; r2 -> r0; r3 -> r0 r2; r2 -> r3; r0 -> r2 r3");
    let next = play.go("r2 runs out of new-view; r3 runs out of new-view; r2 -> r3; r3 -> r2");
    let begun = play.go("r0 runs out of new-view; deliver among r0 r2 r3");

    said.shows("r0 broadcast VIEW-CHANGE v1 of r0, origin s0, prepared []");
    next.shows("r3 broadcast VIEW-CHANGE v2 of r3, origin s0, prepared []");
    begun.shows("r2 broadcast NEW-VIEW v2 from r0 r2 r3, proposes []");
}

#[test]
fn a_primary_wants_full_batches_at_its_depth_and_none_beyond_its_window_and_bytes() {
    let mut play = Play::with_window(4, 3);
    let want = |play: &mut Play| play.go("r0 is asked").0.concat();

    assert!(want(&mut play).contains("Any"));
    play.go("r0 proposes a");
    assert!(want(&mut play).contains("Any"));
    play.go("r0 proposes b");
    assert!(want(&mut play).contains("Full"));
    play.go("r0 proposes c");
    assert_eq!(want(&mut play), "r0 wants None");
    play.go("r0 proposes d")
        .shows("r0 rejects: this replica takes no batch now");

    let mut heavy = Play::of(4);
    heavy
        .go("r0 proposes null")
        .shows("r0 rejects: this replica takes no batch now");
    for number in 1..=4 {
        let name = number.to_string().repeat(4 * 1024 * 1024 - 100);
        heavy.go(&format!("r0 proposes {name}"));
    }
    assert_eq!(want(&mut heavy), "r0 wants None");
}

#[test]
fn a_replica_says_what_each_place_waits_for_and_for_whom() {
    let mut play = Play::of(4);
    let who = |members: &[ReplicaId]| members.iter().map(|one| one.get()).collect::<Vec<_>>();
    let first = |play: &Play, member| {
        let slot = play.explanation(member).slots.first().cloned().unwrap();
        (slot.phase, who(&slot.present), who(&slot.missing))
    };

    play.go("r1 forges PREPARE a v0 s1 -> r3");
    assert_eq!(first(&play, 3), (Phase::PrePrepare, vec![], vec![0]));
    play.go("r0 proposes a; r0 -> r1 r2 r3");
    assert_eq!(first(&play, 0), (Phase::Prepare, vec![], vec![1, 2, 3]));
    assert_eq!(first(&play, 3), (Phase::Commit, vec![3], vec![0, 1, 2]));
    let waiting = Standstill::Waiting {
        seq: Seq::new(1),
        phase: Phase::Commit,
    };
    assert_eq!(play.explanation(3).standstill, Some(waiting));
    play.go("deliver everything");
    assert_eq!(first(&play, 3).0, Phase::Execution);
    play.go("r3 executes");
    assert_eq!(first(&play, 3), (Phase::Checkpoint, vec![3], vec![0, 1, 2]));
    play.go("go on");
    assert!(play.explanation(3).slots.is_empty());
    assert_eq!(play.explanation(3).standstill, None);
}

#[test]
fn a_replica_says_which_batch_block_view_or_quorum_it_lacks() {
    let mut play = Play::of(4);
    play.go("r3 finds batches invalid; r0 forges PRE-PREPARE a v0 s1 -> r3");
    assert_eq!(play.explanation(3).slots[0].phase, Phase::Batch);

    let mut play = Play::of(4);
    play.go("crash r3; r0 proposes a; go on among r0 r1 r2; lose everything; start r3");
    play.go("r3 reconnects to r0; deliver among r0 r3; r3 reconnects to r1");
    let missing = Standstill::BlocksMissing {
        from: Seq::new(1),
        to: Seq::new(1),
    };
    assert!([Some(missing), None].contains(&play.explanation(3).standstill));

    let mut play = Play::of(4);
    play.leave("r1");
    let alone = play.explanation(1);
    assert_eq!(
        alone.standstill,
        Some(Standstill::NoQuorumForView { view: View::new(1) })
    );
    assert_eq!(alone.view_changes_missing.len(), 3);
    play.go("crash r0");
    play.leave("r2 r3");
    play.go("r1 -> r2 r3; r2 -> r3; r3 -> r2");
    let waiting = Standstill::NoNewView {
        primary: ReplicaId::new(1),
    };
    assert_eq!(play.explanation(2).standstill, Some(waiting));
    assert_eq!(
        play.explanation(2).view_changes_missing,
        [ReplicaId::new(0)]
    );
}

#[test]
fn certificates_of_blocks_go_to_who_executed_them_and_lacks_them() {
    let mut play = Play::of(4);
    play.go("r0 proposes a; r0 proposes b; deliver everything; r3 executes; r3 executes");
    play.go("lose r3 -> r0 r1 r2; lose r3 -> r0 r1 r2; go on among r0 r1 r2; lose everything");

    let said = play.go("r3 reconnects to r0; r3 -> r0");
    let got = play.go("deliver among r0 r3");

    said.shows("r0 send r3 checkpoint certificate s1 h1");
    said.shows("r0 send r3 checkpoint certificate s2 h2");
    assert_eq!(said.count("r0 send r3 checkpoint certificate"), 2);
    got.shows("r3 certified s1 h1 by r0 r1 r2")
        .shows("r3 certified s2 h2 by r0 r1 r2");
}

#[test]
fn who_reconnects_gets_the_new_view_and_asks_with_a_status() {
    let mut play = Play::of(4);
    play.leave("r1 r2 r3");
    play.go("deliver among r1 r2 r3");

    let said = play.go("r1 reconnects to r0; r1 -> r0");

    said.shows("r1 send r0 NEW-VIEW v1 from r1 r2 r3, proposes []");
    let frame = Frame::Status(status(0));
    play.arrives(0, 2, &frame)
        .shows("r2 send r0 NEW-VIEW v1 from r1 r2 r3, proposes []");
}

/// A NEW-VIEW of r0, r1 and r2, signed by this member, in which r0 has these proofs.
fn new_view(play: &Play, signer: u16, view: u64, proofs: &[PreparedCertificate]) -> Frame {
    let view = View::new(view);
    let change = |member: u16| {
        let prepared = if member == 0 {
            proofs.to_vec()
        } else {
            Vec::new()
        };
        let stable = StableProof::Origin(Seq::ZERO);
        let body = ViewChangeBody {
            view,
            stable,
            prepared,
        };
        play.sign(member, ViewChange::new(body))
    };
    let view_changes: Vec<_> = (0..3).map(change).collect();
    let open = consensus::reproposals(&view_changes).into_iter();
    let pre_prepares =
        open.map(|(seq, digest)| play.sign(signer, PrePrepare { view, seq, digest }));
    let pre_prepares = pre_prepares.collect();
    let body = NewViewBody {
        view,
        view_changes,
        pre_prepares,
    };
    Frame::NewView(play.sign(signer, NewView::new(body)))
}

#[test]
fn the_newer_proof_in_a_new_view_takes_the_place_of_an_older_one() {
    let mut play = Play::of(4);
    play.go("r0 forges PRE-PREPARE a v0 s1 -> r3");
    let older = prepared(&play, 0, 1, "a");
    let Frame::Prepared(newer) = prepared(&play, 1, 1, "a") else {
        unreachable!("it is one")
    };
    play.arrives(1, 3, &older);
    let begun = new_view(&play, 2, 2, &[newer]);
    play.arrives(2, 3, &begun);

    let left = play.leave("r3");

    assert!(left.count("s1 a v1") > 0, "{:?}", left.0);
}

#[test]
fn the_proof_of_the_highest_view_outlives_a_new_view_that_brings_an_older_one() {
    let mut play = Play::of(4);
    let Frame::Prepared(older) = prepared(&play, 0, 1, "a") else {
        panic!("a certificate");
    };
    let (first, newer) = (new_view(&play, 1, 1, &[]), prepared(&play, 1, 1, "b"));
    let second = new_view(&play, 2, 2, &[older]);

    play.arrives(1, 3, &first);
    play.arrives(1, 3, &newer)
        .shows("r3 broadcast COMMIT v1 s1 b of r3");
    play.arrives(2, 3, &second)
        .shows("r3 persist NEW-VIEW v2 from r0 r1 r2, proposes [s1 a]");
    let left = play.leave("r3");

    left.shows("r3 broadcast VIEW-CHANGE v3 of r3, origin s0, prepared [s1 b v1]");
}

#[test]
fn a_new_view_that_is_over_or_of_another_member_begins_nothing() {
    let mut play = Play::of(4);
    let (first, second) = (new_view(&play, 1, 1, &[]), new_view(&play, 2, 2, &[]));
    let stolen = new_view(&play, 1, 4, &[]);
    play.arrives(2, 3, &second);

    let over = play.arrives(1, 3, &first);
    let again = play.arrives(2, 3, &second);
    let stolen = play.arrives(1, 3, &stolen);

    over.shows("r3 rejects: of view 1, which is over or has begun");
    again.shows("r3 rejects: of view 2, which is over or has begun");
    stolen.shows("r3 rejects: member 1 is not the primary of view 4");
}

#[test]
fn a_heartbeat_is_owed_when_nothing_was_ordered_for_its_whole_time() {
    let mut play = Play::of(4);
    play.go("r1 waits for transaction 1; r1 runs out of forward; r0 proposes a; go on");

    let early = play.go("r0 runs out of heartbeat; r0 is asked");
    let due = play.go("r0 runs out of heartbeat; r0 is asked");
    let after = play.go("r0 proposes b; go on; r0 is asked");

    assert_eq!(
        (early.count("r0 arm heartbeat"), early.count("Any")),
        (1, 1)
    );
    assert_eq!(
        (due.count("r0 arm heartbeat"), due.count("Heartbeat")),
        (0, 1)
    );
    assert_eq!(
        (after.count("r0 arm heartbeat 60s"), after.count("Any")),
        (1, 1)
    );
}
