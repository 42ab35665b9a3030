//! An error as a person or a program reads it.

use std::fmt;

use serde_json::{Map, Value, json};

use crate::code::{Code, Exit, SupportCode};

/// The schema of an error under `--json`.
const SCHEMA: &str = "aidchain.error/1";

/// The end of a command that did not do what it was asked to: a code, what happened here, why, and what to do next.
///
/// It holds text for people, never a secret and never a patient's ID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    code: Code,
    message: Option<String>,
    cause: Option<String>,
    help: Option<String>,
    note: Option<String>,
    support: Option<SupportCode>,
}

impl Failure {
    /// A failure that says what its code says.
    pub const fn new(code: Code) -> Self {
        Self {
            code,
            message: None,
            cause: None,
            help: None,
            note: None,
            support: None,
        }
    }

    /// Says precisely what happened, in place of the code's title.
    #[must_use]
    pub fn message(mut self, message: impl Into<String>) -> Self {
        self.message = Some(plain(message.into()));
        self
    }

    /// Says why.
    #[must_use]
    pub fn because(mut self, cause: impl fmt::Display) -> Self {
        self.cause = Some(plain(cause.to_string()));
        self
    }

    /// Says what to do next, in place of the code's help.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(plain(help.into()));
        self
    }

    /// Adds what else is worth knowing, such as that nothing was changed.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = Some(plain(note.into()));
        self
    }

    /// Adds the code by which an operator finds the exact check.
    #[must_use]
    pub const fn support(mut self, support: SupportCode) -> Self {
        self.support = Some(support);
        self
    }

    /// Which error it is.
    pub const fn code(&self) -> Code {
        self.code
    }

    /// The status the process ends with.
    pub const fn exit(&self) -> Exit {
        self.code.exit()
    }

    /// The code an operator can resolve, where there is one.
    pub const fn support_code(&self) -> Option<SupportCode> {
        self.support
    }

    /// What happened.
    pub fn what(&self) -> &str {
        self.message.as_deref().unwrap_or_else(|| self.code.title())
    }

    /// Why, where it is known.
    pub fn why(&self) -> Option<&str> {
        self.cause.as_deref()
    }

    /// What to do next.
    pub fn next_step(&self) -> &str {
        self.help.as_deref().unwrap_or_else(|| self.code.help())
    }

    /// The object that `--json` prints.
    pub fn to_json(&self) -> Value {
        let mut object = Map::new();
        let mut put = |key: &str, value: Value| object.insert(key.to_owned(), value);
        put("schema", json!(SCHEMA));
        put("code", json!(self.code.text()));
        put("message", json!(self.what()));
        put("cause", json!(self.cause));
        put("help", json!(self.next_step()));
        put("note", json!(self.note));
        put(
            "support_code",
            json!(self.support.map(|code| code.to_string())),
        );
        put("exit", json!(self.exit().status()));
        Value::Object(object)
    }

    /// The lines after the first, as a terminal shows them.
    pub(super) fn details(&self) -> String {
        let mut lines = Vec::new();
        let mut add = |label: &str, body: &str| {
            let body = body.replace('\n', "\n         ");
            lines.push(format!("  {label:<6} {body}\n"));
        };
        if let Some(cause) = &self.cause {
            add("cause:", cause);
        }
        add("help:", self.next_step());
        if let Some(note) = &self.note {
            add("note:", note);
        }
        if let Some(support) = self.support {
            add("code:", &format!("{support} (for the desk)"));
        }
        add("more:", &format!("aidchain explain {}", self.code));
        lines.concat()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.what())
    }
}

impl std::error::Error for Failure {}

/// The text without controls. Part of it may come from a node or out of a file, and a terminal obeys
/// what it is sent.
fn plain(text: String) -> String {
    let obeyed = |c: char| c.is_control() && c != '\n' && c != '\t';
    if text.contains(obeyed) {
        return text.replace(obeyed, "\u{fffd}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_without_words_of_its_own_speaks_with_those_of_its_code() {
        let failure = Failure::new(Code::PortTaken);

        assert_eq!(failure.what(), Code::PortTaken.title());
        assert_eq!(failure.next_step(), Code::PortTaken.help());
        assert_eq!(failure.exit(), Exit::BadConfiguration);
    }

    #[test]
    fn json_and_text_say_the_same() {
        let failure = Failure::new(Code::CannotEnrol)
            .message("no")
            .because("because")
            .help("go there")
            .note("nothing changed")
            .support(SupportCode::from_random([1, 2, 3, 4]));

        assert_eq!(
            failure.to_json().to_string(),
            r#"{"schema":"aidchain.error/1","code":"AC0310","message":"no","cause":"because","help":"go there","note":"nothing changed","support_code":"AC-3456","exit":10}"#
        );
        assert_eq!(
            failure.details(),
            "  cause: because\n  help:  go there\n  note:  nothing changed\n  code:  AC-3456 (for the desk)\n  more:  aidchain explain AC0310\n"
        );
    }
}
