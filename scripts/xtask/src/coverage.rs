//! Doc coverage of the pure crates, counted by rustdoc.

use std::process::{Command, ExitCode};

use crate::clock::Stopwatch;
use crate::{say, source};

/// Crates in which every public item is documented.
const PURE: [&str; 3] = ["consensus", "contract", "protocol"];

/// Prints each crate's total; fails unless all are at 100 %.
pub(crate) fn run() -> ExitCode {
    let complete = PURE.iter().filter(|package| documented(package)).count();
    if complete == PURE.len() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Whether rustdoc counts every item of the crate as documented.
fn documented(package: &str) -> bool {
    let root = source::root();
    // Counting is an unstable flag of a stable rustdoc. Only rustdoc is told so, through a wrapper:
    // a variable seen by build scripts would compile every dependency again. The changing `--cfg`
    // keeps cargo from answering out of its cache, which holds no table.
    let flags = format!(
        "-Z unstable-options --show-coverage --cfg run_{}",
        Stopwatch::stamp()
    );
    let output = Command::new(env!("CARGO"))
        .args(["doc", "--quiet", "--locked", "--no-deps", "-p", package])
        .env("RUSTDOC", root.join("scripts/xtask/rustdoc-unstable"))
        .env("RUSTDOCFLAGS", flags)
        .current_dir(&root)
        .output();
    let output = match output {
        Ok(output) => output,
        Err(error) => {
            say::error(&format!("cannot run cargo doc: {error}"));
            return false;
        }
    };
    let table = String::from_utf8_lossy(&output.stdout).into_owned();
    match percentage(&table) {
        Some("100.0%") if output.status.success() => {
            say::line(&format!("{package}: 100.0% documented"));
            true
        }
        found => {
            say::error(&String::from_utf8_lossy(&output.stderr));
            say::error(&table);
            say::error(&format!(
                "{package}: {} documented, must be 100.0%",
                found.unwrap_or("nothing")
            ));
            false
        }
    }
}

/// The documented share in the table's last row: `| Total | 12 | 100.0% | 0 | 0.0% |`.
fn percentage(table: &str) -> Option<&str> {
    let total = table.lines().find(|line| line.starts_with("| Total"))?;
    total
        .split('|')
        .map(str::trim)
        .find(|cell| cell.ends_with('%'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_is_read_from_the_total_row() {
        let table = "| File | Documented | Percentage |\n| src/lib.rs | 1 | 50.0% | 0 | 0.0% |\n\
                     | Total | 3 | 75.0% | 0 | 0.0% |\n";

        assert_eq!(percentage(table), Some("75.0%"));
    }

    #[test]
    fn a_table_without_a_total_says_nothing() {
        assert_eq!(percentage(""), None);
    }
}
