//! From the arguments to the exit status.

use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use crate::code::{Code, Exit};
use crate::output::{Console, Failure, Form, Input, Talk};

/// The parsed command line, or the status of a process that has said its help or its error already.
pub fn parse<C: Parser>() -> Result<C, ExitCode> {
    C::try_parse().map_err(|error| {
        let help_instead = error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
        if error.use_stderr() && !help_instead {
            return usage(&error);
        }
        // Where stdout is closed nobody reads the help.
        let _ended = error.print();
        let exit = if help_instead { Exit::Usage } else { Exit::Ok };
        ExitCode::from(exit.status())
    })
}

/// Reports how a command ended.
pub fn end(console: &Console, ended: Result<Exit, Failure>) -> ExitCode {
    let exit = ended.unwrap_or_else(|failure| console.failure(&failure));
    ExitCode::from(exit.status())
}

fn usage(error: &clap::Error) -> ExitCode {
    let text = error.render().to_string();
    let text = text.trim().trim_start_matches("error: ");
    let (what, rest) = text.split_once('\n').unwrap_or((text, ""));
    let json = std::env::args_os().any(|argument| argument == "--json");
    let form = if json { Form::Json } else { Form::Text };
    let console = Console::new(form, Talk::Normal, Input::Never);
    let mut failure = Failure::new(Code::Usage).message(what);
    let rest: Vec<_> = rest
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with("For more information"))
        .collect();
    if !rest.is_empty() {
        failure = failure.because(rest.join("\n"));
    }
    ExitCode::from(console.failure(&failure).status())
}
