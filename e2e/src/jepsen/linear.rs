//! Is a history linearizable? Wing and Gong's search with Lowe's memory of places already seen.
//!
//! A history is linearizable when every call that returned, and any of those that did not, can be given one moment
//! between its invocation and its return, such that done one after the other in the order of these moments the calls
//! answer what they answered. A call without a return may have happened at any time after its invocation, or never.
//! Histories of different keys are independent: the checker is given one key's calls at a time.

use std::collections::BTreeSet;
use std::fmt;

/// What an object does, one call after the other.
pub(super) trait Model {
    /// A call and, if it returned, its answer.
    type Call: fmt::Debug;
    /// What the object remembers.
    type State: Clone + Ord + fmt::Debug;

    /// The object before the first call.
    fn initial() -> Self::State;

    /// The object after a call; `None` if it cannot answer so in this state.
    fn step(state: &Self::State, call: &Self::Call) -> Option<Self::State>;
}

/// One call of a history. Times are nanoseconds of one clock.
#[derive(Debug, Clone)]
pub(super) struct Span<C> {
    /// What was asked and answered.
    pub(super) call: C,
    /// When it was asked.
    pub(super) invoked: u64,
    /// When it was answered; `None` when nobody knows what became of it.
    pub(super) returned: Option<u64>,
}

/// Why a history is not linearizable.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotLinearizable {
    /// The most calls that could be put in order.
    pub(super) placed: usize,
    /// The calls that returned and could not follow them, in words.
    pub(super) stuck: Vec<String>,
}

impl fmt::Display for NotLinearizable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "not linearizable: {} calls can be put in order, and then none of these can follow: {}",
            self.placed,
            self.stuck.join("; ")
        )
    }
}

/// Which calls of a history are in order already.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Placed(Vec<bool>);

impl Placed {
    /// Whether a call is in order.
    fn holds(&self, place: usize) -> bool {
        self.0.get(place).copied().unwrap_or_default()
    }

    /// The same with one call more.
    fn with(&self, place: usize) -> Self {
        let mut more = self.clone();
        if let Some(one) = more.0.get_mut(place) {
            *one = true;
        }
        more
    }

    /// How many calls are in order.
    fn count(&self) -> usize {
        self.0.iter().filter(|one| **one).count()
    }
}

/// Looks for an order of the calls of one key.
pub(super) fn check<M: Model>(history: &[Span<M::Call>]) -> Result<(), NotLinearizable> {
    let start = (Placed(vec![false; history.len()]), M::initial());
    let mut seen = BTreeSet::from([start.clone()]);
    let mut open = vec![start];
    let mut furthest: Option<Placed> = None;
    while let Some((placed, state)) = open.pop() {
        if all_returned_are_placed(history, &placed) {
            return Ok(());
        }
        for place in next(history, &placed) {
            let Some(span) = history.get(place) else {
                continue;
            };
            if let Some(after) = M::step(&state, &span.call) {
                let further = (placed.with(place), after);
                if seen.insert(further.clone()) {
                    open.push(further);
                }
            }
        }
        if furthest
            .as_ref()
            .is_none_or(|best| best.count() < placed.count())
        {
            furthest = Some(placed);
        }
    }
    let best = furthest.unwrap_or_else(|| Placed(Vec::new()));
    Err(NotLinearizable {
        placed: best.count(),
        stuck: next(history, &best)
            .filter_map(|place| history.get(place))
            .filter(|span| span.returned.is_some())
            .map(|span| format!("{span:?}"))
            .collect(),
    })
}

/// Whether only calls without a return are left.
fn all_returned_are_placed<C>(history: &[Span<C>], placed: &Placed) -> bool {
    let mut returned = (0..)
        .zip(history)
        .filter(|(_, span)| span.returned.is_some());
    returned.all(|(place, _)| placed.holds(place))
}

