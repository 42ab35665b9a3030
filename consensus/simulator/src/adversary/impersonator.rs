//! A member that speaks in the names of all others, with the only key that it has.

use consensus::{Frame, ReplicaId, Scheme, Signed};

use crate::adversary::Liar;

/// Its own message, and the same one once more in each other member's name.
pub(super) fn sends<S: Scheme>(liar: &Liar<'_, S>, frame: &Frame) -> Vec<Frame> {
    let others = liar.committee.members().filter(|other| *other != liar.me);
    let mut frames = vec![frame.clone()];
    frames.extend(others.filter_map(|other| named(liar.me, other, frame)));
    frames
}

/// A message of the member's own under another name; the signature stays.
fn named(me: ReplicaId, other: ReplicaId, frame: &Frame) -> Option<Frame> {
    match frame {
        Frame::PrePrepare(own, batch) => {
            let renamed = renamed(me, other, own)?;
            Some(Frame::PrePrepare(renamed, batch.clone()))
        }
        Frame::Prepare(own) => renamed(me, other, own).map(Frame::Prepare),
        Frame::Commit(own) => renamed(me, other, own).map(Frame::Commit),
        Frame::Checkpoint(own) => renamed(me, other, own).map(Frame::Checkpoint),
        Frame::ViewChange(own) => renamed(me, other, own).map(Frame::ViewChange),
        Frame::NewView(own) => renamed(me, other, own).map(Frame::NewView),
        _ => None,
    }
}

/// A signed message with another sender on it.
fn renamed<T: Clone>(me: ReplicaId, other: ReplicaId, own: &Signed<T>) -> Option<Signed<T>> {
    (own.from == me).then(|| Signed {
        from: other,
        ..own.clone()
    })
}
