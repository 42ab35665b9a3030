//! A vote log as a disk keeps it: records that are written, records that are flushed, and what
//! a crash leaves of them.

use consensus::{Log, Record};

/// The disk of one vote log.
#[derive(Debug)]
pub struct Disk {
    /// Safe from every crash.
    flushed: Vec<Record>,
    /// Written since the last flush; a crash leaves any first part of them.
    written: Vec<Record>,
    /// Whether the log is gone, or a record before its last is damaged.
    lost: bool,
}

impl Disk {
    /// A disk with these records.
    pub const fn new(records: Vec<Record>) -> Self {
        Self {
            flushed: records,
            written: Vec::new(),
            lost: false,
        }
    }

    /// Appends a record.
    pub fn write(&mut self, record: Record) {
        self.written.push(record);
    }

    /// What a crash may take.
    pub fn waiting(&self) -> &[Record] {
        &self.written
    }

    /// How many records a crash may take.
    pub const fn unsafe_records(&self) -> usize {
        self.written.len()
    }

    /// Makes everything written durable.
    pub fn flush(&mut self) {
        self.flushed.append(&mut self.written);
    }

    /// A crash: so many of the written records are on the disk, the next one is torn and is cut
    /// off at the next start.
    pub fn crash(&mut self, kept: usize) {
        self.written.truncate(kept);
        self.flush();
    }

    /// The log is gone or damaged.
    pub const fn lose(&mut self) {
        self.lost = true;
    }

    /// Whether the log is gone or damaged.
    pub const fn is_lost(&self) -> bool {
        self.lost
    }

    /// A fresh log takes the place of the old one.
    pub fn replace(&mut self, records: Vec<Record>) {
        *self = Self::new(records);
    }

    /// What is flushed.
    pub fn records(&self) -> &[Record] {
        &self.flushed
    }

    /// What the host finds at its start.
    pub fn read(&self) -> Log {
        if self.lost {
            Log::Damaged
        } else {
            Log::Whole(self.flushed.clone())
        }
    }
}
