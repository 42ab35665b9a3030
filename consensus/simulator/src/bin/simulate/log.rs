//! The log of runs that is kept in the repository.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::Command;

/// Adds a line: commit, base seed, seeds, verdict, rate.
pub(crate) fn add(file: &Path, base: u64, passed: u64, failed: u64, rate: f64) -> io::Result<()> {
    let commit = commit();
    let seeds = passed.saturating_add(failed);
    let mut log = OpenOptions::new().append(true).open(file)?;
    writeln!(log, "{commit},{base},{seeds},{passed},{failed},{rate:.0}")
}

/// The commit that is checked out, marked when something has changed since.
fn commit() -> String {
    let told = Command::new("git")
        .args([
            "describe",
            "--always",
            "--dirty",
            "--abbrev=10",
            "--exclude=*",
        ])
        .output();
    let told = told.ok().filter(|told| told.status.success());
    told.map_or_else(
        || "unknown".to_owned(),
        |told| String::from_utf8_lossy(&told.stdout).trim().to_owned(),
    )
}
