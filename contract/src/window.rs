//! The replay window: what must not occur a second time, and who used how much.
//!
//! It is a function of the recent blocks alone, so a node rebuilds it from them
//! at start; no vote and no cache has a part in it.

use std::collections::{BTreeMap, BTreeSet};

use crate::hash;
use crate::identity::{Aid, BlockTime, ServerId, SessionId, TransactionHash};
use crate::outcome::{Outcome, Refused};
use crate::record::{AuthResult, LegacyResult};
use crate::recorded::{Claimed, claimed, recorded};
use crate::transaction::{Author, SignedTransaction};

/// As much of a hash as is kept; 2^64 work for a stranger to collide.
type Prefix = [u8; 16];

/// Parts of a table that are swept in turn, so that no block pays for all.
const SHARDS: u64 = 16;

/// A session as the window knows it: its number, and who had it with whom. The number alone
/// would not do. It is public as soon as it travels to the members, and another server with a
/// patient of its own could use it up first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Session(Prefix);

impl Session {
    fn new(sid: &SessionId, server: &ServerId, aid: &Aid) -> Self {
        let parts: [&[u8]; 3] = [sid.as_bytes(), server.as_bytes(), aid.as_bytes()];
        Self(prefix(&hash::labelled("aidchain/session", &parts)))
    }

    /// The session of a result.
    pub(crate) fn of(result: &AuthResult) -> Self {
        Self::new(&result.sid, &result.server_id, &result.aid)
    }

    /// The session of a result of the papers' suites.
    pub(crate) fn of_legacy(result: &LegacyResult) -> Self {
        Self::new(&result.sid, &result.server_id, &result.aid)
    }
}

/// What one block adds to the window.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Additions {
    /// Transactions in the block.
    transactions: BTreeSet<Prefix>,
    /// Sessions that it recorded.
    sessions: BTreeSet<Prefix>,
    /// Sessions that patients claimed in it.
    claims: BTreeSet<Prefix>,
    /// What each author used of its share.
    used: BTreeMap<Author, u64>,
}

/// Everything ordered within the window before the next block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Window {
    /// Transactions and the time of their block.
    transactions: Table,
    /// Sessions and the time of their block.
    sessions: Table,
    /// Claimed sessions and the time of their block.
    claims: Table,
    /// The second of block time that `used` is about.
    second: u64,
    /// What each author used in that second.
    used: BTreeMap<Author, u64>,
    /// Which part of the tables is swept next.
    turn: u64,
}

/// The window as the execution of one block sees it.
#[derive(Debug)]
pub(crate) struct WindowView<'a> {
    /// Before the block.
    window: &'a Window,
    /// What the block added so far.
    additions: Additions,
    /// The block's time.
    time: BlockTime,
    /// Entries of blocks before this time no longer count.
    since: BlockTime,
}

impl Window {
    /// The view of a block with this time.
    pub(crate) fn at(&self, time: BlockTime, window_ms: u64) -> WindowView<'_> {
        WindowView {
            window: self,
            additions: Additions::default(),
            time,
            since: time.minus_ms(window_ms),
        }
    }

    /// Takes in a block, and forgets what no later block can ask for.
    pub(crate) fn advance(&mut self, time: BlockTime, window_ms: u64, additions: &Additions) {
        let second = second_of(time);
        if second != self.second {
            let since = time.minus_ms(window_ms);
            self.transactions.sweep(self.turn, since);
            self.sessions.sweep(self.turn, since);
            self.claims.sweep(self.turn, since);
            self.turn = self.turn.wrapping_add(1);
            self.second = second;
            self.used.clear();
        }
        self.transactions.extend(&additions.transactions, time);
        self.sessions.extend(&additions.sessions, time);
        self.claims.extend(&additions.claims, time);
        for (author, units) in &additions.used {
            let used = self.used.entry(*author).or_default();
            *used = used.saturating_add(*units);
        }
    }

    /// Takes in a block that was executed before this node started.
    pub(crate) fn replay(
        &mut self,
        time: BlockTime,
        window_ms: u64,
        transactions: &[SignedTransaction],
        outcomes: &[Outcome],
    ) {
        let mut additions = Additions::default();
        for (transaction, outcome) in transactions.iter().zip(outcomes) {
            // A replayed one keeps the time of its first block.
            if *outcome != Outcome::Refused(Refused::Replayed) {
                let prefix = prefix(transaction.hash().as_bytes());
                additions.transactions.insert(prefix);
            }
            if outcome.was_called() {
                additions.charge(transaction);
            }
        }
        for result in recorded(transactions, outcomes) {
            let session = Session::new(result.sid(), result.server_id(), result.aid());
            additions.sessions.insert(session.0);
        }
        for claim in claimed(transactions, outcomes) {
            if let Claimed::Patient(result) = claim.claimed {
                additions.claims.insert(Session::of(result).0);
            }
        }
        self.advance(time, window_ms, &additions);
    }
}

