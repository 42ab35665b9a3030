//! A member that lies in STATUS and serves blocks that were never certified.

use consensus::{Batch, Frame, Seq, View};

use crate::adversary::Memory;
use crate::ledger;

/// Every STATUS says something else than what is.
pub(super) fn sends(memory: &Memory, frame: &Frame) -> Vec<Frame> {
    let Frame::Status(honest) = frame else {
        return vec![frame.clone()];
    };
    let mut status = honest.clone();
    match memory.turns() % 4 {
        0 => {
            status.stable = Seq::new(u64::MAX);
            status.executed = Seq::new(u64::MAX);
        }
        1 => {
            status.stable = Seq::ZERO;
            status.executed = Seq::ZERO;
            status.open.clear();
        }
        2 => status.view = View::new(u64::MAX),
        _ => {
            for slot in &mut status.open {
                slot.committed = !slot.committed;
                slot.pre_prepare = !slot.pre_prepare;
                slot.lacks_batch = Some(ledger::batch(memory.turns(), &[]).digest());
            }
        }
    }
    vec![Frame::Status(status)]
}

/// A block's batch with a transaction more in it.
pub(super) fn serves(batch: &Batch) -> Batch {
    let mut bytes = batch.bytes().to_vec();
    bytes.extend_from_slice(&7_u64.to_le_bytes());
    Batch::new(bytes)
}
