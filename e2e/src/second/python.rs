//! The interpreter with the libraries that the second implementation needs.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use crate::claims::{Broken, Verdict, ensure};
use crate::tools::{Ended, finish};

/// Where the second implementation is.
const FOLDER: &str = "e2e/python";

/// Fewer tests than this show too little.
const TESTS_MIN: usize = 40;

/// `AIDCHAIN_PYTHON`, or `python3`.
#[derive(Debug)]
pub(super) struct Python {
    program: OsString,
}

impl Python {
    /// The interpreter, if it has everything.
    pub(super) fn find() -> Result<Self, Broken> {
        let named = std::env::var_os("AIDCHAIN_PYTHON");
        let python = Self {
            program: named.unwrap_or_else(|| "python3".into()),
        };
        let mut command = python.command();
        let ended = finish(command.args(["-c", "import cryptography"]))
            .map_err(|error| python.lacks(&error.to_string()))?;
        if ended.code != 0 {
            return Err(python.lacks(&ended.talk));
        }
        Ok(python)
    }

    /// What is missing, and how to get it.
    fn lacks(&self, why: &str) -> Broken {
        format!(
            "{} lacks what the second implementation needs: {}\n        `pip install -r {FOLDER}/requirements.txt` \
             installs it; AIDCHAIN_PYTHON names the interpreter",
            self.program.display(),
            why.trim_end().lines().last().unwrap_or_default()
        )
        .into()
    }

    /// The interpreter, leaving nothing behind in the tree.
    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }

    /// The same under another clock.
    pub(super) fn at(&self, offset: &str) -> Command {
        let mut command = Command::new("faketime");
        command
            .args(["-f", offset])
            .arg(&self.program)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        command
    }

    /// The program's own tests.
    pub(super) fn tests(&self) -> Verdict {
        let mut command = self.command();
        let ended = finish(command.args(["-m", "unittest", "discover", "-s", FOLDER]))?;
        ended.ended_with(0)?;
        let ran = counted(&ended);
        ensure(ran >= TESTS_MIN, || {
            format!(
                "{ran} tests ran, at least {TESTS_MIN} must:\n{}",
                ended.talk
            )
        })
    }

    /// The program that signs in, as arguments of the interpreter.
    pub(super) fn sign_in<'a>(command: &'a mut Command, genesis: &Path) -> &'a mut Command {
        let script = Path::new(FOLDER).join("sign_in.py");
        command.arg(script).arg("--genesis").arg(genesis)
    }
}

/// The number in "Ran N tests".
fn counted(ended: &Ended) -> usize {
    let line = ended.talk.lines().find(|line| line.starts_with("Ran "));
    let number = line.and_then(|line| line.split(' ').nth(1));
    number.and_then(|text| text.parse().ok()).unwrap_or(0)
}
