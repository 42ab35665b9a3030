//! Synthetic patients who register and sign in with the command line.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use contract::genesis::{Genesis, Kind};

use crate::claims::Broken;
use crate::tools::{Ended, aidchain, finish};

/// Captures with which she registers; later ones are for signing in.
pub(crate) const ENROLMENT: usize = 3;

/// A patient: her secrets in files, her captures, her card.
#[derive(Debug)]
pub(crate) struct Patient {
    /// Where everything of hers lies.
    folder: PathBuf,
    /// The consortium's genesis file.
    genesis: PathBuf,
    /// Which ledger it founds: a secure one has AIDC-1, a research one is asked for the paper's suite.
    kind: Kind,
}

impl Patient {
    /// A patient with synthetic faces made from a seed.
    pub(crate) fn new(folder: &Path, genesis: &Path, seed: u32) -> Result<Self, Broken> {
        fs::create_dir_all(folder)?;
        for (name, text) in [
            ("id", format!("patient-{seed}")),
            ("password", "correct horse".to_owned()),
        ] {
            fs::write(folder.join(name), text)?;
            fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o600))?;
        }
        let mut command = Command::new(aidchain());
        command
            .args(["research", "faces", "--seed", &seed.to_string(), "--out"])
            .arg(folder.join("faces"));
        finish(&mut command)?.ended_with(0)?;
        let founded = Genesis::parse(&fs::read(genesis)?).map_err(|error| error.to_string())?;
        Ok(Self {
            folder: folder.to_owned(),
            genesis: genesis.to_owned(),
            kind: founded.kind(),
        })
    }

    /// A file of hers.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A command of hers, with what every one of them needs.
    fn command(&self, verb: &str) -> Command {
        let mut command = Command::new(aidchain());
        command
            .args(["patient", verb, "--json", "--no-input", "--profile", "hers"])
            .arg("--genesis")
            .arg(&self.genesis)
            .arg("--card")
            .arg(self.file("her.card"))
            .arg("--password-file")
            .arg(self.file("password"))
            .arg("--receipts")
            .arg(&self.folder);
        if self.kind == Kind::Research {
            command.args(["--suite", "wu-2021", "--accept-risk=insecure-suite"]);
            command.arg("--id-file").arg(self.file("id"));
        }
        command
    }

    /// Registers at the centre.
    pub(crate) fn register(&self) -> io::Result<Ended> {
        let mut command = self.command("register");
        if self.kind == Kind::Secure {
            command.arg("--id-file").arg(self.file("id"));
            command
                .arg("--recovery-code-file")
                .arg(self.file("recovery-code"));
        }
        for number in 0..ENROLMENT {
            command.arg("--bio").arg(self.capture(number));
        }
        finish(&mut command)
    }

    /// Signs in at a member with the capture of this number.
    pub(crate) fn sign_in(&self, server: &str, number: usize) -> io::Result<Ended> {
        let mut command = self.command("auth");
        finish(
            command
                .args(["--server", server, "--bio"])
                .arg(self.capture(number)),
        )
    }

    /// One of her captures: she is the first of the synthetic people.
    fn capture(&self, number: usize) -> PathBuf {
        self.file(&format!(
            "faces/captures/S01/{:02}.json",
            number.saturating_add(1)
        ))
    }
}
