//! A primary whose batches carry wrong times: far off, or so near the bound that some members
//! take them and others do not.

use consensus::Batch;

use crate::adversary::Memory;
use crate::ledger;

/// Another wrong time for each batch.
pub(super) fn cuts(memory: &mut Memory, time_ms: u64, transactions: &[u64]) -> Batch {
    let time_ms = match memory.turn() % 8 {
        0 => time_ms.saturating_add(3_600_000),
        1 => time_ms.saturating_sub(3_600_000),
        2 => time_ms.saturating_add(1_999),
        3 => time_ms.saturating_add(2_001),
        4 => time_ms.saturating_sub(9_995),
        5 => 0,
        6 => u64::MAX,
        _ => time_ms,
    };
    ledger::batch(time_ms, transactions)
}
