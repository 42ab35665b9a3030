//! Numbers as people read them, and the tables for a terminal.

use std::fmt::Write as _;

use super::grid::grids;
use super::report::Report;

/// The head of the column of reasons, always the last.
const WHY: &str = "why";

/// Nanoseconds as milliseconds, with the digits that are there.
pub fn millis(ns: u64) -> String {
    decimal(ns, 6)
}

/// Nanoseconds as microseconds, with the digits that are there.
pub fn micros(ns: u64) -> String {
    decimal(ns, 3)
}

/// The number with so many digits behind the point, zeros at its end left out.
fn decimal(number: u64, digits: usize) -> String {
    let padded = format!("{number:0>width$}", width = digits.saturating_add(1));
    let (whole, rest) = padded
        .split_at_checked(padded.len().saturating_sub(digits))
        .unwrap_or(("", ""));
    match rest.trim_end_matches('0') {
        "" => whole.to_owned(),
        rest => format!("{whole}.{rest}"),
    }
}

/// All tables, columns aligned. Reasons, which are long, stand below their rows, and once where they repeat.
pub fn text(report: &Report) -> String {
    let mut text = format!("Machine  {}\n", report.measured.machine);
    for grid in grids(report) {
        let columns = {
            let reasons = usize::from(grid.head.last() == Some(&WHY));
            grid.head.len().saturating_sub(reasons)
        };
        let widths = grid.widths();
        let head: Vec<String> = grid.head.iter().map(|name| (*name).to_owned()).collect();
        let _infallible = write!(text, "\n{}\n", grid.title);
        let mut said = "";
        for row in std::iter::once(&head).chain(&grid.rows) {
            let cells = row.iter().zip(&widths).take(columns);
            let cells: Vec<_> = cells
                .map(|(cell, width)| format!("{cell:<width$}"))
                .collect();
            let _infallible = writeln!(text, "  {}", cells.join("  ").trim_end());
            let why = row.get(columns).map_or("", String::as_str);
            if !why.is_empty() && why != WHY && why != said {
                let _infallible = writeln!(text, "      {why}");
                said = why;
            }
        }
    }
    text.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_keeps_its_digits_and_no_zeros() {
        assert_eq!(millis(25_440_000), "25.44");
        assert_eq!(millis(29_890_300), "29.8903");
        assert_eq!(millis(6_900), "0.0069");
        assert_eq!(millis(0), "0");
        assert_eq!(micros(85), "0.085");
        assert_eq!(micros(123_000), "123");
    }
}
