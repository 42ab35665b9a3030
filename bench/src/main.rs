//! `bench ledger`: measures a consortium of four real processes on this machine.

use std::path::PathBuf;
use std::process::ExitCode;

use bench::ledger::{Plan, measure};
use clap::{Args, Parser, Subcommand};
use serde_json::Value;

/// Measures aidchain on this machine.
#[derive(Debug, Parser)]
#[command(name = "bench")]
struct Arguments {
    /// What is measured.
    #[command(subcommand)]
    what: What,
}

/// What can be measured.
#[derive(Debug, Subcommand)]
enum What {
    /// Results per second, time to the receipt, and what they cost.
    Ledger(LedgerArguments),
}

/// How the ledger is loaded.
#[derive(Debug, Args)]
struct LedgerArguments {
    /// Prints one JSON object instead of a table.
    #[arg(long)]
    json: bool,
    /// Results per second (open loop); without it, as many as possible (closed loop).
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    rate: Option<u32>,
    /// Seconds to measure.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
    /// Seconds under load before measuring.
    #[arg(long, default_value_t = 5)]
    warmup: u32,
    /// Results in one bundle, 1 to 256.
    #[arg(long)]
    bundle: Option<usize>,
    /// Connections per node without a rate.
    #[arg(long)]
    connections: Option<usize>,
}

fn main() -> ExitCode {
    let What::Ledger(ledger) = Arguments::parse().what;
    let plan = Plan {
        rate: ledger.rate,
        seconds: ledger.seconds,
        warmup: ledger.warmup,
        bundle: ledger.bundle,
        connections: ledger.connections,
    };
    let binary = std::env::var_os("AIDCHAIN_BIN")
        .map_or_else(|| PathBuf::from("dist/aidchain"), PathBuf::from);
    match measure(&binary, plan) {
        Ok(figures) if ledger.json => say(&figures.to_string()),
        Ok(figures) => say(&table(&figures)),
        Err(error) => {
            complain(&format!("bench: {error}"));
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// One figure a line.
fn table(figures: &Value) -> String {
    let lines = figures.as_object().into_iter().flatten();
    lines
        .map(|(name, value)| format!("{name:26}{value}"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// The figures go to standard output.
#[expect(clippy::print_stdout, reason = "a command prints its result")]
fn say(text: &str) {
    println!("{text}");
}

/// What went wrong goes to standard error.
#[expect(clippy::print_stderr, reason = "a command prints its complaint")]
fn complain(text: &str) {
    eprintln!("{text}");
}
