//! What can happen.

use consensus::{Batch, CertifiedBlock, Frame, Timer};

/// Something that will happen.
#[derive(Debug)]
pub(super) enum Event {
    /// A frame arrives.
    Frame {
        from: usize,
        to: usize,
        frame: Frame,
    },
    /// The signatures in a frame are checked.
    Checked {
        from: usize,
        to: usize,
        frame: Frame,
    },
    /// A timer runs out.
    Timer { node: usize, timer: Timer },
    /// An executor is done.
    Executed {
        node: usize,
        life: u32,
        batch: Batch,
    },
    /// Blocks arrive that were asked for.
    Fetched {
        node: usize,
        life: u32,
        blocks: Vec<CertifiedBlock>,
    },
    /// A node starts.
    Start { node: usize },
    /// A client submits a transaction.
    Submit { transaction: u64 },
    /// A new connection stands.
    Reconnect { node: usize, peer: usize },
    /// A node without a seat asks how far the others are, and one without votes asks to begin
    /// again.
    Look { node: usize },
    /// A paused node goes on.
    Wake { node: usize },
    /// Something breaks, or is mended.
    Fault(Fault),
    /// Everything heals for good.
    Heal,
}

/// What breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Some nodes no longer reach some others.
    Partition,
    /// All reach all again.
    Mend,
    /// Nobody reaches a quorum.
    Blackout,
    /// A node is killed.
    Kill,
    /// A node is stopped for a while with its connections open.
    Pause,
    /// A node's disk is full for a while.
    FullDisk,
}

impl Event {
    /// The node that must run for it.
    pub(super) const fn node(&self) -> Option<usize> {
        match self {
            Self::Frame { to, .. } | Self::Checked { to, .. } => Some(*to),
            Self::Timer { node, .. }
            | Self::Executed { node, .. }
            | Self::Fetched { node, .. }
            | Self::Reconnect { node, .. }
            | Self::Look { node } => Some(*node),
            Self::Start { .. }
            | Self::Submit { .. }
            | Self::Wake { .. }
            | Self::Fault(_)
            | Self::Heal => None,
        }
    }
}
