//! How long a replica waits: for what is ordered, for a new primary, and for a peer that is back.

use core::time::Duration;

use consensus::{Frame, Input, Pending, Time, Timer};

use crate::pitfalls::{Play, Said, boast};

/// What a primary is given.
const T0: Duration = Duration::from_millis(600);

#[test]
fn a_timer_that_comes_early_is_set_for_the_rest() {
    let mut play = Play::of(4);
    play.go("r1 waits for transaction 1");

    let said = play.input(1, Input::Expired(Timer::Request));
    let never = play.input(1, Input::Expired(Timer::NewView));

    said.shows("r1 arm request 600ms").lacks("VIEW-CHANGE");
    never.shows("r1 rejects: the timer was set anew or stopped meanwhile");
}

/// Takes r3 through views whose primaries ask for them and then do nothing; gives its waits.
fn fruitless(play: &mut Play, views: &[u64]) -> Vec<String> {
    let mut waits = Vec::new();
    for view in views {
        waits.extend(play.two_ask(*view));
        play.go("r3 runs out of new-view");
    }
    waits
}

#[test]
fn patience_is_what_it_was_once_a_transaction_that_waited_is_executed() {
    let mut play = Play::of(4);
    play.go("crash r0; crash r1");
    play.leave("r2 r3");
    play.go("start r0; r2 -> r0; r3 -> r0 r2; r2 -> r3; r0 -> r2 r3");
    play.go("r2 runs out of new-view; r3 runs out of new-view; deliver among r0 r2 r3");
    let pending = |oldest, executed| {
        Input::Pending(Pending {
            oldest: Some(oldest),
            since: Time::ZERO,
            executed,
        })
    };

    let same = play.input(2, pending(2, 0));
    let other = play.input(2, pending(1, 1));
    let served = play.input(2, pending(3, 1));

    same.shows("r2 arm request 1.2s");
    other.shows("r2 arm request 1.2s");
    served.shows("r2 arm request 600ms");
}

#[test]
fn the_first_view_after_one_that_failed_gets_no_more_time_than_that_one() {
    let mut play = Play::of(4);

    let said = play.leave("r1 r2 r3");
    let heard = play.go("r1 -> r3; r2 -> r3");

    said.shows("r3 broadcast VIEW-CHANGE v1 of r3, origin s0, prepared []");
    heard.shows("r3 arm new-view 600ms");
}

#[test]
fn a_primary_of_which_nothing_is_heard_is_given_t0_however_often_views_failed() {
    let wait = |speaks_before: Option<Duration>| {
        let mut play = Play::of(4);
        fruitless(&mut play, &[1, 4, 5]);
        if let Some(before) = speaks_before {
            play.arrives(2, 3, &Frame::Status(boast(0, 0)));
            play.pass(before);
        }
        play.asks(0, 6, 3);
        play.asks(1, 6, 3).0
    };
    let armed = |said: &[String], time| said.contains(&format!("r3 arm new-view {time}"));

    let silent = wait(None);
    let heard = wait(Some(T0));
    let long_ago = wait(Some(T0 + Duration::from_millis(1)));

    assert!(armed(&silent, "600ms"), "{silent:?}");
    assert!(armed(&heard, "4.8s"), "{heard:?}");
    assert!(armed(&long_ago, "600ms"), "{long_ago:?}");
}

#[test]
fn a_new_view_and_the_first_thing_that_it_orders_share_one_time() {
    let mut play = Play::of(4);
    play.go("crash r0");
    play.leave("r1 r2 r3");
    let heard = play.go("r1 -> r2; r3 -> r2");

    play.pass(Duration::from_millis(500));
    let begun = play.go("r2 -> r1; r3 -> r1; r1 -> r2");

    heard.shows("r2 arm new-view 600ms");
    begun.shows("r2 arm request 100ms");
}

#[test]
fn what_waits_for_a_peer_that_is_back_waits_for_t0_and_no_longer() {
    let mut play = Play::of(4);
    fruitless(&mut play, &[1, 2, 4]);

    let waiting = play.two_ask(5);
    let back = play.go("r3 reconnects to r2");
    play.go("r3 runs out of new-view");
    let waits = fruitless(&mut play, &[8, 9]);

    assert_eq!(waiting, ["4.8s"]);
    back.shows("r3 arm new-view 600ms");
    assert_eq!(waits, ["1.2s", "2.4s"]);
}

