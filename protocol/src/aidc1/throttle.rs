//! How often an evaluator evaluates for one handle: five times freely, then ever more
//! slowly, and after fifty unconfirmed evaluations no more.

use thiserror::Error;

use super::WINDOW;
use super::evaluation::EvaluationId;
use crate::error::Malformed;
use crate::fields::Fields;
use crate::freshness::Timestamp;

/// Unconfirmed evaluations that need not wait.
pub const FREE: usize = 5;
/// Unconfirmed evaluations after which no more is served.
pub const LOCKED_AT: usize = 50;
/// The first wait, in milliseconds; it doubles with each further evaluation.
pub const WAIT_MS: u64 = 30_000;
/// The longest wait, in milliseconds.
pub const WAIT_MS_MAX: u64 = 3_600_000;

/// Why an evaluation is refused for now, or for good.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum Throttled {
    /// The request is old, from a wrong clock, or was served before.
    #[error("the request is too old, too new or was served already: check the clock and ask again")]
    Stale,
    /// Too soon after the last evaluation.
    #[error("too many tries: wait {} s", .wait_ms.div_ceil(1000))]
    Wait {
        /// How long, in milliseconds.
        wait_ms: u64,
    },
    /// Too many evaluations without a confirmation.
    #[error("locked after 50 tries without success: replace the credential")]
    Locked,
}

/// The confirmation names no evaluation that waits for one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("this evaluation is not waiting for a confirmation")]
pub struct NotPending;

/// The evaluations of one handle since the last confirmation.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Throttle {
    /// Oldest first, at most [`LOCKED_AT`].
    unconfirmed: Vec<EvaluationId>,
    /// When the last evaluation was, by the evaluator's clock.
    last: Option<Timestamp>,
    /// The time that the last request bore.
    last_request: Option<Timestamp>,
}

impl Throttle {
    /// How many evaluations wait for a confirmation.
    pub const fn unconfirmed(&self) -> usize {
        self.unconfirmed.len()
    }

    /// Lets an evaluation through and counts it, or refuses it and counts nothing. The
    /// state must be durable before the evaluation leaves.
    pub fn admit(
        &mut self,
        id: EvaluationId,
        requested: Timestamp,
        now: Timestamp,
    ) -> Result<(), Throttled> {
        if !WINDOW.admits(requested, now) || self.last_request.is_some_and(|last| requested <= last)
        {
            return Err(Throttled::Stale);
        }
        if self.unconfirmed.len() >= LOCKED_AT {
            return Err(Throttled::Locked);
        }
        // A clock that was far ahead and was set right must not lock for days.
        self.last = self.last.map(|last| last.min(now));
        let wait_ms = self.wait_ms(now);
        if wait_ms > 0 {
            return Err(Throttled::Wait { wait_ms });
        }
        self.unconfirmed.push(id);
        self.last = Some(now);
        self.last_request = Some(requested);
        Ok(())
    }

    /// Takes a confirmation whose signature was checked: this evaluation and all before
    /// it no longer count.
    pub fn confirm(&mut self, id: &EvaluationId) -> Result<(), NotPending> {
        let at = self.unconfirmed.iter().position(|one| one == id);
        self.unconfirmed.drain(..=at.ok_or(NotPending)?);
        Ok(())
    }

    /// How long the next evaluation has to wait from `now` on.
    fn wait_ms(&self, now: Timestamp) -> u64 {
        let Some(doublings) = self.unconfirmed.len().checked_sub(FREE) else {
            return 0;
        };
        let doublings = u32::try_from(doublings).unwrap_or(u32::MAX);
        let factor = 1_u64.checked_shl(doublings).unwrap_or(u64::MAX);
        let wait = WAIT_MS.saturating_mul(factor).min(WAIT_MS_MAX);
        let last = self.last.map_or(0, Timestamp::as_millis);
        last.saturating_add(wait).saturating_sub(now.as_millis())
    }

