//! Limits at their very edge, where one more or one less would still look right: found by mutants that survived.

use consensus::{
    Checkpoint, CheckpointCertificate, Digest, Epoch, Frame, Members, OpenSlot, ReplicaId, Seq,
    StableProof, Status, View, ViewChange, ViewChangeBody,
};

use crate::pitfalls::{Play, Said};

/// W of these stories.
const WINDOW: u64 = 10;

/// A CHECKPOINT of this member for a block that nobody has executed here.
fn checkpoint(play: &Play, member: u16, seq: u64) -> Frame {
    let (seq, header) = (Seq::new(seq), Digest::new([9; 32]));
    Frame::Checkpoint(play.sign(member, Checkpoint { seq, header }))
}

/// CHECKPOINTs of r0, r1 and r2 arrive at r3.
fn voted(seq: u64) -> Said {
    let mut play = Play::with_window(4, WINDOW);
    let votes = (0..3).flat_map(|member| {
        let vote = checkpoint(&play, member, seq);
        play.arrives(member, 3, &vote).0
    });
    Said(votes.collect())
}

/// The certificate of three of four for such a block.
fn certificate(play: &Play, seq: u64) -> Frame {
    let (seq, header) = (Seq::new(seq), Digest::new([9; 32]));
    let vote = |member| {
        let vote = play.sign(member, Checkpoint { seq, header });
        (ReplicaId::new(member), vote.signature)
    };
    Frame::Stable(CheckpointCertificate {
        epoch: Epoch::ZERO,
        seq,
        header,
        checkpoints: (0..3).map(vote).collect(),
    })
}

#[test]
fn checkpoints_count_up_to_two_windows_ahead_and_not_beyond() {
    assert_eq!(voted(2 * WINDOW).count("persist"), 1);
    for far in [2 * WINDOW + 1, 2 * WINDOW + 2] {
        let said = voted(far);
        said.lacks("persist").lacks("rejects");
    }
}

#[test]
fn a_certificate_a_window_below_the_newest_is_known_and_one_above_is_taken() {
    let mut play = Play::with_window(4, WINDOW);
    let newest = certificate(&play, 30);
    play.arrives(0, 3, &newest);
    let (edge, below) = (certificate(&play, 21), certificate(&play, 20));

    let below = play.arrives(0, 3, &below);
    let edge = play.arrives(0, 3, &edge);

    below.shows("r3 rejects: already known").lacks("persist");
    assert_eq!(edge.count("persist"), 1);
}

/// Blocks that r0, r1 and r2 order and certify while nothing reaches r3.
fn blocks(count: u64) -> Play {
    let mut play = Play::with_window(4, WINDOW);
    for letter in ('a'..='z').take(usize::try_from(count).unwrap()) {
        play.go(&format!("r0 proposes {letter}; go on among r0 r1 r2"));
    }
    play
}

#[test]
fn blocks_are_fetched_up_to_a_window_ahead_and_not_beyond() {
    let mut play = blocks(WINDOW + 2);

    for far in [WINDOW + 2, WINDOW + 1] {
        let said = play.go(&format!("r3 fetches s{far} from r0"));
        said.shows(&format!(
            "r3 rejects: sequence number {far} is outside the window"
        ));
    }
    play.go(&format!("r3 fetches s{WINDOW} from r0"))
        .lacks("rejects");
}

/// A STATUS of r3, in view 0, that has executed so many blocks and knows as many as certified.
fn status(executed: u64) -> Status {
    Status {
        epoch: Epoch::ZERO,
        view: View::ZERO,
        active: true,
        stable: Seq::new(executed),
        executed: Seq::new(executed),
        open: Vec::new(),
        checkpoints: Vec::new(),
        view_changes: std::iter::empty().collect(),
    }
}

/// What somebody holds of one place: nothing.
fn nothing(seq: u64) -> OpenSlot {
    OpenSlot {
        seq: Seq::new(seq),
        lacks_batch: None,
        pre_prepare: false,
        prepared: false,
        committed: false,
        prepares: std::iter::empty().collect(),
        commits: std::iter::empty().collect(),
    }
}

#[test]
fn who_has_the_proposal_is_not_asked_for_what_is_here_already() {
    let mut play = Play::with_window(4, WINDOW);
    play.go("r0 proposes a; r0 -> r1; r0 -> r2");
    let mut said = |open: OpenSlot| {
        let status = Frame::Status(Status {
            open: vec![open],
            ..status(0)
        });
        play.arrives(3, 1, &status)
    };

    let same = said(OpenSlot {
        pre_prepare: true,
        ..nothing(1)
    });
    let less = said(nothing(1));
    let none = said(nothing(2));
    let more = said(OpenSlot {
        pre_prepare: true,
        ..nothing(2)
    });
    let executed = said(OpenSlot {
        committed: true,
        ..nothing(0)
    });

    same.lacks("send r3 STATUS");
    less.lacks("send r3 STATUS");
    none.lacks("send r3 STATUS");
    executed.lacks("send r3 STATUS");
    assert!(more.count("STATUS") > 0, "{:?}", more.0);
}

#[test]
fn nobody_asks_in_turn_when_the_other_is_no_further() {
    let mut play = blocks(1);
    let (same, further) = (Frame::Status(status(1)), Frame::Status(status(2)));

    let same = play.arrives(3, 1, &same);
    let further = play.arrives(3, 1, &further);

    same.lacks("STATUS");
    assert_eq!(further.count("STATUS"), 1);
}

