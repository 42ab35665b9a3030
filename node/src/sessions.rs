//! What a client may ask about later: sign-ins and registrations on their way, bounded and expiring.

pub mod handshakes;

use std::collections::{BTreeMap, VecDeque};

use crate::http::limits::{PENDING, PENDING_MS};

/// Keys that were handed out and are not on the ledger yet.
#[derive(Debug)]
pub struct Pending<K> {
    /// When each expires, in wall milliseconds.
    expiry: BTreeMap<K, u64>,
    /// The same keys, oldest first.
    order: VecDeque<K>,
}

/// The table holds as many as it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{PENDING} sign-ins or registrations are waiting for the ledger already")]
pub struct Full;

impl<K> Default for Pending<K> {
    fn default() -> Self {
        Self {
            expiry: BTreeMap::new(),
            order: VecDeque::new(),
        }
    }
}

impl<K: Copy + Ord> Pending<K> {
    /// Remembers a key until it is on the ledger or can no more get there.
    pub fn insert(&mut self, key: K, now_ms: u64) -> Result<(), Full> {
        self.expire(now_ms);
        if self.order.len() >= PENDING {
            return Err(Full);
        }
        if self
            .expiry
            .insert(key, now_ms.saturating_add(PENDING_MS))
            .is_none()
        {
            self.order.push_back(key);
        }
        Ok(())
    }

    /// Whether the key may still appear on the ledger.
    pub fn contains(&self, key: &K, now_ms: u64) -> bool {
        self.expiry.get(key).is_some_and(|expiry| *expiry > now_ms)
    }

    /// Drops what can no more get onto the ledger; what got there drops with it, a little late.
    fn expire(&mut self, now_ms: u64) {
        while let Some(oldest) = self.order.front() {
            if self.contains(oldest, now_ms) {
                break;
            }
            self.expiry.remove(oldest);
            self.order.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_known_until_it_expires() {
        let mut pending = Pending::default();
        pending.insert(7_u64, 1_000).unwrap();

        assert!(pending.contains(&7, 1_000 + PENDING_MS - 1));
        assert!(!pending.contains(&7, 1_000 + PENDING_MS));
        assert!(!pending.contains(&8, 1_000));
    }

    #[test]
    fn a_full_table_refuses_until_something_expires() {
        let mut pending = Pending::default();
        for key in 0..PENDING {
            pending.insert(key, 0).unwrap();
        }

        assert_eq!(pending.insert(PENDING, 1), Err(Full));
        assert_eq!(pending.insert(PENDING, PENDING_MS), Ok(()));
        assert_eq!(pending.order.len(), 1);
    }
}
