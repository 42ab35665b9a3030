//! The paper's tables and figure, printed beside what this node does.

use maud::{Markup, PreEscaped, html};
use research::paper::figure::{Setting, svg};
use research::paper::grid::{self, Grid};

use super::{glance::Seen, parts};

/// The whole page. Words of the report are the program's own; the picture escapes nothing because it quotes no one else.
pub(super) fn body(seen: &Seen) -> Markup {
    let report = &seen.report;
    html! {
        h1 { "The papers, measured" }
        p {
            "Tables 2 and 3 and Fig. 2 of Wu, Peng, Gao and Chen (2021): what is printed, what the printed terms add up \
             to, and what this node does. Fast is not safe: the two papers' suites are broken, and AIDC-1 costs more \
             because it does more. "
            a href="/research/attacks" { "The attacks" } " with their steps have a page of their own."
        }
        p .soft {
            "Times: a short look by this node, " (parts::moment(seen.at_ms)) ", made again at most once a minute. "
            (report.measured.machine) ". " code { "aidchain research reproduce" } " measures longer."
        }
        h2 #fig2 { "Fig. 2: printed and measured" }
        figure .card {
            (PreEscaped(svg(report, Setting::Page)))
            figcaption .soft { "A logarithmic axis. The numbers stand in Table 3." }
        }
        (section(&grid::computation(report)))
        (section(&grid::communication(report)))
        (section(&grid::errors(report)))
        (section(&grid::counts(report)))
        (section(&grid::runs(report)))
        details {
            summary { "Every field of every message, and single operations" }
            (section(&grid::messages(report)))
            (section(&grid::units(report)))
            (section(&grid::operations(report)))
        }
    }
}

fn section(grid: &Grid) -> Markup {
    html! {
        h2 id=(grid.name) { (grid.title) }
        p .soft { a href=(format!("/research/tables/{}.csv", grid.name)) { "This table as CSV: " (grid.name) } }
        table .wide {
            thead { tr { @for name in &grid.head { th scope="col" { (name) } } } }
            tbody {
                @for row in &grid.rows {
                    tr {
                        @for (at, (name, cell)) in (0_u8..).zip(grid.head.iter().zip(row)) {
                            @if at == 0 { th scope="row" { (cell) } }
                            @else if !cell.is_empty() { td data-label=(name) { (cell) } }
                            @else { td {} }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::explorer::glance::Glance;

    use super::*;

    #[test]
    fn the_page_has_every_table_its_picture_in_words_and_a_weight_below_the_limit() {
        let seen = Glance::default().look(1_700_000_000_000).unwrap();

        let page = body(&seen).into_string();

        for grid in grid::grids(&seen.report) {
            assert!(page.contains(grid.title), "{}", grid.title);
            assert_eq!(
                grid.rows
                    .iter()
                    .filter(|row| row.len() != grid.head.len())
                    .count(),
                0
            );
        }
        assert!(page.contains("role=\"img\" aria-label=\"Computation in milliseconds"));
        assert!(page.contains("[22] He, Kumar printed 25.44 here "));
        assert!(!page.contains("<style"));
        assert!(page.len() < 40_000, "{} bytes", page.len());
    }
}
