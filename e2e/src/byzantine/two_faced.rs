//! Tells one story to some and another to the others, both of them valid: as primary a batch that this ledger accepts
//! in place of the honest one, and votes for both everywhere.

use std::collections::BTreeMap;

use consensus::{Batch, Commit, Digest, Frame, PrePrepare, Prepare, ReplicaId, Seq, Signed, View};
use contract::{BlockTime, encode_batch};

use super::Liar;

/// The other story of each place, as long as it may be told.
#[derive(Debug, Default)]
pub(super) struct Stories(BTreeMap<(View, Seq), Batch>);

/// Stories that are remembered: more than the window holds.
const STORIES: usize = 256;

impl Stories {
    /// What goes to a member instead of a frame.
    pub(super) fn tell(&mut self, liar: &Liar, to: ReplicaId, frame: &Frame) -> Vec<Frame> {
        // Who hears the honest story first: a replica keeps the first vote it hears.
        let honest_first = to.get().is_multiple_of(2);
        let both = |other: Frame| {
            let mut both = vec![frame.clone(), other];
            if !honest_first {
                both.reverse();
            }
            both
        };
        match frame {
            Frame::PrePrepare(honest, batch) if honest.from == liar.me => {
                let PrePrepare { view, seq, .. } = honest.body;
                let other = self.other(view, seq, batch);
                if honest_first {
                    return vec![frame.clone()];
                }
                let body = PrePrepare {
                    view,
                    seq,
                    digest: other.digest(),
                };
                vec![Frame::PrePrepare(liar.signed(body), other)]
            }
            Frame::Prepare(honest) if honest.from == liar.me => {
                let Prepare { view, seq, .. } = honest.body;
                let digest = self.digest(view, seq);
                let other = liar.signed(Prepare { view, seq, digest });
                both(Frame::Prepare(other))
            }
            Frame::Commit(honest) if honest.from == liar.me => {
                let Commit { view, seq, .. } = honest.body;
                let digest = self.digest(view, seq);
                let other = liar.signed(Commit { view, seq, digest });
                both(Frame::Commit(other))
            }
            Frame::PrePrepare(..)
            | Frame::Prepare(_)
            | Frame::Commit(_)
            | Frame::Checkpoint(_)
            | Frame::ViewChange(_)
            | Frame::NewView(_)
            | Frame::Prepared(_)
            | Frame::Committed(_)
            | Frame::Stable(_)
            | Frame::Batch(_)
            | Frame::Status(_) => vec![frame.clone()],
        }
    }

    /// The batch of the other story: empty, at the time of the honest one.
    fn other(&mut self, view: View, seq: Seq, honest: &Batch) -> Batch {
        if self.0.len() >= STORIES {
            self.0.pop_first();
        }
        let other = || {
            let time = honest.bytes().first_chunk::<8>().copied();
            let time = u64::from_le_bytes(time.unwrap_or_default());
            Batch::new(encode_batch(BlockTime::new(time), []))
        };
        self.0.entry((view, seq)).or_insert_with(other).clone()
    }

    /// The digest of the other story; of nothing, where another is the primary.
    fn digest(&self, view: View, seq: Seq) -> Digest {
        self.0.get(&(view, seq)).map_or(Digest::NULL, Batch::digest)
    }
}

impl Liar {
    /// Signs in the liar's own name.
    fn signed<T: consensus::Signable>(&self, body: T) -> Signed<T> {
        Signed::sign(body, self.me, &self.committee, &self.key)
    }
}
