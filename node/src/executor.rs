//! Executes what was ordered, on a thread of its own: the only writer of state and store.
//!
//! The driver hands in ordered batches and certificates and hears back the hash of each
//! block's header. A batch is executed, its block written, and only then answered; the
//! certificate comes later, is written beside the block, moves the ledger's tip and settles
//! the tickets of those who wait.

mod divergence;
mod replay;
mod work;

use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, SyncSender};
use std::thread::{self, JoinHandle};

use consensus::{CheckpointCertificate, Digest, Divergence, EpochEnd, Seq};
use contract::{CannotExecute, Genesis, Header, Height, Unacceptable, genesis::PROTOCOL_VERSION};
use tracing::warn;

use crate::ledger::Ledger;
use crate::mempool::Mempool;
use crate::store::{Opened, Retain, Store, StoreError};

pub use crate::executor::divergence::{Mismatch, differing_roots};

/// The folder of the store in a member's home.
pub const FOLDER: &str = "ledger";

/// Commands that may wait: more than a replica ever has under way.
const COMMANDS: usize = 4_096;

/// Blocks whose hashes a recovering replica is told.
const NEWEST: u64 = consensus::WINDOW_MAX;

/// Why the executor ended. The node stops with this text.
#[derive(Debug, thiserror::Error)]
pub enum ExecutorError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The ledger's rules cannot be followed here.
    #[error(transparent)]
    Cannot(#[from] CannotExecute),
    /// A quorum ordered what no honest member votes for.
    #[error("block {height} was ordered but cannot be read: {why}")]
    BadBatch {
        /// The block.
        height: Height,
        /// What is wrong with it.
        why: Unacceptable,
    },
    /// A block came that does not follow the newest one.
    #[error("block {came} came to be executed where block {next} is next")]
    OutOfOrder {
        /// The block that is next.
        next: Height,
        /// The block that came.
        came: Height,
    },
    /// A certificate names another header than this node's.
    #[error("the certificate of block {height} is for another header than this node's")]
    OtherHeader {
        /// The block.
        height: Height,
    },
    /// The libraries under the state stopped in the middle of their work, as they do over a damaged database.
    #[error("the database under the ledger's state cannot be worked with: {what}")]
    Panicked {
        /// What they said.
        what: String,
    },
    /// The thread cannot be made.
    #[error("the executor's thread could not be started: {0}")]
    Thread(std::io::Error),
}

impl ExecutorError {
    /// Whether rebuilding the store is the way back.
    const fn is_damage(&self) -> bool {
        matches!(
            self,
            Self::Store(StoreError::Damaged { .. } | StoreError::Database { .. })
                | Self::Cannot(CannotExecute::State(_))
                | Self::Panicked { .. }
        )
    }
}

/// What the executor says to the driver.
#[derive(Debug)]
pub enum Reply {
    /// A batch was executed and its block written.
    Executed {
        /// The block.
        seq: Seq,
        /// The hash of its header.
        header: Digest,
        /// Whether and when the epoch ends.
        epoch_end: Option<EpochEnd>,
        /// How many transactions it has.
        transactions: usize,
        /// How many sign-ins it recorded.
        results: usize,
    },
    /// The store is durable up to this block.
    Durable(Seq),
    /// A divergence is written down.
    WrittenDown(Mismatch),
    /// The executor has ended.
    Failed(ExecutorError),
}

/// The executor has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the executor has ended")]
pub struct Gone;

/// What the thread is told.
#[derive(Debug)]
enum Command {
    Execute(Box<consensus::Committed>),
    Certify(Box<CheckpointCertificate>),
    Sync,
    Retain(Retain),
    Diverged(Divergence, Option<Box<Header>>),
    Stop,
}

/// The way to the executor.
#[derive(Debug, Clone)]
pub struct Executor {
    commands: SyncSender<Command>,
}

/// An executor that is ready to execute.
#[derive(Debug)]
pub struct Started {
    /// The way to it.
    pub executor: Executor,
    /// Reads what it writes.
    pub ledger: Ledger,
    /// What it found of the store.
    pub opened: Opened,
    /// Height and header hash of the newest blocks in the store, for `Replica::recover`.
    pub newest: Vec<(Seq, Digest)>,
    /// Ends after [`Executor::stop`], or with [`Reply::Failed`].
    pub thread: JoinHandle<()>,
}

impl Executor {
    /// Opens the store in a member's home, executes again what its block file holds beyond
    /// its database, and begins to take commands. `replies` is called on the executor's thread.
    pub fn start(
        home: &Path,
        genesis: Arc<Genesis>,
        pool: Mempool,
        replies: impl Fn(Reply) + Send + 'static,
    ) -> Result<Started, ExecutorError> {
        Self::start_knowing(PROTOCOL_VERSION, home, genesis, pool, replies)
    }

