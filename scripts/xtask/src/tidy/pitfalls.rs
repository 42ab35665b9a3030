//! The catalogue of pitfalls is whole: each row has its test, and names files that exist.

use std::collections::BTreeSet;

use super::Problem;
use crate::source::Source;

/// Where the catalogue stands.
const PAGE: &str = "docs/pitfalls.md";

/// The families of rows, and how many each has.
const FAMILIES: [(char, usize); 4] = [('V', 23), ('W', 11), ('C', 15), ('M', 21)];

/// Rows without a test, tests without a row, and rows that name what is not there.
pub(super) fn check(sources: &[Source]) -> Vec<Problem> {
    let Some(page) = sources.iter().find(|source| source.path == PAGE) else {
        return vec![Problem::of(PAGE, "the catalogue of pitfalls is missing")];
    };
    let mut wanted: BTreeSet<String> = FAMILIES
        .iter()
        .flat_map(|(letter, last)| (1..=*last).map(move |number| format!("{letter}{number}")))
        .collect();
    let mut problems = Vec::new();
    for (line, text) in page.text.lines().enumerate() {
        let Some((id, rest)) = row(text) else {
            continue;
        };
        let known = wanted.remove(id);
        let why = if known {
            wrong(id, rest, sources)
        } else {
            Some(format!(
                "{id} is no row of the catalogue, or stands here twice"
            ))
        };
        problems.extend(why.map(|why| Problem::at(PAGE, line.saturating_add(1), why)));
    }
    let missing = wanted.iter().map(|id| format!("{id} has no row"));
    problems.extend(missing.map(|why| Problem::of(PAGE, why)));
    problems
}

/// The id of a row, and what follows it.
fn row(line: &str) -> Option<(&str, &str)> {
    let (id, rest) = line.strip_prefix("| ")?.split_once(" |")?;
    let number = id.strip_prefix(|letter| FAMILIES.iter().any(|family| family.0 == letter))?;
    let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    digits.then_some((id, rest))
}

/// What a row names that is not there: its test's file and function, its rule's file.
fn wrong(id: &str, rest: &str, sources: &[Source]) -> Option<String> {
    let quoted: Vec<&str> = rest.split('`').skip(1).step_by(2).collect();
    let [file, test, rule, ..] = quoted.as_slice() else {
        return Some(format!("{id} does not name a test and a rule"));
    };
    let find = |path: &str| sources.iter().find(|source| source.path == path);
    let named = format!("{}_", id.to_lowercase());
    let declared = format!("fn {test}(");
    let there = find(file).is_some_and(|source| source.text.contains(&declared));
    if !test.starts_with(&named) || !there {
        return Some(format!("{id}: there is no test `{test}` in {file}"));
    }
    find(rule)
        .is_none()
        .then(|| format!("{id}: there is no file {rule}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tree with a test for each row, and a page of these lines.
    fn problems(lines: impl Fn(&str) -> Vec<String>) -> Vec<String> {
        let ids = FAMILIES
            .iter()
            .flat_map(|(letter, last)| (1..=*last).map(move |number| format!("{letter}{number}")));
        let ids: Vec<String> = ids.collect();
        let tests = ids
            .iter()
            .map(|id| format!("fn {}_holds() {{}}\n", id.to_lowercase()));
        let page = ids.iter().flat_map(|id| lines(id)).collect::<Vec<_>>();
        let source = |path: &str, text: String| Source {
            path: path.to_owned(),
            text,
        };
        let sources = [
            source("tests.rs", tests.collect()),
            source(PAGE, page.join("\n")),
        ];
        let found = check(&sources);
        found.into_iter().map(|problem| problem.what).collect()
    }

    fn whole(id: &str) -> String {
        let test = id.to_lowercase();
        format!("| {id} | a pitfall | `tests.rs` `{test}_holds` | `tests.rs`: `a line` |")
    }

    #[test]
    fn a_whole_catalogue_has_no_problem() {
        assert_eq!(problems(|id| vec![whole(id)]), [""; 0]);
    }

    #[test]
    fn a_missing_row_and_a_doubled_one_are_found() {
        let missing = problems(|id| if id == "C5" { vec![] } else { vec![whole(id)] });
        let doubled = problems(|id| vec![whole(id); if id == "M2" { 2 } else { 1 }]);

        assert_eq!(missing, ["C5 has no row"]);
        assert_eq!(
            doubled,
            ["M2 is no row of the catalogue, or stands here twice"]
        );
    }

    #[test]
    fn a_row_without_its_test_or_with_another_rows_is_found() {
        let gone = problems(|id| match id {
            "W1" => vec![whole(id).replace("w1_holds", "w1_held")],
            "W2" => vec![whole(id).replace("w2_holds", "w1_holds")],
            _ => vec![whole(id)],
        });

        assert_eq!(
            gone,
            [
                "W1: there is no test `w1_held` in tests.rs",
                "W2: there is no test `w1_holds` in tests.rs"
            ]
        );
    }

    #[test]
    fn a_rule_in_a_file_that_is_gone_is_found() {
        let gone = problems(|id| vec![whole(id).replace("| `tests.rs`: `a", "| `none.rs`: `a")]);

        assert_eq!(
            gone.first().map(String::as_str),
            Some("V1: there is no file none.rs")
        );
        assert_eq!(gone.len(), 70);
    }
}
