//! W1 to W11: what is durable before a message leaves, and what a replica still knows after a crash.

use consensus::{
    ChainId, Committee, Digest, Epoch, Log, Parameters, PrePrepare, PreparedCertificate, Record,
    RecoverError, Rejected, Replica, ReplicaId, Scheme as _, Seq, Setup, Signed, Time, View,
};
use simulator::{KeyedHash, SimulatedScheme as _};

use super::Play;

#[test]
fn w1_every_vote_is_handed_to_the_log_before_it_is_sent() {
    let mut play = Play::of(4);

    let mut said = play.go("r0 proposes a; go on; crash r0").0;
    said.extend(play.leave("r1 r2 r3").0);
    said.extend(play.go("go on among r1 r2 r3").0);

    let said = super::Said(said);
    said.in_order(
        "r0 persist accepted v0 s1 a with its batch",
        "r0 broadcast PRE-PREPARE v0 s1 a",
    );
    said.in_order(
        "r1 persist accepted v0 s1 a with its batch and own PREPARE",
        "r1 broadcast PREPARE v0 s1 a of r1",
    );
    said.in_order(
        "r1 persist prepared v0 s1 a by r1 r2 and own COMMIT",
        "r1 broadcast COMMIT v0 s1 a of r1",
    );
    said.in_order(
        "r1 persist own CHECKPOINT s1 h1",
        "r1 broadcast CHECKPOINT s1 h1 of r1",
    );
    let left = "VIEW-CHANGE v1 of r1, stable s1, prepared []";
    said.in_order(
        &format!("r1 persist {left}"),
        &format!("r1 broadcast {left}"),
    );
    let begun = "NEW-VIEW v1 from r1 r2 r3, proposes []";
    said.in_order(
        &format!("r1 persist {begun}"),
        &format!("r1 broadcast {begun}"),
    );
}

#[test]
fn w2_what_was_prepared_before_a_crash_is_proved_after_it() {
    let mut play = Play::of(4);
    play.go("r0 proposes a; r0 -> r1 r2 r3; r1 -> r2; crash r0; lose everything");

    play.go("crash r2; start r2");
    let said = play.leave("r2");

    said.shows("r2 broadcast VIEW-CHANGE v1 of r2, origin s0, prepared [s1 a v0]");
}

#[test]
fn w3_a_primary_proposes_the_same_again_after_a_crash_and_goes_on_behind_it() {
    let mut play = Play::of(4);
    play.go("r0 proposes a; lose everything; crash r0; start r0");

    let next = play.go("r0 proposes b");
    let said = play.go("r0 reconnects to r1; r0 reconnects to r2; r0 reconnects to r3; go on");

    next.shows("r0 broadcast PRE-PREPARE v0 s2 b");
    said.shows("r1 execute s1 a, committed in v0");
    said.shows("r1 execute s2 b, committed in v0");
}

#[test]
fn w5_a_vote_bars_every_other_one_at_its_view_and_number_also_after_a_crash() {
    let mut play = Play::of(4);
    play.go("r0 forges PRE-PREPARE b v0 s1 -> r1; r0 forges PRE-PREPARE b v0 s1 -> r2");
    let first = play.go("r0 forges PRE-PREPARE a v0 s1 -> r3; r2 -> r1");

    play.go("crash r3; start r3; lose everything; r3 reconnects to r1");
    let said = play.go("deliver among r1 r3");

    first.shows("r3 broadcast PREPARE v0 s1 a of r3");
    said.shows("r3 persist prepared v0 s1 b by r1 r2");
    said.lacks("v0 s1 b of r3").lacks("r3 broadcast PREPARE");
}

#[test]
fn w6_a_vote_that_was_logged_and_never_sent_is_sent_after_the_crash() {
    let mut play = Play::of(4);
    play.go("crash r3; r0 proposes a; r0 -> r1 r2; lose r1 -> r0 r2 r3");

    play.go("crash r1; start r1; r0 reconnects to r1; r2 reconnects to r1");
    let said = play.go("go on among r0 r1 r2");
    let after = play.go("r1 reconnects to r0; r1 reconnects to r2; go on among r0 r1 r2");

    said.shows("r1 send r0 PREPARE v0 s1 a of r1");
    after.shows("r1 certified s1 h1 by r0 r1 r2");
}

#[test]
fn w7_a_log_is_replayed_to_its_end_or_the_start_fails_and_names_the_record() {
    let keys = (0..4).map(|member| KeyedHash::of_member(member).public());
    let committee = Committee::new(ChainId::new([1; 32]), Epoch::ZERO, keys.collect()).unwrap();
    let (view, seq, digest) = (View::ZERO, Seq::new(1), Digest::new([5; 32]));
    let (chain, key, first_epoch) = (committee.chain(), committee.keys()[1], Epoch::ZERO);
    let primary = KeyedHash::of_member(0);
    let body = PrePrepare { view, seq, digest };
    let pre_prepare = Signed::sign(body, ReplicaId::new(0), &committee, &primary);
    let bad = PreparedCertificate {
        epoch: Epoch::ZERO,
        view,
        seq,
        digest,
        pre_prepare: pre_prepare.signature,
        prepares: Vec::new(),
    };
    let records = vec![
        Record::Key { key },
        Record::Birth {
            chain,
            key,
            first_epoch,
        },
        Record::Accepted {
            pre_prepare,
            batch: None,
            prepare: None,
        },
        Record::Prepared {
            certificate: bad,
            commit: None,
        },
    ];
    let key = KeyedHash::of_member(1);
    let setup = Setup {
        committee,
        key,
        parameters: Parameters::LAN,
        origin: Seq::ZERO,
        end: None,
    };

    let started = Replica::recover(setup, Log::Whole(records), &[], Time::ZERO);

    let why = Rejected::BadCertificate { seq };
    assert_eq!(
        started.err(),
        Some(RecoverError::BadRecord { record: 3, why })
    );
}

#[test]
fn w9_a_block_certified_before_it_was_executed_here_is_executed_after_the_crash() {
    let mut play = Play::of(4);
    play.go("r0 proposes a; deliver everything; r0 executes; r2 executes; r3 executes");
    let ahead = play.go("deliver everything");

    let said = play.go("crash r1; start r1; r1 executes");

    ahead.shows("r1 persist stable s1 h1");
    said.shows("r1 execute s1 a, committed in v0");
    said.shows("r1 certified s1 h1 by r0 r2 r3");
}

#[test]
fn w11_two_proposals_for_one_place_are_evidence_and_harm_nobody() {
    let mut play = Play::of(4);

    let said = play.go(
        "r0 forges PRE-PREPARE a v0 s1 -> r3; r0 forges PRE-PREPARE b v0 s1 -> r3
        r0 forges PRE-PREPARE b v0 s1 -> r3; r0 forges PRE-PREPARE b v0 s1 -> r2; crash r0",
    );
    play.leave("r1 r2 r3");
    let after = play.go("go on among r1 r2 r3; r1 proposes c; go on among r1 r2 r3");

    said.shows("r3 evidence against r0: PrePrepare a and PrePrepare b at v0 s1");
    said.lacks("PREPARE v0 s1 b of r3");
    assert_eq!(said.count("r3 evidence"), 1);
    after.shows("r3 execute s1 c, committed in v1");
}
