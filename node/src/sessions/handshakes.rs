//! Sign-ins between this node's answer and T3 + Δ: those that wait for the patient's last message, and those that had it.

use std::collections::{BTreeMap, BTreeSet};

use contract::{Aid, SessionId};
use protocol::aidc1::{DELTA_MS, Serving};
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;

/// Sign-ins that may wait for the patient at once, some 2 KB each.
pub const WAITING_MAX: usize = 4_096;
/// Sign-ins whose answers are kept at once.
pub const ANSWERED_MAX: usize = 65_536;

/// How long each is kept, from T3 on: a little longer than a confirmation counts, so that one that comes late hears so.
const KEPT_MS: u64 = DELTA_MS + 10_000;

/// What a confirmation brought about, once it is known.
pub type Conclusion<T> = watch::Receiver<Option<T>>;

/// Sign-ins by their session; `T` is what a confirmation brings about.
#[derive(Debug)]
pub struct Handshakes<T> {
    by_sid: BTreeMap<SessionId, Handshake<T>>,
    /// The same by the millisecond until which each is kept.
    until: BTreeSet<(u64, SessionId)>,
    waiting: usize,
}

#[derive(Debug)]
enum Handshake<T> {
    /// For the patient's last message.
    Waiting(Box<Serving>),
    /// It had the message with this hash.
    Confirmed([u8; 32], Conclusion<T>),
}

/// What a confirmation finds.
#[derive(Debug)]
pub enum Found<T> {
    /// A sign-in that waits for it. Whoever takes it says what came of it.
    First(Box<Serving>, watch::Sender<Option<T>>),
    /// The sign-in had the same message before.
    Again(Conclusion<T>),
    /// None: there never was one, its time is over, or it had another message.
    Nothing,
}

/// There is no room for one more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many sign-ins wait for their patients")]
pub struct NoRoom;

impl<T> Default for Handshakes<T> {
    fn default() -> Self {
        Self {
            by_sid: BTreeMap::new(),
            until: BTreeSet::new(),
            waiting: 0,
        }
    }
}

impl<T> Handshakes<T> {
    /// Whether one more can wait.
    pub fn has_room(&self) -> bool {
        self.waiting < WAITING_MAX && self.by_sid.len() < WAITING_MAX.saturating_add(ANSWERED_MAX)
    }

    /// Keeps a sign-in until its patient confirms it.
    pub fn insert(&mut self, serving: Serving) -> Result<(), NoRoom> {
        if !self.has_room() {
            return Err(NoRoom);
        }
        let sid = serving.session();
        let until = serving.answered().as_millis().saturating_add(KEPT_MS);
        let serving = Handshake::Waiting(Box::new(serving));
        if self.by_sid.insert(sid, serving).is_none() {
            self.until.insert((until, sid));
            self.waiting = self.waiting.saturating_add(1);
        }
        Ok(())
    }

    /// Whether a confirmation of this session has anything to find.
    pub fn knows(&self, sid: &SessionId) -> bool {
        self.by_sid.contains_key(sid)
    }

    /// The sign-in of a session, for a message. The first message ends its waiting, whatever comes of it.
    pub fn confirm(&mut self, sid: &SessionId, message: &[u8]) -> Found<T> {
        let hash: [u8; 32] = Sha256::digest(message).into();
        let Some(handshake) = self.by_sid.get_mut(sid) else {
            return Found::Nothing;
        };
        let (teller, conclusion) = watch::channel(None);
        let known = match handshake {
            Handshake::Confirmed(known, conclusion) if *known == hash => {
                return Found::Again(conclusion.clone());
            }
            Handshake::Confirmed(..) => return Found::Nothing,
            Handshake::Waiting(_) => {
                std::mem::replace(handshake, Handshake::Confirmed(hash, conclusion))
            }
        };
        self.waiting = self.waiting.saturating_sub(1);
        match known {
            Handshake::Waiting(serving) => Found::First(serving, teller),
            Handshake::Confirmed(..) => Found::Nothing,
        }
    }

    /// Forgets the sign-ins whose time is over; tells the AIDs of those that were never confirmed.
    pub fn expire(&mut self, now_ms: u64) -> Vec<Aid> {
        let mut silent = Vec::new();
        while let Some((until, sid)) = self.until.first().copied()
            && until < now_ms
        {
            self.until.remove(&(until, sid));
            if let Some(Handshake::Waiting(serving)) = self.by_sid.remove(&sid) {
                self.waiting = self.waiting.saturating_sub(1);
                silent.push(*serving.aid());
            }
        }
        silent
    }
}
