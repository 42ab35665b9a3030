//! Somebody who does not exist, her files, and what she types.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use super::World;
use crate::claims::{Broken, Verdict};
use crate::tools::{Ended, aidchain, finish};

/// Captures with which a face is enrolled.
const ENROLMENT: [usize; 3] = [1, 2, 3];

/// A patient: her secrets in files, her captures, her card.
pub(super) struct Person {
    name: String,
    /// The name of her card.
    profile: String,
    folder: PathBuf,
    data: PathBuf,
    genesis: String,
}

/// Runs a command of the node's program.
pub(super) fn run(world: &World, words: &[&str]) -> Result<Ended, Broken> {
    let mut command = Command::new(aidchain());
    command.args(words).args(["--json", "--no-input"]);
    Ok(finish(
        command.env("XDG_DATA_HOME", world.folder.join("data")),
    )?)
}

impl Person {
    /// Her files, and captures of two people made from a seed: hers and a stranger's.
    pub(super) fn new(world: &World, name: &str, seed: u32) -> Result<Self, Broken> {
        let folder = world.folder.join(name);
        fs::create_dir_all(&folder)?;
        let person = Self {
            name: name.to_owned(),
            profile: name.to_owned(),
            data: world.folder.join("data"),
            genesis: world.genesis.display().to_string(),
            folder,
        };
        person.secret("id", &person.id())?;
        person.secret("password", "correct horse battery")?;
        let faces = person.file("faces");
        run(
            world,
            &[
                "research",
                "faces",
                "--seed",
                &seed.to_string(),
                "--out",
                &faces,
            ],
        )?
        .ended_with(0)?;
        Ok(person)
    }

    /// The same, enrolled.
    pub(super) fn enrolled(world: &World, name: &str, seed: u32) -> Result<Self, Broken> {
        let person = Self::new(world, name, seed)?;
        person.enrol()?.ended_with(0)?;
        Ok(person)
    }

    /// Her ID, as the registration centre knows it.
    pub(super) fn id(&self) -> String {
        format!("e2e-life-{}-4711", self.name)
    }

