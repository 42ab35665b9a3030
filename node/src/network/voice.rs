//! What a member says to another instead of what it means: the seam for tests with a member that does not keep to the
//! protocol. A node of the product has no voice but its own.

use super::{MemberIndex, frame::Frame};

/// Stands between a node and its members.
pub trait Voice: Send + Sync {
    /// What goes to a member instead of a frame.
    fn says(&self, to: MemberIndex, frame: Frame) -> Vec<Frame>;
}
