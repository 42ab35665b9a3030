//! A terminal: its files, and the commands as they are typed.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use clap::Parser;
use patient::cli::{Global, PatientCommand};
use patient::code::{Code, Exit};
use patient::output::Failure;
use protocol::Embedding;

use crate::consortium::Consortium;

pub(crate) const ID: &str = "756.9217.0769.85";
pub(crate) const PASSWORD: &str = "correct horse battery staple";

#[derive(Debug, Parser)]
struct Typed {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: PatientCommand,
}

/// Whether a face is enrolled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Enrols {
    Face,
    NoFace,
}

/// One patient's terminal in the consortium's folder.
pub(crate) struct Terminal<'a> {
    pub(crate) members: &'a Consortium,
    pub(crate) profile: &'static str,
}

impl<'a> Terminal<'a> {
    /// A terminal with an ID, a password and captures of a face in files.
    pub(crate) fn new(members: &'a Consortium, profile: &'static str) -> Self {
        let terminal = Self { members, profile };
        terminal.secret("id", ID);
        terminal.secret("pw", PASSWORD);
        for (at, capture) in face(0).iter().take(6).enumerate() {
            terminal.capture(&format!("face{at}"), capture);
        }
        for (at, capture) in face(1).iter().take(4).enumerate() {
            terminal.capture(&format!("other{at}"), capture);
        }
        terminal
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.members.path(&format!("{}-{name}", self.profile))
    }

    pub(crate) fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    pub(crate) fn card(&self) -> PathBuf {
        self.path("it.card")
    }

    pub(crate) fn pending(&self) -> PathBuf {
        self.path("it.pending")
    }

    /// A file for its owner's eyes alone.
    pub(crate) fn secret(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::write(&path, format!("{text}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn capture(&self, name: &str, capture: &Embedding) {
        let digits = hex::encode(capture.expose().map(i8::cast_unsigned));
        let text = format!(
            r#"{{"schema":"aidchain.capture/1","modality":"face","embedding_q":"{digits}"}}"#
        );
        fs::write(self.path(name), text).unwrap();
    }

    /// Runs a command with these arguments behind its profile and places.
    pub(crate) fn run(&self, command: &str, more: &[&str]) -> Result<Exit, Failure> {
        let card = self.card().display().to_string();
        let genesis = self.members.path("genesis.json").display().to_string();
        let mut typed = vec!["aidpatient", "--json", "--quiet", "--no-input"];
        typed.extend(command.split(' '));
        typed.extend(["--profile", "it", "--card", &card, "--genesis", &genesis]);
        typed.extend(more);
        let typed = parsed(&typed);
        typed.command.run(&typed.global.console())
    }

    /// Registers with a face, or without.
    pub(crate) fn register(&self, enrols: Enrols) -> Result<Exit, Failure> {
        let (id, pw, paper) = (self.text("id"), self.text("pw"), self.text("paper"));
        let captures = [0, 1, 2].map(|at| self.text(&format!("face{at}")));
        let mut more = vec!["--id-file", &id, "--password-file", &pw];
        more.extend(["--recovery-code-file", &paper]);
        if enrols == Enrols::Face {
            for capture in &captures {
                more.extend(["--bio", capture.as_str()]);
            }
        } else {
            more.push("--no-face");
        }
        self.run("register", &more)
    }

    /// Signs in with these captures, or with the code.
    pub(crate) fn sign_in(
        &self,
        server: &str,
        captures: &[&str],
        more: &[&str],
    ) -> Result<Exit, Failure> {
        let (pw, paper) = (self.text("pw"), self.text("paper"));
        let receipts = self.members.folder.path().display().to_string();
        let captures: Vec<_> = captures.iter().map(|name| self.text(name)).collect();
        let mut typed = vec![
            "--server",
            server,
            "--password-file",
            &pw,
            "--receipts",
            &receipts,
        ];
        for capture in &captures {
            typed.extend(["--bio", capture.as_str()]);
        }
        if captures.is_empty() {
            typed.extend(["--recovery-code-file", &paper]);
        }
        typed.extend(more);
        self.run("auth", &typed)
    }
}

fn parsed(typed: &[&str]) -> Typed {
    Typed::try_parse_from(typed).unwrap()
}

/// The captures of a synthetic subject.
fn face(subject: usize) -> Vec<Embedding> {
    let subjects = protocol::synthetic::subjects(1);
    let shots = subjects[subject].captures.iter();
    shots.map(|shot| shot.embedding.clone()).collect()
}

/// The code of a refusal.
pub(crate) fn code(ended: Result<Exit, Failure>) -> Code {
    ended.unwrap_err().code()
}
