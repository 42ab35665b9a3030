//! M1 to M21: messages, timers and clients.

use consensus::{
    Checkpoint, Commit, Digest, Frame, NewView, NewViewBody, PrePrepare, Prepare, Rejected,
    ReplicaId, Seq, Signed, StableProof, Standstill, View, ViewChange, ViewChangeBody,
};

use super::Play;
use crate::certificates::{committee, key, new_view, prepared, view_change};
use crate::stage::Stage;

#[test]
fn m2_what_a_message_says_outside_is_what_it_carries_inside() {
    let one = View::new(1);
    let later = |member| {
        let body = ViewChangeBody {
            view: View::new(2),
            stable: StableProof::Origin(Seq::ZERO),
            prepared: Vec::new(),
        };
        Signed::sign(
            ViewChange::new(body),
            ReplicaId::new(member),
            &committee(0),
            &key(member),
        )
    };
    let mixed = new_view(vec![view_change(0, vec![]), later(2), later(3)], &[]);
    let mut ahead = prepared(4, 1);
    ahead.view = one;

    let mixed = mixed.verify(&committee(0)).unwrap_err();
    let ahead = view_change(2, vec![ahead])
        .verify(&committee(0))
        .unwrap_err();

    assert_eq!(mixed, Rejected::BadNewView { view: one });
    assert_eq!(ahead, Rejected::BadCertificate { seq: Seq::new(4) });
}

#[test]
fn m5_what_was_said_in_an_earlier_view_counts_for_nothing_in_a_later_one() {
    let mut play = Play::of(4);
    play.leave("r1 r2 r3");
    play.go("deliver everything; r1 proposes b; r1 -> r3");

    let said = play.go("r0 forges PRE-PREPARE a v0 s1 -> r3; r2 forges PREPARE a v0 s1 -> r3");
    let after = play.go("go on");

    said.shows("r3 rejects: of view 0, which is over or has begun")
        .lacks("r3 persist");
    assert_eq!(said.count("r3 rejects"), 2);
    after.shows("r3 execute s1 b, committed in v1");
}

#[test]
fn m6_patience_doubles_three_times_and_no_more() {
    let mut play = Play::of(4);
    let mut waits = Vec::new();

    // Without those of which r3 is primary.
    for view in [4, 5, 6, 8, 9, 10] {
        waits.extend(play.two_ask(view));
        play.go("r3 runs out of new-view");
    }

    assert_eq!(waits, ["600ms", "1.2s", "2.4s", "4.8s", "4.8s", "4.8s"]);
}

#[test]
fn m7_more_requests_neither_lengthen_the_wait_for_the_oldest_nor_shorten_that_for_the_next() {
    let mut play = Play::of(4);

    let first = play.go("r1 waits for transaction 7");
    let storm = play.go("r1 waits for transaction 7; r1 waits for transaction 7");
    let next = play.go("r1 waits for transaction 9");

    first
        .shows("r1 arm request 600ms")
        .shows("r1 arm forward 300ms");
    storm.lacks("arm");
    next.shows("r1 arm request 600ms")
        .shows("r1 arm forward 300ms");
}

#[test]
fn m8_a_primary_that_says_nothing_over_open_connections_is_replaced() {
    let mut play = Play::of(4);

    let left = play.leave("r1 r2 r3");
    let said = play.go("go on among r1 r2 r3; r1 proposes a; go on among r1 r2 r3");

    left.shows("r3 broadcast VIEW-CHANGE v1 of r3, origin s0, prepared []");
    said.shows("r3 certified s1 h1 by r1 r2 r3");
}

#[test]
fn m9_a_primary_that_orders_everything_but_one_transaction_is_left() {
    let mut play = Play::of(4);
    play.go("r1 waits for transaction 1; r2 waits for transaction 1");

    let others = play.go("r0 proposes a; go on; r1 waits for transaction 1");
    let said = play.go("r1 runs out of forward; r1 runs out of request; r2 runs out of request");

    others.shows("r1 certified s1 h1 by r0 r1 r2");
    others.lacks("r1 arm request").lacks("r1 disarm request");
    said.shows("r1 forward the oldest transaction to r0");
    said.shows("r2 broadcast VIEW-CHANGE v1 of r2, stable s1, prepared []");
}

#[test]
fn m10_each_member_alone_has_the_proof_for_its_readers_whatever_the_primary_does() {
    let mut play = Play::of(4);

    let said = play.go("r0 proposes a; deliver everything; crash r0; go on among r1 r2 r3");

    for member in 1..4 {
        said.shows(&format!("r{member} certified s1 h1 by r1 r2 r3"));
    }
}

