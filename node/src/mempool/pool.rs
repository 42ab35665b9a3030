//! What waits: bounded, deduplicated, fair to authors. A plain structure; [`super::Mempool`] owns it.

mod limits;
mod turns;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use consensus::{Pending, Time};
use contract::batch::{BATCH_ENTRY_BYTES, BATCH_FRAME_BYTES};
use contract::{
    Author, BlockTime, Height, Outcome, Parameters, SignedTransaction, TransactionHash,
};
use tokio::sync::oneshot;

use crate::mempool::ticket::{Committed, SubmitError, Ticket};

use limits::Load;
use turns::{Room, Turns};

pub(super) use limits::Limits;

/// When a refused client should come again.
const RETRY_AFTER_MS: u64 = 250;

/// Executed transactions that are remembered, so that late copies do not come in again.
const LANDED_MAX: usize = 65_536;

/// A transaction that is not executed yet.
#[derive(Debug)]
struct Entry {
    transaction: SignedTransaction,
    bytes: usize,
    author: Author,
    valid_until: BlockTime,
    results: usize,
    arrival: u64,
    since: Time,
    /// False while it is in a proposal that is under way.
    queued: bool,
}

impl Entry {
    /// Octets that it takes in a batch.
    const fn length(&self) -> usize {
        self.bytes.saturating_add(BATCH_ENTRY_BYTES)
    }
}

/// An executed transaction.
#[derive(Debug)]
struct Landed {
    height: Height,
    index: u32,
    outcome: Outcome,
}

/// The pool.
#[derive(Debug)]
pub(super) struct Pool {
    limits: Limits,
    entries: BTreeMap<TransactionHash, Entry>,
    /// Every entry in order of arrival.
    arrivals: BTreeMap<u64, TransactionHash>,
    /// The entries that may be proposed, by author, in order of arrival.
    queues: BTreeMap<Author, BTreeSet<u64>>,
    queued_bytes: usize,
    queued_results: usize,
    expiries: BTreeSet<(BlockTime, TransactionHash)>,
    total: Load,
    shares: BTreeMap<Author, Load>,
    /// Whose turn it is.
    turns: Turns,
    next_arrival: u64,
    executed: u64,
    certified: Height,
    landed: BTreeMap<TransactionHash, Landed>,
    landed_order: VecDeque<TransactionHash>,
    waiting: BTreeMap<TransactionHash, Vec<oneshot::Sender<Committed>>>,
    /// Executed ones that somebody waits for, until their block is certified.
    uncertified: BTreeMap<Height, Vec<TransactionHash>>,
}

impl Pool {
    /// An empty pool.
    pub(super) const fn new(limits: Limits) -> Self {
        Self {
            limits,
            entries: BTreeMap::new(),
            arrivals: BTreeMap::new(),
            queues: BTreeMap::new(),
            queued_bytes: 0,
            queued_results: 0,
            expiries: BTreeSet::new(),
            total: Load::NONE,
            shares: BTreeMap::new(),
            turns: Turns::new(),
            next_arrival: 1,
            executed: 0,
            certified: Height::new(0),
            landed: BTreeMap::new(),
            landed_order: VecDeque::new(),
            waiting: BTreeMap::new(),
            uncertified: BTreeMap::new(),
        }
    }

    /// Another epoch begins, with these rules. What they forbid goes: every member would refuse a batch with it, and
    /// nobody could ever propose another one.
    pub(super) fn govern(&mut self, rules: &Parameters) {
        self.limits.replace(rules);
        let forbidden = self.entries.values().map(|entry| &entry.transaction);
        let forbidden = forbidden.filter(|waiting| self.limits.allow(waiting).is_err());
        let forbidden: Vec<_> = forbidden.map(|waiting| *waiting.hash()).collect();
        for hash in &forbidden {
            self.remove(hash);
            self.waiting.remove(hash);
        }
    }

