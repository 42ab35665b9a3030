//! Nodes that may not sign: what they say of themselves, and that they sign nothing.

use consensus::{
    ChainId, Committee, Effect, Epoch, Frame, Input, Log, Lost, Parameters, Pending, Record,
    Replica, Scheme as _, Seq, Setup, Standing, Time, Timer,
};
use simulator::{KeyedHash, SimulatedScheme as _};

/// What a replica of member 1 is when it starts with this log.
fn standing(log: Log) -> Standing {
    started(log).0.standing()
}

/// A replica of member 1 with this log, and what it does at its start.
fn started(log: Log) -> (Replica<KeyedHash>, Vec<Effect>) {
    let keys = (0..4)
        .map(|member| KeyedHash::of_member(member).public())
        .collect();
    let committee = Committee::new(ChainId::new([1; 32]), Epoch::ZERO, keys).unwrap();
    let key = KeyedHash::of_member(1);
    let setup = Setup {
        committee,
        key,
        parameters: Parameters::LAN,
        origin: Seq::ZERO,
        end: None,
    };
    Replica::recover(setup, log, &[], Time::ZERO).unwrap()
}

/// A log of these two records.
fn log(owner: u16, chain: u8, first_epoch: u32) -> Log {
    let key = KeyedHash::of_member(owner).public();
    let (chain, first_epoch) = (ChainId::new([chain; 32]), Epoch::new(first_epoch));
    Log::Whole(vec![
        Record::Key { key },
        Record::Birth {
            chain,
            key,
            first_epoch,
        },
    ])
}

/// A log made for one member's key and born with another's.
fn mixed(made: u16, born: u16) -> Log {
    let key = |member| KeyedHash::of_member(member).public();
    let (chain, first_epoch) = (ChainId::new([1; 32]), Epoch::ZERO);
    Log::Whole(vec![
        Record::Key { key: key(made) },
        Record::Birth {
            chain,
            key: key(born),
            first_epoch,
        },
    ])
}

#[test]
fn w8_only_a_whole_log_of_ones_own_from_this_epoch_or_before_lets_a_member_vote() {
    let key = KeyedHash::of_member(1).public();
    let observer = Standing::Observer;

    assert!(matches!(standing(log(1, 1, 0)), Standing::Voter(me) if me.get() == 1));
    assert_eq!(standing(Log::Damaged), observer(Lost::Damaged));
    assert_eq!(standing(Log::Whole(vec![])), observer(Lost::Unborn));
    assert_eq!(
        standing(Log::Whole(vec![Record::Key { key }])),
        observer(Lost::Unborn)
    );
    assert_eq!(standing(log(2, 1, 0)), observer(Lost::OtherKey));
    assert_eq!(standing(mixed(2, 1)), observer(Lost::OtherKey));
    assert_eq!(standing(mixed(1, 2)), observer(Lost::OtherKey));
    assert_eq!(standing(log(1, 2, 0)), observer(Lost::OtherChain));
    assert_eq!(
        standing(log(1, 1, 1)),
        observer(Lost::Later {
            first: Epoch::new(1)
        })
    );
}

#[test]
fn an_observer_signs_nothing_whatever_waits_and_whatever_runs_out() {
    let (mut replica, mut effects) = started(Log::Damaged);
    let waiting = Pending {
        oldest: Some(1),
        since: Time::ZERO,
        executed: 0,
    };
    let late = Time::from_micros(100_000_000);

    effects.extend(replica.step(late, Input::Pending(waiting)).unwrap());
    for timer in [
        Timer::Request,
        Timer::Forward,
        Timer::NewView,
        Timer::Status,
        Timer::Heartbeat,
    ] {
        effects.extend(
            replica
                .step(late, Input::Expired(timer))
                .unwrap_or_default(),
        );
    }

    let signs = |effect: &Effect| match effect {
        Effect::Persist(_) => true,
        Effect::Broadcast(frame) | Effect::Send(_, frame) => !matches!(frame, Frame::Status(_)),
        _ => false,
    };
    assert!(!effects.iter().any(signs), "{effects:?}");
    assert_eq!(replica.wants_batch(), None);
}
