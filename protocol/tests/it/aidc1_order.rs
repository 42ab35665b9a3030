//! The server's order: what is refused before it costs anything, and that nobody can tell
//! one refusal from another.

use contract::{BlockTime, ServerId, Status, SuiteId};
use protocol::aidc1::limits::Source;
use protocol::aidc1::{Credential, Gate, Limits, Me5, NotUsable, Peer, Server};
use protocol::suite::Suite;
use protocol::{Aidc1, Failed, Reason, Timestamp};

use crate::aidc1_world::{
    CERTIFIED, CHAIN, Clinic, Patients, keys, open, record_of, secret, server_id, server_record,
};
use crate::world::{NOW, later};

/// An x-coordinate to which no point belongs, nor to any number of this size.
const OFF_THE_CURVE: [u8; 32] = [0xFF; 32];

fn hello(clinic: &Clinic) -> Me5 {
    open(&clinic.credential(), NOW).message
}

fn why<T>(outcome: Result<T, Failed>) -> Option<Reason> {
    outcome.err().map(Failed::reason)
}

fn admit(gate: &mut Gate, me5: &Me5, now: Timestamp) -> Option<Reason> {
    why(Aidc1::admit(gate, me5.clone(), now))
}

#[test]
fn a_hello_comes_through_the_gate_once() {
    let clinic = Clinic::new();
    let mut gate = Gate::default();
    let me5 = hello(&clinic);

    assert_eq!(admit(&mut gate, &me5, NOW), None);
    for wait in [0, 1, 120_000] {
        assert_eq!(admit(&mut gate, &me5, later(wait)), Some(Reason::Replayed));
    }
    assert_eq!(
        admit(&mut gate, &me5, later(120_001)),
        Some(Reason::Expired)
    );
    assert_eq!(gate.remembered(), 1);
}

#[test]
fn the_same_m1_under_another_time_is_a_replay_too() {
    let clinic = Clinic::new();
    let mut gate = Gate::default();
    let me5 = hello(&clinic);
    let restamped = Me5 {
        t1: later(5),
        ..me5
    };

    assert_eq!(admit(&mut gate, &me5, NOW), None);
    assert_eq!(admit(&mut gate, &restamped, NOW), Some(Reason::Replayed));
}

#[test]
fn a_full_gate_refuses_newcomers_and_forgets_nobody_before_time() {
    let clinic = Clinic::new();
    let mut gate = Gate::with_room_for(2);
    let [first, second, third] = [0, 1, 2].map(|at| open(&clinic.credential(), later(at)).message);

    assert_eq!(admit(&mut gate, &first, later(2)), None);
    assert_eq!(admit(&mut gate, &second, later(2)), None);
    assert_eq!(admit(&mut gate, &third, later(2)), Some(Reason::Full));
    assert_eq!(admit(&mut gate, &first, later(3)), Some(Reason::Replayed));
    assert_eq!(admit(&mut gate, &second, later(3)), Some(Reason::Replayed));
    // The first one's time is over now, and its place is free.
    assert_eq!(admit(&mut gate, &third, later(120_001)), None);
    assert_eq!(gate.remembered(), 2);
}

#[test]
fn beyond_the_limits_a_hello_costs_no_multiplication() {
    let clinic = Clinic::new();
    // Before M1 is multiplied it is lifted, and this M1 cannot be: who is refused for
    // another reason was refused before.
    let me5 = Me5 {
        m1: OFF_THE_CURVE,
        ..hello(&clinic)
    };
    let other_epoch = Me5 {
        epoch: protocol::aidc1::EpochTag::of(9),
        ..me5
    };

    assert_eq!(
        admit(&mut Gate::default(), &me5, later(120_001)),
        Some(Reason::Expired)
    );
    assert_eq!(
        admit(&mut Gate::with_room_for(0), &me5, NOW),
        Some(Reason::Full)
    );
    let mut gate = Gate::default();
    assert_eq!(admit(&mut gate, &me5, NOW), None);
    assert_eq!(admit(&mut gate, &me5, NOW), Some(Reason::Replayed));
    assert_eq!(
        why(clinic.answer(&other_epoch, NOW)),
        Some(Reason::WrongEpoch)
    );
    assert_eq!(why(clinic.answer(&me5, NOW)), Some(Reason::NotOnCurve));
    assert_eq!(clinic.ledger.lookups.get(), 0);
}

#[test]
fn the_sixty_fifth_handshake_in_flight_is_turned_away_unread() {
    let mut limits = Limits::default();
    let source = |host: u8| Source::of(std::net::IpAddr::from([192, 0, 2, host]));
    let permits: Vec<_> = (0..64)
        .map(|host| limits.enter(source(host), NOW).unwrap())
        .collect();

    let busy = limits.enter(source(200), NOW).unwrap_err();

    assert_eq!(
        busy.to_string(),
        "too many sign-ins at once; try again in 1 s"
    );
    for permit in permits {
        limits.leave(permit);
    }
    let permit = limits.enter(source(200), NOW).unwrap();
    limits.leave(permit);
}

#[test]
fn the_ledger_is_asked_only_about_a_hello_that_was_sealed_for_this_server() {
    let clinic = Clinic::new();
    let for_another = open(&Clinic::numbered(2, 1).credential(), NOW).message;

    assert_eq!(
        why(clinic.answer(&for_another, NOW)),
        Some(Reason::Mismatch)
    );
    assert_eq!(clinic.ledger.lookups.get(), 0);
    assert_eq!(why(clinic.answer(&hello(&clinic), NOW)), None);
    assert_eq!(clinic.ledger.lookups.get(), 1);
}

