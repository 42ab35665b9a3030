//! How many handshakes a node takes on: asked before anything of a request is read.

use core::net::IpAddr;
use std::collections::BTreeMap;

use thiserror::Error;

use crate::freshness::Timestamp;

/// Handshakes in flight at one node.
pub const IN_FLIGHT_MAX: usize = 64;
/// Handshakes per second from one source.
pub const PER_SECOND: u64 = 10;
/// Handshakes that a source may begin at once after a pause.
pub const BURST: u64 = 20;
/// Sources remembered.
pub const SOURCES_MAX: usize = 4_096;

/// Tokens are counted in thousandths, so that one millisecond adds whole ones.
const TOKEN: u64 = 1_000;
/// A bucket's size.
const FULL: u64 = BURST.saturating_mul(TOKEN);
/// How long an empty bucket takes to be full again.
const REFILL_MS: u64 = FULL.div_euclid(PER_SECOND);
/// What is told to whom there is no room for.
const RETRY_AFTER_S: u64 = 1;

/// Where a request comes from, as far as the limit cares: an IPv4 address, or /56 of an
/// IPv6 one, which is what one household gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source(u128);

impl Source {
    /// The prefix of an address.
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(v4) => Self(u128::from(u32::from(v4))),
            IpAddr::V6(v6) => Self(u128::from(v6) & !((1 << 72) - 1)),
        }
    }
}

/// There is no room now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("too many sign-ins at once; try again in {retry_after_s} s")]
pub struct Busy {
    /// After how many seconds to come again.
    pub retry_after_s: u64,
}

/// One source's tokens, as of a moment.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    tokens: u64,
    at: Timestamp,
}

/// Room for handshakes: so many in flight, so many a second from one source. Moments are
/// those of a clock that never goes back.
#[derive(Debug, Default)]
pub struct Limits {
    in_flight: usize,
    buckets: BTreeMap<Source, Bucket>,
}

/// The right to one handshake. It is given back to [`Limits::leave`].
#[derive(Debug)]
#[must_use = "a permit that is not given back is lost"]
pub struct Permit(());

impl Limits {
    /// Takes room for one handshake, or says when to come again.
    pub fn enter(&mut self, source: Source, now: Timestamp) -> Result<Permit, Busy> {
        let busy = Busy {
            retry_after_s: RETRY_AFTER_S,
        };
        if self.in_flight >= IN_FLIGHT_MAX || !self.take_token(source, now) {
            return Err(busy);
        }
        self.in_flight = self.in_flight.saturating_add(1);
        Ok(Permit(()))
    }

    /// The handshake is over, whatever came of it.
    pub fn leave(&mut self, permit: Permit) {
        drop(permit);
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// Whether this source had a token.
    fn take_token(&mut self, source: Source, now: Timestamp) -> bool {
        if self.buckets.len() >= SOURCES_MAX && !self.buckets.contains_key(&source) {
            self.forget(now);
        }
        let bucket = self.buckets.entry(source).or_insert(Bucket {
            tokens: FULL,
            at: now,
        });
        let earned = since(bucket.at, now).saturating_mul(PER_SECOND);
        bucket.tokens = bucket.tokens.saturating_add(earned).min(FULL);
        bucket.at = now;
        let left = bucket.tokens.checked_sub(TOKEN);
        bucket.tokens = left.unwrap_or(bucket.tokens);
        left.is_some()
    }

    /// Drops sources whose buckets are full again, and the one idle longest if none is.
    fn forget(&mut self, now: Timestamp) {
        self.buckets
            .retain(|_, bucket| since(bucket.at, now) < REFILL_MS);
        if self.buckets.len() >= SOURCES_MAX {
            let by_time = self.buckets.iter().min_by_key(|(_, bucket)| bucket.at);
            let idlest = by_time.map(|(source, _)| *source);
            idlest.and_then(|source| self.buckets.remove(&source));
        }
    }
}

/// Milliseconds from one moment to the next.
const fn since(before: Timestamp, now: Timestamp) -> u64 {
    now.as_millis().saturating_sub(before.as_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Source::of(text.parse().unwrap())
    }

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    /// How many of a hundred handshakes, each over at once, find room.
    fn hundred(limits: &mut Limits, source: Source, now: Timestamp) -> usize {
        let found = (0..100).filter(|_| match limits.enter(source, now) {
            Ok(permit) => {
                limits.leave(permit);
                true
            }
            Err(_busy) => false,
        });
        found.count()
    }

    #[test]
    fn a_source_gets_its_burst_and_then_ten_a_second() {
        let mut limits = Limits::default();
        let (one, other) = (source("192.0.2.1"), source("192.0.2.2"));

        assert_eq!(hundred(&mut limits, one, at(0)), 20);
        assert_eq!(hundred(&mut limits, other, at(0)), 20);
        assert_eq!(hundred(&mut limits, one, at(99)), 0);
        assert_eq!(hundred(&mut limits, one, at(100)), 1);
        assert_eq!(hundred(&mut limits, one, at(1_100)), 10);
    }

    #[test]
    fn the_sixty_fifth_handshake_waits_until_one_is_over() {
        let mut limits = Limits::default();
        let mut permits: Vec<Permit> = (0..64)
            .map(|host| Source::of(IpAddr::from([192, 0, 2, host])))
            .map(|source| limits.enter(source, at(0)).unwrap())
            .collect();
        let next = source("198.51.100.1");

        assert_eq!(limits.enter(next, at(0)).unwrap_err().retry_after_s, 1);
        limits.leave(permits.pop().unwrap());
        permits.push(limits.enter(next, at(0)).unwrap());
        assert_eq!(permits.len(), 64);
    }

    #[test]
    fn all_addresses_of_a_home_network_are_one_source() {
        assert_eq!(source("2001:db8:0:ff00::1"), source("2001:db8:0:ffff:1::2"));
        assert_ne!(source("2001:db8:0:ff00::1"), source("2001:db8:1:0::1"));
        assert_eq!(source("::ffff:192.0.2.1"), source("192.0.2.1"));
    }

    #[test]
    fn the_table_never_grows_beyond_its_limit() {
        let mut limits = Limits::default();
        for number in 0..u32::try_from(SOURCES_MAX).unwrap() + 50 {
            let address = core::net::Ipv4Addr::from(number);
            let permit = limits.enter(Source::of(address.into()), at(5)).unwrap();
            limits.leave(permit);
        }

        assert_eq!(limits.buckets.len(), SOURCES_MAX);
    }
}
