//! Where the words go.

use std::io::{self, ErrorKind, IsTerminal as _, Write};

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use super::Failure;
use crate::code::{Code, Exit};

/// How data is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// For people.
    Text,
    /// One JSON object, errors included.
    Json,
}

/// How much is said on stderr.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Talk {
    /// The steps as they happen.
    Normal,
    /// Errors only.
    Quiet,
}

/// Whether a question may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// On the terminal, where there is one.
    Ask,
    /// Never: what is missing is an error.
    Never,
}

/// How a step went. The sign carries the meaning; the colour only repeats it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// It worked.
    Good,
    /// It did not.
    Bad,
    /// It worked, with something to know.
    Warning,
}

impl Mark {
    /// The sign.
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Good => "✓",
            Self::Bad => "✗",
            Self::Warning => "!",
        }
    }

    const fn style(self) -> Style {
        let colour = match self {
            Self::Good => AnsiColor::Green,
            Self::Bad => AnsiColor::Red,
            Self::Warning => AnsiColor::Yellow,
        };
        colour.on_default()
    }

    /// The line of a step: sign, what it is about, what came of it.
    pub fn line(self, about: &str, text: &str) -> String {
        let style = self.style();
        format!("  {style}{}{style:#} {about:<11} {text}", self.sign())
    }
}

/// The one way a command speaks.
#[derive(Clone, Debug)]
pub struct Console {
    form: Form,
    talk: Talk,
    input: Input,
}

impl Console {
    /// A console as the flags of the command line ask for it.
    pub const fn new(form: Form, talk: Talk, input: Input) -> Self {
        Self { form, talk, input }
    }

    /// How data is printed.
    pub const fn form(&self) -> Form {
        self.form
    }

    /// Whether a question may be asked.
    pub const fn input(&self) -> Input {
        self.input
    }

    /// Prints what was asked for: the object under `--json`, else the text, on stdout.
    ///
    /// A reader that has had enough (`| head`) is no error.
    pub fn data(&self, object: &impl Serialize, text: &str) -> Result<(), Failure> {
        let shown = match self.form {
            Form::Text => text.trim_end_matches('\n').to_owned(),
            Form::Json => serde_json::to_string(object)
                .map_err(|error| Failure::new(Code::Bug).because(error))?,
        };
        forgiving(writeln!(anstream::stdout(), "{shown}"))
    }

    /// Prints bytes as they are, such as a file that goes to stdout.
    pub fn raw(&self, bytes: &[u8]) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        forgiving(out.write_all(bytes).and_then(|()| out.flush()))
    }

    /// Says something beside the data, on stderr.
    pub fn talk(&self, line: &str) {
        if self.talk == Talk::Normal && self.form == Form::Text {
            say(line);
        }
    }

    /// Says how a step went, on stderr.
    pub fn step(&self, mark: Mark, about: &str, text: &str) {
        self.talk(&mark.line(about, text));
    }

    /// Says something that must not go unseen, on stderr, whatever the flags say.
    pub fn warn(&self, line: &str) {
        let style = Mark::Warning.style();
        say(&format!("{style}warning{style:#}: {line}"));
    }

    /// Reports a failure: on stdout as JSON under `--json`, else on stderr. Returns the status to end with.
    pub fn failure(&self, failure: &Failure) -> Exit {
        match self.form {
            Form::Json => {
                let shown = failure.to_json().to_string();
                if forgiving(writeln!(io::stdout(), "{shown}")).is_err() {
                    say(&shown);
                }
            }
            Form::Text => {
                let style = Mark::Bad.style().bold();
                say(&format!(
                    "{style}error[{}]{style:#}: {}\n{}",
                    failure.code(),
                    failure.what(),
                    failure.details().trim_end()
                ));
            }
        }
        failure.exit()
    }

    /// Whether somebody watches stderr.
    pub fn is_watched(&self) -> bool {
        self.talk == Talk::Normal && self.form == Form::Text && io::stderr().is_terminal()
    }
}

/// Writes a line to stderr. When stderr itself is gone there is nobody left to tell.
fn say(line: &str) {
    drop(writeln!(anstream::stderr(), "{line}"));
}

fn forgiving(written: io::Result<()>) -> Result<(), Failure> {
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::new(Code::CannotWrite)
            .message("cannot write to standard output")
            .because(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}
