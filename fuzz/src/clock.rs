//! What one input costs: the only reader of time here. No seed depends on it.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// The time that this thread has had of a processor. What others do on the machine is not in it.
pub(crate) fn spent() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(now).unwrap_or_default()
}
