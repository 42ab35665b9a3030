//! What the simulator has found, each as small as it could be made.

use consensus::{
    Batch, ChainId, Checkpoint, Committee, Digest, Domain, Effect, Effects, Epoch, Frame, Input,
    Log, Lost, Parameters, Pending, Record, Replica, ReplicaId, Scheme as _, Seq, Setup, Signed,
    Standing, Time, Timer, ValidBatch,
};
use simulator::{KeyedHash, SimulatedScheme as _};

use crate::pitfalls::Play;

/// The hash of the first block's header.
fn header() -> Digest {
    Digest::of(Domain::Header, b"first")
}

/// So many members in an epoch.
fn committee(size: u16, epoch: u32) -> Committee<KeyedHash> {
    let keys = (0..size).map(|member| KeyedHash::of_member(member).public());
    Committee::new(ChainId::new([1; 32]), Epoch::new(epoch), keys.collect()).unwrap()
}

/// The only member of a committee, started with this log and store.
fn alone(log: Vec<Record>, store: &[(Seq, Digest)]) -> (Replica<KeyedHash>, Effects) {
    first_of(1, log, store)
}

/// The first of so many members, started with this log and store.
fn first_of(size: u16, log: Vec<Record>, store: &[(Seq, Digest)]) -> (Replica<KeyedHash>, Effects) {
    let setup = Setup {
        committee: committee(size, 0),
        key: KeyedHash::of_member(0),
        parameters: Parameters::LAN,
        origin: Seq::ZERO,
        end: None,
    };
    Replica::recover(setup, Log::Whole(log), store, Time::ZERO).unwrap()
}

/// The log of a member that has signed nothing.
fn birth() -> Vec<Record> {
    let key = KeyedHash::of_member(0).public();
    let (chain, first_epoch) = (ChainId::new([1; 32]), Epoch::ZERO);
    vec![
        Record::Key { key },
        Record::Birth {
            chain,
            key,
            first_epoch,
        },
    ]
}

/// Adds the records among these effects to a log.
fn write(log: &mut Vec<Record>, effects: &Effects) {
    let records = effects.iter().filter_map(|effect| match effect {
        Effect::Persist(record) => Some(record.clone()),
        _ => None,
    });
    log.extend(records);
}

/// The first block was executed.
fn executed() -> Input {
    Input::Executed {
        seq: Seq::new(1),
        header: header(),
        epoch_end: None,
    }
}

/// Whether the first block is final.
fn is_final(effects: &Effects) -> bool {
    effects
        .iter()
        .any(|effect| matches!(effect, Effect::Certified(one) if one.seq == Seq::new(1)))
}

// Seed 260 with one member: the crash came between its CHECKPOINT and the certificate that this
// CHECKPOINT already is.
#[test]
fn a_crash_between_the_checkpoint_of_a_member_alone_and_its_certificate_leaves_the_block_final() {
    let mut log = birth();
    let (mut replica, _) = alone(log.clone(), &[]);
    let batch = Input::Batch(ValidBatch::checked(Batch::new(*b"a")));
    write(&mut log, &replica.step(Time::ZERO, batch).unwrap());
    write(&mut log, &replica.step(Time::ZERO, executed()).unwrap());
    let torn_off = log.pop();

    let (_, with_store) = alone(log.clone(), &[(Seq::new(1), header())]);
    let (mut again, _) = alone(log, &[]);
    let without_store = again.step(Time::ZERO, executed()).unwrap();

    assert!(matches!(torn_off, Some(Record::Stable { .. })));
    assert!(is_final(&with_store), "{with_store:?}");
    assert!(is_final(&without_store), "{without_store:?}");
}

// Seed 717: a member goes back to an epoch that is over, because its store lags, and the log still
// holds the VIEW-CHANGE with which it had left a view there.
#[test]
fn a_member_that_goes_back_to_an_epoch_that_is_over_asks_for_no_view_there() {
    let mut log = birth();
    let (mut replica, _) = first_of(4, log.clone(), &[]);
    let pending = Pending {
        oldest: Some(1),
        since: Time::ZERO,
        executed: 0,
    };
    replica.step(Time::ZERO, Input::Pending(pending)).unwrap();
    let late = Time::from_micros(600_000);
    let left = replica.step(late, Input::Expired(Timer::Request)).unwrap();
    write(&mut log, &left);
    let (seq, header) = (Seq::new(9), header());
    let later = Checkpoint { seq, header };
    let key = KeyedHash::of_member(0);
    let own = Signed::sign(later, ReplicaId::new(0), &committee(4, 1), &key);
    log.push(Record::Checkpoint { own });

    let (mut back, started) = first_of(4, log, &[]);
    let peer = Input::Reconnected(ReplicaId::new(1));
    let greeted = back.step(late, peer).unwrap();

    assert!(asks_for_a_view(&left));
    assert_eq!(back.standing(), Standing::Observer(Lost::Over));
    assert!(!asks_for_a_view(&started), "{started:?}");
    assert!(!asks_for_a_view(&greeted), "{greeted:?}");
}

// Seed 301504: the crash came between its VIEW-CHANGE and the NEW-VIEW that nobody else asks for.
#[test]
fn a_crash_between_the_view_change_of_a_member_alone_and_its_new_view_leaves_it_proposing() {
    let mut log = birth();
    let (mut replica, _) = alone(log.clone(), &[]);
    let pending = Pending {
        oldest: Some(1),
        since: Time::ZERO,
        executed: 0,
    };
    replica.step(Time::ZERO, Input::Pending(pending)).unwrap();
    let late = Time::from_micros(600_000);
    let left = replica.step(late, Input::Expired(Timer::Request)).unwrap();
    write(&mut log, &left);
    let torn_off = log.pop();

    let (back, _) = alone(log, &[]);

    assert!(matches!(torn_off, Some(Record::NewView(_))), "{torn_off:?}");
    assert!(back.wants_batch().is_some(), "{back:?}");
}

/// Whether a VIEW-CHANGE leaves with these effects.
fn asks_for_a_view(effects: &Effects) -> bool {
    effects.iter().any(|effect| {
        matches!(
            effect,
            Effect::Broadcast(Frame::ViewChange(_)) | Effect::Send(_, Frame::ViewChange(_))
        )
    })
}

#[test]
fn a_rival_of_a_proposal_is_not_under_way_and_what_was_dropped_is_once_it_is_proposed_again() {
    let mut play = Play::of(4);

    play.go("r0 proposes a; r0 -> r3; r0 forges PRE-PREPARE b v0 s1 -> r3");
    assert!(play.is_under_way(3, "a"));
    assert!(!play.is_under_way(3, "b"));

    play.leave("r1 r2 r3");
    let dropped = play.go("deliver everything");
    dropped.shows("r3 dropped a");
    assert!(!play.is_under_way(3, "a"));

    play.go("r1 proposes a; r1 -> r3");
    assert!(play.is_under_way(3, "a"));
    play.leave("r0 r2 r3");
    let again = play.go("deliver among r0 r2 r3");
    again.shows("r3 dropped a");
    assert!(!play.is_under_way(3, "a"));
}
