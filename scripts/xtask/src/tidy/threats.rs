//! The page of threats is true to the tree: each row names a test that is there.

use super::Problem;
use crate::source::Source;

/// Where the rows stand.
const PAGE: &str = "docs/threats.md";

/// The heading of each attacker of the design's threat model.
const ATTACKERS: usize = 7;

/// Rows that name what is not there, and attackers without a row.
pub(super) fn check(sources: &[Source]) -> Vec<Problem> {
    let Some(page) = sources.iter().find(|source| source.path == PAGE) else {
        return vec![Problem::of(PAGE, "the page of threats is missing")];
    };
    let mut problems = Vec::new();
    let mut attackers = 0_usize;
    let mut rows = 1_usize;
    for (line, text) in page.text.lines().enumerate() {
        let line = line.saturating_add(1);
        if text.starts_with("## ") {
            if rows == 0 {
                problems.push(Problem::at(PAGE, line, "the attacker before has no row"));
            }
            (attackers, rows) = (attackers.saturating_add(1), 0);
        }
        if text.starts_with("| ") && text.contains('`') {
            rows = rows.saturating_add(1);
            problems.extend(wrong(text, sources).map(|why| Problem::at(PAGE, line, why)));
        }
    }
    if attackers != ATTACKERS || rows == 0 {
        let why = format!("there are {ATTACKERS} attackers, each with rows");
        problems.push(Problem::of(PAGE, why));
    }
    problems
}

/// What a row names that is not there.
fn wrong(row: &str, sources: &[Source]) -> Option<String> {
    let quoted: Vec<&str> = row.split('`').skip(1).step_by(2).collect();
    let [file, test] = quoted.as_slice() else {
        return Some("a row names one file and one test".to_owned());
    };
    let declared = format!("fn {test}(");
    let mut there = sources.iter().filter(|source| source.path == *file);
    (!there.any(|source| source.text.contains(&declared)))
        .then(|| format!("there is no test `{test}` in {file}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(page: &str) -> Vec<String> {
        let source = |path: &str, text: &str| Source {
            path: path.to_owned(),
            text: text.to_owned(),
        };
        let sources = [source("tests.rs", "fn it_holds() {}"), source(PAGE, page)];
        let found = check(&sources);
        found.into_iter().map(|problem| problem.what).collect()
    }

    fn page(rows: impl Fn(usize) -> &'static str) -> String {
        let one = |at| format!("## Somebody\n| must not | test |\n{}\n", rows(at));
        (0..ATTACKERS).map(one).collect()
    }

    const GOOD: &str = "| do harm | `tests.rs` `it_holds` |";

    #[test]
    fn a_whole_page_has_no_problem() {
        assert_eq!(problems(&page(|_at| GOOD)), [""; 0]);
    }

    #[test]
    fn a_row_whose_test_is_gone_is_found() {
        let gone = "| do harm | `tests.rs` `it_held` |";

        let found = problems(&page(|at| if at == 2 { gone } else { GOOD }));

        assert_eq!(found, ["there is no test `it_held` in tests.rs"]);
    }

    #[test]
    fn an_attacker_without_a_row_is_found() {
        let inside = problems(&page(|at| if at == 2 { "" } else { GOOD }));
        let last = problems(&page(|at| if at == 6 { "" } else { GOOD }));

        assert_eq!(inside, ["the attacker before has no row"]);
        assert_eq!(last, ["there are 7 attackers, each with rows"]);
    }
}
