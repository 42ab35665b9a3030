//! Evidence: two statements of one key that no honest member signs both.

use serde::{Deserialize, Serialize};

use crate::committee::ReplicaId;
use crate::digest::Digest;
use crate::number::{Epoch, Seq, View};
use crate::signed::{Kind, Signable, Signature, Verified};

/// One side of a contradiction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vote {
    /// PRE-PREPARE, PREPARE or COMMIT.
    pub kind: Kind,
    /// The batch it names.
    pub digest: Digest,
    /// The member's signature over the statement.
    pub signature: Signature,
}

/// Two votes of one member for different batches at one view and sequence number.
///
/// Votes in *different* views never contradict each other: an honest primary may propose
/// another batch at a sequence number after a view change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The epoch; the member's key comes from the committee of that epoch.
    pub epoch: Epoch,
    /// Whose votes they are.
    pub member: ReplicaId,
    /// The view of both.
    pub view: View,
    /// The sequence number of both.
    pub seq: Seq,
    /// The vote that came first.
    pub first: Vote,
    /// The one that contradicts it.
    pub second: Vote,
}

impl Evidence {
    /// The contradiction between two verified votes, if they are one.
    pub(crate) fn between<A: Signable, B: Signable>(
        first: &Verified<A>,
        second: &Verified<B>,
    ) -> Option<Self> {
        let one = (first.from(), first.body().view(), first.body().seq());
        let other = (second.from(), second.body().view(), second.body().seq());
        if one != other || first.body().digest() == second.body().digest() {
            return None;
        }
        Some(Self {
            epoch: first.as_signed().epoch,
            member: first.from(),
            view: first.body().view(),
            seq: first.body().seq(),
            first: side(first),
            second: side(second),
        })
    }
}

/// A verified vote as one side of a contradiction.
fn side<T: Signable>(vote: &Verified<T>) -> Vote {
    Vote {
        kind: T::KIND,
        digest: vote.body().digest(),
        signature: vote.signature(),
    }
}
