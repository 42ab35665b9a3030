//! Cookies of the explorer: made from a token, forgotten when idle or when the node stops.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::Role;

/// Name of the cookie. Over TLS browsers enforce what the prefix promises: this host, this path, TLS only.
pub const COOKIE: &str = "__Host-aidchain";
/// A cookie not used for this long is forgotten.
pub const IDLE_MS: u64 = 15 * 60_000;
/// Cookies alive at once.
const COOKIES: usize = 1_024;

/// One signed-in browser.
#[derive(Clone, Copy, Debug)]
struct Visit {
    /// What it may see.
    role: Role,
    /// When it was last heard of.
    seen_ms: u64,
}

/// The signed-in browsers, by the hash of their cookie: a lookup by hash leaks nothing of the cookie itself.
#[derive(Debug, Default)]
pub struct Cookies {
    /// By hash.
    visits: BTreeMap<[u8; 32], Visit>,
}

impl Cookies {
    /// A new cookie's value, or nothing when the system gives no random numbers.
    pub fn open(&mut self, role: Role, now_ms: u64) -> Option<Zeroizing<String>> {
        self.visits
            .retain(|_, visit| now_ms.saturating_sub(visit.seen_ms) < IDLE_MS);
        if self.visits.len() >= COOKIES {
            let idlest = self
                .visits
                .iter()
                .min_by_key(|(_, visit)| visit.seen_ms)
                .map(|(hash, _)| *hash)?;
            self.visits.remove(&idlest);
        }
        let mut secret = Zeroizing::new([0_u8; 32]);
        getrandom::fill(secret.as_mut()).ok()?;
        let value = Zeroizing::new(hex::encode(secret.as_ref()));
        self.visits.insert(
            hash(&value),
            Visit {
                role,
                seen_ms: now_ms,
            },
        );
        Some(value)
    }

    /// What the bearer of this cookie may see; being seen keeps it alive.
    pub fn role(&mut self, value: &str, now_ms: u64) -> Option<Role> {
        let visit = self.visits.get_mut(&hash(value))?;
        if now_ms.saturating_sub(visit.seen_ms) >= IDLE_MS {
            return None;
        }
        visit.seen_ms = now_ms;
        Some(visit.role)
    }

    /// Signs a browser out.
    pub fn close(&mut self, value: &str) {
        self.visits.remove(&hash(value));
    }
}

/// What is kept of a cookie.
fn hash(value: &str) -> [u8; 32] {
    Sha256::new()
        .chain_update(b"aidchain/access-cookie\0")
        .chain_update(value)
        .finalize()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_lives_as_long_as_it_is_used() {
        let mut cookies = Cookies::default();
        let value = cookies.open(Role::Auditor, 0).unwrap();

        assert_eq!(cookies.role(&value, IDLE_MS - 1), Some(Role::Auditor));
        assert_eq!(cookies.role(&value, 2 * IDLE_MS - 2), Some(Role::Auditor));
        assert_eq!(cookies.role(&value, 3 * IDLE_MS - 2), None);
    }

    #[test]
    fn a_closed_cookie_and_a_guessed_one_are_nobody() {
        let mut cookies = Cookies::default();
        let value = cookies.open(Role::Viewer, 0).unwrap();
        cookies.close(&value);

        assert_eq!(cookies.role(&value, 1), None);
        assert_eq!(cookies.role("00", 1), None);
    }

    #[test]
    fn the_table_is_bounded_and_the_idlest_goes_first() {
        let mut cookies = Cookies::default();
        let first = cookies.open(Role::Viewer, 0).unwrap();
        let second = cookies.open(Role::Viewer, 1).unwrap();
        for at in 2..=u64::try_from(COOKIES).unwrap() {
            cookies.open(Role::Viewer, at).unwrap();
        }

        assert_eq!(cookies.visits.len(), COOKIES);
        assert_eq!(cookies.role(&first, 5), None);
        assert_eq!(cookies.role(&second, 5), Some(Role::Viewer));
    }
}
