//! How many handshakes one source may start: a bucket of tokens for each prefix, in a bounded table.

use std::{collections::BTreeMap, net::IpAddr};

use super::limits::{HANDSHAKE_BURST, HANDSHAKES_PER_SECOND, SOURCES};

/// Tokens are counted in thousandths, so that one millisecond adds whole ones.
const TOKEN: u64 = 1_000;

/// Where a request comes from, as far as the limit cares: an IPv4 address, or /56 of an IPv6 one.
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

/// One source's tokens, as of a moment.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    /// Thousandths of tokens left.
    tokens: u64,
    /// When they were counted, in monotonic milliseconds.
    at_ms: u64,
}

/// The table of sources.
#[derive(Debug, Default)]
pub struct Sources {
    /// By prefix.
    buckets: BTreeMap<Source, Bucket>,
}

impl Sources {
    /// Takes a token, or says after how many seconds there will be one.
    pub fn admit(&mut self, source: Source, now_ms: u64) -> Result<(), u64> {
        if self.buckets.len() >= SOURCES && !self.buckets.contains_key(&source) {
            self.forget(now_ms);
        }
        let full = HANDSHAKE_BURST.saturating_mul(TOKEN);
        let bucket = self.buckets.entry(source).or_insert(Bucket {
            tokens: full,
            at_ms: now_ms,
        });
        let earned = now_ms
            .saturating_sub(bucket.at_ms)
            .saturating_mul(HANDSHAKES_PER_SECOND);
        bucket.tokens = bucket.tokens.saturating_add(earned).min(full);
        bucket.at_ms = now_ms;
        match bucket.tokens.checked_sub(TOKEN) {
            Some(left) => {
                bucket.tokens = left;
                Ok(())
            }
            None => Err(1),
        }
    }

    /// Drops sources whose buckets are full again, and the one idle longest when none is.
    fn forget(&mut self, now_ms: u64) {
        let refill_ms = HANDSHAKE_BURST
            .saturating_mul(TOKEN)
            .div_euclid(HANDSHAKES_PER_SECOND);
        self.buckets
            .retain(|_, bucket| now_ms.saturating_sub(bucket.at_ms) < refill_ms);
        if self.buckets.len() >= SOURCES {
            let idlest = self
                .buckets
                .iter()
                .min_by_key(|(_, bucket)| bucket.at_ms)
                .map(|(source, _)| *source);
            if let Some(source) = idlest {
                self.buckets.remove(&source);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Source::of(text.parse().unwrap())
    }

    #[test]
    fn a_source_gets_its_burst_and_then_ten_a_second() {
        let mut sources = Sources::default();
        let one = source("192.0.2.1");

        let at_once = (0..100).filter(|_| sources.admit(one, 0).is_ok()).count();
        assert_eq!(at_once, 20);
        assert_eq!(sources.admit(one, 99), Err(1));
        assert_eq!(sources.admit(one, 100), Ok(()));
        let in_a_second = (0..100)
            .filter(|_| sources.admit(one, 1_100).is_ok())
            .count();
        assert_eq!(in_a_second, 10);
    }

    #[test]
    fn another_source_is_not_held_back() {
        let mut sources = Sources::default();
        while sources.admit(source("192.0.2.1"), 0).is_ok() {}

        assert_eq!(sources.admit(source("192.0.2.2"), 0), Ok(()));
    }

    #[test]
    fn all_addresses_of_a_home_network_are_one_source() {
        assert_eq!(source("2001:db8:0:ff00::1"), source("2001:db8:0:ffff:1::2"));
        assert_ne!(source("2001:db8:0:ff00::1"), source("2001:db8:1:0::1"));
        assert_eq!(source("::ffff:192.0.2.1"), source("192.0.2.1"));
    }

    #[test]
    fn the_table_never_grows_beyond_its_limit() {
        let mut sources = Sources::default();
        for number in 0..u32::try_from(SOURCES).unwrap() + 50 {
            let address = std::net::Ipv4Addr::from(number);
            assert_eq!(sources.admit(Source::of(address.into()), 5), Ok(()));
        }

        assert_eq!(sources.buckets.len(), SOURCES);
    }
}