/// A hello of this patient at this clinic, whether the ledger knows her or not.
fn hello_of(number: u8, clinic: &Clinic) -> Me5 {
    open(&Credential::new(keys(number), clinic.peer(CERTIFIED)), NOW).message
}

#[test]
fn unknown_revoked_shredded_and_wrong_key_look_the_same_and_ask_once() {
    let with_status = |status| {
        let mut clinic = Clinic::new();
        clinic.ledger.set_status(keys(1).aid(), status);
        clinic
    };
    let mut wrong_key = Clinic::new();
    let mut record = record_of(&keys(1));
    record.pk_dh = *keys(2).pk_dh();
    wrong_key.ledger.insert(record);
    let mut no_point = Clinic::new();
    let mut record = record_of(&keys(1));
    record.pk_dh = contract::PublicKey::new(OFF_THE_CURVE);
    no_point.ledger.insert(record);
    // What a host may give for an AID that is missing: here even with her keys, and active.
    let mut misnamed = Clinic::new();
    misnamed.ledger.misname(keys(1).aid(), *keys(2).aid());

    let mut seen = Vec::new();
    for (clinic, patient, reason) in [
        (Clinic::new(), 99, Reason::UnknownAid),
        (misnamed, 1, Reason::UnknownAid),
        (with_status(Status::Revoked), 1, Reason::UnknownAid),
        (with_status(Status::Shredded), 1, Reason::UnknownAid),
        (no_point, 1, Reason::NotOnCurve),
        (wrong_key, 1, Reason::Mismatch),
    ] {
        let failed = clinic
            .answer(&hello_of(patient, &clinic), NOW)
            .err()
            .unwrap();
        assert_eq!(failed.reason(), reason);
        assert_eq!(clinic.ledger.lookups.get(), 1);
        seen.push(format!("{failed} {failed:?}"));
    }

    assert_eq!(seen, vec!["authentication failed Failed"; 6]);
}

#[test]
fn a_server_that_is_behind_says_so_and_only_to_the_patient_herself() {
    let clinic = |height, known| {
        let mut clinic = Clinic::new();
        clinic.ledger = Patients::at(height);
        if known {
            clinic.ledger.insert(record_of(&keys(1)));
        }
        clinic
    };
    let outcome = |height, known| {
        let clinic = clinic(height, known);
        why(clinic.answer(&hello(&clinic), NOW))
    };

    assert_eq!(outcome(41, true), None);
    assert_eq!(outcome(40, true), Some(Reason::Behind));
    assert_eq!(outcome(40, false), Some(Reason::UnknownAid));
}

#[test]
fn a_server_answers_for_its_living_epochs_and_only_while_they_last() {
    let (old, new) = (secret(1), secret(2));
    let mut old_record = server_record(1, 1, &old);
    old_record.not_after = BlockTime::new(NOW.as_millis() + 10);
    let new_record = server_record(1, 2, &new);
    let mut clinic = Clinic::new();
    clinic.server = Server::new(CHAIN, server_id(1));
    clinic.server.install(old_record.clone(), &old).unwrap();
    clinic.server.install(new_record.clone(), &new).unwrap();
    let hello = |record| {
        let peer = Peer::new(CHAIN, record, CERTIFIED).unwrap();
        open(&Credential::new(keys(1), peer), NOW).message
    };
    let (for_old, for_new) = (hello(old_record), hello(new_record));

    assert_eq!(why(clinic.answer(&for_old, later(10))), None);
    assert_eq!(
        why(clinic.answer(&for_old, later(11))),
        Some(Reason::WrongEpoch)
    );
    assert_eq!(why(clinic.answer(&for_new, later(11))), None);
    assert_eq!(clinic.server.erase_ended(later(240_010)), Vec::<u32>::new());
    assert_eq!(clinic.server.erase_ended(later(240_011)), [1]);
    assert_eq!(why(clinic.answer(&for_old, NOW)), Some(Reason::WrongEpoch));
    assert_eq!(why(clinic.answer(&for_new, NOW)), None);
}

#[test]
fn a_server_takes_no_key_that_its_record_does_not_name() {
    let mut server = Server::new(CHAIN, server_id(1));
    let record = |epoch, number| server_record(1, epoch, &secret(number));
    let mut silent = record(1, 1);
    silent.suites = vec![SuiteId::LIMBASIYA_2020];
    let mut foreign = record(1, 1);
    foreign.server_id = ServerId::new([7; 32]);
    let mut take = |record, number| server.install(record, &secret(number)).err();

    assert_eq!(take(silent, 1), Some(NotUsable::Suite));
    assert_eq!(take(foreign, 1), Some(NotUsable::OtherServer));
    assert_eq!(take(record(1, 1), 2), Some(NotUsable::OtherKey));
    assert_eq!(take(record(1, 1), 1), None);
    assert_eq!(take(record(0x0001_0001, 2), 2), Some(NotUsable::SameEpoch));
    assert_eq!(take(record(2, 2), 2), None);
    assert_eq!(take(record(3, 3), 3), Some(NotUsable::TooMany));
}