    /// Longest batch.
    pub(super) fn batch_bytes_max(&self) -> usize {
        self.limits.batch_bytes()
    }

    /// Whether a transaction could come in now: limits, time, room, not on the ledger. True if it
    /// is new, false if it waits here already.
    pub(super) fn admits(
        &self,
        transaction: &SignedTransaction,
        now: BlockTime,
    ) -> Result<bool, SubmitError> {
        let hash = transaction.hash();
        if let Some(landed) = self.landed.get(hash) {
            if landed.height <= self.certified {
                return Err(SubmitError::AlreadyKnown {
                    height: landed.height,
                    index: landed.index,
                });
            }
            return Ok(false);
        }
        if self.entries.contains_key(hash) {
            return Ok(false);
        }
        self.limits
            .allow(transaction)
            .map_err(SubmitError::Invalid)?;
        let valid_until = transaction.transaction().valid_until();
        if valid_until < now {
            return Err(SubmitError::Expired {
                late_ms: now.get().saturating_sub(valid_until.get()),
            });
        }
        if valid_until > now.plus_ms(self.limits.window_ms()) {
            return Err(SubmitError::TooFarAhead { valid_until });
        }
        let bytes = transaction.as_bytes().len();
        let retry_after_ms = RETRY_AFTER_MS;
        if self.limits.pool().is_exceeded_by(self.total.with(bytes)) {
            return Err(SubmitError::Full { retry_after_ms });
        }
        let share = self.shares.get(transaction.author()).copied();
        let share = share.unwrap_or_default().with(bytes);
        if self.limits.share().is_exceeded_by(share) {
            return Err(SubmitError::OverShare { retry_after_ms });
        }
        Ok(true)
    }

    /// Takes in a transaction that [`Self::admits`] and whose signatures are good.
    pub(super) fn insert(&mut self, transaction: &SignedTransaction, since: Time) {
        let hash = *transaction.hash();
        let author = *transaction.author();
        let bytes = transaction.as_bytes().len();
        let arrival = self.next_arrival;
        self.next_arrival = arrival.saturating_add(1);
        self.total = self.total.with(bytes);
        let share = self.shares.entry(author).or_default();
        *share = share.with(bytes);
        let valid_until = transaction.transaction().valid_until();
        self.expiries.insert((valid_until, hash));
        self.arrivals.insert(arrival, hash);
        let entry = Entry {
            transaction: transaction.clone(),
            bytes,
            author,
            valid_until,
            results: transaction.call().result_count().max(1),
            arrival,
            since,
            queued: false,
        };
        self.entries.insert(hash, entry);
        self.queue(&hash);
    }

    /// A transaction that is here and not executed.
    pub(super) fn held(&self, hash: &TransactionHash) -> Option<SignedTransaction> {
        let entry = self.entries.get(hash)?;
        Some(entry.transaction.clone())
    }

    /// Somebody waits for a transaction that is here or was executed.
    pub(super) fn ticket(&mut self, hash: TransactionHash) -> Ticket {
        let (sender, settled) = oneshot::channel();
        let landed = self.landed.get(&hash).map(|landed| landed.height);
        if landed.is_some() || self.entries.contains_key(&hash) {
            self.waiting.entry(hash).or_default().push(sender);
        }
        if let Some(height) = landed {
            self.uncertified.entry(height).or_default().push(hash);
            self.certified(self.certified);
        }
        Ticket { hash, settled }
    }

    /// Puts an entry that may be proposed into its author's queue.
    fn queue(&mut self, hash: &TransactionHash) {
        let Some(entry) = self.entries.get_mut(hash).filter(|entry| !entry.queued) else {
            return;
        };
        entry.queued = true;
        self.queued_bytes = self.queued_bytes.saturating_add(entry.length());
        self.queued_results = self.queued_results.saturating_add(entry.results);
        self.queues
            .entry(entry.author)
            .or_default()
            .insert(entry.arrival);
    }

