//! Writing and flushing the vote log, with a crash possible at every flush.

use consensus::Record;

use crate::cluster::Cluster;
use crate::history::Deed;
use crate::sabotage::Sabotage;
use crate::scenario::Fate;
use crate::scheme::SimulatedScheme;

use crate::adversary::Character;

impl<S: SimulatedScheme> Cluster<S> {
    /// Appends a record; only a flush makes it safe.
    pub(super) fn write(&mut self, node: usize, record: Record) {
        let record = if self.scenario.encoded {
            reread(record)
        } else {
            record
        };
        self.nodes[node].disk.write(record);
    }

    /// Makes what was written durable. The node may crash before, after, or with some records
    /// on the disk and the next one torn; with a full disk it stops. False when it went down.
    pub(super) fn flush(&mut self, node: usize) -> bool {
        let waiting = self.nodes[node].disk.unsafe_records();
        if waiting == 0 {
            return true;
        }
        if self.nodes[node].disk_full > self.now {
            if self.sabotage == Sabotage::IgnoresFullDisk && self.nodes[node].is_honest() {
                self.nodes[node].disk.crash(0);
                return true;
            }
            self.note(node, |_| "  cannot write: the disk is full".to_owned());
            self.crash(node, 0);
            return false;
        }
        let mortal = !self.is_byzantine(node) || self.is_amnesiac(node);
        let crashes =
            self.healed.is_none() && mortal && { self.dice.chance(self.scenario.outages.crash) };
        if crashes {
            let kept = self.dice.place(waiting + 1);
            self.crash(node, kept);
            return false;
        }
        self.witness_kept(node, waiting);
        self.nodes[node].disk.flush();
        true
    }

    /// Notes that so many of the written records are safe.
    pub(super) fn witness_kept(&mut self, node: usize, kept: usize) {
        if self.history.is_none() {
            return;
        }
        let waiting = self.nodes[node].disk.waiting();
        let kept: Vec<Record> = waiting.iter().take(kept).cloned().collect();
        for record in kept {
            self.witness(node, || Deed::Durable(record));
        }
    }

    /// Whether a node is Byzantine.
    pub(super) fn is_byzantine(&self, node: usize) -> bool {
        matches!(self.nodes[node].fate, Fate::Byzantine(_))
    }

    /// Whether a node comes back from crashes without its votes, and votes.
    pub(super) fn is_amnesiac(&self, node: usize) -> bool {
        self.nodes[node].fate == Fate::Byzantine(Character::Amnesiac)
    }
}

/// A record as it comes back from the disk.
fn reread(record: Record) -> Record {
    let again = Record::decode(&record.encode());
    assert_eq!(
        again.as_ref(),
        Ok(&record),
        "a record is the same after writing and reading"
    );
    record
}
