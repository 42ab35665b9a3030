//! The one binary: node, operator, patient, explorer and verifier as subcommands.

use std::process::ExitCode;

fn main() -> ExitCode {
    node::cli::main()
}
