//! What the compiler cannot see: sizes, headers, banned text, empty tests, dead files, layering.

mod empty_tests;
mod layering;
mod manifests;
mod owners;
mod pitfalls;
mod text;
mod threats;

use std::fmt;
use std::process::ExitCode;

use crate::{say, source};

/// One thing to mend, and where.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// Path from the repository's root.
    path: String,
    /// Line, or 0 for the file as a whole.
    line: usize,
    /// What is wrong and what to do about it.
    what: String,
}

impl Problem {
    /// A problem of one line.
    fn at(path: &str, line: usize, what: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            line,
            what: what.into(),
        }
    }

    /// A problem of the file as a whole.
    fn of(path: &str, what: impl Into<String>) -> Self {
        Self::at(path, 0, what)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line == 0 {
            write!(f, "{}: {}", self.path, self.what)
        } else {
            write!(f, "{}:{}: {}", self.path, self.line, self.what)
        }
    }
}

/// Runs every check over the tracked files and the dependency graph.
pub(crate) fn run() -> ExitCode {
    let root = source::root();
    let sources = match source::tracked(&root) {
        Ok(sources) => sources,
        Err(error) => {
            say::error(&format!("tidy: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let mut problems = Vec::new();
    for file in &sources {
        problems.extend(text::check(file));
        problems.extend(empty_tests::check(file));
        problems.extend(owners::check(file));
        problems.extend(manifests::check(file));
    }
    problems.extend(text::dead_files(&sources));
    problems.extend(pitfalls::check(&sources));
    problems.extend(threats::check(&sources));
    problems.extend(layering::check(&root));
    for problem in &problems {
        say::error(&problem.to_string());
    }
    say::line(&format!(
        "tidy: {} files, {} problems",
        sources.len(),
        problems.len()
    ));
    if problems.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
