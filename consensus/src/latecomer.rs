//! What a node sends to somebody who does not follow its replica's talk: a member that is still in
//! an epoch that has ended, or a node without a seat in the committee that catches up.
//!
//! A replica is one epoch and takes no part in another one's talk. What brings somebody out of an
//! ended epoch is the certificate of its last block, and of the blocks below that he has executed
//! without getting theirs; the blocks themselves he fetches.

use crate::certificate::CheckpointCertificate;
use crate::frame::Frame;
use crate::message::WINDOW_MAX;
use crate::number::Seq;

impl Frame {
    /// The answer to this frame of a node that is in the frame's epoch, and of which `last` is
    /// the highest certified block at the host. Only a STATUS and a VIEW-CHANGE ask for one.
    ///
    /// `certificate` finds the certificate of a block in the host's store. A host bounds how
    /// often it answers one sender; each answer has at most [`WINDOW_MAX`] certificates.
    pub fn answer_to_latecomer(
        &self,
        last: Seq,
        certificate: impl Fn(Seq) -> Option<CheckpointCertificate>,
    ) -> Vec<Self> {
        let known = match self {
            Self::Status(status) => status.stable,
            Self::ViewChange(_) => Seq::new(last.get().saturating_sub(1)),
            Self::PrePrepare(..)
            | Self::Prepare(_)
            | Self::Commit(_)
            | Self::Checkpoint(_)
            | Self::NewView(_)
            | Self::Prepared(_)
            | Self::Committed(_)
            | Self::Stable(_)
            | Self::Batch(_) => return Vec::new(),
        };
        let first = known.get().max(last.above(Seq::new(WINDOW_MAX)));
        let lacking = (first..last.get()).map(|seq| Seq::new(seq).next());
        lacking.filter_map(certificate).map(Self::Stable).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use crate::number::{Epoch, View};
    use crate::status::{Members, Status};

    /// The STATUS of a node with certificates up to here.
    fn status(stable: u64) -> Frame {
        Frame::Status(Status {
            epoch: Epoch::ZERO,
            view: View::ZERO,
            active: true,
            stable: Seq::new(stable),
            executed: Seq::new(stable),
            open: Vec::new(),
            checkpoints: Vec::new(),
            view_changes: Members::default(),
        })
    }

    /// The heights of the certificates that answer a frame, when blocks up to 100 have one.
    fn answered(frame: &Frame) -> Vec<u64> {
        let certificate = |seq| {
            Some(CheckpointCertificate {
                epoch: Epoch::ZERO,
                seq,
                header: Digest::NULL,
                checkpoints: Vec::new(),
            })
        };
        let frames = frame.answer_to_latecomer(Seq::new(100), certificate);
        let height = |frame: &Frame| {
            let Frame::Stable(certificate) = frame else {
                panic!("only certificates, not {frame:?}");
            };
            certificate.seq.get()
        };
        frames.iter().map(height).collect()
    }

    #[test]
    fn a_latecomer_gets_the_certificates_that_he_lacks_the_last_one_among_them() {
        assert_eq!(answered(&status(97)), [98, 99, 100]);
        assert_eq!(answered(&status(0)), (37..=100).collect::<Vec<_>>());
    }

    #[test]
    fn who_lacks_nothing_or_asks_for_nothing_gets_no_answer() {
        assert!(answered(&status(100)).is_empty());
        assert!(answered(&status(400)).is_empty());
        assert!(answered(&Frame::Batch(crate::batch::Batch::null())).is_empty());
    }
}
