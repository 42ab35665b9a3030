//! C1 to C15: checkpoints, water marks and catching up.

use consensus::{
    Batch, CertifiedBlock, Checkpoint, CheckpointCertificate, Digest, Domain, Epoch, Frame,
    Rejected, ReplicaId, Seq, Signed, StableProof, Status, View, ViewChange, ViewChangeBody,
};

use super::Play;
use crate::certificates::{committee, key};

/// The certificate of a block with this header by these members.
fn certificate(header: &[u8], members: &[u16]) -> CheckpointCertificate {
    let (seq, header) = (Seq::new(3), Digest::of(Domain::Header, header));
    let vote = |member: &u16| {
        let body = Checkpoint { seq, header };
        let from = ReplicaId::new(*member);
        (
            from,
            Signed::sign(body, from, &committee(0), &key(*member)).signature,
        )
    };
    CheckpointCertificate {
        epoch: Epoch::ZERO,
        seq,
        header,
        checkpoints: members.iter().map(vote).collect(),
    }
}

/// A block from a peer: this header and batch under this certificate.
fn fetched(header: &[u8], batch: &str, proof: CheckpointCertificate) -> Result<Seq, Rejected> {
    let named = Batch::new(b"batch".as_slice()).digest();
    let batch = Batch::new(batch.as_bytes());
    let block = CertifiedBlock::verify(header.to_vec(), named, batch, proof, &committee(0));
    block.map(|block| block.seq())
}

#[test]
fn c1_a_proposal_beyond_the_window_of_a_backup_is_kept_until_the_window_has_moved() {
    let mut play = Play::with_window(4, 1);
    play.go("r0 proposes a; deliver everything; r0 executes; r1 executes; r2 executes");
    play.go("deliver among r0 r1 r2; r0 proposes b; lose r0 -> r3");

    let early = play.go("r0 -> r3");
    let said = play.go("r3 executes; r1 -> r3; r2 -> r3");

    early.lacks("rejects").lacks("PREPARE");
    said.shows("r3 persist stable s1 h1");
    said.shows("r3 broadcast PREPARE v0 s2 b of r3");
}

#[test]
fn c2_a_replica_gets_the_blocks_whose_votes_everybody_has_forgotten() {
    let mut play = Play::of(4);
    play.go("crash r3; r0 proposes a; r0 proposes b; go on among r0 r1 r2; lose everything");

    let told = play.go("start r3; r3 reconnects to r0; deliver among r0 r3");
    let asked = play.go("r3 runs out of status; r3 runs out of status");
    let said = play.go("r3 fetches from r0; r3 executes; r3 executes");

    told.shows("r0 send r3 checkpoint certificate s2 h2");
    asked.shows("r3 fetch s1..s2");
    said.shows("r3 certified s2 h2 by r0 r1 r2");
}

#[test]
fn c3_catching_up_goes_on_block_by_block_and_ends_though_the_primary_is_gone() {
    let mut play = Play::with_window(4, 2);
    play.go("crash r3");
    for name in ["a", "b", "c", "d", "e"] {
        play.go(&format!("r0 proposes {name}; go on among r0 r1 r2"));
    }
    play.go("crash r0; lose everything; start r3");

    let first = play.go("r3 reconnects to r1; deliver among r1 r3");
    let second = play.go("r3 fetches s1 from r1; r3 fetches s2 from r1; r3 executes; r3 executes");
    let third = play.go("r3 fetches s3 from r1; r3 fetches s4 from r1; r3 executes; r3 executes");
    let last = play.go("r3 fetches s5 from r1; r3 executes");
    play.leave("r1 r2 r3");
    let after = play.go("go on among r1 r2 r3; r1 proposes f; go on among r1 r2 r3");

    first.shows("r3 fetch s1..s2");
    second.shows("r3 fetch s3..s4");
    third.shows("r3 fetch s5..s5");
    last.lacks("fetch");
    after.lacks("fetch").shows("r3 certified s6 h6 by r1 r2 r3");
}

#[test]
fn c4_however_much_one_member_says_it_moves_nobody_to_its_view() {
    let mut play = Play::of(4);
    let change = |play: &Play, view| {
        let body = ViewChangeBody {
            view: View::new(view),
            stable: StableProof::Origin(Seq::ZERO),
            prepared: Vec::new(),
        };
        Frame::ViewChange(play.sign(2, ViewChange::new(body)))
    };

    for view in [5, 6, 7] {
        let frame = change(&play, view);
        play.arrives(2, 3, &frame).lacks("VIEW-CHANGE");
        play.arrives(2, 3, &Frame::Status(boast(view, 0)))
            .lacks("VIEW-CHANGE");
    }
    let said = play.go("r0 proposes a; go on");

    said.shows("r3 execute s1 a, committed in v0");
}

/// A STATUS that claims a view and a certified block.
pub(crate) fn boast(view: u64, certified: u64) -> Status {
    Status {
        epoch: Epoch::ZERO,
        view: View::new(view),
        active: true,
        stable: Seq::new(certified),
        executed: Seq::new(certified),
        open: Vec::new(),
        checkpoints: Vec::new(),
        view_changes: std::iter::empty().collect(),
    }
}

#[test]
fn c5_a_block_is_what_its_certificate_names_whatever_its_sender_says() {
    let whole = || certificate(b"header", &[0, 1, 2]);

    let right = fetched(b"header", "batch", whole());
    let header = fetched(b"another", "batch", whole());
    let batch = fetched(b"header", "another", whole());

    assert_eq!(right, Ok(Seq::new(3)));
    assert_eq!(header, Err(Rejected::OtherHeader { seq: Seq::new(3) }));
    assert!(matches!(batch, Err(Rejected::OtherBatch { .. })));
}

