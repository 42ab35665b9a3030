//! Handshakes against the clock: both sides of each suite, ready to do one after the other, and turns so that nobody is
//! favoured.
//!
//! The contestants take turns, so that whatever else the machine does meets all of them; of each turn's time for one
//! handshake the median counts. The clock comes in as an argument: it reads the processor time of the calling thread.

pub mod aidc1;
pub mod limbasiya;
pub mod wu;

use std::error::Error;
use std::time::Duration;

/// Why a run did not come to its end.
pub type Failure = Box<dyn Error + Send + Sync>;

/// Reads the processor time that the calling thread has used.
pub type Clock<'a> = &'a dyn Fn() -> Duration;

/// How long is measured.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// How often everybody has a turn.
    pub turns: u32,
    /// Handshakes in a turn.
    pub handshakes: u32,
}

/// Both sides of a protocol, ready to do one handshake after the other.
pub trait Contestant {
    /// One handshake from the first message to keys on both sides, and what each side's part took.
    fn shake(&mut self, clock: Clock<'_>) -> Result<Sides, Failure>;
}

/// A message as it travelled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sent {
    /// What it is called.
    pub(crate) name: &'static str,
    /// Its fields and how many bytes each has, the framing between them last.
    pub(crate) fields: Vec<(&'static str, usize)>,
}

impl Sent {
    /// The message of these bytes, which these fields make up but for lengths and headers.
    pub(crate) fn new(name: &'static str, bytes: &[u8], fields: &[(&'static str, usize)]) -> Self {
        let named: usize = fields.iter().map(|(_, bytes)| bytes).sum();
        let mut fields = fields.to_vec();
        let framing = bytes.len().saturating_sub(named);
        if framing > 0 {
            fields.push(("framing", framing));
        }
        Self { name, fields }
    }

    /// Bits of the whole message.
    pub(crate) fn bits(&self) -> usize {
        let bytes: usize = self.fields.iter().map(|(_, bytes)| bytes).sum();
        bytes.saturating_mul(8)
    }
}

/// Processor time of both sides.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sides {
    /// Of the patient, or whoever begins.
    pub first: Duration,
    /// Of the server.
    pub second: Duration,
}

/// Adds the time that a step takes to a side.
pub fn timed<T>(clock: Clock<'_>, side: &mut Duration, step: impl FnOnce() -> T) -> T {
    let before = clock();
    let result = step();
    *side = side.saturating_add(clock().saturating_sub(before));
    result
}

/// What one handshake of a contestant takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figure {
    /// Both sides: the median of the turns, and so not always the sum of the two below.
    pub both: Duration,
    /// The patient's side.
    pub first: Duration,
    /// The server's side.
    pub second: Duration,
}

/// Lets everybody take turns.
pub fn contest<const N: usize>(
    plan: Plan,
    clock: Clock<'_>,
    mut contestants: [&mut dyn Contestant; N],
) -> Result<[Figure; N], Failure> {
    let mut samples = [const { Vec::<Sides>::new() }; N];
    // The first turn fills caches and tables and does not count.
    for turn in 0..=plan.turns {
        for (contestant, samples) in contestants.iter_mut().zip(&mut samples) {
            let mut sum = Sides::default();
            for _ in 0..plan.handshakes {
                let one = contestant.shake(clock)?;
                sum.first = sum.first.saturating_add(one.first);
                sum.second = sum.second.saturating_add(one.second);
            }
            if turn > 0 {
                samples.push(sum);
            }
        }
    }
    let each = |of: fn(&Sides) -> Duration, samples: &[Sides]| {
        let all = samples.iter().map(of).collect();
        median(all).checked_div(plan.handshakes).unwrap_or_default()
    };
    Ok(samples.map(|samples| Figure {
        both: each(|sides| sides.first.saturating_add(sides.second), &samples),
        first: each(|sides| sides.first, &samples),
        second: each(|sides| sides.second, &samples),
    }))
}

/// The middle one; zero without samples.
pub(crate) fn median(mut samples: Vec<Duration>) -> Duration {
    samples.sort_unstable();
    let middle = samples.len() / 2;
    samples.get(middle).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// Takes as long as the clock says: one tick a look at it.
    struct Ticking;

    impl Contestant for Ticking {
        fn shake(&mut self, clock: Clock<'_>) -> Result<Sides, Failure> {
            let mut sides = Sides::default();
            timed(clock, &mut sides.first, || ());
            timed(clock, &mut sides.second, clock);
            Ok(sides)
        }
    }

    #[test]
    fn a_side_is_charged_for_its_own_steps_alone() {
        let now = Cell::new(Duration::ZERO);
        let clock = || {
            now.set(now.get() + Duration::from_micros(1));
            now.get()
        };
        let plan = Plan {
            turns: 3,
            handshakes: 4,
        };

        let [figure] = contest(plan, &clock, [&mut Ticking]).unwrap();

        assert_eq!(figure.first, Duration::from_micros(1));
        assert_eq!(figure.second, Duration::from_micros(2));
        assert_eq!(figure.both, Duration::from_micros(3));
    }

    #[test]
    fn the_median_of_nothing_is_zero() {
        let ten = |count: u64| (0..count).map(Duration::from_secs).collect();

        assert_eq!(median(Vec::new()), Duration::ZERO);
        assert_eq!(median(ten(9)), Duration::from_secs(4));
    }
}
