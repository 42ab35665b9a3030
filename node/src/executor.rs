//! Executes what was ordered, on a thread of its own: the only writer of state and store.
//!
//! The driver hands in ordered batches and certificates and hears back the hash of each
//! block's header. A batch is executed, its block written, and only then answered; the
//! certificate comes later, is written beside the block, moves the ledger's tip and settles
//! the tickets of those who wait.

mod divergence;
mod replay;
mod work;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, SyncSender};
use std::thread::{self, JoinHandle};

use consensus::{CheckpointCertificate, Digest, Divergence, EpochEnd, Seq};
use contract::{CannotExecute, Genesis, Height, Unacceptable};

use crate::ledger::Ledger;
use crate::mempool::Mempool;
use crate::store::{Opened, Store, StoreError};

pub use crate::executor::divergence::differing_roots;

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
    Diverged(Divergence),
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
        let (mut store, opened) = Store::open(&home.join(FOLDER), Arc::clone(&genesis))?;
        let tip = replay::bring_up(&mut store, genesis)?;
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

    /// Writes down everything about a block whose result differs from the certified one.
    pub fn diverged(&self, divergence: Divergence) -> Result<(), Gone> {
        self.tell(Command::Diverged(divergence))
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