    /// The same in software that knows the ledger's rules up to this version.
    pub fn start_knowing(
        rules: u64,
        home: &Path,
        genesis: Arc<Genesis>,
        pool: Mempool,
        replies: impl Fn(Reply) + Send + 'static,
    ) -> Result<Started, ExecutorError> {
        let (mut store, opened) = Store::open(&home.join(FOLDER), Arc::clone(&genesis))?;
        let brought_up = guarded(|| replay::bring_up(&mut store, genesis, rules));
        let tip = brought_up.inspect_err(|error| doubt(&store, error))?;
        let (ledger, setter) = Ledger::new(store.reader(), replay::certified_tip(&store.reader())?);
        let newest = newest(&store)?;
        let certified = ledger.certified().height;
        let worker = work::Worker::new(store, tip, pool, (setter, certified), home.to_path_buf());
        let (commands, queue) = mpsc::sync_channel(COMMANDS);
        let thread = thread::Builder::new()
            .name("executor".to_owned())
            .spawn(move || worker.run(&queue, &replies))
            .map_err(ExecutorError::Thread)?;
        Ok(Started {
            executor: Self { commands },
            ledger,
            opened,
            newest,
            thread,
        })
    }

    /// Executes a batch; answered by [`Reply::Executed`].
    pub fn execute(&self, committed: consensus::Committed) -> Result<(), Gone> {
        self.tell(Command::Execute(Box::new(committed)))
    }

    /// Stores the certificate of an executed block. One that is there already is no error,
    /// so all those that a vote log holds may be handed in at start.
    pub fn certify(&self, certificate: CheckpointCertificate) -> Result<(), Gone> {
        self.tell(Command::Certify(Box::new(certificate)))
    }

    /// Makes the store durable; answered by [`Reply::Durable`].
    pub fn sync(&self) -> Result<(), Gone> {
        self.tell(Command::Sync)
    }

    /// Says how much of the ledger is kept, from now on; at first all of it.
    pub fn retain(&self, retain: Retain) -> Result<(), Gone> {
        self.tell(Command::Retain(retain))
    }

    /// Writes down everything about a block whose result differs from the certified one, whose header is told where
    /// some member has given it; answered by [`Reply::WrittenDown`].
    pub fn diverged(&self, divergence: Divergence, certified: Option<Header>) -> Result<(), Gone> {
        self.tell(Command::Diverged(divergence, certified.map(Box::new)))
    }

    /// Makes everything durable and ends the thread.
    pub fn stop(&self) -> Result<(), Gone> {
        self.tell(Command::Stop)
    }

    fn tell(&self, command: Command) -> Result<(), Gone> {
        self.commands.send(command).or(Err(Gone))
    }
}

/// Where a divergence of block `seq` is written down.
pub fn divergence_file(home: &Path, seq: Seq) -> PathBuf {
    home.join(format!("diverged-{seq}.txt"))
}

/// Does `work`, whose libraries may panic where they should return an error.
fn guarded<T>(work: impl FnOnce() -> Result<T, ExecutorError>) -> Result<T, ExecutorError> {
    panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|said| {
        let text = said.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| said.downcast_ref::<&str>().copied());
        let what = text.unwrap_or("it stopped without a word").to_owned();
        Err(ExecutorError::Panicked { what })
    })
}

/// Has the next start rebuild the store, when this error says that it is damaged.
fn doubt(store: &Store, error: &ExecutorError) {
    if error.is_damage()
        && let Err(unmarked) = store.doubt()
    {
        warn!(%unmarked, "the next start may not rebuild the store by itself");
    }
}

/// Height and header hash of the newest blocks above block 0, ascending.
fn newest(store: &Store) -> Result<Vec<(Seq, Digest)>, StoreError> {
    let top = store.height().map_or(0, Height::get);
    let lowest = top.saturating_sub(NEWEST.saturating_sub(1)).max(1);
    let reader = store.reader();
    (lowest..=top)
        .map(|height| {
            let hash = reader
                .hash_at(Height::new(height))?
                .ok_or_else(|| StoreError::damaged(Height::new(height)))?;
            Ok((Seq::new(height), Digest::new(*hash.as_bytes())))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_of_a_library_is_a_damaged_store_and_not_the_end_of_the_thread() {
        let missing = 7;
        let ended = guarded::<()>(|| panic!("no node {missing}"));
        let error = ended.unwrap_err();
        assert!(error.is_damage());
        assert_eq!(
            error.to_string(),
            "the database under the ledger's state cannot be worked with: no node 7"
        );
        assert_eq!(guarded(|| Ok(5)).unwrap(), 5);
    }
}
