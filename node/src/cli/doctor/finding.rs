//! What was looked at, how it stands, and what to do next.

use clap::ValueEnum;
use patient::code::{Code, Exit};
use patient::output::{Failure, Mark};
use serde_json::{Value, json};

/// One thing to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Check {
    /// The home belongs to one ledger and one member
    Home,
    /// The key files are whole and private
    Keys,
    /// This program, its files and the ledger's rules fit together
    Versions,
    /// There is room, and for how long
    Disk,
    /// The listeners' ports
    Ports,
    /// The vote log is whole
    Votes,
    /// The vaults of keys and shares are whole
    Vault,
    /// The block file is what its hashes say
    Ledger,
    /// The node runs and votes
    Node,
    /// The other members answer
    Peers,
    /// This machine's clock against the others'
    Clock,
    /// The state root against the others'
    State,
}

impl Check {
    /// Its name on the command line and in JSON.
    const fn name(self) -> &'static str {
        match self {
            Self::Home => "home",
            Self::Keys => "keys",
            Self::Versions => "versions",
            Self::Disk => "disk",
            Self::Ports => "ports",
            Self::Votes => "votes",
            Self::Vault => "vault",
            Self::Ledger => "ledger",
            Self::Node => "node",
            Self::Peers => "peers",
            Self::Clock => "clock",
            Self::State => "state",
        }
    }
}

/// Whether the node of the home runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Life {
    /// It does.
    Runs,
    /// It does not.
    Stands,
}

/// What came of one check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) check: Check,
    pub(super) mark: Mark,
    pub(super) text: String,
    /// Which error it is, when it is one.
    pub(super) code: Option<Code>,
    /// The next step, when one is to be taken.
    pub(super) help: Option<String>,
}

impl Finding {
    /// It is as it should be.
    pub(super) fn good(check: Check, text: impl Into<String>) -> Self {
        Self {
            check,
            mark: Mark::Good,
            text: text.into(),
            code: None,
            help: None,
        }
    }

    /// It is worth a look.
    pub(super) fn warning(check: Check, text: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            mark: Mark::Warning,
            help: Some(help.into()),
            ..Self::good(check, text)
        }
    }

    /// It is wrong.
    pub(super) fn bad(check: Check, failure: &Failure) -> Self {
        let why = failure.why().map(|why| format!(" ({why})"));
        Self {
            mark: Mark::Bad,
            code: Some(failure.code()),
            help: Some(failure.next_step().to_owned()),
            ..Self::good(
                check,
                format!("{}{}", failure.what(), why.unwrap_or_default()),
            )
        }
    }

    /// The lines of a terminal.
    fn lines(&self) -> String {
        let mut line = self.mark.line(self.check.name(), &self.text);
        if let Some(help) = &self.help {
            line.push_str("\n                help: ");
            line.push_str(&help.replace('\n', "\n                      "));
        }
        line
    }

    fn json(&self) -> Value {
        let mark = match self.mark {
            Mark::Good => "ok",
            Mark::Warning => "warning",
            Mark::Bad => "error",
        };
        json!({
            "check": self.check.name(), "mark": mark, "text": self.text, "help": self.help,
            "code": self.code.map(Code::text),
        })
    }
}

/// All that was found.
#[derive(Debug, Default)]
pub(super) struct Findings(pub(super) Vec<Finding>);

impl Findings {
    /// The status of the process: that of the first error.
    pub(super) fn exit(&self) -> Exit {
        let Self(findings) = self;
        let mut codes = findings.iter().filter_map(|finding| finding.code);
        codes.next().map_or(Exit::Ok, Code::exit)
    }

    /// What a terminal shows.
    pub(super) fn text(&self) -> String {
        let Self(findings) = self;
        let lines: Vec<_> = findings.iter().map(Finding::lines).collect();
        let (warnings, errors) = (self.count(Mark::Warning), self.count(Mark::Bad));
        let plural = |count: usize| if count == 1 { "" } else { "s" };
        format!(
            "{}\n{errors} error{}, {warnings} warning{}. For a program: aidchain doctor --json",
            lines.join("\n"),
            plural(errors),
            plural(warnings)
        )
    }

    /// What `--json` shows.
    pub(super) fn json(&self) -> Value {
        let Self(findings) = self;
        json!({
            "schema": "aidchain.doctor/1",
            "ok": self.exit() == Exit::Ok,
            "errors": self.count(Mark::Bad),
            "warnings": self.count(Mark::Warning),
            "findings": findings.iter().map(Finding::json).collect::<Vec<_>>(),
        })
    }

    fn count(&self, mark: Mark) -> usize {
        let Self(findings) = self;
        findings.iter().filter(|it| it.mark == mark).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_error_gives_the_exit_status_and_a_warning_gives_none() {
        let warned = Finding::warning(Check::Clock, "off", "set it");
        let mut findings = Findings(vec![Finding::good(Check::Home, "fine"), warned]);
        assert_eq!(findings.exit(), Exit::Ok);
        assert!(
            findings
                .text()
                .ends_with("0 errors, 1 warning. For a program: aidchain doctor --json")
        );

        let failure = Failure::new(Code::ClockSkew).because("the sun");
        findings.0.push(Finding::bad(Check::Clock, &failure));
        let failure = Failure::new(Code::StoreDamaged);
        findings.0.push(Finding::bad(Check::Ledger, &failure));

        assert_eq!(findings.exit(), Exit::ClockSkew);
        assert_eq!(findings.json()["errors"], 2);
        assert_eq!(findings.json()["findings"][2]["code"], "AC0430");
        assert!(
            findings
                .text()
                .contains("(the sun)\n                help: ")
        );
    }
}
