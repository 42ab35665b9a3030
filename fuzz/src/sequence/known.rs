//! Everything that was ever said, for whoever wants to say it again or build on it.

use consensus::{
    CheckpointCertificate, CommitCertificate, Digest, Frame, PreparedCertificate, Record,
    ReplicaId, Signed, Status, ViewChange,
};
use simulator::Dice;

/// The most of each kind that is remembered; the oldest goes first.
const KEPT: usize = 300;

/// What was said.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Frames, and who sent them.
    frames: Vec<(ReplicaId, Frame)>,
    /// What each STATUS said.
    statuses: Vec<Status>,
    /// Digests of batches and headers.
    pub(super) digests: Vec<Digest>,
    /// Certificates of all three kinds.
    pub(super) prepared: Vec<PreparedCertificate>,
    /// Of COMMITs.
    pub(super) committed: Vec<CommitCertificate>,
    /// Of CHECKPOINTs.
    pub(super) stable: Vec<CheckpointCertificate>,
    /// VIEW-CHANGEs.
    pub(super) changes: Vec<Signed<ViewChange>>,
}

impl Known {
    /// A frame was sent.
    pub(super) fn heard(&mut self, from: ReplicaId, frame: &Frame) {
        match frame {
            Frame::PrePrepare(one, _) => keep(&mut self.digests, one.body.digest),
            Frame::Checkpoint(one) => keep(&mut self.digests, one.body.header),
            Frame::ViewChange(one) => keep(&mut self.changes, one.clone()),
            Frame::Status(status) => keep(&mut self.statuses, status.clone()),
            _ => {}
        }
        keep(&mut self.frames, (from, frame.clone()));
    }

    /// A record was written.
    pub(super) fn written(&mut self, record: &Record) {
        match record {
            Record::Prepared { certificate, .. } => keep(&mut self.prepared, certificate.clone()),
            Record::Committed { certificate, .. } => keep(&mut self.committed, certificate.clone()),
            Record::Stable { certificate } => keep(&mut self.stable, certificate.clone()),
            _ => {}
        }
    }

    /// Some frame, a late one more often than not.
    pub(super) fn frame(&self, dice: &mut Dice) -> Option<(ReplicaId, Frame)> {
        let last = self.frames.len();
        let recent = if dice.chance(700) { last.min(24) } else { last };
        let place = last.checked_sub(1)?.checked_sub(dice.place(recent))?;
        self.frames.get(place).cloned()
    }

    /// Every frame in bytes.
    pub(super) fn bytes(&self) -> impl Iterator<Item = Vec<u8>> {
        self.frames.iter().map(|(_, frame)| frame.encode())
    }

    /// Some STATUS.
    pub(super) fn status(&self, dice: &mut Dice) -> Option<Status> {
        self.statuses.get(dice.place(self.statuses.len())).cloned()
    }
}

/// Adds to a list that stays short.
fn keep<T>(list: &mut Vec<T>, one: T) {
    if list.len() >= KEPT {
        list.remove(0);
    }
    list.push(one);
}
