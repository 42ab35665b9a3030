//! `cargo xtask demo`: the main job on real processes, each step checked.
//!
//! The ledger is a research ledger and the suite that of a paper, insecure as printed; the patients do not exist.

mod program;
mod stage;
mod steps;

use std::process::ExitCode;

use serde_json::{Value, json};

use self::stage::Stage;
use crate::clock::Stopwatch;
use crate::say;

/// Why a demo does not go on.
pub(crate) type Stop = String;

/// What was asked for on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// The consortium is stopped and deleted.
    Delete,
    /// The consortium keeps running.
    Keep,
}

/// What the demo has seen, for its last line.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    sign_ins: Vec<Value>,
    refused: Vec<Value>,
    view_changes: u64,
}

/// Runs the demo with the arguments after its name.
pub(crate) fn run(arguments: impl Iterator<Item = String>) -> ExitCode {
    let mut ending = Ending::Delete;
    let mut last_line = false;
    for argument in arguments {
        match argument.as_str() {
            "--keep" => ending = Ending::Keep,
            "--json" => last_line = true,
            other => {
                say::error(&format!(
                    "unknown argument {other}\nusage: scripts/demo [--json] [--keep]"
                ));
                return ExitCode::from(2);
            }
        }
    }
    let watch = Stopwatch::start();
    match play(ending) {
        Ok(line) => {
            let seconds = watch.elapsed().as_secs_f64();
            say::line(&format!("\nAll steps passed in {seconds:.1} s."));
            if last_line {
                say::line(&line.to_string());
            }
            ExitCode::SUCCESS
        }
        Err(stop) => {
            say::error(&format!("\nFAILED: {stop}"));
            ExitCode::FAILURE
        }
    }
}

fn play(ending: Ending) -> Result<Value, Stop> {
    let mut stage = Stage::build()?;
    let mut seen = Seen::default();
    say::line(
        "RESEARCH ledger with suite wu-2021, insecure as printed. The patients are synthetic.\n",
    );

    steps::start(&stage)?;
    steps::register(&mut stage)?;
    steps::sign_in_everywhere(&stage, &mut seen)?;
    steps::refusals(&stage, &mut seen)?;
    steps::kill_the_primary(&stage, &mut seen)?;
    steps::restart(&stage)?;
    let (verified, tampered) = steps::receipts(&stage)?;
    steps::summary(&stage)?;
    match ending {
        Ending::Delete => stage.stop()?,
        Ending::Keep => stage.keep(),
    }
    Ok(json!({
        "schema": "aidchain.demo/1",
        "nodes": stage::NODES.len(),
        "sign_ins": seen.sign_ins,
        "refused": seen.refused,
        "view_changes": seen.view_changes,
        "receipt_verified": verified,
        "tampered_refused": tampered,
        "state_roots_equal": true,
    }))
}