#[test]
fn what_is_ordered_goes_to_whom_it_is_missing_with_its_batch_or_without() {
    let mut play = Play::with_window(4, WINDOW);
    play.go("r0 proposes a; deliver among r0 r1 r2");
    let mut said =
        |open: Vec<OpenSlot>| play.arrives(3, 1, &Frame::Status(Status { open, ..status(0) }));

    let with_neither = said(vec![nothing(1)]);
    let with_proposal = said(vec![OpenSlot {
        pre_prepare: true,
        ..nothing(1)
    }]);
    let with_order = said(vec![OpenSlot {
        committed: true,
        ..nothing(1)
    }]);

    assert_eq!(
        with_neither.count("commit certificate"),
        1,
        "{:?}",
        with_neither.0
    );
    assert_eq!(with_neither.count("send r3 batch"), 1);
    assert_eq!(with_proposal.count("commit certificate"), 1);
    assert_eq!(with_proposal.count("send r3 batch"), 0);
    assert_eq!(with_order.count("commit certificate"), 0);
    assert_eq!(with_order.count("send r3 batch"), 0);
}

#[test]
fn a_proposal_of_another_view_or_of_who_is_in_none_is_not_asked_for() {
    let mut play = Play::with_window(4, WINDOW);
    let mut said = |view: u64, active: bool| {
        let open = OpenSlot {
            pre_prepare: true,
            ..nothing(2)
        };
        let status = Status {
            view: View::new(view),
            active,
            open: vec![open],
            ..status(0)
        };
        play.arrives(3, 1, &Frame::Status(status))
    };

    said(1, true).lacks("send r3 STATUS");
    said(0, false).lacks("send r3 STATUS");
    assert_eq!(said(0, true).count("send r3 STATUS"), 1);
}

/// The members with these places.
fn members(places: &[u16]) -> Members {
    places.iter().copied().map(ReplicaId::new).collect()
}

#[test]
fn an_own_checkpoint_goes_to_whom_it_is_missing_at_that_block() {
    let mut play = Play::with_window(4, WINDOW);
    play.go("r0 proposes a; deliver among r0 r1 r2; r1 executes");
    let mut said = |seq: u64| {
        let status = Status {
            checkpoints: vec![(Seq::new(seq), members(&[1]))],
            ..status(0)
        };
        play.arrives(3, 1, &Frame::Status(status))
    };

    said(1).lacks("send r3 CHECKPOINT");
    assert_eq!(said(2).count("send r3 CHECKPOINT"), 1);
}

#[test]
fn a_view_change_goes_to_who_waits_for_that_view_without_it_and_a_new_view_to_who_waits() {
    let mut play = Play::with_window(4, WINDOW);
    play.leave("r1");
    let said = |play: &mut Play, active: bool, known: &[u16]| {
        let status = Status {
            view: View::new(1),
            active,
            view_changes: members(known),
            ..status(0)
        };
        play.arrives(3, 1, &Frame::Status(status))
    };

    let unknown = said(&mut play, false, &[]);
    let known = said(&mut play, false, &[1]);
    let inside = said(&mut play, true, &[]);
    play.leave("r2");
    play.go("r0 waits for transaction 1; r0 runs out of request; deliver among r0 r1 r2");
    let begun = said(&mut play, false, &[1]);

    assert_eq!(unknown.count("send r3 VIEW-CHANGE"), 1);
    known.lacks("send r3 VIEW-CHANGE");
    inside.lacks("send r3 VIEW-CHANGE");
    assert_eq!(begun.count("send r3 NEW-VIEW"), 1, "{:?}", begun.0);
}

#[test]
fn votes_go_to_who_is_in_the_same_view_and_lacks_them() {
    let mut play = Play::with_window(4, WINDOW);
    play.go("r0 proposes a; r0 -> r1");
    let mut said = |view: u64, active: bool, held: &[u16]| {
        let open = OpenSlot {
            pre_prepare: !held.is_empty(),
            prepares: members(held),
            ..nothing(1)
        };
        let status = Status {
            view: View::new(view),
            active,
            open: vec![open],
            ..status(0)
        };
        play.arrives(3, 1, &Frame::Status(status))
    };

    let same = said(0, true, &[]);
    same.shows("r1 send r3 PREPARE v0 s1 a of r1");
    assert_eq!(same.count("PRE-PREPARE"), 1);
    said(0, true, &[1]).lacks("PREPARE");
    said(1, true, &[]).lacks("PREPARE");
    said(0, false, &[]).lacks("PREPARE");
}

#[test]
fn a_wish_for_a_higher_view_outlives_the_entry_into_a_lower_one() {
    let mut play = Play::with_window(4, WINDOW);
    let wish = |play: &Play, member| {
        let body = ViewChangeBody {
            view: View::new(2),
            stable: StableProof::Origin(Seq::ZERO),
            prepared: Vec::new(),
        };
        Frame::ViewChange(play.sign(member, ViewChange::new(body)))
    };
    let (early, late) = (wish(&play, 3), wish(&play, 2));
    play.arrives(3, 0, &early);
    play.leave("r0 r1 r2");
    play.go("deliver among r0 r1 r2");

    let said = play.arrives(2, 0, &late);

    assert_eq!(
        said.count("broadcast VIEW-CHANGE v2 of r0"),
        1,
        "{:?}",
        said.0
    );
}
