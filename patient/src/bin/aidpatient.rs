//! The patient's commands alone: no node code, a smaller surface.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use patient::cli::{self, Global, PatientCommand, ReceiptCommand};
use patient::code::EXIT_CODES;

/// Register, sign in and check receipts
#[derive(Debug, Parser)]
#[command(name = "aidpatient", version, after_help = EXIT_CODES)]
struct Arguments {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    #[command(flatten)]
    Patient(PatientCommand),
    /// Show and check receipts
    #[command(subcommand)]
    Receipt(ReceiptCommand),
}

fn main() -> ExitCode {
    let arguments = match cli::parse::<Arguments>() {
        Ok(arguments) => arguments,
        Err(ended) => return ended,
    };
    let console = arguments.global.console();
    let ended = match &arguments.command {
        Command::Patient(command) => command.run(&console),
        Command::Receipt(command) => command.run(&console),
    };
    cli::end(&console, ended)
}
