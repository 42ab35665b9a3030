//! How long the phases of a slot take, told by the records that end them.

use std::{collections::BTreeMap, time::Duration};

use consensus::{Record, Seq, Time};

use crate::metrics::{Metrics, Step};

/// Slots that are timed at most; a window holds 64.
const SLOTS: usize = 256;

/// When the slots under way began, and when their last phase ended.
#[derive(Debug, Default)]
pub(super) struct Phases(BTreeMap<Seq, (Time, Time)>);

impl Phases {
    /// A record was made: a phase may have begun or ended.
    pub(super) fn on_record(&mut self, record: &Record, now: Time, metrics: &Metrics) {
        let Some(seq) = record.seq() else { return };
        match record {
            Record::Accepted { .. } => self.begin(seq, now),
            Record::Prepared { .. } => self.end(seq, "prepare", now, metrics),
            Record::Committed { .. } => self.end(seq, "commit", now, metrics),
            Record::Checkpoint { .. } => self.end(seq, "execute", now, metrics),
            Record::Key { .. }
            | Record::Birth { .. }
            | Record::CaughtUp { .. }
            | Record::Stable { .. }
            | Record::ViewChange(_)
            | Record::NewView(_) => {}
        }
    }

    /// The certificate of a slot came: it and all below are done.
    pub(super) fn on_certified(&mut self, seq: Seq, now: Time, metrics: &Metrics) {
        if let Some((began, _)) = self.0.get(&seq) {
            metrics
                .commit_latency
                .observe(now.since(*began).as_secs_f64());
        }
        self.0 = self.0.split_off(&seq.next());
    }

    /// A proposal was accepted.
    fn begin(&mut self, seq: Seq, now: Time) {
        if self.0.len() < SLOTS {
            self.0.entry(seq).or_insert((now, now));
        }
    }

    /// A phase ended.
    fn end(&mut self, seq: Seq, step: &'static str, now: Time, metrics: &Metrics) {
        let Some((_, last)) = self.0.get_mut(&seq) else {
            return;
        };
        let took: Duration = now.since(*last);
        *last = now;
        metrics
            .phase_duration
            .get_or_create(&Step { step })
            .observe(took.as_secs_f64());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use consensus::{Digest, Epoch, PrePrepare, ReplicaId, Signature, Signed, View};

    fn accepted(seq: u64) -> Record {
        let body = PrePrepare {
            view: View::ZERO,
            seq: Seq::new(seq),
            digest: Digest::NULL,
        };
        let signature = Signature::new(&[0; 64]);
        let pre_prepare = Signed {
            epoch: Epoch::ZERO,
            from: ReplicaId::new(0),
            body,
            signature,
        };
        Record::Accepted {
            pre_prepare,
            batch: None,
            prepare: None,
        }
    }

    #[test]
    fn a_block_is_timed_from_its_proposal_to_its_certificate_and_then_forgotten() {
        let metrics = Metrics::new(1);
        let mut phases = Phases::default();
        let at = |ms| Time::ZERO.after(Duration::from_millis(ms));
        phases.on_record(&accepted(1), at(5), &metrics);
        phases.on_record(&accepted(2), at(6), &metrics);
        phases.on_certified(Seq::new(2), at(16), &metrics);
        let page = metrics.render().unwrap();
        assert!(page.contains("commit_latency_seconds_count 1\n"), "{page}");
        assert!(page.contains("commit_latency_seconds_sum 0.01\n"), "{page}");
        assert!(phases.0.is_empty());
    }
}
