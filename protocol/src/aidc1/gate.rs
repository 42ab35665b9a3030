//! What a first message has to pass before anybody multiplies: its time, and that it is new.
//!
//! The gate holds no key. What it lets through is an [`Admitted`], nothing else makes one,
//! and only an [`Admitted`] is answered; so no hello costs a multiplication before.

use std::collections::BTreeSet;

use super::message::Me5;
use super::{DELTA_MS, WINDOW};
use crate::error::{Failed, Reason};
use crate::freshness::Timestamp;

/// First messages remembered at most: two thousand a second for Δ, in some 30 MB.
pub const REMEMBERED_MAX: usize = 1 << 18;

/// The M1 of every Me5 that could still come again.
///
/// A message is remembered until T1 + Δ, the last moment at which its time admits it. A
/// full memory forgets nothing: an attacker who fills it must not thereby clear it.
#[derive(Debug)]
pub struct Gate {
    /// By M1.
    seen: BTreeSet<[u8; 32]>,
    /// The same by the time until which it is remembered.
    until: BTreeSet<(Timestamp, [u8; 32])>,
    /// No more than this many.
    room: usize,
}

impl Default for Gate {
    fn default() -> Self {
        Self::with_room_for(REMEMBERED_MAX)
    }
}

impl Gate {
    /// A gate that remembers at most so many first messages.
    pub const fn with_room_for(messages: usize) -> Self {
        Self {
            seen: BTreeSet::new(),
            until: BTreeSet::new(),
            room: messages,
        }
    }

    /// How many first messages are remembered now.
    pub fn remembered(&self) -> usize {
        self.seen.len()
    }

    /// Lets a first message through that is of this time and new.
    pub(super) fn admit(&mut self, me5: Me5, now: Timestamp) -> Result<Admitted, Failed> {
        if !WINDOW.admits(me5.t1, now) {
            return Err(Failed::because(Reason::Expired));
        }
        self.forget(now);
        if self.seen.contains(&me5.m1) {
            return Err(Failed::because(Reason::Replayed));
        }
        if self.seen.len() >= self.room {
            return Err(Failed::because(Reason::Full));
        }
        let until = Timestamp::from_millis(me5.t1.as_millis().saturating_add(DELTA_MS));
        self.seen.insert(me5.m1);
        self.until.insert((until, me5.m1));
        Ok(Admitted(me5))
    }

    /// Forgets what its time keeps out from now on.
    fn forget(&mut self, now: Timestamp) {
        while let Some((until, _)) = self.until.first()
            && *until < now
            && let Some((_, m1)) = self.until.pop_first()
        {
            self.seen.remove(&m1);
        }
    }
}

/// A first message that passed the gate: of this time, and not seen before. It has no
/// copy, so it is answered once.
#[derive(PartialEq, Eq, Debug)]
pub struct Admitted(Me5);

impl Admitted {
    /// The message.
    pub const fn message(&self) -> &Me5 {
        &self.0
    }

    /// The message, to be answered.
    pub(super) const fn into_message(self) -> Me5 {
        self.0
    }
}