    /// A file of hers.
    pub(super) fn file(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    /// A file that only she may read.
    pub(super) fn secret(&self, name: &str, content: &str) -> Verdict {
        let path = self.folder.join(name);
        fs::write(&path, content)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
        Ok(())
    }

    /// One of her captures, counted from 1.
    pub(super) fn capture(&self, number: usize) -> String {
        self.file(&format!("faces/captures/S01/{number:02}.json"))
    }

    /// A capture of somebody else.
    pub(super) fn stranger(&self, number: usize) -> String {
        self.file(&format!("faces/captures/S02/{number:02}.json"))
    }

    fn captures(face: impl Fn(usize) -> String) -> Vec<String> {
        let of = |number| ["--bio".to_owned(), face(number)];
        ENROLMENT.into_iter().flat_map(of).collect()
    }

    /// A command about her card.
    fn does(&self, words: &[&str], more: &[String]) -> Result<Ended, Broken> {
        let mut command = Command::new(aidchain());
        command.arg("patient").args(words);
        command.args(["--json", "--no-input", "--profile", &self.profile]);
        command.args(more).current_dir(&self.folder);
        Ok(finish(command.env("XDG_DATA_HOME", &self.data))?)
    }

    fn with_password(&self, words: &[&str], more: &[String]) -> Result<Ended, Broken> {
        let password = self.file("password");
        self.does(&[words, &["--password-file", &password]].concat(), more)
    }

    /// Enrols with three captures.
    pub(super) fn enrol(&self) -> Result<Ended, Broken> {
        let (id, code) = (self.file("id"), self.file("code"));
        let words = [
            "register",
            "--genesis",
            &self.genesis,
            "--id-file",
            &id,
            "--recovery-code-file",
            &code,
        ];
        self.with_password(&words, &Self::captures(|number| self.capture(number)))
    }

    /// Tries to enrol once more, under another profile.
    pub(super) fn register(&self) -> Result<Ended, Broken> {
        let twin = Self {
            profile: format!("{}-twin", self.profile),
            ..self.again()
        };
        let (id, code) = (twin.file("id"), twin.file("twin-code"));
        let words = [
            "register",
            "--genesis",
            &twin.genesis,
            "--id-file",
            &id,
            "--recovery-code-file",
            &code,
        ];
        twin.with_password(&words, &Self::captures(|number| self.capture(number)))
    }

    fn again(&self) -> Self {
        Self {
            name: self.name.clone(),
            profile: self.profile.clone(),
            folder: self.folder.clone(),
            data: self.data.clone(),
            genesis: self.genesis.clone(),
        }
    }

    /// A sign-in, however it ends.
    pub(super) fn sign_in(
        &self,
        server: &str,
        capture: &str,
        password: &str,
        more: &[&str],
    ) -> Result<Ended, Broken> {
        let password = self.file(password);
        let words = [
            "auth",
            "--server",
            server,
            "--bio",
            capture,
            "--password-file",
            &password,
        ];
        self.does(&[&words, more].concat(), &[])
    }

    /// A sign-in that must succeed, and what it told.
    pub(super) fn signed_in(
        &self,
        server: &str,
        probe: usize,
        more: &[&str],
    ) -> Result<Value, Broken> {
        let ended = self.sign_in(server, &self.capture(probe), "password", more)?;
        ended.ended_with(0)?;
        Ok(ended.json())
    }

    /// Judges a receipt offline.
    pub(super) fn verify(&self, receipt: &str, expected: &[&str]) -> Result<Ended, Broken> {
        let mut command = Command::new(aidchain());
        command.args([
            "receipt",
            "verify",
            receipt,
            "--trust",
            &self.genesis,
            "--offline",
            "--json",
        ]);
        Ok(finish(command.args(expected).current_dir(&self.folder))?)
    }

    /// The same, and it must be valid.
    pub(super) fn verifies(&self, receipt: &str, expected: &[&str]) -> Verdict {
        self.verify(receipt, expected)?.ended_with(0)
    }

    /// Her history.
    pub(super) fn history(&self, probe: usize) -> Result<Value, Broken> {
        let capture = self.capture(probe);
        let ended = self.with_password(&["history", "--all", "--bio", &capture], &[])?;
        ended.ended_with(0)?;
        Ok(ended.json())
    }

    /// A copy of card and device, as a thief would make one.
    pub(super) fn copy(&self, profile: &str) -> Result<Self, Broken> {
        let cards = self.data.join("aidchain");
        for entry in fs::read_dir(&cards)? {
            let path = entry?.path();
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            if let Some(rest) = name.strip_prefix(&format!("{}.", self.profile)) {
                fs::copy(&path, cards.join(format!("{profile}.{rest}")))?;
            }
        }
        Ok(Self {
            profile: profile.to_owned(),
            ..self.again()
        })
    }

    /// Card and device are gone.
    pub(super) fn lose(&self) -> Verdict {
        let cards = self.data.join("aidchain");
        for entry in fs::read_dir(&cards)? {
            let path = entry?.path();
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            if name.starts_with(&format!("{}.", self.profile)) {
                fs::remove_file(&path)?;
            }
        }
        Ok(())
    }

    /// Another password, or the like.
    pub(super) fn changed(&self, what: &str, more: &[&str]) -> Result<Ended, Broken> {
        let code = self.file("code");
        let words = [&["change", what, "--recovery-code-file", &code], more].concat();
        self.with_password(&words, &Self::captures(|number| self.capture(number)))
    }

    /// Another face: that of the stranger, in the place of surgery.
    pub(super) fn changed_face(&self) -> Result<Ended, Broken> {
        let code = self.file("code");
        let words = ["change", "face", "--recovery-code-file", &code];
        self.with_password(&words, &Self::captures(|number| self.stranger(number)))
    }

    /// The same person with another device.
    pub(super) fn moved_to(&self, profile: &str) -> Result<Self, Broken> {
        let code = self.file("moved-code");
        let words = ["move", "--to", profile, "--new-recovery-code-file", &code];
        self.with_password(&words, &Self::captures(|number| self.capture(number)))?
            .ended_with(0)?;
        Ok(Self {
            profile: profile.to_owned(),
            ..self.again()
        })
    }

    /// Sixteen identities more.
    pub(super) fn renewed(&self) -> Result<Ended, Broken> {
        let code = self.file("renewed-code");
        let words = ["renew", "--new-recovery-code-file", &code];
        self.with_password(&words, &Self::captures(|number| self.capture(number)))
    }

    /// What an officer gives her when she lost her card.
    pub(super) fn desk_code(&self, world: &World) -> Verdict {
        let id = self.file("id");
        let words = [
            "admit",
            "--officer",
            "desk-7",
            "--for",
            "recover",
            "--id-file",
            &id,
        ];
        let ended = world.desk("rc", &words)?;
        ended.ended_with(0)?;
        let told = ended.json();
        self.secret("desk-code", super::field(&told, "code")?)
    }

    /// A recovery with these words.
    pub(super) fn recover(&self, more: &[&str]) -> Result<Ended, Broken> {
        let (id, desk, new) = (
            self.file("id"),
            self.file("desk-code"),
            self.file("new-code"),
        );
        let words = [
            &[
                "recover",
                "--genesis",
                &self.genesis,
                "--id-file",
                &id,
                "--desk-code-file",
                &desk,
            ],
            &["--new-recovery-code-file", new.as_str()][..],
            more,
        ];
        self.with_password(
            &words.concat(),
            &Self::captures(|number| self.capture(number)),
        )
    }

    pub(super) fn recover_with_code(&self) -> Result<Ended, Broken> {
        let code = self.file("code");
        self.recover(&["--recovery-code-file", &code])
    }

    pub(super) fn recover_without_code(&self) -> Result<Ended, Broken> {
        self.recover(&[])
    }

    /// Ends all her identities.
    pub(super) fn revoke(&self, probe: usize, more: &[&str]) -> Result<Ended, Broken> {
        let capture = self.capture(probe);
        self.with_password(&[&["revoke", "--bio", &capture], more].concat(), &[])
    }
}
