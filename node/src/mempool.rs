//! Transactions on their way to the ledger: checked once, bounded, cut fairly into batches.
//!
//! [`Mempool`] is the driver's and executor's handle, [`Submitter`] everybody else's. Both
//! share one pool behind a lock. A lock and not a task, because the driver must cut a batch
//! in the middle of a step; it is held for map operations only: never while a signature is
//! checked, never across an await, and no error leaves while it is held.

mod checked;
mod pool;
mod ticket;
mod verdicts;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use consensus::Pending;
use contract::batch::Memory;
use contract::{
    BlockTime, CheckedBatch, Genesis, Height, Outcome, Parameters, Root, SignedTransaction,
    TransactionHash,
};
use tokio::sync::{Notify, mpsc};

use crate::clock::Clock;
use crate::mempool::checked::Checked;
use crate::mempool::pool::{Limits, Pool};
use crate::mempool::verdicts::Verdicts;

pub use crate::mempool::ticket::{Committed, SubmitError, Ticket, Unsettled};

/// What the handles share.
#[derive(Debug)]
struct Shared {
    genesis: Arc<Genesis>,
    clock: Clock,
    pool: Mutex<Pool>,
    verdicts: Verdicts,
    checked: Mutex<Checked>,
    changed: Arc<Notify>,
}

/// The pool, as the driver and the executor see it.
#[derive(Debug, Clone)]
pub struct Mempool(Arc<Shared>);

/// The pool, as whoever submits transactions sees it.
#[derive(Debug, Clone)]
pub struct Submitter {
    shared: Arc<Shared>,
    /// Takes what was submitted here to the other members.
    outlet: mpsc::Sender<Arc<[u8]>>,
}

impl Mempool {
    /// An empty pool, and the way into it. What is submitted at this node goes to `outlet`
    /// once it is in the pool.
    pub fn new(
        genesis: Arc<Genesis>,
        clock: Clock,
        outlet: mpsc::Sender<Arc<[u8]>>,
    ) -> (Self, Submitter) {
        let pool = Pool::new(Limits::of(&genesis));
        let shared = Arc::new(Shared {
            genesis,
            clock,
            pool: Mutex::new(pool),
            verdicts: Verdicts::default(),
            checked: Mutex::default(),
            changed: Arc::default(),
        });
        let submitter = Submitter {
            shared: Arc::clone(&shared),
            outlet,
        };
        (Self(shared), submitter)
    }

    /// Wakes whoever waits when something was added or executed.
    pub fn changed(&self) -> Arc<Notify> {
        Arc::clone(&self.0.changed)
    }

    /// What the replica's request timer runs for.
    pub fn pending(&self) -> Pending {
        let now = self.0.now();
        let mut pool = self.0.pool();
        pool.expire(now);
        pool.pending()
    }

    /// The oldest transaction that is not executed.
    pub fn oldest(&self) -> Option<Arc<[u8]>> {
        self.0.pool().oldest_bytes()
    }

    /// The oldest transactions that are not executed, as many as have `bytes_max` bytes.
    pub fn waiting(&self, bytes_max: usize) -> Vec<Arc<[u8]>> {
        self.0.pool().waiting(bytes_max)
    }

    /// How many transactions wait, and their bytes.
    pub fn size(&self) -> (usize, usize) {
        self.0.pool().size()
    }

    /// A batch with this time of at most `bytes_max` bytes; `None` if nothing waits.
    pub fn cut(&self, bytes_max: usize, time: BlockTime) -> Option<Vec<u8>> {
        let mut pool = self.0.pool();
        let bytes_max = bytes_max.min(pool.batch_bytes_max());
        let transactions = pool.cut(bytes_max, time);
        drop(pool);
        if transactions.is_empty() {
            return None;
        }
        let (batch, bytes) = CheckedBatch::assemble(time, transactions);
        self.0.checked().keep(batch);
        Some(bytes)
    }

    /// A batch with this time, but only if what waits fills one.
    pub fn cut_full(&self, bytes_max: usize, time: BlockTime) -> Option<Vec<u8>> {
        let pool = self.0.pool();
        let bytes_max = bytes_max.min(pool.batch_bytes_max());
        let full = pool.fills(bytes_max);
        drop(pool);
        full.then(|| self.cut(bytes_max, time)).flatten()
    }

    /// The batch with this digest as it was checked or cut here, given away.
    pub fn take_checked(&self, digest: &Root) -> Option<CheckedBatch> {
        self.0.checked().take(digest)
    }

    /// The replica keeps a proposal with this batch: its transactions are not cut here meanwhile. A proposal that it did
    /// not take must not keep them back, or a primary that proposes two things at once would have nobody propose them.
    pub fn proposed(&self, digest: &Root) {
        let checked = self.0.checked();
        let Some(batch) = checked.get(digest) else {
            return;
        };
        let mut pool = self.0.pool();
        for transaction in batch.transactions() {
            pool.propose(transaction.hash());
        }
    }

