//! Where a patient's ID and password come from: a file, an open descriptor, or a question on the terminal.
//!
//! Never the command line, which every user of a machine can read.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use protocol::aidc1::{Password, RecoveryCode};
use protocol::wu::{self, PatientId};
use zeroize::Zeroizing;

use crate::code::Code;
use crate::files;
use crate::output::{Console, Failure, Input};

const SECRET_BYTES_MAX: usize = 1024;

/// What one secret is called and where it may be.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// Its name for people: `Patient ID`.
    pub what: &'static str,
    /// The beginning of its flags: `--id`.
    pub flag: &'static str,
    /// A file that holds it.
    pub file: Option<&'a PathBuf>,
    /// A descriptor that is open for reading.
    pub descriptor: Option<u32>,
}

impl Source<'_> {
    /// The ID.
    pub fn id(&self, console: &Console) -> Result<PatientId, Failure> {
        let bytes = self.bytes(console)?;
        PatientId::parse(&bytes).map_err(|error| Failure::new(Code::BadIdentityText).because(error))
    }

    /// The password of the papers' suites.
    pub fn wu_password(&self, console: &Console) -> Result<wu::Password, Failure> {
        let bytes = self.bytes(console)?;
        wu::Password::parse(&bytes)
            .map_err(|error| Failure::new(Code::BadIdentityText).because(error))
    }

    /// The password.
    pub fn password(&self, console: &Console) -> Result<Password, Failure> {
        password(&self.bytes(console)?)
    }

    /// A password that is new: asked for twice where somebody types it.
    pub fn new_password(&self, console: &Console) -> Result<Password, Failure> {
        password(&self.twice(console)?)
    }

    /// The same of the papers' suites.
    pub fn new_wu_password(&self, console: &Console) -> Result<wu::Password, Failure> {
        wu::Password::parse(&self.twice(console)?)
            .map_err(|error| Failure::new(Code::BadIdentityText).because(error))
    }

    fn twice(&self, console: &Console) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let bytes = self.bytes(console)?;
        if self.file.is_none() && self.descriptor.is_none() {
            let again = Self {
                what: "The same again",
                ..*self
            };
            if *again.bytes(console)? != *bytes {
                return Err(Failure::new(Code::PasswordsDiffer));
            }
        }
        Ok(bytes)
    }

    /// The recovery code, or a code from the desk, which is printed alike.
    pub fn code(&self, console: &Console) -> Result<RecoveryCode, Failure> {
        let bytes = self.bytes(console)?;
        RecoveryCode::parse(&bytes).map_err(|error| {
            Failure::new(Code::BadRecoveryCode)
                .message(format!("{}: {error}", self.what.to_lowercase()))
        })
    }

    /// Whether it can be had without a file: asked for on the terminal.
    pub fn is_given_or_asked(&self, console: &Console) -> bool {
        self.file.is_some()
            || self.descriptor.is_some()
            || (console.input() == Input::Ask && Path::new("/dev/tty").exists())
    }

    fn bytes(&self, console: &Console) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let mut bytes = match (self.file, self.descriptor) {
            (Some(path), _) => {
                files::check_private(path, Code::SecretTooOpen)?;
                files::read(path, SECRET_BYTES_MAX)?
            }
            (None, Some(descriptor)) => self.descriptor(descriptor)?,
            (None, None) => self.prompt(console)?,
        };
        while matches!(bytes.last(), Some(b'\n' | b'\r')) {
            bytes.pop();
        }
        Ok(bytes)
    }

    fn descriptor(&self, descriptor: u32) -> Result<Zeroizing<Vec<u8>>, Failure> {
        // The file system's view of an open descriptor needs no unsafe code.
        let path = PathBuf::from(format!("/proc/self/fd/{descriptor}"));
        let limit = u64::try_from(SECRET_BYTES_MAX).unwrap_or(u64::MAX);
        let mut bytes = Zeroizing::new(Vec::new());
        File::open(&path)
            .and_then(|file| file.take(limit).read_to_end(&mut bytes))
            .map_err(|error| {
                Failure::new(Code::CannotRead)
                    .message(format!("cannot read descriptor {descriptor}"))
                    .because(error)
                    .help(format!(
                        "open it for this command, as in: … {}-fd 3 3<FILE",
                        self.flag
                    ))
            })?;
        Ok(bytes)
    }

    fn prompt(&self, console: &Console) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let none = || {
            Failure::new(Code::NoTerminal)
                .message(format!(
                    "{} is needed and there is no terminal to ask on",
                    self.what.to_lowercase()
                ))
                .help(format!("pass {0}-file FILE or {0}-fd N", self.flag))
        };
        if console.input() == Input::Never || !Path::new("/dev/tty").exists() {
            return Err(none());
        }
        rpassword::prompt_password(format!("{}: ", self.what))
            .map(|text| Zeroizing::new(text.into_bytes()))
            .map_err(|error| none().because(error))
    }
}

fn password(bytes: &[u8]) -> Result<Password, Failure> {
    Password::parse(bytes).map_err(|error| Failure::new(Code::BadIdentityText).because(error))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::fd::AsRawFd as _;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::output::{Form, Talk};

    const SILENT: Console = Console::new(Form::Json, Talk::Quiet, Input::Never);

    fn source(file: Option<&PathBuf>, descriptor: Option<u32>) -> Source<'_> {
        Source {
            what: "Password",
            flag: "--password",
            file,
            descriptor,
        }
    }

    #[test]
    fn a_line_end_is_no_part_of_a_password() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("pw");
        fs::write(&path, "correct horse\r\n").expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("chmod");
        let open = File::open(&path).expect("open");
        let descriptor = u32::try_from(open.as_raw_fd()).expect("descriptor");

        for source in [source(Some(&path), None), source(None, Some(descriptor))] {
            let password = source.wu_password(&SILENT).expect("password");
            assert_eq!(password.expose(), "correct horse");
        }
    }

    #[test]
    fn without_a_terminal_the_flag_to_use_is_named() {
        let failure = source(None, None)
            .password(&SILENT)
            .expect_err("no way to ask");

        assert_eq!(failure.code(), Code::NoTerminal);
        assert_eq!(
            failure.next_step(),
            "pass --password-file FILE or --password-fd N"
        );
    }

    #[test]
    fn a_password_file_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("pw");
        fs::write(&path, "secret").expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("chmod");

        let failure = source(Some(&path), None)
            .password(&SILENT)
            .expect_err("open");

        assert_eq!(failure.code(), Code::SecretTooOpen);
    }

    #[test]
    fn a_code_is_read_as_it_stands_on_paper_and_never_quoted() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("paper");
        let write = |text: &str| {
            fs::write(&path, text).expect("written");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("chmod");
        };
        let code = RecoveryCode::new(protocol::Secret::new([7; 16]));
        write(&format!("{}\n", code.to_text().to_lowercase()));
        assert_eq!(source(Some(&path), None).code(&SILENT), Ok(code));

        write("00000-00000-00000-00000-00000-QR\n");
        let failure = source(Some(&path), None)
            .code(&SILENT)
            .expect_err("no code");

        assert_eq!(failure.code(), Code::BadRecoveryCode);
        assert!(!failure.what().contains('Q'));
    }
}
