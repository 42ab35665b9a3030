//! `cargo xtask ci`: everything that needs neither a browser nor Docker.

use std::process::{Command, ExitCode, Stdio};

use crate::step::{Report, Step};
use crate::{coverage, say};

/// Runs all steps, then names those that failed.
pub(crate) fn run() -> ExitCode {
    let mut report = Report::default();
    steps(&mut report);
    say::line("");
    conclude(&report)
}

/// The steps in the order of the style guide; none stops the ones behind it.
pub(crate) fn steps(report: &mut Report) {
    report.run(Step::cargo("fmt", &["fmt", "--all", "--check"]));
    report.run(Step::cargo("tidy", &["xtask", "tidy"]));
    shellcheck(report);
    report.run(Step::cargo(
        "clippy",
        &[
            "clippy",
            "--locked",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ],
    ));
    let doc = [
        "doc",
        "--locked",
        "--workspace",
        "--no-deps",
        "--document-private-items",
    ];
    report.run(Step::cargo("doc", &doc).with("RUSTDOCFLAGS", "-D warnings"));
    report.run(Step::cargo("doc coverage", &["xtask", "coverage"]));
    report.run(Step::cargo(
        "test",
        &["test", "--locked", "--workspace", "--no-fail-fast"],
    ));
    tool(
        report,
        "cargo-deny",
        &["--workspace", "check", "bans", "licenses", "sources"],
    );
    tool(report, "cargo-machete", &[]);
}

/// Says how the run went; the last line stands alone.
pub(crate) fn conclude(report: &Report) -> ExitCode {
    for name in &report.left_out {
        say::line(&format!("left out: {name}"));
    }
    for line in &report.words {
        say::line(line);
    }
    for name in &report.failed {
        say::line(&format!("failed: {name}"));
    }
    say::line(&format!(
        "{} passed, {} failed",
        report.counts.passed, report.counts.failed
    ));
    if report.failed.is_empty() && report.counts.failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Doc coverage alone: `cargo xtask coverage`.
pub(crate) fn coverage() -> ExitCode {
    coverage::run()
}

/// The shell scripts, read by shellcheck.
fn shellcheck(report: &mut Report) {
    const SCRIPTS: [&str; 10] = [
        ".ci/run",
        "scripts/bench",
        "scripts/build-static",
        "scripts/demo",
        "scripts/fuzz",
        "scripts/jepsen",
        "scripts/model",
        "scripts/simulate",
        "scripts/test",
        "scripts/xtask/rustdoc-unstable",
    ];
    if available("shellcheck", "--version") {
        report.run(Step::new("shellcheck", "shellcheck", &SCRIPTS));
    } else {
        report.leave_out(
            "shellcheck",
            "not installed (Debian: apt-get install shellcheck)",
        );
    }
}

/// A cargo subcommand that is not part of cargo. Called by its own name: through cargo, machete takes
/// the name of its command for a folder, since `cargo run` set a variable by which it tells the two apart.
fn tool(report: &mut Report, program: &str, arguments: &[&str]) {
    if available(program, "--version") {
        report.run(Step::new(program, program, arguments));
    } else {
        report.leave_out(
            program,
            &format!("not installed (cargo install --locked {program})"),
        );
    }
}

/// Whether a program answers.
pub(crate) fn available(program: &str, question: &str) -> bool {
    let answer = Command::new(program)
        .arg(question)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    answer.is_ok_and(|status| status.success())
}
