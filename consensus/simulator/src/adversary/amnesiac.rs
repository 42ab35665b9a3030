//! A member that loses its disk at each crash and votes on as if it had signed nothing: what
//! an operator does who keeps the key and deletes the rest. Twins are the same without a crash.

use consensus::Record;

/// What is left of a vote log: that its owner was born.
pub(crate) fn remembers(log: &[Record]) -> Vec<Record> {
    let birth = |record: &&Record| matches!(record, Record::Key { .. } | Record::Birth { .. });
    log.iter().filter(birth).cloned().collect()
}
