//! What honest members wrote to disk and said, in order, for whoever judges a run afterwards.

use std::collections::BTreeMap;

use consensus::{Epoch, Frame, Record, ReplicaId, Seq};

/// One thing that an honest member did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// A record is on its disk.
    Durable(Record),
    /// A frame left it, to one peer or to all.
    Sent(Frame),
}

impl Deed {
    /// The epoch that it belongs to, where it says one.
    pub const fn epoch(&self) -> Option<Epoch> {
        match self {
            Self::Durable(record) => record.epoch(),
            Self::Sent(frame) => frame.epoch(),
        }
    }
}

/// Who plays in one epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cast {
    /// The block before the epoch's first one.
    pub origin: Seq,
    /// How many members there are.
    pub size: usize,
    /// Those that do not keep to the protocol; nothing is noted of them.
    pub byzantine: Vec<ReplicaId>,
}

/// Everything that the honest members of one run did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// The epochs that a node has begun.
    pub epochs: BTreeMap<Epoch, Cast>,
    /// Who did what in which epoch, in order.
    pub deeds: Vec<(Epoch, ReplicaId, Deed)>,
}
