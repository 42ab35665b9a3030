//! What the executor's thread does with each command.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::mpsc::Receiver;

use consensus::{CheckpointCertificate, Committed, Digest, Divergence, EpochEnd, PublicKey, Seq};
use contract::{CheckedBatch, Execution, Header, Height, Root, Tip, WriteSet, execute, recorded};

use tracing::{debug, warn};

use crate::executor::divergence::{self, Known, Mismatch};
use crate::executor::{Command, ExecutorError, Reply, doubt, guarded};
use crate::ledger::{self, TipSetter};
use crate::mempool::Mempool;
use crate::store::{Executed, Retain, Store};

/// Blocks whose write sets are kept for the case that a result differs from the certified one.
const REMEMBERED: usize = 128;

/// Certified blocks after which it is looked whether older ones can be let go.
const PRUNE_EVERY: u64 = 64;

/// The state of the thread.
pub(super) struct Worker {
    store: Store,
    tip: Tip,
    pool: Mempool,
    setter: TipSetter,
    home: PathBuf,
    /// The newest executions.
    remembered: VecDeque<(Header, WriteSet)>,
    /// The newest certified block.
    certified: Height,
    /// How much of the ledger is kept.
    retain: Retain,
    /// Whether the file system was found unable to give space back.
    hoards: bool,
}

impl Worker {
    pub(super) fn new(
        store: Store,
        tip: Tip,
        pool: Mempool,
        (setter, certified): (TipSetter, Height),
        home: PathBuf,
    ) -> Self {
        Self {
            store,
            tip,
            pool,
            setter,
            home,
            remembered: VecDeque::new(),
            certified,
            retain: Retain::All,
            hoards: false,
        }
    }

    /// Carries out commands until it is told to stop, nobody is left to tell it, or it cannot go on.
    pub(super) fn run(mut self, commands: &Receiver<Command>, replies: &impl Fn(Reply)) {
        for command in commands {
            let stop = matches!(command, Command::Stop);
            match guarded(|| self.carry_out(command)) {
                Ok(Some(reply)) => replies(reply),
                Ok(None) => {}
                Err(error) => {
                    doubt(&self.store, &error);
                    replies(Reply::Failed(error));
                    return;
                }
            }
            if stop {
                return;
            }
        }
    }

    fn carry_out(&mut self, command: Command) -> Result<Option<Reply>, ExecutorError> {
        match command {
            Command::Execute(committed) => self.execute(&committed).map(Some),
            Command::Certify(certificate) => self.certify(*certificate).map(|()| None),
            Command::Sync => Ok(Some(Reply::Durable(seq(self.store.sync()?)))),
            Command::Retain(retain) => {
                self.retain = retain;
                Ok(None)
            }
            Command::Diverged(divergence, certified) => {
                let mismatch = self.write_down(&divergence, certified.as_deref());
                Ok(Some(Reply::WrittenDown(mismatch)))
            }
            Command::Stop => Ok(Some(Reply::Durable(seq(self.store.close()?)))),
        }
    }

    /// Executes the next batch and writes its block.
    fn execute(&mut self, committed: &Committed) -> Result<Reply, ExecutorError> {
        let next = self.tip.height().next();
        let came = Height::new(committed.seq.get());
        if came != next {
            return Err(ExecutorError::OutOfOrder { next, came });
        }
        let bytes = committed.batch.bytes();
        let digest = Root::new(*committed.batch.digest().as_bytes());
        let batch = match self.pool.take_checked(&digest) {
            Some(checked) => checked,
            None => CheckedBatch::certified(bytes, self.tip.genesis())
                .map_err(|why| ExecutorError::BadBatch { height: next, why })?,
        };
        let execution = execute(&self.store.reader(), &self.tip, &batch)?;
        let view = committed.view().map(consensus::View::get);
        let transactions = batch.transactions();
        let block = Executed {
            execution: &execution,
            transactions,
            history: self.tip.history(),
        };
        self.store.append(block, bytes, view)?;
        self.tip.advance(&execution);
        let hashes = transactions
            .iter()
            .map(|transaction| *transaction.hash())
            .zip(execution.outcomes().iter().cloned());
        self.pool.executed(next, execution.header().time, hashes);
        let reply = Reply::Executed {
            seq: committed.seq,
            header: Digest::new(*execution.hash().as_bytes()),
            epoch_end: epoch_end(&execution),
            transactions: transactions.len(),
            results: recorded(transactions, execution.outcomes()).count(),
        };
        self.remember(&execution);
        Ok(reply)
    }

    /// Stores a certificate, moves the tip, settles tickets.
    fn certify(&mut self, certificate: CheckpointCertificate) -> Result<(), ExecutorError> {
        let height = Height::new(certificate.seq.get());
        let reader = self.store.reader();
        let Some(hash) = reader.hash_at(height)? else {
            // Of a block that is still to be executed: it comes again with that.
            return Ok(());
        };
        if hash.as_bytes() != certificate.header.as_bytes() {
            return Err(ExecutorError::OtherHeader { height });
        }
        self.store.certify(&certificate)?;
        if height > self.certified
            && let Some(header) = reader.header(height)?
        {
            self.certified = height;
            self.setter.set(ledger::Tip {
                height,
                header,
                hash,
                certificate: Some(certificate),
            });
        }
        self.pool.certified(self.certified);
        if height.get().is_multiple_of(PRUNE_EVERY) {
            self.let_go()?;
        }
        Ok(())
    }

    /// Lets go of the oldest blocks that nobody needs any more, a few at a time.
    fn let_go(&mut self) -> Result<(), ExecutorError> {
        let window_ms = self.tip.genesis().parameters().replay_window_ms;
        let needed = self.store.needed(self.retain, window_ms)?;
        let Some(pruned) = self.store.prune(needed)? else {
            return Ok(());
        };
        debug!(lowest = %pruned.lowest, "older blocks were let go");
        if !pruned.given_back && !std::mem::replace(&mut self.hoards, true) {
            warn!(
                event = "space_not_given_back",
                "this file system cannot take space back from the middle of a file: \
                 the blocks that are let go still use the disk"
            );
        }
        Ok(())
    }

    fn remember(&mut self, execution: &Execution) {
        self.remembered
            .push_back((execution.header().clone(), execution.writes().clone()));
        if self.remembered.len() > REMEMBERED {
            self.remembered.pop_front();
        }
    }

    /// Writes a block's header, batch and write set to a file, as far as they are known here.
    fn write_down(&self, divergence: &Divergence, certified: Option<&Header>) -> Mismatch {
        let height = Height::new(divergence.seq.get());
        let writes = self
            .remembered
            .iter()
            .find(|(header, _)| header.height == height)
            .map(|(_, writes)| writes);
        let block = self.store.reader().block(height).ok().flatten();
        let known = Known {
            block: block.as_ref(),
            writes,
            certified,
        };
        divergence::write_down(&self.home, divergence, &known)
    }
}

/// The end of the epoch in the words of consensus.
fn epoch_end(execution: &Execution) -> Option<EpochEnd> {
    execution.epoch_end().map(|end| EpochEnd {
        last: seq(end.last),
        next: end
            .committee
            .iter()
            .map(|key| PublicKey::new(*key.as_bytes()))
            .collect(),
    })
}

const fn seq(height: Height) -> Seq {
    Seq::new(height.get())
}
