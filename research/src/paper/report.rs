//! The report as data: what `--json` prints and what everything else is drawn from.
//!
//! All numbers are whole: bits, bytes, counts, and nanoseconds.

use serde::{Deserialize, Serialize};

use super::tally::Counts;

/// The name of the form.
pub const SCHEMA: &str = "aidchain.paper/1";

/// The tables again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: String,
    /// What every run gives alike.
    pub tables: Tables,
    /// What this machine took.
    pub measured: Measured,
}

/// Printed values, recomputed values, real encodings and counted operations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tables {
    /// Table 2.
    pub communication: Vec<Traffic>,
    /// The messages of the suites that are built, field by field.
    pub messages: Vec<Field>,
    /// Table 3.
    pub computation: Vec<Work>,
    /// What is wrong in the tables.
    pub errors: Vec<Erratum>,
    /// The paper's unit times.
    pub units: Vec<Unit>,
    /// Operations, counted while the suites ran.
    pub counts: Vec<Count>,
}

/// A row of Table 2.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traffic {
    /// Whose.
    pub scheme: String,
    /// Registration or authentication.
    pub phase: String,
    /// As printed; a suite that the table does not have has none.
    pub formula: Option<String>,
    /// The printed total.
    pub printed_bits: Option<u64>,
    /// The total of the formula.
    pub recomputed_bits: Option<u64>,
    /// Bits of the messages that this software sends; none where the scheme is not built.
    pub built_bits: Option<u64>,
    /// Whether printed and recomputed are one, and what is built with them.
    pub verdict: String,
    /// Why it differs, or why there is nothing to compare.
    pub why: String,
}

/// A field of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// Whose.
    pub scheme: String,
    /// Registration or authentication.
    pub phase: String,
    /// The message.
    pub message: String,
    /// The field.
    pub field: String,
    /// What the paper counts for it.
    pub printed_bits: Option<u64>,
    /// What it has.
    pub built_bits: u64,
}

/// A row of Table 3.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Work {
    /// Whose.
    pub scheme: String,
    /// Registration or authentication.
    pub phase: String,
    /// As printed.
    pub formula: String,
    /// The printed total.
    pub printed_ns: u64,
    /// The total of the formula with the paper's own times.
    pub recomputed_ns: u64,
    /// Whether they are one but for the rounding.
    pub verdict: String,
    /// Why it differs.
    pub why: String,
}

/// An error of the tables.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erratum {
    /// Which entry.
    pub entry: String,
    /// What stands there.
    pub printed: String,
    /// What it should be.
    pub recomputed: String,
    /// What was left out.
    pub why: String,
}

/// A unit time of the paper.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit {
    /// As in the formulas.
    pub symbol: String,
    /// In words.
    pub what: String,
    /// As printed; 0 is "disregarded".
    pub printed_ns: u64,
}

/// Operations of one side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// Whose.
    pub scheme: String,
    /// Registration or authentication.
    pub phase: String,
    /// Which side.
    pub side: String,
    /// How often.
    pub counts: Counts,
}

/// Times of one machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measured {
    /// Which machine, and how the program was built.
    pub machine: String,
    /// Single operations.
    pub operations: Vec<Timed>,
    /// Whole runs of the suites.
    pub runs: Vec<Run>,
    /// The operation mixes of the schemes that are not built.
    pub mixes: Vec<Mix>,
}

/// One operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timed {
    /// As in the formulas.
    pub symbol: String,
    /// What was done.
    pub what: String,
    /// Median.
    pub ns: u64,
}

/// One phase of a suite.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Whose.
    pub scheme: String,
    /// Registration or authentication.
    pub phase: String,
    /// The patient's side.
    pub patient_ns: u64,
    /// The server's side, or the RC's.
    pub server_ns: u64,
    /// Both.
    pub both_ns: u64,
}

/// One phase of a scheme that is not built, as its operations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mix {
    /// Whose.
    pub scheme: String,
    /// Registration or authentication.
    pub phase: String,
    /// The operations that were done.
    pub formula: String,
    /// Median of the whole.
    pub ns: u64,
}