#[test]
fn m14_no_bytes_and_no_numbers_of_a_member_stop_a_replica() {
    let mut play = Play::of(4);
    let (digest, header) = (Digest::new([3; 32]), Digest::new([4; 32]));
    for far in [u64::MAX, u64::MAX - 1, 1 << 63, 0] {
        let (view, seq) = (View::new(far), Seq::new(far));
        let stable = StableProof::Origin(seq);
        let change = ViewChange::new(ViewChangeBody {
            view,
            stable,
            prepared: Vec::new(),
        });
        let change = play.sign(2, change);
        let begun = NewViewBody {
            view,
            view_changes: vec![change.clone()],
            pre_prepares: Vec::new(),
        };
        let frames = [
            Frame::PrePrepare(
                play.sign(2, PrePrepare { view, seq, digest }),
                Stage::batch("a"),
            ),
            Frame::Prepare(play.sign(2, Prepare { view, seq, digest })),
            Frame::Commit(play.sign(2, Commit { view, seq, digest })),
            Frame::Checkpoint(play.sign(2, Checkpoint { seq, header })),
            Frame::ViewChange(change),
            Frame::NewView(play.sign(2, NewView::new(begun))),
            Frame::Batch(Stage::batch("b")),
        ];
        for frame in frames {
            play.arrives(2, 3, &frame);
            let bytes = frame.encode();
            for at in 0..bytes.len() {
                let mut bad = bytes.clone();
                bad[at] ^= 0xff;
                if let Ok(frame) = Frame::decode(&bad) {
                    play.arrives(2, 3, &frame);
                }
                assert!(Frame::decode(&bytes[..at]).is_err(), "cut at {at}");
            }
        }
    }

    let said = play.go("r0 proposes c; go on");

    said.shows("r3 execute s1 c, committed in v0");
}

#[test]
fn m16_under_a_load_that_never_ends_every_block_is_executed_and_no_timer_spins() {
    let mut play = Play::with_window(4, 1);
    let mut said = Vec::new();
    play.go("r0 proposes a; deliver everything");

    for name in 'b'..='z' {
        let directions = format!(
            "r0 executes; r1 executes; r2 executes; deliver among r0 r1 r2; r0 proposes {name}
             lose r0 -> r3; r0 -> r3; r3 executes; r1 -> r3; r2 -> r3; deliver everything"
        );
        said.extend(play.go(&directions).0);
    }

    let said = super::Said(said);
    for member in 0..4 {
        let last = format!("r{member} execute s26 z, committed in v0");
        said.shows(&last);
    }
    assert_eq!(said.count("r3 broadcast PREPARE"), 25);
    said.lacks(" 0ns").lacks("VIEW-CHANGE");
}

#[test]
fn m17_an_unsigned_checkpoint_is_taken_at_the_origin_of_the_epoch_only() {
    let mut play = Play::of(4);
    let body = ViewChangeBody {
        view: View::new(1),
        stable: StableProof::Origin(Seq::new(5)),
        prepared: Vec::new(),
    };
    let change = |play: &Play, member| play.sign(member, ViewChange::new(body.clone()));
    let view_changes = [0, 1, 2].map(|member| change(&play, member)).to_vec();
    let begun = NewViewBody {
        view: View::new(1),
        view_changes,
        pre_prepares: Vec::new(),
    };
    let begun = Frame::NewView(play.sign(1, NewView::new(begun)));
    let left = Frame::ViewChange(change(&play, 2));

    let left = play.arrives(2, 3, &left);
    let begun = play.arrives(1, 3, &begun);

    let refused = "r3 rejects: a certificate for 5 does not prove what it claims";
    left.shows(refused);
    begun.shows(refused).lacks("persist");
}

#[test]
fn m18_one_two_or_three_members_start_again_from_their_logs_with_empty_stores() {
    for size in 1..=3_u16 {
        let mut play = Play::of(size);
        play.go("r0 proposes a; go on; r0 proposes b; go on; power cut; lose everything");

        for member in 0..size {
            play.go(&format!("lose store of r{member}; start r{member}"));
        }
        let said = play.go("go on; r0 proposes c; go on");

        for member in 0..size {
            assert_eq!(
                said.count(&format!("r{member} certified s3 h3")),
                1,
                "of {size}"
            );
        }
    }
}

#[test]
fn m19_a_well_signed_vote_for_something_else_is_in_no_certificate() {
    let mut play = Play::of(4);
    play.go("r0 proposes a; r0 -> r1 r2 r3; r3 forges PREPARE b v0 s1 -> r1; crash r3");
    play.go("r3 forges COMMIT b v0 s1 -> r0; r3 forges COMMIT b v0 s1 -> r2");

    let said = play.go("go on among r0 r1 r2");

    said.shows("r1 persist prepared v0 s1 a by r1 r2 and own COMMIT");
    said.shows("r0 persist committed v0 s1 a by r0 r1 r2");
    said.shows("r0 certified s1 h1 by r0 r1 r2");
}

#[test]
fn m20_results_that_differ_are_told_with_who_signed_which() {
    let mut play = Play::of(4);
    play.go("r0 proposes a; deliver everything; r0 executes; r1 executes");

    play.go("r2 executes to x; r3 executes to y; deliver everything");

    let standstill = play.0.explanation(0).standstill;
    let Some(Standstill::NoCommonResult { seq, signed }) = standstill else {
        panic!("{standstill:?}");
    };
    let who: Vec<u16> = signed.iter().map(|(member, _)| member.get()).collect();
    assert_eq!((seq, who), (Seq::new(1), vec![0, 1, 2, 3]));
    assert_eq!(signed[0].1, signed[1].1);
    assert_ne!(signed[2].1, signed[3].1);
}
