//! The models under `protocol/formal` are those of this code: made by the generator as it
//! is, and in agreement with the labels, fields and steps of the sources.

use std::path::PathBuf;
use std::process::Command;

use crate::faces::announce;

/// Whether `protocol/formal/run` was content, and what it said, where no tool is on the PATH.
/// Nothing where there is no Python, and that is told.
fn run(arguments: &[&str]) -> Option<(bool, String)> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/formal/run");
    let python = python()?;
    // No byte code beside the sources.
    let output = Command::new(python)
        .env("PATH", "")
        .args(["-B", script])
        .args(arguments)
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    Some((output.status.success(), String::from_utf8(said).unwrap()))
}

/// Where Python is.
fn python() -> Option<PathBuf> {
    let output = Command::new("python3")
        .args(["-c", "import sys; print(sys.executable)"])
        .output();
    let Some(output) = output.ok().filter(|output| output.status.success()) else {
        let ci = std::env::var("CI");
        assert_ne!(ci.as_deref(), Ok("true"), "python3 is missing and CI=true");
        announce("LEFT OUT: the formal models, for there is no python3");
        return None;
    };
    let path = String::from_utf8(output.stdout).unwrap();
    Some(PathBuf::from(path.trim_end()))
}

#[test]
fn the_models_are_the_generated_ones_and_agree_with_the_code() {
    let Some((content, said)) = run(&["--check"]) else {
        return;
    };

    assert!(content, "{said}");
    assert_eq!(said, "");
}

#[test]
fn without_a_tool_the_expected_results_are_told_as_not_rerun() {
    let Some((content, said)) = run(&["--only", "papers/wu_pw_guess"]) else {
        return;
    };

    assert!(content, "{said}");
    assert_eq!(said, "papers/wu_pw_guess.pv: false *not rerun*\n");
}
