//! `bench ledger`, `bench join` and `bench flood` measure a consortium of four real processes on this machine,
//! `bench sign-in` handshakes inside one process, `bench timing` what the time of a refusal tells.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bench::ledger::{Plan, measure};
use bench::{flood, join, sign_in, timing};
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
    /// How long a new member takes to join a long ledger by a snapshot.
    Join(JoinArguments),
    /// What three members keep of their rate while the fourth submits all that it can.
    Flood(FloodArguments),
    /// Processor time of a handshake, beside TLS 1.3 and Noise.
    SignIn(SignInArguments),
    /// Whether the time of a refused sign-in tells why it was refused; fails if it does.
    Timing(TimingArguments),
}

/// How many refusals are measured.
#[derive(Debug, Args)]
struct TimingArguments {
    /// Prints one JSON object instead of a table.
    #[arg(long)]
    json: bool,
    /// Refusals, a quarter of them of each kind.
    #[arg(long, default_value_t = 1_400_000, value_parser = clap::value_parser!(u32).range(1000..))]
    calls: u32,
}

impl TimingArguments {
    /// Measures, prints the figures, and fails when reasons can be told apart.
    fn measure(&self) -> io::Result<Value> {
        let found = timing::measure(self.calls)?;
        if found.holds {
            return Ok(found.figures);
        }
        let told = "the time of a refusal tells its reason, or the planted one was not seen";
        Err(io::Error::other(format!("{told}: {}", found.figures)))
    }
}

/// How long handshakes are measured.
#[derive(Debug, Args)]
struct SignInArguments {
    /// Prints one JSON object instead of a table.
    #[arg(long)]
    json: bool,
    /// How often every protocol has a turn.
    #[arg(long, default_value_t = 41, value_parser = clap::value_parser!(u32).range(1..))]
    turns: u32,
    /// Handshakes in a turn.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    handshakes: u32,
    #[command(flatten)]
    complete: CompleteArguments,
}

/// Whether and how complete sign-ins are measured.
#[derive(Debug, Args)]
struct CompleteArguments {
    /// Complete sign-ins too: over HTTP at four members, with each result on the ledger.
    #[arg(long)]
    ledger: bool,
    /// Complete sign-ins a second.
    #[arg(long, default_value_t = 2_500, value_parser = clap::value_parser!(u32).range(1..=8_000), requires = "ledger")]
    rate: u32,
    /// Seconds to measure complete sign-ins.
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..), requires = "ledger")]
    seconds: u32,
    /// Seconds of sign-ins before that.
    #[arg(long, default_value_t = 5, requires = "ledger")]
    warmup: u32,
}

impl SignInArguments {
    /// Measures what was asked for.
    fn measure(&self, binary: &Path) -> io::Result<Value> {
        let plan = sign_in::Plan {
            turns: self.turns,
            handshakes: self.handshakes,
        };
        let complete = &self.complete;
        if !complete.ledger {
            return sign_in::measure(plan);
        }
        let crowd = sign_in::Crowd {
            rate: complete.rate,
            seconds: complete.seconds,
            warmup: complete.warmup,
        };
        sign_in::measure_with_ledger(plan, binary, crowd)
    }
}

/// How the ledger is flooded.
#[derive(Debug, Args)]
struct FloodArguments {
    /// Prints one JSON object instead of a table.
    #[arg(long)]
    json: bool,
    /// Results per second of the three others together.
    #[arg(long, default_value_t = 3_000, value_parser = clap::value_parser!(u32).range(1..))]
    rate: u32,
    /// Seconds to measure without the flood, and again with it.
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
    /// Bundles of 256 results that the flooder has under way at once.
    #[arg(long, default_value_t = 64)]
    connections: usize,
}

/// Which ledger is joined.
#[derive(Debug, Args)]
struct JoinArguments {
    /// Prints one JSON object instead of a table.
    #[arg(long)]
    json: bool,
    /// Registered patients.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..))]
    identities: u32,
    /// Results on the ledger.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1000..))]
    results: u32,
    /// Results within the replay window of the newest block.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..))]
    window: u32,
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
    let binary = std::env::var_os("AIDCHAIN_BIN")
        .map_or_else(|| PathBuf::from("dist/aidchain"), PathBuf::from);
    let (measured, as_json) = match Arguments::parse().what {
        What::Ledger(ledger) => {
            let plan = Plan {
                rate: ledger.rate,
                seconds: ledger.seconds,
                warmup: ledger.warmup,
                bundle: ledger.bundle,
                connections: ledger.connections,
            };
            (measure(&binary, plan), ledger.json)
        }
        What::Join(join) => {
            let plan = join::Plan {
                identities: join.identities,
                results: join.results,
                window: join.window,
            };
            (join::measure(&binary, plan), join.json)
        }
        What::Flood(flood) => {
            let plan = flood::Plan {
                rate: flood.rate,
                seconds: flood.seconds,
                connections: flood.connections,
            };
            (flood::measure(&binary, plan), flood.json)
        }
        What::SignIn(arguments) => (arguments.measure(&binary), arguments.json),
        What::Timing(arguments) => (arguments.measure(), arguments.json),
    };
    match measured {
        Ok(figures) if as_json => say(&figures.to_string()),
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
