//! Runs many seeds on all cores and says which ones break a rule; or tells one run, or what
//! adversaries, distance and Twins cost.

mod log;
mod recovery;
mod reports;
mod seeds;
mod wish;

use std::io::{self, Write as _};
use std::process::ExitCode;

use wish::{What, Wish};

/// How the program is called.
const USAGE: &str = "usage: simulate [--seeds N] [--base-seed S] [--trace] [--log]
       simulate --seed S [--trace]
       simulate --adversaries
       simulate --far-apart
       simulate --recovery [--adversary NAME] [--seeds N] [--base-seed S] [--trace]
       simulate --twins N [--base-seed S] [--trace]
       simulate --twins-file FILE [--trace]
Without --base-seed it draws one and says which. The last line is `N passed, M failed`.
";

fn main() -> ExitCode {
    let Some(wish) = Wish::read(std::env::args().skip(1)) else {
        let told = io::stderr().write_all(USAGE.as_bytes());
        return ExitCode::from(if told.is_ok() { 2 } else { 3 });
    };
    let done = match &wish.what {
        What::Seeds => seeds::run_all(&wish),
        What::Adversaries => reports::adversaries(),
        What::FarApart => reports::far_apart(),
        What::Recovery => recovery::report(&wish),
        What::Twins(count) => reports::twins(*count, &wish),
        What::TwinsFile(file) => reports::twins_file(file, &wish),
    };
    done.unwrap_or_else(|_| ExitCode::from(3))
}

/// The code of a program that found this many failures.
pub(crate) const fn verdict(failures: u64) -> ExitCode {
    if failures == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
