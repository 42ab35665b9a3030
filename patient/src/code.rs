//! Every error a person can meet: its code, its exit status, its next step and its page.
//!
//! A code never changes its meaning. The node uses the same table for its problem documents and its refusal log.

mod pages;
mod support;

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

pub use self::pages::Code;
pub use self::support::{NotASupportCode, SupportCode};

/// What a process tells its caller when it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    /// It worked.
    Ok = 0,
    /// A fault of this program.
    Bug = 1,
    /// The command was given wrongly.
    Usage = 2,
    /// No node answered.
    Unreachable = 3,
    /// Somebody with the right to say no said no.
    Refused = 4,
    /// A proof, a signature or an answer did not check.
    NotVerified = 5,
    /// What was asked for does not exist.
    NotFound = 6,
    /// No quorum, or no answer in time: the state is not known.
    NoQuorum = 7,
    /// A file or setting of this machine is wrong.
    BadConfiguration = 8,
    /// Two clocks disagree by more than the ledger allows.
    ClockSkew = 9,
    /// It exists already.
    Conflict = 10,
    /// Stopped from outside.
    Interrupted = 130,
}

impl Exit {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 12] = [
        Self::Ok,
        Self::Bug,
        Self::Usage,
        Self::Unreachable,
        Self::Refused,
        Self::NotVerified,
        Self::NotFound,
        Self::NoQuorum,
        Self::BadConfiguration,
        Self::ClockSkew,
        Self::Conflict,
        Self::Interrupted,
    ];

    /// The number the operating system sees.
    pub const fn status(self) -> u8 {
        self as u8
    }

    /// What the number means, in a few words.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Bug => "internal bug",
            Self::Usage => "usage",
            Self::Unreachable => "cannot reach a node",
            Self::Refused => "refused",
            Self::NotVerified => "a proof or check failed",
            Self::NotFound => "not found",
            Self::NoQuorum => "no quorum, or timed out: the state is not known",
            Self::BadConfiguration => "bad configuration",
            Self::ClockSkew => "clock skew",
            Self::Conflict => "conflict: it exists already",
            Self::Interrupted => "interrupted",
        }
    }
}

/// The table of exit codes, for the end of `--help`.
pub const EXIT_CODES: &str = "\
Exit codes:
  0 ok                       1 internal bug         2 usage
  3 cannot reach a node      4 refused              5 a proof or check failed
  6 not found                7 no quorum, timed out 8 bad configuration
  9 clock skew              10 conflict, exists   130 interrupted";

impl Code {
    /// The text people copy: `AC0107`.
    pub fn text(self) -> String {
        format!("AC{:04}", self.number())
    }

    /// The page `explain` prints.
    pub fn explain(self) -> String {
        format!(
            "{self}: {}\n\n{}\n\nhelp: {}\nexit: {} ({})",
            self.title(),
            self.page(),
            self.help(),
            self.exit().status(),
            self.exit().meaning()
        )
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AC{:04}", self.number())
    }
}

/// A text that is not an error code of this version.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0:?} is not an error code of this version; codes look like AC0107")]
pub struct NotACode(pub String);

impl FromStr for Code {
    type Err = NotACode;

    fn from_str(text: &str) -> Result<Self, NotACode> {
        let upper = text.trim().to_ascii_uppercase();
        Self::ALL
            .iter()
            .copied()
            .find(|code| code.text() == upper)
            .ok_or_else(|| NotACode(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_has_a_title_a_next_step_a_page_and_a_failing_exit() {
        assert!(Code::ALL.len() > 60);
        for code in Code::ALL {
            assert!(code.title().len() >= 10, "{code}: {:?}", code.title());
            assert!(code.help().len() > 10, "{code}: {:?}", code.help());
            assert!(code.page().len() > 60, "{code}: {:?}", code.page());
            assert_ne!(code.exit(), Exit::Ok, "{code}");
            assert!(!code.title().ends_with('.'), "{code}");
            assert!(code.explain().starts_with(&code.text()), "{code}");
        }
    }

    #[test]
    fn a_code_is_found_again_by_its_text_and_by_no_other() {
        let mut seen = BTreeSet::new();
        for code in Code::ALL {
            assert_eq!(code.text().parse::<Code>(), Ok(*code));
            assert_eq!(code.text().to_lowercase().parse::<Code>(), Ok(*code));
            assert!(seen.insert(code.number()), "{code} twice");
        }
        for wrong in ["", "AC", "AC9999", "107", "AC-7F3K", "AC00107"] {
            assert_eq!(wrong.parse::<Code>(), Err(NotACode(wrong.to_owned())));
        }
    }

    #[test]
    fn the_codes_that_papers_and_transcripts_name_keep_their_numbers() {
        assert_eq!(Code::NoTerminal.text(), "AC0003");
        assert_eq!(Code::PortTaken.text(), "AC0107");
        assert_eq!(Code::PortTaken.exit(), Exit::BadConfiguration);
        assert_eq!(Code::CannotEnrol.text(), "AC0310");
        assert_eq!(Code::CannotEnrol.exit(), Exit::Conflict);
        assert_eq!(Code::CredentialDidNotOpen.text(), "AC0421");
        assert_eq!(Code::ClockSkew.text(), "AC0430");
        assert_eq!(Code::InclusionFails.text(), "AC0503");
        assert_eq!(Code::NotAnAid.text(), "AC0602");
    }

    #[test]
    fn the_help_text_lists_every_exit_code() {
        for exit in Exit::ALL {
            let needle = format!(" {} ", exit.status());
            assert!(EXIT_CODES.contains(&needle), "{needle}");
        }
    }
}
