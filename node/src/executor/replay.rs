//! Starting: the tip as it was, and the blocks that the database lacks executed again.

use std::sync::Arc;

use contract::{CheckedBatch, Genesis, Header, Height, History, Tip, execute, found};
use tracing::warn;

use crate::executor::ExecutorError;
use crate::ledger;
use crate::misbehaviour::Contradictions;
use crate::store::{Executed, Reader, Replay, Store, StoreError};

/// Brings the store up to the end of its block file, and the tip with it.
pub(super) fn bring_up(
    store: &mut Store,
    genesis: Arc<Genesis>,
    rules: u64,
) -> Result<Tip, ExecutorError> {
    let tip = match store.height() {
        Some(height) => resume(store, genesis, height)?,
        None => begin(store, genesis)?,
    };
    let mut tip = tip.knowing(rules);
    while let Some(replay) = store.next_replay()? {
        match replay {
            Replay::Certificate(certificate) => {
                store.adopt_certificate(&certificate)?;
            }
            Replay::Block { header, batch } => {
                if !again(store, &mut tip, &header, &batch)? {
                    warn!(
                        height = tip.height().get(),
                        "the block file is cut behind this block: the next one is not what \
                         its batch gives; it comes again from the vote log or from peers"
                    );
                    store.forget_replay()?;
                }
            }
        }
    }
    Ok(tip)
}

/// Block 0, from the genesis file.
fn begin(store: &mut Store, genesis: Arc<Genesis>) -> Result<Tip, ExecutorError> {
    let (tip, block) = found(genesis, Arc::new(Contradictions))?;
    let executed = Executed {
        execution: &block,
        transactions: &[],
        history: &History::new(),
    };
    match store.next_replay()? {
        Some(Replay::Block { header, .. }) if header == block.header_bytes() => {
            store.adopt(executed)?;
        }
        Some(_) | None => {
            store.forget_replay()?;
            store.append(executed, &[], None)?;
        }
    }
    Ok(tip)
}

/// The tip after the newest block in the database.
fn resume(store: &Store, genesis: Arc<Genesis>, height: Height) -> Result<Tip, ExecutorError> {
    let reader = store.reader();
    let damaged = || StoreError::Damaged {
        height: height.get(),
    };
    let newest = reader.block(height)?.ok_or_else(damaged)?;
    let history = store.history().cloned().ok_or_else(damaged)?;
    let since = newest
        .header
        .time
        .minus_ms(genesis.parameters().replay_window_ms);
    let first = oldest_since(&reader, height, since)?;
    let mut tip = Tip::resume(genesis, Arc::new(Contradictions), newest.header, history);
    for at in first..=height.get() {
        let block = reader
            .block(Height::new(at))?
            .ok_or_else(|| StoreError::damaged(Height::new(at)))?;
        tip.recall(block.header.time, &block.transactions, &block.outcomes);
    }
    Ok(tip)
}

/// The lowest block with at least this time, from `height` down.
fn oldest_since(
    reader: &Reader,
    height: Height,
    since: contract::BlockTime,
) -> Result<u64, StoreError> {
    let mut lowest = height.get();
    while let Some(below) = lowest.checked_sub(1) {
        // What is not kept here any more is older than the window: pruning sees to that.
        if below < reader.lowest().get() || header(reader, Height::new(below))?.time < since {
            break;
        }
        lowest = below;
    }
    Ok(lowest)
}

/// The header at a height.
fn header(reader: &Reader, height: Height) -> Result<Header, StoreError> {
    reader
        .header(height)?
        .ok_or_else(|| StoreError::damaged(height))
}

/// Executes a block of the file again. False if it does not give the same header.
fn again(
    store: &mut Store,
    tip: &mut Tip,
    header: &[u8],
    batch: &[u8],
) -> Result<bool, ExecutorError> {
    let Ok(checked) = CheckedBatch::certified(batch, tip.genesis()) else {
        return Ok(false);
    };
    let execution = execute(&store.reader(), tip, &checked)?;
    if execution.header_bytes() != header {
        return Ok(false);
    }
    store.adopt(Executed {
        execution: &execution,
        transactions: checked.transactions(),
        history: tip.history(),
    })?;
    tip.advance(&execution);
    Ok(true)
}

/// The newest certified block of a store.
pub(super) fn certified_tip(reader: &Reader) -> Result<ledger::Tip, StoreError> {
    let height = reader
        .newest_certified()?
        .unwrap_or(Height::new(0))
        .min(reader.executed());
    Ok(ledger::Tip {
        height,
        header: header(reader, height)?,
        hash: reader
            .hash_at(height)?
            .ok_or_else(|| StoreError::damaged(height))?,
        certificate: reader.certificate(height)?,
    })
}
