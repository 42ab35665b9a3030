//! The paper's tables with this node's own times: measured when a reader asks, and at most once a minute.

use std::sync::{Arc, Mutex, PoisonError};

use research::contest::Failure;
use research::paper::{self, Effort, Report};

use crate::clock::processor_time;
use crate::machine;

/// A measurement is shown this long before another is made.
const KEPT_MS: u64 = 60_000;

/// A measurement and when it was made.
#[derive(Debug)]
pub struct Seen {
    /// The tables and the times.
    pub report: Report,
    /// Wall time in milliseconds.
    pub at_ms: u64,
}

/// The last measurement, if there was one. One reader measures, the others wait for it.
#[derive(Debug, Default)]
pub struct Glance(Mutex<Option<Arc<Seen>>>);

impl Glance {
    /// A measurement not older than a minute. Takes some hundred milliseconds of this thread when there is none.
    pub fn look(&self, now_ms: u64) -> Result<Arc<Seen>, Failure> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(seen) = &*last
            && now_ms.abs_diff(seen.at_ms) < KEPT_MS
        {
            return Ok(Arc::clone(seen));
        }
        let report = paper::reproduce(machine::name(), Effort::GLANCE, &processor_time)?;
        let seen = Arc::new(Seen {
            report,
            at_ms: now_ms,
        });
        *last = Some(Arc::clone(&seen));
        Ok(seen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_who_comes_within_a_minute_causes_no_measurement() {
        let glance = Glance::default();

        let first = glance.look(1_000_000).unwrap();
        let second = glance.look(1_000_000 + KEPT_MS - 1).unwrap();
        let third = glance.look(1_000_000 + KEPT_MS).unwrap();

        assert!(Arc::ptr_eq(&first, &second));
        assert!(!Arc::ptr_eq(&first, &third));
        assert_eq!(third.at_ms, 1_000_000 + KEPT_MS);
    }
}