    /// Takes an entry out of its author's queue: it is in a proposal.
    pub(super) fn propose(&mut self, hash: &TransactionHash) {
        let Some(entry) = self.entries.get_mut(hash).filter(|entry| entry.queued) else {
            return;
        };
        entry.queued = false;
        self.queued_bytes = self.queued_bytes.saturating_sub(entry.length());
        self.queued_results = self.queued_results.saturating_sub(entry.results);
        if let Some(queue) = self.queues.get_mut(&entry.author) {
            queue.remove(&entry.arrival);
            if queue.is_empty() {
                self.queues.remove(&entry.author);
                self.turns.forget(&entry.author);
            }
        }
    }

    /// A view change dropped a proposal: its transactions may be proposed again, at the
    /// place in the queue that they had. True if the transaction is here.
    pub(super) fn requeue(&mut self, hash: &TransactionHash) -> bool {
        self.queue(hash);
        self.entries.contains_key(hash) || self.landed.contains_key(hash)
    }

    /// Everything may be proposed again, at the place in the queue that it had.
    pub(super) fn requeue_all(&mut self) {
        let proposed = self.entries.iter().filter(|(_, entry)| !entry.queued);
        let proposed: Vec<_> = proposed.map(|(hash, _)| *hash).collect();
        for hash in &proposed {
            self.queue(hash);
        }
    }

    /// Removes a transaction, whatever its state.
    fn remove(&mut self, hash: &TransactionHash) {
        self.propose(hash);
        let Some(entry) = self.entries.remove(hash) else {
            return;
        };
        self.arrivals.remove(&entry.arrival);
        self.expiries.remove(&(entry.valid_until, *hash));
        self.total = self.total.without(entry.bytes);
        if let Some(share) = self.shares.get_mut(&entry.author) {
            *share = share.without(entry.bytes);
            if share.transactions == 0 {
                self.shares.remove(&entry.author);
            }
        }
    }

    /// Whether what may be proposed fills a batch.
    pub(super) fn fills(&self, bytes_max: usize) -> bool {
        self.queued_results >= self.limits.batch_results()
            || self.queued_bytes.saturating_add(BATCH_FRAME_BYTES) >= bytes_max
    }

    /// Takes transactions for a batch: of the authors in turn, equally many octets of each as long as it has as many,
    /// in order of arrival.
    pub(super) fn cut(&mut self, bytes_max: usize, now: BlockTime) -> Vec<SignedTransaction> {
        self.expire(now);
        let mut room = Room {
            bytes: bytes_max.saturating_sub(BATCH_FRAME_BYTES),
            results: self.limits.batch_results(),
        };
        let mut batch = Vec::new();
        let mut done: BTreeSet<Author> = BTreeSet::new();
        while let Some((author, mut turn)) = self.turns.next(&self.queues, &done) {
            while turn > 0 {
                let fits = self.head(&author).and_then(|(hash, entry)| {
                    let left = room.without(entry.length(), entry.results)?;
                    Some((hash, entry, left))
                });
                let Some((hash, entry, left)) = fits else {
                    done.insert(author);
                    break;
                };
                let length = entry.length();
                batch.push(entry.transaction.clone());
                self.turns.charge(author, length.saturating_sub(turn));
                self.propose(&hash);
                turn = turn.saturating_sub(length);
                room = left;
            }
        }
        batch
    }

    /// The first transaction in an author's queue.
    fn head(&self, author: &Author) -> Option<(TransactionHash, &Entry)> {
        let arrival = self.queues.get(author)?.first()?;
        let hash = self.arrivals.get(arrival)?;
        Some((*hash, self.entries.get(hash)?))
    }

