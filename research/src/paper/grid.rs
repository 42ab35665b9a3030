//! The report's tables as rows of text, for every form that shows them.

use super::report::{Report, Run};
use super::text::{micros, millis};

/// A table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grid {
    /// Names it in files and pages.
    pub name: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// The heads of its columns.
    pub head: Vec<&'static str>,
    /// As many cells each as the head has.
    pub rows: Vec<Vec<String>>,
}

impl Grid {
    /// Characters of the widest cell of each column.
    pub(super) fn widths(&self) -> Vec<usize> {
        let mut widths: Vec<_> = self.head.iter().map(|name| name.chars().count()).collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        widths
    }
}

/// All tables, in the order in which they are shown.
pub fn grids(report: &Report) -> Vec<Grid> {
    vec![
        communication(report),
        messages(report),
        computation(report),
        errors(report),
        units(report),
        operations(report),
        counts(report),
        runs(report),
    ]
}

/// A number that may not be there.
fn optional(number: Option<u64>) -> String {
    number.map_or_else(|| "-".to_owned(), |number| number.to_string())
}

/// Table 2.
pub fn communication(report: &Report) -> Grid {
    let rows = report.tables.communication.iter().map(|row| {
        vec![
            row.scheme.clone(),
            row.phase.clone(),
            row.formula.clone().unwrap_or_else(|| "-".to_owned()),
            optional(row.printed_bits),
            optional(row.recomputed_bits),
            optional(row.built_bits),
            row.verdict.clone(),
            row.why.clone(),
        ]
    });
    Grid {
        name: "table2-communication",
        title: "Table 2: bits on the wire",
        head: vec![
            "scheme",
            "phase",
            "printed formula",
            "printed",
            "recomputed",
            "built",
            "verdict",
            "why",
        ],
        rows: rows.collect(),
    }
}

/// The messages behind Table 2.
pub fn messages(report: &Report) -> Grid {
    let rows = report.tables.messages.iter().map(|row| {
        vec![
            row.scheme.clone(),
            row.phase.clone(),
            row.message.clone(),
            row.field.clone(),
            optional(row.printed_bits),
            row.built_bits.to_string(),
        ]
    });
    Grid {
        name: "table2-messages",
        title: "The messages, field by field, in bits",
        head: vec!["suite", "phase", "message", "field", "printed", "built"],
        rows: rows.collect(),
    }
}

/// Table 3, with what this machine takes for the same.
pub fn computation(report: &Report) -> Grid {
    let rows = report.tables.computation.iter().map(|row| {
        vec![
            row.scheme.clone(),
            row.phase.clone(),
            row.formula.clone(),
            millis(row.printed_ns),
            millis(row.recomputed_ns),
            here_ns(report, &row.scheme, &row.phase).map_or_else(|| "-".to_owned(), millis),
            row.verdict.clone(),
            row.why.clone(),
        ]
    });
    Grid {
        name: "table3-computation",
        title: "Table 3: computation, in ms",
        head: vec![
            "scheme",
            "phase",
            "printed formula",
            "printed",
            "recomputed",
            "here",
            "verdict",
            "why",
        ],
        rows: rows.collect(),
    }
}

/// What an entry of Table 3 takes on the report's machine: the suite's run, or the operation mix.
pub(super) fn here_ns(report: &Report, scheme: &str, phase: &str) -> Option<u64> {
    let measured = &report.measured;
    let mut mixes = measured.mixes.iter();
    let mix = mixes.find(|mix| mix.scheme == scheme && mix.phase == phase);
    let built = if scheme.starts_with("Wu") {
        "Wu-2021"
    } else {
        scheme
    };
    let is_it = |run: &&Run| run.scheme == built && run.phase == phase;
    let run = measured.runs.iter().find(is_it);
    mix.map(|mix| mix.ns).or_else(|| run.map(|run| run.both_ns))
}

/// What is wrong in the tables.
pub fn errors(report: &Report) -> Grid {
    let rows = report.tables.errors.iter().map(|row| {
        vec![
            row.entry.clone(),
            row.printed.clone(),
            row.recomputed.clone(),
            row.why.clone(),
        ]
    });
    Grid {
        name: "errors",
        title: "What is wrong in the tables",
        head: vec!["entry", "printed", "recomputed or counted", "why"],
        rows: rows.collect(),
    }
}

/// The paper's unit times.
pub fn units(report: &Report) -> Grid {
    let rows = report.tables.units.iter().map(|row| {
        let printed = match row.printed_ns {
            0 => "disregarded".to_owned(),
            ns => micros(ns),
        };
        vec![row.symbol.clone(), row.what.clone(), printed]
    });
    Grid {
        name: "units-printed",
        title: "Single operations as printed, in µs",
        head: vec!["operation", "what", "printed"],
        rows: rows.collect(),
    }
}

/// This machine's unit times.
pub fn operations(report: &Report) -> Grid {
    let rows = report.measured.operations.iter();
    let rows = rows.map(|row| vec![row.symbol.clone(), row.what.clone(), micros(row.ns)]);
    Grid {
        name: "units-measured",
        title: "Single operations here, in µs",
        head: vec!["operation", "of what", "here"],
        rows: rows.collect(),
    }
}

/// What was counted while the suites ran.
pub fn counts(report: &Report) -> Grid {
    let rows = report.tables.counts.iter().map(|row| {
        vec![
            row.scheme.clone(),
            row.phase.clone(),
            row.side.clone(),
            row.counts.formula(),
        ]
    });
    Grid {
        name: "counts",
        title: "Operations, counted while the suites ran",
        head: vec!["suite", "phase", "side", "operations"],
        rows: rows.collect(),
    }
}

/// Whole runs.
pub fn runs(report: &Report) -> Grid {
    let rows = report.measured.runs.iter().map(|row| {
        vec![
            row.scheme.clone(),
            row.phase.clone(),
            micros(row.patient_ns),
            micros(row.server_ns),
            micros(row.both_ns),
        ]
    });
    Grid {
        name: "runs",
        title: "Whole runs here, in µs",
        head: vec!["suite", "phase", "patient", "server or RC", "both"],
        rows: rows.collect(),
    }
}