/// The calls that may come next: those that were invoked before the first return among the calls left.
fn next<'a, C>(history: &'a [Span<C>], placed: &'a Placed) -> impl Iterator<Item = usize> + 'a {
    let left = || {
        (0..)
            .zip(history)
            .filter(|(place, _)| !placed.holds(*place))
    };
    let first_return = left().filter_map(|(_, span)| span.returned).min();
    left()
        .filter(move |(_, span)| first_return.is_none_or(|returned| span.invoked <= returned))
        .map(|(place, _)| place)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A register with compare-and-set, the object of the literature's examples.
    struct Register;

    #[derive(Debug, Clone, Copy)]
    enum Act {
        Write(u8),
        Read(u8),
        Cas(u8, u8, bool),
        LostWrite(u8),
    }
    use Act::{Cas, LostWrite, Read, Write};

    impl Model for Register {
        type Call = Act;
        type State = u8;

        fn initial() -> u8 {
            0
        }

        fn step(state: &u8, act: &Act) -> Option<u8> {
            match *act {
                Write(value) | LostWrite(value) => Some(value),
                Read(value) => (value == *state).then_some(value),
                Cas(from, to, true) => (from == *state).then_some(to),
                Cas(from, _, false) => (from != *state).then_some(*state),
            }
        }
    }

    fn history(spans: &[(Act, u64, u64)]) -> Vec<Span<Act>> {
        let span = |(call, invoked, returned): &(Act, u64, u64)| Span {
            call: *call,
            invoked: *invoked,
            returned: (!matches!(call, LostWrite(_))).then_some(*returned),
        };
        spans.iter().map(span).collect()
    }

    fn holds(spans: &[(Act, u64, u64)]) -> bool {
        check::<Register>(&history(spans)).is_ok()
    }

    #[test]
    fn calls_one_after_the_other_must_see_each_other() {
        assert!(holds(&[(Write(1), 0, 1), (Read(1), 2, 3)]));
        assert!(!holds(&[(Write(1), 0, 1), (Read(0), 2, 3)]));
    }

    #[test]
    fn a_read_beside_a_write_may_see_it_or_not() {
        assert!(holds(&[(Write(1), 0, 10), (Read(0), 2, 3)]));
        assert!(holds(&[(Write(1), 0, 10), (Read(1), 2, 3)]));
    }

    #[test]
    fn once_a_read_has_seen_a_write_no_later_read_may_miss_it() {
        let stale = [(Write(1), 0, 10), (Read(1), 2, 3), (Read(0), 4, 5)];

        assert!(!holds(&stale));
        assert!(holds(&[stale[0], (Read(0), 2, 3), (Read(1), 4, 5)]));
    }

    #[test]
    fn of_two_compare_and_sets_from_the_same_value_one_must_fail() {
        let both = |first, second| [(Cas(0, 1, first), 0, 10), (Cas(0, 2, second), 1, 9)];

        assert!(!holds(&both(true, true)));
        assert!(holds(&both(true, false)));
        assert!(holds(&both(false, true)));
        assert!(!holds(&both(false, false)));
    }

    #[test]
    fn a_call_whose_answer_was_lost_may_happen_late_or_never_but_not_early() {
        assert!(holds(&[(LostWrite(7), 0, 0), (Read(0), 5, 6)]));
        assert!(holds(&[
            (LostWrite(7), 0, 0),
            (Read(0), 5, 6),
            (Read(7), 7, 8)
        ]));
        assert!(!holds(&[(Read(7), 0, 1), (LostWrite(7), 2, 0)]));
        assert!(!holds(&[
            (LostWrite(7), 0, 0),
            (Read(7), 5, 6),
            (Read(0), 7, 8)
        ]));
    }

    #[test]
    fn the_queue_of_herlihy_and_wing_kind_of_cycle_is_found_over_many_calls() {
        // Each writer overlaps the next; a reader between them sees a value that was surely overwritten.
        let mut spans: Vec<_> = (1..=40)
            .map(|at| (Write(at), u64::from(at) * 10, u64::from(at) * 10 + 12))
            .collect();
        assert!(holds(&spans));
        spans.push((Read(3), 200, 201));

        let told = check::<Register>(&history(&spans)).unwrap_err();

        assert!(told.to_string().contains("Read(3)"), "{told}");
    }

    #[test]
    fn many_overlapping_calls_are_decided_without_trying_every_order() {
        // 2^16 orders of the lost writes, but few different states.
        let mut spans: Vec<_> = (0..16).map(|at| (LostWrite(at % 2), 0, 0)).collect();
        spans.push((Read(5), 1, 2));

        assert!(!holds(&spans));
    }
}
