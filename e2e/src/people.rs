//! Synthetic patients who register and sign in with the command line.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::claims::Broken;
use crate::tools::{Ended, aidchain, finish};

/// A patient: her secrets in files, her captures, her card.
#[derive(Debug)]
pub(crate) struct Patient {
    /// Where everything of hers lies.
    folder: PathBuf,
    /// The consortium's genesis file.
    genesis: PathBuf,
}

impl Patient {
    /// A patient with synthetic faces made from a seed.
    pub(crate) fn new(folder: &Path, genesis: &Path, seed: u32) -> Result<Self, Broken> {
        fs::create_dir_all(folder)?;
        fs::write(folder.join("id"), format!("patient-{seed}"))?;
        fs::write(folder.join("password"), "correct horse battery")?;
        fs::write(folder.join("wrong-password"), "incorrect horse")?;
        let faces = folder.join("faces");
        finish(
            Command::new(aidchain())
                .args(["research", "faces", "--seed", &seed.to_string(), "--out"])
                .arg(&faces),
        )?
        .ended_with(0)?;
        Ok(Self {
            folder: folder.to_owned(),
            genesis: genesis.to_owned(),
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
            .args([
                "patient",
                verb,
                "--json",
                "--no-input",
                "--suite",
                "wu-2021",
                "--accept-risk=insecure-suite",
            ])
            .arg("--genesis")
            .arg(&self.genesis)
            .arg("--card")
            .arg(self.file("her.card"));
        command
    }

    /// Registers at the centre with three captures.
    pub(crate) fn register(&self, node: &str) -> io::Result<Ended> {
        let mut command = self.command("register");
        command
            .args(["--node", node])
            .arg("--id-file")
            .arg(self.file("id"));
        command.arg("--password-file").arg(self.file("password"));
        for capture in self.captures(0, 3) {
            command.arg("--bio").arg(capture);
        }
        command
            .arg("--receipt")
            .arg(self.file("register.receipt.json"));
        finish(&mut command)
    }

    /// Signs in at a node with the capture of this number.
    pub(crate) fn sign_in(&self, node: &str, capture: usize) -> io::Result<Ended> {
        let mut command = self.command("auth");
        command
            .args(["--node", node])
            .arg("--password-file")
            .arg(self.file("password"));
        for capture in self.captures(capture, 1) {
            command.arg("--bio").arg(capture);
        }
        command.arg("--receipt").arg(self.receipt(capture));
        finish(&mut command)
    }

    /// Where the receipt of a sign-in lies.
    pub(crate) fn receipt(&self, capture: usize) -> PathBuf {
        self.file(&format!("{capture}.receipt.json"))
    }

    /// Some of her captures, in order of their names.
    fn captures(&self, skip: usize, take: usize) -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> = fs::read_dir(self.file("faces"))
            .into_iter()
            .flatten()
            .filter_map(Result::ok)
            .map(|entry| entry.path())
            .collect();
        files.sort();
        files.into_iter().skip(skip).take(take).collect()
    }
}
