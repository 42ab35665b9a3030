//! A test with nothing in it claims what nobody checked.

use super::Problem;
use crate::source::Source;

/// The attribute that makes a function a test.
const ATTRIBUTE: &str = concat!("#[", "test]");

/// Tests whose body holds no statement.
pub(super) fn check(file: &Source) -> Vec<Problem> {
    if !file.has_extension("rs") {
        return Vec::new();
    }
    let mut problems = Vec::new();
    for (at, _) in file.text.match_indices(ATTRIBUTE) {
        let (before, rest) = file.text.split_at(at);
        let Some(open) = rest.find('{') else { continue };
        let body = rest.get(open..).unwrap_or_default();
        if statements(body).is_empty() {
            let line = before.lines().count().saturating_add(1);
            problems.push(Problem::at(&file.path, line, "a test without a statement"));
        }
    }
    problems
}

/// What stands between a body's first brace and its first closing brace, comments left out.
fn statements(body: &str) -> String {
    let inside = body.split_once('{').map_or("", |(_, rest)| rest);
    let first = inside.split('}').next().unwrap_or_default();
    let code = first
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    code.collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(body: &str) -> Vec<usize> {
        let text = format!("//! T.\n{ATTRIBUTE}\nfn a_claim() {body}\n");
        let file = Source {
            path: "t.rs".to_owned(),
            text,
        };
        check(&file)
            .into_iter()
            .map(|problem| problem.line)
            .collect()
    }

    #[test]
    fn an_empty_body_is_found_at_its_attribute() {
        assert_eq!(problems("{}"), [2]);
    }

    #[test]
    fn a_body_of_comments_is_empty() {
        assert_eq!(problems("{\n    // later\n}"), [2]);
    }

    #[test]
    fn a_body_with_a_statement_is_a_test() {
        assert_eq!(problems("{\n    assert_eq!(1, 1);\n}"), [0_usize; 0]);
    }
}