#[test]
fn c6_a_block_signed_by_fewer_than_a_quorum_is_not_taken() {
    let bad = Err(Rejected::BadCertificate { seq: Seq::new(3) });

    let right = fetched(b"header", "batch", certificate(b"header", &[0, 1, 3]));
    let two = fetched(b"header", "batch", certificate(b"header", &[0, 1]));
    let twice = fetched(b"header", "batch", certificate(b"header", &[0, 1, 1]));
    let stranger = fetched(b"header", "batch", certificate(b"header", &[0, 1, 9]));

    assert_eq!(right, Ok(Seq::new(3)));
    assert_eq!([two, twice, stranger], [bad.clone(), bad.clone(), bad]);
}

#[test]
fn c7_a_height_that_nobody_proves_is_not_waited_for() {
    let mut play = Play::of(4);
    play.go("crash r3; r0 proposes a; r0 proposes b; go on among r0 r1 r2; lose everything");
    play.go("start r3; r3 reconnects to r0; deliver among r0 r3");
    let body = Checkpoint {
        seq: Seq::new(1 << 60),
        header: Digest::NULL,
    };
    let vote = Frame::Checkpoint(play.sign(2, body));

    play.arrives(2, 3, &Frame::Status(boast(0, 1 << 60)));
    play.arrives(2, 3, &vote).lacks("fetch");
    play.arrives(2, 3, &Frame::Status(boast(0, 1)));
    let asked = play.go("r3 runs out of status; r3 runs out of status");
    let said = play.go("r3 fetches from r0; r3 executes; r3 executes; lose everything");
    let after = play.go("crash r2; r0 proposes c; go on among r0 r1 r3");

    asked.shows("r3 fetch s1..s2");
    said.shows("r3 certified s2 h2 by r0 r1 r2");
    after.shows("r3 certified s3 h3 by r0 r1 r3");
}

#[test]
fn c9_what_is_committed_out_of_order_is_executed_in_order() {
    let mut play = Play::of(4);

    let second = play.go(
        "r0 forges PRE-PREPARE b v0 s2 -> r3; r0 forges COMMIT b v0 s2 -> r3
        r1 forges COMMIT b v0 s2 -> r3; r2 forges COMMIT b v0 s2 -> r3",
    );
    let first = play.go(
        "r0 forges PRE-PREPARE a v0 s1 -> r3; r0 forges COMMIT a v0 s1 -> r3
        r1 forges COMMIT a v0 s1 -> r3; r2 forges COMMIT a v0 s1 -> r3",
    );

    second.lacks("execute");
    let (one, two) = (
        "r3 execute s1 a, committed in v0",
        "r3 execute s2 b, committed in v0",
    );
    first.in_order(one, two);
}

#[test]
fn c10_a_block_that_came_twice_does_not_stop_the_next_catching_up() {
    let mut play = Play::with_window(4, 2);
    play.go("r0 proposes a; go on among r0 r1 r2; r0 proposes b; go on among r0 r1 r2");
    play.go("lose everything; r3 fetches s2 from r1");
    play.go(
        "r0 forges PRE-PREPARE b v0 s2 -> r3; r0 forges COMMIT b v0 s2 -> r3
        r1 forges COMMIT b v0 s2 -> r3; r2 forges COMMIT b v0 s2 -> r3
        r0 forges PRE-PREPARE a v0 s1 -> r3; r0 forges COMMIT a v0 s1 -> r3
        r1 forges COMMIT a v0 s1 -> r3; r2 forges COMMIT a v0 s1 -> r3; r3 executes; r3 executes
        r3 reconnects to r0; deliver among r0 r3",
    );
    for name in ["c", "d", "e", "f"] {
        play.go(&format!("r0 proposes {name}; go on among r0 r1 r2"));
    }

    let first = play.go("lose everything; r3 reconnects to r0; deliver among r0 r3");
    let second = play.go("r3 fetches s3 from r1; r3 fetches s4 from r1; r3 executes; r3 executes");

    first.shows("r3 fetch s3..s4");
    second.shows("r3 fetch s5..s6");
}

#[test]
fn c11_a_block_that_is_here_already_is_not_executed_again() {
    let mut play = Play::of(4);
    play.go("r0 proposes a; go on");

    let again = play.go("r3 fetches s1 from r1");
    let after = play.go("r0 proposes b; go on");

    again.shows("r3 rejects: already known").lacks("execute");
    after.shows("r3 certified s2 h2 by r0 r1 r2");
}

#[test]
fn c13_a_new_view_reaches_a_replica_that_lacks_the_blocks_below_it() {
    let mut play = Play::of(4);
    play.go("crash r3; r0 proposes a; r0 proposes b; go on among r0 r1 r2; lose everything");
    play.go("crash r0; start r3");
    play.leave("r1 r2 r3");
    play.go("r2 -> r1; r3 -> r1; lose r1 -> r3");

    let entered = play.go("r1 -> r3");
    let asked = play.go("r3 runs out of status; r3 runs out of status");
    play.go("r3 fetches from r1; r3 executes; r3 executes");
    let said = play.go("r1 proposes c; go on among r1 r2 r3");

    entered.shows("r3 persist stable s2 h2");
    asked.shows("r3 fetch s1..s2");
    said.shows("r3 certified s3 h3 by r1 r2 r3");
}