    /// A view change dropped this batch: its transactions wait again, also where they
    /// were not known before.
    pub fn returned(&self, batch: &[u8]) {
        let Ok(checked) = CheckedBatch::certified(batch, &self.0.genesis) else {
            return;
        };
        for transaction in checked.transactions() {
            let here = self.0.pool().requeue(transaction.hash());
            if !here {
                // Refused for room or time: its author has to send it again.
                drop(self.0.admit(transaction));
            }
        }
        self.0.changed.notify_one();
    }

    /// An epoch has ended: nothing is proposed any more, and everything that is not executed waits again, as far as
    /// the rules of the next one allow it.
    pub fn enter(&self, rules: &Parameters) {
        let mut pool = self.0.pool();
        pool.requeue_all();
        pool.govern(rules);
        drop(pool);
        self.0.changed.notify_one();
    }

    /// A block was executed: its transactions leave the pool.
    pub fn executed(
        &self,
        height: Height,
        time: BlockTime,
        transactions: impl IntoIterator<Item = (TransactionHash, Outcome)>,
    ) {
        self.0.pool().executed(height, time, transactions);
        self.0.changed.notify_one();
    }

    /// The certificate of a block is stored: tickets up to it are settled.
    pub fn certified(&self, height: Height) {
        self.0.pool().certified(height);
    }
}

impl Submitter {
    /// Takes a transaction into the pool and sends it to the other members. Its signatures
    /// are checked on a thread for such work. For one that waits already, here is another
    /// ticket.
    pub async fn submit(&self, bytes: Arc<[u8]>) -> Result<Ticket, SubmitError> {
        let shared = Arc::clone(&self.shared);
        let copy = Arc::clone(&bytes);
        let admitted = tokio::task::spawn_blocking(move || {
            let transaction = SignedTransaction::decode(copy)?;
            let fresh = shared.admit(&transaction)?;
            let ticket = shared.pool().ticket(*transaction.hash());
            Ok::<_, SubmitError>((fresh, ticket))
        });
        let (fresh, ticket) = match admitted.await {
            Ok(admitted) => admitted?,
            Err(_cancelled) => return Err(SubmitError::Stopping),
        };
        if fresh && self.outlet.send(bytes).await.is_err() {
            return Err(SubmitError::Stopping);
        }
        Ok(ticket)
    }

    /// The same for one that this node signed, and in which it found every signature good: nothing is
    /// checked again.
    pub async fn submit_checked(
        &self,
        transaction: SignedTransaction,
    ) -> Result<Ticket, SubmitError> {
        self.shared.verdicts.note(*transaction.hash());
        let fresh = self.shared.admit(&transaction)?;
        let ticket = self.shared.pool().ticket(*transaction.hash());
        if fresh && self.outlet.send(transaction.shared()).await.is_err() {
            return Err(SubmitError::Stopping);
        }
        Ok(ticket)
    }

    /// Takes in a transaction that another member sent. Checks signatures on this thread.
    /// True if it was new.
    pub fn gossiped(&self, bytes: Vec<u8>) -> Result<bool, SubmitError> {
        let transaction = SignedTransaction::decode(bytes)?;
        self.shared.admit(&transaction)
    }

    /// A proposal passed the vote-time check: neither it nor its transactions are read or checked again.
    pub fn passed(&self, batch: CheckedBatch) {
        for transaction in batch.transactions() {
            self.shared.verdicts.note(*transaction.hash());
        }
        self.shared.checked().keep(batch);
    }

    /// How many transactions wait, and their bytes.
    pub fn size(&self) -> (usize, usize) {
        self.shared.pool().size()
    }
}

impl Memory for Submitter {
    /// Waits for a check that is under way.
    fn is_good(&self, hash: &TransactionHash) -> bool {
        self.shared.verdicts.is_good(hash)
    }

    fn held(&self, hash: &TransactionHash) -> Option<SignedTransaction> {
        self.shared.pool().held(hash)
    }
}

impl Shared {
    fn checked(&self) -> MutexGuard<'_, Checked> {
        self.checked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pool(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> BlockTime {
        BlockTime::new(self.clock.wall_ms())
    }

    /// Checks a transaction, once, and takes it in. False if it waits here already.
    fn admit(&self, transaction: &SignedTransaction) -> Result<bool, SubmitError> {
        let now = self.now();
        // Before the signatures, which are the expensive part.
        if !self.pool().admits(transaction, now)? {
            return Ok(false);
        }
        self.verdicts
            .judge(transaction.hash(), || transaction.check_signatures())
            .map_err(SubmitError::Invalid)?;
        let mut pool = self.pool();
        let fresh = pool.admits(transaction, now)?;
        if fresh {
            pool.insert(transaction, self.clock.now());
        }
        drop(pool);
        if fresh {
            self.changed.notify_one();
        }
        Ok(fresh)
    }
}
