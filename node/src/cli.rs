//! The commands: noun, then verb. Data on stdout, talk on stderr, a documented exit status.

mod adopt;
mod consortium;
mod desk;
mod devnet;
mod doctor;
mod explain;
mod explorer;
mod healthcheck;
mod home;
mod key;
mod ledger;
mod member;
mod node;
mod research;
mod upgrade;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use patient::cli::{Global, PatientCommand, ReceiptCommand};
use patient::code::{EXIT_CODES, Exit};
use patient::output::{Console, Failure};

/// Anonymous sign-in for hospitals that share one tamper-evident ledger
#[derive(Debug, Parser)]
#[command(name = "aidchain", version, after_help = EXIT_CODES)]
struct Arguments {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Found a consortium
    #[command(subcommand)]
    Consortium(consortium::ConsortiumCommand),
    /// Make the keys of a member, and renew its key
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Say who belongs to the consortium, and vote on it
    #[command(subcommand)]
    Member(member::MemberCommand),
    /// Run a member's node
    #[command(subcommand)]
    Node(node::NodeCommand),
    /// See who is ready for newer rules of the ledger
    #[command(subcommand)]
    Upgrade(upgrade::UpgradeCommand),
    /// Run a whole consortium on this machine, to try it out
    #[command(subcommand)]
    Devnet(devnet::DevnetCommand),
    /// Register and sign in
    #[command(subcommand)]
    Patient(PatientCommand),
    /// Read the ledger at a member
    #[command(subcommand)]
    Ledger(ledger::LedgerCommand),
    /// Show and check receipts
    #[command(subcommand)]
    Receipt(ReceiptCommand),
    /// Let somebody read the explorer
    #[command(subcommand)]
    Explorer(explorer::ExplorerCommand),
    /// Let patients in at the registration centre, end their identities, approve recoveries
    #[command(subcommand)]
    Desk(desk::DeskCommand),
    /// Explain an error code or a support code
    #[command(after_help = explain::EXAMPLE)]
    Explain(explain::Explain),
    /// Look at everything that may be wrong with a node, and change nothing
    #[command(after_help = doctor::EXAMPLE)]
    Doctor(doctor::Doctor),
    /// Attack the papers' schemes, measure the fuzzy extractor and make synthetic faces
    #[command(subcommand)]
    Research(research::Research),
    /// Ask this machine's node whether it is ready; for containers and service managers
    #[command(after_help = healthcheck::EXAMPLE)]
    Healthcheck(healthcheck::Healthcheck),
}

/// Parses, dispatches, reports.
pub fn main() -> ExitCode {
    let arguments = match patient::cli::parse::<Arguments>() {
        Ok(arguments) => arguments,
        Err(ended) => return ended,
    };
    let console = arguments.global.console();
    let ended = arguments.command.run(&console);
    patient::cli::end(&console, ended)
}

impl Command {
    fn run(&self, console: &Console) -> Result<Exit, Failure> {
        match self {
            Self::Consortium(command) => command.run(console),
            Self::Key(command) => command.run(console),
            Self::Member(command) => command.run(console),
            Self::Node(command) => command.run(console),
            Self::Upgrade(command) => command.run(console),
            Self::Devnet(command) => command.run(console),
            Self::Patient(command) => command.run(console),
            Self::Ledger(command) => command.run(console),
            Self::Receipt(command) => command.run(console),
            Self::Explorer(command) => command.run(console),
            Self::Desk(command) => command.run(console),
            Self::Explain(command) => command.run(console),
            Self::Doctor(command) => command.run(console),
            Self::Research(command) => command.run(console),
            Self::Healthcheck(command) => command.run(console),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;
    use patient::code::Code;

    use super::Arguments;

    /// Whether the words after `aidchain` lead to a command.
    fn exists(words: &[&str]) -> bool {
        let mut at = Arguments::command();
        for word in words {
            let plain = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
            let next = at.find_subcommand(plain).cloned();
            match next {
                Some(next) => at = next,
                None => return !at.has_subcommands(),
            }
        }
        !at.has_subcommands()
    }

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn no_help_text_names_a_command_that_does_not_exist() {
        for code in Code::ALL {
            for text in [code.help(), code.page()] {
                for rest in text.split("aidchain ").skip(1) {
                    let words: Vec<_> = rest.split_whitespace().take(3).collect();
                    let named = words
                        .first()
                        .is_some_and(|word| Arguments::command().find_subcommand(word).is_some());
                    assert!(!named || exists(&words), "{code}: {words:?}");
                }
            }
        }
    }

    #[test]
    fn every_command_shows_an_example() {
        fn check(command: &clap::Command, path: &str) {
            let path = format!("{path} {}", command.get_name());
            let mut leaves = command.get_subcommands().peekable();
            if leaves.peek().is_none() {
                let help = command.get_after_help().map(ToString::to_string);
                assert!(help.is_some_and(|help| help.contains("aidchain")), "{path}");
            }
            for leaf in leaves {
                check(leaf, &path);
            }
        }
        check(&Arguments::command(), "");
    }
}