    /// count 1 ‖ count × id 32 ‖ last 8 ‖ last request 8, zero for never.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![u8::try_from(self.unconfirmed.len()).unwrap_or(u8::MAX)];
        for id in &self.unconfirmed {
            bytes.extend(id.as_bytes());
        }
        for time in [self.last, self.last_request] {
            bytes.extend(time.map_or([0; 8], Timestamp::to_bytes));
        }
        bytes
    }

    /// The state that was stored as these bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut fields = Fields::of("a throttle", bytes);
        let [count] = *fields.take("count")?;
        if usize::from(count) > LOCKED_AT {
            return Err(fields.wrong("count", "is above 50"));
        }
        let unconfirmed = (0..count)
            .map(|_| Ok(EvaluationId::new(*fields.take("evaluation id")?)))
            .collect::<Result<_, Malformed>>()?;
        let mut time = |name| {
            let stamp = Timestamp::from_bytes(*fields.take(name)?);
            Ok((stamp.as_millis() > 0).then_some(stamp))
        };
        let last = time("last")?;
        let last_request = time("last request")?;
        fields.end()?;
        Ok(Self {
            unconfirmed,
            last,
            last_request,
        })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::arithmetic_side_effects, reason = "the numbers are small")]

    use super::*;

    const START: u64 = 1_700_000_000_000;

    fn at(ms: u64) -> Timestamp {
        Timestamp::from_millis(START + ms)
    }

    fn id(number: usize) -> EvaluationId {
        EvaluationId::new([u8::try_from(number).unwrap(); 32])
    }

    /// A throttle with so many unconfirmed evaluations, each served as soon as it could
    /// be, and the time of the last.
    fn after(count: usize) -> (Throttle, u64) {
        let mut throttle = Throttle::default();
        let mut now = 0;
        for number in 0..count {
            now += 1;
            now += throttle.wait_ms(at(now));
            throttle.admit(id(number), at(now), at(now)).unwrap();
        }
        (throttle, now)
    }

    #[test]
    fn five_evaluations_are_free_and_the_sixth_waits_thirty_seconds() {
        let (mut throttle, now) = after(5);
        assert_eq!(now, 5, "no wait so far");

        let early = throttle
            .clone()
            .admit(id(5), at(now + 29_999), at(now + 29_999));
        let wait_ms = 1;
        assert_eq!(early, Err(Throttled::Wait { wait_ms }));
        assert_eq!(
            throttle.admit(id(5), at(now + 30_000), at(now + 30_000)),
            Ok(())
        );
    }

    #[test]
    fn each_further_evaluation_waits_twice_as_long_up_to_an_hour() {
        let waits = [30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600];
        for (count, seconds) in (5..).zip(waits) {
            let (mut throttle, now) = after(count);
            let refused = throttle.admit(id(count), at(now + 1), at(now + 1));

            let wait_ms = seconds * 1000 - 1;
            assert_eq!(refused, Err(Throttled::Wait { wait_ms }), "{count}");
            let then = now + seconds * 1000;
            assert_eq!(throttle.admit(id(count), at(then), at(then)), Ok(()));
        }
    }

    #[test]
    fn the_fiftieth_is_served_and_the_fifty_first_never() {
        let (mut throttle, now) = after(49);
        let then = now + WAIT_MS_MAX;
        assert_eq!(throttle.admit(id(49), at(then), at(then)), Ok(()));

        for later in [then + 1, then + WAIT_MS_MAX, then + 1_000 * WAIT_MS_MAX] {
            assert_eq!(
                throttle.admit(id(50), at(later), at(later)),
                Err(Throttled::Locked)
            );
        }
        assert_eq!(throttle.unconfirmed(), LOCKED_AT);
    }

    #[test]
    fn a_confirmation_forgives_its_evaluation_and_those_before_it() {
        let (mut throttle, now) = after(8);

        assert_eq!(throttle.confirm(&id(5)), Ok(()));
        assert_eq!(throttle.unconfirmed(), 2);
        assert_eq!(throttle.confirm(&id(5)), Err(NotPending));
        assert_eq!(throttle.confirm(&id(4)), Err(NotPending));
        assert_eq!(throttle.admit(id(8), at(now + 1), at(now + 1)), Ok(()));
    }

    #[test]
    fn a_request_is_served_once_and_within_two_minutes() {
        let (mut throttle, now) = after(1);
        let try_at = |throttle: &Throttle, requested, now| {
            throttle.clone().admit(id(9), at(requested), at(now))
        };

        assert_eq!(try_at(&throttle, now, now + 1), Err(Throttled::Stale));
        assert_eq!(try_at(&throttle, now + 1, now + 1), Ok(()));
        assert_eq!(try_at(&throttle, now + 1, now + 120_001), Ok(()));
        assert_eq!(
            try_at(&throttle, now + 1, now + 120_002),
            Err(Throttled::Stale)
        );
        assert_eq!(try_at(&throttle, now + 120_001, now + 1), Ok(()));
        assert_eq!(
            try_at(&throttle, now + 120_002, now + 1),
            Err(Throttled::Stale)
        );
        let before = throttle.clone();
        assert_eq!(
            throttle.admit(id(9), at(now), at(now)),
            Err(Throttled::Stale)
        );
        assert_eq!(throttle, before, "what is refused counts nothing");
    }

    #[test]
    fn a_clock_that_was_set_back_costs_one_wait() {
        let mut throttle = Throttle::default();
        for number in 0..5 {
            let wrong = 10 * WAIT_MS_MAX + u64::try_from(number).unwrap();
            throttle.admit(id(number), at(wrong), at(wrong)).unwrap();
        }
        throttle.last_request = Some(at(0));

        let wait_ms = WAIT_MS;
        assert_eq!(
            throttle.admit(id(5), at(1), at(1)),
            Err(Throttled::Wait { wait_ms })
        );
        assert_eq!(
            throttle.admit(id(5), at(1 + WAIT_MS), at(1 + WAIT_MS)),
            Ok(())
        );
    }

    #[test]
    fn the_state_is_stored_whole_and_parsed_strictly() {
        let (throttle, _) = after(7);
        let bytes = throttle.encode();

        assert_eq!(Throttle::parse(&bytes), Ok(throttle));
        assert_eq!(
            Throttle::parse(&Throttle::default().encode()),
            Ok(Throttle::default())
        );
        for length in 0..bytes.len() {
            Throttle::parse(&bytes[..length]).unwrap_err();
        }
        Throttle::parse(&[bytes.as_slice(), &[0]].concat()).unwrap_err();
        Throttle::parse(&[51; 51 * 32 + 17]).unwrap_err();
    }
}