impl WindowView<'_> {
    /// Notes a transaction; false if it is already within the window.
    pub(crate) fn note_transaction(&mut self, hash: &TransactionHash) -> bool {
        let prefix = prefix(hash.as_bytes());
        !self.window.transactions.holds(&prefix, self.since)
            && self.additions.transactions.insert(prefix)
    }

    /// Notes a session; false if it is already within the window.
    pub(crate) fn note_session(&mut self, session: &Session) -> bool {
        !self.has_session(session) && self.additions.sessions.insert(session.0)
    }

    /// Whether a session is within the window.
    pub(crate) fn has_session(&self, session: &Session) -> bool {
        self.window.sessions.holds(&session.0, self.since)
            || self.additions.sessions.contains(&session.0)
    }

    /// Notes that a patient claimed a session.
    pub(crate) fn note_claim(&mut self, session: &Session) {
        self.additions.claims.insert(session.0);
    }

    /// Whether a patient claimed a session within the window.
    pub(crate) fn is_claimed(&self, session: &Session) -> bool {
        self.window.claims.holds(&session.0, self.since)
            || self.additions.claims.contains(&session.0)
    }

    /// Charges a transaction to its author; false, and no charge, beyond `share` a second.
    pub(crate) fn charge(&mut self, transaction: &SignedTransaction, share: u64) -> bool {
        let author = transaction.author();
        let before = if second_of(self.time) == self.window.second {
            self.window.used.get(author).copied().unwrap_or(0)
        } else {
            0
        };
        let here = self.additions.used.get(author).copied().unwrap_or(0);
        let total = before
            .saturating_add(here)
            .saturating_add(units(transaction));
        if total > share {
            return false;
        }
        self.additions.charge(transaction);
        true
    }

    /// What the block added.
    pub(crate) fn into_additions(self) -> Additions {
        self.additions
    }
}

impl Additions {
    fn charge(&mut self, transaction: &SignedTransaction) {
        let used = self.used.entry(*transaction.author()).or_default();
        *used = used.saturating_add(units(transaction));
    }
}

/// Prefixes and the time of the block they were in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Table {
    /// By the first byte of the prefix, in [`SHARDS`] parts.
    shards: BTreeMap<u64, BTreeMap<Prefix, BlockTime>>,
}

impl Table {
    fn holds(&self, prefix: &Prefix, since: BlockTime) -> bool {
        let shard = self.shards.get(&shard_of(prefix));
        shard
            .and_then(|shard| shard.get(prefix))
            .is_some_and(|time| *time >= since)
    }

    fn extend(&mut self, prefixes: &BTreeSet<Prefix>, time: BlockTime) {
        for prefix in prefixes {
            let shard = self.shards.entry(shard_of(prefix)).or_default();
            shard.insert(*prefix, time);
        }
    }

    /// Forgets what is too old, in the part whose turn it is.
    fn sweep(&mut self, turn: u64, since: BlockTime) {
        if let Some(shard) = self.shards.get_mut(&(turn % SHARDS)) {
            shard.retain(|_prefix, time| *time >= since);
        }
    }
}

fn shard_of(prefix: &Prefix) -> u64 {
    let [first, ..] = prefix;
    u64::from(*first) % SHARDS
}

fn prefix(hash: &[u8; 32]) -> Prefix {
    let mut prefix = Prefix::default();
    for (to, from) in prefix.iter_mut().zip(hash) {
        *to = *from;
    }
    prefix
}

const fn second_of(time: BlockTime) -> u64 {
    time.get() / 1_000
}

/// What a transaction costs its author: each entry counts, any other call is one.
fn units(transaction: &SignedTransaction) -> u64 {
    let entries = transaction.call().entry_count().unwrap_or(1);
    u64::try_from(entries).unwrap_or(u64::MAX).max(1)
}
