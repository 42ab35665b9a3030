//! The accountant: Tables 2 and 3 and Fig. 2 of Wu, Peng, Gao and Chen (2021), once more.
//!
//! Printed values are recomputed from their own terms; bits are counted on the messages that this software sends;
//! operations are counted while the suites run ([`protocol::meter`], and for AIDC-1 an accountant of its own); times
//! are this machine's. One [`Report`] holds all of it, and every other form is drawn from that: [`grid`] its tables,
//! [`text`] what a terminal shows, [`markdown`] the page `docs/paper.md`, [`csv`] and [`figure`] files.

mod accountant;
mod counted;
pub mod csv;
pub mod figure;
pub mod grid;
mod group;
pub mod markdown;
mod mixes;
mod printed;
mod report;
mod sealing;
mod tables;
mod tally;
pub mod text;
mod times;

pub use report::{
    Count, Erratum, Field, Measured, Mix, Report, Run, SCHEMA, Tables, Timed, Traffic, Unit, Work,
};
pub use tally::Counts;
pub use times::Effort;

use crate::contest::{Clock, Failure};

/// Does the tables again and measures this machine, which the report calls by this name.
pub fn reproduce(machine: String, effort: Effort, clock: Clock<'_>) -> Result<Report, Failure> {
    Ok(Report {
        schema: SCHEMA.to_owned(),
        tables: tables()?,
        measured: times::measure(machine, effort, clock)?,
    })
}

/// What is the same on every machine.
pub fn tables() -> Result<Tables, Failure> {
    tables::tables()
}
