//! `cargo xtask demo`: the main job on real processes, each step checked.
//!
//! The ledger is a secure one and the suite AIDC-1. With `--research` it is a research ledger, and the suites are those of
//! the papers, insecure as published: the first carries the main job, the second shows what it has of its own. The patients
//! do not exist.

mod papers;
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

/// By which suite the patient signs in; the suite names the kind of ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Suite {
    /// The default, on a secure ledger.
    Aidc1,
    /// The first paper's, on a research ledger.
    Wu2021,
}

impl Suite {
    /// Its name.
    const fn name(self) -> &'static str {
        match self {
            Self::Aidc1 => "aidc-1",
            Self::Wu2021 => "wu-2021",
        }
    }

    /// What the command that starts the consortium is told.
    pub(crate) const fn of_devnet(self) -> &'static [&'static str] {
        match self {
            Self::Aidc1 => &[],
            Self::Wu2021 => &["--research"],
        }
    }

    /// What each of the patient's commands is told.
    pub(crate) const fn of_patient(self) -> &'static [&'static str] {
        match self {
            Self::Aidc1 => &[],
            Self::Wu2021 => &["--suite", "wu-2021", "--accept-risk=insecure-suite"],
        }
    }
}

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
    attacks: Vec<Value>,
    view_changes: u64,
}

/// Runs the demo with the arguments after its name.
pub(crate) fn run(arguments: impl Iterator<Item = String>) -> ExitCode {
    let mut ending = Ending::Delete;
    let mut last_line = false;
    let mut suite = Suite::Aidc1;
    for argument in arguments {
        match argument.as_str() {
            "--keep" => ending = Ending::Keep,
            "--json" => last_line = true,
            "--research" => suite = Suite::Wu2021,
            other => {
                say::error(&format!(
                    "unknown argument {other}\nusage: scripts/demo [--json] [--keep] [--research]"
                ));
                return ExitCode::from(2);
            }
        }
    }
    let watch = Stopwatch::start();
    match play(ending, suite) {
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

fn play(ending: Ending, suite: Suite) -> Result<Value, Stop> {
    let mut stage = Stage::build(suite)?;
    let mut seen = Seen::default();
    say::line(match suite {
        Suite::Aidc1 => "Secure ledger, suite AIDC-1. The patients are synthetic.\n",
        Suite::Wu2021 => {
            "RESEARCH ledger with suites wu-2021 and limbasiya-2020, insecure as published. The patients are synthetic.\n"
        }
    });

    steps::start(&stage)?;
    steps::register(&stage)?;
    steps::sign_in_everywhere(&stage, &mut seen)?;
    steps::refusals(&stage, &mut seen)?;
    steps::kill_the_primary(&stage, &mut seen)?;
    steps::restart(&stage)?;
    let (verified, tampered) = steps::receipts(&stage)?;
    match suite {
        Suite::Aidc1 => papers::refused_on_a_secure_ledger(&stage, &mut seen)?,
        Suite::Wu2021 => {
            papers::limbasiya(&stage, &mut seen)?;
            papers::attacked(&stage, &mut seen)?;
        }
    }
    steps::summary(&stage)?;
    match ending {
        Ending::Delete => stage.stop()?,
        Ending::Keep => stage.keep(),
    }
    Ok(json!({
        "schema": "aidchain.demo/1",
        "suite": suite.name(),
        "nodes": stage::NODES.len(),
        "sign_ins": seen.sign_ins,
        "refused": seen.refused,
        "attacks": seen.attacks,
        "view_changes": seen.view_changes,
        "receipt_verified": verified,
        "tampered_refused": tampered,
        "state_roots_equal": true,
    }))
}
