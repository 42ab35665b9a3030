//! STATUS: what a replica lacks, so that its peers can send exactly that (thesis §5.2).

use serde::{Deserialize, Serialize};

use crate::committee::ReplicaId;
use crate::digest::Digest;
use crate::number::{Epoch, Seq, View};

/// A set of members, small enough to travel in every STATUS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Members(u32);

impl Members {
    /// Whether the member is in the set.
    pub fn contains(self, member: ReplicaId) -> bool {
        self.0
            .checked_shr(u32::from(member.get()))
            .is_some_and(|rest| rest & 1 == 1)
    }

    /// The members of the set in order.
    pub fn iter(self) -> impl Iterator<Item = ReplicaId> {
        (0..32)
            .map(ReplicaId::new)
            .filter(move |member| self.contains(*member))
    }
}

impl FromIterator<ReplicaId> for Members {
    fn from_iter<I: IntoIterator<Item = ReplicaId>>(members: I) -> Self {
        let bit = |member: ReplicaId| 1_u32.checked_shl(u32::from(member.get())).unwrap_or(0);
        Self(members.into_iter().fold(0, |set, member| set | bit(member)))
    }
}

/// What a replica holds and lacks; unsigned, trusted for nothing but what to send again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The epoch it is in.
    pub epoch: Epoch,
    /// The view it is in, or wants to enter.
    pub view: View,
    /// Whether it is in the view; otherwise it waits for the NEW-VIEW.
    pub active: bool,
    /// Up to here it has the certificate of every block.
    pub stable: Seq,
    /// Its highest executed block.
    pub executed: Seq,
    /// Each open sequence number.
    pub open: Vec<OpenSlot>,
    /// Whose CHECKPOINTs it holds for executed blocks that have no certificate yet.
    pub checkpoints: Vec<(Seq, Members)>,
    /// Whose VIEW-CHANGEs it holds for this view.
    pub view_changes: Members,
}

/// What a replica holds of one open sequence number.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one thing that a peer may have to send"
)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenSlot {
    /// The sequence number.
    pub seq: Seq,
    /// A batch that is certified but missing.
    pub lacks_batch: Option<Digest>,
    /// Whether it has the PRE-PREPARE of its view.
    pub pre_prepare: bool,
    /// Whether it has a prepared certificate of its view.
    pub prepared: bool,
    /// Whether it has a commit certificate.
    pub committed: bool,
    /// Whose PREPAREs of its view it has.
    pub prepares: Members,
    /// Whose COMMITs of its view it has.
    pub commits: Members,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_of_members_holds_what_was_put_in() {
        let members: Members = [0, 3, 30].map(ReplicaId::new).into_iter().collect();

        assert_eq!(
            members.iter().map(ReplicaId::get).collect::<Vec<_>>(),
            [0, 3, 30]
        );
        assert!(!members.contains(ReplicaId::new(1)));
        assert!(!members.contains(ReplicaId::new(400)));
    }
}