/// Whether what r3 waits for in this view, 8 T0 long, gets T0 by these returns. Then it runs out.
fn cuts_short(play: &mut Play, view: u64, returns: &str) -> bool {
    assert_eq!(play.two_ask(view), ["4.8s"]);
    let said = play.go(returns).0;
    let cut = said.iter().any(|line| line == "r3 arm new-view 600ms");
    play.go("r3 runs out of new-view");
    cut
}

#[test]
fn a_member_that_comes_and_goes_cuts_patience_short_once_in_24_t0_and_no_more() {
    // 7.2 s go by from the first return to the second.
    let returns_after = |later: Duration| {
        let mut play = Play::of(4);
        fruitless(&mut play, &[1, 2]);
        let first = cuts_short(&mut play, 4, "r3 reconnects to r2");
        fruitless(&mut play, &[5, 6]);
        let soon = cuts_short(&mut play, 8, "r3 reconnects to r2; r3 reconnects to r2");
        play.pass(later);
        [first, soon, cuts_short(&mut play, 9, "r3 reconnects to r2")]
    };

    let pause = Duration::from_millis(14_400 - 7_200);
    assert_eq!(returns_after(pause), [true, false, true]);
    let almost = Duration::from_millis(14_400 - 7_200 - 1);
    assert_eq!(returns_after(almost), [true, false, false]);
}

/// What r1 says while its primary comes and goes: at the first return, at one soon after, when the
/// first time is over, at one after that, and when all time is over.
fn returns_of_a_primary(members: u16) -> [Said; 5] {
    let mut play = Play::of(members);
    play.go("r1 waits for transaction 1");
    let back = |play: &mut Play, away| {
        play.pass(away);
        play.go("r1 reconnects to r0")
    };

    let first = back(&mut play, Duration::from_millis(500));
    let soon = back(&mut play, Duration::from_millis(500));
    let said = play.input(1, Input::Expired(Timer::Request));
    let left = back(&mut play, Duration::from_millis(100));
    let gone = play.input(1, Input::Expired(Timer::Request));
    [first, soon, said, left, gone]
}

#[test]
fn a_primary_that_comes_and_goes_has_its_whole_time_once_in_24_t0_and_no_more() {
    // Three members tolerate no liar, and must outlive a connection that comes and goes all the same.
    for members in [3, 4] {
        let [first, soon, said, left, gone] = returns_of_a_primary(members);

        first.shows("r1 arm request 600ms");
        soon.lacks("arm request");
        said.shows("r1 arm request 100ms");
        left.lacks("arm request");
        gone.shows("r1 broadcast VIEW-CHANGE v1 of r1, origin s0, prepared []");
    }
}

#[test]
fn once_something_that_waited_is_executed_returns_count_again() {
    let executed = |executed| {
        Input::Pending(Pending {
            oldest: Some(2),
            since: Time::ZERO,
            executed,
        })
    };
    let returns_again_after = |executed: Input| {
        let mut play = Play::of(4);
        play.go("r1 waits for transaction 1");
        play.pass(Duration::from_millis(500));
        play.go("r1 reconnects to r0").shows("r1 arm request 600ms");
        play.input(1, executed);
        play.pass(Duration::from_millis(500));
        play.go("r1 reconnects to r0")
    };

    returns_again_after(executed(1)).shows("r1 arm request 600ms");
    returns_again_after(executed(0)).lacks("arm request");
}

#[test]
fn a_backup_that_is_back_makes_nobody_wait_longer_for_the_primary() {
    let mut play = Play::of(4);
    play.go("r1 waits for transaction 1");

    let back = play.go("r1 reconnects to r2");

    back.lacks("arm request");
}

#[test]
fn a_peer_that_is_back_makes_nothing_wait_longer() {
    let mut play = Play::of(4);
    play.leave("r1 r2 r3");
    play.go("r1 -> r3; r2 -> r3");

    let back = play.go("r3 reconnects to r2");

    back.lacks("arm new-view");
}
