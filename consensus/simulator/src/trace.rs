//! What happened in a run, a line for each thing, for somebody who reads it.

use consensus::Time;

use crate::words::Names;

/// The lines of a trace.
#[derive(Debug)]
pub(crate) struct Trace {
    /// How members and digests are called.
    pub(crate) names: Names,
    /// The lines so far.
    lines: Vec<String>,
}

impl Default for Trace {
    fn default() -> Self {
        Self {
            names: Names::familiar(),
            lines: Vec::new(),
        }
    }
}

impl Trace {
    /// Adds a line: when, to whom, what.
    pub(crate) fn line(&mut self, now: Time, who: &str, what: &str) {
        let micros = now.as_micros();
        let (millis, rest) = (micros / 1000, micros % 1000);
        let line = format!("{millis:>7}.{rest:03} ms  {who:<5} {what}");
        self.lines.push(line);
    }

    /// The lines.
    pub(crate) fn into_lines(self) -> Vec<String> {
        self.lines
    }
}
