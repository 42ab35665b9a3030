//! A member that says nothing.

use consensus::Frame;

/// Nothing.
pub(super) const fn sends() -> Vec<Frame> {
    Vec::new()
}
