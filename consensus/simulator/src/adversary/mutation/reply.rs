//! Changes of CHECKPOINT, on which the reply to a client rests.

use consensus::{Checkpoint, Digest, Domain, Frame, Kind, Scheme, Signed, Statement, View};

use crate::adversary::Liar;
use crate::adversary::mutation::Step;
use crate::adversary::votes::signed;

/// Signed as if it were said in another view than 0.
pub(super) fn view<S: Scheme>(liar: &Liar<'_, S>, step: Step, frame: &Frame) -> Frame {
    changed(liar, frame, |own| {
        let statement = Statement {
            chain: liar.committee.chain(),
            epoch: own.epoch,
            kind: Kind::Checkpoint,
            view: View::new(step.from(0)),
            seq: own.body.seq,
            digest: own.body.header,
        };
        Signed {
            signature: liar.key.sign(&statement.bytes()),
            ..own.clone()
        }
    })
}

/// The header of another result.
pub(super) fn result<S: Scheme>(liar: &Liar<'_, S>, frame: &Frame) -> Frame {
    over(liar, frame, b"result")
}

/// The header of another time.
pub(super) fn time<S: Scheme>(liar: &Liar<'_, S>, frame: &Frame) -> Frame {
    over(liar, frame, b"time")
}

/// A CHECKPOINT over a header in which this part is another one.
fn over<S: Scheme>(liar: &Liar<'_, S>, frame: &Frame, part: &[u8]) -> Frame {
    changed(liar, frame, |own| {
        let mut bytes = own.body.header.as_bytes().to_vec();
        bytes.extend_from_slice(part);
        let header = Digest::of(Domain::Header, &bytes);
        let seq = own.body.seq;
        signed(liar, Checkpoint { seq, header })
    })
}

/// The member's own CHECKPOINT made anew.
fn changed<S: Scheme>(
    liar: &Liar<'_, S>,
    frame: &Frame,
    change: impl FnOnce(&Signed<Checkpoint>) -> Signed<Checkpoint>,
) -> Frame {
    match frame {
        Frame::Checkpoint(own) if own.from == liar.me => Frame::Checkpoint(change(own)),
        other => other.clone(),
    }
}