    /// Drops queued transactions whose time is over for good: no honest member proposes
    /// them any more. One in a proposal stays until that is decided.
    pub(super) fn expire(&mut self, now: BlockTime) {
        let limit = now.minus_ms(self.limits.grace_ms());
        let dead: Vec<TransactionHash> = self
            .expiries
            .iter()
            .take_while(|(valid_until, _)| *valid_until < limit)
            .map(|(_, hash)| *hash)
            .filter(|hash| self.entries.get(hash).is_some_and(|entry| entry.queued))
            .collect();
        for hash in dead {
            self.remove(&hash);
            self.waiting.remove(&hash);
        }
    }

    /// A block was executed: its transactions leave the pool.
    pub(super) fn executed(
        &mut self,
        height: Height,
        time: BlockTime,
        transactions: impl IntoIterator<Item = (TransactionHash, Outcome)>,
    ) {
        for (index, (hash, outcome)) in (0..).zip(transactions) {
            self.executed = self.executed.saturating_add(1);
            self.remove(&hash);
            if self.landed.contains_key(&hash) {
                continue;
            }
            if self.waiting.contains_key(&hash) {
                self.uncertified.entry(height).or_default().push(hash);
            }
            let landed = Landed {
                height,
                index,
                outcome,
            };
            self.landed.insert(hash, landed);
            self.landed_order.push_back(hash);
        }
        while self.landed_order.len() > LANDED_MAX {
            if let Some(oldest) = self.landed_order.pop_front() {
                self.landed.remove(&oldest);
            }
        }
        // Block time never goes back, so these would be refused in any later block.
        let dead: Vec<TransactionHash> = self
            .expiries
            .iter()
            .take_while(|(valid_until, _)| *valid_until < time)
            .map(|(_, hash)| *hash)
            .collect();
        for hash in dead {
            self.remove(&hash);
            self.waiting.remove(&hash);
        }
    }

    /// The certificate of a block is stored, and with it all blocks below are final.
    pub(super) fn certified(&mut self, height: Height) {
        self.certified = self.certified.max(height);
        while let Some(first) = self.uncertified.first_entry() {
            if *first.key() > height {
                return;
            }
            for hash in first.remove() {
                self.settle(&hash);
            }
        }
    }

    /// Tells all who wait for an executed transaction.
    fn settle(&mut self, hash: &TransactionHash) {
        let Some((waiting, landed)) = self.waiting.remove(hash).zip(self.landed.get(hash)) else {
            return;
        };
        for sender in waiting {
            // Whoever gave up waiting does not want to know.
            drop(sender.send(Committed {
                hash: *hash,
                height: landed.height,
                index: landed.index,
                outcome: landed.outcome.clone(),
            }));
        }
    }

    /// What the replica's request timer runs for.
    pub(super) fn pending(&self) -> Pending {
        let oldest = self.oldest();
        Pending {
            oldest: oldest.map(|entry| entry.arrival),
            since: oldest.map_or(Time::ZERO, |entry| entry.since),
            executed: self.executed,
        }
    }

    /// The bytes of the oldest transaction that is not executed.
    pub(super) fn oldest_bytes(&self) -> Option<Arc<[u8]>> {
        self.oldest().map(|entry| entry.transaction.shared())
    }

    /// The bytes of the oldest transactions that are not executed, `bytes_max` at most.
    pub(super) fn waiting(&self, bytes_max: usize) -> Vec<Arc<[u8]>> {
        let mut left = bytes_max;
        let entries = self
            .arrivals
            .values()
            .filter_map(|hash| self.entries.get(hash));
        entries
            .map_while(|entry| {
                left = left.checked_sub(entry.bytes)?;
                Some(entry.transaction.shared())
            })
            .collect()
    }

    /// The oldest transaction that is not executed.
    fn oldest(&self) -> Option<&Entry> {
        let (_, hash) = self.arrivals.first_key_value()?;
        self.entries.get(hash)
    }

    /// How many transactions wait, and their bytes.
    pub(super) const fn size(&self) -> (usize, usize) {
        (self.total.transactions, self.total.bytes)
    }
}
