//! The project's own commands: `cargo xtask tidy`, `cargo xtask ci`, `cargo xtask test`.

mod ci;
mod clock;
mod coverage;
mod demo;
mod last_words;
mod say;
mod source;
mod step;
mod tidy;
mod whole;

use std::process::ExitCode;

/// What `cargo xtask` answers to an unknown word.
const USAGE: &str = "\
usage: cargo xtask COMMAND
  tidy   what the compiler cannot see: sizes, headers, banned text, layering
  demo   the whole of it on real processes; scripts/demo builds first [--json] [--keep]
  ci     fmt, tidy, clippy, doc, doc coverage, tests, deny, machete
  test   ci, then the static build, the simulator, browser, process and compose tests";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next().unwrap_or_default();
    match command.as_str() {
        "tidy" => tidy::run(),
        "ci" => ci::run(),
        "coverage" => ci::coverage(),
        "demo" => demo::run(arguments),
        "test" => whole::run(),
        _ => {
            say::error(USAGE);
            ExitCode::from(2)
        }
    }
}
